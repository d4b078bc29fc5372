"""Losses of the MinSyn decoders with hand-written gradients.

What `minsyn.nn.Decoder.loss` does through a graph of small operations is done here in as few
passes over the data as it needs. For data that do not change from step to step, features that
never vary have zero weight and are left out once and for all. The losses are those of the
decoders, to rounding; the tests hold one against the other.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from minsyn.information.ci import bernoulli
from minsyn.training.clusters import Clusters

__all__ = ["BernoulliObjective", "GaussianObjective", "Objective"]


#: Numbers that are worked on at once where every log odds counts: they should stay in the cache.
_BLOCK = 2**18


class Objective(ABC):
    """Reconstruction loss of a data set, or of a batch, as a function of its latents.

    Called with latents of shape (n_samples, n_latents) it gives the loss, differentiable once.

    Attributes
    ----------
    features : Tensor of shape (n_samples, n_features)
        The features in use.
    """

    features: Float[Tensor, "samples features"]

    @property
    @abstractmethod
    def at_stake(self) -> float:
        """How much lower than without latents the loss can be at the most."""

    @abstractmethod
    def value_and_gradient(
        self, z: Float[Tensor, "*starts samples latents"]
    ) -> tuple[Float[Tensor, "*starts"], Float[Tensor, "*starts samples latents"]]:
        """Loss, and its gradient with respect to the latents: of one set of them, or of several."""

    @abstractmethod
    def merged(self, rows: Int[Tensor, " rows"], clusters: Clusters) -> "Objective":
        """The loss of some of the samples with each cluster of features as its mean.

        The means count as often as they have features, so that the loss is nearly that of all. What
        does not depend on the latents may be missing.
        """

    def __call__(self, z: Float[Tensor, "samples latents"]) -> Float[Tensor, ""]:
        """Loss of these latents."""
        return _WithGradient.apply(z, self)


class _WithGradient(torch.autograd.Function):
    """The loss, its gradient computed beside it."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, objective: Objective) -> Tensor:
        value, gradient = objective.value_and_gradient(z)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return grad_outputs[0] * gradient, None


