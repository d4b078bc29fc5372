"""Figures of `Loadings`: a heat map, and a path diagram of factors and features."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import PercentFormatter

from minsyn._style import COLOURS, WIDTH, new_figure, styled

if TYPE_CHECKING:
    from minsyn.metrics.feature_loadings import Loadings

__all__ = ["plot_loadings", "plot_paths"]

#: Features with a row of their own, named and with numbers in it, and height of a row in inches.
_NAMED, _ROW = 80, 0.165
#: Factors whose columns have room for numbers.
_NUMBERED = 12
_LONGEST_NAME = 30
#: Loadings from which on white is read better on a colour than black.
_DARK = 0.62
#: Height of a path diagram for each feature and factor, in inches; length of its arrows, and the
#: distance of a number from the arrow's end.
_BOX, _ELLIPSE = 0.24, 0.62
_ARROW, _NUMBER_BEFORE = 2.6, 0.32


def plot_loadings(table: "Loadings", *, hide_below: float, parted: bool) -> Figure:
    """Heat map of the loadings, with bars of communalities and of variances explained.

    Lines part the features of one factor from those of the next if ``parted``.
    """
    n_features, n_factors = table.values.shape
    named = n_features <= _NAMED
    numbered = named and n_factors <= _NUMBERED
    height = _ROW * n_features if named else _ROW * _NAMED / 2
    column = 0.42 if numbered else min(0.42, 4.5 / n_factors)
    names = [_short(name) for name in table.feature_names]
    beside = 0.065 * max(map(len, names)) if named else 0.3
    bars = 0.9
    width = min(WIDTH, beside + column * n_factors + bars + 0.75)
    with styled():
        figure = new_figure(width, height + 1.25, pads=(0.03, 0.03))
        grid = figure.subplots(
            2, 2, height_ratios=(0.45, height), width_ratios=(column * n_factors, bars),
            sharex="col", sharey="row",
        )  # fmt: skip
        (above, corner), (matrix, right) = grid
        corner.remove()
        image = matrix.imshow(
            table.values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
        )
        if numbered:
            _write_numbers(matrix, table.values, hide_below)
        if named:
            matrix.set_yticks(range(n_features), names)
        else:
            matrix.set_yticks([])
            matrix.set_ylabel(f"{n_features} features")
        many = n_factors > _NUMBERED
        step = -(-n_factors // 20) if many else 1
        shown = range(0, n_factors, step)
        matrix.set_xticks(shown, [table.factor_names[j] for j in shown], rotation=90 * many)
        matrix.tick_params(length=0)
        matrix.spines[:].set_visible(False)
        for edge in np.flatnonzero(np.diff(_strongest(table.values))) + 0.5 if parted else ():
            matrix.axhline(edge, color="0.35", linewidth=0.5)
        _draw_variances(above, table.explained_alone, numbered)
        above.set_title("variance explained", loc="left", fontsize=7, pad=12 if numbered else 4)
        places = np.arange(n_features)
        if named:
            right.barh(places, table.communality, color="0.72", height=0.7)
        else:  # a patch for each of thousands of features would take minutes
            right.fill_betweenx(
                places, table.communality, step="mid", color="0.72", linewidth=0, rasterized=True
            )
        right.set_xlim(0, 1)
        right.set_xlabel("communality", fontsize=7)
        right.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        right.tick_params(axis="y", length=0, labelleft=False)
        right.spines["left"].set_visible(False)
        right.xaxis.grid(True)
        right.set_axisbelow(True)
        bar = figure.colorbar(
            image, ax=grid[:, 0].tolist(), location="bottom", shrink=0.9, aspect=30, pad=0.02
        )
        bar.set_ticks([-1, 0, 1], labels=["-1", "0", "1"])
        bar.set_label("correlation", fontsize=7, labelpad=1)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
    return figure


def plot_paths(table: "Loadings", *, hide_below: float, names: dict[str, str] | None) -> Figure:
    """Factors as ellipses, features as boxes, and an arrow for each strong loading."""
    n_features, n_factors = table.values.shape
    unknown = set(names or {}) - set(table.factor_names)
    if unknown:
        raise ValueError(
            f"names: there is no factor {sorted(unknown)[0]!r}; there are "
            f"{', '.join(table.factor_names)}"
        )
    labels = [(names or {}).get(name, name) for name in table.factor_names]
    height = max(_BOX * n_features, _ELLIPSE * n_factors) + 0.2
    boxes = height - 0.1 - _spread(n_features, height - 0.2)
    ellipses = _factor_places(table.values, boxes, height)
    box_width = max(0.5, 0.07 * max(len(_short(name)) for name in table.feature_names) + 0.16)
    ellipse_width = max(0.62, 0.075 * max(map(len, labels)) + 0.3)
    arcs = 0.9 if _correlated(table.factor_correlation, hide_below).size else 0.1
    left = arcs + ellipse_width  # right ends of the ellipses
    right = left + _ARROW  # left ends of the boxes
    with styled():
        figure = Figure(figsize=(right + box_width + 0.1, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, right + box_width + 0.1), ylim=(0, height), aspect="equal")
        axes.set_axis_off()
        strongest = _strongest(table.values)
        for i, j in np.argwhere(np.abs(table.values) >= hide_below):
            start, end = (left, float(ellipses[j])), (right, float(boxes[i]))
            _draw_arrow(axes, start, end, table.values[i, j], main=strongest[i] == j)
        for i, name in enumerate(table.feature_names):
            _draw_box(axes, right, boxes[i], box_width, _short(name))
        for j, label in enumerate(labels):
            centre = (left - ellipse_width / 2, ellipses[j])
            axes.add_patch(
                Ellipse(centre, ellipse_width, 0.42, facecolor="0.93", edgecolor="0.2", zorder=3)
            )
            axes.text(*centre, label, ha="center", va="center", fontsize=8, zorder=4)
        for j, k in _correlated(table.factor_correlation, hide_below):
            _draw_arc(axes, arcs, ellipses[[j, k]], table.factor_correlation[j, k])
    return figure


def _write_numbers(axes: Axes, values: Float[np.ndarray, "n m"], hide_below: float) -> None:
    for (i, j), value in np.ndenumerate(values):
        if abs(value) >= hide_below:
            axes.text(
                j, i, _decimals(value), ha="center", va="center", fontsize=6.5,
                color="white" if abs(value) > _DARK else "black",
            )  # fmt: skip


def _draw_variances(axes: Axes, shares: Float[np.ndarray, " m"], numbered: bool) -> None:
    axes.bar(range(len(shares)), shares, color="0.72", width=0.7)
    axes.set_ylim(0, float(shares.max()) or 1.0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    if numbered:
        axes.set_yticks([])
        for j, share in enumerate(shares):
            axes.annotate(
                f"{share:.0%}", (j, share), xytext=(0, 1.5), textcoords="offset points",
                ha="center", va="bottom", fontsize=6.5, annotation_clip=False,
            )  # fmt: skip
    else:
        axes.set_yticks([0, float(shares.max())])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))


def _draw_arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    value: float,
    *,
    main: bool | np.bool_,
) -> None:
    """An arrow of the strength of a loading; a feature's strongest has a number upon it."""
    positive = value > 0
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>,head_length=3.2,head_width=1.6",
            linewidth=0.3 + 1.9 * min(abs(value), 1.0) ** 2,
            linestyle="-" if positive else (0, (3.5, 1.5)),
            color=COLOURS["vermilion"] if positive else COLOURS["blue"],
            alpha=1.0 if main else 0.55,
            shrinkA=0,
            shrinkB=0,
            zorder=1 + abs(value),
        )
    )
    if main:
        share = 1 - _NUMBER_BEFORE / (end[0] - start[0])
        axes.text(
            start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]),
            _decimals(value), fontsize=6, ha="center", va="center", zorder=2.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _draw_box(axes: Axes, x: float, y: float, width: float, name: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x + 0.02, y - 0.08),
            width - 0.04,
            0.16,
            boxstyle="round,pad=0.02,rounding_size=0.03",
            facecolor="white",
            edgecolor="0.2",
            linewidth=0.6,
            zorder=3,
        )
    )
    axes.text(x + width / 2, y, name, ha="center", va="center", fontsize=7, zorder=4)


