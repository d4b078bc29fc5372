"""Closed forms for jointly Gaussian sources and targets, vectorised over the targets.

Every measure is called ``f(sigma, rho)``: correlations ``sigma (m, m)`` of the sources, and
``rho (m, n_targets)`` of each source with each target; one value for each target comes back. All
targets share one factorisation of ``sigma``. `PairwiseStatistics` gives both from samples.

Limits are defined, and never NaN:

- ``sigma`` singular to rounding (a source is a combination of others): its pseudo-inverse, which
  is the limit along correlations that belong to one distribution.
- The sources determine the target (``rho' sigma^-1 rho`` is 1 to rounding): the mutual information
  is infinite. If one source does so alone (``|rho_j| = 1``), the others add nothing: GK synergy is
  0. Otherwise all the information is in the combination: synergies are infinite.

Equation numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017),
arXiv:1710.03839.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._multiplets import MultipletInformation, multiplet_information
from minsyn.information._pmf import Unit, in_unit
from minsyn.information._whitening import Whitened, as_correlations, whiten
from minsyn.information.statistics import PairwiseStatistics

__all__ = [
    "GaussianCIDecoder",
    "MultipletInformation",
    "ci_decoder",
    "ci_linear_map",
    "ci_synergy",
    "gk_distribution",
    "gk_synergy",
    "multiplet_information",
    "mutual_information",
    "source_informations",
    "total_correlation",
    "union_information",
    "whole_minus_sum",
]

#: How many roundings a squared correlation stays below 1, where Eq. 9 divides by 1 - rho^2.
_ROUNDINGS_BELOW_ONE = 8
#: A correlation whose square is 1 to this many roundings is 1, as in `whiten`, where it is the
#: allowed error of a correlation times (1 + |e_j|_1)^2 = 4.
_ROUNDINGS_OF_ONE = 256


class GaussianCIDecoder(NamedTuple):
    """``p_CI(x_i | z) = N(sum_j coefficients[j, i] z_j, variance[i])``, standardised variables."""

    coefficients: Float[Any, "m n"]
    variance: Float[Any, " n"]


def ci_decoder(sigma: Float[Any, "m m"] | None, rho: Float[Any, "m n"]) -> GaussianCIDecoder:
    r"""The decoder without CI synergy for standardised Gaussian variables.

    With :math:`r_{ij} = \rho_{ij} / (1 - \rho_{ij}^2)` and :math:`R_i = \sum_j \rho_{ij} r_{ij}`,

    .. math:: p_{CI}(x_i \mid z) = \mathcal N\Bigl(\frac{\sum_j r_{ij} z_j}{1 + R_i},
              \frac{1}{1 + R_i}\Bigr).

    Parameters
    ----------
    sigma : array of shape (m, m) or None
        Correlations of the sources. The CI decoder does not depend on them; the argument is there
        so that every function of this module is called alike.
    rho : array of shape (m, n_targets)
        Correlations of each source with each target, in [-1, 1].

    Returns
    -------
    GaussianCIDecoder
        ``coefficients`` of shape (m, n_targets) and ``variance`` of shape (n_targets,). Where
        ``|rho|`` is 1, the limit: that source alone decides (several such sources share equally).

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> coefficients, variance = ci_decoder(None, np.array([[0.5], [0.75]]))
    >>> coefficients.ravel().round(4), variance.round(4)
    (array([0.2545, 0.6545]), array([0.3818]))
    """
    xp = array_namespace(rho)
    below_one = 1 - _ROUNDINGS_BELOW_ONE * xp.finfo(rho.dtype).eps
    r = rho / (1 - xp.clip(rho * rho, None, below_one))
    variance = 1 / (1 + xp.sum(rho * r, axis=0))
    return GaussianCIDecoder(r * variance, variance)


def ci_linear_map(
    statistics: PairwiseStatistics,
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    """The mean of `ci_decoder` in the variables' own units.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of sources and targets.

    Returns
    -------
    weights : array of shape (m, n_targets)
        ``E_CI[x | z] = z @ weights + intercept``. A constant source has zero weight.
    intercept : array of shape (n_targets,)
        What is expected where every source is 0.
    """
    xp = array_namespace(statistics.cov_zx)
    std_z = statistics.std_z
    per_source = xp.where(std_z > 0, 1 / xp.where(std_z > 0, std_z, 1.0), 0.0)
    u = ci_decoder(None, statistics.rho).coefficients
    weights = per_source[:, xp.newaxis] * u * statistics.std_x[xp.newaxis, :]
    return weights, statistics.mean_x - statistics.mean_z @ weights


def mutual_information(
    sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    r"""Mutual information of all sources together and each target.

    .. math:: I(Z; X_i) = -\tfrac12 \log(1 - \rho_i^\top \Sigma^{-1} \rho_i)

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    The synergistic case of Fig. 1 (a):

    >>> mutual_information([[1, -0.1], [-0.1, 1]], [[0.5], [0.75]]).round(6)
    array([1.635902])
    """
    return np.asarray(in_unit(_mutual_information(whiten(sigma, rho)), unit))


def source_informations(
    sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits"
) -> Float[np.ndarray, "m n"]:
    r"""Mutual information of each source alone and each target, -1/2 log(1 - rho_ij^2).

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (m, n_targets)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    >>> source_informations(np.eye(2), [[0.5], [0.75]]).round(6)
    array([[0.207519],
           [0.596323]])
    """
    _, rho, eps = as_correlations(sigma, rho)
    return np.asarray(in_unit(_alone(rho, eps), unit))


def union_information(
    sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    r"""Griffith and Koch's union information: what the best single source tells (Eq. 14).

    .. math:: U(Z; X_i) = -\tfrac12 \log(1 - \max_j \rho_{ij}^2)

    Eq. 14 lacks the minus sign, and takes the largest correlation, not the largest in magnitude.
    The minimum is over all distributions with the pairwise marginals, Gaussian or not: none has
    less information than its best source, and `gk_distribution` has no more.

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    >>> union_information(np.eye(2), [[0.5], [0.75]]).round(6)
    array([0.596323])
    """
    return np.asarray(in_unit(_union_information(whiten(sigma, rho)), unit))


def gk_synergy(sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits") -> Float[np.ndarray, " n"]:
    r"""Griffith and Koch's synergy, the whole minus the union (Eq. 3 and 15).

    .. math:: S(Z; X_i) = \tfrac12 \log
              \frac{1 - \max_j \rho_{ij}^2}{1 - \rho_i^\top \Sigma^{-1} \rho_i}

    (Eq. 15 has the fraction upside down.)

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    Zero where the second source passes on all that the first tells, at 2/3:

    >>> sigma = np.array([[1, 2 / 3], [2 / 3, 1]])
    >>> gk_synergy(sigma, [[0.5], [0.75]]).round(9)
    array([0.])
    """
    return np.asarray(in_unit(_gk_synergy(whiten(sigma, rho)), unit))


def whole_minus_sum(
    sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    """The whole minus the sum, I(Z; X_i) - sum_j I(Z_j; X_i) (Eq. 1).

    Negative where redundancy outweighs synergy; -inf where several sources each determine the
    target.

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    >>> whole_minus_sum([[1, -0.1], [-0.1, 1]], [[0.5], [0.75]]).round(6)
    array([0.832061])
    """
    _, correlations, eps = as_correlations(sigma, rho)
    return np.asarray(in_unit(_whole_minus_sum(whiten(sigma, rho), correlations, eps), unit))


def ci_synergy(sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits") -> Float[np.ndarray, " n"]:
    r"""Correlational importance: what a decoder loses that ignores Sigma (Eq. 4, from Eq. 9).

    With :math:`v_p = 1 - \rho^\top \Sigma^{-1} \rho`, :math:`a = \Sigma^{-1} \rho`, and
    coefficients :math:`b` and variance :math:`v_q` of `ci_decoder`, the divergence of the two
    Gaussians averaged over z is

    .. math:: C(Z; X_i) = \tfrac12 \Bigl[\log\frac{v_q}{v_p}
              + \frac{v_p + (a - b)^\top \Sigma (a - b)}{v_q} - 1\Bigr].

    Where c sources equal the target (``|rho| = 1``), the limit is (c - 1 - log c) / 2 nats: the
    decoder takes copies for independent witnesses.

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    Zero where the sources are independent given the target, Sigma_12 = rho_1 rho_2:

    >>> ci_synergy([[1, 0.375], [0.375, 1]], [[0.5], [0.75]]).round(9)
    array([0.])
    >>> ci_synergy([[1, -0.1], [-0.1, 1]], [[0.5], [0.75]]).round(6)
    array([0.64235])
    """
    _, correlations, eps = as_correlations(sigma, rho)
    return np.asarray(in_unit(_ci_synergy(whiten(sigma, rho), correlations, eps), unit))


def total_correlation(
    sigma: ArrayLike, rho: ArrayLike, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    r"""Total correlation of the sources together with each target (Eq. 7).

    .. math:: TC(Z, X_i) = TC(Z) + I(Z; X_i), \quad TC(Z) = -\tfrac12 \log\det\Sigma

    As `minsyn.information.discrete.total_correlation`, which takes all axes of a pmf. The total
    correlation of the sources alone is that of a target which none of them knows: ``rho`` of one
    column of zeros. Infinite where ``sigma`` is singular.

    Parameters
    ----------
    sigma : array_like, shape (m, m)
        Correlations of the sources.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (n_targets,)

    Raises
    ------
    ValueError
        If ``sigma`` and the ``rho`` of a target belong to no distribution (beyond rounding).

    Examples
    --------
    >>> sigma = [[1, 0.6], [0.6, 1]]
    >>> total_correlation(sigma, [[0.0, 0.5], [0.0, 0.75]]).round(6)
    array([0.321928, 0.92472 ])
    """
    return np.asarray(in_unit(_total_correlation(whiten(sigma, rho)), unit))


def gk_distribution(sigma: ArrayLike | None, rho: ArrayLike) -> Float[np.ndarray, "n m m"]:
    r"""Correlations of the sources for which a target has no GK synergy (Eq. 16, mended).

    With k the source of largest :math:`|\rho_k|`,

    .. math:: \Sigma_{jl} = \rho_j \rho_l / \rho_k^2 \quad (j \neq l),

    the least synergistic distribution with the same pairwise marginals: every source is a noisy
    copy of the k-th, and :math:`\rho^\top \Sigma^{-1} \rho = \rho_k^2`. Eq. 16 has zeros off
    the k-th row, and is then no correlation matrix for many rho of three or more sources. This
    one is a diagonal of :math:`1 - \rho_j^2/\rho_k^2 \ge 0` plus a matrix of rank one.

    Parameters
    ----------
    sigma : array_like of shape (m, m) or None
        Correlations of the sources. The result does not depend on them; the argument is there so
        that every function of this module is called alike.
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.

    Returns
    -------
    ndarray, shape (n_targets, m, m)
        One correlation matrix for each target; the identity where rho is zero.

    Raises
    ------
    ValueError
        If ``rho`` holds what is not a correlation.

    Examples
    --------
    >>> gk_distribution(None, [[0.5], [0.75]]).round(4)
    array([[[1.    , 0.6667],
            [0.6667, 1.    ]]])
    """
    rho = np.asarray(rho)
    _, rho, _ = as_correlations(np.eye(len(rho)) if sigma is None else sigma, rho)
    largest = np.abs(rho).max(axis=0)
    share = (rho / np.where(largest > 0, largest, 1.0)).T
    return np.where(np.eye(len(rho)) > 0, 1.0, share[:, :, None] * share[:, None, :])


# What follows is in nats, and takes sources that are whitened once for all measures.


def _information(unexplained: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """-1/2 log of the share of variance that is left; inf where none is."""
    left = unexplained > 0
    return np.where(left, -0.5 * np.log(np.where(left, unexplained, 1.0)) + 0.0, np.inf)


def _alone(rho: Float[np.ndarray, "m n"], eps: float) -> Float[np.ndarray, "m n"]:
    return _information(np.where(_determines(rho, eps), 0.0, (1 - rho) * (1 + rho)))


def _determines(rho: Float[np.ndarray, "m n"], eps: float) -> Any:
    """Which correlations are 1 in magnitude, to rounding."""
    return (1 - rho) * (1 + rho) <= _ROUNDINGS_OF_ONE * eps


def _mutual_information(white: Whitened) -> Float[np.ndarray, " n"]:
    return _information(white.unexplained)


def _union_information(white: Whitened) -> Float[np.ndarray, " n"]:
    return _information(white.unexplained_by_best)


def _gk_synergy(white: Whitened) -> Float[np.ndarray, " n"]:
    best = white.unexplained_by_best
    return _information(np.where(best > 0, white.unexplained / np.where(best > 0, best, 1), 1.0))


def _whole_minus_sum(
    white: Whitened, rho: Float[np.ndarray, "m n"], eps: float
) -> Float[np.ndarray, " n"]:
    # I - sum_j I_j = (I - max_j I_j) - sum of the others, of which only one can be infinite.
    others = _alone(rho, eps)
    best = np.abs(rho).argmax(axis=0)
    others[best, np.arange(rho.shape[1])] = 0.0
    return _gk_synergy(white) - others.sum(axis=0)


def _ci_synergy(
    white: Whitened, rho: Float[np.ndarray, "m n"], eps: float
) -> Float[np.ndarray, " n"]:
    b, v_q = ci_decoder(None, rho)
    v_p = white.unexplained
    copies = np.where(white.unexplained_by_best > 0, 0, _determines(rho, eps).sum(axis=0))
    regular = v_p > 0
    v_p, v_q = np.where(regular, v_p, 1.0), np.where(regular, v_q, 1.0)
    apart = white.rho - white.factor.T @ b  # (a - b)' Sigma (a - b) is its squared length
    excess = (v_p - v_q) / v_q
    nats = 0.5 * (excess - np.log1p(excess) + np.einsum("ij,ij->j", apart, apart) / v_q)
    c = np.maximum(copies, 1)
    return np.where(regular, nats, np.where(copies > 0, 0.5 * (c - 1 - np.log(c)), np.inf))


def _total_correlation(white: Whitened) -> Float[np.ndarray, " n"]:
    return _information(white.unexplained) - 0.5 * white.log_det


def measures_nats(
    sigma: Float[np.ndarray, "m m"], rho: Float[np.ndarray, "m n"], names: tuple[str, ...]
) -> tuple[dict[str, Float[np.ndarray, " n"]], int]:
    """Several measures from one factorisation, and the rank of sigma."""
    white = whiten(sigma, rho)
    _, rho, eps = as_correlations(sigma, rho)
    return {name: MEASURES[name](white, rho, eps) for name in names}, white.rank


#: Measures by name, as `minsyn.information.synergy` calls them.
MEASURES: dict[str, Callable[[Whitened, Any, float], Any]] = {
    "mutual_information": lambda white, rho, eps: _mutual_information(white),
    "union_information": lambda white, rho, eps: _union_information(white),
    "gk_synergy": lambda white, rho, eps: _gk_synergy(white),
    "ci_synergy": _ci_synergy,
    "whole_minus_sum": _whole_minus_sum,
    "total_correlation": lambda white, rho, eps: _total_correlation(white),
}
