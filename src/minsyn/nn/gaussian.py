"""The linear decoder of Eq. 9, for Gaussian latents and observations, and its training loss."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from minsyn.information.ci import gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoder import Decoder
from minsyn.nn.latents import SOFTPLUS
from minsyn.nn.objective import Objective, cluster_means, varies
from minsyn.nn.observations import REAL
from minsyn.nn.precision import without_autocast

__all__ = ["GaussianDecoder", "GaussianObjective"]


class GaussianDecoder(Decoder, name="gaussian"):
    r"""Linear decoder of Gaussian observations from Gaussian latents (Eq. 9).

    With correlations :math:`\rho_{ij}`, :math:`r_{ij} = \rho_{ij} / (1 - \rho_{ij}^2)` and
    :math:`R_i = \sum_j \rho_{ij} r_{ij}`, the mean of the standardised :math:`x_i` is
    :math:`\sum_j r_{ij} z_j / (1 + R_i)`. `linear_map` returns the map in the units of ``x`` and
    ``z``.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.

    Examples
    --------
    >>> import torch
    >>> z = torch.randn(1000, 2)
    >>> x = z @ torch.tensor([[1.0, 0.0, 1.0], [0.0, 2.0, 1.0]]) + torch.randn(1000, 3)
    >>> decoder = GaussianDecoder(2, 3)
    >>> decoder(z, x).shape  # uses the statistics of the batch
    torch.Size([1000, 3])
    >>> decoder.eval()(z).shape  # uses the running statistics
    torch.Size([1000, 3])
    """

    latents = SOFTPLUS
    observations = REAL

    @classmethod
    def objective(
        cls, x: Float[Tensor, "samples features"], *, drop_constant: bool = True, **options: Any
    ) -> Objective | None:
        """Return the `GaussianObjective` of these observations."""
        return GaussianObjective(x, drop_constant=drop_constant)

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the expected observation."""
        return gaussian.ci_linear_map(statistics)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        r"""Squared error, summed over the features and averaged over the batch.

        In training it follows from the statistics alone, without a reconstruction:
        :math:`\sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i)`, where :math:`u_i` is the
        standardised decoder and :math:`v_i` the variance of :math:`x_i`.
        """
        if not self.training:
            return super().loss(z, x)
        statistics = self.statistics(z, x)
        with without_autocast(z):
            rho = statistics.rho
            u = gaussian.ci_decoder(rho).coefficients
            unexplained = 1 - 2 * (u * rho).sum(dim=0) + (u * (statistics.sigma @ u)).sum(dim=0)
            loss: Tensor = statistics.var_x @ unexplained
            return loss


class GaussianObjective(Objective):
    r"""Squared error of `minsyn.nn.GaussianDecoder`, with the decoder computed from the same data.

    For standardised latents and features the loss needs no reconstruction. It is

    .. math:: \sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i),

    where :math:`u_i` is the decoder of Eq. 9. Only two matrix products, one forward and one
    backward, involve the whole data.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data. Centre them first, as rounding errors grow with the distance from the origin.
    drop_constant : bool, default=True
        Whether to leave out constant features. This copies the data, and is worthwhile if the
        objective is called many times.

    Examples
    --------
    >>> import torch
    >>> from minsyn.nn import GaussianDecoder
    >>> x, z = torch.randn(100, 5), torch.randn(100, 2)
    >>> torch.allclose(GaussianObjective(x)(z), GaussianDecoder(2, 5).loss(z, x), rtol=1e-4)
    True
    """

    def __init__(self, x: Float[Tensor, "samples features"], *, drop_constant: bool = True) -> None:
        if drop_constant:
            x = x[:, varies(x)]
            x = x - x.mean(dim=0)
        self.features = x
        self._variance = _variance(x)
        self._per_std = _reciprocal(self._variance.sqrt())

    @property
    def at_stake(self) -> float:
        """Total variance of the features."""
        return float(self._variance.sum())

    def value_and_gradient(
        self, z: Float[Tensor, "*starts samples latents"]
    ) -> tuple[Float[Tensor, "*starts"], Float[Tensor, "*starts samples latents"]]:
        """Squared error summed over features and averaged over samples, and its gradient."""
        x, v, n_samples = self.features, self._variance, z.shape[-2]
        h = z - z.mean(dim=-2, keepdim=True)
        per_std = _reciprocal((h.square().sum(dim=-2, keepdim=True) / n_samples).sqrt())
        h *= per_std
        rho, sigma = h.mT @ x * (self._per_std / n_samples), h.mT @ h / n_samples

        loss, d_rho, d_sigma = gaussian.squared_error(rho, sigma, v)
        d_h = x @ (d_rho * self._per_std).mT + 2 * h @ d_sigma
        # Backward through the standardisation of the latents.
        d_z = d_h - d_h.mean(dim=-2, keepdim=True) - h * (d_h * h).mean(dim=-2, keepdim=True)
        return loss, d_z.mul_(per_std / n_samples)

    def merged(
        self,
        rows: Int[Tensor, " rows"],
        membership: Int[Tensor, " features"],
        sizes: Float[Tensor, " clusters"],
    ) -> "GaussianObjective":
        """Loss on a subset of the samples, with each cluster of features replaced by its mean."""
        means = cluster_means(self.features[rows], membership, sizes)
        part = GaussianObjective(means, drop_constant=False)
        part._variance = part._variance * sizes
        return part


def _variance(x: Float[Tensor, "samples features"]) -> Float[Tensor, " features"]:
    """Variance of each feature; 0 if it is within the rounding error of the mean."""
    if x.shape[1] == 0:
        return x.new_zeros(0)
    mean = x.mean(dim=0)
    variance = (x - mean).square_().mean(dim=0)  # five times as fast as torch.var_mean
    rounding = 8 * torch.finfo(x.dtype).eps * mean
    return torch.where(variance > rounding.square(), variance, 0.0)


def _reciprocal(std: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Inverse of a standard deviation; 0 where the standard deviation is 0."""
    return torch.where(std > 0, 1 / std, 0.0)
