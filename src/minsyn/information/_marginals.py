"""The linear map from q(z_1, ..., z_m, x) to its pairwise marginals q(z_j, x)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float


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
