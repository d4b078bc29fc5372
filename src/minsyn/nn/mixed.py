"""Decoders for latents and observations of different kinds; class names put the latents first."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from minsyn.information.ci import mixed
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.bernoulli import BinaryDecoder
from minsyn.nn.gaussian import GaussianDecoder
from minsyn.nn.latents import SIGMOID, SOFTPLUS
from minsyn.nn.objective import Objective

__all__ = ["BernoulliGaussianDecoder", "GaussianBernoulliDecoder"]


class GaussianBernoulliDecoder(BinaryDecoder, name="gaussian-bernoulli"):
    r"""Logistic decoder of binary observations from Gaussian latents.

    It is naive Bayes with normal latents: :math:`p(z_j \mid x_i)` is normal, with different means
    for :math:`x_i = 0` and :math:`x_i = 1` and the same variance. See
    `minsyn.information.ci.mixed.gaussian_to_bernoulli_linear_map`. Observations may be
    probabilities in [0, 1].

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the assumed probability that an observation is flipped.

    Examples
    --------
    >>> import torch
    >>> x = torch.rand(1000, 2).round()
    >>> z = 4 * x + torch.randn(1000, 2)
    >>> decoder = GaussianBernoulliDecoder(2, 2)
    >>> bool(((decoder(z, x) - x).abs() < 0.5).float().mean() > 0.95)
    True
    """

    latents = SOFTPLUS

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the log odds of each observation."""
        return mixed.gaussian_to_bernoulli_linear_map(statistics, self.flip)


class BernoulliGaussianDecoder(GaussianDecoder, name="bernoulli-gaussian"):
    """Linear decoder of Gaussian observations from binary latents.

    Map and loss are those of `GaussianDecoder`. Naive Bayes gives Eq. 9 for binary latents too, if
    the variance of a feature is the same for both values of a latent; for the derivation see
    `minsyn.information.ci.mixed.bernoulli_to_gaussian_linear_map`. Latents may be probabilities in
    [0, 1], such as the outputs of a sigmoid.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.

    Examples
    --------
    >>> import torch
    >>> z = torch.rand(1000, 2).round()
    >>> x = z @ torch.tensor([[3.0, 0.0], [0.0, -2.0]]) + 0.1 * torch.randn(1000, 2)
    >>> decoder = BernoulliGaussianDecoder(2, 2)
    >>> bool((decoder(z, x) - x).square().mean() < 0.1)
    True
    """

    latents = SIGMOID

    @classmethod
    def objective(
        cls, x: Float[Tensor, "samples features"], *, drop_constant: bool = True, **options: Any
    ) -> Objective | None:
        """Return the objective of `GaussianDecoder`, which has the same map."""
        return super().objective(x, drop_constant=drop_constant, **options)

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the expected observation."""
        return mixed.bernoulli_to_gaussian_linear_map(statistics)
