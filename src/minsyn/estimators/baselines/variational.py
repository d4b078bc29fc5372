"""Variational autoencoders with one layer each way: beta-VAE and beta-TCVAE."""

import math
from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from minsyn.estimators.baselines.trained_model import TrainedModel, TrainedModule
from minsyn.estimators.persistence import require_array
from minsyn.estimators.run import Run
from minsyn.estimators.solution import check_converging
from minsyn.nn import LINEAR, REAL, Observations
from minsyn.nn.ranks import world_size
from minsyn.nn.variational import normal_divergence, total_correlation

__all__ = ["BetaTCVAE", "BetaVAE", "NoisyCode", "VariationalModel"]

_LOG_2_PI = math.log(2 * math.pi)


class NoisyCode(TrainedModule):
    """Encoder and decoder with noise in the latents, trained by a bound of the likelihood.

    Real features have normal noise of one trained variance for all.
    """

    varies: Tensor

    def __init__(
        self,
        n_latents: int,
        varies: Bool[Tensor, " features"],
        observations: Observations,
        generator: torch.Generator,
        beta: float,
    ) -> None:
        n_features = len(varies)
        super().__init__(n_latents, n_features, observations, generator)
        self.beta = beta
        # Features that are constant are decoded by their bias alone: their weights would stay at
        # random, or be driven without end.
        self.register_buffer("varies", varies[:, None].clone(), persistent=False)
        self.log_noise = nn.Parameter(torch.zeros(()))
        # The latents' noise is at first the same for all samples.
        self.spread = nn.Linear(n_features, n_latents)
        nn.init.zeros_(self.spread.weight)
        nn.init.zeros_(self.spread.bias)

    def costs(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, " batch"]:
        """Minus the log-likelihood of the samples given latents, in nats."""
        natural = F.linear(z, self.decoder.weight * self.varies, self.decoder.bias)
        losses = self.observations.losses(natural, x)
        if self.observations is not REAL:
            return losses
        return 0.5 * (losses * torch.exp(-self.log_noise)) + 0.5 * x.shape[1] * (
            self.log_noise + _LOG_2_PI
        )

    @abstractmethod
    def divergences(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch latents"]:
        """Divergence of each latent of each sample from its prior, in nats."""


class VariationalModel(TrainedModel):
    """Base class of autoencoders that are trained by a bound of the likelihood.

    A subclass has a parameter ``beta``.

    Attributes
    ----------
    latent_information_ : ndarray of shape (n_components,)
        Mean divergence of each latent from its prior, in nats.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TrainedModel._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
    }
    _loss_in_nats = True
    _module_class: ClassVar[type[NoisyCode]]

    beta: float
    latent_information_: Float[np.ndarray, " latents"]

    def _module(
        self,
        n_components: int,
        varies: Bool[Tensor, " features"],
        observations: Observations,
        scale: float,
        generator: torch.Generator,
    ) -> NoisyCode:
        return self._module_class(n_components, varies, observations, generator, self.beta)

    def _model_parameters(self) -> dict[str, Any]:
        names = ("n_components", "decoder", "beta")
        return {name: getattr(self, name) for name in names}

    @torch.no_grad()
    def _take_module(self, module: TrainedModule, x: Float[Tensor, "samples features"]) -> None:
        assert isinstance(module, NoisyCode)
        information = module.divergences(x).mean(dim=0)
        check_converging("latent_information", information)
        order = information.argsort(descending=True, stable=True)
        self.latent_information_ = information[order].numpy()
        module.encoder.weight.copy_(module.encoder.weight[order])
        module.encoder.bias.copy_(module.encoder.bias[order])
        module.decoder.weight.copy_(module.decoder.weight[:, order] * module.varies)

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"latent_information": self.latent_information_}

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        shape = (len(self.components_),)
        self.latent_information_ = require_array(arrays, "latent_information", shape)


class _NormalCode(NoisyCode):
    """Normal latents, and the loss of beta-VAE."""

    latents = LINEAR

    def losses(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, " batch"]:
        mean, log_variance = self.encoder(x), self.spread(x)
        z = mean + torch.exp(0.5 * log_variance) * self.noise(mean)
        return self.costs(z, x) + self.regularisation(z, mean, log_variance)

    def regularisation(
        self,
        z: Float[Tensor, "batch latents"],
        mean: Float[Tensor, "batch latents"],
        log_variance: Float[Tensor, "batch latents"],
    ) -> Float[Tensor, " batch"]:
        """What is added to minus the log-likelihood of each sample."""
        return self.beta * normal_divergence(mean, log_variance).sum(dim=1)

    def divergences(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch latents"]:
        return normal_divergence(self.encoder(x), self.spread(x))


class _UncorrelatedNormalCode(_NormalCode):
    """Normal latents, and the loss of beta-TCVAE."""

    def regularisation(
        self,
        z: Float[Tensor, "batch latents"],
        mean: Float[Tensor, "batch latents"],
        log_variance: Float[Tensor, "batch latents"],
    ) -> Float[Tensor, " batch"]:
        divergence = normal_divergence(mean, log_variance).sum(dim=1)
        return divergence + (self.beta - 1) * total_correlation(z, mean, log_variance)


class BetaVAE(VariationalModel):
    r"""Beta-VAE with linear means of the latents and a linear or logistic decoder.

    It minimises the bound of the likelihood with a multiple of its second term [1]_,

    .. math:: \langle -\log p(x \mid z) + \beta \, KL(q(z \mid x) \,\|\, \mathcal N(0, 1)) \rangle,

    with one sample z for each x in a step. Encoder and decoder have one layer each, as those of
    `AutoEncoder` and of the paper's comparison: only the objective differs. Real values have normal
    noise of one trained variance for all features, those that are constant included, so that with
    ``beta=1`` and a linear decoder this is probabilistic PCA [2]_.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of latents; None is ``min(n_samples, n_features)``.
    beta : float, default=2.0
        Weight of the divergence from the prior. 1 is the variational autoencoder; more makes
        latents nearly independent, and turns off those that are worth less than they cost.
    decoder : {"linear", "sigmoid"}, default="linear"
        "linear" is for real values, "sigmoid" for data in [0, 1], with the cross-entropy as loss.
    learning_rate : float, default=1e-2
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
        Weights of the latents' means.
    encoder_bias_ : ndarray of shape (n_components,)
        Biases of the latents' means.
    latent_information_ : ndarray of shape (n_components,)
        Mean divergence of each latent from its prior, in nats and descending. Near 0, the latent is
        not used.
    loss_curve_ : list of float
        Mean training loss of each epoch of the best start, in nats.
    n_iter_ : int
        Number of epochs of the best start.
    converged_ : bool
        Whether the best start converged.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

    References
    ----------
    .. [1] Higgins et al., "beta-VAE: learning basic visual concepts with a constrained variational
       framework", ICLR 2017.
    .. [2] Lucas, Tucker, Grosse and Norouzi, "Don't blame the ELBO! A linear VAE perspective on
       posterior collapse", NeurIPS 2019.

    Examples
    --------
    Two causes; two of four latents are used:

    >>> import numpy as np
    >>> from minsyn.estimators import BetaVAE
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.3 * rng.normal(size=(200, 6))
    >>> model = BetaVAE(4, random_state=0).fit(X)
    >>> (model.latent_information_ > 0.1).tolist()
    [True, True, False, False]
    """

    _module_class = _NormalCode

    def __init__(
        self,
        n_components: int | None = None,
        *,
        beta: float = 2.0,
        decoder: Literal["linear", "sigmoid"] = "linear",
        learning_rate: float = 1e-2,
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
        self.beta = beta
        self.decoder = decoder
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.random_state = random_state
        self.run = run
        self.verbose = verbose


class BetaTCVAE(VariationalModel):
    r"""Beta-TCVAE with linear means of the latents and a linear or logistic decoder.

    It minimises the bound of the likelihood plus a multiple of the total correlation of the codes
    [1]_,

    .. math:: \langle -\log p(x \mid z) + KL(q(z \mid x) \,\|\, \mathcal N(0, 1)) \rangle
              + (\beta - 1) \, TC(q(z)).

    Other than in `BetaVAE`, what the latents tell about x costs no more than in a variational
    autoencoder: only their dependence does. The total correlation is estimated from each batch, by
    minibatch-weighted sampling. Encoder, decoder and noise are those of `BetaVAE`.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of latents; None is ``min(n_samples, n_features)``.
    beta : float, default=4.0
        Weight of the total correlation. 1 is the variational autoencoder.
    decoder : {"linear", "sigmoid"}, default="linear"
        "linear" is for real values, "sigmoid" for data in [0, 1], with the cross-entropy as loss.
    learning_rate : float, default=1e-2
        Step size of Adam. For the linear decoder, features are scaled to mean square 1.
    batch_size : int or None, default=512
        Maximum number of samples per step. None uses all samples in each step. Time and memory of a
        step grow with the square of the batch.
    max_iter, tol, n_iter_no_change, n_init, random_state, run, verbose
        As in `BetaVAE`.

    Attributes
    ----------
    components_, intercept_, encoder_weights_, encoder_bias_
        Decoder and encoder, as in `BetaVAE`.
    latent_information_, loss_curve_, n_iter_, converged_, n_features_in_, feature_names_in_
        As in `BetaVAE`.

    References
    ----------
    .. [1] Chen, Li, Grosse and Duvenaud, "Isolating sources of disentanglement in variational
       autoencoders", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.estimators import BetaTCVAE
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.3 * rng.normal(size=(200, 6))
    >>> model = BetaTCVAE(2, max_iter=300, random_state=0).fit(X)
    >>> abs(np.corrcoef(model.transform(X).T)[0, 1]) < 0.1
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **VariationalModel._parameter_constraints,
        "batch_size": [Interval(Integral, 2, None, closed="left"), None],
    }
    _module_class = _UncorrelatedNormalCode

    def __init__(
        self,
        n_components: int | None = None,
        *,
        beta: float = 4.0,
        decoder: Literal["linear", "sigmoid"] = "linear",
        learning_rate: float = 1e-2,
        batch_size: int | None = 512,
        max_iter: int = 5000,
        tol: float = 1e-3,
        n_iter_no_change: int = 50,
        n_init: int = 1,
        random_state: int | np.random.RandomState | None = None,
        run: Run | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.beta = beta
        self.decoder = decoder
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.random_state = random_state
        self.run = run
        self.verbose = verbose

    def _module(
        self,
        n_components: int,
        varies: Bool[Tensor, " features"],
        observations: Observations,
        scale: float,
        generator: torch.Generator,
    ) -> NoisyCode:
        if world_size() > 1:
            raise ValueError(
                "BetaTCVAE compares all samples of a batch and trains in one process; found "
                f"{world_size()}: start it without torchrun"
            )
        return super()._module(n_components, varies, observations, scale, generator)
