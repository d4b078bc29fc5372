"""Decoder without CI synergy for Gaussian sources and targets (Eq. 9)."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float

from minsyn.information._arrays import as_floating
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["GaussianCIDecoder", "ci_decoder", "ci_linear_map", "squared_error"]

#: Roundings by which a squared correlation is kept below 1: Eq. 9 divides by 1 - rho^2.
_ROUNDINGS_BELOW_ONE = 8
#: Rounding by which a correlation may exceed 1.
_BEYOND_ONE = 1e-6


class GaussianCIDecoder(NamedTuple):
    """``p_CI(x_i | z) = N(sum_j coefficients[j, i] z_j, variance[i])``, standardised variables."""

    coefficients: Float[Any, "m n"]
    variance: Float[Any, " n"]


def ci_decoder(rho: Float[Any, "m n"]) -> GaussianCIDecoder:
    r"""The decoder without CI synergy for standardised Gaussian variables.

    It takes the sources for independent given the target, so their own correlations do not enter.

    With :math:`r_{ij} = \rho_{ij} / (1 - \rho_{ij}^2)` and :math:`R_i = \sum_j \rho_{ij} r_{ij}`,

    .. math:: p_{CI}(x_i \mid z) = \mathcal N\Bigl(\frac{\sum_j r_{ij} z_j}{1 + R_i},
              \frac{1}{1 + R_i}\Bigr).

    Parameters
    ----------
    rho : array of shape (m, n_targets)
        Correlations of each source with each target, in [-1, 1].

    Returns
    -------
    GaussianCIDecoder
        ``coefficients`` of shape (m, n_targets) and ``variance`` of shape (n_targets,). Where
        ``|rho|`` is 1, the limit: that source alone decides (several such sources share equally).

    Raises
    ------
    ValueError
        If an array of NumPy holds NaN or numbers outside [-1, 1].

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> coefficients, variance = ci_decoder(np.array([[0.5], [0.75]]))
    >>> coefficients.ravel().round(4), variance.round(4)
    (array([0.2545, 0.6545]), array([0.3818]))
    """
    rho = as_floating(rho, "rho")
    if rho.ndim != 2:
        raise ValueError(f"rho must have shape (m, n_targets); found {tuple(rho.shape)}")
    if isinstance(rho, np.ndarray) and not (np.abs(rho) <= 1 + _BEYOND_ONE).all():
        raise ValueError("rho must hold correlations in [-1, 1], without NaN")
    xp = array_namespace(rho)
    below_one = 1 - _ROUNDINGS_BELOW_ONE * xp.finfo(rho.dtype).eps
    r = rho / (1 - xp.clip(rho * rho, None, below_one))
    variance = 1 / (1 + xp.sum(rho * r, axis=0))
    return GaussianCIDecoder(r * variance, variance)


def squared_error(
    rho: Float[Any, "*starts m n"], sigma: Float[Any, "*starts m m"], variance: Float[Any, " n"]
) -> tuple[Float[Any, "*starts"], Float[Any, "*starts m n"], Float[Any, "*starts m m"]]:
    r"""Squared error of `ci_decoder`, from correlations alone, and its gradient.

    .. math:: \sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' \Sigma u_i),

    where :math:`u_i` is Eq. 9's decoder of the standardised :math:`x_i`. The gradient is written by
    hand: a few passes over ``rho``.

    Parameters
    ----------
    rho : array of shape (..., m, n_targets)
        Correlations of each source with each target.
    sigma : array of shape (..., m, m)
        Correlations of the sources.
    variance : array of shape (n_targets,)
        Variances of the targets.

    Returns
    -------
    loss : array of shape (...)
    d_rho : array of shape (..., m, n_targets)
    d_sigma : array of shape (..., m, m)
        Derivatives, those of ``sigma`` with all its entries taken as free.

    Examples
    --------
    One source: the decoder is the regression, whose error is v (1 - rho^2).

    >>> import numpy as np
    >>> loss, d_rho, _ = squared_error(np.array([[0.5]]), np.eye(1), np.array([4.0]))
    >>> loss.item(), d_rho.item()
    (3.0, -4.0)
    """
    xp = array_namespace(rho)
    v, rho_rho = variance, rho * rho
    below_one = 1 - _ROUNDINGS_BELOW_ONE * xp.finfo(rho.dtype).eps
    # Eq. 9: u = r / (1 + R), with r = rho q; R = sum rho r, so that u.rho = R / (1 + R).
    q = 1 / (1 - xp.clip(rho_rho, None, below_one))
    shrink = 1 / (1 + xp.sum(rho_rho * q, axis=-2, keepdims=True))
    u = rho * q
    u *= shrink
    error = sigma @ u
    error -= rho
    error *= v
    u_error = xp.sum(u * error, axis=-2, keepdims=True)
    loss = xp.sum(v * shrink + u_error, axis=(-2, -1))

    d_rho = 1 + rho_rho
    d_rho *= error
    d_rho -= 2 * u_error * rho
    d_rho *= q
    d_rho -= v * rho
    d_rho *= q
    d_rho *= 2 * shrink
    return loss, d_rho, (u * v) @ xp.matrix_transpose(u)


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
        Expected targets where every source is 0.

    Examples
    --------
    One source that is the target in another unit:

    >>> import numpy as np
    >>> z = np.array([[0.0], [1.0], [2.0]])
    >>> weights, intercept = ci_linear_map(PairwiseStatistics.of(z, 10 * z + 1))
    >>> weights.round(6), intercept.round(6)
    (array([[10.]]), array([1.]))
    """
    xp = array_namespace(statistics.cov_zx)
    per_source = inverse_or_zero(statistics.std_z)
    u = ci_decoder(statistics.rho).coefficients
    weights = per_source[:, xp.newaxis] * u * statistics.std_x[xp.newaxis, :]
    return weights, statistics.mean_x - statistics.mean_z @ weights


def inverse_or_zero(std: Float[Any, " k"]) -> Float[Any, " k"]:
    """``1 / std``, and 0 (with a zero gradient) where a variable is constant."""
    xp = array_namespace(std)
    varies = std > 0
    return xp.where(varies, 1 / xp.where(varies, std, 1.0), 0.0)
