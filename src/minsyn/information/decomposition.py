"""Partial information decomposition.

Two sources have four atoms: redundancy R, unique informations U_1 and U_2, and synergy S, with
I(Z_j; X) = R + U_j and I(Z_1, Z_2; X) = R + U_1 + U_2 + S. Given the mutual informations, one atom
determines the others; the measures differ in how they define it. More sources have an atom for
every antichain of sets of them, which a measure of redundancy determines. Of Gaussian vectors see
`gaussian_vectors.pid`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn._warnings import warn
from minsyn.information._antichains import Antichain, antichain_lattice, labels_of
from minsyn.information._maximum_entropy import maximum_entropy
from minsyn.information._options import as_names, said
from minsyn.information._pmf import (
    Unit,
    as_pmf,
    entropy_nats,
    in_unit,
    information_nats,
    marginal,
    source_marginals,
)
from minsyn.information.lattice import (
    LATTICE_MEASURES,
    RedundancyLattice,
    redundancies,
    table_of,
)
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

PidMeasure = Literal["broja", "williams_beer", "mmi", "dependency", "sxpid"]
_MEASURES: tuple[PidMeasure, ...] = get_args(PidMeasure)
_NAMES = {
    "broja": "BROJA",
    "williams_beer": "Williams-Beer",
    "mmi": "MMI",
    "dependency": "I_dep",
    "sxpid": "SxPID",
}
_OF_TWO = ("redundancy", "unique_1", "unique_2", "synergy")
#: Error bound of the maximum-entropy search, in nats, above which it warns.
UNPROVEN = 1e-9


class MaximumEntropyWarning(UserWarning):
    """A maximum-entropy distribution that is not proven to 1e-9 nat."""


@dataclass(frozen=True, repr=False)
class Decomposition:
    """Atoms of up to five sources, one row for each measure.

    Of two sources, the antichains are the redundancy, the unique information of either source and
    the synergy, and the attributes of these names are the columns of ``atoms``.

    Attributes
    ----------
    measures : tuple of str
        Names of the rows.
    antichains : tuple of tuple of tuple of int
        Sets of sources, which count from 0: from the redundancy of all single sources up to the
        synergy of all together.
    redundancies : ndarray, shape (n_measures, n_antichains)
        What the sets of each antichain share, in ``unit``.
    atoms : ndarray, shape (n_measures, n_antichains)
        The part of it that no antichain below has. Each row sums to I(Z_1:m; X).
    unit : str
        "bits" or "nats".
    """

    measures: tuple[str, ...]
    antichains: tuple[Antichain, ...]
    redundancies: Float[np.ndarray, "n antichains"]
    atoms: Float[np.ndarray, "n antichains"]
    unit: str

    @classmethod
    def of_two(
        cls, measures: tuple[str, ...], atoms: Float[np.ndarray, "n 4"], unit: str
    ) -> "Decomposition":
        """Decomposition of two sources, from their redundancy, unique informations and synergy."""
        shared, first, second = atoms.T[:3]
        whole = atoms.sum(axis=1)
        known = np.stack([shared, shared + first, shared + second, whole], axis=1)
        return cls(measures, antichain_lattice(2).antichains, known, atoms, unit)

    @property
    def redundancy(self) -> Float[np.ndarray, " n"]:
        """What all sources share, by each measure."""
        return self.atoms[:, 0]

    @property
    def unique_1(self) -> Float[np.ndarray, " n"]:
        """Unique information of the first of two sources; an AttributeError of other numbers."""
        return self._of_two("unique_1")

    @property
    def unique_2(self) -> Float[np.ndarray, " n"]:
        """Unique information of the second of two sources; an AttributeError of other numbers."""
        return self._of_two("unique_2")

    @property
    def synergy(self) -> Float[np.ndarray, " n"]:
        """What no source tells alone: the sum of the atoms whose antichains hold no single source.

        By "williams_beer" it is S_max, by "mmi" I less the largest I(Z_j; X).
        """
        together = [all(len(group) > 1 for group in a) for a in self.antichains]
        return np.asarray(self.atoms[:, together].sum(axis=1))

    def _of_two(self, name: str) -> Float[np.ndarray, " n"]:
        if len(self.antichains) != 4:
            raise AttributeError(
                f"{name} is an atom of two sources; lattice(measure)[((0,),)] is that of the "
                "first of several"
            )
        return self.atoms[:, _OF_TWO.index(name)]

    @property
    def labels(self) -> tuple[str, ...]:
        """The antichains as text, sources counted from 1: ``{1}{23}``."""
        return labels_of(self.antichains)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the atoms: redundancy, unique_1, unique_2, synergy of two sources, or labels."""
        return _OF_TWO if len(self.antichains) == 4 else self.labels

    def __getitem__(self, measure: PidMeasure) -> dict[str, float]:
        """The atoms of one measure by name."""
        row = self.atoms[self._row(measure)]
        return {name: float(value) for name, value in zip(self.names, row, strict=True)}

    def lattice(self, measure: PidMeasure) -> RedundancyLattice:
        """Redundancies and atoms of one measure.

        Parameters
        ----------
        measure : str
            One of ``measures``.

        Returns
        -------
        RedundancyLattice
            Looked up by antichain: ``result.lattice("mmi")[(0,), (1, 2)]``.

        Raises
        ------
        ValueError
            If the measure is not among those of this result.
        """
        i = self._row(measure)
        return RedundancyLattice(
            self.antichains, self.redundancies[i], self.atoms[i], self.unit, measure
        )

    def _row(self, measure: str) -> int:
        if measure not in self.measures:
            raise ValueError(f"measure must be among {self.measures}, found {said(measure)}")
        return self.measures.index(measure)

    def to_frame(self) -> "pd.DataFrame":
        """A pandas table: a row for each measure, a column for each atom."""
        import pandas as pd

        return pd.DataFrame(self.atoms, index=pd.Index(self.measures), columns=pd.Index(self.names))

    def __repr__(self) -> str:
        if len(self.antichains) != 4:
            columns = {_NAMES[m]: row for m, row in zip(self.measures, self.atoms, strict=True)}
            return table_of(self.labels, columns, self.unit, np.abs(self.atoms).max(axis=0))
        head = f"{'(' + self.unit + ')':<14}{'R':>10}{'U_1':>10}{'U_2':>10}{'S':>10}"
        rows = [
            f"{_NAMES[m]:<14}" + "".join(f"{value + 0.0:10.6f}" for value in np.round(row, 9))
            for m, row in zip(self.measures, self.atoms, strict=True)
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
    measure: PidMeasure | Literal["all"] | Iterable[PidMeasure] = "all",
    *,
    unit: Unit = "bits",
) -> Decomposition:
    """Decomposition of up to five sources by one or several measures.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities of the sources and the target.
    measure : "all", str or iterable of str
        - "broja", of two sources: S = I - U, with the union information U of `union_information`
          [1]_;
        - "williams_beer": redundancy I_min, the mean over x of the least specific information
          [2]_;
        - "mmi": redundancy is the least mutual information [3]_;
        - "dependency", of two sources: U_j = I_dep by `dependency_constraint` [4]_;
        - "sxpid": redundancy by shared exclusions, the mean of `shared_exclusions` [5]_. Atoms may
          be negative.

        "all" takes those that are defined for so many sources.
    unit : {"bits", "nats"}
        Unit of the atoms.

    Returns
    -------
    Decomposition
        4 atoms of two sources; 1, 18, 166 or 7,579 atoms of one, three, four or five.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf or has more than five sources; if a measure is not known, or not
        defined for so many sources. `union_information` has the synergy I - U of any number.

    Warns
    -----
    UncertifiedWarning, MaximumEntropyWarning
        As `union_information` and `dependency_constraint`.

    See Also
    --------
    shared_exclusions : SxPID in each cell.
    synergy : Atoms of two sources from samples.

    References
    ----------
    .. [1] Bertschinger, Rauh, Olbrich, Jost, Ay (2014), "Quantifying unique information".
    .. [2] Williams, Beer (2010), "Nonnegative decomposition of multivariate information".
    .. [3] Barrett (2015), "Exploration of synergistic and redundant information sharing in static
           and dynamical Gaussian systems".
    .. [4] James, Emenheiser, Crutchfield (2017), "Unique information via dependency constraints".
    .. [5] Makkeh, Gutknecht, Wibral (2021), "Introducing a differentiable measure of pointwise
           shared information".

    Examples
    --------
    >>> from minsyn.information.examples import and_gate, parity
    >>> pid(and_gate())
    (bits)                 R       U_1       U_2         S
    BROJA           0.311278  0.000000  0.000000  0.500000
    Williams-Beer   0.311278  0.000000  0.000000  0.500000
    MMI             0.311278  0.000000  0.000000  0.500000
    I_dep           0.081704  0.229574  0.229574  0.270426
    SxPID           0.122556  0.188722  0.188722  0.311278
    >>> three = pid(parity(3))
    >>> three.measures, three.synergy.round(6)
    (('williams_beer', 'mmi', 'sxpid'), array([1.      , 1.      , 0.807355]))
    >>> round(three.lattice("sxpid")[(0, 1), (0, 2)], 6)
    0.093109
    """
    p = as_pmf(pmf)
    m = p.ndim - 1
    lattice = antichain_lattice(m)
    known = _MEASURES if m == 2 else LATTICE_MEASURES
    asked = as_names(measure, "measure")
    measures = cast(  # names are checked below
        tuple[PidMeasure, ...],
        tuple(
            dict.fromkeys(name for word in asked for name in (known if word == "all" else [word]))
        ),
    )
    for name in measures:
        if name not in _MEASURES:
            raise ValueError(f"measure must be among {_MEASURES} or 'all', found {said(name)}")
        if name not in known:
            raise ValueError(
                f"{name!r} decomposes two sources, found {m}; {', '.join(known)} take up to five, "
                "and union_information any number"
            )
    if not measures:
        raise ValueError("measure holds no name")
    nats = np.stack([_redundancies(p, name) for name in measures])
    redundancy, atoms = (np.asarray(in_unit(a, unit)) for a in (nats, lattice.atoms(nats.T).T))
    return Decomposition(measures, lattice.antichains, redundancy, atoms, unit)


def _redundancies(p: Float[np.ndarray, "*sources x"], name: PidMeasure) -> Float[np.ndarray, " n"]:
    """Redundancy of every antichain in nats."""
    if name in LATTICE_MEASURES:
        return redundancies(p, name)
    one, two = (information_nats(p_zx) for p_zx in source_marginals(p))
    if name == "broja":
        shared = one + two - union_information(p, unit="nats").value
    else:
        shared = one - dependency_constraint(p, unit="nats")[0]
    return np.array([shared, one, two, information_nats(p.reshape(-1, p.shape[-1]))])


def _two_sources(pmf: ArrayLike) -> Float[np.ndarray, "z1 z2 x"]:
    p = as_pmf(pmf)
    if p.ndim != 3:
        raise ValueError(
            f"pmf must have two sources and a target (3 axes), found shape {p.shape}; "
            "for other numbers of sources see pid and union_information"
        )
    return p
