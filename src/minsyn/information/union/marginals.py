"""Pairwise marginals q(z_j, x): the linear map to them, and the problem under them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

#: Marginals below this are solved as zeros and restored in the rounding to feasibility: a cell of
#: 1e-15 moves the value by at most about 1e-13 bit, and cells of 1e-200 would overflow the slacks.
NEGLIGIBLE = 1e-15


@dataclass(frozen=True)
class MarginalMap:
    """The map for one shape of the sources.

    Attributes
    ----------
    shape
        Alphabet sizes |Z_1|, ..., |Z_m|.
    one_hot : (n_states, n_values)
        Row z marks the value z_j of every source; ``q @ one_hot`` are all pairwise marginals of
        ``q (x, z)`` and ``f @ one_hot.T`` is sum_j f_j(z_j, x).
    blocks
        The columns that belong to each source.
    source_of : (n_values, m)
        Row of a column marks its source.
    """

    shape: tuple[int, ...]
    one_hot: Float[np.ndarray, "z k"]
    blocks: tuple[slice, ...]
    source_of: Float[np.ndarray, "k m"]

    def allowed(self, positive: Bool[np.ndarray, "*n x k"]) -> Bool[np.ndarray, "*n x z"]:
        """Cells none of whose pairwise marginals is zero."""
        return positive.astype(np.float64) @ self.one_hot.T > len(self.shape) - 0.5

    def of_states(self, chosen: Bool[np.ndarray, " z"]) -> "MarginalMap":
        """The same map on some of the states only."""
        return MarginalMap(self.shape, self.one_hot[chosen], self.blocks, self.source_of)

    def product(self, factors: Float[np.ndarray, "*n x k"]) -> Float[np.ndarray, "*n x z"]:
        """prod_j factors_j(x, z_j)."""
        result = np.ones(())
        for block in self.blocks:
            result = result * (factors[..., block] @ self.one_hot[:, block].T)
        return np.asarray(result)


@lru_cache(maxsize=16)
def marginal_map(shape: tuple[int, ...]) -> MarginalMap:
    """The map for sources of these alphabet sizes, all states in C order."""
    states = np.indices(shape).reshape(len(shape), -1)
    one_hot = np.concatenate(
        [np.eye(k)[values] for k, values in zip(shape, states, strict=True)], axis=1
    )
    ends = np.cumsum(shape)
    blocks = tuple(slice(int(e - k), int(e)) for k, e in zip(shape, ends, strict=True))
    source_of = np.repeat(np.eye(len(shape)), shape, axis=0)
    return MarginalMap(tuple(int(k) for k in shape), one_hot, blocks, source_of)


@dataclass(frozen=True)
class Problem:
    """Marginals of a batch, the cells that may be positive, and one gauge for the multipliers.

    Each source's marginals give p(x) once more, so one constraint for each x and each source
    after the first is redundant; ``free`` leaves out that of the largest marginal.
    """

    map: MarginalMap
    b: Float[np.ndarray, "n x k"]
    mask: Float[np.ndarray, "n x z"]
    free: Float[np.ndarray, "n x k"]

    @classmethod
    def of(cls, marginals: MarginalMap, b: Float[np.ndarray, "n x k"]) -> "Problem":
        """Problem of marginals b, without those that are negligible."""
        b = np.where(b > NEGLIGIBLE, b, 0.0)
        totals = np.stack([b[..., block].sum(-1) for block in marginals.blocks])
        p_x = np.where((totals > 0).all(0), totals[0], 0.0)
        for block, total in zip(marginals.blocks, totals, strict=True):
            b[..., block] *= (p_x / np.where(total > 0, total, 1.0))[..., None]
        mask = marginals.allowed(b > 0).astype(np.float64)
        free = (b > 0).astype(np.float64)
        for block in marginals.blocks[1:]:
            largest = b[..., block].argmax(-1)
            np.put_along_axis(free[..., block], largest[..., None], 0.0, -1)
        return cls(marginals, b, mask, free)

    def keep(self, chosen: Bool[np.ndarray, " n"]) -> "Problem":
        """Problem of some of the pmfs only."""
        return Problem(self.map, self.b[chosen], self.mask[chosen], self.free[chosen])
