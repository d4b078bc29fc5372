"""Groups of features: the parent of each feature."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import false_discovery_control

from minsyn._warnings import warn
from minsyn.estimators.vectors.codes import find_codes, squared_correlations
from minsyn.estimators.vectors.group_information import MAX_COMPONENTS, group_information
from minsyn.information.graph import SynergyGraph, spectral_groups, synergy_graph

__all__ = ["NO_PARENT", "Grouping", "find_groups", "given_groups"]

#: Label of features that belong to no group.
NO_PARENT = -1
#: Fewest samples that synergies of pairs can be estimated from.
_LEAST_SAMPLES = 4
#: False discovery rate of parents.
_LEVEL = 0.05
#: Most rounds of reassigning features.
_MAX_ROUNDS = 50


@dataclass(frozen=True)
class Grouping:
    """The parents of every feature.

    Attributes
    ----------
    groups : ndarray of shape (n_features,)
        The group of each feature, from 0; -1 for those that belong to none.
    parents : ndarray of bool, shape (n_groups, n_features)
        Which groups are parents of a feature: its own, and possibly a second one.
    graph : SynergyGraph or None
        Graph that the groups were found from; None where they were given, or all is one group.
    """

    groups: Int[np.ndarray, " features"]
    parents: Bool[np.ndarray, "groups features"]
    graph: SynergyGraph | None = None

    @classmethod
    def of(
        cls, groups: Int[np.ndarray, " features"], graph: SynergyGraph | None = None
    ) -> "Grouping":
        """Grouping in which each feature's own group is its only parent."""
        n_groups = max(int(groups.max(initial=0)) + 1, 1)
        return cls(groups, np.equal.outer(np.arange(n_groups), groups), graph)

    @property
    def n_groups(self) -> int:
        """Number of groups, at least 1; one without features where none belongs to a group."""
        return len(self.parents)


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


def find_groups(
    X: Float[np.ndarray, "samples features"],
    *,
    n_groups: int | None = None,
    max_groups: int | None = None,
    by: Literal["synergy", "correlation"] = "synergy",
) -> Grouping:
    """Find groups of features such that several groups together tell little about any feature.

    Features are summarised by codes, and the codes are grouped by the synergies of pairs or, for
    comparison, by their squared correlations. Each feature takes the group of its code. By
    synergy, features are then reassigned to the group that tells most about them, until none
    changes its group; by correlation, they stay with their code.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    n_groups : int, optional
        Number of groups; by default the largest gap in the spectrum of the codes' graph.
    max_groups : int, optional
        Most groups that are found by default.
    by : {"synergy", "correlation"}, default="synergy"
        What ties codes together.

    Returns
    -------
    Grouping
        Groups are numbered by their first features.

    Raises
    ------
    ValueError
        If the data do not show ``n_groups`` groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 4, axis=1) + 0.5 * rng.normal(size=(200, 8))
    >>> find_groups(X).groups
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    n_samples, n_features = X.shape
    dX = X - X.mean(axis=0)
    std = np.sqrt(np.mean(dX**2, axis=0))
    varying = np.flatnonzero(X.min(axis=0) != X.max(axis=0))
    groups = np.full(n_features, NO_PARENT)
    groups[varying] = 0
    if n_samples < _LEAST_SAMPLES or len(varying) < 2:
        _check_at_most(n_groups, 1, f"in {n_samples} samples of {len(varying)} features that vary")
        return Grouping.of(groups)

    codes, nearest = find_codes(dX[:, varying] / std[varying])
    n_codes = codes.shape[1]
    if n_codes == 0:
        _check_at_most(n_groups, 1, "where no two features are significantly correlated")
        warn("no two features are significantly correlated: all are in one group", UserWarning)
        return Grouping.of(groups)
    _check_at_most(n_groups, n_codes, f"by the {n_codes} codes that summarise the features")
    most = n_codes if max_groups is None else min(max_groups, n_codes)
    graph = synergy_graph(codes, X[:, varying], n_groups, most)
    labels = graph.labels
    if by == "correlation":
        _, labels = spectral_groups(squared_correlations(codes), n_groups, most)
    found = np.where(nearest >= 0, labels[nearest], NO_PARENT)
    if by == "synergy":
        found = _reassigned(dX[:, varying], found, keep_all=n_groups is not None)
    if (found < 0).all():
        found[:] = 0
    groups[varying] = found
    grouping = Grouping.of(_numbered(groups), graph)
    _check_at_most(n_groups, grouping.n_groups, "as no feature is nearest to the others' codes")
    return grouping


def _check_at_most(n_groups: int | None, limit: int, why: str) -> None:
    if n_groups is not None and n_groups > limit:
        raise ValueError(
            f"{n_groups} groups were asked for, but only {limit} can be told apart {why}: ask for "
            "fewer, or for n_groups='auto'"
        )


def _numbered(groups: Int[np.ndarray, " features"]) -> Int[np.ndarray, " features"]:
    """The same groups, numbered by their first features."""
    present, first = np.unique(groups, return_index=True)
    first[present < 0] = -1
    number = np.argsort(np.argsort(first)) - np.sum(present < 0)
    return number[np.searchsorted(present, groups)]


def _reassigned(
    dX: Float[np.ndarray, "samples features"],
    groups: Int[np.ndarray, " features"],
    keep_all: bool,
) -> Int[np.ndarray, " features"]:
    """Move every feature to the group that tells most about it, until none moves.

    With ``keep_all``, a round that would empty a group is not taken.
    """
    variance = np.mean(dX**2, axis=0)
    best, most, seen = groups, -np.inf, set()
    for round_number in range(_MAX_ROUNDS):
        present = np.unique(groups[groups >= 0])
        if len(present) == 0:
            break
        nats, p_values, n_components = group_information(dX, groups, present, variance)
        if round_number == 0 and n_components == MAX_COMPONENTS:
            # So many components tell about every group: moves would follow chance.
            return groups
        total = float(variance @ nats.max(axis=0))
        if total > most:
            best, most = groups, total
        parent = nats.argmax(axis=0)
        p_value = p_values[parent, np.arange(len(parent))]
        # Bonferroni over the groups among which the best was chosen, then the features.
        q_value = false_discovery_control(np.minimum(p_value * len(present), 1.0))
        moved = np.where(q_value <= _LEVEL, present[parent], NO_PARENT)
        if np.array_equal(moved, groups):
            return groups
        if keep_all and not np.isin(present, moved).all():
            return best
        groups = moved
        if groups.tobytes() in seen:  # a cycle: its best partition
            return best
        seen.add(groups.tobytes())
    return best
