"""Figure of a `SynergyResult`."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from minsyn.information.measures import in_words

if TYPE_CHECKING:
    from minsyn.information.sampled.result import SynergyResult

#: Okabe and Ito's blue, told from white and black with any colour vision.
_COLOUR = "#0072B2"
_PANELS_IN_A_ROW = 4


def plot_synergy(result: "SynergyResult", max_targets: int) -> Figure:
    """A panel for each measure, a row for each target."""
    first = result.measures[0]
    order = np.arange(len(result.targets))
    if len(order) > max_targets:
        order = np.argsort(-result.values[first], kind="stable")[:max_targets]
    n_measures = len(result.measures)
    n_columns = min(n_measures, _PANELS_IN_A_ROW)
    n_rows = -(-n_measures // n_columns)
    size = (1.0 + 1.75 * n_columns, n_rows * (0.6 + 0.24 * len(order)) + 0.3)
    with rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
        for ax in grid.flat[n_measures:]:
            ax.remove()
        for ax, measure in zip(grid.flat, result.measures, strict=False):
            _panel(ax, result, measure, order)
            ax.set_title(in_words(measure), fontsize=8)
            ax.axvline(0, color="0.6", linewidth=0.8, zorder=0)
            ax.grid(axis="y", color="0.92", linewidth=0.6)
            ax.set_axisbelow(True)
            ax.tick_params(axis="y", length=0)
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.margins(x=0.12)
        grid[0, 0].set_yticks(np.arange(len(order)), [result.targets[i] for i in order])
        grid[0, 0].set_ylim(len(order) - 0.5, -0.5)
        hidden = len(result.targets) - len(order)
        note = f"; {hidden} targets with less {in_words(first)} not shown"
        figure.supxlabel(result.unit + (note if hidden else ""), fontsize=8)
    return figure


def _panel(ax: object, result: "SynergyResult", measure: str, order: np.ndarray) -> None:
    values, rows = result.shown(measure)[order], np.arange(len(order))
    finite = np.isfinite(values)
    if result.intervals is not None:
        low, high = result.intervals[measure][order].T
        drawn = finite & np.isfinite(low) & np.isfinite(high)
        ax.hlines(rows[drawn], low[drawn], high[drawn], color=_COLOUR, linewidth=1.4)  # type: ignore[attr-defined]
    found = np.ones(len(order), bool)
    if result.q_values is not None:
        found = result.significant(measure)[order]
    for which, face in ((found, _COLOUR), (~found, "white")):
        at = which & finite
        ax.scatter(  # type: ignore[attr-defined]
            values[at], rows[at], s=22, facecolor=face, edgecolor=_COLOUR, linewidth=1.1, zorder=3
        )
    if (~finite).any():
        edge = ax.get_yaxis_transform()  # type: ignore[attr-defined]
        ax.scatter(  # type: ignore[attr-defined]
            np.where(values[~finite] > 0, 0.98, 0.02), rows[~finite], marker=">", s=26,
            color=_COLOUR, transform=edge, clip_on=False,
        )  # fmt: skip
