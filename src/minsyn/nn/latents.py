"""Kinds of latents: how pre-activations become latents."""

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

    Called with pre-activations of any shape, it gives latents of the same shape.

    Attributes
    ----------
    name : str
        Name of the activation.
    family : {"gaussian", "bernoulli"}
        Distribution that decoders take the latents to have.
    activation : callable
        Elementwise map of a Tensor.
    search_penalties : tuple of float
        Penalties on squared pre-activations that L-BFGS runs through while it compares random
        starts. Sigmoid latents that are unpenalised from the start saturate in poor local optima.

    Examples
    --------
    >>> SIGMOID(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    name: str
    family: str
    activation: Callable[[Tensor], Tensor]
    search_penalties: tuple[float, ...] = ()

    def __call__(
        self, pre_activations: Float[Tensor, "*samples latents"]
    ) -> Float[Tensor, "*samples latents"]:
        """Latents of these pre-activations."""
        return self.activation(pre_activations)


def _softplus(x: Tensor) -> Tensor:
    # Torch's default threshold of 20 leaves an error of 2e-9, which float64 would show.
    return F.softplus(x, threshold=40)


def _identity(x: Tensor) -> Tensor:
    return x


#: Latents that are the pre-activations themselves, taken as Gaussian.
LINEAR = Latents("linear", "gaussian", _identity)
#: Positive latents, taken as Gaussian.
SOFTPLUS = Latents("softplus", "gaussian", _softplus)
#: Latents in [0, 1], taken as probabilities of binary variables.
SIGMOID = Latents("sigmoid", "bernoulli", torch.sigmoid, (0.05, 0.02, 0.007))

#: Kinds of latents by name.
LATENTS = {latents.name: latents for latents in (LINEAR, SOFTPLUS, SIGMOID)}
