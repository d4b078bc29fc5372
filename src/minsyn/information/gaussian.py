"""Closed forms for jointly Gaussian sources and targets, vectorised over the targets.

Every measure is called ``f(sigma, rho)`` with the correlations ``sigma (m, m)`` of the sources and
``rho (m, n_targets)`` of each source with each target, and returns one value for each target. All
targets share one factorisation of ``sigma``. `PairwiseStatistics` has both from samples;
`minsyn.information.synergy` measures samples, with corrections of bias and intervals.

Values are never NaN. In the limits:

- ``sigma`` singular to rounding (a source is a combination of others): its pseudo-inverse, which
  is the limit along correlations that belong to one distribution.
- The sources determine the target (``rho' sigma^-1 rho`` is 1 to rounding): the mutual information
  is infinite. If one source does so alone (``|rho_j| = 1``), the others add nothing: GK synergy is
  0. Otherwise all the information is in the combination: synergies are infinite.

Equation numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017),
arXiv:1710.03839.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._arrays import as_array
from minsyn.information._gaussian_sources import GaussianSources, information
from minsyn.information._multiplets import MultipletInformation, multiplet_information
from minsyn.information._pmf import Unit, in_unit
from minsyn.information._whitening import as_correlations
from minsyn.information.ci.gaussian import GaussianCIDecoder, ci_decoder, ci_linear_map
from minsyn.information.measures import MEASURES
from minsyn.information.union.free_memory import require_bytes

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


def mutual_information(
    sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits"
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
    return _measure("mutual_information", sigma, rho, unit)


def source_informations(rho: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, "m n"]:
    r"""Mutual information of each source alone and each target, -1/2 log(1 - rho_ij^2).

    Parameters
    ----------
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
        If ``rho`` is not an array of correlations.

    Examples
    --------
    >>> source_informations([[0.5], [0.75]]).round(6)
    array([[0.207519],
           [0.596323]])
    """
    rho = as_array(rho, "rho")
    sources = GaussianSources.of(np.eye(len(rho)) if rho.ndim else rho, rho)
    return np.asarray(in_unit(information(sources.unexplained_alone), unit))


def union_information(
    sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    r"""Union information (Griffith and Koch), the information of the best source (Eq. 14).

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
    return _measure("union_information", sigma, rho, unit)


def gk_synergy(sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, " n"]:
    r"""GK synergy (Griffith and Koch), the mutual minus the union information (Eq. 3 and 15).

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
    return _measure("gk_synergy", sigma, rho, unit)


def whole_minus_sum(
    sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits"
) -> Float[np.ndarray, " n"]:
    """Whole-minus-sum synergy, I(Z; X_i) - sum_j I(Z_j; X_i) (Eq. 1).

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
    return _measure("whole_minus_sum", sigma, rho, unit)


def ci_synergy(sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, " n"]:
    r"""CI synergy, the information that a decoder loses by ignoring Sigma (Eq. 4, from Eq. 9).

    Also known as correlational importance.

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
    return _measure("ci_synergy", sigma, rho, unit)


def total_correlation(
    sigma: ArrayLike, rho: ArrayLike, *, unit: Unit = "bits"
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
    return _measure("total_correlation", sigma, rho, unit)


def gk_distribution(rho: ArrayLike) -> Float[np.ndarray, "n m m"]:
    r"""Correlations of the sources for which a target has no GK synergy (Eq. 16, mended).

    With k the source of largest :math:`|\rho_k|`,

    .. math:: \Sigma_{jl} = \rho_j \rho_l / \rho_k^2 \quad (j \neq l),

    the least synergistic distribution with the same pairwise marginals: every source is a noisy
    copy of the k-th, and :math:`\rho^\top \Sigma^{-1} \rho = \rho_k^2`. Eq. 16 has zeros off
    the k-th row, and is then no correlation matrix for many rho of three or more sources. This
    one is a diagonal of :math:`1 - \rho_j^2/\rho_k^2 \ge 0` plus a matrix of rank one. It does not
    depend on the correlations that the sources have.

    Parameters
    ----------
    rho : array_like, shape (m, n_targets)
        Correlations of each source with each target.

    Returns
    -------
    ndarray, shape (n_targets, m, m)
        One correlation matrix for each target; the identity where rho is zero.

    Raises
    ------
    ValueError
        If ``rho`` is not an array of correlations, or memory does not hold the matrices.

    Examples
    --------
    >>> gk_distribution([[0.5], [0.75]]).round(4)
    array([[[1.    , 0.6667],
            [0.6667, 1.    ]]])
    """
    rho = as_array(rho, "rho")
    _, rho, _ = as_correlations(np.eye(len(rho)) if rho.ndim else rho, rho)
    m, n = rho.shape
    require_bytes(16.0 * n * m**2, f"{n:,} matrices of {m:,} sources", "take fewer targets at once")
    largest = np.abs(rho).max(axis=0)
    share = (rho / np.where(largest > 0, largest, 1.0)).T
    return np.where(np.eye(len(rho)) > 0, 1.0, share[:, :, None] * share[:, None, :])


def _measure(name: str, sigma: ArrayLike, rho: ArrayLike, unit: Unit) -> Float[np.ndarray, " n"]:
    return np.asarray(in_unit(MEASURES[name].of(GaussianSources.of(sigma, rho)), unit))
