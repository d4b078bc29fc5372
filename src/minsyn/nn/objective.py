"""Training losses with hand-written gradients, as functions of the latents.

The loss of a `minsyn.nn.Decoder` runs through a graph of small operations; an objective takes as
few passes over the data as it needs. The tests hold one against the other.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Objective", "cluster_means", "varies"]


class Objective(ABC):
    """Reconstruction loss of a data set, or of a batch, as a function of its latents.

    Called with latents of shape (n_samples, n_latents), it gives the loss, which can be
    differentiated once.

    Attributes
    ----------
    features : Tensor of shape (n_samples, n_features)
        The features in use.
    """

    features: Float[Tensor, "samples features"]

    @property
    @abstractmethod
    def at_stake(self) -> float:
        """Most that latents can lower the loss by, from that without latents."""

    @abstractmethod
    def value_and_gradient(
        self, z: Float[Tensor, "*starts samples latents"]
    ) -> tuple[Float[Tensor, "*starts"], Float[Tensor, "*starts samples latents"]]:
        """Loss and gradient with respect to the latents, for one set of them or several."""

    @abstractmethod
    def merged(
        self,
        rows: Int[Tensor, " rows"],
        membership: Int[Tensor, " features"],
        sizes: Float[Tensor, " clusters"],
    ) -> "Objective":
        """Loss of some of the samples, each cluster of features replaced by its mean.

        A mean counts as often as its cluster has features, so that the loss is nearly that of all.
        Terms that do not depend on the latents may be missing.

        Parameters
        ----------
        rows : Tensor of shape (n_rows,)
            Samples.
        membership : Tensor of shape (n_features,)
            Cluster of each feature.
        sizes : Tensor of shape (n_clusters,)
            Number of features of each cluster.
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


def varies(x: Float[Tensor, "samples features"]) -> Bool[Tensor, " features"]:
    """Whether each feature takes more than one value."""
    return x.amin(dim=0) < x.amax(dim=0)


def cluster_means(
    x: Float[Tensor, "samples features"],
    membership: Int[Tensor, " features"],
    sizes: Float[Tensor, " clusters"],
) -> Float[Tensor, "samples clusters"]:
    """Mean of each cluster's features."""
    return x.new_zeros(len(x), len(sizes)).index_add_(1, membership, x) / sizes
