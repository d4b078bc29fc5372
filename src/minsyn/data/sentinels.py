"""Numbers such as -999 that probably mean missing values."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.data.statistics import ColumnStatistics, none_yet
from minsyn.data.stream import SampleStream

__all__ = ["Sentinel", "statistics_and_sentinels"]

#: What programs and questionnaires write for values that are missing, refused or not known.
_CODES = np.array(
    [
        -7,
        -8,
        -9,
        -77,
        -88,
        -99,
        -777,
        -888,
        -999,
        -9999,
        -99999,
        77,
        88,
        97,
        98,
        99,
        777,
        888,
        997,
        998,
        999,
        9997,
        9998,
        9999,
        99999,
        999999,
    ],
    np.float64,
)
_FEWEST = 2


@dataclass(frozen=True)
class Sentinel:
    """A number that probably means a missing value.

    Attributes
    ----------
    feature : int
        Index of the feature.
    value : float
        The number.
    n_samples : int
        Samples in which it occurs.
    """

    feature: int
    value: float
    n_samples: int


def statistics_and_sentinels(samples: SampleStream) -> tuple[ColumnStatistics, list[Sentinel]]:
    """Statistics of every feature, and numbers that are far outside the rest and repeated.

    These are numbers that often mean missing values, such as -999 and 99, if they occur at least
    twice and are further from the range of all others than that range is wide, or are the only
    negative ones.

    Parameters
    ----------
    samples : SampleStream
        From `as_samples`. NaN are missing values.

    Returns
    -------
    statistics : ColumnStatistics
        As of `column_statistics`.
    sentinels : list of Sentinel
        By feature.

    Examples
    --------
    >>> from minsyn.data import as_samples
    >>> samples = as_samples(np.array([[1.0, 99], [4.0, 98], [-999, 0], [2.0, 50], [-999, 77]]))
    >>> statistics_and_sentinels(samples)[1]
    [Sentinel(feature=0, value=-999.0, n_samples=2)]
    """
    n_features = samples.n_features
    total = none_yet(n_features)
    counts = np.zeros((len(_CODES), n_features), np.int64)
    low, high = np.full(n_features, np.inf), np.full(n_features, -np.inf)  # without codes
    for x in samples.blocks(missing=True):
        statistics = ColumnStatistics.of(x)
        total = total.merge(statistics)
        at_end = np.isin(statistics.minimum, _CODES) | np.isin(statistics.maximum, _CODES)
        low = np.minimum(low, np.where(at_end, np.inf, statistics.minimum))
        high = np.maximum(high, np.where(at_end, -np.inf, statistics.maximum))
        columns = np.flatnonzero(at_end)
        for column in columns:
            values = x[:, column]
            values = values[~np.isnan(values)]
            counts[:, column] += (values == _CODES[:, np.newaxis]).sum(axis=1)
            rest = values[~np.isin(values, _CODES)]
            low[column] = min(low[column], rest.min(initial=np.inf))
            high[column] = max(high[column], rest.max(initial=-np.inf))
    return total, _far_outside(counts, low, high)


def _far_outside(
    counts: Int[np.ndarray, "codes features"],
    low: Float[np.ndarray, " features"],
    high: Float[np.ndarray, " features"],
) -> list[Sentinel]:
    found = []
    for feature in np.flatnonzero((counts >= _FEWEST).any(axis=0) & (low <= high)):
        least, most = low[feature], high[feature]
        for value, n in zip(_CODES, counts[:, feature], strict=True):
            apart = max(least - value, value - most)
            alone = value < 0 <= least
            if n >= _FEWEST and apart > 0 and (apart > most - least or alone):
                found.append(Sentinel(int(feature), float(value), int(n)))
    return found
