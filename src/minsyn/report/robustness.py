"""Losses of damaged words against the clean ones, every draw of every method."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from minsyn.benchmark import CLEAN, DAMAGES, Damage, Method
from minsyn.report.style import WIDTH, appearance, new_figure, styled

__all__ = ["figure_of_robustness", "terminal_robustness"]


def figure_of_robustness(frame: pd.DataFrame, methods: Sequence[Method]) -> Figure:
    """Draw losses under noise, salt and pepper, patches and damaged characters.

    Small marks are draws, large ones and lines their means.

    Parameters
    ----------
    frame : DataFrame
        From `minsyn.benchmark.measure_robustness`, concatenated.
    methods : sequence of Method
        To draw, in the legend's order.

    Returns
    -------
    Figure

    Examples
    --------
    >>> rows = [("pca", 0, "clean", 90.0, 1.0, np.nan), ("pca", 0, "noise-0.5", 99.0, 1.1, np.nan)]
    >>> columns = ["method", "draw", "damage", "loss", "relative", "others_loss"]
    >>> figure = figure_of_robustness(pd.DataFrame(rows, columns=columns), [])
    >>> figure.axes[0].get_xlabel()
    'Gaussian noise, σ'
    """
    with styled():
        figure = new_figure(WIDTH, 5.4)
        (noise, salt), (occlusion, others) = figure.subplots(2, 2)
        _draw_family(noise, frame, methods, _family("noise"), "loss")
        noise.set_xlabel("Gaussian noise, σ")
        _draw_family(salt, frame, methods, _family("salt-pepper"), "loss")
        salt.set_xlabel("Salt and pepper, share of the pixels")
        characters = _family("character")
        _draw_strips(occlusion, frame, methods, [*_family("patch"), *characters], "loss")
        _draw_strips(others, frame, methods, characters, "others_loss")
        others.set_title("the other characters alone", fontsize=7.5)
        for axes in (noise, salt, occlusion, others):
            axes.set_ylabel("Loss against clean image")
            axes.set_ylim(bottom=0)
            axes.grid(True, axis="y")
            axes.set_axisbelow(True)
        handles, labels = noise.get_legend_handles_labels()
        if handles:
            figure.legend(
                handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=7
            )
    return figure


def terminal_robustness(frame: pd.DataFrame, methods: Sequence[Method]) -> list[Table]:
    """Mean losses for a terminal of 80 characters: noise, then patches and characters.

    Parameters
    ----------
    frame : DataFrame
        From `minsyn.benchmark.measure_robustness`, concatenated.
    methods : sequence of Method
        Rows, in order.

    Returns
    -------
    list of rich.table.Table
        Two, to be printed by rich.

    Examples
    --------
    >>> columns = ["method", "draw", "damage", "loss", "others_loss"]
    >>> tables = terminal_robustness(pd.DataFrame(columns=columns), [])
    >>> [len(table.columns) for table in tables]
    [10, 7]
    """
    clean = [("loss", CLEAN, "clean\n")]
    noise = [("loss", d.key, d.short) for d in (*_family("noise"), *_family("salt-pepper"))]
    characters = _family("character")
    occlusion = [("loss", d.key, d.short) for d in (*_family("patch"), *characters)]
    others = [("others_loss", d.key, f"{d.short}others") for d in characters]
    tables = []
    for columns in (clean + noise, occlusion + others):
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
        table.add_column("Method")
        for _, _, header in columns:
            table.add_column(header, justify="right", no_wrap=True)
        for method in methods:
            values = [_values(frame, method, key, score) for score, key, _ in columns]
            texts = [f"{v.mean():.1f}" if len(v) else "–" for v in values]
            table.add_row(method.label, *texts)
        tables.append(table)
    return tables


def _family(name: str) -> list[Damage]:
    return [damage for damage in DAMAGES.values() if damage.family == name]


def _values(frame: pd.DataFrame, method: Method, damage: str, score: str) -> np.ndarray:
    chosen = frame[(frame.method == method.key) & (frame.damage == damage)]
    return chosen[score].to_numpy(dtype=float)


def _draw_family(
    axes: Axes, frame: pd.DataFrame, methods: Sequence[Method], damages: list[Damage], score: str
) -> None:
    levels = {CLEAN: 0.0, **{damage.key: damage.level for damage in damages}}
    for method in methods:
        colour, marker = appearance(method.key)
        values = {level: _values(frame, method, key, score) for key, level in levels.items()}
        values = {level: draws for level, draws in values.items() if len(draws)}
        for level, draws in values.items():
            axes.scatter(
                np.full(len(draws), level), draws, s=6, c=colour, marker=marker, alpha=0.45,
                linewidths=0,
            )  # fmt: skip
        axes.set_xticks(list(levels.values()))
        means = [draws.mean() for draws in values.values()]
        axes.plot(
            list(values), means, color=colour, marker=marker, markersize=4, linewidth=1.0,
            markeredgecolor="white", markeredgewidth=0.4, label=method.label,
        )  # fmt: skip


def _draw_strips(
    axes: Axes, frame: pd.DataFrame, methods: Sequence[Method], damages: list[Damage], score: str
) -> None:
    """Methods side by side within each damage."""
    offsets = np.linspace(-0.34, 0.34, len(methods)) if len(methods) > 1 else np.zeros(1)
    for place, damage in enumerate(damages):
        for offset, method in zip(offsets, methods, strict=False):
            colour, marker = appearance(method.key)
            draws = _values(frame, method, damage.key, score)
            if not len(draws):
                continue
            x = np.full(len(draws), place + offset)
            axes.scatter(x, draws, s=6, c=colour, marker=marker, alpha=0.45, linewidths=0)
            axes.scatter(
                x[0], draws.mean(), s=26, c=colour, marker=marker, edgecolors="white",
                linewidths=0.5, zorder=3,
            )  # fmt: skip
    axes.set_xticks(range(len(damages)), [d.label.replace(" ", "\n", 1) for d in damages])
    axes.set_xlim(-0.5, len(damages) - 0.5)
