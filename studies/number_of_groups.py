"""Rules for the number of groups in a graph of features, and what each of them finds."""

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.coupling import CoupledFeatures
from minsyn.estimators.vectors.group_information import group_dimensions, group_information
from minsyn.estimators.vectors.grouping import coupling_by_falls, coupling_of, find_groups
from minsyn.estimators.vectors.modules import find_modules
from minsyn.metrics import group_agreement

__all__ = ["RULES", "Rule", "measure_rules"]

#: Most groups that are tried.
_MOST = 20
#: All factors are groups where the smallest of their eigenvalues is larger.
_ALL = 0.3


class Rule(NamedTuple):
    """A rule for the number of groups.

    Attributes
    ----------
    label : str
        What it is.
    number : callable
        From `Correlations` to a number of groups.
    """

    label: str
    number: Callable[[Correlations], int]


def _from_graph(rule: Callable[[Correlations, CoupledFeatures], int]) -> Callable[..., int]:
    """A rule about the graph of all factors; without a graph there is one group."""

    def number(correlations: Correlations) -> int:
        # As many groups as there are factors are asked for: none is left out as minor.
        coupled, _ = coupling_by_falls(correlations, 1)
        return 1 if coupled is None else rule(correlations, coupled)

    return number


@_from_graph
def _smallest_eigenvalue(correlations: Correlations, coupled: CoupledFeatures) -> int:
    m = min(len(coupled.axes), len(coupled.eigenvalues))
    if coupled.eigenvalues[m - 1] > _ALL:
        return m
    falls = coupled.falls[1 : max(m // 2 + 1, 2)]
    return int(np.argmax(falls)) + 2 if len(falls) else 1


@_from_graph
def _modularity(correlations: Correlations, coupled: CoupledFeatures) -> int:
    axes = coupled.axes[:_MOST, coupled.features]
    return find_modules(axes).number if axes.shape[1] > len(axes) > 1 else 1


@_from_graph
def _penalised_information(correlations: Correlations, coupled: CoupledFeatures) -> int:
    """Information of each feature's own group, less half the logarithm of N per coefficient."""
    n_samples = correlations.n_samples
    penalty = np.log(n_samples) / (2 * n_samples)
    scores = []
    for n_groups in range(1, min(len(coupled.axes), coupled.vectors.shape[1], _MOST) + 1):
        labels = coupled.labels(n_groups)
        dimensions = group_dimensions(correlations, labels, n_groups)
        nats = group_information(correlations, labels, dimensions).nats
        own = labels[coupled.features]
        scores.append(np.sum(nats[own, coupled.features] - penalty * dimensions[own]))
    return int(np.argmax(scores)) + 1


#: Rules by their keys; the first is that of `VectorMinSyn`.
RULES: Mapping[str, Rule] = {
    "present": Rule("Falls, else modules", lambda correlations: coupling_of(correlations)[1]),
    "falls": Rule("Falls alone", lambda correlations: coupling_by_falls(correlations)[1]),
    "modularity": Rule("Modularity alone", _modularity),
    "information": Rule("Penalised information", _penalised_information),
    "eigenvalue": Rule("Smallest eigenvalue", _smallest_eigenvalue),
}


def measure_rules(
    X: Float[np.ndarray, "samples features"], groups: Int[np.ndarray, " features"]
) -> list[dict[str, str | float | int]]:
    """Number of groups by each rule, and how well groups of that number agree with the true ones.

    The present rule's are those that `VectorMinSyn` finds, with groups among features of no group.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data, of which no feature is constant.
    groups : ndarray of shape (n_features,)
        True groups.

    Returns
    -------
    list of dict
        ``rule``, ``groups``, ``true_groups`` and ``ari`` of each rule.

    Examples
    --------
    >>> X = np.repeat(np.random.default_rng(0).normal(size=(100, 3)), 4, axis=1)
    >>> X += 0.5 * np.random.default_rng(1).normal(size=X.shape)
    >>> [scores["groups"] for scores in measure_rules(X, np.repeat([0, 1, 2], 4))]
    [3, 3, 3, 3, 3]
    """
    correlations = Correlations(X)
    scores: list[dict[str, str | float | int]] = []
    aris: dict[int | None, float] = {}
    for key, rule in RULES.items():
        number = rule.number(correlations)
        asked = None if key == "present" else number
        if asked not in aris:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                try:
                    found = find_groups(X, n_groups=asked)
                    aris[asked] = group_agreement(found.groups, groups).adjusted_rand
                except ValueError:  # so many cannot be told apart
                    aris[asked] = 0.0
                if asked is None:
                    number = found.n_groups
        scores.append(
            {
                "rule": key,
                "groups": number,
                "true_groups": int(groups.max()) + 1,
                "ari": aris[asked],
            }
        )
    return scores
