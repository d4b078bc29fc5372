"""Decoders without CI synergy: pairwise statistics in, p(x | z) out."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.information.ci import bernoulli, gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.precision import at_least_single, without_autocast
from minsyn.nn.ranks import statistics_over_ranks, world_size
from minsyn.nn.statistics import RunningStatistics

__all__ = ["BernoulliDecoder", "Decoder", "GaussianDecoder"]


class Decoder(nn.Module, ABC):
    """A decoder that has no trained parameters: its map follows from pairwise statistics.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    """

    def __init__(self, n_latents: int, n_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.running = RunningStatistics(n_latents, n_features, momentum)

    @abstractmethod
    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the natural parameter, set from the statistics."""

    @abstractmethod
    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """Expected observation from the natural parameter."""

    @abstractmethod
    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss, summed over the features and averaged over the batch.

        Over several ranks in training: their average is the loss of the whole batch.
        """

    def statistics(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None
    ) -> PairwiseStatistics:
        """The batch's statistics in training (the average is updated), else the average.

        Where `torch.distributed` is in use, the batch is that of all ranks together, and gradients
        reach the samples of all (see `minsyn.nn.ranks`).

        Raises
        ------
        ValueError
            In training, without ``x`` or with a batch of a single sample.
        RuntimeError
            In evaluation, if no batch has been seen.
        """
        if not self.training:
            return self.running.statistics()
        if x is None:
            raise ValueError(
                "in training a decoder sets itself from the batch and needs x beside z: call "
                "decoder(z, x), or decoder.eval() to use the running statistics"
            )
        with without_autocast(z):
            batch = statistics_over_ranks(*at_least_single(z, x))
        if batch.weight < 2:
            raise ValueError(
                "in training a decoder sets itself from the batch, and one sample has no "
                "correlations: pass at least 2, or call decoder.eval() to use the running "
                "statistics"
            )
        self.running.update(batch)
        return batch

    def forward(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None = None
    ) -> Float[Tensor, "batch features"]:
        """Expected observations given latents.

        Parameters
        ----------
        z : Tensor of shape (batch, n_latents)
            Latents.
        x : Tensor of shape (batch, n_features), optional
            The observations behind ``z``; needed in training, not used in evaluation.
        """
        return self.mean(self._natural(z, self.statistics(z, x)))

    def _natural(
        self, z: Float[Tensor, "batch latents"], statistics: PairwiseStatistics
    ) -> Float[Tensor, "batch features"]:
        with without_autocast(z):
            weights, intercept = self.linear_map(statistics)
        return torch.addmm(intercept.to(z.dtype), z, weights.to(z.dtype))

    def _mean_over_samples(
        self, total: Float[Tensor, ""], statistics: PairwiseStatistics, n_samples: int
    ) -> Float[Tensor, ""]:
        """Mean of a loss that was summed over samples.

        In training, one whose average over the ranks is the mean over the whole batch.
        """
        return total * (world_size() / statistics.weight if self.training else 1 / n_samples)


class GaussianDecoder(Decoder):
    r"""Gaussian latents and observations (Eq. 9): a linear map.

    With correlations :math:`\rho_{ij}`, :math:`r_{ij} = \rho_{ij} / (1 - \rho_{ij}^2)` and
    :math:`R_i = \sum_j \rho_{ij} r_{ij}`, the mean of the standardised :math:`x_i` is
    :math:`\sum_j r_{ij} z_j / (1 + R_i)`; the map given back is in the units of ``x`` and ``z``.

    Examples
    --------
    >>> import torch
    >>> z = torch.randn(1000, 2)
    >>> x = z @ torch.tensor([[1.0, 0.0, 1.0], [0.0, 2.0, 1.0]]) + torch.randn(1000, 3)
    >>> decoder = GaussianDecoder(2, 3)
    >>> decoder(z, x).shape  # sets itself from the batch
    torch.Size([1000, 3])
    >>> decoder.eval()(z).shape  # uses the running statistics
    torch.Size([1000, 3])
    """

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept that give the expected observation."""
        return gaussian.ci_linear_map(statistics)

    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """The natural parameter itself."""
        return natural

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        r"""Squared error, summed over the features and averaged over the batch.

        In training it follows from the statistics alone, without a reconstruction:
        :math:`\sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i)`, where :math:`u_i` is the
        standardised decoder and :math:`v_i` the variance of :math:`x_i`.
        """
        statistics = self.statistics(z, x)
        if not self.training:
            return (self._natural(z, statistics) - x).square().sum(dim=1).mean()
        with without_autocast(z):
            rho = statistics.rho
            u = gaussian.ci_decoder(rho).coefficients
            unexplained = 1 - 2 * (u * rho).sum(dim=0) + (u * (statistics.sigma @ u)).sum(dim=0)
            return statistics.var_x @ unexplained


class BernoulliObservations(Decoder):
    """What decoders of binary observations share, whatever the latents are.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the probability with which every binary variable is taken to be flipped.
    """

    def __init__(
        self,
        n_latents: int,
        n_features: int,
        momentum: float = 0.1,
        flip: float = bernoulli.FLIP_PROBABILITY,
    ) -> None:
        super().__init__(n_latents, n_features, momentum)
        self.flip = checked_flip(flip)

    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """Probability from log odds."""
        return torch.sigmoid(natural)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Cross-entropy in nats, summed over the features and averaged over the batch."""
        statistics = self.statistics(z, x)
        logits, x = at_least_single(self._natural(z, statistics), x)
        total = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return self._mean_over_samples(total, statistics, len(x))


class BernoulliDecoder(BernoulliObservations):
    """Binary latents and observations (Eq. 10): a logistic map, and naive Bayes in its weights.

    Latents and observations may be probabilities in [0, 1].

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the probability with which every binary variable is taken to be flipped, see
        `minsyn.information.ci.bernoulli.ci_decoder`.

    Examples
    --------
    >>> import torch
    >>> z = torch.rand(1000, 2).round()
    >>> x = torch.stack([z[:, 0], z[:, 1], 1 - z[:, 0]], dim=1)
    >>> decoder = BernoulliDecoder(2, 3)
    >>> bool(((decoder(z, x) - x).abs() < 0.02).all())
    True
    """

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias that give the log odds of each observation."""
        return bernoulli.ci_linear_map(statistics, self.flip)


def checked_flip(flip: float) -> float:
    """A flip probability, or a ValueError."""
    if not 0 < flip < 0.5:
        raise ValueError(f"flip must be in (0, 0.5), found {flip}")
    return flip
