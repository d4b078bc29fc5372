"""Total correlation and O-information of every set of k jointly Gaussian variables."""

from dataclasses import dataclass
from itertools import chain, combinations
from math import comb

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from minsyn.information._arrays import as_array, as_numbers, rounding_of
from minsyn.information._options import whole_number
from minsyn.information._pmf import Unit, in_unit
from minsyn.information.union.free_memory import require_bytes

#: Number of sets in a block, whose factors stay in cache.
_BLOCK = 4096
#: A pivot below this many roundings is a variable determined by those before it.
_ROUNDINGS = 64


@dataclass(frozen=True)
class MultipletInformation:
    """Total correlation and O-information of sets of variables.

    Attributes
    ----------
    members : ndarray of int, shape (n_sets, order)
        The variables of each set, in lexicographic order.
    total_correlation : ndarray, shape (n_sets,)
        TC of each set; inf where its variables are linearly dependent.
    o_information : ndarray, shape (n_sets,)
        O-information of each set: positive where redundancy dominates, negative where synergy
        does. Of linearly dependent variables, the limit of little noise on each, which may be
        finite (a copy of one of two variables) or infinite (-inf of two variables and their sum).
    unit : str
        "bits" or "nats".
    """

    members: Int[np.ndarray, "sets order"]
    total_correlation: Float[np.ndarray, " sets"]
    o_information: Float[np.ndarray, " sets"]
    unit: str


def multiplet_information(
    covariance: ArrayLike, order: int = 3, *, unit: Unit = "bits"
) -> MultipletInformation:
    r"""Total correlation and O-information of every set of ``order`` variables.

    For standardised variables with correlations R, and P the inverse of R,

    .. math:: TC = -\tfrac12 \log\det R, \qquad
              \Omega = TC - DTC = -\log\det R - \tfrac12 \sum_i \log P_{ii}.

    Parameters
    ----------
    covariance : array_like, shape (n, n)
        Covariances (or correlations) of the variables.
    order : int, default=3
        Variables in a set, at least 2.
    unit : {"bits", "nats"}
        Unit of the results.

    Returns
    -------
    MultipletInformation

    Raises
    ------
    ValueError
        If ``covariance`` is not a symmetric matrix with positive finite variances, has fewer
        than ``order`` variables, or is not positive semidefinite on a set (beyond rounding); or
        if the sets are more than memory holds.

    Notes
    -----
    Each step of a Cholesky factorisation runs over all sets at once, which is far cheaper than one
    small matrix after the other.

    References
    ----------
    Watanabe (1960) for TC; Rosas, Mediano, Gastpar, Jensen (2019), "Quantifying high-order
    interdependencies via multivariate extensions of the mutual information",
    arXiv:1902.11239, for the O-information.

    Examples
    --------
    A third variable that is the noisy sum of the other two is synergistic:

    >>> covariance = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 2.5]])
    >>> result = multiplet_information(covariance)
    >>> result.total_correlation.round(4), result.o_information.round(4)
    (array([1.161]), array([-0.424]))
    """
    correlation, eps = _correlations(covariance)
    n = len(correlation)
    if not 2 <= whole_number(order, "order", 2) <= n:
        raise ValueError(f"order must be between 2 and the number of variables {n}; found {order}")
    in_unit(0.0, unit)
    n_sets = comb(n, order)
    require_bytes(
        8.0 * n_sets * (order + 2), f"{n_sets:,} sets of {order} variables", "use a lower order"
    )
    members = np.fromiter(
        chain.from_iterable(combinations(range(n), order)), dtype=np.intp, count=n_sets * order
    ).reshape(n_sets, order)
    tc, omega = np.empty(n_sets), np.empty(n_sets)
    for start in range(0, n_sets, _BLOCK):
        block = members[start : start + _BLOCK].T
        r = correlation[block[:, None], block[None, :]]
        log_det, log_p = _factorise(r, _ROUNDINGS * eps)
        dependent = np.isneginf(log_det)
        tc[start : start + _BLOCK] = np.abs(0.5 * log_det)  # log det <= 0; no minus zero
        found = -np.where(dependent, 0.0, log_det) - 0.5 * log_p
        if dependent.any():
            found[dependent] = _limits(np.moveaxis(r[..., dependent], -1, 0), _ROUNDINGS * eps)
        omega[start : start + _BLOCK] = found
    return MultipletInformation(members, in_unit(tc, unit), in_unit(omega, unit), unit)


