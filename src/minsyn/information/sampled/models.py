"""How samples become measures: the plug-in values, their biases, replicates and null values.

A model answers four questions about samples of sources and targets, each with a value (or a stack
of values) for every target and measure, in nats.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri
from scipy.stats import rankdata

from minsyn.information import _gaussian_nats, _pmf_batch
from minsyn.information.sampled import bias as _bias
from minsyn.information.statistics import PairwiseStatistics

Values = dict[str, Float[np.ndarray, " n"]]
Stacks = dict[str, Float[np.ndarray, "b n"]]

#: Numbers worked on at once when many replicates are stacked: tens of megabytes.
_NUMBERS_AT_ONCE = 2_000_000


@runtime_checkable
class Model(Protocol):
    """What `minsyn.information.synergy` asks of a model."""

    def values(self) -> Values:
        """The measures of the samples."""
        ...

    def bias(self, method: str) -> Values:
        """What sampling added to `values`; measures whose bias ``method`` does not know lack."""
        ...

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """The measures of samples drawn anew, with replacement."""
        ...

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        """The measures where targets are independent of all sources together."""
        ...


def normal_scores(x: Float[np.ndarray, "samples k"]) -> Float[np.ndarray, "samples k"]:
    """Normal quantiles of the ranks, Phi^-1(rank / (N + 1)); ties share their mean rank."""
    return ndtri(rankdata(x, axis=0) / (len(x) + 1))


def _as_it_is(x: Float[np.ndarray, "samples k"]) -> Float[np.ndarray, "samples k"]:
    return x


def _groups(n_samples: int) -> Iterator[Int[np.ndarray, " _"]]:
    """Groups of samples for the jackknife: every g-th, so that a trend falls on all alike."""
    n_groups = min(_bias.N_GROUPS, n_samples)
    for g in range(n_groups):
        yield np.arange(g, n_samples, n_groups)


def _stack(values: list[Values]) -> Stacks:
    return {name: np.stack([v[name] for v in values]) for name in values[0]}


@dataclass(frozen=True)
class GaussianModel:
    """Jointly Gaussian variables, or a Gaussian copula where ``scores`` are `normal_scores`."""

    z: Float[np.ndarray, "samples m"]
    x: Float[np.ndarray, "samples n"]
    names: tuple[str, ...]
    scores: Callable[[Any], Any] = _as_it_is

    def values(self) -> Values:
        return self._measure(slice(None))[0]

    def bias(self, method: str) -> Values:
        whole, rank = self._measure(slice(None))
        n_samples, m = self.z.shape
        known: Values = {}
        if method == "wishart":
            bias = _bias.wishart_bias(n_samples, rank, m, self.names)
            varies = PairwiseStatistics.of(self.z[:, :1], self.x).std_x > 0
            known = {name: np.where(varies, b, 0.0) for name, b in bias.items()}
        rest = tuple(name for name in self.names if name not in known)
        if rest:
            without = [
                self._measure(np.delete(np.arange(n_samples), group))[0]
                for group in _groups(n_samples)
            ]
            jackknife = _bias.jackknife_bias(whole, _stack(without))
            known |= {name: jackknife[name] for name in rest}
        return known

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        n_samples = len(self.z)
        return _stack([self._measure(rng.integers(n_samples, size=n_samples))[0] for _ in range(n)])

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        # Sources keep their order among themselves: sigma stays, and only rho is made anew.
        z, x = self.scores(self.z), self.scores(self.x)
        statistics = PairwiseStatistics.of(z, x)
        sigma, n_targets = statistics.sigma, x.shape[1]
        z, x = (_standardised(a, s) for a, s in ((z, statistics.std_z), (x, statistics.std_x)))
        at_once = max(1, _NUMBERS_AT_ONCE // (z.shape[1] * n_targets))
        parts = []
        for start in range(0, n, at_once):
            count = min(at_once, n - start)
            rho = np.concatenate([z[rng.permutation(len(z))].T @ x for _ in range(count)], axis=1)
            rho = np.clip(rho / len(z), -1, 1)
            values, _ = _gaussian_nats.measures_nats(sigma, rho, self.names)
            parts.append({k: v.reshape(count, n_targets) for k, v in values.items()})
        return {name: np.concatenate([p[name] for p in parts]) for name in self.names}

    def _measure(self, rows: Any) -> tuple[Values, int]:
        statistics = PairwiseStatistics.of(self.scores(self.z[rows]), self.scores(self.x[rows]))
        return _gaussian_nats.measures_nats(statistics.sigma, statistics.rho, self.names)


def _standardised(
    a: Float[np.ndarray, "samples k"], std: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "samples k"]:
    return np.where(std > 0, a - a.mean(axis=0), 0.0) / np.where(std > 0, std, 1.0)


@dataclass(frozen=True)
class DiscreteModel:
    """Categories, any joint distribution of them; each target with a table of its own."""

    z: Int[np.ndarray, "samples m"]
    x: Int[np.ndarray, "samples n"]
    z_sizes: tuple[int, ...]
    x_sizes: tuple[int, ...]
    names: tuple[str, ...]
    shrunk: bool = False

    def values(self) -> Values:
        return self._by_size(
            lambda tables, _: {name: v[None] for name, v in self._measure(tables).items()}
        )

    def bias(self, method: str) -> Values:
        known: Values = {}
        if method == "miller-madow":
            known = self._by_size(
                lambda tables, _: {k: v[None] for k, v in _bias.miller_madow_bias(tables).items()}
            )
        rest = tuple(name for name in self.names if name not in known)
        if rest:
            known |= self._jackknife(rest)
        return {name: known[name] for name in self.names}

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        def of_tables(tables: Int[np.ndarray, "k *shape"], _: Any) -> Stacks:
            drawn = [
                rng.multinomial(len(self.z), p.ravel(), size=n).reshape(n, *p.shape)
                for p in self._pmfs(tables)
            ]
            each = [self._measure_in_parts(d) for d in drawn]
            return {name: np.stack([e[name] for e in each], axis=1) for name in self.names}

        return self._by_size(of_tables, stacked=True)

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        orders = [rng.permutation(len(self.z)) for _ in range(n)]

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            k = len(tables)
            permuted = np.concatenate(
                [self._tables(self._states()[order], targets) for order in orders]
            )
            values = self._measure_in_parts(permuted)
            return {name: v.reshape(n, k) for name, v in values.items()}

        return self._by_size(of_targets, stacked=True)

    def _jackknife(self, names: tuple[str, ...]) -> Values:
        model = DiscreteModel(self.z, self.x, self.z_sizes, self.x_sizes, names, self.shrunk)
        states, groups = self._states(), list(_groups(len(self.z)))

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            without = np.concatenate(
                [tables - model._tables(states, targets, rows) for rows in groups]
            )
            left_out = model._measure_in_parts(without)
            bias = _bias.jackknife_bias(
                model._measure(tables),
                {name: v.reshape(len(groups), -1) for name, v in left_out.items()},
            )
            return {name: b[None] for name, b in bias.items()}

        return model._by_size(of_targets)

    def _measure(self, counts: Int[np.ndarray, "k *shape"]) -> Values:
        return _pmf_batch.measures_nats(self._pmfs(counts), self.names)

    def _pmfs(self, counts: Int[np.ndarray, "k *shape"]) -> Float[np.ndarray, "k *shape"]:
        if self.shrunk:
            return _bias.shrink(counts)
        return counts / counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True)

    def _measure_in_parts(self, counts: Int[np.ndarray, "k *shape"]) -> Values:
        at_once = max(1, _NUMBERS_AT_ONCE // counts[0].size)
        parts = [
            self._measure(counts[start : start + at_once])
            for start in range(0, len(counts), at_once)
        ]
        return {name: np.concatenate([p[name] for p in parts]) for name in self.names}

    def _states(self) -> Int[np.ndarray, " samples"]:
        """The number of each sample's combination of source values."""
        return np.ravel_multi_index(tuple(self.z.T), self.z_sizes).astype(np.int64)

    def _tables(
        self, states: Int[np.ndarray, " samples"], targets: Any, rows: Any = slice(None)
    ) -> Int[np.ndarray, "k *shape"]:
        """Counts (k, |Z_1|, ..., |Z_m|, |X|) of targets whose alphabets are equal in size."""
        size, k = self.x_sizes[targets[0]], len(targets)
        n_cells = int(np.prod(self.z_sizes)) * size
        cells = states[rows, None] * size + self.x[rows][:, targets] + n_cells * np.arange(k)
        counts = np.bincount(cells.ravel(), minlength=n_cells * k)
        return counts.reshape(k, *self.z_sizes, size)

    def _by_size(self, of_tables: Callable[[Any, Any], Any], stacked: bool = False) -> Any:
        """Apply to the targets of each alphabet size together; (b, k) stacks into (b, n)."""
        sizes, result = np.array(self.x_sizes), {}
        n_states = int(np.prod(self.z_sizes))
        for size in np.unique(sizes):
            same = np.flatnonzero(sizes == size)
            at_once = max(1, _NUMBERS_AT_ONCE // (n_states * int(size)))
            for start in range(0, len(same), at_once):
                targets = same[start : start + at_once]
                tables = self._tables(self._states(), targets)
                for name, part in of_tables(tables, targets).items():
                    if name not in result:
                        result[name] = np.empty((len(part), len(sizes)))
                    result[name][:, targets] = part
        return result if stacked else {name: v[0] for name, v in result.items()}
