"""Mean, variance and range of every feature of a data set, in one pass."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.data.stream import SampleStream
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["ColumnStatistics", "column_statistics", "none_yet"]


#: Of numbers that cannot be squared, the variance is infinite or NaN, and the range tells.
_OF_HUGE_NUMBERS = np.errstate(over="ignore", invalid="ignore")


@dataclass(frozen=True)
class ColumnStatistics:
    """Mean, variance and range of every feature, in float64.

    Attributes
    ----------
    n_samples : int
        Number of samples that they were computed from.
    mean, variance : ndarray of shape (n_features,)
        Of the values that are not missing, by whose number the variance is divided. The mean of a
        constant feature is exactly its value, and the variance exactly 0. Both are 0 where all
        values are missing.
    minimum, maximum : ndarray of shape (n_features,)
        Smallest and largest value; infinity and minus infinity where all are missing.
    n_missing : ndarray of int, shape (n_features,)
        Number of missing values.
    """

    n_samples: int
    mean: Float[np.ndarray, " features"]
    variance: Float[np.ndarray, " features"]
    minimum: Float[np.ndarray, " features"]
    maximum: Float[np.ndarray, " features"]
    n_missing: Int[np.ndarray, " features"]

    @classmethod
    @_OF_HUGE_NUMBERS
    def of(cls, x: Float[np.ndarray, "rows features"]) -> "ColumnStatistics":
        """Statistics of samples in memory.

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_features)
            NaN are missing values.

        Examples
        --------
        >>> ColumnStatistics.of(np.array([[1.0, np.nan], [3.0, 5.0]])).mean
        array([2., 5.])
        """
        n_missing = np.zeros(x.shape[1], np.int64)
        if not np.isnan(x.min(initial=0.0)):
            moments = PairwiseStatistics.of(np.empty((len(x), 0)), x)
            mean, variance = moments.mean_x, moments.var_x
            low, high = x.min(axis=0), x.max(axis=0)
        else:
            missing = np.isnan(x)
            n_missing = missing.sum(axis=0)
            n = np.maximum(len(x) - n_missing, 1)
            first = x[np.argmin(missing, axis=0), np.arange(x.shape[1])].astype(np.float64)
            first = np.where(n_missing < len(x), first, 0.0)
            # From the first value on, so that a constant leaves exactly 0.
            rest = np.where(missing, 0.0, x - first)
            shift = rest.sum(axis=0) / n
            mean = first + shift
            variance = np.sum(np.where(missing, 0.0, rest - shift) ** 2, axis=0) / n
            low = np.where(missing, np.inf, x).min(axis=0)
            high = np.where(missing, -np.inf, x).max(axis=0)
        low, high = low.astype(np.float64), high.astype(np.float64)
        return cls(len(x), mean, variance, low, high, n_missing)

    @property
    def n_present(self) -> Int[np.ndarray, " features"]:
        """Number of values of each feature that are not missing."""
        return self.n_samples - self.n_missing

    @property
    def std(self) -> Float[np.ndarray, " features"]:
        """Standard deviations."""
        return np.sqrt(self.variance)

    @property
    def constant(self) -> Bool[np.ndarray, " features"]:
        """Whether each feature has the same value in all samples that have one."""
        return self.minimum == self.maximum

    @_OF_HUGE_NUMBERS
    def merge(self, other: "ColumnStatistics") -> "ColumnStatistics":
        """Statistics of two disjoint sets of samples together.

        Parameters
        ----------
        other : ColumnStatistics
            Of other samples of the same features. Either may be of no samples.
        """
        if 0 in (self.n_samples, other.n_samples):
            return self if other.n_samples == 0 else other
        # Chan, Golub and LeVeque, feature by feature.
        n_self, n_other = self.n_present, other.n_present
        n = np.maximum(n_self + n_other, 1)
        weight = n_other / n
        between = other.mean - self.mean
        mean = np.where(n_self > 0, self.mean + weight * between, other.mean)
        within = (n_self * self.variance + n_other * other.variance) / n
        return ColumnStatistics(
            self.n_samples + other.n_samples,
            mean,
            within + (n_self / n) * weight * between**2,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
            self.n_missing + other.n_missing,
        )


def column_statistics(
    samples: SampleStream, rank: int = 0, world_size: int = 1, *, missing: bool = False
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
    missing : bool, default=False
        Whether NaN are let through, as missing values.

    Returns
    -------
    ColumnStatistics
        Of this process's share. If that is empty, ``n_samples`` is 0, and the ranges are from
        infinity to minus infinity.

    Raises
    ------
    ValueError
        If a number is infinite, or NaN unless these are let through, or there are no samples.

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
    total = none_yet(samples.n_features)
    for x in samples.blocks(rank, world_size, missing=missing):
        total = total.merge(ColumnStatistics.of(x))
    return total


def none_yet(n_features: int) -> ColumnStatistics:
    """Statistics of no samples, to be merged with others.

    Parameters
    ----------
    n_features : int
        Number of features.
    """
    zeros, infinity = np.zeros(n_features), np.full(n_features, np.inf)
    return ColumnStatistics(0, zeros, zeros, infinity, -infinity, zeros.astype(np.int64))
