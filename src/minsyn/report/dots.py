"""Dot plots: the draws of a score, their mean and its bootstrap interval."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from minsyn._style import WIDTH, new_figure, styled
from minsyn.benchmark import CONFIDENCE, bootstrap_interval
from minsyn.report.style import Appearance

__all__ = ["LEGEND", "DotRow", "Dots", "draw_dots", "figure_of_dots"]

#: Explanation of the marks, for captions.
LEGEND = (
    "Small marks: single draws. Large marks: their mean, with its "
    f"{round(100 * CONFIDENCE)} % bootstrap interval."
)

#: Areas that make marks of one nominal size look equally large.
_AREAS = {"*": 2.0, "D": 0.75, "d": 1.1, "P": 1.25, "X": 1.25, "h": 1.2, "s": 0.9}
#: Height over which the draws of a score are spread, in rows.
_SPREAD = 0.5
_ROW, _PANEL = 0.185, 0.5  # inches of a row, and of what stands above and below all rows
_LOG_TICKS = (1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)


class Dots(NamedTuple):
    """A score in each panel of a dot plot, an array of draws for each."""

    look: Appearance
    draws: Sequence[Float[np.ndarray, " draws"]]


class DotRow(NamedTuple):
    """A row of a dot plot, which is a heading where it has no dots; several share its height."""

    label: str
    dots: Sequence[Dots] = ()


def draw_dots(
    axes: Axes,
    x: int | float | Float[np.ndarray, " draws"],
    y: int | float | Float[np.ndarray, " draws"],
    look: Appearance,
    *,
    size: int | float = 26,
    spread: float = 0.0,
    label: str | None = None,
) -> None:
    """Draw one score: small marks for draws, a large one for their mean, a line for its interval.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    x, y : float or array of shape (n_draws,)
        Scores along either axis, or both, in which case there are two intervals; a number is a
        fixed place. Draws with NaN are left out.
    look : Appearance
        Colour, marker, and whether the large mark is filled.
    size : float
        Area of the large mark in square points.
    spread : float
        Width over which draws are spread across a fixed place, in their order: a draw has the same
        place in every row.
    label : str, optional
        For a legend.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> draw_dots(axes, np.array([1.0, 2.0, 6.0]), 0.0, Appearance("black", "o"))
    >>> axes.collections[-1].get_offsets().tolist()  # the mean
    [[3.0, 0.0]]
    """
    points = np.stack(np.broadcast_arrays(*map(np.atleast_1d, (x, y)))).astype(float)
    points = points[:, np.isfinite(points).all(axis=0)]
    n_draws = points.shape[1]
    if not n_draws:
        return
    mean = points.mean(axis=1)
    # A filled mark loses its white edge from its area, an open one has its colour there.
    area = size * _AREAS.get(look.marker, 1.0) * (1.3 if look.filled else 1.0)
    for axis, given in enumerate((x, y)):
        if np.ndim(given) == 0:
            continue
        interval = bootstrap_interval(points[axis])
        if interval is not None:
            ends = np.tile(mean[:, np.newaxis], 2)
            ends[axis] = interval
            axes.plot(*ends, color=look.colour, linewidth=1.1, zorder=3)
    for axis, given in enumerate((x, y)):
        if np.ndim(given) == 0 and n_draws > 1:
            points[axis] += np.linspace(-spread / 2, spread / 2, n_draws)
    axes.scatter(
        points[0],
        points[1],
        s=area / 5,
        c=look.colour,
        marker=look.marker,
        alpha=0.5,
        linewidths=0,
        zorder=2,
    )
    axes.scatter(
        mean[0],
        mean[1],
        s=area,
        facecolors=look.colour if look.filled else "white",
        marker=look.marker,
        edgecolors="white" if look.filled else look.colour,
        linewidths=0.6,
        zorder=4,
        label=label,
    )


def figure_of_dots(
    titles: Sequence[str],
    rows: Sequence[DotRow],
    *,
    n_columns: int | None = None,
    scale: Literal["linear", "log"] = "linear",
    shared: bool = False,
    line: float | None = None,
    xlabel: str = "",
    row_height: float = _ROW,
) -> Figure:
    """Draw panels side by side, a row in each of them for every method.

    Parameters
    ----------
    titles : sequence of str
        Titles of the panels, from the left and then from the top.
    rows : sequence of DotRow
        From the top; those without dots are bold headings.
    n_columns : int, optional
        Panels beside each other. Default: all.
    scale : {"linear", "log"}
        Of the scores. Linear axes begin at 0.
    shared : bool, default=False
        Whether all panels have the same axis of scores.
    line : float, optional
        Score at which every panel has a vertical line.
    xlabel : str
        Name of the scores, where all panels have the same.
    row_height : float
        Inches.

    Returns
    -------
    Figure

    Examples
    --------
    >>> dots = Dots(Appearance("black", "o"), [np.array([1.0, 2.0]), np.array([3.0])])
    >>> figure = figure_of_dots(["Train loss", "Test loss"], [DotRow("PCA", [dots])])
    >>> [axes.get_title() for axes in figure.axes]
    ['Train loss', 'Test loss']
    """
    n_columns = n_columns or max(len(titles), 1)
    n_lines = -(-len(titles) // n_columns)
    with styled():
        figure = new_figure(WIDTH, n_lines * (_PANEL + row_height * max(len(rows), 1)) + 0.2)
        grid = figure.subplots(n_lines, n_columns, sharex=shared, sharey=True, squeeze=False)
        for axes in grid.flat[len(titles) :]:
            axes.remove()
        panels = list(grid.flat[: len(titles)])
        for place, (axes, title) in enumerate(zip(panels, titles, strict=True)):
            axes.set_title(title, fontsize=8)
            axes.set_xscale(scale)
            _draw_rows(axes, rows, place)
            if line is not None:
                axes.axvline(line, color="0.35", linewidth=0.9, zorder=1)
        for place, axes in enumerate(panels):
            _set_axis(axes, scale)
            # Where the grid has gaps below, the last panel of a column shows the axis.
            axes.tick_params(labelbottom=not shared or place + n_columns >= len(titles))
        grid[0, 0].set_yticks(range(len(rows)), [row.label for row in rows])
        grid[0, 0].set_ylim(max(len(rows), 1) - 0.5, -0.5)
        for axes in grid[:, 0]:
            for text, row in zip(axes.get_yticklabels(), rows, strict=True):
                text.set_fontweight("normal" if row.dots else "bold")
        several = any(len(d) > 1 for row in rows for dots in row.dots for d in dots.draws)
        caption = [text for text in (xlabel, LEGEND if several else "") if text]
        figure.supxlabel("\n".join(caption), fontsize=7)
    return figure


def _draw_rows(axes: Axes, rows: Sequence[DotRow], panel: int) -> None:
    for place, row in enumerate(rows):
        if not row.dots:
            axes.axhspan(place - 0.5, place + 0.5, color="0.955", linewidth=0, zorder=0)
        # The dots of a row stand one below the other, the first at the top.
        step = 0.8 / max(len(row.dots), 1)
        for i, dots in enumerate(row.dots):
            draw_dots(
                axes,
                np.asarray(dots.draws[panel], dtype=float),
                place + step * (i - (len(row.dots) - 1) / 2),
                dots.look,
                size=20.0 if len(row.dots) == 1 else 15.0,
                spread=_SPREAD / len(row.dots),
            )


def _set_axis(axes: Axes, scale: str) -> None:
    high = axes.get_xlim()[1]
    if scale == "log":
        _set_plain_ticks(axes)
    else:
        # Marks at 0 must not be cut.
        axes.set_xlim(-0.04 * high, high)
        axes.xaxis.set_major_locator(MaxNLocator(4, min_n_ticks=3))
        axes.xaxis.set_major_formatter(_plain)
    axes.grid(True, axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _set_plain_ticks(axes: Axes) -> None:
    """Plain numbers on a logarithmic axis, as many as have room."""
    low, high = np.log10(axes.get_xlim())
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    candidates = sorted({tick * 10.0**decade for decade in decades for tick in _LOG_TICKS})
    # The roundest have precedence.
    candidates.sort(key=_roundness)
    width = axes.get_position().width * WIDTH
    gap = (high - low) * min(0.27 / max(width, 0.1), 0.5)
    placed: list[float] = []
    for tick in candidates:
        at = np.log10(tick)
        if low <= at <= high and all(abs(at - np.log10(other)) > gap for other in placed):
            placed.append(tick)
    axes.xaxis.set_major_locator(FixedLocator(placed))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(_plain)


def _roundness(tick: float) -> int:
    leading = float(f"{tick:.1e}".split("e")[0])
    return [1.0, 3.0, 2.0, 5.0, 7.0, 1.5].index(leading)


_plain: Any = FuncFormatter(lambda value, _: f"{value:g}")
