"""Whole-data losses of the MinSyn decoders with hand-written gradients.

For data that do not change from step to step, much of what `minsyn.nn.Decoder.loss` does can be
done once: features that never vary have zero weight and are left out, the others are centred or
standardised, and no gradient has to flow through a graph of small operations. The losses are those
of the decoders, to rounding; the tests hold one against the other.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from minsyn.information import bernoulli
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["BernoulliObjective", "GaussianObjective", "Objective"]


class Objective(ABC):
    """Reconstruction loss of a data set as a function of its latents.

    Called with latents of shape (n_samples, n_latents) it gives the loss, differentiable once.
    """

    @abstractmethod
    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Loss, and its gradient with respect to the latents."""

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
    r"""Squared error of `minsyn.nn.GaussianDecoder` on a whole data set.

    With the standardised latents and features the loss needs no reconstruction,

    .. math:: \sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i),

    where :math:`u_i` is Eq. 9's decoder: two products of the size of the data, one forward and one
    backward, are all that grows with it.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data.

    Examples
    --------
    >>> import torch
    >>> from minsyn.nn import GaussianDecoder
    >>> x, z = torch.randn(100, 5), torch.randn(100, 2)
    >>> torch.allclose(GaussianObjective(x)(z), GaussianDecoder(2, 5).loss(z, x), rtol=1e-4)
    True
    """

    def __init__(self, x: Float[Tensor, "samples features"]) -> None:
        std = PairwiseStatistics.of(x[:, :0], x).std_x
        varies = std > 0
        self._variance = std[varies].square()
        self._x = x[:, varies]  # a copy, standardised in place
        self._x -= self._x.mean(dim=0)
        self._x /= std[varies]
        self._below_one = 1 - 8 * torch.finfo(x.dtype).eps

    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Squared error summed over features and averaged over samples, and its gradient."""
        x, v, n_samples = self._x, self._variance, len(z)
        std = PairwiseStatistics.of(z, z[:, :0]).std_z
        per_std = torch.where(std > 0, 1 / torch.where(std > 0, std, 1.0), 0.0)
        h = (z - z.mean(dim=0)) * per_std
        rho, sigma = h.T @ x / n_samples, h.T @ h / n_samples

        # Eq. 9: u = r / (1 + R), with r = rho q.
        q = 1 / (1 - rho.square().clamp(max=self._below_one))
        r = rho * q
        shrink = 1 / (1 + (rho * r).sum(dim=0))
        u = r * shrink
        sigma_u = sigma @ u
        loss = v @ (1 - 2 * (u * rho).sum(dim=0) + (u * sigma_u).sum(dim=0))

        d_u = 2 * v * (sigma_u - rho)
        d_big_r = -shrink.square() * (d_u * r).sum(dim=0)
        d_rho = q.square() * (d_u * shrink * (1 + rho.square()) + 2 * d_big_r * rho) - 2 * v * u
        d_sigma = (u * v) @ u.T
        d_h = (x @ d_rho.T + 2 * h @ d_sigma) / n_samples
        # Back through the standardisation of the latents.
        d_z = (d_h - d_h.mean(dim=0) - h * (d_h * h).mean(dim=0)) * per_std
        return loss, d_z


class BernoulliObjective(Objective):
    r"""Cross-entropy of `minsyn.nn.BernoulliDecoder` on a whole data set.

    The part of the cross-entropy that is linear in the log odds follows from the statistics,
    :math:`\sum_{ij} w_{ij} E[z_j x_i] + \sum_i b_i E[x_i]`; only the softplus needs them sample by
    sample.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The data, in [0, 1].
    flip : float, default=1e-3
        Smoothing of the decoder.

    Examples
    --------
    >>> import torch
    >>> from minsyn.nn import BernoulliDecoder
    >>> x, z = torch.rand(100, 5), torch.rand(100, 2)
    >>> torch.allclose(BernoulliObjective(x)(z), BernoulliDecoder(2, 5).loss(z, x), rtol=1e-4)
    True
    """

    def __init__(
        self, x: Float[Tensor, "samples features"], flip: float = bernoulli.FLIP_PROBABILITY
    ) -> None:
        varies = x.amin(dim=0) < x.amax(dim=0)
        self._x = x[:, varies].contiguous()
        self._p_x = self._x.mean(dim=0)
        self._flip = flip
        # A constant feature is decoded as its smoothed self whatever the latents are.
        p = x[0, ~varies]
        smoothed = flip + (1 - 2 * flip) * p
        self._constant = -(p * smoothed.log() + (1 - p) * (1 - smoothed).log()).sum()

    def value_and_gradient(
        self, z: Float[Tensor, "samples latents"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "samples latents"]]:
        """Cross-entropy summed over features and averaged over samples, and its gradient."""
        x, p_x, n_samples = self._x, self._p_x, len(z)
        p_z, p_zx = z.mean(dim=0), z.T @ x / n_samples
        w, b, cells = bernoulli.ci_decoder_cells(p_zx, p_z, p_x, self._flip)
        logits = torch.addmm(b, z, w)
        loss = self._constant - (w * p_zx).sum() - b @ p_x + F.softplus(logits).sum() / n_samples

        p = torch.sigmoid_(logits)
        d_w, d_b = z.T @ p / n_samples - p_zx, p.mean(dim=0) - p_x
        # w = log p11 - log p10 - log p01 + log p00, b = prior + sum_j (log p01 - log p00 - prior);
        # p10 = p_z - p11, p01 = p_x - p11, p00 = 1 - p_z - p_x + p11, all through the channel.
        d_p10, d_p00 = -d_w / cells.p10, (d_w - d_b) / cells.p00
        d_p11 = d_w / cells.p11 - d_p10 - (d_b - d_w) / cells.p01 + d_p00
        keep = 1 - 2 * self._flip
        d_p_zx = keep * keep * d_p11
        d_p_z = keep * (d_p10 - d_p00 + self._flip * d_p11).sum(dim=1)
        d_z = (p @ w.T + x @ (d_p_zx - w).T + d_p_z) / n_samples
        return loss, d_z
