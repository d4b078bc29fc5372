"""Test losses on every task beside the oracle's, every draw of every method."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from rich.box import SIMPLE_HEAD
from rich.table import Table

from minsyn.benchmark import Method, Task
from minsyn.report.style import WIDTH, appearance, new_figure, styled

__all__ = ["figure_of_tasks", "terminal_tasks"]

_TICKS = (0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
#: Ticks closer than this share of the axis are left out.
_LEAST_GAP = 0.045


def figure_of_tasks(
    frame: pd.DataFrame, tasks: Sequence[Task], methods: Sequence[Method]
) -> Figure:
    """Draw test losses as ratios to the oracle's on the same draw, a line for each task.

    Small marks are draws, large ones their geometric mean.

    Parameters
    ----------
    frame : DataFrame
        From `minsyn.benchmark.tasks_frame`.
    tasks : sequence of Task
        From the top.
    methods : sequence of Method
        To draw, in the legend's order. What knows the groups is the line at 1.

    Returns
    -------
    Figure

    Examples
    --------
    >>> columns = ["task", "method", "draw", "oracle_ratio"]
    >>> figure = figure_of_tasks(pd.DataFrame(columns=columns), [], [])
    >>> figure.axes[0].get_xlabel()
    "Test loss / oracle's"
    """
    shown = [method for method in methods if not method.knows_positions]
    with styled():
        figure = new_figure(WIDTH, 0.95 + 0.42 * len(tasks))
        axes = figure.subplots()
        axes.axvline(1.0, color="0.35", linewidth=0.9, zorder=1)
        for place in range(1, len(tasks), 2):
            axes.axhspan(place - 0.5, place + 0.5, color="0.965", linewidth=0, zorder=0)
        for method, offset in zip(shown, _offsets(len(shown)), strict=True):
            _draw_method(axes, frame, tasks, method, offset)
        axes.set_xscale("log")
        _set_ticks(axes)
        axes.set_xlabel("Test loss / oracle's")
        axes.set_yticks(range(len(tasks)), [task.label for task in tasks])
        axes.set_ylim(max(len(tasks), 1) - 0.5, -0.5)
        axes.tick_params(left=False)
        axes.grid(True, axis="x")
        axes.set_axisbelow(True)
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            figure.legend(
                handles, labels, loc="outside upper center", ncols=len(handles), frameon=False,
                fontsize=7, columnspacing=1.2, handletextpad=0.3,
            )  # fmt: skip
    return figure


def terminal_tasks(frame: pd.DataFrame, tasks: Sequence[Task], methods: Sequence[Method]) -> Table:
    """Mean test losses and their ratios to the oracle's, for a terminal of 80 characters.

    Parameters
    ----------
    frame : DataFrame
        From `minsyn.benchmark.tasks_frame`.
    tasks : sequence of Task
        Rows.
    methods : sequence of Method
        Columns.

    Returns
    -------
    rich.table.Table
        To be printed by rich.

    Examples
    --------
    >>> columns = ["task", "method", "test_loss", "oracle_ratio"]
    >>> terminal_tasks(pd.DataFrame(columns=columns), [], []).columns[0].header
    'Test loss'
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Test loss", no_wrap=True)
    for method in methods:
        # Narrow, so that seven methods fit.
        header = method.label.replace(" (", "\n(").replace("-", "-\n")
        table.add_column(header, justify="right")
    for task in tasks:
        texts = []
        for method in methods:
            cells = frame[(frame.task == task.key) & (frame.method == method.key)]
            loss, ratio = cells.test_loss.mean(), cells.oracle_ratio.mean()
            text = "–" if np.isnan(loss) else f"{loss:.1f}"
            texts.append(
                text if np.isnan(ratio) or method.knows_positions else f"{text}\n×{ratio:.2f}"
            )
        table.add_row(task.key, *texts)
    return table


def _offsets(n: int) -> np.ndarray:
    return np.linspace(-0.34, 0.34, n) if n > 1 else np.zeros(n)


def _draw_method(
    axes: Axes, frame: pd.DataFrame, tasks: Sequence[Task], method: Method, offset: float
) -> None:
    colour, marker = appearance(method.key)
    label: str | None = method.label
    for place, task in enumerate(tasks):
        chosen = frame[(frame.task == task.key) & (frame.method == method.key)]
        ratios = chosen.oracle_ratio.dropna().to_numpy(dtype=float)
        if not len(ratios):
            continue
        y = place + offset
        axes.scatter(
            ratios, np.full(len(ratios), y), s=7, c=colour, marker=marker, alpha=0.45, linewidths=0,
            zorder=2,
        )  # fmt: skip
        axes.scatter(
            np.exp(np.log(ratios).mean()), y, s=50 if marker == "*" else 26, c=colour,
            marker=marker, edgecolors="white", linewidths=0.5, zorder=3, label=label,
        )  # fmt: skip
        label = None


def _set_ticks(axes: Axes) -> None:
    """Plain numbers, as many as have room; 1 always."""
    low, high = np.log(axes.get_xlim())
    placed = [0.0]
    for tick in sorted(np.log(_TICKS), key=abs):
        if low <= tick <= high and min(abs(tick - other) for other in placed) > _LEAST_GAP * (
            high - low
        ):
            placed.append(float(tick))
    axes.xaxis.set_major_locator(FixedLocator(np.exp(placed).tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
