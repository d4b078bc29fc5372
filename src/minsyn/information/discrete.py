"""Measures of a discrete joint distribution, given as an array of probabilities.

Every function takes ``pmf[z_1, ..., z_m, x]``: one axis for each source, the target last. Equation
numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017), arXiv:1710.03839.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._multivariate import (
    dual_total_correlation,
    o_information,
    total_correlation,
)
from minsyn.information._pmf import Unit, as_pmf, entropy_nats, in_unit
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information._williams_beer import imin_redundancy, s_max, specific_informations
from minsyn.information.decomposition import pid
from minsyn.information.measures import MEASURES
from minsyn.information.union.measure import gk_synergy, union_information

__all__ = [
    "ci_synergy",
    "dual_total_correlation",
    "entropy",
    "gk_synergy",
    "imin_redundancy",
    "mutual_information",
    "o_information",
    "pid",
    "s_max",
    "source_informations",
    "specific_informations",
    "total_correlation",
    "union_information",
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
    return _measure("mutual_information", pmf, unit)


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
    return np.asarray(in_unit(PmfBatch(as_pmf(pmf)[None]).alone[:, 0], unit))


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
    return _measure("whole_minus_sum", pmf, unit)


def ci_synergy(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """CI synergy, E_z KL(p(x|z) || p_CI(x|z)) (Eq. 4), or correlational importance.

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
    return _measure("ci_synergy", pmf, unit)


def _measure(name: str, pmf: ArrayLike, unit: Unit) -> float:
    return float(in_unit(MEASURES[name].of(PmfBatch(as_pmf(pmf)[None]))[0], unit))
