"""Choice of the number of factors."""

from typing import Any

import numpy as np

from minsyn._warnings import warn
from minsyn.estimators.features import Features
from minsyn.metrics import AveragePartial, Scree, minimum_average_partial
from minsyn.metrics.n_factors import (
    MOST_SAMPLES,
    empirical_kaiser_of_spectrum,
    parallel_analysis_of_spectrum,
)

__all__ = ["CRITERIA", "choose_number", "scree_of"]

#: Values of ``n_components`` that are criteria, and their names in messages.
CRITERIA = {
    "auto": "parallel analysis",
    "empirical-kaiser": "the empirical Kaiser criterion",
    "minimum-average-partial": "the minimum average partial correlation",
}
#: Up to so many eigenvalues are all compared with what they must exceed; of more, first so many,
#: and twice as many where that is not enough.
_FEW_EIGENVALUES, _FIRST_EIGENVALUES = 200, 20
#: Seed of the matrices that parallel analysis samples: the number does not change with the model's.
_SEED = 0
#: Features up to which all pairs of partial correlations are affordable.
_MANY_FEATURES = 5000


def scree_of(criterion: str, features: Features) -> Scree | AveragePartial:
    """Apply a criterion to the correlations of features.

    Parameters
    ----------
    criterion : str
        A key of `CRITERIA`.
    features : Features
        The features.

    Raises
    ------
    ValueError
        If the number of samples is not known, or the features are too many for the criterion.
    """
    n_features = features.basis.shape[1]
    if criterion == "minimum-average-partial":
        if n_features > _MANY_FEATURES:
            raise ValueError(
                f"n_components={criterion!r} takes too long for {n_features} features: choose "
                "'auto', or give a number"
            )
        return minimum_average_partial(features.correlation())
    n_samples = round(min(features.n_pairs, MOST_SAMPLES))
    if n_samples < 2:
        raise ValueError(
            f"n_components={criterion!r} needs the number of samples behind the covariance, and "
            f"this is {features.n_pairs:g}: give n_samples of two or more (sample_weight must sum "
            "to that number), or the number of factors"
        )
    rank = min(features.basis.shape)
    number = rank if rank <= _FEW_EIGENVALUES else _FIRST_EIGENVALUES
    while True:
        eigenvalues = features.leading_eigenvalues(number)[:number]
        if criterion == "auto":
            found = parallel_analysis_of_spectrum(eigenvalues, n_features, n_samples, _SEED)
        else:
            found = empirical_kaiser_of_spectrum(eigenvalues, n_features, n_samples)
        if found.n_factors < len(found.eigenvalues) or number >= rank:
            return found
        number = min(2 * number, rank)


def choose_number(criterion: str, features: Features) -> tuple[int, Scree | AveragePartial | None]:
    """Number of factors by a criterion, at least 1, and what it was chosen from.

    Parameters
    ----------
    criterion : str
        A key of `CRITERIA`.
    features : Features
        The features.

    Raises
    ------
    ValueError
        See `scree_of`.

    Examples
    --------
    >>> from minsyn.information import Moments
    >>> causes = np.random.default_rng(0).normal(size=(300, 2))
    >>> X = np.repeat(causes, 4, axis=1) + np.random.default_rng(1).normal(size=(300, 8))
    >>> choose_number("auto", Features.of(Moments.of(X)))[0]
    2
    """
    if features.basis.size == 0:  # nothing varies
        return 1, None
    found: Any = scree_of(criterion, features)
    if found.n_factors == 0 and features.basis.shape[1] > 1:
        warn(
            f"no factor stands out from chance by {CRITERIA[criterion]}: one is fitted, which may "
            "mean nothing"
        )
    return int(np.clip(found.n_factors, 1, features.basis.shape[1])), found
