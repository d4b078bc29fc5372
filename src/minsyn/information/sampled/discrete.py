"""Discrete model of samples: a table of counts for each target."""

from collections.abc import Callable
from copy import deepcopy as copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information._bias import OccupiedCells, jackknife_bias, shrink
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES
from minsyn.information.sampled.models import (
    NUMBERS_AT_ONCE,
    Stacks,
    Values,
    beside,
    choosing,
    effective_samples,
    informative,
    jackknife_groups,
    joined,
    of_ties,
    parts_of,
    resampled_rows,
    ties,
)
from minsyn.information.sampled.quantile_residuals import Residuals, channel
from minsyn.information.sampled.selection import Informations, selected
from minsyn.information.sampled.series import Series
from minsyn.information.union.measure import ROUGH_GAP, union_information_batch

#: Mass below which a minimiser says nothing about the target given these sources.
_LEAST_MASS = 1e-7
#: Nats of synergy below which a distribution has none.
_NO_SYNERGY = 1e-6


@dataclass(frozen=True, eq=False)
class DiscreteModel:
    """Categories with any joint distribution; each target has a table of its own.

    Rows of a ``series`` are drawn in blocks. Under its null hypotheses, what channels leave of
    categories is shifted in time (see `minsyn.information.sampled.quantile_residuals`).
    """

    z: Int[np.ndarray, "samples variables"]
    x: Int[np.ndarray, "samples n"]
    z_sizes: tuple[int, ...]
    x_sizes: tuple[int, ...]
    names: tuple[str, ...]
    shrunk: bool = False
    tied: Bool[np.ndarray, "2 sources n"] | None = None
    series: Series | None = None

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """1 for each target."""
        return np.ones(self.x.shape[1])

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each source has more than one category."""
        return np.array(self.z_sizes) > 1

    @property
    def n_fitted(self) -> Int[np.ndarray, " n"]:
        """Occupied cells of each target's table, less one."""

        def occupied(tables: Int[np.ndarray, "k *shape"], _: Any) -> dict[str, Any]:
            return {"n": (tables > 0).reshape(1, len(tables), -1).sum(axis=-1) - 1}

        return np.asarray(self._by_size(occupied)["n"]).astype(int)

    @property
    def rounding(self) -> float:
        """Gap of the solver of union information."""
        return 2 * ROUGH_GAP

    def only(self, names: tuple[str, ...]) -> "DiscreteModel":
        """The same model with some of its measures."""
        return replace(self, names=names)

    def values(self) -> Values:
        """Plug-in values of the measures."""
        values: Values = self._by_size(
            lambda tables, targets: {
                name: v[None]
                for name, v in self._measure(tables, tied=self._tied_of(targets)).items()
            }
        )
        return values

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        found: Stacks = self._by_size(
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

    def for_intervals(self, n: int, rng: np.random.Generator) -> tuple[Values, Stacks, Values]:
        """Values, n replicates of them, and the values of what these are drawn from."""
        return self.values(), self.bootstrap(n, rng), self._origin()

    def _origin(self) -> Values:
        """Values of the smoothed tables."""

        def of_tables(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            batch = PmfBatch(smoothed(tables), rough=True)
            values = {name: MEASURES[name].of(batch) for name in self.names}
            if self.tied is not None:
                values = of_ties(values, batch.alone, self.tied[..., targets])
            return {name: v[None] for name, v in values.items()}

        values: Values = self._by_size(of_tables)
        return values

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n tables of counts that are drawn from the smoothed tables.

        From the observed ones, cells that chance left empty would stay empty. Blocks of a series
        are drawn from the samples, of which as many as smoothing adds are put into any cell.
        """
        start = copy(rng)

        def of_tables(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            found = []
            if self.series is not None:
                blocks = self._blocks(tables.shape[1:], targets, n, copy(start))
                for t, d in zip(targets, blocks, strict=True):
                    found.append(self._values_of(d, self._tied_of([t])))
                return beside(found)
            for t, p in zip(targets, smoothed(tables), strict=True):
                tied = self._tied_of([t])
                drawn = [
                    rng.multinomial(len(self.z), p.ravel(), size=count).reshape(count, 1, *p.shape)
                    for count in parts_of(n, NUMBERS_AT_ONCE // p.size)
                ]
                found.append(joined([self._values_of(d, tied) for d in drawn]))
            return beside(found)

        stacks: Stacks = self._by_size(of_tables, stacked=True)
        return stacks

    def independent(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        states, start = self._states(), copy(rng)

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            # The same permutations for the targets of every shape.
            parts, again = [], copy(start)
            for count in parts_of(n, NUMBERS_AT_ONCE // max(tables.size, len(self.z))):
                if self.series is not None:
                    permuted = states[self.series.shifted(count, again)]
                else:
                    permuted = again.permuted(np.broadcast_to(states, (count, len(states))), axis=1)
                drawn = [self._tables_of(permuted, self.x[:, t], tables.shape[1:]) for t in targets]
                parts.append(self._values_of(np.stack(drawn, axis=1)))
            return joined(parts)

        stacks: Stacks = self._by_size(of_targets, stacked=True)
        return stacks

    def without_gk_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples without GK synergy, with what each source tells alone.

        Sources stay as they are. In one stack, targets are drawn from the distribution that
        minimises the information about them under the observed pairwise marginals (Eq. 2). In a
        second, they are permuted within the samples of one category of their best source: the
        first has too little noise where cells hold few samples. Of a series, what these channels
        leave of the target is shifted, and in a third stack the target itself: a short series seems
        to tell where it does not.
        """
        if self.series is not None:
            of_union, of_best = (
                self._shifted_targets(n, copy(rng), union) for union in (True, False)
            )
            return of_union, of_best, self.independent(n, rng)
        of_targets = rng.spawn(self.x.shape[1])
        start, best = copy(rng), self.alone().argmax(axis=0)

        def drawn(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            member = least_synergistic(tables)
            found = [
                self._drawn_from(member[i], tables[i], n, of_targets[t])
                for i, t in enumerate(targets)
            ]
            return beside(found)

        def permuted(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            states, parts, again = self._states(), [], copy(start)
            for count in parts_of(n, NUMBERS_AT_ONCE // max(tables.size, len(self.z))):
                uniform = again.random((count, len(self.z)))
                found = []
                for t in targets:
                    z = self.z[:, best[t]]
                    order = np.argsort(uniform + z, axis=-1)
                    x = self.x[order, t]
                    of_sorted = states[np.argsort(z, kind="stable")]
                    found.append(self._tables_of(of_sorted, x, tables.shape[1:]))
                parts.append(self._values_of(np.stack(found, axis=1)))
            return joined(parts)

        return self._by_size(drawn, stacked=True), self._by_size(permuted, stacked=True)

    def _shifted_targets(self, n: int, rng: np.random.Generator, by_union: bool) -> Stacks:
        """Values with targets drawn from a channel by shifts of what it leaves of them.

        The channel is that of the distribution without synergy, or of the best source alone.
        """
        if self.series is None:
            raise RuntimeError("only a series is shifted")
        series, states, best = self.series, self._states(), self.alone().argmax(axis=0)
        for_uniform, for_shifts = rng.spawn(2)

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            uniforms, shifts = copy(for_uniform), copy(for_shifts)
            size = tables.shape[-1]
            channels = []
            member = least_synergistic(tables) if by_union else tables
            for i, t in enumerate(targets):
                z = self.z[:, best[t]]
                cells = z * size + self.x[:, t]
                counts = np.bincount(cells, minlength=self.z_sizes[best[t]] * size)
                of_best = channel(counts.reshape(-1, size), np.full(size, 1 / size))
                if by_union:
                    p = member[i].reshape(-1, size)
                    given = channel(p[states], of_best[z])
                else:
                    given = of_best[z]
                channels.append(Residuals.of(self.x[:, t], given, series.lengths))
            parts = []
            for count in parts_of(n, NUMBERS_AT_ONCE // max(tables.size, len(self.z))):
                uniform = series.uniform(count, 1, uniforms)[:, 0]
                rows = series.shifted(count, shifts)
                drawn = []
                for left in channels:
                    x = left.categories(np.take_along_axis(left.draw(uniform), rows, axis=1))
                    drawn.append(self._tables_of(states, x, tables.shape[1:]))
                parts.append(self._values_of(np.stack(drawn, axis=1)))
            return joined(parts)

        stacks: Stacks = self._by_size(of_targets, stacked=True)
        return stacks

    def _blocks(
        self, shape: tuple[int, ...], targets: Any, n: int, rng: np.random.Generator
    ) -> list[Int[np.ndarray, "n 1 *shape"]]:
        """Tables of blocks of a series, for each target, smoothed as `smoothed` does."""
        n_samples, states = len(self.z), self._states()
        for_rows, for_cells = rng.spawn(2)
        added = np.sqrt(n_samples) / 2
        found: list[list[Any]] = [[] for _ in targets]
        for count in parts_of(n, NUMBERS_AT_ONCE // max(n_samples, int(np.prod(shape)))):
            rows = resampled_rows(count, n_samples, for_rows, self.series)
            uniform = for_cells.random((count, n_samples, 2))
            replaced = uniform[:, :, 0] < added / (n_samples + added)
            anywhere = (uniform[:, :, 1] * np.prod(shape)).astype(np.int64)
            for tables, t in zip(found, targets, strict=True):
                cells = np.where(replaced, anywhere, (states * shape[-1] + self.x[:, t])[rows])
                tables.append(self._tables_of(cells // shape[-1], cells % shape[-1], shape))
        return [np.concatenate(tables)[:, None] for tables in found]

    def _drawn_from(
        self,
        member: Float[np.ndarray, "*sources x"],
        table: Int[np.ndarray, "*sources x"],
        n: int,
        rng: np.random.Generator,
    ) -> Stacks:
        """Values of n tables; sources as observed where the member has their distribution."""
        given = member.reshape(-1, member.shape[-1])
        of_state = table.sum(axis=-1).ravel()
        p_z = given.sum(axis=1, keepdims=True)
        as_observed = np.abs(p_z[:, 0] - of_state / of_state.sum()).max() < 1e-9
        if as_observed:
            seen = of_state > 0
            given = given[seen] / p_z[seen]
        parts = []
        for count in parts_of(n, NUMBERS_AT_ONCE // table.size):
            drawn = np.zeros((count, *table.shape), dtype=np.int64)
            if as_observed:
                flat = drawn.reshape(count, -1, table.shape[-1])
                flat[:, seen] = rng.multinomial(of_state[seen], given, size=(count, len(given)))
            else:
                p = member.ravel() / member.sum()
                drawn += rng.multinomial(of_state.sum(), p, size=count).reshape(drawn.shape)
            parts.append(self._values_of(drawn[:, None]))
        return joined(parts)

    def without_ci_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples in which sources are independent given each target.

        Each source is permuted by itself within the samples of one category. In a second stack,
        sources that seem to tell nothing about the target are permuted together over all samples,
        and so keep their dependence on each other.
        """
        sizes = np.array(self.z_sizes)
        freedom = (sizes[:, None] - 1) * (np.array(self.x_sizes) - 1)
        n_effective = effective_samples(len(self.z), self.x.shape[1], self.series)
        seeming = informative(self.alone(), n_effective, freedom)
        return tuple(
            self._conditionally_independent(n, copy(rng), told)
            for told in (np.ones_like(seeming), *((seeming,) if not seeming.all() else ()))
        )

    def _conditionally_independent(
        self, n: int, rng: np.random.Generator, told: Bool[np.ndarray, "sources n"]
    ) -> Stacks:
        n_samples, m = self.z.shape
        parts = []
        if self.series is not None:
            return self._shifted_sources(n, rng, told)
        for count in parts_of(n, NUMBERS_AT_ONCE // (n_samples * (m + 1))):
            # Constant sources take no random numbers: they change nothing.
            uniform = np.zeros((count, m, n_samples))
            uniform[:, self.varying] = rng.random((count, int(self.varying.sum()), n_samples))
            everywhere = np.argsort(uniform, axis=-1)

            def of_targets(
                tables: Int[np.ndarray, "k *shape"],
                targets: Any,
                uniform: Any = uniform,
                everywhere: Any = everywhere,
            ) -> Stacks:
                drawn = [
                    self._tables_of(
                        self._permuted_sources(uniform, everywhere, int(t), told[:, t]),
                        np.sort(self.x[:, t]),
                        tables.shape[1:],
                    )
                    for t in targets
                ]
                return self._values_of(np.stack(drawn, axis=1))

            parts.append(self._by_size(of_targets, stacked=True))
        return joined(parts)

    def _shifted_sources(
        self, n: int, rng: np.random.Generator, told: Bool[np.ndarray, "sources n"]
    ) -> Stacks:
        """Values with sources drawn by shifts of what each target leaves of them."""
        if self.series is None:
            raise RuntimeError("only a series is shifted")
        series, n_samples = self.series, len(self.z)
        varying = np.flatnonzero(self.varying)
        for_uniform, for_shifts = rng.spawn(2)

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            uniforms, shifts = copy(for_uniform), copy(for_shifts)
            lefts = {(j, t): self._left_of_source(j, t, series) for j in varying for t in targets}
            parts = []
            for count in parts_of(n, NUMBERS_AT_ONCE // (n_samples * (len(varying) + 1))):
                uniform = series.uniform(count, max(len(varying), 1), uniforms)
                rows = np.zeros((count, len(varying), n_samples), dtype=np.int64)
                if len(varying):
                    rows[:] = series.shifted(count * len(varying), shifts).reshape(rows.shape)
                place = {j: k for k, j in enumerate(varying)}
                drawn = []
                for t in targets:
                    states = np.zeros((count, n_samples), dtype=np.int64)
                    together = [j for j in varying if not told[j, t]]
                    for j, k in place.items():
                        if told[j, t]:
                            left = lefts[j, t]
                            shifted = np.take_along_axis(left.draw(uniform[:, k]), rows[:, k], 1)
                            z = left.categories(shifted)
                        else:
                            z = self.z[rows[:, place[together[0]]], j]
                        states = states * self.z_sizes[j] + z
                    drawn.append(self._tables_of(states, self.x[:, t], tables.shape[1:]))
                parts.append(self._values_of(np.stack(drawn, axis=1)))
            return joined(parts)

        stacks: Stacks = self._by_size(of_targets, stacked=True)
        return stacks

    def _left_of_source(self, source: Any, target: Any, series: Series) -> Residuals:
        """What a target leaves of a source."""
        z, x, size = self.z[:, source], self.x[:, target], self.z_sizes[source]
        counts = np.bincount(x * size + z, minlength=self.x_sizes[target] * size)
        given = channel(counts.reshape(-1, size), np.full(size, 1 / size))[x]
        return Residuals.of(z, given, series.lengths)

    def _permuted_sources(
        self,
        uniform: Float[np.ndarray, "b m samples"],
        everywhere: Int[np.ndarray, "b m samples"],
        target: int,
        told: Bool[np.ndarray, " m"],
    ) -> Int[np.ndarray, "b samples"]:
        """States of sources for the sorted values of a target."""
        x = self.x[:, target]
        states = np.zeros((len(uniform), len(x)), dtype=np.int64)
        together = np.flatnonzero(~told & self.varying)
        for j, size in enumerate(self.z_sizes):
            if size == 1:
                continue
            if told[j]:
                order = np.argsort(uniform[:, j] + x, axis=-1)
            else:
                order = everywhere[:, together[0]]
            states = states * size + self.z[order, j]
        return states

    def _tables_of(
        self,
        states: Int[np.ndarray, "*b samples"],
        x: Int[np.ndarray, "*_ samples"],
        shape: tuple[int, ...],
    ) -> Int[np.ndarray, "b *shape"]:
        """Counts of b sets of samples."""
        n_cells = int(np.prod(shape))
        cells = states * shape[-1] + x
        cells += n_cells * np.arange(len(cells))[:, None]
        counts = np.bincount(cells.ravel(), minlength=n_cells * len(cells))
        return counts.reshape(len(cells), *shape)

    def _values_of(
        self,
        tables: Int[np.ndarray, "b k *shape"],
        tied: Bool[np.ndarray, "2 sources 1"] | None = None,
    ) -> Stacks:
        """Values of b sets of k tables."""
        b, k = tables.shape[:2]
        values = self._measure_in_parts(tables.reshape(b * k, *tables.shape[2:]), tied)
        return {name: v.reshape(b, k) for name, v in values.items()}

    def _jackknife(self) -> Values:
        """Bias by leaving out groups; of what chooses among sources, with the choice besides.

        The largest of several informations is no smooth function of the samples. The jackknife
        serves what is left without it, and the bias of the choice is found by itself.
        """
        chosen = {name: selection for name in self.names if (selection := selected(name))}
        if not chosen or self.z.shape[1] < 2:
            return self._jackknife_of(self._measure)

        def smooth(tables: Int[np.ndarray, "k *shape"], rough: bool = False) -> Values:
            batch = PmfBatch(self._pmfs(tables), rough)
            found = {name: MEASURES[name].of(batch) for name in self.names}
            for name, selection in chosen.items():
                found[name] = found[name] - selection.of(batch.by_value)
            for j, of_source in enumerate(batch.by_value):
                found |= {f"{j} about {x}": v for x, v in enumerate(of_source.T)}
            return found

        bias = self._jackknife_of(smooth)
        for t in range(self.x.shape[1]):
            informations = self._specific(t, bias)
            for name, selection in chosen.items():
                bias[name][t] += selection.bias(informations)
        return {name: bias[name] for name in self.names}

    def _specific(self, target: int, bias: Values) -> Informations:
        """Informations of each source about each value of a target, with their biases."""
        size, m = self.x_sizes[target], self.z.shape[1]
        of_value = [[bias[f"{j} about {x}"][target] for x in range(size)] for j in range(m)]
        n_effective = effective_samples(len(self.x), self.x.shape[1], self.series)
        x = self.x[:, target]
        return Informations.of(
            self.z, x, self.z_sizes, size, np.array(of_value), float(n_effective[target])
        )

    def _jackknife_of(self, measure: Callable[..., Values]) -> Values:
        states, groups = self._states(), list(jackknife_groups(len(self.z), self.series))

        def of_targets(tables: Int[np.ndarray, "k *shape"], targets: Any) -> Stacks:
            without = np.concatenate(
                [tables - self._tables(states, targets, rows) for rows in groups]
            )
            left_out = self._measure_in_parts(without, measure=measure)
            bias = jackknife_bias(
                measure(tables),
                {name: v.reshape(len(groups), -1) for name, v in left_out.items()},
            )
            return {name: b[None] for name, b in bias.items()}

        values: Values = self._by_size(of_targets)
        return values

    def _measure(
        self,
        counts: Int[np.ndarray, "k *shape"],
        rough: bool = False,
        tied: Bool[np.ndarray, "2 sources _"] | None = None,
    ) -> Values:
        batch = PmfBatch(self._pmfs(counts), rough)
        values = {name: MEASURES[name].of(batch) for name in self.names}
        return values if tied is None else of_ties(values, batch.alone, tied)

    def with_ties(self) -> "DiscreteModel | None":
        """The same model with the mean of the best sources for the best one."""
        names = choosing(self.names)
        if not names or self.z.shape[1] < 2:
            return None
        tied = np.stack([self._ties(t) for t in range(self.x.shape[1])], axis=-1)
        return replace(self, names=names, tied=tied)

    def _ties(self, target: int) -> Bool[np.ndarray, "2 sources"]:
        """Sources near the best and the worst one; influences are pointwise values."""
        influences = []
        x, n_samples = self.x[:, target], len(self.x)
        for z, size in zip(self.z.T, self.z_sizes, strict=True):
            cells = np.zeros((size, self.x_sizes[target]))
            np.add.at(cells, (z, x), 1 / n_samples)
            p_z, p_x = cells.sum(axis=1), cells.sum(axis=0)
            influences.append(np.log(cells[z, x] / (p_z[z] * p_x[x])))
        found = np.stack(influences)
        n_effective = effective_samples(n_samples, self.x.shape[1], self.series)
        of_target = n_effective[target : target + 1]
        return ties(found.mean(axis=1)[:, None], found[:, :, None], of_target)[..., 0]

    def _tied_of(self, targets: Any) -> Bool[np.ndarray, "2 sources k"] | None:
        return None if self.tied is None else self.tied[..., targets]

    def _pmfs(self, counts: Int[np.ndarray, "k *shape"]) -> Float[np.ndarray, "k *shape"]:
        if self.shrunk:
            return shrink(counts)
        # Leaving out the only sample leaves none: a table of zeros, without any information.
        totals = counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True)
        p: np.ndarray = counts / np.maximum(totals, 1)
        return p

    def _measure_in_parts(
        self,
        counts: Int[np.ndarray, "k *shape"],
        tied: Bool[np.ndarray, "2 sources 1"] | None = None,
        measure: Callable[..., Values] | None = None,
    ) -> Values:
        measure = measure or partial(self._measure, tied=tied)
        at_once = max(1, NUMBERS_AT_ONCE // counts[0].size)
        parts = [
            measure(counts[start : start + at_once], rough=True)
            for start in range(0, len(counts), at_once)
        ]
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}

    def _states(self) -> Int[np.ndarray, " samples"]:
        """The number of each sample's combination of source values."""
        states: np.ndarray = np.ravel_multi_index(tuple(self.z.T), self.z_sizes).astype(np.int64)
        return states

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
            at_once = max(1, NUMBERS_AT_ONCE // (n_states * int(size)))
            for start in range(0, len(same), at_once):
                targets = same[start : start + at_once]
                tables = self._tables(self._states(), targets)
                for name, part in of_tables(tables, targets).items():
                    if name not in result:
                        result[name] = np.empty((len(part), len(sizes)))
                    result[name][:, targets] = part
        return result if stacked else {name: v[0] for name, v in result.items()}


def least_synergistic(counts: Int[np.ndarray, "k *shape"]) -> Float[np.ndarray, "k *shape"]:
    """Distributions without GK synergy near observed ones.

    ``q(x | z)`` of the distribution q that minimises the information under the pairwise marginals
    of the observed one, with the observed ``p(z)``: where q has the potentials f,
    ``q(x | z) = p(x) exp sum_j f_j(z_j, x)``, which is optimal whatever ``p(z)`` is. Where a
    combination of sources that was observed has no such channel, q itself.
    """
    p: np.ndarray = counts / counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True)
    if p.ndim == 3:
        return p
    found = union_information_batch(p, unit="nats")
    q = found.distribution
    log_channel = np.zeros(())
    m = p.ndim - 2
    for j, f in enumerate(found.potentials):
        shape = [len(p), *(p.shape[a + 1] if a == j else 1 for a in range(m)), p.shape[-1]]
        log_channel = log_channel + f.reshape(shape)
    p_x = p.sum(axis=tuple(range(1, m + 1)), keepdims=True)
    by_potentials = p_x * np.exp(np.minimum(log_channel, 700.0))
    q_z = q.sum(axis=-1, keepdims=True)
    channel = np.where(q_z > _LEAST_MASS, q, by_potentials)
    total = channel.sum(axis=-1, keepdims=True)
    channel = np.where(total > 0, channel / np.where(total > 0, total, 1.0), p_x)
    member: np.ndarray = p.sum(axis=-1, keepdims=True) * channel
    batch = PmfBatch(member)
    wrong = np.abs(batch.information - batch.union) > _NO_SYNERGY
    member[wrong] = q[wrong]
    return member


def smoothed(counts: Int[np.ndarray, "k *shape"]) -> Float[np.ndarray, "k *shape"]:
    """Cell probabilities with pseudo-counts of sqrt(N) / 2 in all, equal in every cell."""
    axes = tuple(range(1, counts.ndim))
    n_samples = counts.sum(axis=axes, keepdims=True)
    added = np.sqrt(n_samples) / 2
    p: np.ndarray = (counts + added / counts[0].size) / (n_samples + added)
    return p
