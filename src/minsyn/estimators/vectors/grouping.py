"""Groups of features: the parent of each feature."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import false_discovery_control

from minsyn._warnings import warn
from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.coupling import CoupledFeatures, couple
from minsyn.estimators.vectors.group_information import group_dimensions, group_information
from minsyn.estimators.vectors.interactions import find_interaction
from minsyn.estimators.vectors.modules import clear_modules

__all__ = [
    "NO_PARENT",
    "Grouping",
    "coupling_by_falls",
    "coupling_of",
    "find_groups",
    "given_groups",
    "with_decoded_features",
]

#: Label of features that belong to no group.
NO_PARENT = -1
#: Fewest samples that groups can be found from.
_LEAST_SAMPLES = 4
#: False discovery rate of parents.
_LEVEL = 0.05
#: A feature is not clear where another group explains this share of what its own does.
_RIVAL = 0.95
#: It moves where the clear features of another group leave so much less of its variance.
_TIE = 0.01
#: Groups of which a smaller share of the features is clear resemble others as a whole.
_LEAST_CLEAR = 0.5
#: Most rounds of reassigning features.
_MAX_ROUNDS = 50
#: Most rounds of moving features to the clear ones of another group.
_MAX_CORE_ROUNDS = 10
#: Groups are left as the graph has them where settled ones have so much less of the coupling.
_BLURRED = 0.1
#: Least eigenvalue of a group, and least fall to the next, where the groups are clear-cut and where
#: they are clear.
_CLEAR_CUT, _CLEAR = (0.9, 0.2), (0.8, 0.15)
#: Most factors that are left out as minor, rounds in which they are, and fewest factors that groups
#: are sought from without others.
_MOST_MINOR, _ROUNDS, _LEAST_FACTORS = 5, 3, 4
#: Fewer factors are preferred where eigenvalues fall so many times as much.
_CLEARER = 1.25
#: A number of groups is unclear if the eigenvalues fall by less behind it.
_UNCLEAR = 0.1


@dataclass(frozen=True)
class Grouping:
    """The parents of every feature.

    Attributes
    ----------
    groups : ndarray of shape (n_features,)
        The group of each feature, from 0; -1 for those that belong to none.
    parents : ndarray of bool, shape (n_groups, n_features)
        Which groups a feature is decoded from.
    core : ndarray of bool, shape (n_features,)
        Features that represent their group: those that clearly belong to it.
    eigenvalues : ndarray of shape (n_eigenvalues,) or None
        Largest eigenvalues of the graph that the groups were found in; None where they were given.
    clarity : float or None
        By how much the eigenvalues fall behind the number of groups, from 0 to 1.
    """

    groups: Int[np.ndarray, " features"]
    parents: Bool[np.ndarray, "groups features"]
    core: Bool[np.ndarray, " features"]
    eigenvalues: Float[np.ndarray, " n"] | None = None
    clarity: float | None = None

    @classmethod
    def of(cls, groups: Int[np.ndarray, " features"]) -> "Grouping":
        """Grouping in which each feature's own group is its only parent, and all are clear."""
        n_groups = max(int(groups.max(initial=0)) + 1, 1)
        return cls(groups, np.equal.outer(np.arange(n_groups), groups), groups >= 0)

    @property
    def n_groups(self) -> int:
        """Number of groups, at least 1; one without features where none belongs to a group."""
        return len(self.parents)

    def core_of(self, group: int) -> Int[np.ndarray, " k"]:
        """Features that represent a group."""
        return np.flatnonzero(self.core & (self.groups == group))


