"""Which group of latents is the one parent of each feature."""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import eigh
from scipy.spatial.distance import squareform
from scipy.stats import beta, false_discovery_control

from minsyn.information.gaussian_groups import adjusted_information
from minsyn.information.graph import SynergyGraph, spectral_groups, synergy_graph

__all__ = ["NO_PARENT", "Grouping", "find_groups", "given_groups"]

#: Group of the features that belong to none.
NO_PARENT = -1
#: Codes that summarise many features. Few, so that each is a mean of many noisy features.
_CODES = 60
#: Features that are clustered by all their correlations; further ones join the nearest code.
_CLUSTERED = 3000
#: Most principal components of a group that stand for it, and what they must reach of the
#: information that the most of them give.
_MAX_COMPONENTS = 12
_INFORMATION_SHARE = 0.99
#: False discovery rate of parents, and family-wise error of a correlation that makes a code.
_LEVEL = 0.05
_MAX_STEPS = 50
#: Directions with less than this share of the first one's variance are rounding.
_RANK_TOLERANCE = 1e-12
#: A second parent explains at least this share of a feature's variance that the first does not.
_SECOND_PARENT = 0.1


@dataclass(frozen=True)
class Grouping:
    """The parents of every feature.

    Attributes
    ----------
    groups : ndarray of shape (n_features,)
        Each feature's group, from 0; -1 for those that belong to none.
    parents : ndarray of shape (n_groups, n_features)
        Which groups are a feature's parents: its own, and where asked for a second one.
    graph : SynergyGraph or None
        Where the groups come from; None if they were given, or there was nothing to group.
    """

    groups: Int[np.ndarray, " features"]
    parents: Bool[np.ndarray, "groups features"]
    graph: SynergyGraph | None

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.parents)


def given_groups(
    labels: Int[np.ndarray, " features"], varies: Bool[np.ndarray, " features"]
) -> Grouping:
    """Groups by labels; negative labels and features that do not vary belong to none."""
    labels = np.where(varies & (labels >= 0), labels, NO_PARENT)
    return _grouping(np.searchsorted(np.unique(labels), labels) - np.any(labels < 0), None)


def find_groups(
    X: Float[np.ndarray, "samples features"],
    *,
    n_groups: int | None,
    max_groups: int,
    by: str,
    max_parents: int,
) -> Grouping:
    """Groups of features such that little is told by several groups together.

    Features are summarised by codes, codes are grouped by their pair synergies (or, for
    comparison, by their squared correlations), and features take the group that tells most about
    them, until that changes nothing more.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    n_groups : int or None
        Number of groups; None takes what the spectrum shows, at most ``max_groups``.
    max_groups : int
        Most groups.
    by : {"synergy", "correlation"}
        What ties codes together. By correlation, features stay with their code.
    max_parents : {1, 2}
        Whether a feature may have a second parent.
    """
    n_samples, n_features = X.shape
    dX = X - X.mean(axis=0)
    std = np.sqrt(np.mean(dX**2, axis=0))
    varying = np.flatnonzero(X.min(axis=0) != X.max(axis=0))
    standard = dX[:, varying] / std[varying]
    everything = np.full(n_features, NO_PARENT)
    everything[varying] = 0
    if n_samples < 4 or len(varying) < 2:
        return _grouping(everything, None)

    codes, members = _codes(standard)
    if codes.shape[1] == 0:
        warnings.warn(
            "no two features are significantly correlated: all are in one group",
            UserWarning,
            stacklevel=7,  # whoever called MinSyn.fit
        )
        return _grouping(everything, None)
    limit = min(max_groups, codes.shape[1])
    if n_groups is not None and n_groups > limit:
        raise ValueError(
            f"n_groups={n_groups} is more than can be told apart, {limit}: the number of codes "
            "that features were summarised by, or n_components. Lower n_groups"
        )
    graph = synergy_graph(codes, X[:, varying], n_groups, limit)
    labels = graph.labels
    if by == "correlation":
        _, labels = spectral_groups(_squared_correlations(codes), n_groups, limit)
    groups = np.where(members >= 0, labels[members], NO_PARENT)
    if by == "synergy":
        groups = _settle(dX[:, varying], groups, keep_all=n_groups is not None)
    if (groups < 0).all():
        groups[:] = 0
    everything[varying] = groups
    grouping = _grouping(_numbered(everything), graph)
    return _with_second_parents(dX, grouping) if max_parents == 2 else grouping


def _numbered(groups: Int[np.ndarray, " features"]) -> Int[np.ndarray, " features"]:
    """The same groups, numbered by their first features."""
    present, first = np.unique(groups, return_index=True)
    first[present < 0] = -1
    number = np.argsort(np.argsort(first)) - np.sum(present < 0)
    return number[np.searchsorted(present, groups)]


def _grouping(groups: Int[np.ndarray, " features"], graph: SynergyGraph | None) -> Grouping:
    n_groups = max(int(groups.max(initial=0)) + 1, 1)
    return Grouping(groups, np.equal.outer(np.arange(n_groups), groups), graph)


