"""Pairwise statistics of sources and targets, from which decoders and measures are computed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float

__all__ = ["PairwiseStatistics"]

#: A variable whose standard deviation is below this many roundings of its mean is constant.
_CONSTANT_ROUNDINGS = 16

#: Rows and columns of the blocks in which targets are read: a megabyte, which stays in cache.
_BLOCK_ROWS, _BLOCK_COLUMNS = 256, 512


@dataclass(frozen=True)
class PairwiseStatistics:
    r"""Weighted first and second moments of sources ``Z`` and targets ``X``, mergeable.

    Sources are known with all their covariances, targets only through their variances and their
    covariances with each source: the matrix between targets is never formed. Moments are kept
    centred, so that merging is exact to rounding whatever the means are [1]_.

    Works on NumPy arrays and on torch tensors, with gradients.

    Parameters
    ----------
    weight : float
        Total weight behind the moments: the number of samples, or the weight of a moving average.
    mean_z : array of shape (m,)
        Means of the sources.
    mean_x : array of shape (n_targets,)
        Means of the targets.
    cov_zz : array of shape (m, m)
        Covariances of the sources, divided by the weight (not by the weight minus one).
    cov_zx : array of shape (m, n_targets)
        Covariances of sources and targets.
    var_x : array of shape (n_targets,)
        Variances of the targets.

    References
    ----------
    .. [1] Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
       sample variances", COMPSTAT 1982.

    Examples
    --------
    Two halves merged are the whole:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> z, x = rng.normal(size=(100, 2)), rng.normal(size=(100, 3))
    >>> whole = PairwiseStatistics.of(z, x)
    >>> halves = PairwiseStatistics.of(z[:50], x[:50]).update(z[50:], x[50:])
    >>> bool(np.allclose(whole.rho, halves.rho))
    True

    Map and reduce, over chunks in memory, on disk, or on several machines (with Dask:
    ``dask.delayed(PairwiseStatistics.of)`` on each block, and a bag's
    ``fold(PairwiseStatistics.merge)``):

    >>> from functools import reduce
    >>> chunks = zip(np.split(z, 5), np.split(x, 5), strict=True)
    >>> total = reduce(PairwiseStatistics.merge, (PairwiseStatistics.of(*c) for c in chunks))
    >>> bool(np.allclose(whole.rho, total.rho))
    True
    """

    weight: float
    mean_z: Float[Any, " m"]
    mean_x: Float[Any, " n"]
    cov_zz: Float[Any, "m m"]
    cov_zx: Float[Any, "m n"]
    var_x: Float[Any, " n"]

    @classmethod
    def of(cls, z: Float[Any, "samples m"], x: Float[Any, "_ n"]) -> "PairwiseStatistics":
        """Statistics of one chunk of samples.

        Raises
        ------
        ValueError
            If ``z`` and ``x`` have different numbers of samples, or none.
        """
        n_samples = z.shape[0]
        if x.shape[0] != n_samples or n_samples == 0:
            raise ValueError(
                f"z and x must hold the same samples, at least one: found {n_samples} rows in z "
                f"and {x.shape[0]} in x"
            )
        xp = array_namespace(z, x)
        mean_z, dz = _centred(z)
        if isinstance(x, np.ndarray):
            mean_x, cov_zx, var_x = _in_blocks(dz, x)
        else:
            mean_x, dx = _centred(x)
            cov_zx, var_x = dz.T @ dx / n_samples, xp.mean(dx * dx, axis=0)
        return cls(
            weight=float(n_samples),
            mean_z=mean_z,
            mean_x=mean_x,
            cov_zz=dz.T @ dz / n_samples,
            cov_zx=cov_zx,
            var_x=var_x,
        )

    def merge(self, other: "PairwiseStatistics") -> "PairwiseStatistics":
        """Statistics of both sets of samples together, each by its weight."""
        xp = array_namespace(self.mean_z, other.mean_z)
        weight = self.weight + other.weight
        a, b = self.weight / weight, other.weight / weight
        shift_z, shift_x = other.mean_z - self.mean_z, other.mean_x - self.mean_x
        return PairwiseStatistics(
            weight=weight,
            mean_z=self.mean_z + b * shift_z,
            mean_x=self.mean_x + b * shift_x,
            cov_zz=a * self.cov_zz
            + b * other.cov_zz
            + a * b * shift_z[:, xp.newaxis] * shift_z[xp.newaxis, :],
            cov_zx=a * self.cov_zx
            + b * other.cov_zx
            + a * b * shift_z[:, xp.newaxis] * shift_x[xp.newaxis, :],
            var_x=a * self.var_x + b * other.var_x + a * b * shift_x * shift_x,
        )

    def update(self, z: Float[Any, "samples m"], x: Float[Any, "_ n"]) -> "PairwiseStatistics":
        """Statistics with one more chunk of samples."""
        return self.merge(PairwiseStatistics.of(z, x))

    def weighted(self, weight: float) -> "PairwiseStatistics":
        """The same moments under another total weight.

        A moving average with momentum ``eta`` is
        ``running.weighted(1 - eta).merge(batch.weighted(eta))``.
        """
        return replace(self, weight=weight)

    def map(self, function: Callable[[Any], Any]) -> "PairwiseStatistics":
        """The same statistics, each array of moments replaced by a function of it.

        Such as ``map(torch.from_numpy)``: what arrays they are decides what computes with them.
        """
        moments = (self.mean_z, self.mean_x, self.cov_zz, self.cov_zx, self.var_x)
        return PairwiseStatistics(self.weight, *map(function, moments))

    def rescaled(
        self, mean: Float[Any, " n"], scale: Float[Any, "..."] | float
    ) -> "PairwiseStatistics":
        """Statistics of ``mean + scale * x``."""
        return replace(
            self,
            mean_x=mean + scale * self.mean_x,
            cov_zx=scale * self.cov_zx,
            var_x=scale**2 * self.var_x,
        )

    @property
    def var_z(self) -> Float[Any, " m"]:
        """Variances of the sources."""
        return array_namespace(self.cov_zz).linalg.diagonal(self.cov_zz)

    @property
    def std_z(self) -> Float[Any, " m"]:
        """Standard deviations of the sources; zero where a source is constant to rounding."""
        return _std(self.var_z, self.mean_z)

    @property
    def std_x(self) -> Float[Any, " n"]:
        """Standard deviations of the targets; zero where a target is constant to rounding."""
        return _std(self.var_x, self.mean_x)

    @property
    def rho(self) -> Float[Any, "m n"]:
        r"""Correlations of each source with each target; zero where either is constant."""
        return _correlation(self.cov_zx, self.std_z, self.std_x)

    @property
    def sigma(self) -> Float[Any, "m m"]:
        r"""Correlations of the sources; a constant source is uncorrelated with the others."""
        xp = array_namespace(self.cov_zz)
        correlation = _correlation(self.cov_zz, self.std_z, self.std_z)
        one = xp.eye(correlation.shape[0], dtype=correlation.dtype)
        return xp.where(one > 0, one, correlation)

    @property
    def mean_zx(self) -> Float[Any, "m n"]:
        """Raw second moments ``E[z_j x_i]``; for binary variables, ``p(z_j = 1, x_i = 1)``."""
        xp = array_namespace(self.cov_zx)
        return self.cov_zx + self.mean_z[:, xp.newaxis] * self.mean_x[xp.newaxis, :]


def _in_blocks(
    dz: Float[np.ndarray, "samples m"], x: Float[np.ndarray, "samples n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "m n"], Float[np.ndarray, " n"]]:
    """Means of x, covariances with centred z, variances of x; x is read once and never copied.

    Each column is shifted by the mean of its first rows. These are ``f`` of all, so the shift is
    within ``sqrt(1/f)`` standard deviations of the mean, and ``E[(x - c)^2] - (mean - c)^2``
    loses no more than a factor ``1/f`` of precision, wherever the mean lies (Chan et al.).
    """
    n_samples, n = x.shape
    dtype = np.result_type(dz, x)
    # A last row of ones: one GEMM gives the covariances and the sums.
    rows = np.concatenate([dz.T, np.ones((1, n_samples), dtype)]).astype(dtype, copy=False)
    sums, squares = np.empty((len(rows), n), dtype), np.empty(n, dtype)
    shift = np.empty(n, dtype)
    buffer = np.empty((min(_BLOCK_ROWS, n_samples), min(_BLOCK_COLUMNS, n)), dtype)
    for left in range(0, n, _BLOCK_COLUMNS):
        columns = slice(left, min(left + _BLOCK_COLUMNS, n))
        x_columns = x[:, columns]
        shift[columns] = x_columns[:_BLOCK_ROWS].mean(axis=0)
        total = np.zeros((len(rows), x_columns.shape[1]), dtype)
        total_squares = np.zeros(x_columns.shape[1], dtype)
        for top in range(0, n_samples, _BLOCK_ROWS):
            block = x_columns[top : top + _BLOCK_ROWS]
            dx = np.subtract(block, shift[columns], out=buffer[: len(block), : block.shape[1]])
            total += rows[:, top : top + len(block)] @ dx
            np.multiply(dx, dx, out=dx)
            total_squares += rows[-1, : len(block)] @ dx
        sums[:, columns], squares[columns] = total, total_squares
    sums /= n_samples
    rest = sums[-1]  # mean - shift
    # dz sums to zero only up to the rounding of its mean, which is corrected for here.
    cov_zx = sums[:-1] - dz.mean(axis=0)[:, np.newaxis] * rest
    var_x = np.maximum(squares / n_samples - rest * rest, 0)
    return shift + rest, cov_zx, var_x


def _centred(z: Float[Any, "samples k"]) -> tuple[Float[Any, " k"], Float[Any, "samples k"]]:
    """Means, and deviations from them: of a constant, exactly 0.

    A mean of many samples carries the rounding of its sum; measured from the first sample, that of
    a constant is exact.
    """
    xp = array_namespace(z)
    first = z[0, :]
    dz = z - first
    rest = xp.mean(dz, axis=0)
    return first + rest, dz - rest


def _std(variance: Float[Any, " k"], mean: Float[Any, " k"]) -> Float[Any, " k"]:
    """Square root of a variance, zero (with a zero gradient) where it is only rounding."""
    xp = array_namespace(variance)
    rounding = _CONSTANT_ROUNDINGS * xp.finfo(variance.dtype).eps * mean
    varies = variance > rounding * rounding
    return xp.where(varies, xp.sqrt(xp.where(varies, variance, 1.0)), 0.0)


def _correlation(
    covariance: Float[Any, "k l"], std_rows: Float[Any, " k"], std_columns: Float[Any, " l"]
) -> Float[Any, "k l"]:
    xp = array_namespace(covariance)
    scale = std_rows[:, xp.newaxis] * std_columns[xp.newaxis, :]
    varies = scale > 0
    return xp.clip(xp.where(varies, covariance / xp.where(varies, scale, 1.0), 0.0), -1.0, 1.0)
