"""Discrete distributions of one shape, many at once, and the quantities that measures share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from minsyn.information.union.measure import rough_union_information, union_information_batch


def entropies(p: Float[np.ndarray, "n *cells"]) -> Float[np.ndarray, " n"]:
    """Entropy of each pmf in nats."""
    nats: np.ndarray = -xlogy(p, p).reshape(len(p), -1).sum(axis=1)
    return nats


@dataclass(frozen=True, eq=False)
class PmfBatch:
    """Pmfs ``p[i, z_1, ..., z_m, x]``: one axis more than a pmf. All results are in nats.

    Where ``rough``, the union information is that of `rough_union_information`.
    """

    p: Float[np.ndarray, "n *sources x"]
    rough: bool = False

    @property
    def n_sources(self) -> int:
        """Number of sources m; variable m is the target."""
        return self.p.ndim - 2

    def marginal(self, *kept: int) -> Float[np.ndarray, "n *kept"]:
        """Sum over the variables that are not in ``kept``."""
        others = tuple(a + 1 for a in range(self.n_sources + 1) if a not in kept)
        marginal: np.ndarray = self.p.sum(axis=others)
        return marginal

    def beside(self, marginal: Float[np.ndarray, "n *kept"], *kept: int) -> Any:
        """A marginal of the variables ``kept``, in order, with axes of length 1 for others."""
        sizes = [s if v in kept else 1 for v, s in enumerate(self.p.shape[1:])]
        return marginal.reshape(len(self.p), *sizes)

    @cached_property
    def information(self) -> Float[np.ndarray, " n"]:
        """Mutual information of all sources together and the target."""
        flat = self.p.reshape(len(self.p), -1, self.p.shape[-1])
        nats: np.ndarray = np.maximum(_by_value(flat).sum(axis=1), 0.0)
        return nats

    @cached_property
    def by_value(self) -> Float[np.ndarray, "m n x"]:
        """Information of each source about each value of the target, times its probability."""
        m = self.n_sources
        values = [_by_value(self.marginal(j, m)) for j in range(m)]
        nats: np.ndarray = np.maximum(np.stack(values), 0.0)
        return nats

    @cached_property
    def alone(self) -> Float[np.ndarray, "m n"]:
        """Mutual information of each source alone and the target."""
        nats: np.ndarray = self.by_value.sum(axis=2)
        return nats

    @cached_property
    def union(self) -> Float[np.ndarray, " n"]:
        """Union information."""
        if self.n_sources == 1:
            return self.information
        if self.rough:
            return rough_union_information(self.p)
        return union_information_batch(self.p, unit="nats").value


def _by_value(p_zx: Float[np.ndarray, "n z x"]) -> Float[np.ndarray, "n x"]:
    """Sum over z of p(z, x) log p(z, x) / p(z) p(x)."""
    p_x = p_zx.sum(axis=1)
    nats: np.ndarray = (
        xlogy(p_zx, p_zx).sum(axis=1)
        - xlogy(p_zx, p_zx.sum(axis=2, keepdims=True)).sum(axis=1)
        - xlogy(p_x, p_x)
    )
    return nats
