"""Losses of the MinSyn decoders with hand-written gradients.

What `minsyn.nn.Decoder.loss` does through a graph of small operations is done here in as few
passes over the data as it needs. For data that do not change from step to step, features that
never vary have zero weight and are left out once and for all. The losses are those of the
decoders, to rounding; the tests hold one against the other.
"""

import copy
from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from minsyn.information import bernoulli

__all__ = ["BernoulliObjective", "GaussianObjective", "Objective"]


#: Numbers that are worked on at once where every log odds counts: they should stay in the cache.
_BLOCK = 2**18


class Objective(ABC):
    """Reconstruction loss of a data set, or of a batch, as a function of its latents.

    Called with latents of shape (n_samples, n_latents) it gives the loss, differentiable once.
    """

    @abstractmethod
    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Loss, and its gradient with respect to the latents."""

    @abstractmethod
    def thinned(self, share: float, generator: torch.Generator | None = None) -> "Objective":
        """The loss of a random share of the features, at least one where there is any."""

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
        self._x = x
        self._variance = _variance(x)
        self._per_std = _reciprocal(self._variance.sqrt())
        self._below_one = 1 - 8 * torch.finfo(x.dtype).eps

    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Squared error summed over features and averaged over samples, and its gradient."""
        x, v, n_samples = self._x, self._variance, len(z)
        h = z - z.mean(dim=0)
        per_std = _reciprocal((h.square().sum(dim=0) / n_samples).sqrt())
        h *= per_std
        rho, sigma = h.T @ x * (self._per_std / n_samples), h.T @ h / n_samples

        # Eq. 9: u = r / (1 + R), with r = rho q.
        rho_rho = rho.square()
        q = (1 - rho_rho.clamp(max=self._below_one)).reciprocal_()
        r = rho * q
        shrink = 1 / (1 + (rho * r).sum(dim=0))
        u = r * shrink
        sigma_u = sigma @ u
        error = (sigma_u - rho).mul_(v)
        loss = v.sum() + (u * (error - v * rho)).sum()

        # Half of the gradients, until the last line doubles them.
        d_big_r = shrink.square() * (error * r).sum(dim=0)
        d_rho = (1 + rho_rho).mul_(error * shrink).sub_(2 * d_big_r * rho).mul_(q.square())
        d_rho -= v * u
        d_sigma = (u * v) @ u.T / 2
        d_h = x @ (d_rho * self._per_std).T + 2 * h @ d_sigma
        # Back through the standardisation of the latents.
        d_z = d_h - d_h.mean(dim=0) - h * (d_h * h).mean(dim=0)
        return loss, d_z.mul_(per_std * (2 / n_samples))

    def thinned(
        self, share: float, generator: torch.Generator | None = None
    ) -> "GaussianObjective":
        """The loss of a random share of the features that are in use."""
        columns = _random_columns(self._x.shape[1], share, generator)
        part = copy.copy(self)
        part._x = self._x[:, columns]
        part._variance, part._per_std = self._variance[columns], self._per_std[columns]
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
        self._x = x.contiguous()
        self._p_x = x.mean(dim=0)

    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Cross-entropy summed over features and averaged over samples, and its gradient."""
        x, p_x, n_samples = self._x, self._p_x, len(z)
        p_z = z.mean(dim=0)
        cov = (z - p_z).T @ x / n_samples
        p_zx = torch.addcmul(cov, p_z[:, None], p_x)
        w, b, cells = bernoulli.ci_decoder_cells(cov, p_z, p_x, self._flip)
        softplus, zp, mean_p, d_z = _softplus_of_log_odds(z, w, b)
        loss = self._constant - (w * p_zx).sum() - b @ p_x + softplus / n_samples

        d_w, d_b = zp / n_samples - p_zx, mean_p - p_x
        # w = log p11 - log p10 - log p01 + log p00, b = prior + sum_j (log p01 - log p00 - prior);
        # p10 = p_z - p11, p01 = p_x - p11, p00 = 1 - p_z - p_x + p11, all through the channel.
        d_p10, d_p00 = -d_w / cells.p10, (d_w - d_b) / cells.p00
        d_p11 = d_w / cells.p11 - d_p10 - (d_b - d_w) / cells.p01 + d_p00
        keep = 1 - 2 * self._flip
        d_p_zx = keep * keep * d_p11
        d_p_z = keep * (d_p10 - d_p00 + self._flip * d_p11).sum(dim=1)
        d_z = d_z.addmm_(x, (d_p_zx - w).T).add_(d_p_z).div_(n_samples)
        return loss, d_z

    def thinned(
        self, share: float, generator: torch.Generator | None = None
    ) -> "BernoulliObjective":
        """The loss of a random share of the features that are in use, without the constant."""
        columns = _random_columns(self._x.shape[1], share, generator)
        part = copy.copy(self)
        part._x, part._p_x, part._constant = self._x[:, columns], self._p_x[columns], 0.0
        return part


def _softplus_of_log_odds(
    z: Float[Tensor, "samples latents"],
    w: Float[Tensor, "latents features"],
    b: Float[Tensor, " features"],
) -> tuple[
    Float[Tensor, ""],
    Float[Tensor, "latents features"],
    Float[Tensor, " features"],
    Float[Tensor, "samples latents"],
]:
    """Sum of softplus(z w + b), and with p = sigmoid(z w + b): z' p, the mean of p, and p w'."""
    rows = max(1, _BLOCK // max(1, w.shape[1]))
    total, zp, sum_p, pw = z.new_zeros(()), torch.zeros_like(w), torch.zeros_like(b), []
    for block in z.split(rows):
        log_odds = torch.addmm(b, block, w)
        p = torch.sigmoid(log_odds)
        total += log_odds.relu_().sum() - _sum_of_logarithms(torch.maximum(p, 1 - p))
        zp.addmm_(block.T, p)
        sum_p += p.sum(dim=0)
        pw.append(p @ w.T)
    return total, zp, sum_p / len(z), torch.cat(pw)


def _sum_of_logarithms(numbers: Float[Tensor, "rows columns"]) -> Float[Tensor, ""]:
    """Sum of the logarithms of numbers in [1/2, 1], which are overwritten."""
    for _ in range(4):  # 16 of them multiplied are at least 2^-16: nothing is lost
        half = len(numbers) // 2
        if half == 0:
            break
        first, second, rest = numbers[:half], numbers[half : 2 * half], numbers[2 * half :]
        first.mul_(second)
        first[: len(rest)].mul_(rest)
        numbers = first
    return numbers.log_().sum()


def _random_columns(
    n_features: int, share: float, generator: torch.Generator | None
) -> Int[Tensor, " columns"]:
    n_columns = min(n_features, max(1, round(share * n_features)))
    return torch.randperm(n_features, generator=generator)[:n_columns].sort().values


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


def _reciprocal(std: Float[Tensor, " variables"]) -> Float[Tensor, " variables"]:
    """One over a standard deviation, 0 where nothing varies."""
    return torch.where(std > 0, 1 / std, 0.0)
