"""Information of groups of features about every feature."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import beta

from minsyn.estimators.vectors.principal_components import leading_components
from minsyn.information.gaussian_groups import adjusted_information

__all__ = ["MAX_COMPONENTS", "GroupInformation", "explained_without", "group_information"]

#: Most principal components that represent a group.
MAX_COMPONENTS = 12
#: Share of the information of all these components that the number in use must reach.
_INFORMATION_SHARE = 0.99


class GroupInformation(NamedTuple):
    """Information of groups about features.

    Attributes
    ----------
    nats : ndarray of shape (n_groups, n_features)
        Gaussian mutual information, corrected for the number of samples.
    p_values : ndarray of shape (n_groups, n_features)
        Of the F test that the group explains nothing of the feature.
    n_components : int
        Number of principal components that represent each group.
    """

    nats: Float[np.ndarray, "groups features"]
    p_values: Float[np.ndarray, "groups features"]
    n_components: int


def group_information(
    dX: Float[np.ndarray, "samples features"],
    labels: Int[np.ndarray, " features"],
    groups: Int[np.ndarray, " groups"],
    variance: Float[np.ndarray, " features"],
) -> GroupInformation:
    """Measure what each group tells about each feature.

    A group is represented by its first principal components; for its own features, by those of
    its other features. All groups have the same number of components: the least that gives
    nearly all information.

    Parameters
    ----------
    dX : ndarray of shape (n_samples, n_features)
        Centred features.
    labels : ndarray of shape (n_features,)
        The group of each feature.
    groups : ndarray of shape (n_groups,)
        Labels of the groups to measure, each with at least one feature.
    variance : ndarray of shape (n_features,)
        Variances of the features, all positive.

    Returns
    -------
    GroupInformation

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.5 * rng.normal(size=(200, 6))
    >>> dX = X - X.mean(axis=0)
    >>> found = group_information(dX, np.repeat([0, 1], 3), np.arange(2), X.var(axis=0))
    >>> found.nats.argmax(axis=0)
    array([0, 0, 0, 1, 1, 1])
    """
    n_samples, n_features = dX.shape
    depth = min(MAX_COMPONENTS, max(n_samples - 2, 1))
    explained = np.zeros((len(groups), depth, n_features))
    rank = np.zeros((len(groups), depth))
    for k, group in enumerate(groups):
        own = labels == group
        u, s, vt = leading_components(dX[:, own], depth)
        shares = np.square(u.T @ dX) / (n_samples * variance)
        explained[k, : len(s)] = np.cumsum(shares, axis=0)
        explained[k, : len(s), own] = explained_without(s, vt, n_samples * variance[own]).T
        explained[k, len(s) :] = explained[k, len(s) - 1]
        rank[k] = np.minimum(np.arange(1, depth + 1), len(s))
    explained = np.minimum(explained, 1.0)
    nats = adjusted_information(explained, n_samples, rank[:, :, np.newaxis])
    totals = nats.max(axis=0) @ variance
    d = int(np.argmax(totals >= _INFORMATION_SHARE * totals.max()))
    degrees = rank[:, d, np.newaxis]
    p_values = np.asarray(
        beta.sf(explained[:, d], degrees / 2, np.maximum(n_samples - 1 - degrees, 1) / 2)
    )
    return GroupInformation(nats[:, d], p_values, d + 1)


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
    return np.where(regular, np.clip(explained, 0.0, 1.0), 0.0)
