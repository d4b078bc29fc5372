"""The logistic decoder of Eq. 10, for binary latents and observations, and its training loss."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from minsyn.information.ci import bernoulli
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoder import Decoder
from minsyn.nn.latents import SIGMOID
from minsyn.nn.objective import Objective, cluster_means, varies
from minsyn.nn.observations import BINARY

__all__ = ["BernoulliDecoder", "BernoulliObjective", "BinaryDecoder", "checked_flip"]

#: Number of log odds computed at once, small enough to stay in the cache.
_BLOCK = 2**18


class BinaryDecoder(Decoder):
    """Base class of decoders of binary observations, for any kind of latents.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the assumed probability that a binary variable is flipped.
    """

    observations = BINARY

    def __init__(
        self,
        n_latents: int,
        n_features: int,
        momentum: float = 0.1,
        flip: float = bernoulli.FLIP_PROBABILITY,
    ) -> None:
        super().__init__(n_latents, n_features, momentum)
        self.flip = checked_flip(flip)


class BernoulliDecoder(BinaryDecoder, name="bernoulli"):
    """Logistic decoder of binary observations from binary latents (Eq. 10).

    The weights are those of a naive Bayes classifier.

    Latents and observations may be probabilities in [0, 1].

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the assumed probability that a binary variable is flipped. See
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

    latents = SIGMOID

    @classmethod
    def objective(
        cls,
        x: Float[Tensor, "samples features"],
        *,
        drop_constant: bool = True,
        **options: Any,
    ) -> Objective | None:
        """Return the `BernoulliObjective` of these observations; the only option is ``flip``."""
        return BernoulliObjective(x, drop_constant=drop_constant, **options)

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the log odds of each observation."""
        return bernoulli.ci_linear_map(statistics, self.flip)


class BernoulliObjective(Objective):
    r"""Cross-entropy of `minsyn.nn.BernoulliDecoder`, with the decoder computed from the same data.

    The part of the cross-entropy that is linear in the log odds :math:`l` follows from the
    statistics: :math:`\sum_{ij} w_{ij} E[z_j x_i] + \sum_i b_i E[x_i]`. Only the softplus of the
    log odds must be computed for each sample. It equals
    :math:`\max(l, 0) - \log \max(p, 1 - p)`, where :math:`p` is the reconstructed probability.
    To save logarithms, many values of :math:`\max(p, 1 - p)`, which lie in [1/2, 1], are
    multiplied first.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data, in [0, 1].
    flip : float, default=1e-3
        Smoothing of the decoder.
    drop_constant : bool, default=True
        Whether to leave out constant features, which add only a constant to the loss. This copies
        the data, and is worthwhile if the objective is called many times.

    Examples
    --------
    >>> import torch
    >>> from minsyn.nn import BernoulliDecoder
    >>> x, z = torch.rand(100, 5), torch.rand(100, 2)
    >>> torch.allclose(BernoulliObjective(x)(z), BernoulliDecoder(2, 5).loss(z, x), rtol=1e-4)
    True
    """

    def __init__(
        self,
        x: Float[Tensor, "samples features"],
        flip: float = bernoulli.FLIP_PROBABILITY,
        *,
        drop_constant: bool = True,
    ) -> None:
        self._flip = flip
        self._constant: float | Float[Tensor, ""] = 0.0
        if drop_constant:
            varying = varies(x)
            # The reconstruction of a constant feature is its smoothed value, for any latents.
            p = x[0, ~varying]
            smoothed = flip + (1 - 2 * flip) * p
            self._constant = -(p * smoothed.log() + (1 - p) * (1 - smoothed).log()).sum()
            x = x[:, varying]
        self.features = x.contiguous()
        self._p_x = x.mean(dim=0)
        self._counts: Float[Tensor, " features"] | None = None

    @property
    def at_stake(self) -> float:
        """Information that the samples hold about the features, treated as binary."""
        # For features that vary little, this small difference could be negative in float32.
        gained = _entropy(self._p_x.double()) - _entropy(self.features.double()).mean(dim=0)
        return max(0.0, float(self._counted(gained).sum()))

    def value_and_gradient(
        self, z: Float[Tensor, "*starts samples latents"]
    ) -> tuple[Float[Tensor, "*starts"], Float[Tensor, "*starts samples latents"]]:
        """Cross-entropy summed over features and averaged over samples, and its gradient."""
        x, p_x, n_samples = self.features, self._p_x, z.shape[-2]
        p_z = z.mean(dim=-2)
        cov = (z - p_z[..., None, :]).mT @ x / n_samples
        p_zx = torch.addcmul(cov, p_z[..., None], p_x)
        w, b, cells = bernoulli.ci_decoder_cells(cov, p_z, p_x, self._flip)
        counted_w = self._counted(w)
        softplus, zp, mean_p, d_z = _softplus_of_log_odds(z, w, b, counted_w)
        linear = (w * p_zx).sum(dim=-2) + b * p_x
        loss = self._constant + self._counted(softplus / n_samples - linear).sum(dim=-1)

        d_w = self._counted(zp / n_samples - p_zx)
        d_b = self._counted(mean_p - p_x)[..., None, :]
        # w = log p11 - log p10 - log p01 + log p00, b = prior + sum_j (log p01 - log p00 - prior);
        # p10 = p_z - p11, p01 = p_x - p11, p00 = 1 - p_z - p_x + p11, all after smoothing.
        d_p10, d_p00 = -d_w / cells.p10, (d_w - d_b) / cells.p00
        d_p11 = d_w / cells.p11 - d_p10 - (d_b - d_w) / cells.p01 + d_p00
        keep = 1 - 2 * self._flip
        d_p_zx = keep * keep * d_p11
        d_p_z = keep * (d_p10 - d_p00 + self._flip * d_p11).sum(dim=-1)
        d_z += x @ (d_p_zx - counted_w).mT
        return loss, d_z.add_(d_p_z[..., None, :]).div_(n_samples)

    def merged(
        self,
        rows: Int[Tensor, " rows"],
        membership: Int[Tensor, " features"],
        sizes: Float[Tensor, " clusters"],
    ) -> "BernoulliObjective":
        """Loss on a subset of the samples, with each cluster of features replaced by its mean."""
        means = cluster_means(self.features[rows], membership, sizes)
        part = BernoulliObjective(means, self._flip, drop_constant=False)
        part._counts = sizes
        return part

    def _counted(
        self, values: Float[Tensor, "*shape features"]
    ) -> Float[Tensor, "*shape features"]:
        """Values multiplied by the weight of each feature."""
        return values if self._counts is None else values * self._counts


def _softplus_of_log_odds(
    z: Float[Tensor, "*starts samples latents"],
    w: Float[Tensor, "*starts latents features"],
    b: Float[Tensor, "*starts features"],
    counted_w: Float[Tensor, "*starts latents features"],
) -> tuple[
    Float[Tensor, "*starts features"],
    Float[Tensor, "*starts latents features"],
    Float[Tensor, "*starts features"],
    Float[Tensor, "*starts samples latents"],
]:
    """Sums of softplus(z w + b), and z' p, the mean of p and p w', where p = sigmoid(z w + b).

    In p w', the columns of w are multiplied by the weights of the features (``counted_w``).
    """
    rows = max(1, _BLOCK // max(1, b.numel()))
    total, zp, sum_p, pw = torch.zeros_like(b), torch.zeros_like(w), torch.zeros_like(b), []
    for block in z.split(rows, dim=-2):
        log_odds = torch.addmm(b, block, w) if w.ndim == 2 else torch.baddbmm(b[:, None], block, w)
        p = torch.sigmoid(log_odds)
        total += log_odds.relu_().sum(dim=-2) - _sum_of_logarithms(torch.maximum(p, 1 - p))
        zp += block.mT @ p
        sum_p += p.sum(dim=-2)
        pw.append(p @ counted_w.mT)
    return total, zp, sum_p / z.shape[-2], torch.cat(pw, dim=-2)


def _sum_of_logarithms(
    numbers: Float[Tensor, "*starts rows columns"],
) -> Float[Tensor, "*starts columns"]:
    """Sums over the rows of the logarithms of numbers in [1/2, 1]. Overwrites the numbers."""
    for _ in range(4):  # a product of 16 numbers is at least 2^-16: no underflow
        half = numbers.shape[-2] // 2
        if half == 0:
            break
        first, second, rest = numbers.split([half, half, numbers.shape[-2] - 2 * half], dim=-2)
        first.mul_(second)
        first[..., : rest.shape[-2], :].mul_(rest)
        numbers = first
    return numbers.log_().sum(dim=-2)


def _entropy(p: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Entropy of binary variables, in nats."""
    nats: Tensor = -torch.special.xlogy(p, p) - torch.special.xlogy(1 - p, 1 - p)
    return nats


def checked_flip(flip: float) -> float:
    """Return ``flip``, or raise a ValueError if it is not in (0, 0.5)."""
    if not 0 < flip < 0.5:
        raise ValueError(f"flip must be in (0, 0.5), found {flip}")
    return flip
