"""Information dropout: an autoencoder with learned multiplicative noise in its latents."""

from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.estimators.baselines.variational import NoisyCode, VariationalModel
from minsyn.estimators.run import Run
from minsyn.nn import SOFTPLUS
from minsyn.nn.variational import log_normal_divergence

__all__ = ["InformationDropout"]

#: Largest standard deviation of the noise's logarithm, as in the paper.
_MOST_NOISE = 0.7
#: Below this pre-activation, softplus is the exponential function to rounding.
_EXPONENTIAL = -15.0


class _LogNormalCode(NoisyCode):
    """Softplus latents, multiplied by log-normal noise."""

    latents = SOFTPLUS

    def __init__(self, n_latents: int, *others: Any) -> None:
        super().__init__(n_latents, *others)
        self.prior_mean = nn.Parameter(torch.zeros(n_latents))
        self.prior_log_std = nn.Parameter(torch.zeros(n_latents))

    def losses(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, " batch"]:
        log_median, alpha = self._code(x)
        z = torch.exp(log_median + alpha * self.noise(alpha))
        return self.costs(z, x) + self.beta * self._divergences(log_median, alpha).sum(dim=1)

    def divergences(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch latents"]:
        return self._divergences(*self._code(x))

    def _code(
        self, x: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "batch latents"], Float[Tensor, "batch latents"]]:
        """Logarithm of the latents without noise, and deviation of the noise's logarithm."""
        before = self.encoder(x)
        log_median = torch.where(
            before < _EXPONENTIAL, before, F.softplus(before.clamp(min=_EXPONENTIAL)).log()
        )
        return log_median, _MOST_NOISE * torch.sigmoid(self.spread(x))

    def _divergences(
        self, log_median: Float[Tensor, "batch latents"], alpha: Float[Tensor, "batch latents"]
    ) -> Float[Tensor, "batch latents"]:
        return log_normal_divergence(log_median, alpha, self.prior_mean, self.prior_log_std)


class InformationDropout(VariationalModel):
    r"""Autoencoder whose softplus latents are multiplied by log-normal noise of learned strength.

    Latents are :math:`z = f(x) \epsilon` with :math:`\log \epsilon \sim \mathcal N(0,
    \alpha(x)^2)`, where :math:`\alpha \le 0.7` depends on the sample. They minimise [1]_

    .. math:: \langle -\log p(x \mid z) + \beta \, KL(q(z \mid x) \,\|\, p(z)) \rangle,

    with a log-normal prior p of each latent, whose two parameters are trained. This bounds the
    information that latents hold, and their dependence. Encoder and decoder have one layer each, as
    those of `AutoEncoder`.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of latents; None is ``min(n_samples, n_features)``.
    beta : float, default=1.0
        Weight of the divergence from the prior. With 1, the loss is a bound of the likelihood.
    decoder : {"linear", "sigmoid"}, default="linear"
        "linear" is for real values, "sigmoid" for data in [0, 1], with the cross-entropy as loss.
    learning_rate : float, default=1e-2
        Step size of Adam. For the linear decoder, features are scaled to mean square 1.
    batch_size : int or None, default=None
        Maximum number of samples per step. None uses all samples in each step.
    max_iter, tol, n_iter_no_change, n_init, random_state, run, verbose
        As in `BetaVAE`.

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
    latent_information_ : ndarray of shape (n_components,)
        Mean divergence of each latent from its prior, in nats and descending. Near 0, the latent is
        not used.
    loss_curve_, n_iter_, converged_, n_features_in_, feature_names_in_
        As in `BetaVAE`.

    References
    ----------
    .. [1] Achille and Soatto, "Information dropout: learning optimal representations through noisy
       computation", IEEE PAMI 40, 2018 (arXiv:1611.01353).

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.estimators import InformationDropout
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.exponential(size=(200, 2)), 3, axis=1) + 0.1 * rng.normal(size=(200, 6))
    >>> model = InformationDropout(2, max_iter=300, random_state=0).fit(X)
    >>> bool(np.all(model.transform(X) > 0))
    True
    """

    _module_class = _LogNormalCode

    def __init__(
        self,
        n_components: int | None = None,
        *,
        beta: float = 1.0,
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
