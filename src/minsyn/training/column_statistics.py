"""Mean, variance and range of every feature, in one pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from minsyn.information.statistics import PairwiseStatistics
from minsyn.training.stream import SampleStream

__all__ = ["ColumnStatistics", "column_statistics"]


@dataclass(frozen=True)
class ColumnStatistics:
    """Mean, variance and range of every feature, float64.

    Attributes
    ----------
    n_samples : int
        Samples behind them.
    mean, variance : ndarray of shape (n_features,)
        The variance is divided by ``n_samples``; of a constant it is exactly 0.
    minimum, maximum : ndarray of shape (n_features,)
        Smallest and largest value.
    """

    n_samples: int
    mean: Float[np.ndarray, " features"]
    variance: Float[np.ndarray, " features"]
    minimum: Float[np.ndarray, " features"]
    maximum: Float[np.ndarray, " features"]

    @property
    def std(self) -> Float[np.ndarray, " features"]:
        """Standard deviations."""
        return np.sqrt(self.variance)

    @property
    def constant(self) -> Any:
        """Whether each feature is the same in all samples."""
        return self.minimum == self.maximum


def column_statistics(samples: SampleStream) -> ColumnStatistics:
    """Mean, variance and range of every feature, in one pass over the data.

    Moments of blocks are merged (Chan, Golub and LeVeque), so that neither a large mean nor many
    samples cost digits.

    Parameters
    ----------
    samples : SampleStream
        From `as_samples`.

    Returns
    -------
    ColumnStatistics

    Raises
    ------
    ValueError
        If a number is NaN or infinite, or there are no samples.

    Examples
    --------
    >>> from minsyn.training import as_samples
    >>> column_statistics(as_samples(np.array([[1, 5], [3, 5]]))).variance
    array([1., 0.])
    """
    total: PairwiseStatistics | None = None
    low = high = np.empty(0)
    for x in samples.blocks():
        block = PairwiseStatistics.of(np.empty((len(x), 0)), x)
        smallest, largest = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
        if total is None:
            total, low, high = block, smallest, largest
        else:
            total = total.merge(block)
            low, high = np.minimum(low, smallest), np.maximum(high, largest)
    if total is None:
        raise ValueError("there are no samples")
    varies = low < high
    return ColumnStatistics(
        int(total.weight),
        np.where(varies, total.mean_x, low),
        np.where(varies, total.var_x, 0.0),
        low,
        high,
    )
