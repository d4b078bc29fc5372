"""Mean, variance and range of every feature, in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from minsyn.data.stream import SampleStream
from minsyn.information.statistics import PairwiseStatistics
from minsyn.training.worker import Worker

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


def column_statistics(samples: SampleStream, worker: Worker | None = None) -> ColumnStatistics:
    """Mean, variance and range of every feature, in one pass over the data.

    Moments of blocks are merged (Chan, Golub and LeVeque), so that neither a large mean nor many
    samples cost digits.

    Parameters
    ----------
    samples : SampleStream
        From `as_samples`.
    worker : Worker, optional
        With several processes, from ``minsyn.training.worker.worker_of(launch())``: each passes
        over its share, and all get the same numbers. None is one process.

    Returns
    -------
    ColumnStatistics

    Raises
    ------
    ValueError
        If a number is NaN or infinite, or there are no samples.

    Examples
    --------
    >>> from minsyn.data import as_samples
    >>> column_statistics(as_samples(np.array([[1, 5], [3, 5]]))).variance
    array([1., 0.])
    """
    worker = worker or Worker()
    total = worker.merged(lambda: _of(samples.blocks(worker.rank, worker.world_size)))
    varies = total.low < total.high
    return ColumnStatistics(
        int(total.moments.weight),
        np.where(varies, total.moments.mean_x, total.low),
        np.where(varies, total.moments.var_x, 0.0),
        total.low,
        total.high,
    )


@dataclass(frozen=True)
class _Columns:
    """Moments and range of the features in a part of the samples."""

    moments: PairwiseStatistics
    low: Float[np.ndarray, " features"]
    high: Float[np.ndarray, " features"]

    def merge(self, other: "_Columns") -> "_Columns":
        """Of both parts."""
        return _Columns(
            self.moments.merge(other.moments),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )


def _of(blocks: Iterator[Float[np.ndarray, "rows features"]]) -> _Columns | None:
    """Of all blocks; None of none."""
    total: _Columns | None = None
    for x in blocks:
        block = _Columns(
            PairwiseStatistics.of(np.empty((len(x), 0)), x),
            x.min(axis=0).astype(np.float64),
            x.max(axis=0).astype(np.float64),
        )
        total = block if total is None else total.merge(block)
    return total
