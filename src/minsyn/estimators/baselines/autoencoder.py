"""Autoencoder without a constraint on synergy, for comparison."""

from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.utils._param_validation import Interval
from torch import Tensor

from minsyn.estimators.baselines.trained_model import TrainedModel, TrainedModule
from minsyn.estimators.run import Run
from minsyn.nn import SOFTPLUS, Observations

__all__ = ["AutoEncoder"]

#: Standard deviation of the noise, in units of the features', that float32 computes with.
_MOST_NOISE = 1e9


class AutoEncoder(TrainedModel):
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
        **TrainedModel._parameter_constraints,
        "noise_std": [Interval(Real, 0, None, closed="left")],
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

    def _model_parameters(self) -> dict[str, Any]:
        names = ("n_components", "decoder", "noise_std")
        return {name: getattr(self, name) for name in names}

    def _module(
        self,
        n_components: int,
        varies: Bool[Tensor, " features"],
        observations: Observations,
        scale: float,
        generator: torch.Generator,
    ) -> "_AutoEncoderModule":
        sizes = n_components, len(varies)
        noise_std = self.noise_std / scale
        if noise_std > _MOST_NOISE:
            raise ValueError(
                f"noise_std={self.noise_std:g} is {noise_std:.0e} times the standard deviation of "
                f"the features, and may be {_MOST_NOISE:.0e} times: lower it"
            )
        return _AutoEncoderModule(*sizes, observations, generator, noise_std)


class _AutoEncoderModule(TrainedModule):
    """Autoencoder of noisy inputs."""

    latents = SOFTPLUS

    def __init__(
        self,
        n_latents: int,
        n_features: int,
        observations: Observations,
        generator: torch.Generator,
        noise_std: float,
    ) -> None:
        super().__init__(n_latents, n_features, observations, generator)
        self.noise_std = noise_std

    def losses(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, " batch"]:
        inputs = x
        if self.noise_std > 0:
            inputs = torch.add(inputs, self.noise(inputs), alpha=self.noise_std)
        return self.observations.losses(self.decoder(SOFTPLUS(self.encoder(inputs))), x)
