"""Modules of features whose loadings point in fewer directions than random ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from minsyn.information.graph import labels_of_vectors

__all__ = ["Modules", "clear_modules", "find_modules"]

#: Draws of random directions, and most features of each.
_DRAWS, _MOST_FEATURES = 20, 200
#: Standard deviations by which a modularity must exceed those of random directions.
_Z = 3.0
#: Least number of modules, as a share of the factors: each has one factor, but for minor ones.
_LEAST_SHARE = 0.75
#: Most features among which modules are sought.
_MOST = 2000


class Modules(NamedTuple):
    """The partition of the largest modularity.

    Attributes
    ----------
    number : int
        Number of modules.
    modularity : float
        From 0, for one module, to less than 1.
    """

    number: int
    modularity: float


def find_modules(axes: Float[np.ndarray, "m k"]) -> Modules:
    r"""Number of modules of the graph of squared projections.

    Of the spectral partitions into 1 to m modules, the one of the largest modularity [1]_,

    .. math:: Q = \sum_g \Bigl[\frac{W_{gg}}{W} - \Bigl(\frac{W_g}{W}\Bigr)^2\Bigr]

    with the weights :math:`W_{gg}` within a module, :math:`W_g` of all edges of its features, and
    :math:`W` of all edges.

    Parameters
    ----------
    axes : ndarray of shape (m, k)
        Loadings of k features on m factors.

    References
    ----------
    .. [1] Newman, "Modularity and community structure in networks", Proceedings of the National
       Academy of Sciences 103, 2006.

    Examples
    --------
    >>> number, modularity = find_modules(np.repeat(np.eye(3), 4, axis=1))
    >>> number, round(modularity, 3)
    (3, 0.667)
    """
    m, k = axes.shape
    # Any basis of the factors gives the same projection.
    basis = np.linalg.qr(axes.T)[0]
    weights = (basis @ basis.T) ** 2
    np.fill_diagonal(weights, 0.0)
    degrees = weights.sum(axis=1)
    root = np.sqrt(np.maximum(degrees, np.finfo(float).tiny))
    number = min(m, k)
    vectors = eigh(weights / np.outer(root, root), subset_by_index=(k - number, k - 1))[1][:, ::-1]
    share = degrees / max(degrees.sum(), np.finfo(float).tiny)
    best = Modules(1, 0.0)
    for n_modules in range(2, number + 1):
        member = np.eye(n_modules)[labels_of_vectors(vectors[:, :n_modules])]
        within = np.sum(member * (weights @ member)) / max(degrees.sum(), np.finfo(float).tiny)
        modularity = float(within - np.sum((share @ member) ** 2))
        if modularity > best.modularity:
            best = Modules(n_modules, modularity)
    return best


def clear_modules(axes: Float[np.ndarray, "m k"]) -> int:
    """Number of modules of one factor each that random directions do not show; 1 if there are none.

    In one group of several factors, the loadings of a feature may have any direction. The null
    hypothesis is that all directions are equally likely, while each feature keeps the size of its
    projection. Partitions of random directions have a modularity as well: the largest of the data
    must exceed their mean by three standard deviations.

    Parameters
    ----------
    axes : ndarray of shape (m, k)
        Loadings of k features on m factors.

    Examples
    --------
    >>> clear_modules(np.repeat(np.eye(3), 4, axis=1))
    3
    >>> clear_modules(np.random.default_rng(0).normal(size=(3, 12)))
    1
    """
    m, k = axes.shape
    if k > _MOST:
        return 1
    found = find_modules(axes)
    if found.number < max(_LEAST_SHARE * m, 2):
        return 1
    rng = np.random.default_rng(0)
    sizes = np.linalg.norm(np.linalg.qr(axes.T)[0], axis=1)
    by_chance = []
    for _ in range(_DRAWS):
        # Fewer features make modules by chance likelier.
        some = rng.choice(k, max(min(k, _MOST_FEATURES), m), replace=False)
        directions = rng.normal(size=(m, len(some)))
        directions *= sizes[some] / np.linalg.norm(directions, axis=0)
        by_chance.append(find_modules(directions).modularity)
    limit = np.mean(by_chance) + _Z * np.std(by_chance)
    return found.number if found.modularity > limit else 1
