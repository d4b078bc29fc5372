"""An autoencoder without any constraint on synergy, for comparison."""

from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from minsyn.estimators._factor_model import FactorModel
from minsyn.estimators._start import Start, best_start, launched
from minsyn.estimators._training_data import (
    check_n_components,
    origin_and_scale,
    training_data,
)
from minsyn.nn import share_of_batch
from minsyn.training import Device, Precision, TrainingResult, train

__all__ = ["AutoEncoder"]


class AutoEncoder(FactorModel):
    """One softplus hidden layer and a trained linear or logistic decoder.

    The paper's comparison (Appendix B): the same encoder as `MinSyn`'s, but the decoder is free,
    and so is what the latents hide in combinations.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of latents; None takes ``min(n_samples, n_features)``.
    decoder : {"linear", "sigmoid"}, default="linear"
        "linear" minimises the squared error; "sigmoid" the cross-entropy of data in [0, 1].
    noise_std : float, default=0.0
        Standard deviation, in the units of the data, of Gaussian noise added to each input in
        training; above 0 this is the denoising autoencoder (the paper uses 0.25).
    learning_rate : float, default=1e-3
        Adam's step size; for the linear decoder, that for features scaled to mean square 1.
    batch_size : int or None, default=None
        Most samples a step; None takes all of them.
    max_iter : int, default=5000
        Most passes over the data.
    tol : float, default=1e-3
        Training stops when the mean loss over ``n_iter_no_change`` epochs is not lower by more
        than this fraction than over the same number of epochs before.
    n_iter_no_change : int, default=50
        Length of the windows that ``tol`` compares.
    n_init : int, default=1
        Number of random starts; the one with the lowest training loss is kept.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the noise and the order of mini-batches.
    device : {"cpu", "auto", "cuda", "mps"}, default="cpu"
        Where to train; "auto" takes a GPU where there is one. Small data are fastest, and repeat
        to the bit, on the CPU. Started by `torchrun` or `fabric run`, all processes share each
        batch and come to the same model.
    precision : str, default="32-true"
        Of training, as Lightning Fabric names it: "64-true", "bf16-mixed", "16-mixed",
        "bf16-true" or "16-true".
    checkpoint_dir : str, Path or None, default=None
        Folder for checkpoints, a subfolder for each start. A fit that was interrupted goes on from
        there, to the same numbers, when it is called again with the same data and parameters.
    checkpoint_every : float, default=60.0
        Least seconds between checkpoints.
    loggers : list of lightning_fabric.loggers.Logger or None, default=None
        Such as `TensorBoardLogger` or `CSVLogger`: told of loss and learning rate every epoch.
    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder weights.
    intercept_ : ndarray of shape (n_features,)
        Decoder biases.
    encoder_weights_ : ndarray of shape (n_components, n_features)
        Encoder weights.
    encoder_bias_ : ndarray of shape (n_components,)
        Encoder biases.
    loss_curve_ : list of float
        Mean training loss of each epoch, of the start that was kept, as minus `score` tells it.
    n_iter_ : int
        Number of epochs of that start.
    converged_ : bool
        Whether that start's loss had settled.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has string column names.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.estimators import AutoEncoder
    >>> X = np.random.default_rng(0).random((50, 6))
    >>> model = AutoEncoder(2, decoder="sigmoid", learning_rate=0.01, random_state=0).fit(X)
    >>> model.reconstruct(X).shape
    (50, 6)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FactorModel._parameter_constraints,
        "decoder": [StrOptions({"linear", "sigmoid"})],
        "noise_std": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        decoder: Literal["linear", "sigmoid"] = "linear",
        noise_std: float = 0.0,
        learning_rate: float = 1e-3,
        batch_size: int | None = None,
        max_iter: int = 5000,
        tol: float = 1e-3,
        n_iter_no_change: int = 50,
        n_init: int = 1,
        random_state: int | np.random.RandomState | None = None,
        device: Device = "cpu",
        precision: Precision = "32-true",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: float = 60.0,
        loggers: Sequence[Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.decoder = decoder
        self.noise_std = noise_std
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.loggers = loggers
        self.verbose = verbose

    @property
    def _binary_latents(self) -> bool:
        return False

    @property
    def _binary_features(self) -> bool:
        return self.decoder == "sigmoid"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "AutoEncoder":
        """Train encoder and decoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; in [0, 1] for the sigmoid decoder.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        AutoEncoder
            The fitted estimator.
        """
        X = training_data(self, X)
        n_components = check_n_components(self, *X.shape)
        mean: Float[np.ndarray, " features"] = np.zeros(X.shape[1], X.dtype)
        scale = 1.0
        if not self._binary_features:  # Adam's steps and float32 want features of mean square 1
            mean, scale = origin_and_scale(X)
        x = ((X - mean) / scale).astype(np.float32)
        noise_std = self.noise_std / scale
        model = best_start(
            self,
            lambda start: self._fit_once(x, n_components, noise_std, start),
            scale,
            self.n_init,
            launched(self),
        )
        encoder = model.encoder.double()
        self._set_encoder(
            encoder.weight.detach().numpy(), encoder.bias.detach().numpy(), mean, scale
        )
        self.components_ = scale * model.decoder.weight.detach().double().numpy().T.copy()
        self.intercept_ = mean + scale * model.decoder.bias.detach().double().numpy()
        self._warn_unless_converged()
        return self

    def _fit_once(
        self,
        x: Float[np.ndarray, "samples features"],
        n_components: int,
        noise_std: float,
        start: Start,
    ) -> tuple["_AutoEncoderModule", TrainingResult]:
        generator = start.generator
        model = _AutoEncoderModule(n_components, x.shape[1], generator)

        def loss(
            inputs: Float[Tensor, "batch features"], targets: Float[Tensor, "batch features"]
        ) -> Float[Tensor, ""]:
            if noise_std > 0:
                noise = torch.randn(inputs.shape, generator=generator).to(inputs)
                inputs = torch.add(inputs, noise, alpha=noise_std)
            natural = model(inputs)
            if self._binary_features:
                error = F.binary_cross_entropy_with_logits(natural, targets, reduction="sum")
            else:
                error = F.mse_loss(natural, targets, reduction="sum")
            return error / len(targets) * share_of_batch(targets)

        result = train(
            model,
            loss,
            start.samples(x, x),
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            max_epochs=self.max_iter,
            tol=self.tol,
            patience=self.n_iter_no_change,
            generator=generator,
            on_epoch=start.on_epoch,
            **start.settings,
        )
        return model, result


class _AutoEncoderModule(nn.Module):
    """Linear, softplus, linear, with torch's usual initial weights from a given generator."""

    def __init__(self, n_latents: int, n_features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Linear(n_features, n_latents)
        self.decoder = nn.Linear(n_latents, n_features)
        for layer in (self.encoder, self.decoder):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        return self.decoder(F.softplus(self.encoder(x)))
