"""Graph of pair synergies of codes, and its spectral groups."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh, qr, svd
from scipy.stats import chi2

from minsyn.information._arrays import as_numbers
from minsyn.information._options import whole_number
from minsyn.information.gaussian_groups import adjusted_information
from minsyn.information.statistics import PairwiseStatistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "SynergyGraph",
    "labels_of_vectors",
    "pair_synergies",
    "spectral_groups",
    "synergy_graph",
]

#: Two codes whose squared correlation is larger count as one: the closed form divides by 1 - r^2,
#: which is rounding there.
_SAME_CODE = 1 - 1e-6
#: Numbers in the largest temporary array, so that it stays in cache.
_BLOCK = 1 << 17
#: Weight of redundancy in the graph: codes that are too alike for synergy, such as noisy copies of
#: one cause, then form a group by what they share.
_REDUNDANCY = 0.01
#: Significance level of a gain in information.
_LEVEL = 1e-3


@dataclass(frozen=True)
class SynergyGraph:
    """Synergies of pairs of codes, and the groups found in the spectrum of their graph.

    Attributes
    ----------
    synergy : ndarray of shape (m, m)
        Synergy of each pair of codes in bits, averaged over the targets by their variances; zero
        on the diagonal.
    eigenvalues : ndarray of shape (m,)
        Eigenvalues of the normalised graph in descending order; the largest is 1, and as many are
        near 1 as there are groups.
    n_groups : int
        Number of groups.
    labels : ndarray of shape (m,)
        The group of each code, from 0.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> hidden = np.repeat(rng.normal(size=(500, 2)), 6, axis=1)
    >>> X = hidden + rng.normal(size=(500, 12))
    >>> graph = synergy_graph(X, X)
    >>> graph.n_groups, sorted([set(graph.labels[:6].tolist()), set(graph.labels[6:].tolist())])
    (2, [{0}, {1}])
    """

    synergy: Float[np.ndarray, "m m"]
    eigenvalues: Float[np.ndarray, " m"]
    n_groups: int
    labels: Int[np.ndarray, " m"]

    def plot(self) -> "Figure":
        """Plot the matrix of synergies, sorted by group, beside the spectrum.

        Returns
        -------
        matplotlib.figure.Figure
            Not registered with pyplot: save it by ``figure.savefig(...)``; a notebook shows it.
        """
        from minsyn.information._graph_plot import plot_graph

        return plot_graph(self)


def synergy_graph(
    Z: Float[np.ndarray, "samples m"],
    X: Float[np.ndarray, "samples n"],
    n_groups: int | None = None,
    max_groups: int | None = None,
) -> SynergyGraph:
    r"""Group codes by their synergy with each other.

    Codes that tell more together than the better of them alone are taken for parts of one cause.
    :math:`W` is the sum of the synergies and a hundredth of the redundancies of `pair_synergies`,
    :math:`D` holds the degrees of :math:`W`. The number of groups is where the eigenvalues of
    :math:`D^{-1/2} W D^{-1/2}` fall most steeply; the eigenvectors before the fall give the groups
    [1]_.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, m)
        Codes: latents, or the features themselves.
    X : ndarray of shape (n_samples, n_targets)
        Targets.
    n_groups : int, optional
        Number of groups, at most ``m``; by default where the eigenvalues fall most.
    max_groups : int, optional
        Largest number of groups where ``n_groups`` is not given.

    Returns
    -------
    SynergyGraph

    Raises
    ------
    ValueError
        If ``n_groups`` is not between 1 and the number of codes, or there are fewer than four
        samples.

    References
    ----------
    .. [1] Damle, Minden and Ying, "Simple, direct and efficient multi-way spectral clustering",
       Information and Inference, 2019: groups from a pivoted QR factorisation.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(500, 3)), 4, axis=1) + 0.7 * rng.normal(size=(500, 12))
    >>> graph = synergy_graph(X, X)
    >>> graph.n_groups, graph.eigenvalues[:5].round(1)
    (3, array([ 1. ,  1. ,  1. , -0.1, -0.2]))
    """
    Z, X = as_numbers(Z, "Z"), as_numbers(X, "X")
    for name, array in (("Z", Z), ("X", X)):
        if array.ndim != 2 or array.shape[1] == 0 or not np.isfinite(array).all():
            raise ValueError(
                f"{name} must hold finite numbers, of shape (n_samples, n_variables); found shape "
                f"{array.shape}" + (" with NaN or infinity" if array.ndim == 2 else "")
            )
    statistics = PairwiseStatistics.of(Z, X)
    synergy, redundancy = pair_synergies(statistics)
    affinity = synergy + _REDUNDANCY * redundancy
    # A code is joined to itself as to the nearest other, so that a code on its own is a group.
    np.fill_diagonal(affinity, np.maximum(_REDUNDANCY * redundancy.max(axis=1), 1e-12))
    eigenvalues, labels = spectral_groups(affinity, n_groups, max_groups)
    return SynergyGraph(synergy, eigenvalues, int(labels.max()) + 1, labels)


def pair_synergies(
    statistics: PairwiseStatistics,
) -> tuple[Float[np.ndarray, "m m"], Float[np.ndarray, "m m"]]:
    r"""Synergy and redundancy of every pair of Gaussian sources, averaged over the targets.

    .. math::

        S_{ab} = \frac1{\sum_i v_i} \sum_i v_i
            \bigl[I(Z_a Z_b; X_i) - \max(I(Z_a; X_i), I(Z_b; X_i))\bigr]_+, \quad
        R_{ab} = \frac1{\sum_i v_i} \sum_i v_i \min(I(Z_a; X_i), I(Z_b; X_i))

    with :math:`v_i` the variance of :math:`X_i`. Informations are corrected for the number of
    samples (`minsyn.information.gaussian_groups.adjusted_information`). For Gaussian variables
    these are Griffith and Koch's synergy and the redundancy that goes with it [2]_. A pair explains
    the share :math:`(r_a^2 + r_b^2 - 2 r_{ab} r_a r_b) / (1 - r_{ab}^2)` of a target's variance.
    Only gains that are significant count as synergy, by the likelihood ratio test of the second
    code (p < 0.001): a sum of positive parts over thousands of targets would grow from noise alone.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of m sources and the targets; the weight is the number of samples.

    Returns
    -------
    synergy, redundancy : ndarray of shape (m, m)
        Bits; symmetric, zero on the diagonal.

    Raises
    ------
    ValueError
        If there are fewer than four samples.

    References
    ----------
    .. [1] Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Eq. 3.
    .. [2] Barrett, "Exploration of synergistic and redundant information sharing in static and
       dynamical Gaussian systems", Physical Review E, 2015.

    Examples
    --------
    Two halves of a sum are synergistic about it, and a copy adds nothing:

    >>> import numpy as np
    >>> halves = np.random.default_rng(0).normal(size=(1000, 2))
    >>> z, x = halves[:, [0, 1, 1]], halves.sum(axis=1, keepdims=True)
    >>> synergy, redundancy = pair_synergies(PairwiseStatistics.of(z, x))
    >>> synergy.round(1)
    array([[0. , 4.5, 4.5],
           [4.5, 0. , 0. ],
           [4.5, 0. , 0. ]])
    >>> redundancy.round(1)
    array([[0. , 0.5, 0.5],
           [0.5, 0. , 0.5],
           [0.5, 0.5, 0. ]])
    """
    n_samples = statistics.weight
    if n_samples < 4:
        raise ValueError(f"synergies of pairs need at least four samples, found {n_samples:g}")
    varies = statistics.std_x > 0
    weights = statistics.var_x[varies]
    rho, sigma = statistics.rho[:, varies], statistics.sigma
    m, n = rho.shape
    synergy, redundancy = np.zeros((m, m)), np.zeros((m, m))
    if n == 0:
        return synergy, redundancy
    weights = weights / (weights.sum() * np.log(2))  # nats to bits
    squares = rho * rho
    alone = adjusted_information(squares, n_samples, 1)
    # The second code must leave less than this share of the variance that the better one leaves.
    unchanged = np.exp(-chi2.isf(_LEVEL, 1) / n_samples)
    for a in range(m - 1):
        for b in _blocks(a + 1, m, n):
            r = sigma[a, b, np.newaxis]
            # A code that equals the other adds nothing to what that explains.
            apart = r * r < _SAME_CODE
            explained = squares[a] + squares[b] - 2 * (r * rho[a]) * rho[b]
            explained /= np.where(apart, 1 - r * r, np.inf)
            explained = np.where(apart, explained, 0.0)
            better = np.maximum(squares[a], squares[b])
            gain = adjusted_information(explained, n_samples, 2)
            gain -= np.maximum(alone[a], alone[b])
            significant = 1 - explained < unchanged * (1 - better)
            synergy[a, b] = np.where(significant, np.maximum(gain, 0.0), 0.0) @ weights
            redundancy[a, b] = np.minimum(alone[a], alone[b]) @ weights
    return synergy + synergy.T, redundancy + redundancy.T


def spectral_groups(
    affinity: Float[np.ndarray, "m m"], n_groups: int | None = None, max_groups: int | None = None
) -> tuple[Float[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Spectral clustering; the number of groups is where the eigenvalues fall most.

    Parameters
    ----------
    affinity : ndarray of shape (m, m)
        Symmetric, not negative, with positive row sums.
    n_groups : int, optional
        Number of groups; by default where the eigenvalues fall most.
    max_groups : int, optional
        Largest number of groups where ``n_groups`` is not given.

    Returns
    -------
    eigenvalues : ndarray of shape (m,)
        Eigenvalues of the normalised affinity, in descending order.
    labels : ndarray of shape (m,)
        Groups, numbered by their first members.

    Raises
    ------
    ValueError
        If ``n_groups`` is not between 1 and ``m``.

    Examples
    --------
    >>> eigenvalues, labels = spectral_groups(np.kron(np.eye(2), np.ones((2, 2))))
    >>> eigenvalues.round(6) + 0.0, labels
    (array([1., 1., 0., 0.]), array([0, 0, 1, 1]))
    """
    m = len(affinity)
    if n_groups is not None:
        n_groups = whole_number(n_groups, "n_groups", 1)
    if n_groups is not None and not 1 <= n_groups <= m:
        raise ValueError(
            f"n_groups must be from 1 to the number of codes that can be grouped, {m}; found "
            f"{n_groups}"
        )
    root = np.sqrt(affinity.sum(axis=1))
    eigenvalues, vectors = eigh(affinity / np.outer(root, root))
    eigenvalues, vectors = eigenvalues[::-1].copy(), vectors[:, ::-1]
    if n_groups is None:
        # A negative eigenvalue is that of members that are alike, and no group.
        falls = -np.diff(np.maximum(eigenvalues, 0.0), append=0.0)
        n_groups = int(np.argmax(falls[:max_groups])) + 1
    return eigenvalues, labels_of_vectors(vectors[:, :n_groups])


