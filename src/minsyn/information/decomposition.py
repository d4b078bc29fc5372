"""Partial information decomposition of two sources.

Two sources have four atoms: redundancy R, unique informations U_1 and U_2, and synergy S, with
I(Z_j; X) = R + U_j and I(Z_1, Z_2; X) = R + U_1 + U_2 + S. Given the mutual informations, one atom
determines the others; the measures differ in how they define it. `williams_beer_lattice` has an
atom for every antichain of up to four sources. Of Gaussian vectors see `gaussian_vectors.pid`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn._warnings import warn
from minsyn.information._maximum_entropy import maximum_entropy
from minsyn.information._pmf import (
    Unit,
    as_pmf,
    entropy_nats,
    in_unit,
    information_nats,
    marginal,
    source_marginals,
)
from minsyn.information._williams_beer import imin_redundancy
from minsyn.information.union.measure import union_information

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Decomposition",
    "MaximumEntropyWarning",
    "PidMeasure",
    "dependency_constraint",
    "pid",
]

PidMeasure = Literal["broja", "williams_beer", "mmi", "dependency"]
_MEASURES: tuple[PidMeasure, ...] = get_args(PidMeasure)
_NAMES = {
    "broja": "BROJA",
    "williams_beer": "Williams-Beer",
    "mmi": "MMI",
    "dependency": "I_dep",
}
#: Error bound of the maximum-entropy search, in nats, above which it warns.
UNPROVEN = 1e-9


class MaximumEntropyWarning(UserWarning):
    """A maximum-entropy distribution that is not proven to 1e-9 nat."""


@dataclass(frozen=True, repr=False)
class Decomposition:
    """Atoms of two sources, one row for each measure.

    Attributes
    ----------
    measures : tuple of str
        Names of the rows.
    redundancy, unique_1, unique_2, synergy : ndarray, shape (n_measures,)
        The atoms, in ``unit``. Each row sums to I(Z_1, Z_2; X).
    unit : str
        "bits" or "nats".
    """

    measures: tuple[str, ...]
    redundancy: Float[np.ndarray, " n"]
    unique_1: Float[np.ndarray, " n"]
    unique_2: Float[np.ndarray, " n"]
    synergy: Float[np.ndarray, " n"]
    unit: str

    def __getitem__(self, measure: PidMeasure) -> dict[str, float]:
        """The atoms of one measure by name."""
        if measure not in self.measures:
            raise ValueError(f"measure must be among {self.measures}, found {measure!r}")
        i = self.measures.index(measure)
        columns = ("redundancy", "unique_1", "unique_2", "synergy")
        return {name: float(getattr(self, name)[i]) for name in columns}

    def to_frame(self) -> "pd.DataFrame":
        """A pandas table: a row for each measure, a column for each atom."""
        import pandas as pd

        return pd.DataFrame([self[m] for m in self.measures], index=pd.Index(self.measures))  # type: ignore[index]

    def __repr__(self) -> str:
        head = f"{'(' + self.unit + ')':<14}{'R':>10}{'U_1':>10}{'U_2':>10}{'S':>10}"
        rows = [
            f"{_NAMES[m]:<14}" + "".join(f"{value + 0.0:10.6f}" for value in np.round(row, 9))
            for m, row in zip(
                self.measures,
                np.stack([self.redundancy, self.unique_1, self.unique_2, self.synergy], axis=1),
                strict=True,
            )
        ]
        return "\n".join([head, *rows])


def dependency_constraint(pmf: ArrayLike, *, unit: Unit = "bits") -> tuple[float, float]:
    """Unique information of each of two sources by dependency constraints, I_dep.

    Each node of the lattice of constraints holds some marginals fixed; its distribution has the
    greatest entropy under them. I_dep is the least increase of I(Z_1, Z_2; X) along an edge that
    adds p(z_j, x) to the marginals held. For Z_1 the four edges are::

        Z_1 : Z_2 : X  -> Z_1X : Z_2            I(Z_1; X)
        Z_1Z_2 : X     -> Z_1Z_2 : Z_1X         I(Z_1; X)
        Z_1 : Z_2X     -> Z_1X : Z_2X           I_q(Z_1, Z_2; X) - I(Z_2; X)
        Z_1Z_2 : Z_2X  -> Z_1Z_2 : Z_1X : Z_2X  I_q(Z_1, Z_2; X) - I(Z_2; X)

    with q the distribution of greatest entropy under the constraints on the right; in the third
    line it is p(x) p(z_1|x) p(z_2|x).

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, |Z_2|, |X|)
        Joint probabilities of two sources and the target.
    unit : {"bits", "nats"}
        Unit of the results.

    Returns
    -------
    unique_1, unique_2 : float

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf of two sources and a target.

    Warns
    -----
    MaximumEntropyWarning
        If the maximum-entropy distribution is not proven to 1e-9 nat.

    References
    ----------
    James, Emenheiser, Crutchfield (2017), "Unique information via dependency constraints",
    arXiv:1709.06653.

    Examples
    --------
    >>> from minsyn.information.examples import and_gate
    >>> [round(u, 6) for u in dependency_constraint(and_gate())]
    [0.229574, 0.229574]
    """
    p = _two_sources(pmf)
    singles = [information_nats(p_zx) for p_zx in source_marginals(p)]
    # Z_1X : Z_2X, of maximum entropy where the sources are independent given the target.
    first, second = source_marginals(p)
    p_x = marginal(p, (2,))
    given_x = second / np.where(p_x > 0, p_x, 1.0)
    independent = first[:, None, :] * given_x[None, :, :]
    wedge = information_nats(independent.reshape(-1, p.shape[-1]))
    # Z_1Z_2 : Z_1X : Z_2X; its information is that of fixed entropies less the joint one.
    q, unproven = maximum_entropy(p, [(0, 1), (0, 2), (1, 2)])
    if unproven > UNPROVEN:
        warn(
            f"the maximum-entropy distribution is known only to {unproven:.1e} nat",
            MaximumEntropyWarning,
        )
    triangle = entropy_nats(marginal(p, (0, 1))) + entropy_nats(p_x) - entropy_nats(q)
    unique = [
        max(min(singles[j], wedge - singles[1 - j], triangle - singles[1 - j]), 0.0)
        for j in range(2)
    ]
    return float(in_unit(unique[0], unit)), float(in_unit(unique[1], unit))


def pid(
    pmf: ArrayLike,
    measure: PidMeasure | Iterable[PidMeasure] = _MEASURES,
    *,
    unit: Unit = "bits",
) -> Decomposition:
    """Decomposition of two sources by one or several measures.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, |Z_2|, |X|)
        Joint probabilities of two sources and the target.
    measure : str or iterable of str
        "broja" (S = I - U, the union information of `union_information`; Bertschinger et al.
        2014), "williams_beer" (R = I_min; 2010), "mmi" (R = min_j I(Z_j; X); Barrett 2015),
        "dependency" (U_j = I_dep; James et al. 2017). All four by default.
    unit : {"bits", "nats"}
        Unit of the atoms.

    Returns
    -------
    Decomposition

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf of two sources and a target, or a measure is not known.

    Warns
    -----
    UncertifiedWarning, MaximumEntropyWarning
        As `union_information` and `dependency_constraint`.

    Examples
    --------
    >>> from minsyn.information.examples import and_gate
    >>> pid(and_gate())
    (bits)                 R       U_1       U_2         S
    BROJA           0.311278  0.000000  0.000000  0.500000
    Williams-Beer   0.311278  0.000000  0.000000  0.500000
    MMI             0.311278  0.000000  0.000000  0.500000
    I_dep           0.081704  0.229574  0.229574  0.270426
    """
    measures = (measure,) if isinstance(measure, str) else tuple(measure)
    for name in measures:
        if name not in _MEASURES:
            raise ValueError(f"measure must be among {_MEASURES}, found {name!r}")
    p = _two_sources(pmf)
    whole = information_nats(p.reshape(-1, p.shape[-1]))
    one, two = (information_nats(p_zx) for p_zx in source_marginals(p))

    def redundancy(name: str) -> float:
        if name == "broja":
            return one + two - union_information(p, unit="nats").value
        if name == "williams_beer":
            return imin_redundancy(p, unit="nats")
        if name == "mmi":
            return min(one, two)
        return one - dependency_constraint(p, unit="nats")[0]

    r = np.array([redundancy(name) for name in measures])
    atoms = (r, one - r, two - r, whole - one - two + r)
    r, unique_1, unique_2, synergy = (np.asarray(in_unit(a, unit)) for a in atoms)
    return Decomposition(measures, r, unique_1, unique_2, synergy, unit)


def _two_sources(pmf: ArrayLike) -> Float[np.ndarray, "z1 z2 x"]:
    p = as_pmf(pmf)
    if p.ndim != 3:
        raise ValueError(
            f"pmf must have two sources and a target (3 axes), found shape {p.shape}; "
            "for other numbers of sources see union_information and williams_beer_lattice"
        )
    return p