def given_groups(
    labels: Int[np.ndarray, " features"], varies: Bool[np.ndarray, " features"]
) -> Grouping:
    """Groups from labels, numbered in the order of the labels.

    Parameters
    ----------
    labels : ndarray of int, shape (n_features,)
        Equal labels form one group; features with negative ones belong to none.
    varies : ndarray of bool, shape (n_features,)
        Features that are not constant; constant ones belong to no group.

    Examples
    --------
    >>> given_groups(np.array([7, 7, 2, -1, 2]), np.array([True, True, True, True, False])).groups
    array([ 1,  1,  0, -1, -1])
    """
    labels = np.where(varies & (labels >= 0), labels, NO_PARENT)
    return Grouping.of(np.searchsorted(np.unique(labels), labels) - np.any(labels < 0))


def with_decoded_features(X: Float[np.ndarray, "samples features"], grouping: Grouping) -> Grouping:
    """Let features of no group be decoded from the group that tells most about them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    grouping : Grouping
        Groups of the features.

    Returns
    -------
    Grouping
        The same groups, with a parent for every feature that varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.5 * rng.normal(size=(200, 6))
    >>> grouping = with_decoded_features(X, Grouping.of(np.array([0, 0, 0, 1, 1, -1])))
    >>> grouping.parents.argmax(axis=0), grouping.groups
    (array([0, 0, 0, 1, 1, 1]), array([ 0,  0,  0,  1,  1, -1]))
    """
    groups, parents = grouping.groups, grouping.parents.copy()
    alone = np.flatnonzero((X.min(axis=0) != X.max(axis=0)) & ~parents.any(axis=0))
    if len(alone) and (groups >= 0).any():
        correlations = Correlations(X)
        cores = np.where(grouping.core, groups, NO_PARENT)
        dimensions = group_dimensions(correlations, cores, grouping.n_groups)
        nats = group_information(correlations, cores, dimensions).nats
        parents[nats[:, alone].argmax(axis=0), alone] = True
    return replace(grouping, parents=parents)


