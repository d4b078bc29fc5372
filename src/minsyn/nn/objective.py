"""Training losses with hand-written gradients, as functions of the latents.

They give the same values as `minsyn.nn.Decoder.loss`, with fewer passes over the data.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Objective", "cluster_means", "varies"]


class Objective(ABC):
    """Reconstruction loss of a data set or batch, as a function of its latents.

    An instance is callable: it maps latents of shape (n_samples, n_latents) to the loss. The loss
    can be differentiated once.

    Attributes
    ----------
    features : Tensor of shape (n_samples, n_features)
        The features in use.
    """

    features: Float[Tensor, "samples features"]

    @property
    @abstractmethod
    def at_stake(self) -> float:
        """Upper bound of the reduction in loss that latents can achieve."""

    @abstractmethod
    def value_and_gradient(
        self, z: Float[Tensor, "*starts samples latents"]
    ) -> tuple[Float[Tensor, "*starts"], Float[Tensor, "*starts samples latents"]]:
        """Loss and its gradient with respect to the latents, for one or several sets of latents."""

    @abstractmethod
    def merged(
        self,
        rows: Int[Tensor, " rows"],
        membership: Int[Tensor, " features"],
        sizes: Float[Tensor, " clusters"],
    ) -> "Objective":
        """Loss on a subset of the samples, with each cluster of features replaced by its mean.

        A mean is weighted by the number of features in its cluster, so that the loss approximates
        that of all features. Terms that do not depend on the latents may be missing.

        Parameters
        ----------
        rows : Tensor of shape (n_rows,)
            Indices of the samples.
        membership : Tensor of shape (n_features,)
            Cluster of each feature.
        sizes : Tensor of shape (n_clusters,)
            Number of features in each cluster.
        """

    def __call__(self, z: Float[Tensor, "samples latents"]) -> Float[Tensor, ""]:
        """Return the loss of these latents."""
        loss: Tensor = _WithGradient.apply(z, self)  # type: ignore[no-untyped-call]
        return loss


class _WithGradient(torch.autograd.Function):
    """The loss as an autograd function; the forward pass computes the gradient too."""

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
