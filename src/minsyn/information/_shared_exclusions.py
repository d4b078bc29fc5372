"""Redundancy by shared exclusions, cell by cell, over all antichains. In nats."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from minsyn.information._antichains import AntichainLattice

#: Numbers that are held at a time.
_NUMBERS_AT_ONCE = 4_000_000


def pointwise_parts(
    p: Float[np.ndarray, "*sources x"], lattice: AntichainLattice
) -> Iterator[tuple[Int[np.ndarray, " k"], Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]]:
    """Informative and misinformative redundancy of every antichain, for some cells at a time.

    Yields
    ------
    cells : (k,)
        Numbers of cells of positive probability, in C order.
    informative, misinformative : (n, k)
    """
    m = lattice.n_sources
    up_sets = lattice.up_sets.astype(np.float64)
    of_states = _agreeing(p.sum(axis=-1), m).reshape(2**m, -1)
    of_cells = _agreeing(p, m).reshape(2**m, -1)
    log_p_x = _log(p.reshape(-1, p.shape[-1]).sum(axis=0))
    occupied = np.flatnonzero(p)
    at_once = max(1, _NUMBERS_AT_ONCE // len(up_sets))
    for start in range(0, len(occupied), at_once):
        cells = occupied[start : start + at_once]
        states, x = np.divmod(cells, p.shape[-1])
        distinct, place = np.unique(states, return_inverse=True)
        informative = -_log(up_sets @ of_states[:, distinct])[:, place]
        misinformative = log_p_x[x] - _log(up_sets @ of_cells[:, cells])
        yield cells, np.maximum(informative, 0.0), np.maximum(misinformative, 0.0)


def mean_redundancy(
    p: Float[np.ndarray, "*sources x"], lattice: AntichainLattice
) -> Float[np.ndarray, " n"]:
    """Mean over the cells of the redundancy of every antichain."""
    total = np.zeros(len(lattice.antichains))
    for cells, informative, misinformative in pointwise_parts(p, lattice):
        total += (informative - misinformative) @ p.ravel()[cells]
    return total


def _agreeing(q: Float[np.ndarray, "*cells"], m: int) -> Float[np.ndarray, "sets *cells"]:
    """Mass of the cells that agree with each cell in the sources of a set and in no others.

    Every mass is a sum of others' masses: no differences, whose rounding would outweigh rare cells.
    """
    masses = q[None]
    for j in range(m):
        others = 1.0 - np.eye(q.shape[j])
        differing = np.moveaxis(np.tensordot(masses, others, axes=(j + 1, 0)), -1, j + 1)
        masses = np.concatenate([differing, masses])
    return masses


def _log(q: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Logarithms, of positive numbers only where they are looked at."""
    return np.log(np.where(q > 0, q, 1.0))
