"""Autoencoder without a constraint on synergy, for comparison."""

from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from minsyn.data import TensorSamples
from minsyn.estimators.encoders import folded
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.problem import checked_n_components, origin_and_scale
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import OnEpoch, best_of_starts
from minsyn.nn import BINARY, REAL, SOFTPLUS, Observations, share_of_batch
from minsyn.training import TrainingResult, train
from minsyn.training.worker import worker_of

__all__ = ["AutoEncoder"]


class AutoEncoder(FactorModel):
    """Autoencoder with one softplus hidden layer and a trained linear or logistic decoder.

    This is the autoencoder that the paper compares with (Appendix B). It has the same encoder as
    `MinSyn`, but its decoder is unconstrained, and so is the synergy of its latents.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of latents; None is ``min(n_samples, n_features)``.
    decoder : {"linear", "sigmoid"}, default="linear"
        "linear" minimises the squared error, "sigmoid" the cross-entropy of data in [0, 1].
    noise_std : float, default=0.0
        Standard deviation of Gaussian noise that is added to the inputs in training, in the units
        of the data. With a value above 0 this is the denoising autoencoder (0.25 in the paper).
    learning_rate : float, default=1e-3
        Step size of Adam. For the linear decoder, features are scaled to mean square 1.
    batch_size : int or None, default=None
        Maximum number of samples per step. None uses all samples in each step.
    max_iter : int, default=5000
        Maximum number of passes over the data.
    tol : float, default=1e-3
        Training stops when the mean loss over ``n_iter_no_change`` epochs is not lower, by more
        than this fraction, than the mean loss over the same number of preceding epochs.
    n_iter_no_change : int, default=50
        Length of the windows that ``tol`` compares, in epochs.
    n_init : int, default=1
        Number of random starts; the one with the lowest training loss is kept.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the noise and the order of mini-batches.
    run : Run or None, default=None
        Device, precision, checkpoints and loggers; None is ``Run()``.
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
        Mean training loss of each epoch of the best start, in the units of minus `score`.
    n_iter_ : int
        Number of epochs of the best start.
    converged_ : bool
        Whether the best start converged.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

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
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "decoder": [StrOptions({"linear", "sigmoid"})],
        "noise_std": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, 1e30, closed="right")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "run": [Run, None],
        "verbose": ["verbose"],
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
        run: Run | None = None,
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
        self.run = run
        self.verbose = verbose

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
        X = self._checked(X, reset=True, ensure_min_samples=2)
        n_components = self.n_components
        n_components = min(X.shape) if n_components is None else n_components
        n_components = int(checked_n_components(n_components, X.shape[1]))
        observations = _OBSERVATIONS[self.decoder]
        observations.check_range(float(X.min()), float(X.max()))
        mean: Float[np.ndarray, " features"] = np.zeros(X.shape[1], X.dtype)
        scale = 1.0
        if observations.affine:  # Adam and float32 need features of mean square 1
            mean, scale = origin_and_scale(X)
        noise_std = self.noise_std / scale
        if noise_std > _MOST_NOISE:
            raise ValueError(
                f"noise_std={self.noise_std:g} is {noise_std:.0e} times the standard deviation of "
                f"the features, and may be {_MOST_NOISE:.0e} times: lower it"
            )
        x = ((X - mean) / scale).astype(np.float32)
        run = self.run or Run()
        fabric = run.launch()
        tensors = [torch.from_numpy(x)]
        samples = TensorSamples(*(tensors if fabric is None else fabric.to_device(tensors)))
        start = self._start(self._model_parameters())
        unit = scale**2
        module, result = best_of_starts(
            lambda generator, on_epoch, settings: self._fit_once(
                n_components, samples, noise_std, generator, on_epoch, settings
            ),
            start,
            self.n_init,
            run,
            fabric,
            worker_of(fabric),
            unit,
        )
        encoder, decoder = module.encoder, module.decoder
        weights = decoder.weight.detach().numpy().T.copy()
        self._take(
            Solution(
                folded(nn.Sequential(encoder), mean, scale),
                SOFTPLUS,
                observations,
                components=scale * weights,
                intercept=mean + scale * decoder.bias.detach().numpy(),
                loss_curve=[unit * loss for loss in result.history],
                converged=result.converged,
            )
        )
        self._warn_unless_converged(self.max_iter)
        return self

    def _model_parameters(self) -> dict[str, Any]:
        """Parameters that determine the results, in addition to those that `train` knows."""
        names = ("n_components", "decoder", "noise_std")
        return {name: getattr(self, name) for name in names}

    def _fit_once(
        self,
        n_components: int,
        samples: TensorSamples,
        noise_std: float,
        generator: torch.Generator,
        on_epoch: OnEpoch,
        settings: dict[str, Any],
    ) -> tuple["_AutoEncoderModule", TrainingResult]:
        (x,) = samples.tensors
        observations = _OBSERVATIONS[self.decoder]
        module = _AutoEncoderModule(n_components, x.shape[1], generator)

        def loss(targets: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
            inputs = targets
            if noise_std > 0:
                noise = torch.randn(inputs.shape, generator=generator).to(inputs)
                inputs = torch.add(inputs, noise, alpha=noise_std)
            losses = observations.losses(module(inputs), targets)
            return losses.mean() * share_of_batch(targets)

        result = train(
            module,
            loss,
            samples,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            max_epochs=self.max_iter,
            tol=self.tol,
            patience=self.n_iter_no_change,
            generator=generator,
            on_epoch=on_epoch,
            **settings,
        )
        return module, result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self.decoder == "sigmoid"
        return tags


#: Standard deviation of the noise, in units of the features', that float32 computes with.
_MOST_NOISE = 1e9

_OBSERVATIONS: dict[str, Observations] = {"linear": REAL, "sigmoid": BINARY}


class _AutoEncoderModule(nn.Module):
    """Linear, softplus and linear layers, with torch's default weights from a given generator."""

    def __init__(self, n_latents: int, n_features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Linear(n_features, n_latents)
        self.decoder = nn.Linear(n_latents, n_features)
        for layer in (self.encoder, self.decoder):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        return self.decoder(SOFTPLUS(self.encoder(x)))
