"""Mean, variance and range of every feature of a data set, in one pass."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from minsyn.data.stream import SampleStream
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["ColumnStatistics", "column_statistics"]


@dataclass(frozen=True)
class ColumnStatistics:
    """Mean, variance and range of every feature, in float64.

    Attributes
    ----------
    n_samples : int
        Number of samples that they were computed from.
    mean, variance : ndarray of shape (n_features,)
        The variance is divided by ``n_samples``. The mean of a constant feature is exactly its
        value, and the variance exactly 0.
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
    def constant(self) -> Bool[np.ndarray, " features"]:
        """Whether each feature has the same value in all samples."""
        return self.minimum == self.maximum

    def merge(self, other: "ColumnStatistics") -> "ColumnStatistics":
        """Statistics of two disjoint sets of samples together.

        Parameters
        ----------
        other : ColumnStatistics
            Of other samples of the same features. Either may be of no samples.
        """
        if 0 in (self.n_samples, other.n_samples):
            return self if other.n_samples == 0 else other
        moments = self._moments().merge(other._moments())
        return ColumnStatistics(
            self.n_samples + other.n_samples,
            moments.mean_x,
            moments.var_x,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
        )

    def _moments(self) -> PairwiseStatistics:
        """The same numbers as pairwise statistics without sources."""
        none = np.empty((0, len(self.mean)))
        return PairwiseStatistics(
            float(self.n_samples), none[:, 0], self.mean, none[:, :0], none, self.variance
        )


def column_statistics(
    samples: SampleStream, rank: int = 0, world_size: int = 1
) -> ColumnStatistics:
    """Mean, variance and range of every feature, in one pass over the data.

    The moments of blocks are merged by the formula of Chan, Golub and LeVeque, so that neither a
    large mean nor many samples cost precision.

    Parameters
    ----------
    samples : SampleStream
        From `as_samples`.
    rank, world_size : int
        Number of this process, from 0, and of all processes. Each passes over its own share of the
        samples; `ColumnStatistics.merge` joins the results.

    Returns
    -------
    ColumnStatistics
        Of this process's share. If that is empty, ``n_samples`` is 0, and the ranges are from
        infinity to minus infinity.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, or there are no samples at all.

    Examples
    --------
    >>> from minsyn.data import as_samples
    >>> samples = as_samples(np.array([[1, 5], [3, 5], [5, 5]]))
    >>> column_statistics(samples).mean
    array([3., 5.])
    >>> shares = [column_statistics(samples, rank, world_size=2) for rank in range(2)]
    >>> shares[0].merge(shares[1]).maximum
    array([5., 5.])
    """
    if samples.n_samples == 0:
        raise ValueError(f"{samples.name} holds no samples")
    zeros, infinity = np.zeros(samples.n_features), np.full(samples.n_features, np.inf)
    total = ColumnStatistics(0, zeros, zeros, infinity, -infinity)
    for x in samples.blocks(rank, world_size):
        moments = PairwiseStatistics.of(np.empty((len(x), 0)), x)
        low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
        total = total.merge(ColumnStatistics(len(x), moments.mean_x, moments.var_x, low, high))
    return total
