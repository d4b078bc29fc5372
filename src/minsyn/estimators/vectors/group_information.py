"""Information of groups of features about every feature."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import beta

from minsyn.estimators.vectors.correlations import Correlations
from minsyn.information.gaussian_groups import adjusted_information

__all__ = ["GroupInformation", "explained_without", "group_dimensions", "group_information"]


class GroupInformation(NamedTuple):
    """Information of groups about features.

    Attributes
    ----------
    nats : ndarray of shape (n_groups, n_features)
        Gaussian mutual information, corrected for the number of samples.
    explained : ndarray of shape (n_groups, n_features)
        Share of each feature's variance that the group explains.
    freedom : tuple of ndarray of shape (n_groups, 1)
        Degrees of freedom of the groups and of what they leave.
    """

    nats: Float[np.ndarray, "groups features"]
    explained: Float[np.ndarray, "groups features"]
    freedom: tuple[Float[np.ndarray, "groups 1"], Float[np.ndarray, "groups 1"]]

    def p_values(self, groups: Int[np.ndarray, " features"]) -> Float[np.ndarray, " features"]:
        """P-values of the F test that a group, one for each feature, explains nothing of it."""
        own, left = (freedom[groups, 0] for freedom in self.freedom)
        explained = self.explained[groups, np.arange(len(groups))]
        return np.asarray(beta.sf(explained, own / 2, left / 2))


def group_dimensions(
    correlations: Correlations, labels: Int[np.ndarray, " features"], n_groups: int
) -> Int[np.ndarray, " groups"]:
    """Number of principal components of each group that stand out from noise, at least one.

    Parameters
    ----------
    correlations : Correlations
        Of the features.
    labels : ndarray of shape (n_features,)
        The group of each feature.
    n_groups : int
        Number of groups.
    """
    dimensions = np.ones(n_groups, int)
    for group in range(n_groups):
        own = np.flatnonzero(labels == group)
        dimensions[group] = max(correlations.significant_components(own)[2], 1)
    return dimensions


def group_information(
    correlations: Correlations,
    labels: Int[np.ndarray, " features"],
    dimensions: Int[np.ndarray, " groups"],
) -> GroupInformation:
    """Measure what each group tells about each feature.

    A group is represented by its first principal components; for its own features, by those of
    its other features.

    Parameters
    ----------
    correlations : Correlations
        Of the features.
    labels : ndarray of shape (n_features,)
        The group of each feature, from 0; -1 for those of no group.
    dimensions : ndarray of shape (n_groups,)
        Number of principal components that represent each group.

    Returns
    -------
    GroupInformation
        Groups without features tell nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.5 * rng.normal(size=(200, 6))
    >>> found = group_information(Correlations(X), np.repeat([0, 1], 3), np.array([1, 1]))
    >>> found.nats.argmax(axis=0)
    array([0, 0, 0, 1, 1, 1])
    """
    n_samples = correlations.n_samples
    explained = np.zeros((len(dimensions), len(labels)))
    rank = np.ones((len(dimensions), 1))
    for group, d in enumerate(dimensions):
        own = np.flatnonzero(labels == group)
        variances, axes = correlations.components(own, number=min(d, max(n_samples - 2, 1)))
        if len(variances) == 0:
            continue
        explained[group] = correlations.explained(own, variances, axes).sum(axis=0)
        explained[group, own] = explained_without(np.sqrt(variances), axes, np.ones(len(own)))[-1]
        rank[group] = len(variances)
    explained = np.clip(explained, 0.0, 1.0)
    freedom = np.maximum(n_samples - 1 - rank, 1)
    nats = adjusted_information(explained, n_samples, rank)
    return GroupInformation(nats, explained, (rank, freedom))


def explained_without(
    s: Float[np.ndarray, " d"], vt: Float[np.ndarray, "d k"], total: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "d k"]:
    r"""Share of each feature's variance that the other features' components explain.

    Without feature :math:`x = U S v + \ldots`, the scores :math:`U S` become
    :math:`U S - x v'`. With :math:`\tau = x'x` the regression of x on these has the normal matrix
    :math:`S^2 - S^2 v v' - v v' S^2 + \tau v v'`. Woodbury's identity gives its inverse from three
    sums over the components, and so for all numbers of components at once.

    Parameters
    ----------
    s, vt : ndarray of shape (d,) and (d, k)
        Singular values and right singular vectors of the centred features.
    total : ndarray of shape (k,)
        Sum of squares of each feature.

    Returns
    -------
    ndarray of shape (d, k)
        For the first component alone, the first two, and so on.
    """
    squares = (s**2)[:, np.newaxis]
    c = np.cumsum(vt**2 / squares, axis=0)
    h = np.cumsum(vt**2, axis=0)
    g = np.cumsum(vt**2 * squares, axis=0)
    first, second = h - total * c, g - total * h
    determinant = c * (g - total) - (h - 1) ** 2
    quadratic = (g - total) * first**2 - 2 * (h - 1) * first * second + c * second**2
    # The determinant is 0 only for a feature that is itself a score, and else negative.
    regular = determinant < -1e-9
    correction = np.where(regular, quadratic / np.where(regular, determinant, 1.0), 0.0)
    explained = (g - 2 * total * h + total**2 * c - correction) / total
    return np.where(regular, explained, 0.0)
