"""Moments from which decoders, measures and linear models are computed, mergeable."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float, Shaped
from scipy.linalg import blas

from minsyn.information._arrays import as_array, as_floating, as_numbers, common_namespace
from minsyn.information._magnitude import LARGEST, check_magnitude
from minsyn.information._options import number

__all__ = ["Moments", "PairwiseStatistics"]

#: A variable whose standard deviation is below this many roundings of its mean is constant.
_CONSTANT_ROUNDINGS = 16

#: Rows and columns of the blocks in which targets are read: a megabyte, which stays in cache.
_BLOCK_ROWS, _BLOCK_COLUMNS = 256, 512
#: Numbers in a block of rows that covariances are summed from: it stays in cache.
_BLOCK_NUMBERS = 1 << 18
#: A covariance matrix may be asymmetric, or have negative eigenvalues, by this share of its size:
#: printed tables are rounded.
_ASYMMETRY = 1e-6


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
            If ``z`` and ``x`` have different numbers of samples, or none; if they have no two
            axes; or if they are so large that their squares overflow.
        TypeError
            If one is an array of NumPy, the other a Tensor.
        """
        z, x = as_floating(z, "z"), as_floating(x, "x")
        if z.ndim != 2 or x.ndim != 2:
            raise ValueError(
                "z and x must have shape (n_samples, n_variables); found "
                f"{tuple(z.shape)} and {tuple(x.shape)}"
            )
        n_samples = z.shape[0]
        if x.shape[0] != n_samples or n_samples == 0:
            raise ValueError(
                f"z and x must hold the same samples, at least one: found {n_samples} rows in z "
                f"and {x.shape[0]} in x"
            )
        xp = common_namespace(z=z, x=x)
        if isinstance(x, np.ndarray):
            # What overflows is looked at afterwards, in the moments.
            with np.errstate(over="ignore", invalid="ignore"):
                mean_z, dz = _centred(z)
                mean_x, cov_zx, var_x = _in_blocks(dz, x)
                cov_zz = dz.T @ dz / n_samples
            _check_overflow(z, cov_zz)
            _check_overflow(x, var_x)
        else:
            (mean_z, dz), (mean_x, dx) = _centred(z), _centred(x)
            cov_zz, cov_zx, var_x = (
                dz.T @ dz / n_samples,
                dz.T @ dx / n_samples,
                xp.mean(dx * dx, axis=0),
            )
        return cls(float(n_samples), mean_z, mean_x, cov_zz, cov_zx, var_x)

    def merge(self, other: "PairwiseStatistics") -> "PairwiseStatistics":
        """Statistics of both sets of samples together, each by its weight.

        Raises
        ------
        ValueError
            If they are of different numbers of variables, or the squares of their means overflow.
        TypeError
            If one holds arrays of NumPy, the other Tensors.
        """
        if self.cov_zx.shape != other.cov_zx.shape:
            raise ValueError(
                "both statistics must be of the same sources and targets; found "
                f"{tuple(self.cov_zx.shape)} and {tuple(other.cov_zx.shape)}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            merged = self._merged(other)
        if isinstance(merged.var_x, np.ndarray):
            _check_overflow(np.stack([self.mean_z, other.mean_z]), merged.cov_zz)
            _check_overflow(np.stack([self.mean_x, other.mean_x]), merged.var_x)
        return merged

    def _merged(self, other: "PairwiseStatistics") -> "PairwiseStatistics":
        xp = common_namespace(self=self.mean_z, other=other.mean_z)
        weight = self.weight + other.weight
        b = other.weight / weight if weight else 0.0
        a = self.weight / weight if weight else 1.0
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
        return std_beyond_rounding(self.var_z, self.mean_z)

    @property
    def std_x(self) -> Float[Any, " n"]:
        """Standard deviations of the targets; zero where a target is constant to rounding."""
        return std_beyond_rounding(self.var_x, self.mean_x)

    @property
    def rho(self) -> Float[Any, "m n"]:
        r"""Correlations of each source with each target; zero where either is constant."""
        return _correlation(self.cov_zx, self.std_z, self.std_x)

    @property
    def sigma(self) -> Float[Any, "m m"]:
        r"""Correlations of the sources; a constant source is uncorrelated with the others."""
        xp = array_namespace(self.cov_zz)
        correlation = _correlation(self.cov_zz, self.std_z, self.std_z)
        itself = xp.eye(correlation.shape[0], dtype=correlation.dtype, device=device(correlation))
        return xp.where(itself > 0, itself, correlation)

    @property
    def mean_zx(self) -> Float[Any, "m n"]:
        """Raw second moments ``E[z_j x_i]``; for binary variables, ``p(z_j = 1, x_i = 1)``."""
        xp = array_namespace(self.cov_zx)
        return self.cov_zx + self.mean_z[:, xp.newaxis] * self.mean_x[xp.newaxis, :]


@dataclass(frozen=True)
class Moments:
    r"""Weight, mean and covariance of features, mergeable, with missing values.

    All that a linear Gaussian model needs to know of its data, in one pass over them. Moments are
    centred and in float64, so that merging is exact to rounding whatever the means are [1]_.

    Where values are missing (NaN), each pair of features is known from the samples that hold both:
    with :math:`n_{ik}` of these and :math:`m_{ik}` the mean of :math:`x_i` over them, the
    covariance is :math:`\langle (x_i - m_{ik})(x_k - m_{ki}) \rangle`.

    Parameters
    ----------
    weight : float
        Number of samples, or the sum of their weights.
    mean : ndarray of shape (n_features,)
        Mean of each feature, over the samples that hold it.
    covariance : ndarray of shape (n_features, n_features)
        Covariances, divided by the weight (not by the weight minus one).
    pair_weight : ndarray of shape (n_features, n_features), optional
        Weight of the samples that hold both features of a pair; None where no value is missing.
    pair_mean : ndarray of shape (n_features, n_features), optional
        Mean of the row's feature over these samples; None where no value is missing.

    References
    ----------
    .. [1] Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
       sample variances", COMPSTAT 1982.

    Examples
    --------
    Map and reduce, over chunks in memory, on disk or on several machines:

    >>> from functools import reduce
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> total = reduce(Moments.merge, map(Moments.of, np.split(X, 5)))
    >>> bool(np.allclose(total.covariance, np.cov(X.T, bias=True)))
    True

    One of six values is missing:

    >>> moments = Moments.of(np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0]]))
    >>> moments.mean.tolist(), round(moments.missing, 3)
    ([3.0, 3.0], 0.167)
    """

    weight: float
    mean: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    pair_weight: Float[np.ndarray, "n n"] | None = None
    pair_mean: Float[np.ndarray, "n n"] | None = None

    @classmethod
    def of(
        cls,
        X: Shaped[np.ndarray, "samples n"],
        sample_weight: Any = None,
    ) -> "Moments":
        """Moments of one chunk of samples.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Real numbers; NaN are missing.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, at least 0: a sample of weight 2 counts as two.

        Raises
        ------
        ValueError
            If there are no samples, or the weights are not one non-negative number each.
        """
        X = as_array(X, "X")
        X = X if X.dtype.kind in "fiub" else as_numbers(X, "X")
        if X.ndim != 2 or X.size == 0:
            raise ValueError(
                "X must hold at least one sample, in shape (n_samples, n_features); found shape "
                f"{X.shape}"
            )
        weights = None if sample_weight is None else checked_weights(sample_weight, len(X))
        with np.errstate(over="ignore", invalid="ignore"):
            shift = _near_mean(X)
            missing = np.isnan(X).any() if X.dtype.kind == "f" else False
            found = (_paired_sums if missing else _plain_sums)(X, shift, weights)
        if not np.isfinite(found.covariance).all():
            if np.isinf(X).any():
                raise ValueError("X holds infinite values; only NaN stand for missing ones")
            check_magnitude(X)
        return found

    @classmethod
    def of_covariance(
        cls,
        covariance: Any,
        mean: Any = None,
        weight: float | int = 1.0,
    ) -> "Moments":
        """Moments from a covariance or correlation matrix that is known, as from a publication.

        Parameters
        ----------
        covariance : array-like of shape (n_features, n_features)
            Symmetric, without negative eigenvalues; up to the rounding of a printed table.
        mean : array-like of shape (n_features,), optional
            Means; 0 by default.
        weight : float, default=1.0
            Number of samples behind the matrix.

        Raises
        ------
        ValueError
            If the matrix is not square, finite, symmetric or positive semidefinite, the mean has
            another length, or the weight is not positive.

        Examples
        --------
        >>> Moments.of_covariance(np.array([[1.0, 0.5], [0.4, 1.0]]))
        Traceback (most recent call last):
        ValueError: the covariance is not symmetric: [0, 1] is 0.5, but [1, 0] is 0.4
        """
        covariance = _checked_covariance(as_numbers(covariance, "the covariance"))
        n = len(covariance)
        mean = np.zeros(n) if mean is None else as_numbers(mean, "mean").copy()
        if mean.shape != (n,) or not np.isfinite(mean).all():
            raise ValueError(
                f"mean must hold {n} finite numbers, one for each feature; found shape {mean.shape}"
            )
        if not 0 < number(weight, "the weight (n_samples)") < np.inf:
            raise ValueError(f"the weight (n_samples) must be positive, found {weight}")
        return cls(float(weight), mean, covariance)

    def merge(self, other: "Moments") -> "Moments":
        """Moments of both sets of samples together, each by its weight.

        Raises
        ------
        ValueError
            If they are of different numbers of features, or the squares of their means overflow.
        """
        if self.mean.shape != other.mean.shape:
            raise ValueError(
                f"the moments are of {len(self.mean)} and of {len(other.mean)} features: both must "
                "be of the same"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            merged = self._merged(other)
        if not np.isfinite(merged.covariance).all():
            check_magnitude(np.stack([self.mean, other.mean]))
        return merged

    def _merged(self, other: "Moments") -> "Moments":
        if self.pair_weight is None and other.pair_weight is None:
            weight = self.weight + other.weight
            b = other.weight / weight if weight else 0.0
            shift = other.mean - self.mean
            covariance = (1 - b) * self.covariance
            covariance += b * other.covariance
            covariance += b * (1 - b) * np.outer(shift, shift)
            return Moments(weight, self.mean + b * shift, covariance)
        one, two = self._paired(), other._paired()
        assert one.pair_weight is not None and two.pair_weight is not None
        assert one.pair_mean is not None and two.pair_mean is not None
        pair_weight = one.pair_weight + two.pair_weight
        b = np.divide(
            two.pair_weight, pair_weight, out=np.zeros_like(pair_weight), where=pair_weight > 0
        )
        shift = two.pair_mean - one.pair_mean
        pair_mean = one.pair_mean + b * shift
        covariance = (1 - b) * one.covariance + b * two.covariance + b * (1 - b) * shift * shift.T
        return Moments(
            self.weight + other.weight,
            np.diagonal(pair_mean).copy(),
            covariance,
            pair_weight,
            pair_mean,
        )

    def update(
        self,
        X: Shaped[np.ndarray, "samples n"],
        sample_weight: Any = None,
    ) -> "Moments":
        """Moments with one more chunk of samples."""
        return self.merge(Moments.of(X, sample_weight))

    @property
    def variance(self) -> Float[np.ndarray, " n"]:
        """Variance of each feature."""
        return np.diagonal(self.covariance)

    @property
    def std(self) -> Float[np.ndarray, " n"]:
        """Standard deviations; zero where a feature is constant to rounding."""
        varies: np.ndarray = std_beyond_rounding(self.variance, self.mean)
        return varies

    @property
    def feature_weight(self) -> Float[np.ndarray, " n"]:
        """Weight of the samples that hold each feature."""
        if self.pair_weight is None:
            return np.full(len(self.mean), self.weight)
        return np.diagonal(self.pair_weight)

    @property
    def missing(self) -> float:
        """Share of the values that are missing."""
        return float(1 - self.feature_weight.mean() / self.weight) if self.weight else 0.0

    def require_pairs(self, names: Any = None) -> None:
        """Raise a ValueError if two features were never seen together.

        Parameters
        ----------
        names : sequence of str, optional
            Names of the features, for the message; by default their numbers.
        """
        if self.pair_weight is None:
            return
        names = list(map(str, range(len(self.mean)))) if names is None else list(map(str, names))
        empty = np.flatnonzero(self.feature_weight == 0)
        if len(empty):
            raise ValueError(f"feature {names[empty[0]]!r} has no values at all: leave it out")
        apart = np.argwhere(np.triu(self.pair_weight == 0))
        if len(apart) == 0:
            return
        i, k = (names[j] for j in apart[0])
        more = f" (and {len(apart) - 1} more pairs)" if len(apart) > 1 else ""
        raise ValueError(
            f"features {i!r} and {k!r} were never seen together{more}: no sample has both, so "
            "their covariance is unknown. Leave one of them out, or fill in values first"
        )

    def _paired(self) -> "Moments":
        """The same moments with weights and means of all pairs."""
        if self.pair_weight is not None:
            return self
        n = len(self.mean)
        means = np.repeat(self.mean[:, np.newaxis], n, axis=1)
        return replace(self, pair_weight=np.full((n, n), self.weight), pair_mean=means)


def checked_weights(sample_weight: Any, n_samples: int) -> Float[np.ndarray, " samples"]:
    """Weights of samples in float64.

    Raises
    ------
    ValueError
        If they are not one finite, non-negative number a sample, or all are 0.
    """
    weights = as_numbers(sample_weight, "sample_weight")
    if weights.ndim == 0:
        weights = np.full(n_samples, float(weights))
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must hold one number for each sample, shape ({n_samples},); found "
            f"shape {weights.shape}"
        )
    if not ((weights >= 0).all() and (weights <= LARGEST).all() and weights.any()):
        raise ValueError(
            f"sample_weight must be at least 0, at most {LARGEST:g} and not all zero; it ranges "
            f"from {weights.min()} to {weights.max()}"
        )
    return weights


def _near_mean(X: Shaped[np.ndarray, "samples n"]) -> Float[np.ndarray, " n"]:
    """A value near each column's mean: that of up to 256 rows; of a constant, exactly its value."""
    few = X[:: max(1, len(X) // _BLOCK_ROWS)].astype(np.float64)
    for column in np.flatnonzero(np.isnan(few).all(axis=0)):  # its values are between these rows
        few[0, column] = X[np.argmax(~np.isnan(X[:, column])), column]
    there = ~np.isnan(few)
    first = few[np.argmax(there, axis=0), np.arange(few.shape[1])]
    first = np.where(np.isnan(first), 0.0, first)
    away = np.where(there, few - first, 0.0)
    mean: np.ndarray = first + away.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return mean


def _blocks(
    X: Shaped[np.ndarray, "samples n"], weights: Float[np.ndarray, " samples"] | None
) -> Any:
    """Blocks of rows, and the square roots of their weights."""
    rows = max(64, _BLOCK_NUMBERS // max(X.shape[1], 1))
    for top in range(0, len(X), rows):
        block = X[top : top + rows]
        yield block, None if weights is None else np.sqrt(weights[top : top + rows, np.newaxis])


def _plain_sums(
    X: Shaped[np.ndarray, "samples n"],
    shift: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " samples"] | None,
) -> Moments:
    """Moments of complete samples, from sums about a value near the mean."""
    n = X.shape[1]
    total, products = np.zeros(n), np.zeros((n, n), order="F")
    for block, root in _blocks(X, weights):
        dx = np.subtract(block, shift, dtype=np.float64)
        if root is None:
            total += dx.sum(axis=0)
        else:
            dx *= root
            total += root[:, 0] @ dx
        # Half of the symmetric product, added in place.
        products = blas.dsyrk(1.0, dx.T, 1.0, products, overwrite_c=1)
    weight = float(len(X)) if weights is None else float(weights.sum())
    rest = total / weight  # mean - shift
    products = np.triu(products / weight - np.outer(rest, rest))
    np.fill_diagonal(products, np.maximum(np.diagonal(products), 0))
    return Moments(weight, shift + rest, products + np.triu(products, 1).T)


def _paired_sums(
    X: Shaped[np.ndarray, "samples n"],
    shift: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " samples"] | None,
) -> Moments:
    """Moments of samples of which values are missing."""
    n = X.shape[1]
    count, total, products = np.zeros((3, n, n))
    for block, root in _blocks(X, weights):
        there = (~np.isnan(block)).astype(np.float64)
        dx = np.where(there > 0, block - shift, 0.0)
        if root is not None:
            there *= root
            dx *= root
        count += there.T @ there
        total += dx.T @ there  # of the row's feature, where the column's is there
        products += dx.T @ dx
    weight = float(len(X)) if weights is None else float(weights.sum())
    per_pair = np.divide(1.0, count, out=np.zeros_like(count), where=count > 0)
    rest = total * per_pair
    covariance = products * per_pair - rest * rest.T
    np.fill_diagonal(covariance, np.maximum(np.diagonal(covariance), 0))
    pair_mean = shift[:, np.newaxis] + rest
    return Moments(weight, np.diagonal(pair_mean).copy(), covariance, count, pair_mean)


def _checked_covariance(
    covariance: Float[np.ndarray, "..."],
) -> Float[np.ndarray, "n n"]:
    """A covariance matrix, made exactly symmetric, or a ValueError."""
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not covariance.size:
        raise ValueError(
            "the covariance must be a square matrix of shape (n_features, n_features); found "
            f"shape {covariance.shape}"
        )
    bad = np.argwhere(~np.isfinite(covariance))
    if len(bad):
        i, k = bad[0]
        raise ValueError(
            f"the covariance must be finite: [{i}, {k}] is {covariance[i, k]}. Leave those "
            "features out, or compute it from the samples by Moments.of, which allows for missing "
            "values"
        )
    variance = np.diagonal(covariance)
    if (variance < 0).any():
        i = int(np.argmin(variance))
        raise ValueError(f"variances must be at least 0: [{i}, {i}] is {variance[i]:g}")
    if variance.max() > LARGEST**2:
        i = int(np.argmax(variance))
        raise ValueError(
            f"variances must be at most {LARGEST**2:g}: [{i}, {i}] is {variance[i]:g}. Divide the "
            "features by a constant"
        )
    constant = np.flatnonzero((variance == 0) & covariance.any(axis=1))
    if len(constant):
        i, k = constant[0], int(np.argmax(np.abs(covariance[constant[0]])))
        raise ValueError(
            f"the covariance is not positive semidefinite: variance [{i}, {i}] is 0, but [{i}, "
            f"{k}] is {covariance[i, k]:g}"
        )
    scale = np.outer(np.sqrt(variance), np.sqrt(variance))
    with np.errstate(over="ignore"):
        asymmetry = np.abs(covariance - covariance.T) - _ASYMMETRY * scale
    if asymmetry.max() > 0:
        i, k = np.unravel_index(np.argmax(asymmetry), scale.shape)
        raise ValueError(
            f"the covariance is not symmetric: [{i}, {k}] is {covariance[i, k]:g}, but [{k}, {i}] "
            f"is {covariance[k, i]:g}"
        )
    same = covariance == covariance.T  # half of the smallest number is 0
    covariance = np.where(same, covariance, covariance / 2 + covariance.T / 2)
    per_std = np.divide(1.0, np.sqrt(variance), out=np.zeros(len(variance)), where=variance > 0)
    with np.errstate(over="ignore"):
        correlation = covariance * per_std[:, np.newaxis] * per_std
    correlation = np.clip(correlation, -LARGEST, LARGEST)
    # By Cholesky, which is fast; eigenvalues are for the message.
    try:
        np.linalg.cholesky(correlation + _ASYMMETRY * np.eye(len(correlation)))
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(correlation)[0]
        raise ValueError(
            "the covariance is not positive semidefinite: its correlations have the eigenvalue "
            f"{lowest:.3g}, which no data have. Check the table for misprints; for data with "
            "missing values, pass the samples or Moments.of"
        ) from None
    return covariance


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


def _check_overflow(
    data: Float[np.ndarray, "samples k"], moments: Float[np.ndarray, "k ..."]
) -> None:
    """Raise a ValueError where columns of finite data have moments that are not."""
    if np.isfinite(moments).all() or not np.isfinite(data).all():
        return
    variance = moments if moments.ndim == 1 else np.diagonal(moments)
    j = int(np.argmin(np.isfinite(variance)))
    raise ValueError(
        f"column {j} reaches {np.abs(data[:, j]).max():.3g}, and such numbers cannot be squared in "
        f"{data.dtype}: divide the data by a constant, such as their largest value"
    )


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


def std_beyond_rounding(variance: Float[Any, " k"], mean: Float[Any, " k"]) -> Float[Any, " k"]:
    """Square root of a variance, zero (with a zero gradient) where it is only rounding.

    So it is where the variance is so small that its type holds it with few digits.
    """
    xp = array_namespace(variance)
    finfo = xp.finfo(variance.dtype)
    rounding = _CONSTANT_ROUNDINGS * finfo.eps * xp.abs(mean)
    positive = variance > finfo.smallest_normal / finfo.eps
    std = xp.sqrt(xp.where(positive, variance, 1.0))
    # Not the squares of both, which may overflow.
    return xp.where(positive & (std > rounding), std, 0.0)


def _correlation(
    covariance: Float[Any, "k l"], std_rows: Float[Any, " k"], std_columns: Float[Any, " l"]
) -> Float[Any, "k l"]:
    xp = array_namespace(covariance)
    scale = std_rows[:, xp.newaxis] * std_columns[xp.newaxis, :]
    varies = scale > 0
    return xp.clip(xp.where(varies, covariance / xp.where(varies, scale, 1.0), 0.0), -1.0, 1.0)