def _squared_correlations(
    standard: Float[np.ndarray, "samples k"],
) -> Float[np.ndarray, "k k"]:
    return np.square(standard.T @ standard / len(standard))


def _by_chance(n_samples: int, n_tests: float) -> float:
    """The squared correlation that the largest of many exceeds by chance in 5 % of cases."""
    return float(beta.isf(_LEVEL / max(n_tests, 1), 0.5, (n_samples - 2) / 2))


def _codes(
    standard: Float[np.ndarray, "samples features"],
) -> tuple[Float[np.ndarray, "samples codes"], Int[np.ndarray, " features"]]:
    """First principal components of clusters of correlated features, and each feature's code.

    Features that correlate with no other one make no code: they would be groups by themselves.
    Those that correlate with no code have -1.
    """
    n_samples, n_features = standard.shape
    # Evenly spread over the columns, as neighbours often are alike.
    sample = np.unique(np.linspace(0, n_features - 1, min(n_features, _CLUSTERED)).astype(int))
    squares = _squared_correlations(standard[:, sample])
    np.fill_diagonal(squares, 0.0)
    n_pairs = len(sample) * (len(sample) - 1) / 2
    correlated = squares.max(axis=1) > _by_chance(n_samples, n_pairs)
    sample, squares = sample[correlated], squares[np.ix_(correlated, correlated)]
    if len(sample) <= 2 * _CODES:
        codes = standard[:, sample]
    else:
        distances = np.sqrt(2 * np.maximum(1 - np.sqrt(squares), 0.0))
        np.fill_diagonal(distances, 0.0)
        tree = linkage(squareform(distances, checks=False), "ward")
        clusters = fcluster(tree, _CODES, "maxclust")
        codes = np.stack(
            [_first_component(standard[:, sample[clusters == c]]) for c in np.unique(clusters)],
            axis=1,
        )
    if codes.shape[1] == 0:
        return codes, np.full(n_features, NO_PARENT)
    explained = np.square(codes.T @ standard / n_samples)
    members = explained.argmax(axis=0)
    significant = explained.max(axis=0) > _by_chance(n_samples, n_features * codes.shape[1])
    return codes, np.where(significant, members, NO_PARENT)


def _first_component(
    standard: Float[np.ndarray, "samples k"],
) -> Float[np.ndarray, " samples"]:
    """Standardised scores."""
    return np.linalg.svd(standard, full_matrices=False)[0][:, 0] * np.sqrt(len(standard))


def _settle(
    dX: Float[np.ndarray, "samples features"],
    groups: Int[np.ndarray, " features"],
    keep_all: bool,
) -> Int[np.ndarray, " features"]:
    """Move every feature to the group that tells most about it, until none moves.

    With ``keep_all``, a step that would empty a group is not taken.
    """
    variance = np.mean(dX**2, axis=0)
    best, most, seen = groups, -np.inf, set()
    for step in range(_MAX_STEPS):
        present = np.unique(groups[groups >= 0])
        if len(present) == 0:
            break
        information, p_values, n_components = _told_by_groups(dX, groups, present, variance)
        if step == 0 and n_components == _MAX_COMPONENTS:
            # So many components tell about every group: moves would follow chance.
            return groups
        total = float(variance @ information.max(axis=0))
        if total > most:
            best, most = groups, total
        nearest = information.argmax(axis=0)
        p_value = p_values[nearest, np.arange(len(nearest))]
        # Bonferroni over the groups among which the best was chosen, then the features.
        q_value = false_discovery_control(np.minimum(p_value * len(present), 1.0))
        moved = np.where(q_value <= _LEVEL, present[nearest], NO_PARENT)
        if np.array_equal(moved, groups):
            return groups
        if keep_all and not np.isin(present, moved).all():
            return best
        groups = moved
        if groups.tobytes() in seen:  # a cycle: its best partition
            return best
        seen.add(groups.tobytes())
    return best


def _told_by_groups(
    dX: Float[np.ndarray, "samples features"],
    groups: Int[np.ndarray, " features"],
    present: Int[np.ndarray, " k"],
    variance: Float[np.ndarray, " features"],
) -> tuple[Float[np.ndarray, "k features"], Float[np.ndarray, "k features"], int]:
    """Information of each group about each feature, its p-value, and the number of components.

    A group is its first principal components; about its own member, those of the others.
    """
    n_samples, n_features = dX.shape
    depth = min(_MAX_COMPONENTS, max(n_samples - 2, 1))
    explained = np.zeros((len(present), depth, n_features))
    rank = np.zeros((len(present), depth))
    for k, group in enumerate(present):
        own = groups == group
        u, s, vt = _components(dX[:, own], depth)
        shares = np.square(u.T @ dX) / (n_samples * variance)
        explained[k, : len(s)] = np.cumsum(shares, axis=0)
        explained[k, : len(s), own] = _left_out(s, vt, n_samples * variance[own]).T
        explained[k, len(s) :] = explained[k, len(s) - 1]
        rank[k] = np.minimum(np.arange(1, depth + 1), len(s))
    explained = np.minimum(explained, 1.0)
    information = adjusted_information(explained, n_samples, rank[:, :, np.newaxis])
    totals = information.max(axis=0) @ variance
    d = int(np.argmax(totals >= _INFORMATION_SHARE * totals.max()))
    degrees = rank[:, d, np.newaxis]
    p_values = np.asarray(
        beta.sf(explained[:, d], degrees / 2, np.maximum(n_samples - 1 - degrees, 1) / 2)
    )
    return information[:, d], p_values, d + 1


