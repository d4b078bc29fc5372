"""Clusters of features that go together, so that a few means stand for all of them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from minsyn.nn.objective import cluster_means

__all__ = ["Clusters", "cluster_features"]

#: Dimensions that features of more samples are projected to at random, which keeps distances to
#: about a tenth.
_DIMENSIONS = 256
#: Times that features go to the nearest centre.
_ROUNDS = 4


@dataclass(frozen=True)
class Clusters:
    """A partition of features.

    Attributes
    ----------
    membership : Tensor of shape (n_features,)
        Cluster of each feature, from 0.
    sizes : Tensor of shape (n_clusters,)
        Features in each, at least one.
    """

    membership: Int[Tensor, " features"]
    sizes: Float[Tensor, " clusters"]

    def means(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples clusters"]:
        """Mean of each cluster's features."""
        return cluster_means(x, self.membership, self.sizes)


def cluster_features(
    x: Float[Tensor, "samples features"], n_clusters: int, generator: torch.Generator
) -> Clusters:
    """Cluster features by a few rounds of Lloyd's algorithm (k-means) from random ones.

    With no more features than clusters each is one by itself.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The features.
    n_clusters : int
        Most clusters.
    generator : torch.Generator
        Draws the first centres and, for more than 256 samples, a projection of these.

    Returns
    -------
    Clusters

    Examples
    --------
    >>> x = torch.eye(3).repeat_interleave(4, dim=1)
    >>> clusters = cluster_features(x, 6, torch.Generator().manual_seed(0))
    >>> torch.equal(clusters.means(x)[:, clusters.membership], x)
    True
    """
    n_samples, n_features = x.shape
    if n_features <= n_clusters:
        return Clusters(torch.arange(n_features), x.new_ones(n_features))
    if n_samples > _DIMENSIONS:
        x = torch.randn(_DIMENSIONS, n_samples, generator=generator, dtype=x.dtype) @ x
    points = x.T.contiguous()
    centres = points[torch.randperm(n_features, generator=generator)[:n_clusters]]
    for _ in range(_ROUNDS):
        nearest = pairwise_distances_argmin(points.numpy(), centres.numpy())
        # Copies of a centre leave the later ones empty.
        _, membership, sizes = np.unique(nearest, return_inverse=True, return_counts=True)
        clusters = Clusters(torch.from_numpy(membership), torch.from_numpy(sizes).to(x.dtype))
        centres = clusters.means(x).T.contiguous()
    return clusters
