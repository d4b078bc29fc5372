"""The redundancy lattice of up to five sources: Williams and Beer, MMI, and shared exclusions."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._antichains import Antichain, antichain_lattice, labels_of
from minsyn.information._pmf import Unit, as_pmf, in_unit, marginal
from minsyn.information._shared_exclusions import mean_redundancy, pointwise_parts
from minsyn.information._williams_beer import specific_nats

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LatticeMeasure",
    "PointwiseLattice",
    "RedundancyLattice",
    "shared_exclusions",
    "williams_beer_lattice",
]

LatticeMeasure = Literal["williams_beer", "mmi", "sxpid"]
LATTICE_MEASURES: tuple[LatticeMeasure, ...] = get_args(LatticeMeasure)
_REDUNDANCIES = {
    "williams_beer": "I_min",
    "mmi": "I_MMI",
    "sxpid": "I_sx",
    "broja": "I_BROJA",
    "dependency": "I_dep",
}
#: Rows that are printed one by one; of larger lattices, only those of the largest atoms.
_ROWS, _LARGEST = 200, 20
#: Largest pointwise result, in numbers: less than a gigabyte in all.
_MAX_NUMBERS = 20_000_000


@dataclass(frozen=True, repr=False)
class RedundancyLattice:
    """A redundancy and an atom for every antichain of sets of sources.

    Attributes
    ----------
    antichains : tuple of tuple of tuple of int
        Sources count from 0; from the redundancy of all single sources up to all together.
    redundancy : ndarray, shape (n_antichains,)
        Redundancy of each antichain, such as I_min.
    atoms : ndarray, shape (n_antichains,)
        The part of it that no antichain below has. They sum to I(Z_1:m; X).
    unit : str
        "bits" or "nats".
    measure : str
        The measure of redundancy, by its name in `pid`.
    """

    antichains: tuple[Antichain, ...]
    redundancy: Float[np.ndarray, " n"]
    atoms: Float[np.ndarray, " n"]
    unit: str
    measure: str = "williams_beer"

    def __getitem__(self, antichain: Iterable[Iterable[int]]) -> float:
        """The atom of one antichain, such as ``((0,), (1, 2))``, its sets in any order."""
        return float(self.atoms[place_of(antichain, self.antichains)])

    @property
    def labels(self) -> tuple[str, ...]:
        """The antichains as text, sources counted from 1: ``{1}{23}``."""
        return labels_of(self.antichains)

    def to_frame(self) -> "pd.DataFrame":
        """A pandas table with a row for each antichain."""
        import pandas as pd

        return pd.DataFrame(
            {"redundancy": self.redundancy, "atom": self.atoms},
            index=pd.Index(self.labels, name="antichain"),
        )

    def __repr__(self) -> str:
        columns = {_REDUNDANCIES[self.measure]: self.redundancy, "atom": self.atoms}
        return table_of(self.labels, columns, self.unit, np.abs(self.atoms))


@dataclass(frozen=True, repr=False)
class PointwiseLattice:
    """Redundancies and atoms of every antichain, for every cell of a pmf.

    A redundancy and its atom are differences of an informative part, what the shared event tells
    by being unlikely, and a misinformative part, what it tells by being unlikely although the
    target has its value. Both parts are nonnegative.

    Attributes
    ----------
    antichains : tuple of tuple of tuple of int
        Sources count from 0; from the redundancy of all single sources up to all together.
    pmf : ndarray, shape (|Z_1|, ..., |Z_m|, |X|)
        The distribution.
    informative, misinformative : ndarray, shape (n_antichains, |Z_1|, ..., |Z_m|, |X|)
        Parts of the atoms; 0 in cells of probability 0.
    redundancy : ndarray, shape (n_antichains, |Z_1|, ..., |Z_m|, |X|)
        Redundancy of each antichain, i_sx.
    unit : str
        "bits" or "nats".
    """

    antichains: tuple[Antichain, ...]
    pmf: Float[np.ndarray, "*sources x"]
    informative: Float[np.ndarray, "n *sources x"]
    misinformative: Float[np.ndarray, "n *sources x"]
    redundancy: Float[np.ndarray, "n *sources x"]
    unit: str

    @property
    def atoms(self) -> Float[np.ndarray, "n *sources x"]:
        """The informative less the misinformative part of each atom."""
        value: np.ndarray = self.informative - self.misinformative
        return value

    def __getitem__(self, antichain: Iterable[Iterable[int]]) -> Float[np.ndarray, "*sources x"]:
        """The atom of one antichain in every cell; its sets may come in any order."""
        i = place_of(antichain, self.antichains)
        value: np.ndarray = self.informative[i] - self.misinformative[i]
        return value

    def mean(self) -> RedundancyLattice:
        """Expectations over the distribution: the values of ``pid(pmf, "sxpid")``.

        Returns
        -------
        RedundancyLattice
        """
        flat = self.pmf.ravel()
        redundancy, atoms = (a.reshape(len(a), -1) @ flat for a in (self.redundancy, self.atoms))
        return RedundancyLattice(self.antichains, redundancy, atoms, self.unit, "sxpid")

    def __repr__(self) -> str:
        flat = self.pmf.ravel()
        columns = {
            name: part.reshape(len(part), -1) @ flat
            for name, part in (
                ("informative", self.informative),
                ("misinformative", self.misinformative),
            )
        }
        columns["mean atom"] = columns["informative"] - columns["misinformative"]
        return table_of(
            labels_of(self.antichains), columns, self.unit, np.abs(columns["mean atom"])
        )


def place_of(antichain: Iterable[Iterable[int]], antichains: tuple[Antichain, ...]) -> int:
    """Place of an antichain, its sets in any order; a ValueError if it is none."""
    found = tuple(sorted((tuple(sorted(g)) for g in antichain), key=lambda g: (len(g), g)))
    if found not in antichains:
        raise ValueError(
            f"{found} is not an antichain of this lattice: sets of the sources 0 to "
            f"{len(antichains[-1][0]) - 1}, none within another"
        )
    return antichains.index(found)


def table_of(
    labels: tuple[str, ...],
    columns: dict[str, Float[np.ndarray, " n"]],
    unit: str,
    size: Float[np.ndarray, " n"],
) -> str:
    """Rows for a terminal: all of them, or of very many those of the largest size."""
    rows = np.arange(len(labels))
    if len(labels) > _ROWS:
        rows = np.sort(np.argsort(-size, kind="stable")[:_LARGEST])
    width = max(max(len(labels[i]) for i in rows), len(unit)) + 2
    widths = [max(10, len(name) + 2) for name in columns]
    head = f"{'(' + unit + ')':<{width}}" + "".join(
        f"{name:>{w}}" for name, w in zip(columns, widths, strict=True)
    )
    lines = [
        f"{labels[i]:<{width}}"
        + "".join(
            f"{np.round(column[i], 9) + 0.0:{w}.6f}"
            for column, w in zip(columns.values(), widths, strict=True)
        )
        for i in rows
    ]
    if len(rows) < len(labels):
        lines.append(f"the {len(rows)} largest of {len(labels):,}; to_frame() has all")
    return "\n".join([head, *lines])


def redundancies(p: Float[np.ndarray, "*sources x"], measure: str) -> Float[np.ndarray, " n"]:
    """Redundancy of every antichain in nats."""
    m = p.ndim - 1
    lattice = antichain_lattice(m)
    if measure == "sxpid":
        return mean_redundancy(p, lattice)
    p_x = marginal(p, (m,))
    specific = np.zeros((2**m, p.shape[-1]))
    for size in range(1, m + 1):
        for group in combinations(range(m), size):
            of_group = marginal(p, (*group, m)).reshape(-1, p.shape[-1])
            specific[sum(1 << j for j in group)] = specific_nats([of_group])[0]
    if measure == "mmi":
        return lattice.least((specific @ p_x)[:, None])[:, 0]
    value: np.ndarray = lattice.least(specific) @ p_x
    return value


def williams_beer_lattice(pmf: ArrayLike, *, unit: Unit = "bits") -> RedundancyLattice:
    """Williams and Beer's decomposition over the full lattice of up to five sources.

    I_min(A_1, ..., A_k) = E_x min_i I(X=x; Z_{A_i}); the atoms are its Moebius inverse on the
    lattice of antichains. `pid` has other measures of redundancy beside it.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities of at most five sources and the target.
    unit : {"bits", "nats"}
        Unit of the results.

    Returns
    -------
    RedundancyLattice
        1, 4, 18, 166 or 7,579 atoms for 1 to 5 sources; nonnegative, with sum I(Z_1:m; X).

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has more than five sources.

    References
    ----------
    Williams, Beer (2010), "Nonnegative decomposition of multivariate information",
    arXiv:1004.2515. The inversion is that of Jansma, Mediano, Rosas (2025), "Fast Moebius
    transform: an algebraic approach to information decomposition", arXiv:2410.06224.

    Examples
    --------
    >>> from minsyn.information.examples import williams_beer_4a
    >>> williams_beer_lattice(williams_beer_4a())
    (bits)       I_min      atom
    {1}{2}    0.584963  0.584963
    {1}       0.918296  0.333333
    {2}       0.918296  0.333333
    {12}      1.584963  0.333333
    """
    p = as_pmf(pmf)
    lattice = antichain_lattice(p.ndim - 1)
    nats = redundancies(p, "williams_beer")
    redundancy, atoms = (np.asarray(in_unit(a, unit)) for a in (nats, lattice.atoms(nats)))
    return RedundancyLattice(lattice.antichains, redundancy, atoms, unit)


def shared_exclusions(pmf: ArrayLike, *, unit: Unit = "bits") -> PointwiseLattice:
    r"""Pointwise decomposition of up to five sources by shared exclusions (SxPID).

    In a cell (z, x), sources that share information about x exclude the same other cells. With W
    the event that all sources of one of the sets A_1, ..., A_k have the values that they have in
    z,

    .. math:: i_{sx}(A_1, \dots, A_k) = \log\frac{p(x \mid W)}{p(x)}
              = -\log p(W) \; - \; \bigl[-\log p(W \mid x)\bigr],

    an informative less a misinformative part. The atoms are Moebius inverses of both on the
    lattice of antichains; those of either part are nonnegative, their difference may be negative.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities of at most five sources and the target.
    unit : {"bits", "nats"}
        Unit of the results.

    Returns
    -------
    PointwiseLattice
        ``result[(0,), (1,)]`` is one atom in every cell, ``result.mean()`` all atoms on average.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, has more than five sources, or so many cells that the result does
        not fit into memory; ``pid(pmf, "sxpid")``, which has means only, takes more.

    See Also
    --------
    pid : The means beside other measures.
    local_values : Pointwise values of other measures.

    References
    ----------
    Makkeh, Gutknecht, Wibral (2021), "Introducing a differentiable measure of pointwise shared
    information", Physical Review E 103, arXiv:2002.03356.

    Examples
    --------
    Each source of an exclusive or rules out half of the cells by itself; what both rule out
    leaves a cell of the other value more likely than before: the shared part is misinformation.

    >>> from minsyn.information.examples import xor
    >>> result = shared_exclusions(xor())
    >>> result
    (bits)    informative  misinformative   mean atom
    {1}{2}       0.415037        1.000000   -0.584963
    {1}          0.584963        0.000000    0.584963
    {2}          0.584963        0.000000    0.584963
    {12}         0.415037        0.000000    0.415037
    >>> result[(0,), (1,)][0, 0].round(6)
    array([-0.584963,  0.      ])
    """
    p = as_pmf(pmf)
    lattice = antichain_lattice(p.ndim - 1)
    n = len(lattice.antichains)
    if n * p.size > _MAX_NUMBERS:
        raise ValueError(
            f"pointwise atoms of {n:,} antichains in {p.size:,} cells are too many to hold; "
            "pid(pmf, 'sxpid') has their means"
        )
    parts = np.zeros((2, n, p.size))
    for cells, informative, misinformative in pointwise_parts(p, lattice):
        parts[0][:, cells], parts[1][:, cells] = informative, misinformative
    informative, misinformative, redundancy = (
        np.asarray(in_unit(a, unit)).reshape(n, *p.shape)
        for a in (lattice.atoms(parts[0]), lattice.atoms(parts[1]), parts[0] - parts[1])
    )
    return PointwiseLattice(lattice.antichains, p, informative, misinformative, redundancy, unit)
