"""Gaussian and copula models of samples, resampled in batches."""

from collections.abc import Callable
from copy import deepcopy as copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information._bias import WishartBias, jackknife_bias
from minsyn.information._gaussian_sources import GaussianSources, information
from minsyn.information._wishart import Choice, drawn, drawn_bias, varying_sources
from minsyn.information.measures import MEASURES
from minsyn.information.sampled.models import (
    NUMBERS_AT_ONCE,
    Stacks,
    Values,
    beside,
    choosing,
    difference,
    effective_samples,
    informative,
    jackknife_groups,
    joined,
    of_ties,
    parts_of,
    resampled_rows,
    ties,
)
from minsyn.information.sampled.normal_scores import (
    RankedDraws,
    expected_correlation,
    mostly_tied,
    normal_scores,
)
from minsyn.information.sampled.resampling import finite_mean
from minsyn.information.sampled.series import Series
from minsyn.information.statistics import PairwiseStatistics

#: A variable whose deviations are below this many roundings of its size does not vary.
_CONSTANT_ROUNDINGS = 16


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
        varies: np.ndarray = self.statistics.std_z > 0
        return varies

    @cached_property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target; exactly 0 of constants."""
        variances: np.ndarray = self.statistics.std_x**2
        return variances

    def values(self) -> Values:
        """Plug-in values of the measures."""
        return {name: MEASURES[name].of(self.sources) for name in self.names}

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        return information(self.sources.unexplained_alone)

    def sampling_bias(self, n_samples: int | float) -> Values:
        """Expected bias of `values`: closed forms, and draws of Wishart matrices for the rest.

        The union information is the largest of several, and GK synergy less by it. Their bias, and
        that of measures without a closed form, is found by draws.
        """
        sources = varying_sources(self.sources, self.varying)
        n_targets = len(self.variances)
        if not self.varying.any():
            return {name: np.zeros(n_targets) for name in self.names}
        bias = self._wishart_bias(sources, n_samples)
        known = {name: MEASURES[name].wishart for name in self.names}
        found = {name: formula(bias) for name, formula in known.items() if formula is not None}
        rest = {name: np.zeros(n_targets) for name in self.names if name not in found}
        for targets, member, draws in drawn(sources, n_samples) if rest else ():
            for name, of_measure in rest.items():
                values, whole = MEASURES[name].of(draws).mean(axis=0), MEASURES[name].of(member)
                finite = np.isfinite(values) & np.isfinite(whole)
                of_measure[targets][finite] = values[finite] - whole[finite]
        found |= rest
        return {name: np.where(self.variances > 0, found[name], 0.0) for name in self.names}

    def _wishart_bias(self, sources: GaussianSources, n_samples: int | float) -> WishartBias:
        """Biases of sources that vary, in the places that they have among all sources."""
        blocks = self.groups or tuple(np.arange(len(self.varying))[:, None])
        vary = np.array([self.varying[block].any() for block in blocks])
        every = tuple(range(int(vary.sum())))
        bases = {name.partition("[")[0] for name in self.names}
        choices = {}
        if bases & {"union_information", "gk_synergy", "unique_information"}:
            choices["union"] = Choice(every)
        if "redundancy" in bases and vary.all():
            choices["redundancy"] = Choice(every, least=True)
        if "unique_information" in bases and len(every) > 1:
            for k in every:
                choices[f"without {k}"] = Choice(tuple(j for j in every if j != k))
        found = drawn_bias(sources, n_samples, tuple(choices.values()))
        drawn = dict(zip(choices, found, strict=True))
        none = np.zeros(len(self.variances))
        union = drawn.get("union", none)
        ranks, without = np.zeros(len(vary), dtype=int), np.tile(union, (len(vary), 1))
        ranks[vary] = sources.ranks
        without[vary] = [drawn.get(f"without {k}", none) for k in every]
        return WishartBias(
            n_samples, sources.rank, ranks, union, drawn.get("redundancy", none), without
        )


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """Jointly Gaussian variables, or a Gaussian copula where they are ``ranked``.

    Rows of a ``series`` are drawn in blocks and shifted, independent ones one by one and permuted.
    Resamples are worked on in batches of a bounded size; what comes out does not depend on it.
    """

    z: Float[np.ndarray, "samples variables"]
    x: Float[np.ndarray, "samples n"]
    names: tuple[str, ...]
    groups: tuple[Int[np.ndarray, " _"], ...] | None = None
    ranked: bool = False
    tied: Bool[np.ndarray, "2 sources n"] | None = None
    series: Series | None = None

    @cached_property
    def scored(self) -> tuple[Float[np.ndarray, "samples variables"], Float[np.ndarray, "_ n"]]:
        """Sources and targets, or their normal scores."""
        if self.ranked:
            return normal_scores(self.z), normal_scores(self.x)
        return self.z, self.x

    @cached_property
    def moments(self) -> GaussianMoments:
        """Moments of all samples."""
        return GaussianMoments(PairwiseStatistics.of(*self.scored), self.names, self.groups)

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target, or of its normal scores."""
        return self.moments.variances

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        return self.moments.varying

    @property
    def n_fitted(self) -> Int[np.ndarray, " n"]:
        """Number of samples that a regression on all sources takes up."""
        return np.full(self.x.shape[1], int(self.varying.sum()) + 1)

    @property
    def rounding(self) -> float:
        """Rounding of sums."""
        return 1e-12

    def only(self, names: tuple[str, ...]) -> "GaussianModel":
        """The same model with some of its measures."""
        return replace(self, names=names)

    def values(self) -> Values:
        """Plug-in values of the measures."""
        return self._measured(self.moments.sources)

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        return self.moments.alone()

    def sampling_bias(self) -> Values:
        """Expected bias of `values` from sampling of Gaussian variables, and from ranking them."""
        found = self.moments.sampling_bias(len(self.z))
        if self._noisy_ranks is None:
            return found
        values, without = self.values(), self._without_noise(self.moments.sources)
        return {name: v + difference(values[name], without[name]) for name, v in found.items()}

    def bias(self, method: str) -> Values:
        """Bias by the Wishart distribution, or by the jackknife."""
        if method == "wishart":
            return self.sampling_bias()
        all_rows = np.arange(len(self.z))
        groups = jackknife_groups(len(self.z), self.series)
        left = [np.delete(all_rows, group) for group in groups]
        sizes = sorted({len(rows) for rows in left})
        without = [
            self._of_rows(np.stack([rows for rows in left if len(rows) == size])) for size in sizes
        ]
        return jackknife_bias(self.values(), joined(without))

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples that are drawn with replacement."""
        return self._bootstrap(n, rng, self._measured)

    def for_intervals(self, n: int, rng: np.random.Generator) -> tuple[Values, Stacks, Values]:
        """Values, n replicates of them, and the values that these are drawn about.

        Ranks of resamples, with their ties, are noisy in another way than those of samples. Values
        and replicates are therefore those without the bias of ranking, and the replicates lie about
        the values as resamples of the scores, not ranked again, do about theirs.
        """
        values = self.values()
        if self._noisy_ranks is None:
            return values, self.bootstrap(n, rng), values
        z, x = self.scored
        of_scores = replace(self, z=z, x=x, ranked=False).bootstrap(n, copy(rng))
        replicates = self._bootstrap(n, rng, self._without_noise)
        centres = self._without_noise(self.moments.sources)
        for name, v in centres.items():
            bias = difference(finite_mean(of_scores[name]), values[name])
            replicates[name] += difference(v + bias, finite_mean(replicates[name]))
        return centres, replicates, centres

    @cached_property
    def _noisy_ranks(self) -> Bool[np.ndarray, " n"] | None:
        """Targets whose scores correlate less with those of the sources for the noise of ranks.

        None where no targets do: of variables that are not ranked, and where some source has many
        ties. The loss of series is not known.
        """
        if not self.ranked or self.series is not None:
            return None
        if mostly_tied(self.z[:, self.varying]).any():
            return None
        noisy = ~mostly_tied(self.x) & (self.variances > 0)
        return noisy if noisy.any() else None

    def _without_noise(
        self, sources: GaussianSources, targets: slice = slice(None)
    ) -> dict[str, Any]:
        """Values without the noise of ranks, extrapolated from what ranking once more would change.

        From the values v_0 as they are, and v_1 and v_2 after one ranking more and two, these are
        3 v_0 - 3 v_1 + v_2. Correlations as they would be without ranking need not belong to any
        distribution.
        """
        values = self._measured(sources, targets)
        if self._noisy_ranks is None:
            return values
        single, noisy, again = sources.sigma.ndim == 2, self._noisy_ranks[targets], []
        sigma, rho = (r[None] if single else r for r in (sources.sigma, sources.rho))
        for _ in range(2):
            sigma, rho = (expected_correlation(r, len(self.z)) for r in (sigma, rho))
            stack = GaussianSources.stack(sigma, rho, self.groups)
            found = self._measured(stack, targets)
            again.append({name: v[0] for name, v in found.items()} if single else found)
        for name, v in values.items():
            once, twice = (of_ranks[name] for of_ranks in again)
            lost = 2 * difference(v, once) - difference(once, twice)
            values[name] = v + np.where(noisy, lost, 0.0)
        return values

    def with_ties(self) -> "GaussianModel | None":
        """The same model with the mean of the best sources for the best one.

        Its union information is the mean information of the sources that are not clearly worse than
        the best, and has no bias from choosing. None where no measure chooses.
        """
        names = choosing(self.names)
        return replace(self, names=names, tied=self._tied()) if names else None

    def _tied(self) -> Bool[np.ndarray, "2 sources n"]:
        """Sources that are not clearly apart from the best one, and from the worst one."""
        z, x = self._standardised
        sources, n_samples = self.moments.sources, len(self.z)
        n_effective = effective_samples(n_samples, x.shape[1], self.series)
        alone = information(sources.unexplained_alone)
        columns = np.arange(x.shape[1])
        tied = np.zeros((2, *alone.shape), dtype=bool)
        at_once = max(1, NUMBERS_AT_ONCE // (n_samples * len(alone)))
        for start in range(0, x.shape[1], at_once):
            targets = columns[start : start + at_once]
            influence = self._influences(z, x[:, targets], targets)
            tied[..., targets] = ties(alone[:, targets], influence, n_effective[targets])
        return tied

    def _influences(
        self,
        z: Float[np.ndarray, "samples variables"],
        x: Float[np.ndarray, "samples k"],
        targets: Int[np.ndarray, " k"],
    ) -> Float[np.ndarray, "sources samples k"]:
        """Influence of each sample on the information of each source alone.

        That of R^2 is 2 R (f x - R (f^2 + x^2) / 2) with the standardised best prediction f.
        """
        sources = self.moments.sources
        r = np.sqrt(np.maximum(1 - sources.unexplained_alone[:, targets], 0.0))
        blocks = self.groups or tuple(np.arange(z.shape[1])[:, None])
        found = np.empty((len(blocks), *x.shape))
        for k, block in enumerate(blocks):
            if self.groups is None:
                fit = z[:, block] * np.sign(sources.rho[block[0], targets])
            else:
                part = sources.parts[k]
                fit = z[:, block] @ (np.linalg.pinv(part.factor).T @ part.rho[:, targets])
                fit = fit / np.where(r[k] > 0, r[k], 1.0)
            left = np.maximum(sources.unexplained_alone[k, targets], np.finfo(np.float64).eps)
            found[k] = r[k] * (fit * x - 0.5 * r[k] * (fit * fit + x * x)) / left
        return found

    def independent(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        return self._permuted(n, rng, np.zeros_like(self.moments.statistics.rho))

    def without_gk_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples in which the best source alone tells about each target.

        Each target is its regression on the best source, and a permutation of what that leaves
        (Freedman and Lane 1983). Sources stay as they are, and the best is chosen anew each time.
        Of series, it is the other sources that are made anew: see `_others_anew`.
        """
        if self.series is not None:
            return (self._others_anew(n, rng, self.series),)
        return (self._permuted(n, rng, self._regression_on_best()),)

    def _others_anew(self, n: int, rng: np.random.Generator, series: Series) -> Stacks:
        """Values of series whose best source tells all: the others are made anew.

        Each is its regression on the best source, and surrogates of what that leaves (Dekker,
        Krackhardt and Snijders 2007). A target may be its own best source, by its past: it stays as
        it is together with it, where targets made anew would not follow their own past.
        """
        z, x = self._standardised
        (n_samples, m), n_targets = z.shape, x.shape[1]
        blocks = self.groups or tuple(np.arange(m)[:, None])
        best = self.moments.sources.best
        parts = []
        for count in parts_of(n, NUMBERS_AT_ONCE // (n_samples * m * 2)):
            drawn = series.draw(count, 1, rng)[:, 0]
            of_best = {}
            for k in np.unique(best):
                block = blocks[k]
                fit = z[:, block] @ (np.linalg.pinv(z[:, block]) @ z)
                made = fit + series.surrogates(z - fit, drawn)
                made[:, :, block] = z[:, block]
                of_best[k] = made
            found = []
            for i in range(n_targets):
                target = np.broadcast_to(x[:, i : i + 1], (count, n_samples, 1))
                found.append(self._values(self._stack_of(of_best[best[i]], target)))
            parts.append(beside(found))
        return joined(parts)

    def _regression_on_best(self) -> Float[np.ndarray, "variables n"]:
        """Coefficients of the standardised targets on the variables of their best source."""
        sources = self.moments.sources
        best, rho = sources.best, sources.rho
        coefficients = np.zeros_like(rho)
        if self.groups is None:
            np.put_along_axis(coefficients, best[None], rho[best, np.arange(len(best))][None], 0)
            return coefficients
        for k, (group, part) in enumerate(zip(self.groups, sources.parts, strict=True)):
            chosen = np.flatnonzero(best == k)
            regression = np.linalg.pinv(part.factor).T @ part.rho[:, chosen]
            coefficients[group[:, None], chosen] = regression
        return coefficients

    def _permuted(
        self, n: int, rng: np.random.Generator, coefficients: Float[np.ndarray, "variables n"]
    ) -> Stacks:
        """Values of targets ``z @ coefficients`` plus permutations of what these leave."""
        # Sources keep their order among themselves: sigma stays, and only rho is made anew.
        z, x, sigma = *self._standardised, self.moments.sources.sigma
        (n_samples, m), n_targets = z.shape, x.shape[1]
        fit = z @ coefficients
        left = x - fit
        fixed, var_left = z.T @ fit / n_samples, (left * left).mean(axis=0)
        var_fit = (fit * fit).mean(axis=0)
        parts = []
        at_once = NUMBERS_AT_ONCE // (m * n_targets + (m + n_targets) * n_samples)
        for count in parts_of(n, at_once):
            if self.series is None:
                rows = np.broadcast_to(np.arange(n_samples), (count, n_samples))
                permuted = np.swapaxes(z[rng.permuted(rows, axis=1)], 1, 2).reshape(-1, n_samples)
                with_left = (permuted @ left).reshape(count, m, n_targets) / n_samples
            else:
                drawn = self.series.draw(count, 1, rng)[:, 0]
                surrogates = self.series.surrogates(left, drawn)
                surrogates -= surrogates.mean(axis=1, keepdims=True)
                with_left = z.T @ surrogates / n_samples
                var_left = np.einsum("bst,bst->bt", surrogates, surrogates) / n_samples
            variance = var_fit + var_left + 2 * (coefficients * with_left).sum(axis=1)
            varies = variance > 0
            std = np.sqrt(np.where(varies, variance, 1.0))[:, None]
            rho = np.where(varies[:, None], (fixed + with_left) / std, 0.0)
            rho = np.moveaxis(np.clip(rho, -1, 1), 1, 0).reshape(m, -1)
            values = self._values(GaussianSources.of(sigma, rho, self.groups))
            parts.append({name: v.reshape(count, n_targets) for name, v in values.items()})
        return joined(parts)

    def without_ci_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples in which sources are independent given each target.

        What each target leaves of a source is permuted, of each source by itself. In a second
        stack, sources that seem to tell nothing about the target are permuted together, and so keep
        their dependence on each other.
        """
        n_effective = effective_samples(len(self.z), self.x.shape[1], self.series)
        seeming = informative(self.alone(), n_effective, self.moments.sources.ranks[:, None])
        return tuple(
            self._conditionally_independent(n, copy(rng), told)
            for told in (np.ones_like(seeming), *((seeming,) if not seeming.all() else ()))
        )

    def _conditionally_independent(
        self, n: int, rng: np.random.Generator, told: Bool[np.ndarray, "sources n"]
    ) -> Stacks:
        z, x = self._standardised
        (n_samples, m), n_targets = z.shape, x.shape[1]
        blocks = self.groups or tuple(np.arange(m)[:, None])
        rho = self.moments.sources.rho
        varying = np.array([self.varying[block].any() for block in blocks])
        parts = []
        for count in parts_of(n, NUMBERS_AT_ONCE // (n_samples * m * 2)):
            part = self._parting(count, varying, rng)
            found = []
            for i in range(n_targets):
                drawn = np.empty((count, n_samples, m))
                together = np.flatnonzero(~told[:, i] & varying)
                for k, block in enumerate(blocks):
                    if not varying[k]:
                        drawn[:, :, block] = 0.0
                    elif told[k, i]:
                        fit = x[:, i, None] * rho[block, i]
                        drawn[:, :, block] = fit + part(z[:, block] - fit, k)
                    else:
                        drawn[:, :, block] = part(z[:, block], together[0])
                target = np.broadcast_to(x[:, i : i + 1], (count, n_samples, 1))
                found.append(self._values(self._stack_of(drawn, target)))
            parts.append(beside(found))
        return joined(parts)

    def _parting(
        self, count: int, varying: Bool[np.ndarray, " sources"], rng: np.random.Generator
    ) -> Callable[[Any, int], Float[np.ndarray, "b samples _"]]:
        """A function of what a target leaves of source k that parts it from all else."""
        # Constant sources take no random numbers: they change nothing.
        place = np.cumsum(varying) - 1
        if self.series is not None:
            series = self.series
            drawn = series.draw(count, int(varying.sum()), rng)
            return lambda left, k: series.surrogates(left, drawn[:, place[k]])
        orders = np.argsort(rng.random((count, int(varying.sum()), len(self.z))), axis=-1)
        return lambda left, k: left[orders[:, place[k]]]

    @cached_property
    def _standardised(
        self,
    ) -> tuple[Float[np.ndarray, "samples variables"], Float[np.ndarray, "samples n"]]:
        statistics = self.moments.statistics
        stds = (statistics.std_z, statistics.std_x)
        z, x = (_standardised(a, std) for a, std in zip(self.scored, stds, strict=True))
        return z, x

    def _values(self, sources: GaussianSources) -> dict[str, Float[np.ndarray, "*b n"]]:
        return {name: MEASURES[name].of(sources) for name in self.names}

    @cached_property
    def _draw(self) -> tuple[Callable[[Any, slice], Any], Callable[[Any, slice], Any]]:
        """Functions of rows and columns to samples of the sources and the targets."""
        first, second = (
            RankedDraws.of(a) if self.ranked else _Centred.of(a) for a in (self.z, self.x)
        )
        return first, second

    def _bootstrap(self, n: int, rng: np.random.Generator, measured: Callable[..., Any]) -> Stacks:
        n_samples, m = self.z.shape
        at_once = NUMBERS_AT_ONCE // (n_samples * (m + 1) + m * self.x.shape[1])
        return joined(
            [
                self._of_rows(resampled_rows(count, n_samples, rng, self.series), measured)
                for count in parts_of(n, at_once)
            ]
        )

    def _of_rows(
        self, rows: Int[np.ndarray, "b samples"], measured: Callable[..., Any] | None = None
    ) -> Stacks:
        """Values of b sets of samples, each drawn by its rows."""
        measured = measured or self._measured
        draw_z, draw_x = self._draw
        count, n_drawn = rows.shape
        z = draw_z(rows, slice(None))
        n_targets = self.x.shape[1]
        at_once = max(1, NUMBERS_AT_ONCE // (count * n_drawn))
        starts = range(0, n_targets, at_once)
        found = []
        for start in starts:
            targets = slice(start, start + at_once)
            sources = self._stack_of(z, draw_x(rows, targets))
            found.append(measured(sources, targets))
        return beside(found)

    def _measured(self, sources: GaussianSources, targets: slice = slice(None)) -> dict[str, Any]:
        """Values of sources, with the mean of the tied ones for the best one."""
        values = self._values(sources)
        if self.tied is None:
            return values
        return of_ties(values, information(sources.unexplained_alone), self.tied[..., targets])

    def _stack_of(
        self, z: Float[np.ndarray, "b samples variables"], x: Float[np.ndarray, "b samples n"]
    ) -> GaussianSources:
        """Correlations of b sets of samples, of variables that are near their means."""
        z, std_z = _deviations(z)
        x, std_x = _deviations(x)
        z /= np.where(std_z > 0, std_z * np.sqrt(z.shape[1]), np.inf)[:, None]
        x /= np.where(std_x > 0, std_x * np.sqrt(z.shape[1]), np.inf)[:, None]
        transposed = np.swapaxes(z, 1, 2)
        sigma = np.clip(transposed @ z, -1, 1)
        sigma[:, *np.diag_indices(sigma.shape[1])] = 1.0
        return GaussianSources.stack(sigma, np.clip(transposed @ x, -1, 1), self.groups)


def _deviations(
    a: Float[np.ndarray, "b samples k"],
) -> tuple[Float[np.ndarray, "b samples k"], Float[np.ndarray, "b k"]]:
    """Deviations from the means, and standard deviations: exactly 0 where nothing varies."""
    a = a - a[:, :1]  # the mean of a constant is exact from its first value
    mean = a.mean(axis=1)
    a -= mean[:, None]
    variance = np.einsum("bsk,bsk->bk", a, a) / a.shape[1]
    rounding = _CONSTANT_ROUNDINGS * np.finfo(np.float64).eps * mean
    varies = variance > rounding * rounding
    return a, np.sqrt(np.where(varies, variance, 0.0))


def _standardised(
    a: Float[np.ndarray, "samples k"], std: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "samples k"]:
    return np.where(std > 0, a - a.mean(axis=0), 0.0) / np.where(std > 0, std, 1.0)


@dataclass(frozen=True, eq=False)
class _Centred:
    """Samples less their means: a callable from rows and columns."""

    values: Float[np.ndarray, "samples k"]

    @classmethod
    def of(cls, a: Float[np.ndarray, "samples k"]) -> "_Centred":
        return cls(a - a.mean(axis=0))

    def __call__(
        self, rows: Int[np.ndarray, "b drawn"], columns: slice
    ) -> Float[np.ndarray, "b drawn _"]:
        drawn: np.ndarray = self.values[:, columns][rows]
        return drawn
