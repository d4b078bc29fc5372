"""Information and synergy of a discrete joint distribution, given as an array of probabilities.

Every function takes ``pmf[z_1, ..., z_m, x]``: one axis for each source, the target last. Equation
numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017), arXiv:1710.03839.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import xlogy

from minsyn.information._multivariate import (
    dual_total_correlation,
    o_information,
    total_correlation,
)
from minsyn.information._pmf import (
    Unit,
    as_pmf,
    entropy_nats,
    in_unit,
    information_nats,
    marginal,
    source_marginals,
)
from minsyn.information._williams_beer import imin_redundancy, s_max, specific_informations

__all__ = [
    "ci_synergy",
    "dual_total_correlation",
    "entropy",
    "imin_redundancy",
    "mutual_information",
    "o_information",
    "s_max",
    "source_informations",
    "specific_informations",
    "total_correlation",
    "whole_minus_sum",
]


def entropy(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Joint entropy of all axes, H = -sum p log p.

    Parameters
    ----------
    pmf : array_like, any shape
        Probabilities that sum to 1.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``pmf`` does not sum to 1 or has negative or NaN cells.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25])
    1.5
    """
    return float(in_unit(entropy_nats(as_pmf(pmf, min_axes=1)), unit))


def mutual_information(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Mutual information I(Z_1:m; X) of all sources together and the target.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    1.0
    """
    p = as_pmf(pmf)
    return float(in_unit(information_nats(p.reshape(-1, p.shape[-1])), unit))


def source_informations(pmf: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, " m"]:
    """Mutual information I(Z_j; X) of each source alone and the target.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    Examples
    --------
    The first source is the target, the second tells nothing.

    >>> source_informations([[[0.25, 0.0], [0.25, 0.0]], [[0.0, 0.25], [0.0, 0.25]]])
    array([1., 0.])
    """
    nats = np.array([information_nats(p_zx) for p_zx in source_marginals(as_pmf(pmf))])
    return np.asarray(in_unit(nats, unit))


def whole_minus_sum(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Whole-minus-sum synergy, WMS = I(Z_1:m; X) - sum_j I(Z_j; X) (Eq. 1).

    Negative where redundancy outweighs synergy.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    Examples
    --------
    >>> import numpy as np
    >>> xor = np.zeros((2, 2, 2))
    >>> xor[0, 0, 0] = xor[0, 1, 1] = xor[1, 0, 1] = xor[1, 1, 0] = 0.25
    >>> round(whole_minus_sum(xor), 9)
    1.0
    """
    p = as_pmf(pmf)
    return mutual_information(p, unit=unit) - float(source_informations(p, unit=unit).sum())


def ci_synergy(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Correlational importance, E_z KL(p(x|z) || p_CI(x|z)) (Eq. 4).

    ``p_CI(x|z) = p(x) prod_j p(z_j|x) / p_CI(z)`` is the decoder that takes the sources for
    independent given the target (Eq. 5).

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        At least 0; 0 if the sources are independent given the target.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Nirenberg, Latham (2003), "Decoding neuronal spike trains: how important are correlations?"

    Examples
    --------
    >>> import numpy as np
    >>> xor = np.zeros((2, 2, 2))
    >>> xor[0, 0, 0] = xor[0, 1, 1] = xor[1, 0, 1] = xor[1, 1, 0] = 0.25
    >>> round(ci_synergy(xor), 9)
    1.0
    """
    p = as_pmf(pmf)
    p_x = marginal(p, (-1,))
    # log p_CI(z, x) = log p(x) + sum_j log p(z_j|x); -inf only where p(z, x) is 0 too.
    log_ci = np.broadcast_to(_log(p_x), p.shape)
    for j, p_zx in enumerate(source_marginals(p)):
        shape = [1] * p.ndim
        shape[j], shape[-1] = p_zx.shape
        log_ci = log_ci + (_log(p_zx) - np.where(p_x > 0, _log(p_x), 0.0)).reshape(shape)
    log_ci_z = np.logaddexp.reduce(log_ci, axis=-1, keepdims=True)
    seen = p > 0
    log_decoder = np.where(seen, log_ci, 0.0) - np.where(np.isfinite(log_ci_z), log_ci_z, 0.0)
    p_z = p.sum(axis=-1, keepdims=True)
    divergence = xlogy(p, p) - xlogy(p, p_z) - p * np.where(seen, log_decoder, 0.0)
    return float(in_unit(max(float(divergence.sum()), 0.0), unit))


def _log(p: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The logarithm, -inf at 0 without a warning."""
    return np.asarray(np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf))
