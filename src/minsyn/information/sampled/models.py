"""Models of samples: plug-in values of the measures, their biases, replicates and null values.

All values are in nats, one for each measure and target.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri
from scipy.stats import rankdata

from minsyn.information._bias import N_GROUPS, OccupiedCells, WishartBias, jackknife_bias, shrink
from minsyn.information._gaussian_sources import GaussianSources, information
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES
from minsyn.information.statistics import PairwiseStatistics

Values = dict[str, Float[np.ndarray, " n"]]
Stacks = dict[str, Float[np.ndarray, "b n"]]

#: Size of the largest stack of replicates, in numbers: tens of megabytes.
_NUMBERS_AT_ONCE = 2_000_000


@runtime_checkable
class Model(Protocol):
    """Samples of sources and targets under a model of their joint distribution."""

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target in the model; 1 for categories, which have none."""
        ...

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        ...

    def values(self) -> Values:
        """Plug-in values of the measures."""
        ...

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        ...

    def sampling_bias(self) -> Values:
        """Expected bias of `values`, for the measures for which the model has a closed form."""
        ...

    def bias(self, method: str) -> Values:
        """Estimated bias of `values`.

        Measures whose bias ``method`` does not know are corrected by the jackknife.
        """
        ...

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples that are drawn with replacement."""
        ...

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        ...


def normal_scores(x: Float[np.ndarray, "samples k"]) -> Float[np.ndarray, "samples k"]:
    """Normal quantiles of the ranks, Phi^-1(rank / (N + 1)); ties share their mean rank."""
    return ndtri(rankdata(x, axis=0) / (len(x) + 1))


def _unchanged(x: Float[np.ndarray, "samples k"]) -> Float[np.ndarray, "samples k"]:
    return x


def _jackknife_groups(n_samples: int) -> Iterator[Int[np.ndarray, " _"]]:
    """Groups of samples for the jackknife: every g-th, so that a trend falls on all alike."""
    n_groups = min(N_GROUPS, n_samples)
    for g in range(n_groups):
        yield np.arange(g, n_samples, n_groups)


def _stack(values: list[Values]) -> Stacks:
    return {name: np.stack([v[name] for v in values]) for name in values[0]}


@dataclass(frozen=True, eq=False)
class GaussianMoments:
    """Plug-in measures of Gaussian variables, and their closed-form biases, from statistics.

    Attributes
    ----------
    statistics : PairwiseStatistics
        Statistics of the sources' variables and the targets.
    names : tuple of str
        Names of the measures.
    groups : tuple of int arrays, or None
        The variables of each vector source; None where every variable is a source.
    """

    statistics: PairwiseStatistics
    names: tuple[str, ...]
    groups: tuple[Int[np.ndarray, " _"], ...] | None

    @cached_property
    def sources(self) -> GaussianSources:
        """Correlations of sources and targets."""
        return GaussianSources.of(self.statistics.sigma, self.statistics.rho, self.groups)

    @cached_property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        return self.statistics.std_z > 0

    @cached_property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target; exactly 0 of constants."""
        return self.statistics.std_x**2

    def values(self) -> Values:
        """Plug-in values of the measures."""
        return {name: MEASURES[name].of(self.sources) for name in self.names}

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        return information(self.sources.unexplained_alone)

    def sampling_bias(self, n_samples: int | float) -> Values:
        """Expected bias of `values`; measures for which it has no closed form are absent."""
        constant = ~self.varying
        each = self.groups or tuple(np.arange(len(constant))[:, None])
        # A constant variable is uncorrelated with the others, and adds 1 to every rank.
        bias = WishartBias(
            n_samples,
            self.sources.rank - int(constant.sum()),
            self.sources.ranks - np.array([int(constant[group].sum()) for group in each]),
            self.sources.best,
        )
        known = {name: MEASURES[name].wishart for name in self.names}
        return {
            name: np.where(self.variances > 0, formula(bias), 0.0)
            for name, formula in known.items()
            if formula is not None
        }


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """Jointly Gaussian variables, or a Gaussian copula where ``scores`` are `normal_scores`."""

    z: Float[np.ndarray, "samples variables"]
    x: Float[np.ndarray, "samples n"]
    names: tuple[str, ...]
    groups: tuple[Int[np.ndarray, " _"], ...] | None = None
    scores: Callable[[Any], Any] = _unchanged

    @cached_property
    def moments(self) -> GaussianMoments:
        """Moments of all samples."""
        return self._moments(slice(None))

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target, or of its normal scores."""
        return self.moments.variances

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        return self.moments.varying

    def values(self) -> Values:
        """Plug-in values of the measures."""
        return self.moments.values()

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        return self.moments.alone()

    def sampling_bias(self) -> Values:
        """Expected bias of `values` by the Wishart distribution's closed form."""
        return self.moments.sampling_bias(len(self.z))

    def bias(self, method: str) -> Values:
        """Bias by the Wishart distribution's closed form, or by the jackknife."""
        known = self.sampling_bias() if method == "wishart" else {}
        rest = tuple(name for name in self.names if name not in known)
        if rest:
            model = replace(self, names=rest)
            rows = np.arange(len(self.z))
            without = [
                model._moments(np.delete(rows, group)).values()
                for group in _jackknife_groups(len(rows))
            ]
            known |= jackknife_bias(model.moments.values(), _stack(without))
        return known

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples that are drawn with replacement."""
        n_samples = len(self.z)
        drawn = (rng.integers(n_samples, size=n_samples) for _ in range(n))
        return _stack([self._moments(rows).values() for rows in drawn])

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        # Sources keep their order among themselves: sigma stays, and only rho is made anew.
        statistics = self.moments.statistics
        sigma, n_targets = statistics.sigma, self.x.shape[1]
        z = _standardised(self.scores(self.z), statistics.std_z)
        x = _standardised(self.scores(self.x), statistics.std_x)
        at_once = max(1, _NUMBERS_AT_ONCE // (z.shape[1] * n_targets))
        parts = []
        for start in range(0, n, at_once):
            count = min(at_once, n - start)
            rho = np.concatenate([z[rng.permutation(len(z))].T @ x for _ in range(count)], axis=1)
            sources = GaussianSources.of(sigma, np.clip(rho / len(z), -1, 1), self.groups)
            values = {name: MEASURES[name].of(sources) for name in self.names}
            parts.append({name: v.reshape(count, n_targets) for name, v in values.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in self.names}

    def _moments(self, rows: Any) -> GaussianMoments:
        statistics = PairwiseStatistics.of(self.scores(self.z[rows]), self.scores(self.x[rows]))
        return GaussianMoments(statistics, self.names, self.groups)


def _standardised(
    a: Float[np.ndarray, "samples k"], std: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "samples k"]:
    return np.where(std > 0, a - a.mean(axis=0), 0.0) / np.where(std > 0, std, 1.0)


@dataclass(frozen=True, eq=False)
class DiscreteModel:
    """Categories with any joint distribution; each target has a table of its own."""

    z: Int[np.ndarray, "samples variables"]
    x: Int[np.ndarray, "samples n"]
    z_sizes: tuple[int, ...]
    x_sizes: tuple[int, ...]
    names: tuple[str, ...]
    shrunk: bool = False

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """1 for each target."""
        return np.ones(self.x.shape[1])

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each source has more than one category."""
        return np.array(self.z_sizes) > 1

    def values(self) -> Values:
        """Plug-in values of the measures."""
        return self._by_size(
            lambda tables, _: {name: v[None] for name, v in self._measure(tables).items()}
        )

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        found = self._by_size(
            lambda tables, _: {"alone": PmfBatch(self._pmfs(tables)).alone}, stacked=True
        )
        return found["alone"]

    def sampling_bias(self) -> Values:
        """No closed form holds for tables of counts."""
        return {}

    def bias(self, method: str) -> Values:
        """Bias by Miller and Madow's formula, or by the jackknife."""
        formulas = {name: MEASURES[name].miller_madow for name in self.names}
        known: Values = {}
        if method == "miller-madow":
            known = self._by_size(
                lambda tables, _: {
                    name: formula(OccupiedCells(tables))[None]
                    for name, formula in formulas.items()
                    if formula is not None
                }
            )
        rest = tuple(name for name in self.names if name not in known)
        return known | (replace(self, names=rest)._jackknife() if rest else {})

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n tables of counts that are drawn from the observed ones."""

        def of_tables(tables: Int[np.ndarray, "k *shape"], _: Any) -> Stacks:
            drawn = [
                rng.multinomial(len(self.z), p.ravel(), size=n).reshape(n, *p.shape)
                for p in self._pmfs(tables)
            ]
            each = [self._measure_in_parts(d) for d in drawn]
            return {name: np.stack([e[name] for e in each], axis=1) for name in self.names}

        return self._by_size(of_tables, stacked=True)

    def null(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        orders = [rng.permutation(len(self.z)) for _ in range(n)]

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            k = len(tables)
            permuted = np.concatenate(
                [self._tables(self._states()[order], targets) for order in orders]
            )
            values = self._measure_in_parts(permuted)
            return {name: v.reshape(n, k) for name, v in values.items()}

        return self._by_size(of_targets, stacked=True)

    def _jackknife(self) -> Values:
        states, groups = self._states(), list(_jackknife_groups(len(self.z)))

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            without = np.concatenate(
                [tables - self._tables(states, targets, rows) for rows in groups]
            )
            left_out = self._measure_in_parts(without)
            bias = jackknife_bias(
                self._measure(tables),
                {name: v.reshape(len(groups), -1) for name, v in left_out.items()},
            )
            return {name: b[None] for name, b in bias.items()}

        return self._by_size(of_targets)

    def _measure(self, counts: Int[np.ndarray, "k *shape"]) -> Values:
        batch = PmfBatch(self._pmfs(counts))
        return {name: MEASURES[name].of(batch) for name in self.names}

    def _pmfs(self, counts: Int[np.ndarray, "k *shape"]) -> Float[np.ndarray, "k *shape"]:
        if self.shrunk:
            return shrink(counts)
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
