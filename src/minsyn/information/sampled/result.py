"""What `minsyn.information.synergy` gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

#: Targets that a repr lists before it only counts them.
_TARGETS_IN_REPR = 10


@dataclass(frozen=True, repr=False, eq=False)
class SynergyResult:
    """Measures of synergy for every target, from samples.

    ``result["gk_synergy"]`` is one measure's values, shape (n_targets,).

    Attributes
    ----------
    values : mapping of str to ndarray, each (n_targets,)
        By measure, bias-corrected, in ``unit``.
    uncorrected : mapping of str to ndarray, each (n_targets,)
        The same before correction.
    intervals : mapping of str to ndarray, each (n_targets, 2), or None
        Bootstrap intervals of the given ``confidence``.
    p_values, q_values : mapping of str to ndarray, each (n_targets,), or None
        Permutation p-values, and those adjusted over the targets (Benjamini-Hochberg).
    sources, targets : tuple of str
        Names of the variables.
    n_samples : int
    model, unit, bias_correction : str
    confidence : float
    n_bootstrap, n_permutations : int
    discretisation : str
        What was done to continuous variables; empty if nothing was.
    """

    values: Mapping[str, Float[np.ndarray, " n"]]
    uncorrected: Mapping[str, Float[np.ndarray, " n"]]
    intervals: Mapping[str, Float[np.ndarray, "n 2"]] | None
    p_values: Mapping[str, Float[np.ndarray, " n"]] | None
    q_values: Mapping[str, Float[np.ndarray, " n"]] | None
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    n_samples: int
    model: str
    unit: str
    bias_correction: str
    confidence: float
    n_bootstrap: int
    n_permutations: int
    discretisation: str

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(self.values)

    def __getitem__(self, measure: str) -> Float[np.ndarray, " n"]:
        return self.values[measure]

    def to_frame(self) -> "DataFrame":
        """One row for each target and measure.

        Returns
        -------
        DataFrame
            Columns target, measure, value, uncorrected, and where they were asked for low and high
            (the interval), p_value and q_value. ``frame.pivot(index="target", columns="measure",
            values="value")`` is the wide form.
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
        return DataFrame(columns)

    def plot(self, max_targets: int = 30) -> "Figure":
        """Values and intervals, a panel for each measure, a row for each target.

        Parameters
        ----------
        max_targets : int, default=30
            Where there are more targets, those with most of the first measure are shown.

        Returns
        -------
        matplotlib.figure.Figure
            Belongs to nobody's global state: ``figure.savefig(...)``, or shown by a notebook.
            Filled where the adjusted p-value is at most 0.05; infinite values are triangles at
            the right edge.
        """
        from minsyn.information.sampled.plot import plot_synergy

        return plot_synergy(self, max_targets)

    def __repr__(self) -> str:
        head = (
            f"SynergyResult: {self.model} model, {self.n_samples} samples, "
            f"{len(self.sources)} sources, {len(self.targets)} targets; {self.unit}, "
            f"bias correction: {self.bias_correction}"
        )
        lines = [head]
        if self.discretisation:
            lines.append(f"discretised: {self.discretisation}")
        if self.intervals is not None:
            lines.append(f"[{self.confidence:.0%} bootstrap intervals, n = {self.n_bootstrap}]")
        if self.q_values is not None:
            lines.append(
                "* ** *** for adjusted permutation p-values up to 0.05, 0.01, 0.001 "
                f"(n = {self.n_permutations})"
            )
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

    def _cell(self, measure: str, i: int) -> str:
        cell = f"{round(float(self.values[measure][i]), 4) + 0.0:.4f}"  # no minus zero
        if self.intervals is not None:
            low, high = self.intervals[measure][i].round(3) + 0.0
            cell += f" [{low:.3f}, {high:.3f}]"
        if self.q_values is not None:
            cell += stars(float(self.q_values[measure][i])).ljust(3)
        return cell


def stars(q_value: float) -> str:
    """Marks of an adjusted p-value."""
    return "*" * sum(q_value <= level for level in (0.05, 0.01, 0.001))
