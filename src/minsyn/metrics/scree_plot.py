"""Figure of `Scree`: eigenvalues, what they must exceed, and the number of factors."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from minsyn._style import COLOURS, new_figure, styled

if TYPE_CHECKING:
    from minsyn.metrics.n_factors import AveragePartial, Scree

__all__ = ["plot_average_partial", "plot_scree"]

#: Eigenvalues drawn beyond those of the factors, at least; and in all for each factor.
_TAIL, _FOR_EACH_FACTOR = 12, 3
_WIDTH, _HEIGHT = 3.5, 2.5  # inches: a column of a journal


def plot_scree(scree: "Scree", max_shown: int | None) -> Figure:
    """Eigenvalues in descending order, above the ones that they must exceed."""
    n_factors = scree.n_factors
    if max_shown is None:
        max_shown = max(n_factors + _TAIL, _FOR_EACH_FACTOR * n_factors)
    shown = slice(0, max(1, max_shown))
    eigenvalues, reference = scree.eigenvalues[shown], scree.reference[shown]
    number = np.arange(1, len(eigenvalues) + 1)
    retained = number <= n_factors
    blue, grey = COLOURS["blue"], COLOURS["grey"]
    with styled():
        figure = new_figure(_WIDTH, _HEIGHT)
        axes = figure.subplots()
        lowest = float(min(eigenvalues.min(), reference.min()))
        highest = float(max(eigenvalues.max(), reference.max()))
        low, high = min(0.0, lowest - 0.06 * (highest - lowest)), 1.08 * highest
        axes.fill_between(number, low, reference, color="0.94", linewidth=0, zorder=0)
        axes.plot(
            number, reference, color=grey, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1,
            label=scree.criterion,
        )  # fmt: skip
        axes.plot(number, eigenvalues, color=blue, linewidth=0.8, zorder=2)
        size = 26 if len(number) <= 40 else 9
        for which, face in ((retained, blue), (~retained, "white")):
            axes.scatter(
                number[which], eigenvalues[which], s=size, facecolor=face, edgecolor=blue,
                linewidth=0.8, zorder=3,
            )  # fmt: skip
        # The legend shows a mark on its line, in the order of reading.
        (data,) = axes.plot([], [], "o-", color=blue, markersize=4.5, linewidth=0.8)
        axes.legend(
            [data, axes.lines[0]], ["eigenvalues", scree.criterion], frameon=False, fontsize=7,
            loc="upper right", borderaxespad=0,
        )  # fmt: skip
        axes.set_title(_counted(n_factors), loc="left", fontsize=9)
        axes.set(xlabel="number", ylabel="eigenvalue", xlim=(0.4, len(number) + 0.6))
        axes.set_ylim(low, high)
        axes.xaxis.set_major_locator(
            MaxNLocator(8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
        )
    return figure


def plot_average_partial(found: "AveragePartial", max_shown: int | None) -> Figure:
    """Average squared partial correlations by the number of components, the smallest filled."""
    n_factors = found.n_factors
    if max_shown is None:
        max_shown = max(n_factors + _TAIL, _FOR_EACH_FACTOR * n_factors)
    averages = found.average_squared[: max(1, max_shown) + 1]
    number = np.arange(len(averages))
    with styled():
        figure = new_figure(_WIDTH, _HEIGHT)
        axes = figure.subplots()
        axes.plot(number, averages, "o-", color=COLOURS["blue"], linewidth=0.8, markersize=4.5,
                  markerfacecolor="white", markeredgewidth=0.8)  # fmt: skip
        if n_factors < len(averages):
            axes.plot(n_factors, averages[n_factors], "o", color=COLOURS["blue"], markersize=4.5)
        axes.set_title(_counted(n_factors), loc="left", fontsize=9)
        axes.set(xlabel="components held fixed", ylabel="average squared partial correlation")
        axes.set_ylim(0, None)
        axes.xaxis.set_major_locator(
            MaxNLocator(8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
        )
    return figure


def _counted(n_factors: int) -> str:
    return {0: "no factor", 1: "1 factor"}.get(n_factors, f"{n_factors} factors")
