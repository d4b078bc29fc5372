"""Result of `minsyn.information.synergy`: values by measure and target, printed and plotted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information.measures import MEASURES, Null, in_words
from minsyn.information.sampled.table import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

#: Targets that a repr lists before it only counts them.
_TARGETS_IN_REPR = 10
#: Adjusted p-values of one star, two and three.
_STARS = (0.05, 0.01, 0.001)
#: Values from which on minus signs are no rounding.
_ROUNDING = 1e-9
#: Share of a measure from which on its bias from sampling is pointed out.
_LARGE_BIAS = 0.1


@dataclass(frozen=True, repr=False, eq=False)
class SynergyResult:
    """Measures of synergy for every target.

    ``result["gk_synergy"]`` is one measure's values, shape (n_targets,). What each source has for
    itself has its name, ``result["unique_information[z0]"]``.

    Attributes
    ----------
    values : mapping of str to ndarray, each (n_targets,)
        By measure, corrected by ``bias_correction``, in ``unit``. The correction may make them
        negative, and their averages are then right; `shown` has them as they are printed.
    uncorrected : mapping of str to ndarray, each (n_targets,)
        The same before correction.
    sampling_bias : mapping of str to ndarray, each (n_targets,)
        Expected bias of ``uncorrected`` from sampling, for the measures of Gaussian variables for
        which it has a closed form; empty for other models. It is subtracted only if
        ``bias_correction`` is "wishart".
    intervals : mapping of str to ndarray, each (n_targets, 2), or None
        Bootstrap intervals of the given ``confidence``.
    p_values, q_values : mapping of str to ndarray, each (n_targets,), or None
        P-values, and those adjusted over the targets (Benjamini-Hochberg).
    null : mapping of str to str
        The null hypothesis that the p-values of each measure are about: "independence", "no GK
        synergy" or "no CI synergy". Empty without p-values.
    best_source : integer array of shape (n_targets,)
        Index into ``sources`` of the source that tells most alone; -1 where none tells anything.
    variances : ndarray of shape (n_targets,)
        Weights of the targets in `means`. Their variances in the Gaussian model, those of their
        normal scores in the copula model; 1 for categories, which have no variance.
    sources, targets : tuple of str
        Names of the sources and targets. A vector source has the name of its group.
    members : tuple of tuple of str
        Names of the variables of each source: itself, or those of its group.
    constant_sources : tuple of str
        Variables of the sources that do not vary. They tell nothing, and change no value.
    n_samples : int or float
        Number of samples, or the weight of the statistics.
    model, unit, bias_correction : str
    confidence : float
    n_bootstrap, n_permutations : int
    discretisation : str
        How continuous variables were binned; empty if none were.
    categories : str
        Which variables were taken for categories, and how many these are; empty if none were.
    lags : tuple of int
        Steps by which the sources precede the targets; empty where samples are no series.
    n_effective : ndarray of shape (n_targets,) or None
        Number of independent samples in which correlations with each target would spread as much as
        in the series; None where samples are no series.
    block_length : float or None
        Mean length of the blocks of the bootstrap of series.
    """

    values: Mapping[str, Float[np.ndarray, " n"]]
    uncorrected: Mapping[str, Float[np.ndarray, " n"]]
    sampling_bias: Mapping[str, Float[np.ndarray, " n"]]
    intervals: Mapping[str, Float[np.ndarray, "n 2"]] | None
    p_values: Mapping[str, Float[np.ndarray, " n"]] | None
    q_values: Mapping[str, Float[np.ndarray, " n"]] | None
    null: Mapping[str, Null]
    best_source: Int[np.ndarray, " n"]
    variances: Float[np.ndarray, " n"]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    constant_sources: tuple[str, ...]
    n_samples: int | float
    model: str
    unit: str
    bias_correction: str
    confidence: float
    n_bootstrap: int
    n_permutations: int
    discretisation: str
    categories: str = ""
    lags: tuple[int, ...] = ()
    n_effective: Float[np.ndarray, " n"] | None = None
    block_length: float | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(self.values)

    @property
    def means(self) -> dict[str, float]:
        """Means over the targets by measure, weighted by ``variances``.

        Infinite where a target with a positive weight is; 0 where no target varies.
        """
        share = self.variances / (self.variances.sum() or 1.0)
        weighted = share > 0
        return {m: float(share[weighted] @ v[weighted]) for m, v in self.values.items()}

    @property
    def sums(self) -> dict[str, float]:
        """Sums over the targets by measure."""
        return {m: float(v.sum()) for m, v in self.values.items()}

    def __getitem__(self, measure: str) -> Float[np.ndarray, " n"]:
        return self.values[measure]

    def shown(self, measure: str) -> Float[np.ndarray, " n"]:
        """Values as they are printed and plotted, beside their intervals.

        Parameters
        ----------
        measure : str
            Name of the measure.

        Returns
        -------
        ndarray, shape (n_targets,)
            ``values``, with 0 where the correction of bias made a measure negative that cannot be.
        """
        values = self.values[measure]
        return values if MEASURES[measure].signed else np.maximum(values, 0.0)

    def to_frame(self) -> "DataFrame":
        """One row for each target and measure.

        Returns
        -------
        DataFrame
            Columns target, measure, value and uncorrected; low and high if there are intervals;
            p_value, q_value and null if there are p-values. ``frame.pivot(index="target",
            columns="measure", values="value")`` is the wide form.
        """
        from pandas import DataFrame

        def column(values: Mapping[str, Float[np.ndarray, " n"]]) -> Float[np.ndarray, " rows"]:
            return np.stack([values[m] for m in self.measures], axis=1).ravel()

        columns: dict[str, object] = {
            "target": np.repeat(np.array(self.targets, dtype=object), len(self.measures)),
            "measure": list(self.measures) * len(self.targets),
            "value": column(self.values),
            "uncorrected": column(self.uncorrected),
        }
        if self.intervals is not None:
            for side, name in enumerate(("low", "high")):
                columns[name] = column({m: v[:, side] for m, v in self.intervals.items()})
        if self.p_values is not None and self.q_values is not None:
            columns |= {"p_value": column(self.p_values), "q_value": column(self.q_values)}
            columns["null"] = [self.null[m] for m in self.measures] * len(self.targets)
        return DataFrame(columns)

    def plot(self, max_targets: int = 30) -> "Figure":
        """Plot values and intervals, a panel for each measure, a row for each target.

        Parameters
        ----------
        max_targets : int, default=30
            Where there are more targets, those with most of the first measure are shown.

        Returns
        -------
        matplotlib.figure.Figure
            Not registered with pyplot: save it by ``figure.savefig(...)``; a notebook shows it.
            Points are filled where the adjusted p-value is at most 0.05; infinite values are
            triangles at the right edge.
        """
        from minsyn.information.sampled.plot import plot_synergy

        return plot_synergy(self, max_targets)

    def __repr__(self) -> str:
        head = (
            f"SynergyResult: {self.model} model, {self.n_samples} samples, "
            f"{len(self.sources)} sources, {len(self.targets)} targets; {self.unit}, "
            f"bias correction: {self.bias_correction}"
        )
        lines = [head, *self.notes()]
        if self.intervals is not None:
            lines.append(f"[{self.confidence:.0%} bootstrap intervals, n = {self.n_bootstrap}]")
        if self.q_values is not None:
            lines.append(
                "* ** *** for adjusted p-values up to 0.05, 0.01, 0.001, from "
                f"{self.n_permutations} resamples each"
            )
            lines.append(f"null of the p-values: {self.describe_null()}")
        shown = range(min(len(self.targets), _TARGETS_IN_REPR))
        table = [["", *self.measures]]
        table += [[self.targets[i], *(self._cell(m, i) for m in self.measures)] for i in shown]
        widths = [max(len(row[c]) for row in table) for c in range(len(table[0]))]
        for row in table:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join(cells))
        if len(self.targets) > _TARGETS_IN_REPR:
            lines.append(f"... and {len(self.targets) - _TARGETS_IN_REPR} more; see to_frame()")
        return "\n".join(lines)

    def describe_null(self) -> str:
        """Null hypotheses, each with the measures whose p-values are about it."""
        about: dict[str, list[str]] = {}
        for measure, null in self.null.items():
            about.setdefault(null, []).append(measure)
        return "; ".join(f"{null} ({', '.join(names)})" for null, names in about.items())

    def significant(self, measure: str, level: float = 0.05) -> Bool[np.ndarray, " n"]:
        """Targets of which a measure is significantly above its null hypothesis.

        Parameters
        ----------
        measure : str
            Name of the measure.
        level : float, default=0.05
            The largest adjusted p-value.

        Returns
        -------
        ndarray of bool, shape (n_targets,)
            False where the correction of bias made a measure negative that cannot be.

        Raises
        ------
        ValueError
            If there are no p-values, as no permutations were asked for.
        """
        if self.q_values is None:
            raise ValueError("no p-values: call synergy with n_permutations, such as 999")
        possible = (self.values[measure] > 0) | MEASURES[measure].signed
        return (self.q_values[measure] <= level) & possible

    def notes(self) -> list[str]:
        """Sentences that a reader of the values should know.

        Returns
        -------
        list of str
            On binned variables, categories, time series, constant sources, few samples for many
            sources, and
            measures that the correction of their bias made negative.
        """
        notes = []
        if self.discretisation:
            notes.append(f"discretised: {self.discretisation}")
        if self.categories:
            notes.append(f"categories: {self.categories}")
        if self.n_effective is not None:
            least = f"{self.n_effective.min():.0f} of {self.n_samples}"
            notes.append(
                f"time series at lag {', '.join(map(str, self.lags))}: worth at least {least} "
                f"independent samples; blocks of {self.block_length:.0f} on average"
            )
        if self.constant_sources:
            notes.append(f"constant, and so tell nothing: {listed(self.constant_sources)}")
        name = next((m for m in self.sampling_bias if not MEASURES[m].signed), None)
        if name is not None and self.variances.any():
            bias = float(self.sampling_bias[name].max())
            mean = float(np.average(self.uncorrected[name], weights=self.variances))
            if bias > _LARGE_BIAS * mean:
                taken_off = "subtracted" if self.bias_correction != "none" else "not subtracted"
                notes.append(
                    f"bias of small samples: {bias:.4f} {self.unit} in a target's "
                    f"{in_words(name)}, which is {mean:.4f} on average ({taken_off})"
                )
        negative = [
            name
            for name, value in self.values.items()
            if not MEASURES[name].signed and np.any(value < -_ROUNDING)
        ]
        if negative and self.bias_correction != "none":
            notes.append(
                f"negative values of {listed([in_words(name) for name in negative])} are shown as "
                f"0: the bias that {self.bias_correction} subtracts is larger than what was "
                "measured, as for true values near 0"
            )
        return notes

    def _cell(self, measure: str, i: int) -> str:
        cell = f"{round(float(self.shown(measure)[i]), 4) + 0.0:.4f}"  # no minus zero
        if self.intervals is not None:
            low, high = self.intervals[measure][i].round(3) + 0.0
            cell += f" [{low:.3f}, {high:.3f}]"
        if self.q_values is not None:
            stars = sum(bool(self.significant(measure, level)[i]) for level in _STARS)
            cell += ("*" * stars).ljust(3)
        return cell
