"""Kinds of latents and their activation functions."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

__all__ = ["LATENTS", "LINEAR", "SIGMOID", "SOFTPLUS", "Latents"]


@dataclass(frozen=True)
class Latents:
    """A kind of latents.

    An instance is callable: it maps pre-activations of any shape to latents of the same shape.

    Attributes
    ----------
    name : str
        Name of the activation.
    family : {"gaussian", "bernoulli"}
        Distribution of the latents that decoders assume.
    activation : callable
        Elementwise map of a Tensor.
    reflection : float or None
        The number c for which the opposite pre-activation gives ``c - z`` instead of z; None if
        there is none. It lets the sign of latents be chosen.
    search_penalties : tuple of float
        Successive penalties on squared pre-activations in the comparison of random starts by
        L-BFGS. Without them, sigmoid latents saturate early, in poor local optima.

    Examples
    --------
    >>> SIGMOID(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    name: str
    family: str
    activation: Callable[[Tensor], Tensor]
    reflection: float | None = None
    search_penalties: tuple[float, ...] = ()

    def __call__(
        self, pre_activations: Float[Tensor, "*samples latents"]
    ) -> Float[Tensor, "*samples latents"]:
        """Return the latents of these pre-activations."""
        return self.activation(pre_activations)


def _softplus(x: Tensor) -> Tensor:
    # The default threshold of 20 in torch causes an error of 2e-9, visible in float64.
    return F.softplus(x, threshold=40)


def _identity(x: Tensor) -> Tensor:
    return x


#: Latents that are the pre-activations themselves, treated as Gaussian.
LINEAR = Latents("linear", "gaussian", _identity, 0.0)
#: Positive latents, treated as Gaussian.
SOFTPLUS = Latents("softplus", "gaussian", _softplus)
#: Latents in [0, 1], treated as probabilities of binary variables.
SIGMOID = Latents("sigmoid", "bernoulli", torch.sigmoid, 1.0, (0.05, 0.02, 0.007))

#: Kinds of latents by name.
LATENTS = {latents.name: latents for latents in (LINEAR, SOFTPLUS, SIGMOID)}