def _blocks(start: int, stop: int, width: int) -> list[slice]:
    step = max(1, _BLOCK // width)
    return [slice(left, min(left + step, stop)) for left in range(start, stop, step)]


def labels_of_vectors(vectors: Float[np.ndarray, "m k"]) -> Int[np.ndarray, " m"]:
    """Groups from the leading eigenvectors of a graph, without a random start.

    Parameters
    ----------
    vectors : ndarray of shape (m, k)
        Orthonormal.

    Returns
    -------
    ndarray of shape (m,)
        Up to k groups, numbered by their first members.

    References
    ----------
    Damle, Minden and Ying, "Simple, direct and efficient multi-way spectral clustering",
    Information and Inference, 2019: groups from a pivoted QR factorisation.

    Examples
    --------
    >>> labels_of_vectors(np.array([[0.6, 0.0], [0.0, 1.0], [0.8, 0.0]]))
    array([0, 1, 0])
    """
    k = vectors.shape[1]
    pivots = qr(vectors.T, pivoting=True, mode="r")[1][:k]
    u, _, vt = svd(vectors[pivots].T)
    nearest = np.argmax(np.abs(vectors @ (u @ vt)), axis=1)
    first = np.unique(nearest, return_index=True)[1]
    return np.argsort(np.argsort(first))[np.unique(nearest, return_inverse=True)[1]]