class GaussianObjective(Objective):
    r"""Squared error of `minsyn.nn.GaussianDecoder`, its decoder set from these very data.

    With the standardised latents and features the loss needs no reconstruction,

    .. math:: \sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i),

    where :math:`u_i` is Eq. 9's decoder: two products of the size of the data, one forward and one
    backward, are all that grows with it.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data; best when centred, as rounding grows with the distance from the origin.
    drop_constant : bool, default=True
        Whether to leave out features that never vary. It takes a copy, and pays where the
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
            x = x[:, _varies(x)]
            x = x - x.mean(dim=0)
        self.features = x
        self._variance = _variance(x)
        self._per_std = _reciprocal(self._variance.sqrt())
        self._below_one = 1 - 8 * torch.finfo(x.dtype).eps

    @property
    def at_stake(self) -> float:
        """The variance of the features."""
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

        # Eq. 9: u = r / (1 + R), with r = rho q.
        rho_rho = rho.square()
        q = (1 - rho_rho.clamp(max=self._below_one)).reciprocal_()
        r = rho * q
        shrink = 1 / (1 + (rho * r).sum(dim=-2, keepdim=True))
        u = r * shrink
        sigma_u = sigma @ u
        error = (sigma_u - rho).mul_(v)
        loss = v.sum() + (u * (error - v * rho)).sum(dim=(-2, -1))

        # Half of the gradients, until the last line doubles them.
        d_big_r = shrink.square() * (error * r).sum(dim=-2, keepdim=True)
        d_rho = (1 + rho_rho).mul_(error * shrink).sub_(2 * d_big_r * rho).mul_(q.square())
        d_rho -= v * u
        d_sigma = (u * v) @ u.mT / 2
        d_h = x @ (d_rho * self._per_std).mT + 2 * h @ d_sigma
        # Back through the standardisation of the latents.
        d_z = d_h - d_h.mean(dim=-2, keepdim=True) - h * (d_h * h).mean(dim=-2, keepdim=True)
        return loss, d_z.mul_(per_std * (2 / n_samples))

    def merged(self, rows: Int[Tensor, " rows"], clusters: Clusters) -> "GaussianObjective":
        """The loss of some of the samples with each cluster of features as its mean."""
        part = GaussianObjective(clusters.means(self.features[rows]), drop_constant=False)
        part._variance = part._variance * clusters.sizes
        return part


class BernoulliObjective(Objective):
    r"""Cross-entropy of `minsyn.nn.BernoulliDecoder`, its decoder set from these very data.

    The part of the cross-entropy that is linear in the log odds follows from the statistics,
    :math:`\sum_{ij} w_{ij} E[z_j x_i] + \sum_i b_i E[x_i]`; only the softplus needs them sample by
    sample. With :math:`p` the probabilities of the reconstruction it is :math:`\max(l, 0) - \log
    \max(p, 1 - p)`, whose logarithms are taken of products of many numbers in [1/2, 1].

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data, in [0, 1].
    flip : float, default=1e-3
        Smoothing of the decoder.
    drop_constant : bool, default=True
        Whether to leave out features that never vary, of which only a constant remains. It takes
        a copy, and pays where the objective is called many times.

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
            varies = _varies(x)
            # A constant feature is decoded as its smoothed self whatever the latents are.
            p = x[0, ~varies]
            smoothed = flip + (1 - 2 * flip) * p
            self._constant = -(p * smoothed.log() + (1 - p) * (1 - smoothed).log()).sum()
            x = x[:, varies]
        self.features = x.contiguous()
        self._p_x = x.mean(dim=0)
        self._counts: Float[Tensor, " features"] | None = None

    @property
    def at_stake(self) -> float:
        """Information that the samples hold about the features, as if these were binary."""
        # Of features that vary little it is a small difference, which float32 may make negative.
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
        # p10 = p_z - p11, p01 = p_x - p11, p00 = 1 - p_z - p_x + p11, all through the channel.
        d_p10, d_p00 = -d_w / cells.p10, (d_w - d_b) / cells.p00
        d_p11 = d_w / cells.p11 - d_p10 - (d_b - d_w) / cells.p01 + d_p00
        keep = 1 - 2 * self._flip
        d_p_zx = keep * keep * d_p11
        d_p_z = keep * (d_p10 - d_p00 + self._flip * d_p11).sum(dim=-1)
        d_z += x @ (d_p_zx - counted_w).mT
        return loss, d_z.add_(d_p_z[..., None, :]).div_(n_samples)

    def merged(self, rows: Int[Tensor, " rows"], clusters: Clusters) -> "BernoulliObjective":
        """The loss of some of the samples with each cluster of features as its mean."""
        means = clusters.means(self.features[rows])
        part = BernoulliObjective(means, self._flip, drop_constant=False)
        part._counts = clusters.sizes
        return part

    def _counted(
        self, values: Float[Tensor, "*shape features"]
    ) -> Float[Tensor, "*shape features"]:
        """Values of each feature, as often as it counts."""
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
    """Sums of softplus(z w + b), and with p = sigmoid(z w + b): z' p, the mean of p, and p w'.

    In the last, w is that of features that count several times.
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
    """Sums over the rows of the logarithms of numbers in [1/2, 1], which are overwritten."""
    for _ in range(4):  # 16 of them multiplied are at least 2^-16: nothing is lost
        half = numbers.shape[-2] // 2
        if half == 0:
            break
        first, second, rest = numbers.split([half, half, numbers.shape[-2] - 2 * half], dim=-2)
        first.mul_(second)
        first[..., : rest.shape[-2], :].mul_(rest)
        numbers = first
    return numbers.log_().sum(dim=-2)


def _entropy(p: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Of binary variables, in nats."""
    return -torch.special.xlogy(p, p) - torch.special.xlogy(1 - p, 1 - p)


def _varies(x: Float[Tensor, "samples features"]) -> Bool[Tensor, " features"]:
    return x.amin(dim=0) < x.amax(dim=0)


def _variance(x: Float[Tensor, "samples features"]) -> Float[Tensor, " features"]:
    """Variance of each feature, 0 where it is no more than rounding of the mean."""
    if x.shape[1] == 0:
        return x.new_zeros(0)
    mean = x.mean(dim=0)
    variance = (x - mean).square_().mean(dim=0)  # five times as fast as torch.var_mean
    rounding = 8 * torch.finfo(x.dtype).eps * mean
    return torch.where(variance > rounding.square(), variance, 0.0)


def _reciprocal(std: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """One over a standard deviation, 0 where nothing varies."""
    return torch.where(std > 0, 1 / std, 0.0)