def find_groups(
    X: Float[np.ndarray, "samples features"],
    *,
    n_groups: int | None = None,
    max_groups: int | None = None,
) -> Grouping:
    """Find groups of features with factors of their own.

    The features that common factors couple are grouped by their graph
    (`minsyn.estimators.vectors.coupling.CoupledFeatures`), whose spectrum tells the number of
    groups. Each feature is then assigned to the group that tells most about it, until none changes
    its group. Features about which no group tells anything are grouped among themselves in the
    same way, as small groups are lost among many features, and otherwise belong to no group.
    Features about which another group tells nearly as much do not represent theirs.
    Features are standardised: their units do not matter.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    n_groups : int, optional
        Number of groups; by default that of the spectrum.
    max_groups : int, optional
        Most groups that are found by default.

    Returns
    -------
    Grouping
        Groups are numbered by their first features.

    Raises
    ------
    ValueError
        If the data do not show ``n_groups`` groups.

    Warns
    -----
    UserWarning
        If no two features are correlated, or three only all together; if several factors were found
        but no two groups; if the number of groups is unclear, or more than ``max_groups``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 4, axis=1) + 0.5 * rng.normal(size=(200, 8))
    >>> find_groups(X).groups
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    n_samples, n_features = X.shape
    # Features too small to have a variance in float64 have no correlations either.
    varying = np.flatnonzero((X.min(axis=0) != X.max(axis=0)) & (X.var(axis=0) > 0))
    groups = np.full(n_features, NO_PARENT)
    groups[varying] = 0
    if n_samples < _LEAST_SAMPLES or len(varying) < 2:
        _check_at_most(n_groups, 1, f"in {n_samples} samples of {len(varying)} features that vary")
        return Grouping.of(groups)

    correlations = Correlations(X[:, varying])
    coupled, number = coupling_of(correlations, n_groups)
    if coupled is None:
        _check_at_most(n_groups, 1, "where no two features are significantly correlated")
        warn("no two features are significantly correlated: all are in one group", UserWarning)
        _warn_of_interactions(X, varying)
        return Grouping.of(groups)
    limit = min(len(coupled.axes), len(coupled.eigenvalues))
    _check_at_most(n_groups, limit, "by the common factors of the features")
    clear = number
    if n_groups is None and max_groups is not None:
        number = min(number, max_groups)
    found, blurred = _settled_unless_blurred(
        correlations, coupled, number, keep_all=n_groups is not None
    )
    clarity = float(np.clip(coupled.falls[number - 1], 0.0, 1.0))
    if n_groups is None and not blurred:
        found, further = _with_groups_of_the_rest(correlations, found, max_groups)
        clarity = min(clarity, further)
    if (found < 0).all():
        found[:] = 0
    found, clear_features = _with_cores(correlations, found)
    groups[varying] = found
    core = np.zeros(n_features, bool)
    core[varying] = clear_features
    grouping = replace(
        Grouping.of(_numbered(groups)), core=core, eigenvalues=coupled.eigenvalues, clarity=clarity
    )
    _check_at_most(n_groups, grouping.n_groups, "as the others tell most about no feature")
    if n_groups is None:
        _warn_of_doubts(grouping, len(coupled.axes), clear, max_groups)
        _warn_of_interactions(X, varying[found < 0])
    return grouping


def coupling_of(
    correlations: Correlations, n_groups: int | None = None
) -> tuple[CoupledFeatures | None, int]:
    """Graph of the features and its number of groups; None where nothing stands out from noise.

    The number is where the eigenvalues fall; if they do so nowhere, that of clear modules.

    Parameters
    ----------
    correlations : Correlations
        Of the features.
    n_groups : int, optional
        The number, if it is known.
    """
    coupled, number = coupling_by_falls(correlations, n_groups)
    if coupled is None or number > 1 or n_groups is not None:
        return coupled, number
    number = clear_modules(coupled.axes[:, coupled.features])
    if number >= len(coupled.eigenvalues):
        coupled = couple(coupled.variances, coupled.axes, correlations.n_samples, number)
    return coupled, number


def coupling_by_falls(
    correlations: Correlations, n_groups: int | None = None
) -> tuple[CoupledFeatures | None, int]:
    """As `coupling_of`, with the falls of the eigenvalues alone.

    Parameters
    ----------
    correlations, n_groups
        As there.
    """
    every = np.arange(correlations.n_features)
    variances, axes, n_factors = correlations.significant_components(every)
    if n_factors == 0:
        return None, 1
    if n_groups is not None:
        n_factors = max(n_factors, min(n_groups, len(variances)))

    def of_first(m: int) -> CoupledFeatures:
        return couple(variances[:m], axes[:m], correlations.n_samples, n_groups or 1)

    coupled = of_first(n_factors)
    if len(coupled.features) == 0:  # the factors are spread too thinly to show in any feature
        return None, 1
    if n_groups is not None:
        clearest = _clearest(of_first, n_factors, n_groups) if n_groups > 1 else None
        return (coupled, n_groups) if clearest is None else clearest
    number = coupled.n_groups(*_CLEAR_CUT)
    if number > 1 or n_factors == 1:
        return coupled, number
    # Minor factors, of one or two features, are no groups, and blur the others.
    m, major = n_factors, coupled
    for _ in range(_ROUNDS):
        minor = major.n_minor_factors()
        if minor == 0 and major.each_factor_is_a_group():
            return major, m
        m -= minor
        if minor == 0 or n_factors - m > _MOST_MINOR or m < 2:
            break
        major = of_first(m)
    # Many small components, as of smooth images, connect features that are neighbours and no more.
    clearest = _clearest(of_first, n_factors)
    return clearest if clearest is not None else (coupled, 1)


def _clearest(
    of_first: Callable[[int], CoupledFeatures], n_factors: int, n_groups: int | None = None
) -> tuple[CoupledFeatures, int] | None:
    """Graph of all factors, of the first three quarters and so on that falls most behind groups."""
    m, clearest, most = n_factors, None, 0.0
    while m >= _LEAST_FACTORS:
        coupled = of_first(m)
        number = n_groups or coupled.n_groups(*_CLEAR)
        enough = m == n_factors or number <= m / 2  # groups of the first factors have several each
        enough &= 1 < number <= len(coupled.falls)
        if enough and coupled.falls[number - 1] > _CLEARER * most:
            clearest, most = (coupled, number), float(coupled.falls[number - 1])
        m = m * 3 // 4
    return clearest


def _with_groups_of_the_rest(
    correlations: Correlations, groups: Int[np.ndarray, " features"], max_groups: int | None
) -> tuple[Int[np.ndarray, " features"], float]:
    """Add groups of the features of no group, and say how clear their number is."""
    clarity = 1.0
    while True:
        rest = np.flatnonzero(groups < 0)
        n_groups = int(groups.max()) + 1
        if len(rest) < 2 or len(rest) == len(groups) or n_groups == max_groups:
            return groups, clarity
        among = correlations.among(rest)
        coupled, number = coupling_of(among)
        if coupled is None:
            return groups, clarity
        number = number if max_groups is None else min(number, max_groups - n_groups)
        labels = _settled(among, coupled.labels(number), number)
        if (labels < 0).all():
            return groups, clarity
        more = groups.copy()
        more[rest] = np.where(labels >= 0, n_groups + labels, NO_PARENT)
        more = _settled(correlations, more, int(more.max()) + 1)
        if np.sum(more < 0) >= len(rest):
            return groups, clarity
        groups, clarity = more, min(clarity, float(coupled.falls[number - 1]))


def _settled_unless_blurred(
    correlations: Correlations, coupled: CoupledFeatures, n_groups: int, keep_all: bool
) -> tuple[Int[np.ndarray, " features"], bool]:
    """Groups of the graph, settled unless that makes them worse groups of the graph.

    Where some features have two parents, their principal components are those of both groups, and
    each tells about the features of the other.
    """
    labels = coupled.labels(n_groups)
    found = _settled(correlations, labels, n_groups, keep_all)
    if coupled.association(found, n_groups) < coupled.association(labels, n_groups) - _BLURRED:
        return labels, True
    return found, False


def _settled(
    correlations: Correlations,
    groups: Int[np.ndarray, " features"],
    n_groups: int,
    keep_all: bool = False,
) -> Int[np.ndarray, " features"]:
    """Move every feature to the group that tells most about it, until none moves.

    With ``keep_all``, a round that would empty a group is not taken.
    """
    dimensions = group_dimensions(correlations, groups, n_groups)
    best, most, seen = groups, -np.inf, set()
    for _ in range(_MAX_ROUNDS):
        information = group_information(correlations, groups, dimensions)
        nats = information.nats
        total = float(nats.max(axis=0).sum())
        if total > most:
            best, most = groups, total
        parent = nats.argmax(axis=0)
        # Bonferroni over the groups among which the best was chosen, then the features.
        p_values = np.minimum(information.p_values(parent) * n_groups, 1.0)
        q_value = false_discovery_control(p_values)
        moved = np.where(q_value <= _LEVEL, parent, NO_PARENT)
        if np.array_equal(moved, groups):
            return groups
        if keep_all and len(np.unique(moved[moved >= 0])) < n_groups:
            return best
        groups = moved
        if groups.tobytes() in seen:  # a cycle: its best partition
            return best
        seen.add(groups.tobytes())
    return best


def _with_cores(
    correlations: Correlations, groups: Int[np.ndarray, " features"]
) -> tuple[Int[np.ndarray, " features"], Bool[np.ndarray, " features"]]:
    """Which features clearly belong to their group; the others move to where these tell more.

    In few samples a rare value of one group may always occur beside one of another. Features that
    depend on it are predicted equally well by both groups, and latents of the wrong one, if fitted
    to them, would not carry over to other samples. What moves can make others clear, or unclear:
    this is repeated until none moves, and the round with the most clear features counts.
    """
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        return groups, groups >= 0
    rounds = []
    for _ in range(_MAX_CORE_ROUNDS):
        clear = _clear_features(correlations, groups, n_groups)
        moved = _moved_to_cores(correlations, groups, clear, n_groups)
        rounds.append((moved, clear))
        if np.array_equal(moved, groups):
            break
        groups = moved
    return max(rounds, key=lambda found: found[1].sum())


def _clear_features(
    correlations: Correlations, groups: Int[np.ndarray, " features"], n_groups: int
) -> Bool[np.ndarray, " features"]:
    """Features about which no other group tells nearly as much as their own."""
    member = groups >= 0
    dimensions = group_dimensions(correlations, groups, n_groups)
    nats = group_information(correlations, groups, dimensions).nats
    explained = -np.expm1(-2 * nats)
    is_own = np.equal.outer(np.arange(n_groups), groups)
    own, rival = (np.where(of, explained, 0.0).max(axis=0) for of in (is_own, ~is_own))
    clear: np.ndarray = member & (rival < _RIVAL * own)
    for of_group in is_own:
        if clear[of_group].sum() < _LEAST_CLEAR * of_group.sum():
            clear |= of_group
    return clear


def _moved_to_cores(
    correlations: Correlations,
    groups: Int[np.ndarray, " features"],
    clear: Bool[np.ndarray, " features"],
    n_groups: int,
) -> Int[np.ndarray, " features"]:
    """Unclear features in the group whose clear features tell most about them."""
    unclear = (groups >= 0) & ~clear
    if not unclear.any():
        return groups
    cores = np.where(clear, groups, NO_PARENT)
    dimensions = group_dimensions(correlations, cores, n_groups)
    nats = group_information(correlations, cores, dimensions).nats
    left = np.exp(-2 * nats)
    lost = np.where(np.equal.outer(np.arange(n_groups), groups), left, 0.0).max(axis=0)
    moves = unclear & (left.min(axis=0) + _TIE < lost)
    return np.where(moves, nats.argmax(axis=0), groups)


def _check_at_most(n_groups: int | None, limit: int, why: str) -> None:
    if n_groups is not None and n_groups > limit:
        raise ValueError(
            f"{n_groups} groups were asked for, but only {limit} can be told apart {why}: ask for "
            "fewer, or for n_groups='auto'"
        )


def _warn_of_doubts(grouping: Grouping, n_factors: int, clear: int, max_groups: int | None) -> None:
    if max_groups is not None and clear > max_groups:
        warn(
            f"the features show {clear} groups, but n_components={max_groups} allows only "
            f"{max_groups}: raise n_components, or use fewer groups",
            UserWarning,
        )
    elif grouping.n_groups == 1 and n_factors > 1 and max_groups != 1:
        warn(
            f"one group by default: the {n_factors} factors of the features cannot be told apart "
            "by features that have only some of them. If there are groups, give n_groups, or "
            "labels in grouping",
            UserWarning,
        )
    elif grouping.clarity is not None and grouping.clarity < _UNCLEAR:
        warn(
            f"the number of groups, {grouping.n_groups}, is unclear (clarity_ is "
            f"{grouping.clarity:.2f}): compare others by n_groups",
            UserWarning,
        )


def _warn_of_interactions(
    X: Float[np.ndarray, "samples features"], features: Int[np.ndarray, " k"]
) -> None:
    """Warn of features that correlations say nothing about, but products do."""
    found = find_interaction(X[:, features])
    if found is not None:
        i, j, k = (int(features[index]) for index in found)
        warn(
            f"features {i}, {j} and {k} depend on each other only jointly, as in an exclusive or. "
            "Groups are found from correlations of pairs, which do not show this; "
            "minsyn.information.synergy measures it",
            UserWarning,
        )


def _numbered(groups: Int[np.ndarray, " features"]) -> Int[np.ndarray, " features"]:
    """The same groups, numbered by their first features."""
    present, first = np.unique(groups, return_index=True)
    first[present < 0] = -1
    number = np.argsort(np.argsort(first)) - np.sum(present < 0)
    return number[np.searchsorted(present, groups)]
