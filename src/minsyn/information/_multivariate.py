"""Dependence among all variables of a pmf, none of which is a target."""

from numpy.typing import ArrayLike

from minsyn.information._pmf import Unit, as_pmf, entropy_nats, in_unit
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES

__all__ = ["dual_total_correlation", "o_information", "total_correlation"]


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
    batch = PmfBatch(as_pmf(pmf)[None])
    return float(in_unit(MEASURES["total_correlation"].of(batch)[0], unit))


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
