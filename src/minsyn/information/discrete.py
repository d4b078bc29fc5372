"""Information and synergy of a discrete joint distribution, given as an array of probabilities.

Every function takes ``pmf[z_1, ..., z_m, x]``: one axis for each source, the target last. Equation
numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017), arXiv:1710.03839.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import xlogy

from minsyn.information._pmf import (
    Unit,
    as_pmf,
    entropy_nats,
    in_unit,
    information_nats,
    marginal,
    source_marginals,
)

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


def total_correlation(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Total correlation TC = sum_j H(Z_j) - H(Z_1:m) over ALL axes of the array (Eq. 7).

    The target's axis counts like any other. For the sources alone, sum it out first:
    ``total_correlation(pmf.sum(-1))``.

    Parameters
    ----------
    pmf : array_like, at least two axes
        Joint probabilities.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        At least 0, and 0 only for independent variables.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Watanabe (1960), "Information theoretical analysis of multivariate correlation".

    Examples
    --------
    Three copies of one fair bit.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 2)); p[0, 0, 0] = p[1, 1, 1] = 0.5
    >>> round(total_correlation(p), 9), round(total_correlation(p.sum(-1)), 9)
    (2.0, 1.0)
    """
    p = as_pmf(pmf)
    singles = sum(entropy_nats(marginal(p, (j,))) for j in range(p.ndim))
    return float(in_unit(max(singles - entropy_nats(p), 0.0), unit))


def dual_total_correlation(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Dual total correlation H(Z_1:m) - sum_j H(Z_j | the others), over ALL axes of the array.

    For the sources alone, sum the target out: ``dual_total_correlation(pmf.sum(-1))``.

    Parameters
    ----------
    pmf : array_like, at least two axes
        Joint probabilities.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Han (1978), "Nonnegative entropy measures of multivariate symmetric correlations".

    Examples
    --------
    Three bits of even parity.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 2))
    >>> p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 1] = p[1, 1, 0] = 0.25
    >>> round(dual_total_correlation(p), 9)
    2.0
    """
    p = as_pmf(pmf)
    joint = entropy_nats(p)
    # H(Z_j | others) = H(all) - H(others)
    conditional = sum(joint - entropy_nats(p.sum(axis=j)) for j in range(p.ndim))
    return float(in_unit(max(joint - conditional, 0.0), unit))


def o_information(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """O-information, total minus dual total correlation, over ALL axes of the array.

    Positive where redundancy dominates, negative where synergy does. For the sources alone, sum
    the target out: ``o_information(pmf.sum(-1))``.

    Parameters
    ----------
    pmf : array_like, at least two axes
        Joint probabilities.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Rosas, Mediano, Gastpar, Jensen (2019), "Quantifying high-order interdependencies via
    multivariate extensions of the mutual information", arXiv:1902.11239.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.zeros((2, 2, 2))
    >>> p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 1] = p[1, 1, 0] = 0.25
    >>> round(o_information(p), 9)
    -1.0
    """
    return total_correlation(pmf, unit=unit) - dual_total_correlation(pmf, unit=unit)


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


def specific_informations(pmf: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, "m x"]:
    """What each source tells about each value of the target, I(X=x; Z_j).

    I(X=x; Z_j) = sum_z p(z_j|x) log p(x|z_j)/p(x)

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    ndarray, shape (m, |X|)
        At least 0; 0 for a value x of probability 0. Their mean over p(x) is I(Z_j; X).

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    DeWeese, Meister (1999), "How to measure the information gained from one symbol".

    Examples
    --------
    >>> specific_informations([[0.5, 0.0], [0.25, 0.25]]).round(6)
    array([[0.081704, 1.      ]])
    """
    p = as_pmf(pmf)
    return np.asarray(in_unit(specific_nats(source_marginals(p)), unit))


def specific_nats(marginals: list[Float[np.ndarray, "_ x"]]) -> Float[np.ndarray, "sources x"]:
    """I(X=x; Z_j) for every source's p(z_j, x) and every x, in nats."""
    p_x = marginals[0].sum(0)
    divisor = np.where(p_x > 0, p_x, 1.0)
    # Of p(z|x) log p(z|x) / p(z), with p(x) taken out of the sum over z.
    sums = [(xlogy(p, p) - xlogy(p, p.sum(1, keepdims=True))).sum(0) for p in marginals]
    return np.maximum(np.array(sums) / divisor - np.log(divisor), 0.0)


def imin_redundancy(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Williams and Beer's redundancy of all sources, I_min = E_x min_j I(X=x; Z_j).

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        Between 0 and min_j I(Z_j; X).

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Williams, Beer (2010), "Nonnegative decomposition of multivariate information",
    arXiv:1004.2515.

    Examples
    --------
    Two independent bits and their copy: I_min counts amounts, not what they are about.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 4))
    >>> p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 2] = p[1, 1, 3] = 0.25
    >>> round(imin_redundancy(p), 9)
    1.0
    """
    p = as_pmf(pmf)
    marginals = source_marginals(p)
    return float(in_unit(specific_nats(marginals).min(0) @ marginals[0].sum(0), unit))


def s_max(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Williams and Beer's synergy, S_max = I(Z_1:m; X) - E_x max_j I(X=x; Z_j).

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has one axis only.

    References
    ----------
    Griffith, Koch (2014), "Quantifying synergistic mutual information", arXiv:1205.4265.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.zeros((2, 2, 4))
    >>> p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 2] = p[1, 1, 3] = 0.25
    >>> round(s_max(p), 9)
    1.0
    """
    p = as_pmf(pmf)
    union = float(specific_informations(p, unit=unit).max(0) @ marginal(p, (-1,)))
    return max(mutual_information(p, unit=unit) - union, 0.0)


def _log(p: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The logarithm, -inf at 0 without a warning."""
    return np.asarray(np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf))
