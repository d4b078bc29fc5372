"""Whitening of correlated sources, and checks of correlations."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from minsyn.information._arrays import as_array, as_numbers, rounding_of

#: Rounding errors allowed in each correlation: those of the sums they were computed by.
_ROUNDINGS = 64
#: Targets left unexplained by less than this are looked at for whether they are determined.
_NEARLY_DETERMINED = 1e-4


@dataclass(frozen=True)
class Whitened:
    """A factorisation ``sigma = factor @ factor.T``, and each target in its coordinates.

    Of a stack, every field but ``rank`` has a leading axis ``b``.

    Attributes
    ----------
    factor : (m, rank)
        The Cholesky factor of sigma, or its eigenvectors scaled where sigma is singular.
    rho : (rank, n)
        Correlations of the whitened sources with each target, ``factor^+ rho``.
    unexplained : (n,)
        ``1 - rho' sigma^-1 rho``, exactly 0 where the sources determine the target.
    unexplained_by_best : (n,)
        ``1 - max_j rho_j^2``, exactly 0 where a single source determines the target.
    log_det : float
        log det sigma; -inf where sigma is singular.
    """

    factor: Float[np.ndarray, "*b m rank"]
    rho: Float[np.ndarray, "*b rank n"]
    unexplained: Float[np.ndarray, "*b n"]
    unexplained_by_best: Float[np.ndarray, "*b n"]
    log_det: float | Float[np.ndarray, " b"]

    @property
    def rank(self) -> int:
        """Number of sources that are not combinations of others."""
        rank: int = self.factor.shape[-1]
        return rank


def as_correlations(
    sigma: ArrayLike, rho: ArrayLike
) -> tuple[Float[np.ndarray, "m m"], Float[np.ndarray, "m n"], float]:
    """Both arguments in float64, and the rounding of the types they came in.

    Raises
    ------
    ValueError
        If ``sigma`` is no correlation matrix, or ``rho`` no array of correlations.
    """
    sigma, rho = as_array(sigma, "sigma"), as_array(rho, "rho")
    eps = rounding_of(sigma, rho)
    sigma, rho = as_numbers(sigma, "sigma"), as_numbers(rho, "rho")
    if rho.ndim != 2 or sigma.shape != (len(rho), len(rho)) or len(rho) == 0:
        raise ValueError(
            "sigma must have shape (m, m) and rho (m, n_targets) for m >= 1 sources; "
            f"found {sigma.shape} and {rho.shape}"
        )
    tolerance = _ROUNDINGS * eps
    if not np.isfinite(sigma).all():
        raise ValueError("sigma holds NaN or infinite entries")
    if np.abs(sigma - sigma.T).max() > tolerance or np.abs(np.diag(sigma) - 1).max() > tolerance:
        raise ValueError(
            "sigma must be a correlation matrix: symmetric, ones on its diagonal; divide a "
            "covariance by the standard deviations"
        )
    largest = max(rho.max(initial=0.0), -rho.min(initial=0.0))
    if not largest <= 1 + tolerance:  # NaN does not compare
        bad = np.flatnonzero(~(np.abs(rho) <= 1 + tolerance).all(axis=0))
        raise ValueError(f"rho of target {bad[0]} is not a correlation: {rho[:, bad[0]]}")
    return sigma, rho, eps


def whiten(sigma: Float[np.ndarray, "m m"], rho: Float[np.ndarray, "m n"], eps: float) -> Whitened:
    """Whiten sources: one factorisation of sigma and one product for all targets.

    The arguments are those of `as_correlations`. Where sigma is singular to rounding, its
    pseudo-inverse is taken: the limit along correlations that belong to one distribution.

    Raises
    ------
    ValueError
        If the sources, or the sources and a target together, are not positive semidefinite
        beyond rounding; the message names the target.
    """
    rounding = _ROUNDINGS * eps
    singular_below = rounding * len(sigma)
    try:
        factor = np.linalg.cholesky(sigma)
        singular = np.diag(factor).min() ** 2 < singular_below
    except np.linalg.LinAlgError:
        singular = True
    if singular:
        factor, inverse = _eigen_factor(sigma, singular_below)
        white = inverse @ rho
        _check_range(rho - factor @ white, singular_below)
        log_det = -np.inf if factor.shape[1] < len(sigma) else np.nan
    else:
        white = solve_triangular(factor, rho, lower=True, check_finite=False)
        log_det = 2 * float(np.log(np.diag(factor)).sum())
    if np.isnan(log_det):  # nearly singular, of full rank
        log_det = float(np.log(np.linalg.eigvalsh(sigma)).sum())
    unexplained = 1 - np.einsum("ij,ij->j", white, white)
    best = np.abs(rho).max(axis=0)
    by_best = (1 - best) * (1 + best)
    # The rounding of half precision may be larger.
    suspects = np.flatnonzero(unexplained < max(_NEARLY_DETERMINED, 16 * rounding))
    if suspects.size:
        # To first order an error e in every correlation changes rho' sigma^-1 rho by no more
        # than e (1 + |sigma^-1 rho|_1)^2.
        regression = np.linalg.lstsq(factor.T, white[:, suspects], rcond=None)[0]
        tolerance = rounding * (1 + np.abs(regression).sum(axis=0)) ** 2
        left = unexplained[suspects]
        _check_at_most_one(suspects, left, tolerance)
        determined = left <= tolerance
        unexplained[suspects[determined]] = 0.0
        by_one = determined & (by_best[suspects] <= tolerance)
        by_best[suspects[by_one]] = 0.0
    by_best = np.maximum(by_best, 0.0)
    return Whitened(factor, white, np.minimum(unexplained, by_best), by_best, log_det)


def whiten_stack(
    sigma: Float[np.ndarray, "b m m"], rho: Float[np.ndarray, "b m n"], eps: float
) -> Whitened:
    """`whiten` of many sources at once; factors of a lower rank end in columns of zeros.

    Those that are singular, or determine a target, go through `whiten` one by one.
    """
    rounding = _ROUNDINGS * eps
    m = sigma.shape[-1]
    try:
        factor = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(sigma)  # each by itself, below
    pivots = np.diagonal(factor, axis1=1, axis2=2)
    regular = pivots.min(axis=1, initial=np.inf) ** 2 >= rounding * m
    lower = np.where(regular[:, None, None], factor, np.eye(m))
    white = np.linalg.solve(lower, rho)
    unexplained = 1 - np.einsum("bij,bij->bj", white, white)
    best = np.abs(rho).max(axis=1)
    by_best = np.maximum((1 - best) * (1 + best), 0.0)
    unexplained = np.minimum(unexplained, by_best)
    log_det = 2 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    careful = ~regular | (unexplained < _NEARLY_DETERMINED).any(axis=1)
    for b in np.flatnonzero(careful):
        one = whiten(sigma[b], rho[b], eps)
        lower[b], white[b] = 0.0, 0.0
        lower[b, :, : one.rank], white[b, : one.rank] = one.factor, one.rho
        unexplained[b], by_best[b] = one.unexplained, one.unexplained_by_best
        log_det[b] = one.log_det
    return Whitened(lower, white, unexplained, by_best, log_det)


def _eigen_factor(
    sigma: Float[np.ndarray, "m m"], singular_below: float
) -> tuple[Float[np.ndarray, "m rank"], Float[np.ndarray, "rank m"]]:
    """Factor of the part of sigma that is not singular, and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(sigma)
    if values[0] < -singular_below:
        raise ValueError(
            f"sigma must be positive semidefinite; its smallest eigenvalue is {values[0]:.3g}"
        )
    kept = values > singular_below
    root, basis = np.sqrt(values[kept]), vectors[:, kept]
    return basis * root, (basis / root).T


def _check_range(outside: Float[np.ndarray, "m n"], singular_below: float) -> None:
    """Refuse a target that correlates with a combination of sources that is constant.

    An eigenvalue w of sigma bounds the squared correlation with its eigenvector.
    """
    squared = np.einsum("ij,ij->j", outside, outside)
    bad = np.flatnonzero(squared > singular_below)
    if bad.size:
        raise ValueError(
            f"sigma is singular, and the rho of target {bad[0]} does not belong to one "
            "distribution with it: it correlates with a combination of sources that is constant"
        )


def _check_at_most_one(
    targets: Int[np.ndarray, " k"],
    unexplained: Float[np.ndarray, " k"],
    tolerance: Float[np.ndarray, " k"],
) -> None:
    bad = np.flatnonzero(unexplained < -tolerance)
    if bad.size:
        raise ValueError(
            f"sigma and the rho of target {targets[bad[0]]} do not belong to one distribution: "
            f"rho' sigma^-1 rho is {1 - unexplained[bad[0]]:.9g}, and must be at most 1"
        )
