"""Concentration of factors on groups of features."""

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import entr

from minsyn.information._arrays import as_numbers

__all__ = ["average_character_concentration", "character_concentration"]


def average_character_concentration(components: ArrayLike, groups: Iterable[Any]) -> float:
    r"""Average character concentration (ACC): entropy of the factors' weights over groups.

    With weights :math:`w_{ji}` of factor :math:`j` on feature :math:`i`, and :math:`S_k` the
    features of group :math:`k` (in the paper the pixels of a character),

    .. math::

        C_{jk} = \frac{\sum_{i \in S_k} w_{ji}^2}{\sum_i w_{ji}^2}, \qquad
        \mathrm{ACC} = \frac1m \sum_j \sum_k -C_{jk} \log C_{jk}.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Decoder maps, one row a factor, as in ``components_``. Their signs and scales do not
        matter.
    groups : iterable of n_features hashables
        The group of each feature, as arbitrary labels.

    Returns
    -------
    float
        Entropy in nats, from 0 (each factor has weight in one group only) to the log of the number
        of groups (even weights in all groups; log 3 = 1.0986 for words of three letters). Factors
        without any weight are left out of the mean; the result is NaN if no factor has weight.
        `character_concentration` gives the value of each factor.

    Raises
    ------
    ValueError
        ``components`` is not a matrix of finite numbers with at least one row and column, or
        ``groups`` does not have one label a feature.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Sec. IV-B.1.

    Examples
    --------
    One factor within the first group, and one with even weights in both:

    >>> from minsyn.metrics import average_character_concentration
    >>> components = [[3.0, 4.0, 0.0, 0.0], [1.0, 1.0, -1.0, 1.0]]
    >>> round(average_character_concentration(components, ["a", "a", "b", "b"]), 4)  # log(2) / 2
    0.3466
    """
    entropies = character_concentration(components, groups)
    weighted = ~np.isnan(entropies)
    return float(entropies[weighted].mean()) if weighted.any() else float("nan")


def character_concentration(
    components: ArrayLike, groups: Iterable[Any]
) -> Float[np.ndarray, " components"]:
    """Entropy of each factor's weights over groups; `average_character_concentration` is the mean.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Decoder maps.
    groups : iterable of n_features hashables
        The group of each feature.

    Returns
    -------
    ndarray of shape (n_components,)
        Entropy in nats of the groups' shares in a factor's squared weights, from 0 to the log of
        the number of groups; NaN for a factor without weight.

    Raises
    ------
    ValueError
        As for `average_character_concentration`.

    Examples
    --------
    >>> from minsyn.metrics import character_concentration
    >>> character_concentration([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [0, 1]).round(4)
    array([0.    , 0.6931,    nan])
    """
    weights = as_numbers(components, "components")
    if weights.ndim != 2 or weights.size == 0:
        raise ValueError(
            "components: expected shape (n_components, n_features) with at least one of each, "
            f"found {weights.shape}"
        )
    if not np.isfinite(weights).all():
        raise ValueError(
            f"components: {np.sum(~np.isfinite(weights))} of {weights.size} weights are NaN or "
            "infinite: the fit has diverged"
        )
    codes = _codes(groups)
    if len(codes) != weights.shape[1]:
        raise ValueError(
            f"groups: expected one label for each of {weights.shape[1]} features, found "
            f"{len(codes)}"
        )
    # Concentrations do not depend on a factor's scale, squares do: tiny or huge weights would
    # leave the range of floats.
    largest = np.abs(weights).max(axis=1, keepdims=True)
    alive = largest[:, 0] > 0
    squares = (weights[alive] / largest[alive]) ** 2
    membership = np.equal.outer(codes, np.arange(codes.max() + 1)).astype(float)
    shares = squares @ membership / squares.sum(axis=1, keepdims=True)
    entropies = np.full(len(weights), np.nan)
    entropies[alive] = entr(np.minimum(shares, 1.0)).sum(axis=1)
    return entropies


def _codes(groups: Iterable[Any]) -> Int[np.ndarray, " features"]:
    """Groups numbered from 0 in the order of their first features."""
    numbers: dict[Hashable, int] = {}
    labels = groups.tolist() if isinstance(groups, np.ndarray) else groups
    try:
        return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=int)
    except TypeError as error:
        raise ValueError(
            f"groups: expected one hashable label for each feature ({error}); "
            "an array must have one dimension"
        ) from error
