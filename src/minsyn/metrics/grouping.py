"""Agreement of groups of features with the true groups."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from minsyn.information._arrays import as_array

__all__ = ["GroupAgreement", "group_agreement"]


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement of two groupings of the same features.

    Attributes
    ----------
    n_groups : int
        Number of groups found.
    adjusted_rand : float
        Adjusted Rand index: 1 for identical partitions, 0 on average for random ones.
    wrong_features : int
        Number of features that are not in their true group, under the best one-to-one matching of
        groups. Features of no group (-1) are right if they belong to none in truth.
    """

    n_groups: int
    adjusted_rand: float
    wrong_features: int


def group_agreement(found: ArrayLike, truth: ArrayLike) -> GroupAgreement:
    """Compare groups of features with the true ones.

    Parameters
    ----------
    found, truth : array-like of n_features integers
        The group of each feature, as arbitrary numbers from 0. Features of no group have negative
        numbers; the adjusted Rand index counts them as one further group.

    Returns
    -------
    GroupAgreement

    Raises
    ------
    ValueError
        The lengths differ, or there are no features.

    References
    ----------
    Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985.

    Examples
    --------
    The numbering of the groups does not matter. One feature is wrongly left in no group:

    >>> from minsyn.metrics import group_agreement
    >>> group_agreement([1, 1, 0, 0, -1], [0, 0, 1, 1, 1]).wrong_features
    1
    """
    found, truth = _labels(found, "found"), _labels(truth, "truth")
    if found.shape != truth.shape or len(found) == 0:
        raise ValueError(
            "found, truth: expected one group for each of the same features, found "
            f"{len(found)} and {len(truth)}"
        )
    ours, theirs = np.unique(found[found >= 0]), np.unique(truth[truth >= 0])
    shared = np.array([[np.sum((found == a) & (truth == b)) for b in theirs] for a in ours])
    shared = shared.reshape(len(ours), len(theirs))
    right = shared[linear_sum_assignment(shared, maximize=True)].sum()
    right += np.sum((found < 0) & (truth < 0))
    return GroupAgreement(
        n_groups=len(ours),
        adjusted_rand=float(adjusted_rand_score(truth, found)),
        wrong_features=int(len(found) - right),
    )


def _labels(groups: ArrayLike, name: str) -> Int[np.ndarray, " features"]:
    """Groups as integers, with -1 for all features of no group."""
    labels = as_array(groups, name)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected an integer for each feature, found shape {labels.shape} of "
            f"{labels.dtype}"
        )
    return np.maximum(labels.astype(int), -1)
