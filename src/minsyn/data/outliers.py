"""A number that is far from all others of its feature, as a slip of the keyboard leaves it."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from minsyn.data.statistics import ColumnStatistics
from minsyn.data.stream import SampleStream

__all__ = ["Outlier", "find_outlier"]

#: Robust standard deviations from the median: an outlier is further, all others are nearer.
_FAR, _ORDINARY = 20.0, 10.0
#: Standard deviations of the others from their mean, from which on a feature is looked at.
_LOOKED_AT = 10.0
_FEWEST_SAMPLES, _MOST_FEATURES = 20, 4
#: Median absolute deviation of a normal variable of variance 1.
_NORMAL_MAD = 0.6744897501960817


@dataclass(frozen=True)
class Outlier:
    """A number far from the others.

    Attributes
    ----------
    feature : int
        Index of the feature.
    row : int
        Sample, from 0.
    value : float
        The number.
    distance : float
        Robust standard deviations from the median.
    """

    feature: int
    row: int
    value: float
    distance: float


def find_outlier(
    samples: SampleStream, statistics: ColumnStatistics, but: Container[int] = ()
) -> Outlier | None:
    """The number that is furthest from the rest of its feature, where the rest is ordinary.

    It is more than 20 robust standard deviations (of the median absolute deviation) from the
    median, and all others of its feature are within 10. Data are read again only where the
    statistics let suspect such a number.

    Parameters
    ----------
    samples : SampleStream
        From `as_samples`. NaN are missing values.
    statistics : ColumnStatistics
        Their statistics.
    but : container of int
        Features that are not looked at.

    Examples
    --------
    >>> from minsyn.data import as_samples
    >>> x = np.append(np.arange(1.0, 40.0), 1720.0)[:, np.newaxis]
    >>> found = find_outlier(as_samples(x), ColumnStatistics.of(x))
    >>> found.row, found.value
    (39, 1720.0)
    """
    if samples.n_samples < _FEWEST_SAMPLES:
        return None
    suspicion = _distance_from_others(statistics)
    suspects = [j for j in np.argsort(-suspicion, kind="stable").tolist() if j not in but]
    suspects = [j for j in suspects[:_MOST_FEATURES] if suspicion[j] > _LOOKED_AT]
    if not suspects:
        return None
    values = np.concatenate([block[:, suspects] for block in samples.blocks(missing=True)])
    found = [_alone(j, column) for j, column in zip(suspects, values.T, strict=True)]
    return max((o for o in found if o is not None), key=lambda o: o.distance, default=None)


def _distance_from_others(statistics: ColumnStatistics) -> Float[np.ndarray, " features"]:
    """Distance of the most extreme value from the mean of the others, in their deviations."""
    n = np.maximum(statistics.n_present, 2).astype(np.float64)
    mean, variance = statistics.mean, statistics.variance
    with np.errstate(invalid="ignore", over="ignore"):  # features without any value
        above, below = statistics.maximum - mean, mean - statistics.minimum
        extreme = np.maximum(above, below)
        others = (n * variance - extreme**2 * n / (n - 1)) / (n - 1)
        # Rounding leaves little of the variance of the others, if the value is huge.
        others = np.maximum(others, 1e-12 * variance)
        distance = extreme * n / (n - 1) / np.sqrt(others)
    known = (statistics.n_present >= _FEWEST_SAMPLES) & (others > 0)
    return np.where(known & np.isfinite(distance), distance, 0.0)


def _alone(feature: int, values: Float[np.ndarray, " rows"]) -> Outlier | None:
    values = values.astype(np.float64)
    away = np.abs(values - np.nanmedian(values))
    std = float(np.nanmedian(away)) / _NORMAL_MAD
    if std == 0:
        return None
    row = int(np.nanargmax(away))
    others = np.delete(away, row)
    if away[row] <= _FAR * std or np.nanmax(others) > _ORDINARY * std:
        return None
    return Outlier(feature, row, float(values[row]), float(away[row] / std))
