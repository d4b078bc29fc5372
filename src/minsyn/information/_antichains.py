"""Antichains of sets of sources, the lattice of their order, and Moebius inversion on it.

An antichain stands for its up-set: all sets of sources that hold one of its members. A redundancy
lies below another where its up-set is the larger one. Sets of sources are numbers whose bits are
the sources, and up-sets are numbers whose bits are the sets, so that all 7,579 antichains of five
sources are found and inverted within a fraction of a second.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["MAX_SOURCES", "Antichain", "AntichainLattice", "antichain_lattice", "labels_of"]

#: There are 1, 4, 18, 166, 7,579 and, of six sources, 7,828,352 antichains.
MAX_SOURCES = 5

Antichain = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class AntichainLattice:
    """All antichains of nonempty sets of m sources, the redundancy of all single sources first.

    Attributes
    ----------
    n_sources : int
    antichains : tuple of tuple of tuple of int
        Sources count from 0.
    up_sets : (n, 2^m)
        Whether a set of sources holds a member of an antichain. Bit j of a set is source j.
    members : (n, 2^m)
        Whether a set of sources is a member of an antichain.
    moebius : sparse array, (n, n)
        From redundancies to atoms.
    """

    n_sources: int
    antichains: tuple[Antichain, ...]
    up_sets: Bool[np.ndarray, "n sets"]
    members: Bool[np.ndarray, "n sets"]
    moebius: Any

    def atoms(self, redundancy: Float[np.ndarray, "n *columns"]) -> Float[np.ndarray, "n *columns"]:
        """The part of each redundancy that none below it has: its Moebius inverse."""
        flat = self.moebius @ redundancy.reshape(len(redundancy), -1)
        return np.asarray(flat).reshape(redundancy.shape)

    def least(self, of_sets: Float[np.ndarray, "sets k"]) -> Float[np.ndarray, "n k"]:
        """The least value among the members of each antichain; row s is set s."""
        found = np.full((len(self.antichains), of_sets.shape[1]), np.inf)
        for s in range(1, len(of_sets)):
            rows = self.members[:, s]
            found[rows] = np.minimum(found[rows], of_sets[s])
        return found


@lru_cache(maxsize=MAX_SOURCES)
def antichain_lattice(m: int) -> AntichainLattice:
    r"""The lattice of m sources, 1 to 5.

    The Moebius function of a distributive lattice is (-1)^k between an up-set and one that has k
    more sets, if these are among the largest sets that the first lacks, and 0 otherwise (Jansma,
    Mediano, Rosas 2025, "Fast Moebius transform: an algebraic approach to information
    decomposition", arXiv:2410.06224).

    Raises
    ------
    ValueError
        If there are more sources.
    """
    if m > MAX_SOURCES:
        raise ValueError(
            f"{m} sources have millions of antichains; at most {MAX_SOURCES} sources are allowed"
        )
    sets = range(1, 2**m)
    groups = [tuple(j for j in range(m) if s >> j & 1) for s in range(2**m)]
    up = np.array([u for u in _up_sets(m) if u and not u & 1], dtype=np.int64)
    has = np.stack([up >> s & 1 for s in range(2**m)], axis=1).astype(bool)
    members, largest_lacked = has.copy(), ~has
    for s in sets:
        for j in range(m):
            if s >> j & 1:
                members[:, s] &= ~has[:, s ^ 1 << j]
            else:
                largest_lacked[:, s] &= has[:, s | 1 << j]
    antichains = [
        tuple(sorted((groups[s] for s in np.flatnonzero(row)), key=_by_size)) for row in members
    ]
    height = -has.sum(axis=1)
    order = sorted(range(len(up)), key=lambda i: (height[i], [_by_size(g) for g in antichains[i]]))
    up, has, members, largest_lacked = (a[order] for a in (up, has, members, largest_lacked))
    return AntichainLattice(
        m,
        tuple(antichains[i] for i in order),
        has,
        members,
        _moebius(up, largest_lacked),
    )


def labels_of(antichains: tuple[Antichain, ...]) -> tuple[str, ...]:
    """Antichains as text, sources counted from 1: ``{1}{23}``."""
    return tuple(
        "".join("{" + "".join(str(j + 1) for j in group) + "}" for group in antichain)
        for antichain in antichains
    )


def _by_size(group: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return len(group), group


def _up_sets(m: int) -> list[int]:
    """All up-sets of sets of m sources: those without the last source lie in those with it."""
    if m == 0:
        return [0, 1]
    smaller, shift = _up_sets(m - 1), 2 ** (m - 1)
    return [a | b << shift for a in smaller for b in smaller if not a & ~b]


def _moebius(up: Int[np.ndarray, " n"], largest_lacked: Bool[np.ndarray, "n sets"]) -> Any:
    """The nonzeros: every up-set with every choice of the largest sets that it lacks."""
    from scipy.sparse import csr_array

    rows, with_more, sign = np.arange(len(up)), up, np.ones(len(up))
    for s in range(1, largest_lacked.shape[1]):
        more = largest_lacked[rows, s]
        rows = np.concatenate([rows, rows[more]])
        with_more = np.concatenate([with_more, with_more[more] | 1 << s])
        sign = np.concatenate([sign, -sign[more]])
    by_number = np.argsort(up)
    columns = by_number[np.searchsorted(up, with_more, sorter=by_number)]
    return csr_array((sign, (rows, columns)), shape=(len(up), len(up)))
