"""Clusters of similar features, which a fit can replace by their means."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from minsyn.nn.objective import cluster_means

__all__ = ["Clusters", "cluster_features"]

#: Dimensions of a random projection of the samples, if there are more samples than this. Distances
#: change by about a tenth.
_DIMENSIONS = 256
#: Number of rounds of Lloyd's algorithm.
_ROUNDS = 4


@dataclass(frozen=True)
class Clusters:
    """A partition of features.

    Attributes
    ----------
    membership : Tensor of shape (n_features,)
        Cluster of each feature, from 0.
    sizes : Tensor of shape (n_clusters,)
        Number of features in each cluster, at least one.
    """

    membership: Int[Tensor, " features"]
    sizes: Float[Tensor, " clusters"]

    def means(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples clusters"]:
        """Mean of each cluster's features."""
        return cluster_means(x, self.membership, self.sizes)


def cluster_features(
    x: Float[Tensor, "samples features"], n_clusters: int, generator: torch.Generator
) -> Clusters:
    """Cluster features by a few rounds of k-means, with random features as initial centres.

    If there are no more features than clusters, each feature is its own cluster.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The features.
    n_clusters : int
        Maximum number of clusters.
    generator : torch.Generator
        Source of the initial centres and, for more than 256 samples, of a random projection of the
        samples.

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
        # If two centres are equal, the cluster of the later one is empty, and is dropped.
        _, membership, sizes = np.unique(nearest, return_inverse=True, return_counts=True)
        clusters = Clusters(torch.from_numpy(membership), torch.from_numpy(sizes).to(x.dtype))
        centres = clusters.means(x).T.contiguous()
    return clusters
