"""Features of several groups: the parents that each feature is decoded from."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import beta, false_discovery_control, ncf

from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.group_information import group_dimensions, group_information
from minsyn.estimators.vectors.grouping import NO_PARENT, Grouping
from minsyn.estimators.vectors.principal_components import leading_components

__all__ = ["add_parents", "given_parents"]

#: Cohen's f^2 of a small effect: what a further parent explains, relative to what it leaves.
_SMALL_EFFECT = 0.02
#: False discovery rate of further parents.
_LEVEL = 0.05
#: Rounds of finding features with one parent, which represent the groups in the next.
_ROUNDS = 4
#: Fewest features with one parent that represent a group.
_LEAST_ALONE = 3
#: Directions whose singular value is below this share of a score are rounding.
_RANK_TOLERANCE = 1e-7
#: Shares of a feature's variance below this are rounding.
_LEAST_SHARE = 1e-9


def add_parents(
    X: Float[np.ndarray, "samples features"], grouping: Grouping, max_parents: int | None = None
) -> Grouping:
    r"""Give features further parents where these tell clearly more than those they have.

    Parents are added one at a time. Of the groups that are no parents of a feature, the next one is
    that with the least p-value of a minimum-effect test [1]_: let a feature have the residual
    variance :math:`v` given its parents, of which the group's d components explain the part g more
    than by chance if

    .. math::

        \frac{g / d}{(v - g) / (n - 1 - m - d)}

    is large for the non-central F distribution with d and :math:`n - 1 - m - d` degrees of freedom
    and the non-centrality :math:`n f^2`, where m is the number of components of the parents. The
    null hypothesis is thus an effect of :math:`f^2 = .02` or less, "small" by convention [2]_: 2 %
    of what the parents leave. With many samples, any leak between groups is significant, and most
    are that small. P-values are multiplied by the number of groups that were tried, and the
    false discovery rate over all features is held at 5 %.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    grouping : Grouping
        Groups of the features.
    max_parents : int, optional
        Most parents of a feature; by default all groups.

    Returns
    -------
    Grouping
        The same groups, with one or more parents for each of their features.

    References
    ----------
    .. [1] Murphy and Myors, "Testing the hypothesis that treatments have negligible effects:
       minimum-effect tests in the general linear model", Journal of Applied Psychology 84, 1999.
    .. [2] Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed., 1988, ch. 9.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> causes = rng.normal(size=(200, 2))
    >>> X = np.repeat(causes, 4, axis=1) + 0.3 * rng.normal(size=(200, 8))
    >>> X = np.column_stack([X, causes.sum(axis=1)])
    >>> grouping = Grouping.of(np.array([0, 0, 0, 0, 1, 1, 1, 1, 1]))
    >>> add_parents(X, grouping).parents.sum(axis=0)
    array([1, 1, 1, 1, 1, 1, 1, 1, 2])
    """
    n_groups = grouping.n_groups
    most = n_groups if max_parents is None else min(max_parents, n_groups)
    if most < 2:
        return grouping
    dX = X - X.mean(axis=0)
    std = np.sqrt(np.mean(dX**2, axis=0))
    dX = dX / np.where(X.min(axis=0) != X.max(axis=0), std, np.inf)
    correlations = Correlations(X)
    cores = np.where(grouping.core, grouping.groups, NO_PARENT)
    dimensions = group_dimensions(correlations, cores, n_groups)
    # A group's last components may be causes that some of its features share with other groups.
    nats = group_information(correlations, cores, -(-dimensions // 2)).nats
    purest = [_purest(nats, group, cores) for group in range(n_groups)]
    parents = grouping.parents
    for _ in range(_ROUNDS):
        scores = [
            leading_components(dX[:, own], d)[0] if len(own) else np.zeros((len(X), 0))
            for own, d in zip(purest, dimensions, strict=True)
        ]
        found = _searched(dX, scores, grouping, most)
        if np.array_equal(found, parents):
            break
        parents = found
        alone = np.where(parents.sum(axis=0) == 1, cores, NO_PARENT)
        for group in range(n_groups):
            own = np.flatnonzero(alone == group)
            if len(own) >= _LEAST_ALONE:
                purest[group] = own
    return replace(grouping, parents=parents)


def given_parents(
    X: Float[np.ndarray, "samples features"], parents: Bool[np.ndarray, "groups features"]
) -> Grouping:
    """Groups of which the parents of each feature are known.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data. Constant features have no parents.
    parents : ndarray of bool, shape (n_groups, n_features)
        The parents of each feature.

    Returns
    -------
    Grouping
        A feature with several parents belongs to the one that tells most about it.

    Raises
    ------
    ValueError
        If a group is the only parent of no feature that varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> causes = rng.normal(size=(100, 2))
    >>> X = causes @ np.array([[1, 1, 0, 0, 1.0], [0, 0, 1, 1, 2]])
    >>> given_parents(X, np.array([[1, 1, 0, 0, 1], [0, 0, 1, 1, 1]], dtype=bool)).groups
    array([0, 0, 1, 1, 1])
    """
    parents = parents & (X.min(axis=0) != X.max(axis=0))
    number = parents.sum(axis=0)
    empty = np.flatnonzero(~parents[:, number == 1].any(axis=1))
    if len(empty):
        raise ValueError(
            f"grouping: group {empty[0]} is the only parent of no feature that varies; its latents "
            "could not be told from those of the groups that it shares its features with"
        )
    groups = np.where(number == 1, parents.argmax(axis=0), NO_PARENT)
    shared = np.flatnonzero(number > 1)
    if len(shared):
        correlations = Correlations(X)
        dimensions = group_dimensions(correlations, groups, len(parents))
        nats = group_information(correlations, groups, dimensions).nats
        groups[shared] = np.where(parents, nats, -np.inf)[:, shared].argmax(axis=0)
    return Grouping(groups, parents, groups >= 0)


def _purest(
    nats: Float[np.ndarray, "groups features"], group: int, groups: Int[np.ndarray, " features"]
) -> Int[np.ndarray, " k"]:
    """The half of a group's features about which other groups tell least.

    Features with several parents would bring the others into the group's own components.
    """
    own = np.flatnonzero(groups == group)
    others = np.delete(nats[:, own], group, axis=0).max(axis=0)
    return own[np.argsort(others - nats[group, own], kind="stable")[: -(-len(own) // 2)]]


def _searched(
    dX: Float[np.ndarray, "samples features"],
    scores: list[Float[np.ndarray, "samples d"]],
    grouping: Grouping,
    max_parents: int,
) -> Bool[np.ndarray, "groups features"]:
    """Parents of the features of groups, from scores that represent the groups."""
    parents = grouping.parents.copy()
    own = np.flatnonzero(grouping.groups >= 0)
    for n_parents in range(1, max_parents):
        # Only features that got a parent in the round before can get another one.
        open_ = own[parents[:, own].sum(axis=0) == n_parents]
        if len(open_) == 0:
            break
        p_values = _p_values(dX[:, open_], scores, parents[:, open_])
        best = p_values.argmin(axis=0)
        tried = len(scores) - n_parents
        p_value = np.minimum(p_values[best, np.arange(len(open_))] * tried, 1.0)
        found = false_discovery_control(p_value) <= _LEVEL
        parents[best[found], open_[found]] = True
    return parents


def _p_values(
    dX: Float[np.ndarray, "samples k"],
    scores: list[Float[np.ndarray, "samples d"]],
    parents: Bool[np.ndarray, "groups k"],
) -> Float[np.ndarray, "groups k"]:
    """P-values that a group adds no more than a small effect; 1 for the parents themselves."""
    n_samples = len(dX)
    p_values = np.ones(parents.shape)
    for pattern in np.unique(parents, axis=1).T:
        features = np.flatnonzero(np.all(parents == pattern[:, np.newaxis], axis=0))
        known = _basis(np.hstack([scores[k] for k in np.flatnonzero(pattern)]))
        left = dX[:, features] - known @ (known.T @ dX[:, features])
        unexplained = np.sum(left**2, axis=0)
        told = unexplained <= _LEAST_SHARE * n_samples  # by the parents, but for rounding
        for group in np.flatnonzero(~pattern):
            basis = _basis(scores[group] - known @ (known.T @ scores[group]))
            d = basis.shape[1]
            freedom = n_samples - 1 - known.shape[1] - d
            if d == 0 or freedom < 1:
                continue
            gain = np.sum((basis.T @ left) ** 2, axis=0)
            share = np.clip(gain / np.where(told, np.inf, unexplained), 0.0, 1 - _LEAST_SHARE)
            # Of no effect at all; only where this is significant, the other test can be.
            p_value = beta.sf(share, d / 2, freedom / 2)
            tried = np.flatnonzero(p_value <= _LEVEL)
            if len(tried):
                f = share[tried] / (1 - share[tried]) * freedom / d
                p_value[tried] = ncf.sf(f, d, freedom, n_samples * _SMALL_EFFECT)
            p_values[group, features] = p_value
    return p_values


def _basis(scores: Float[np.ndarray, "samples d"]) -> Float[np.ndarray, "samples r"]:
    """Orthonormal basis of scores of unit length, without directions that are rounding."""
    basis, s, _ = np.linalg.svd(scores, full_matrices=False)
    return basis[:, s > _RANK_TOLERANCE]
