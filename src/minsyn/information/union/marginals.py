"""Pairwise marginals q(z_j, x): the linear map to them, and the problem under them."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

#: Marginals below this are solved as zeros and restored in the rounding to feasibility: a cell of
#: 1e-15 moves the value by at most about 1e-13 bit, and cells of 1e-200 would overflow the slacks.
NEGLIGIBLE = 1e-15
#: Size up to which the map is applied as a matrix; above, sums over axes are faster.
DENSE = 20_000
#: Maps of more joint states than this are not kept for the next pmf of their shape.
MAX_KEPT = 20_000


@dataclass(frozen=True, eq=False)
class MarginalMap:
    """The map for one shape of the sources, on all joint states or on some.

    Attributes
    ----------
    shape
        Alphabet sizes |Z_1|, ..., |Z_m|.
    states : (n_states,), or None
        Numbers of the joint states in C order; None for all of them.
    """

    shape: tuple[int, ...]
    states: Int[np.ndarray, " z"] | None = None

    @property
    def n_states(self) -> int:
        """Number of joint states of the sources."""
        return int(np.prod(self.shape)) if self.states is None else len(self.states)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """The columns that belong to each source."""
        ends = np.cumsum(self.shape)
        return tuple(slice(int(e - k), int(e)) for k, e in zip(self.shape, ends, strict=True))

    @cached_property
    def source_of(self) -> Float[np.ndarray, "k m"]:
        """Row of a column marks its source."""
        return np.repeat(np.eye(len(self.shape)), self.shape, axis=0)

    @cached_property
    def values(self) -> Int[np.ndarray, "m z"]:
        """Value of every source in each state."""
        if self.states is None:
            return np.indices(self.shape, dtype=np.int64).reshape(len(self.shape), -1)
        return np.stack(np.unravel_index(self.states, self.shape)).astype(np.int64)

    @cached_property
    def one_hot(self) -> Float[np.ndarray, "z k"]:
        """Row z marks the value z_j of every source: ``sums`` and ``spread`` as a matrix."""
        parts = [np.eye(k)[v] for k, v in zip(self.shape, self.values, strict=True)]
        return np.concatenate(parts, axis=1)

    @cached_property
    def _dense(self) -> bool:
        return self.n_states * sum(self.shape) <= DENSE

    def sums(self, q: Float[np.ndarray, "*n z"]) -> Float[np.ndarray, "*n k"]:
        """All pairwise marginals of ``q (x, z)``."""
        if self._dense:
            sums: np.ndarray = q @ self.one_hot
            return sums
        return np.concatenate([self.sum_of(q, j) for j in range(len(self.shape))], axis=-1)

    def sum_of(self, q: Float[np.ndarray, "*n z"], j: int) -> Float[np.ndarray, "*n _"]:
        """Marginals q(z_j, x) of source j."""
        if self._dense:
            sums: np.ndarray = q @ self.one_hot[:, self.blocks[j]]
            return sums
        if self.states is None:
            return np.asarray(self._around(q, j).sum((-3, -1)))
        return self._counts(q, self.values[j], self.shape[j])

    def _around(
        self, q: Float[np.ndarray, "*n z"], j: int
    ) -> Float[np.ndarray, "*n before _ after"]:
        """All states as (before, z_j, after)."""
        after = int(np.prod(self.shape[j + 1 :]))
        return q.reshape(*q.shape[:-1], -1, self.shape[j], after)

    @staticmethod
    def _counts(
        q: Float[np.ndarray, "*n z"], values: Int[np.ndarray, " z"], size: int
    ) -> Float[np.ndarray, "*n _"]:
        rows = q.reshape(-1, q.shape[-1])
        counts = [np.bincount(values, row, size) for row in rows]
        return np.reshape(counts, (*q.shape[:-1], size))

    def spread(self, f: Float[np.ndarray, "*n k"]) -> Float[np.ndarray, "*n z"]:
        """Sum_j f_j(z_j, x) in every state."""
        if self._dense:
            combined: np.ndarray = f @ self.one_hot.T
            return combined
        return self._combined(f, np.add)

    def spread_of(self, f: Float[np.ndarray, "*n _"], j: int) -> Float[np.ndarray, "*n z"]:
        """f_j(z_j, x) in every state."""
        spread: np.ndarray = np.take(f, self.values[j], axis=-1)
        return spread

    def product(self, factors: Float[np.ndarray, "*n k"]) -> Float[np.ndarray, "*n z"]:
        """prod_j factors_j(z_j, x) in every state."""
        return self._combined(factors, np.multiply)

    def _combined(self, f: Shaped[np.ndarray, "*n k"], how: np.ufunc) -> Shaped[np.ndarray, "*n z"]:
        first, *others = self.blocks
        if self.states is None:
            result: np.ndarray = f[..., first]
            for block in others:
                result = how(result[..., :, None], f[..., None, block])
                result = result.reshape(*result.shape[:-2], -1)
            return result
        result = np.take(f[..., first], self.values[0], axis=-1)
        for block, values in zip(others, self.values[1:], strict=True):
            how(result, np.take(f[..., block], values, axis=-1), out=result)
        return result

    def pairs(self, q: Float[np.ndarray, "*n z"], i: int, j: int) -> Float[np.ndarray, "*n _ _"]:
        """Marginals q(z_i, z_j, x) of two sources i < j."""
        k_i, k_j = self.shape[i], self.shape[j]
        if self.states is None:
            between = int(np.prod(self.shape[i + 1 : j]))
            after = int(np.prod(self.shape[j + 1 :]))
            apart = q.reshape(*q.shape[:-1], -1, k_i, between, k_j, after)
            return np.asarray(apart.sum((-5, -3, -1)))
        both = self._counts(q, self.values[i] * k_j + self.values[j], k_i * k_j)
        return both.reshape(*q.shape[:-1], k_i, k_j)

    def moments(self, q: Float[np.ndarray, "*n z"]) -> Float[np.ndarray, "*n k k"]:
        """A diag(q) A' for every x, where A takes the marginals."""
        if self._dense:
            products: np.ndarray = self.one_hot.T @ (q[..., None] * self.one_hot)
            return products
        k = sum(self.shape)
        result = np.zeros((*q.shape[:-1], k, k))
        np.einsum("...kk->...k", result)[...] = self.sums(q)
        for j, of_j in enumerate(self.blocks):
            for i, of_i in enumerate(self.blocks[:j]):
                result[..., of_i, of_j] = self.pairs(q, i, j)
                result[..., of_j, of_i] = np.swapaxes(result[..., of_i, of_j], -1, -2)
        return result

    def states_of(self, j: int) -> list[Int[np.ndarray, " _"]]:
        """The states of every value of source j."""
        order = np.argsort(self.values[j], kind="stable")
        ends = np.cumsum(np.bincount(self.values[j], minlength=self.shape[j]))
        return np.split(order, ends[:-1])

    def largest(self, cells: Float[np.ndarray, "*n z"], j: int) -> Float[np.ndarray, "*n _"]:
        """The largest entry among the states of every value of source j; -inf without states."""
        if self.states is None:
            return np.asarray(self._around(cells, j).max((-3, -1)))
        parts = [cells[..., s].max(-1, initial=-np.inf) for s in self.states_of(j)]
        return np.stack(parts, axis=-1)

    def allowed(self, positive: Bool[np.ndarray, "*n k"]) -> Bool[np.ndarray, "*n z"]:
        """Cells none of whose pairwise marginals is zero."""
        if self._dense:
            supported: np.ndarray = (
                positive.astype(np.float64) @ self.one_hot.T > len(self.shape) - 0.5
            )
            return supported
        return self._combined(positive, np.logical_and)

    def of_states(self, chosen: Bool[np.ndarray, " z"]) -> "MarginalMap":
        """The same map on some of the states only."""
        kept = np.flatnonzero(chosen)
        return MarginalMap(self.shape, kept if self.states is None else self.states[kept])


def marginal_map(shape: tuple[int, ...]) -> MarginalMap:
    """The map for sources of these alphabet sizes, all states in C order."""
    shape = tuple(int(k) for k in shape)
    return _kept_map(shape) if np.prod(shape, dtype=float) <= MAX_KEPT else MarginalMap(shape)


_kept_map = lru_cache(maxsize=16)(MarginalMap)


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
