"""Local (pointwise) values of the measures of a discrete distribution."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._options import said
from minsyn.information._pmf import Unit, as_pmf, in_unit
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES

__all__ = ["LocalMeasure", "local_values"]

LocalMeasure = Literal[
    "mutual_information",
    "ci_synergy",
    "whole_minus_sum",
    "total_correlation",
    "o_information",
    "imin_redundancy",
    "s_max",
]


def local_values(
    pmf: ArrayLike, measure: LocalMeasure = "mutual_information", *, unit: Unit = "bits"
) -> Float[np.ndarray, "*sources x"]:
    r"""Local values of a measure: what it is in each cell, of which it is the expectation.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    measure : str
        With :math:`i(z; x) = \log p(x|z) / p(x)`,

        - "mutual_information": :math:`i(z; x)` of all sources together;
        - "whole_minus_sum": :math:`i(z; x) - \sum_j i(z_j; x)`;
        - "ci_synergy": :math:`\log p(x|z) / p_{CI}(x|z)`, with the decoder of Eq. 5 of [1]_;
        - "total_correlation": :math:`\log p(z, x) / p(x) \prod_j p(z_j)`;
        - "o_information": the same less
          :math:`\log p(z, x)^{k - 1} / \prod_v p(\text{all variables but } v)`, the local dual
          total correlation of the k = m + 1 variables v;
        - "imin_redundancy": :math:`\min_j I(X{=}x; Z_j)`, the least specific information about the
          target's value, the same in all cells of that value;
        - "s_max": :math:`i(z; x) - \max_j I(X{=}x; Z_j)`.
    unit : {"bits", "nats"}
        Unit of the values.

    Returns
    -------
    ndarray, shape of ``pmf``
        0 in cells of probability 0. Local values may be negative, also those of measures that are
        not: there, an observation misinforms. Their sum weighted by ``pmf`` is the measure.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or the measure has no local values: union information and GK
        synergy belong to another distribution than ``pmf``.

    See Also
    --------
    shared_exclusions : Local redundancies and atoms.
    specific_informations : Of each source about each value of the target.

    References
    ----------
    .. [1] Ver Steeg, Brekelmans, Harutyunyan, Galstyan (2017), arXiv:1710.03839.
    .. [2] Lizier (2014), "Measuring the dynamics of information processing on a local scale in
           time and space".

    Examples
    --------
    An AND: where it is 1, both sources tell 2 bits together; where one source is 1 and the other
    0, the first misinforms.

    >>> from minsyn.information.examples import and_gate
    >>> local_values(and_gate())[1, 1, 1]
    np.float64(2.0)
    >>> local_values(and_gate(), "whole_minus_sum")[..., 0].round(3) + 0.0
    array([[-0.415,  0.585],
           [ 0.585,  0.   ]])
    """
    entry = MEASURES.get(measure) if isinstance(measure, str) else None
    if entry is None or entry.local is None:
        known = ", ".join(name for name, m in MEASURES.items() if m.local is not None)
        raise ValueError(f"measures with local values are {known}; found {said(measure)}")
    local = entry.local(PmfBatch(as_pmf(pmf)[None]))[0]
    return np.asarray(in_unit(local, unit))