def _draw_arc(axes: Axes, x: float, ends: Float[np.ndarray, "2"], value: float) -> None:
    """An arc between the left ends of two ellipses, the further to the left the longer it is."""
    top, bottom = float(ends.max()), float(ends.min())
    positive = value > 0
    bend = min(0.5, 1.5 / (top - bottom))
    axes.add_patch(
        FancyArrowPatch(
            (x, top),
            (x, bottom),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="<|-|>,head_length=2.6,head_width=1.3",
            linewidth=0.3 + 1.9 * value**2,
            linestyle="-" if positive else (0, (3.5, 1.5)),
            color="0.35",
            shrinkA=1,
            shrinkB=1,
            zorder=1,
        )
    )
    axes.text(
        x - bend * (top - bottom) / 2, (top + bottom) / 2, _decimals(value), fontsize=6,
        ha="center", va="center", color="0.2", zorder=2,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _factor_places(
    values: Float[np.ndarray, "n m"], boxes: Float[np.ndarray, " n"], height: float
) -> Float[np.ndarray, " m"]:
    """Heights of the factors: those of their own features, moved apart where these are few."""
    n_factors = values.shape[1]
    strongest = _strongest(values)
    even = height - 0.1 - _spread(n_factors, height - 0.2)
    own = np.array(
        [
            boxes[strongest == j].mean() if (strongest == j).any() else even[j]
            for j in range(n_factors)
        ]
    )
    # The order of the features is that of the factors: only their distances may be too small.
    gap = min(_ELLIPSE, (height - 0.2) / max(n_factors, 1)) * 0.9
    places = own.copy()
    for _ in range(200):
        moved = False
        for j in range(n_factors - 1):
            short = gap - (places[j] - places[j + 1])
            if short > 1e-6:
                places[j] += short / 2
                places[j + 1] -= short / 2
                moved = True
        places = np.clip(places, 0.31, height - 0.31) if height > 0.62 else places
        if not moved:
            break
    return places


def _spread(n: int, length: float) -> Float[np.ndarray, " n"]:
    """Centres of n equal parts of a length."""
    return (np.arange(n) + 0.5) * (length / n)


def _strongest(values: Float[np.ndarray, "n m"]) -> Int[np.ndarray, " n"]:
    return np.argmax(np.abs(values), axis=1)


def _correlated(correlation: Float[np.ndarray, "m m"], hide_below: float) -> Int[np.ndarray, "k 2"]:
    return np.argwhere(np.triu(np.abs(correlation), 1) >= max(hide_below, 1e-12))


def _decimals(value: float) -> str:
    """As psychologists write correlations: .57, -.31."""
    return f"{value:.2f}".replace("0.", ".", 1)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
