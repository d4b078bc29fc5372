"""How well groups of features that were found agree with the true ones."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

__all__ = ["GroupAgreement", "group_agreement"]


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement of two groupings of the same features.

    Attributes
    ----------
    n_groups : int
        Groups found.
    adjusted_rand : float
        Adjusted Rand index: 1 for the same partition, 0 for what chance gives.
    wrong_features : int
        Features in another group than the true one, after the best one-to-one matching of groups;
        those flagged as belonging to none (-1) are right where this is so in truth.
    """

    n_groups: int
    adjusted_rand: float
    wrong_features: int


def group_agreement(found: ArrayLike, truth: ArrayLike) -> GroupAgreement:
    """Compare groups of features with the true ones.

    Parameters
    ----------
    found, truth : array-like of n_features integers
        A group for each feature, by any numbers from 0; negative for features in no group, which
        the adjusted Rand index takes for a group like others.

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
    The numbers of groups do not matter; a feature that is wrongly flagged does:

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
    """Groups as integers, with one number for all features in none."""
    labels = np.asarray(groups)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected an integer a feature, found shape {labels.shape} of {labels.dtype}"
        )
    return np.maximum(labels.astype(int), -1)
