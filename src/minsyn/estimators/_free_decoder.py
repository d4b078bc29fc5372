"""A decoder that is trained, and drawn towards the one without synergy."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.information.ci import bernoulli, gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn import ci_synergy_penalty, share_of_batch, statistics_over_ranks
from minsyn.nn.precision import at_least_single, without_autocast

__all__ = ["FreeDecoder"]


class FreeDecoder(nn.Module):
    r"""Linear or logistic; its loss is that of reconstruction plus a multiple of its CI synergy.

    What is trained is how far it is from a decoder without CI synergy: on whole batches from that
    of the current latents, so that a large multiple does not hold the encoder back; on
    mini-batches, which would leak into their own decoder, from that of the initial latents. For
    fixed latents the Gaussian optimum is (free + synergy_weight * CI) / (1 + synergy_weight): the
    distance, and so the step that Adam should take, falls with 1 + synergy_weight.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and features.
    binary : bool
        Whether both are binary, else Gaussian.
    synergy_weight : float
        Multiple of `minsyn.nn.ci_synergy_penalty`.
    relative_step : float
        How many times the encoder's are the steps of weights and biases; for a decoder that
        follows the latents, of (1 + synergy_weight) times what they are.
    follows : bool
        Whether the decoder that it starts from changes with the latents.
    """

    start_weight: Tensor
    start_bias: Tensor

    def __init__(
        self,
        n_latents: int,
        n_features: int,
        *,
        binary: bool,
        synergy_weight: float,
        relative_step: float,
        follows: bool,
    ) -> None:
        super().__init__()
        self.binary = binary
        self.synergy_weight = synergy_weight
        self.follows = follows
        # Adam's steps do not depend on the gradients' scale: what multiplies a parameter
        # multiplies its step.
        self.step = relative_step / (1 + synergy_weight if follows else 1)
        self.weight = nn.Parameter(torch.zeros(n_latents, n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("start_weight", torch.zeros(n_latents, n_features))
        self.register_buffer("start_bias", torch.zeros(n_features))

    @torch.no_grad()
    def start_from(
        self, z: Float[Tensor, "samples latents"], x: Float[Tensor, "samples features"]
    ) -> None:
        """Start from the decoder without CI synergy of these latents."""
        if not self.follows:
            self.start_at(*self._without_synergy(z, x))

    @torch.no_grad()
    def start_at(
        self, weight: Float[Tensor, "latents features"], bias: Float[Tensor, " features"]
    ) -> None:
        """Start from this decoder."""
        self.start_weight.copy_(weight)
        self.start_bias.copy_(bias)

    def map_without_synergy(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Any, "latents features"], Float[Any, " features"]]:
        """The decoder without CI synergy that has these statistics."""
        linear_map = bernoulli.ci_linear_map if self.binary else gaussian.ci_linear_map
        return linear_map(statistics)

    def linear_map(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the mean, or of the log odds."""
        weight, bias = self.start_weight, self.start_bias
        if self.follows:
            weight, bias = self._without_synergy(z, x)
        return weight + self.step * self.weight, bias + self.step * self.bias

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss as of the decoders of `minsyn.nn`, plus the weighted penalty."""
        weight, bias = self.linear_map(z, x)
        natural = torch.addmm(bias, z, weight)
        error = F.binary_cross_entropy_with_logits if self.binary else F.mse_loss
        value = error(natural, x, reduction="sum") / len(x) * share_of_batch(x)
        if self.synergy_weight > 0:
            penalty = ci_synergy_penalty(
                z, x, weight, bias, observations="bernoulli" if self.binary else "gaussian"
            )
            value = value + self.synergy_weight * penalty
        return value

    def fitted(
        self,
        ci_map: tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
        """Weights and bias for data as they were, from training on ``(x - mean) / scale``.

        ``ci_map`` is the decoder without CI synergy of the final latents and the data.
        """
        weight, bias = (
            start.double().numpy() + self.step * part.detach().double().numpy()
            for start, part in (
                (self.start_weight, self.weight),
                (self.start_bias, self.bias),
            )
        )
        if self.binary:
            mean, scale = np.zeros_like(mean), 1.0
        if self.follows:
            return ci_map[0] + scale * weight, ci_map[1] + scale * bias
        return scale * weight, mean + scale * bias

    def _without_synergy(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        with without_autocast(z):
            statistics = statistics_over_ranks(*at_least_single(z, x))
            weight, bias = self.map_without_synergy(statistics)
        return weight.to(z.dtype), bias.to(z.dtype)
