"""Number of latents of each group of features."""

import numpy as np
from jaxtyping import Float, Int

from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.group_information import group_dimensions
from minsyn.estimators.vectors.grouping import NO_PARENT, Grouping
from minsyn.estimators.vectors.principal_components import variances_along_components

__all__ = ["count_latents", "share_latents"]

#: Of what k principal components leave, k latents with a logistic decoder leave about this to the
#: power k (measured on letters, one to five latents); with a linear one they leave the same.
_BEND = 0.7


def count_latents(
    X: Float[np.ndarray, "samples features"], grouping: Grouping
) -> Int[np.ndarray, " groups"]:
    """Number of principal components of each group that stand out from noise, at least one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    grouping : Grouping
        Groups of the features.
    """
    cores = np.where(grouping.core, grouping.groups, NO_PARENT)
    return group_dimensions(Correlations(X), cores, grouping.n_groups)


def share_latents(
    X: Float[np.ndarray, "samples features"],
    grouping: Grouping,
    sample_weights: list[Float[np.ndarray, " samples"]],
    n_latents: int,
    logistic: bool,
) -> Int[np.ndarray, " groups"]:
    """Share out a number of latents over the groups.

    Each group has one. Each further one goes where it reduces the squared error most, as
    estimated from the group's principal components.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    grouping : Grouping
        Groups of the features.
    sample_weights : list of ndarray of shape (n_samples,)
        Weights of the samples for each group.
    n_latents : int
        Number of latents of all groups together.
    logistic : bool
        Whether the decoder is logistic; else it is linear.

    Raises
    ------
    ValueError
        If there are more groups than latents.

    Examples
    --------
    Three components in one group and one in the other:

    >>> rng = np.random.default_rng(0)
    >>> maps = np.zeros((4, 12))
    >>> maps[:3, :8], maps[3, 8:] = rng.normal(size=(3, 8)), 1.0
    >>> X = rng.normal(size=(200, 4)) @ maps
    >>> grouping = Grouping.of(np.repeat([0, 1], [8, 4]))
    >>> share_latents(X, grouping, [np.ones(200)] * 2, 4, logistic=False)
    array([3, 1])
    """
    if n_latents < grouping.n_groups:
        raise ValueError(
            f"n_components={n_latents} leaves some of the {grouping.n_groups} groups without a "
            "latent: raise it, or form fewer groups"
        )
    left = []
    for group, weight in enumerate(sample_weights):
        variances = variances_along_components(X[:, grouping.core_of(group)], weight)
        variances = np.append(variances, np.zeros(n_latents + 2))
        after = np.cumsum(variances[::-1])[::-1][: n_latents + 2]
        left.append(after * (_BEND if logistic else 1.0) ** np.arange(len(after)))
    gains = -np.diff(left, axis=1)
    shares = np.ones(grouping.n_groups, int)
    for _ in range(n_latents - grouping.n_groups):
        shares[np.argmax(gains[np.arange(grouping.n_groups), shares])] += 1
    return shares
