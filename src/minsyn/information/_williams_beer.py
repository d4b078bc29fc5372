"""Williams and Beer's redundancy and synergy, from specific informations."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import xlogy

from minsyn.information._pmf import Unit, as_pmf, in_unit, source_marginals
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES

__all__ = ["imin_redundancy", "s_max", "specific_informations", "specific_nats"]


def specific_informations(pmf: ArrayLike, *, unit: Unit = "bits") -> Float[np.ndarray, "m x"]:
    """Specific information of each source about each value of the target, I(X=x; Z_j).

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
    Two independent bits and their copy. I_min compares amounts of information only, and calls one
    bit redundant.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 4))
    >>> p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 2] = p[1, 1, 3] = 0.25
    >>> round(imin_redundancy(p), 9)
    1.0
    """
    batch = PmfBatch(as_pmf(pmf)[None])
    return float(in_unit(MEASURES["imin_redundancy"].of(batch)[0], unit))


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
    return float(in_unit(MEASURES["s_max"].of(PmfBatch(as_pmf(pmf)[None]))[0], unit))