def _components(
    dX: Float[np.ndarray, "samples k"], depth: int
) -> tuple[Float[np.ndarray, "samples d"], Float[np.ndarray, " d"], Float[np.ndarray, "d k"]]:
    """The first principal components, by the smaller of the two Gram matrices."""
    n_samples, n_features = dX.shape
    gram = dX @ dX.T if n_samples <= n_features else dX.T @ dX
    size = len(gram)
    squares, vectors = eigh(gram, subset_by_index=(max(size - depth, 0), size - 1))
    squares, vectors = squares[::-1], vectors[:, ::-1]
    kept = max(int(np.sum(squares > _RANK_TOLERANCE * squares[0])), 1)
    s, vectors = np.sqrt(np.maximum(squares[:kept], np.finfo(float).tiny)), vectors[:, :kept]
    if n_samples <= n_features:
        return vectors, s, (vectors.T @ dX) / s[:, np.newaxis]
    return dX @ vectors / s, s, vectors.T


def _left_out(
    s: Float[np.ndarray, " d"], vt: Float[np.ndarray, "d k"], total: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "d k"]:
    r"""Share of each feature's variance that the others' part of the first components explains.

    Without feature :math:`x = U S v + \ldots`, the scores :math:`U S` become
    :math:`U S - x v'`. With :math:`\tau = x'x` the regression of x on these has the normal matrix
    :math:`S^2 - S^2 v v' - v v' S^2 + \tau v v'`, of which Woodbury's identity gives the inverse
    from three sums over the components, so for all numbers of them at once.
    """
    squares = (s**2)[:, np.newaxis]
    c = np.cumsum(vt**2 / squares, axis=0)
    h = np.cumsum(vt**2, axis=0)
    g = np.cumsum(vt**2 * squares, axis=0)
    first, second = h - total * c, g - total * h
    determinant = c * (g - total) - (h - 1) ** 2
    quadratic = (g - total) * first**2 - 2 * (h - 1) * first * second + c * second**2
    # The determinant is -(1 - R^2 of the scores on x)-like: 0 only for a feature that is a score.
    regular = determinant < -1e-9
    correction = np.where(regular, quadratic / np.where(regular, determinant, 1.0), 0.0)
    explained = (g - 2 * total * h + total**2 * c - correction) / total
    return np.where(regular, np.clip(explained, 0.0, 1.0), 0.0)


def _with_second_parents(dX: Float[np.ndarray, "samples features"], grouping: Grouping) -> Grouping:
    """Add the group that tells most about what a feature's parent leaves, where it tells enough."""
    n_samples = len(dX)
    total = np.sum(dX**2, axis=0)
    groups, parents = grouping.groups, grouping.parents.copy()
    variance = total / n_samples
    present = np.arange(grouping.n_groups)
    if grouping.n_groups < 2:
        return grouping
    information, _, d = _told_by_groups(dX, groups, present, np.maximum(variance, 1e-300))
    # A group is the half of its features that others tell least about: together, features with
    # two parents would bring the second one into the group's own components.
    scores = []
    for k in present:
        own = np.flatnonzero(groups == k)
        others = np.delete(information[:, own], k, axis=0).max(axis=0)
        purest = np.argsort(others - information[k, own], kind="stable")
        scores.append(_components(dX[:, own[purest[: -(-len(own) // 2)]]], d)[0])
    for k in present:
        own = np.flatnonzero(groups == k)
        left = dX[:, own] - scores[k] @ (scores[k].T @ dX[:, own])
        gain = np.zeros((len(present), len(own)))
        for other in present[present != k]:
            apart = scores[other] - scores[k] @ (scores[k].T @ scores[other])
            basis, s, _ = np.linalg.svd(apart, full_matrices=False)
            basis = basis[:, s > 1e-7]
            gain[other] = np.sum((basis.T @ left) ** 2, axis=0) / total[own]
        second = gain.argmax(axis=0)
        gain = gain.max(axis=0)
        unexplained = np.sum(left**2, axis=0) / total[own]
        freedom = max(n_samples - 1 - 2 * d, 1)
        p_values = beta.sf(gain / np.maximum(unexplained, 1e-12), d / 2, freedom / 2)
        enough = (gain >= _SECOND_PARENT) & (p_values * len(total) * len(present) <= _LEVEL)
        parents[second[enough], own[enough]] = True
    return Grouping(groups, parents, grouping.graph)