def _limits(r: Float[np.ndarray, "sets k k"], rounding: float) -> Float[np.ndarray, " sets"]:
    r"""O-information of singular sets, in the limit of little noise of one variance on each.

    Omega = [(k - 2) log det R - sum_i log det R_(-i)] / 2. With noise of variance e, log det R is
    (k - rank) log e plus the log of the product of the nonzero eigenvalues.
    """
    k = r.shape[-1]
    orders, finite = np.zeros(len(r)), np.zeros(len(r))
    subsets = [(k - 2, np.arange(k))] + [(-1, np.delete(np.arange(k), i)) for i in range(k)]
    for sign, kept in subsets:
        values = np.linalg.eigvalsh(r[:, kept[:, None], kept])
        if (values < -rounding * k).any():
            raise ValueError("covariance must be positive semidefinite")
        zero = values <= rounding * k
        orders += sign * zero.sum(axis=1)
        finite += sign * np.log(np.where(zero, 1.0, values)).sum(axis=1)
    return np.where(orders == 0, 0.5 * finite, np.where(orders > 0, -np.inf, np.inf))


def _correlations(covariance: ArrayLike) -> tuple[Float[np.ndarray, "n n"], float]:
    c = as_array(covariance, "covariance")
    eps = rounding_of(c)
    c = as_numbers(c, "covariance")
    if c.ndim != 2 or c.shape[0] != c.shape[1] or c.size == 0:
        raise ValueError(f"covariance must be a square matrix; found shape {c.shape}")
    variance = np.diag(c)
    if not np.isfinite(c).all() or not (variance > 0).all():
        raise ValueError("covariance must be finite, with positive variances: drop constants")
    std = np.sqrt(variance)
    correlation = c / std / std[:, None]
    if np.abs(correlation - correlation.T).max() > _ROUNDINGS * eps:
        raise ValueError("covariance must be symmetric")
    np.fill_diagonal(correlation, 1.0)
    return correlation, eps


def _factorise(
    r: Float[np.ndarray, "k k sets"], rounding: float
) -> tuple[Float[np.ndarray, " sets"], Float[np.ndarray, " sets"]]:
    """Sums log det R and sum_i log (R^-1)_ii of many matrices, the last axis counting them."""
    k = len(r)
    lower = [[r[i, j] for j in range(i + 1)] for i in range(k)]  # becomes the Cholesky factor
    inverse: list[list[Float[np.ndarray, " sets"]]] = [[] for _ in range(k)]
    log_det = np.zeros(r.shape[-1])
    determined: list[Bool[np.ndarray, " sets"]] = []
    for i in range(k):
        for j in range(i):
            for above in range(j):
                lower[i][j] = lower[i][j] - lower[i][above] * lower[j][above]
            # What a dependent variable leaves is rounding.
            lower[i][j] = np.where(determined[j], 0.0, lower[i][j] / lower[j][j])
        pivot = lower[i][i]
        for above in range(i):
            pivot = pivot - lower[i][above] ** 2
        # Of a singular matrix, rounding may be far below 0: `_limits` checks the eigenvalues.
        dependent = pivot <= rounding * k
        determined.append(dependent)
        log_det += np.where(dependent, -np.inf, np.log(np.where(dependent, 1.0, pivot)))
        lower[i][i] = np.sqrt(np.where(dependent, 1.0, pivot))
        for j in range(i):  # row i of the factor's inverse, by forward substitution
            row = lower[i][j] * inverse[j][j]
            for between in range(j + 1, i):
                row = row + lower[i][between] * inverse[between][j]
            inverse[i].append(-row / lower[i][i])
        inverse[i].append(1 / lower[i][i])
    log_p = np.zeros(r.shape[-1])
    for i in range(k):
        p = inverse[i][i] ** 2
        for below in range(i + 1, k):
            p = p + inverse[below][i] ** 2
        log_p += np.log(p)
    return log_det, log_p
