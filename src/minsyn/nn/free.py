"""A trained decoder with a penalty on its synergy."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoder import Decoder
from minsyn.nn.latents import Latents
from minsyn.nn.objective import Objective
from minsyn.nn.observations import Observations
from minsyn.nn.precision import at_least_single, without_autocast
from minsyn.nn.ranks import share_of_batch, statistics_over_ranks

__all__ = ["FreeDecoder"]


class FreeDecoder(nn.Module):
    r"""Trained decoder, whose loss is the reconstruction loss plus a multiple of its synergy.

    The parameters are offsets from a reference decoder without synergy. With ``follows=True``, for
    whole batches, the reference is computed from the current latents, so that a large weight of the
    penalty does not hold the encoder back. With ``follows=False``, for mini-batches, the reference
    is that of the initial latents: a reference computed from a mini-batch would leak its targets
    into its reconstruction.

    For fixed latents, the Gaussian optimum is
    ``(free + synergy_weight * CI) / (1 + synergy_weight)``. The offset, and therefore the step size
    that suits Adam, is proportional to ``1 / (1 + synergy_weight)``.

    Parameters
    ----------
    decoder : Decoder
        The decoder without synergy. It determines the kinds of latents and observations.
    synergy_weight : float, default=0.0
        Multiple of the decoder's ``synergy_penalty``.
    relative_step : float, default=1.0
        Step of weights and biases, in multiples of Adam's step size.
    follows : bool, default=False
        Whether the reference decoder is recomputed from each batch. The relative step is then
        divided by ``1 + synergy_weight``.

    Examples
    --------
    >>> from minsyn.nn import GaussianDecoder
    >>> z, x = torch.rand(20, 2), torch.rand(20, 3)
    >>> decoder = FreeDecoder(GaussianDecoder(2, 3), synergy_weight=1.0, follows=True)
    >>> torch.allclose(decoder.loss(z, x), GaussianDecoder(2, 3).loss(z, x), rtol=1e-4)
    True
    """

    start_weight: Tensor
    start_bias: Tensor

    def __init__(
        self,
        decoder: Decoder,
        synergy_weight: float = 0.0,
        *,
        relative_step: float = 1.0,
        follows: bool = False,
    ) -> None:
        super().__init__()
        n_latents, n_features = decoder.running.n_latents, decoder.running.n_features
        self.decoder = decoder
        self.synergy_weight = synergy_weight
        self.follows = follows
        # Adam's steps do not depend on the scale of the gradients. Therefore a factor in front of
        # a parameter multiplies its step.
        self.step = relative_step / (1 + synergy_weight if follows else 1)
        self.weight = nn.Parameter(torch.zeros(n_latents, n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("start_weight", torch.zeros(n_latents, n_features))
        self.register_buffer("start_bias", torch.zeros(n_features))

    @property
    def latents(self) -> Latents:
        """Kind of latents."""
        return self.decoder.latents

    @property
    def observations(self) -> Observations:
        """Kind of observations."""
        return self.decoder.observations

    @property
    def needs_start(self) -> bool:
        """Whether the reference decoder must be set before training, as it stays fixed."""
        return not self.follows

    @torch.no_grad()
    def start_from(self, statistics: PairwiseStatistics) -> None:
        """Set the reference to the decoder without synergy of these statistics."""
        self.start_at(*self.decoder.linear_map(statistics))

    def resume(
        self,
        weight: Float[np.ndarray, "latents features"],
        bias: Float[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> None:
        """Set the reference to a fitted decoder of the unscaled data."""
        if self.observations.affine:
            weight, bias = weight / scale, (bias - mean) / scale
        self.start_at(torch.from_numpy(weight), torch.from_numpy(bias))

    @torch.no_grad()
    def start_at(
        self, weight: Float[Tensor, "latents features"], bias: Float[Tensor, " features"]
    ) -> None:
        """Set the reference to these weights and biases."""
        self.start_weight.copy_(weight)
        self.start_bias.copy_(bias)

    def linear_map(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the natural parameter."""
        weight, bias = self.start_weight, self.start_bias
        if self.follows:
            weight, bias = self._without_synergy(z, x)
        return weight + self.step * self.weight, bias + self.step * self.bias

    def objective(
        self, x: Float[Tensor, "samples features"], *, drop_constant: bool = True
    ) -> Objective | None:
        """Return None: there is no hand-written gradient, torch computes it."""
        return None

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss plus the weighted penalty, averaged over the batch."""
        weight, bias = self.linear_map(z, x)
        natural, x = at_least_single(torch.addmm(bias, z, weight), x)
        value = self.observations.losses(natural, x).sum() / len(x) * share_of_batch(x)
        if self.synergy_weight > 0:
            penalty = self.decoder.synergy_penalty(z, x, weight, bias)
            value = value + self.synergy_weight * penalty
        return value

    def map_for_data(
        self,
        statistics: PairwiseStatistics,
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
        """Weights and bias for unscaled data, after training on ``(x - mean) / scale``.

        Parameters
        ----------
        statistics : PairwiseStatistics
            Statistics of the final latents and the data, as NumPy float64.
        mean : ndarray of shape (n_features,)
            Origin of the features in training. Ignored for observations that are not scaled.
        scale : float, or ndarray of shape (n_features,)
            Unit of the features in training. Ignored for observations that are not scaled.

        Returns
        -------
        weight : ndarray of shape (n_latents, n_features)
        bias : ndarray of shape (n_features,)
        """
        weight, bias = (
            start.double().numpy() + self.step * part.detach().double().numpy()
            for start, part in ((self.start_weight, self.weight), (self.start_bias, self.bias))
        )
        if not self.observations.affine:
            mean, scale = np.zeros_like(mean), 1.0
        if not self.follows:
            return scale * weight, mean + scale * bias
        from_weight, from_bias = (
            part.numpy() for part in self.decoder.linear_map(statistics.map(torch.from_numpy))
        )
        return from_weight + scale * weight, from_bias + scale * bias

    def _without_synergy(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        with without_autocast(z):
            statistics = statistics_over_ranks(*at_least_single(z, x))
            weight, bias = self.decoder.linear_map(statistics)
        return weight.to(z.dtype), bias.to(z.dtype)
