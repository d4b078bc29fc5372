"""Williams and Beer's redundancy lattice for up to four sources."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from minsyn.information._pmf import Unit, as_pmf, in_unit, marginal
from minsyn.information._williams_beer import specific_nats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RedundancyLattice", "williams_beer_lattice"]

#: The lattice has 1, 4, 18, 166, 7,579 antichains: beyond four sources it is not read by people.
MAX_SOURCES = 4

Antichain = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, repr=False)
class RedundancyLattice:
    """A redundancy and an atom for every antichain of sets of sources.

    Attributes
    ----------
    antichains : tuple of tuple of tuple of int
        Sources count from 0; from the redundancy of all single sources up to all together.
    redundancy : ndarray, shape (n_antichains,)
        I_min of each antichain.
    atoms : ndarray, shape (n_antichains,)
        The part of it that no antichain below has. They sum to I(Z_1:m; X).
    unit : str
        "bits" or "nats".
    """

    antichains: tuple[Antichain, ...]
    redundancy: Float[np.ndarray, " n"]
    atoms: Float[np.ndarray, " n"]
    unit: str

    def __getitem__(self, antichain: Iterable[Iterable[int]]) -> float:
        """The atom of one antichain, such as ``((0,), (1, 2))``, its sets in any order."""
        found = tuple(sorted((tuple(sorted(g)) for g in antichain), key=lambda g: (len(g), g)))
        if found not in self.antichains:
            raise ValueError(
                f"{found} is no antichain of this lattice: sets of the sources 0 to "
                f"{len(self.antichains[-1][0]) - 1}, none within another"
            )
        return float(self.atoms[self.antichains.index(found)])

    @property
    def labels(self) -> tuple[str, ...]:
        """The antichains as text, sources counted from 1: ``{1}{23}``."""
        return tuple(
            "".join("{" + "".join(str(j + 1) for j in group) + "}" for group in antichain)
            for antichain in self.antichains
        )

    def to_frame(self) -> "pd.DataFrame":
        """A pandas table with a row for each antichain."""
        import pandas as pd

        return pd.DataFrame(
            {"redundancy": self.redundancy, "atom": self.atoms},
            index=pd.Index(self.labels, name="antichain"),
        )

    def __repr__(self) -> str:
        width = max(map(len, self.labels)) + 2
        head = f"{'(' + self.unit + ')':<{width}}{'I_min':>10}{'atom':>10}"
        rows = (
            f"{label:<{width}}{np.round(i, 9) + 0.0:10.6f}{np.round(a, 9) + 0.0:10.6f}"
            for label, i, a in zip(self.labels, self.redundancy, self.atoms, strict=True)
        )
        return "\n".join([head, *rows])


@lru_cache(maxsize=MAX_SOURCES)
def _lattice(m: int) -> tuple[tuple[Antichain, ...], Bool[np.ndarray, "n n"]]:
    """All antichains of nonempty sets of m sources, lowest first, and which lies below which."""
    groups = list(chain.from_iterable(combinations(range(m), r) for r in range(1, m + 1)))
    sets = [frozenset(g) for g in groups]

    def grow(chosen: tuple[int, ...], start: int) -> list[tuple[int, ...]]:
        found = [chosen] if chosen else []
        for i in range(start, len(sets)):
            if all(not (sets[i] <= sets[j] or sets[j] <= sets[i]) for j in chosen):
                found += grow((*chosen, i), i + 1)
        return found

    members = grow((), 0)
    # alpha <= beta: every set of beta contains one of alpha.
    below = np.array(
        [
            [all(any(sets[i] <= sets[j] for i in alpha) for j in beta) for beta in members]
            for alpha in members
        ]
    )
    order = sorted(range(len(members)), key=lambda i: (below[:, i].sum(), members[i]))
    antichains = tuple(tuple(groups[i] for i in members[o]) for o in order)
    return antichains, below[np.ix_(order, order)]


def williams_beer_lattice(pmf: ArrayLike, *, unit: Unit = "bits") -> RedundancyLattice:
    """Williams and Beer's decomposition over the full lattice of up to four sources.

    I_min(A_1, ..., A_k) = E_x min_i I(X=x; Z_{A_i}); the atoms are its Moebius inverse on the
    lattice of antichains.

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities of at most four sources and the target.
    unit : {"bits", "nats"}
        Unit of the results.

    Returns
    -------
    RedundancyLattice
        1, 4, 18 or 166 atoms for 1, 2, 3 or 4 sources; nonnegative, with sum I(Z_1:m; X).

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, or has more than four sources.

    References
    ----------
    Williams, Beer (2010), "Nonnegative decomposition of multivariate information",
    arXiv:1004.2515.

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
    m = p.ndim - 1
    if m > MAX_SOURCES:
        raise ValueError(
            f"the lattice of {m} sources is too large; at most {MAX_SOURCES} sources are allowed"
        )
    antichains, below = _lattice(m)
    p_x = marginal(p, (m,))
    groups = list(chain.from_iterable(combinations(range(m), r) for r in range(1, m + 1)))
    marginals = [marginal(p, (*g, m)).reshape(-1, p.shape[-1]) for g in groups]
    specific = dict(zip(groups, specific_nats(marginals), strict=True))
    nats = np.array([np.min([specific[g] for g in a], axis=0) @ p_x for a in antichains])
    # I_min = sum of the atoms at and below: unit triangular in this order.
    atoms = np.linalg.solve(below.T.astype(np.float64), nats)
    return RedundancyLattice(
        antichains, np.asarray(in_unit(nats, unit)), np.asarray(in_unit(atoms, unit)), unit
    )
