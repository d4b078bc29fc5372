"""The ablation: losses, concentration and synergies of every combination, draw by draw."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minsyn.benchmark import DECODERS, PARTITIONS, Ablation, CellResult, Method, find_ablation
from minsyn.report.style import WIDTH, Appearance, appearance, new_figure, styled

__all__ = ["figure_of_ablation"]

_PANELS = {
    "test_loss": "Test loss",
    "acc": "ACC (nats)",
    "gk_synergy": "GK synergy (bits)\namong latents",
    "gk_synergy_groups": "GK synergy (bits)\namong groups",
}
# The colours of the methods that decode alike.
_COLOURS = {
    "single-parent": appearance("minsyn-single-parent").colour,
    "free": appearance("autoencoder").colour,
    "ci": appearance("minsyn-gaussian").colour,
}
#: Marks with the last penalty, and without.
_MARKERS = {True: "o", False: "D"}
#: Inches of a row.
_PITCH = 0.215


class _Lane(NamedTuple):
    """A method's place: its height in the figure, colour and marker."""

    key: str
    y: float
    look: Appearance
    filled: bool


def figure_of_ablation(results: Sequence[CellResult], methods: Sequence[Method]) -> Figure:
    """Draw a row for each partition and decoder, in lanes with and without balance and penalty.

    Small marks are draws, large ones their means, lines run from the lowest to the highest draw.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    methods : sequence of Method
        Rows of the ablation, and methods that stand below them.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = figure_of_ablation([], [Ablation("none", True, "free", True).method()])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['None: one group', 'Free']
    """
    ablations = [find_ablation(m.key) for m in methods if m.key.startswith("ablation-")]
    others = [m for m in methods if not m.key.startswith("ablation-")]
    lanes, labels, headings, bands = _layout(ablations, others)
    bottom = max(labels, default=0.0) + 0.7
    with styled():
        figure = new_figure(WIDTH, 1.25 + _PITCH * bottom)
        panels = figure.subplots(1, len(_PANELS), sharey=True, width_ratios=[1.7, 1, 1, 1])
        for axes, (score, title) in zip(panels, _PANELS.items(), strict=True):
            for top, end in bands[::2]:
                axes.axhspan(top, end, color="0.955", linewidth=0, zorder=0)
            for lane in lanes:
                cells = sorted((c for c in results if c.method == lane.key), key=lambda c: c.draw)
                _draw(axes, lane, np.array([getattr(cell, score) for cell in cells], float))
            axes.set_xlabel(title)
            right = 1.03 * max(axes.get_xlim()[1], 1e-3)
            axes.set_xlim(-0.03 * right, right)
            axes.grid(True, axis="x")
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
        panels[0].set_yticks(list(labels), list(labels.values()))
        for text in panels[0].get_yticklabels():
            text.set_fontweight("bold" if text.get_text() in headings else "normal")
        panels[0].set_ylim(bottom, -0.6)
        figure.legend(
            handles=_legend(),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=7,
            columnspacing=1.6,
        )
    return figure


def _layout(
    ablations: Sequence[Ablation], others: Sequence[Method]
) -> tuple[list[_Lane], dict[float, str], set[str], list[tuple[float, float]]]:
    """Lanes, labels by height, which of these are headings, and the extent of each block."""
    lanes: list[_Lane] = []
    labels: dict[float, str] = {}
    headings, bands = set(), []
    y = 0.0
    for partition, name in PARTITIONS.items():
        inside = [row for row in ablations if row.partition == partition]
        if not inside:
            continue
        top = y - 0.5
        labels[y] = name
        headings.add(name)
        for decoder, decoder_name in DECODERS.items():
            rows = [row for row in inside if row.decoder == decoder]
            if not rows:
                continue
            y += 1.0 if len(rows) > 2 else 0.85
            labels[y] = decoder_name
            for row, offset in zip(rows, _offsets(len(rows)), strict=True):
                colour = _COLOURS[decoder.removesuffix("-linear")]
                look = Appearance(colour, _MARKERS[row.penalty])
                lanes.append(_Lane(row.key, y + offset, look, row.balance))
        bands.append((top, y + 0.55))
        y += 1.1
    if others:
        labels[y] = "For reference"
        headings.add("For reference")
    for method in others:
        y += 0.8
        labels[y] = method.label
        lanes.append(
            _Lane(method.key, y, Appearance("#555555", appearance(method.key).marker), True)
        )
    return lanes, labels, headings, bands


def _offsets(n_lanes: int) -> list[float]:
    """Of lanes within a row."""
    return [0.24 * (lane - (n_lanes - 1) / 2) for lane in range(n_lanes)]


def _draw(axes: Axes, lane: _Lane, values: np.ndarray) -> None:
    values = values[np.isfinite(values)]
    if not len(values):
        return
    colour, marker = lane.look
    large = 9 if marker == "D" else 13
    axes.plot(
        [values.min(), values.max()], [lane.y] * 2, color=colour, linewidth=0.5, alpha=0.6, zorder=2
    )
    axes.scatter(
        values, np.full(len(values), lane.y), s=2.5, c=colour, linewidths=0, alpha=0.55, zorder=3
    )
    axes.scatter(
        values.mean(), lane.y, s=large, marker=marker, zorder=4, linewidths=0.7,
        facecolors=colour if lane.filled else "white", edgecolors=colour,
    )  # fmt: skip


def _legend() -> list[Line2D]:
    """Colours, then fill, then shape."""

    def mark(label: str, colour: str, marker: str, filled: bool) -> Line2D:
        return Line2D(
            [], [], color=colour, marker=marker, linestyle="", markersize=4, label=label,
            markerfacecolor=colour if filled else "white", markeredgewidth=0.8,
        )  # fmt: skip

    return [
        mark("single-parent decoder", _COLOURS["single-parent"], "s", True),
        mark("free decoder", _COLOURS["free"], "s", True),
        mark("CI decoder", _COLOURS["ci"], "s", True),
        mark("balanced", "0.3", "o", True),
        mark("not balanced", "0.3", "o", False),
        Line2D([], [], color="0.3", marker=".", markersize=3, linewidth=0.6, label="single draws"),
        mark("with the last penalty", "0.3", "o", True),
        mark("without", "0.3", "D", True),
    ]
