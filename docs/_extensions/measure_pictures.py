"""A picture for each measure: its value in small examples, and of two Gaussian sources.

And a page with sliders for the latter.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sphinx.application import Sphinx

from minsyn.information import discrete, examples, gaussian, pid
from minsyn.report.figure1_page import figure1_explorer

EXAMPLES = {
    "XOR": examples.xor(),
    "AND": examples.and_gate(),
    "SUM": examples.sum_gate(),
    "RDN": examples.rdn(),
    "UNQ": examples.unq(),
}
#: Correlations of two Gaussian sources with the target, as in Figure 1 of the paper.
RHO = np.array([[0.5], [0.75]])
MARGIN = 0.015
#: Definitions of redundancy, with their colours.
REDUNDANCIES = {
    "BROJA": "#4c72b0",
    "I_min": "#dd8452",
    "MMI": "#e8b48f",
    "I_dep": "#55a868",
    "SxPID": "#8172b3",
}


DISCRETE: dict[str, Callable] = {
    "mutual_information": discrete.mutual_information,
    "union_information": lambda p: discrete.union_information(p).value,
    "gk_synergy": discrete.gk_synergy,
    "ci_synergy": discrete.ci_synergy,
    "whole_minus_sum": discrete.whole_minus_sum,
    "total_correlation": discrete.total_correlation,
    "o_information": discrete.o_information,
}
GAUSSIAN: dict[str, Callable] = {
    "mutual_information": gaussian.mutual_information,
    "union_information": gaussian.union_information,
    "gk_synergy": gaussian.gk_synergy,
    "ci_synergy": gaussian.ci_synergy,
    "whole_minus_sum": gaussian.whole_minus_sum,
    "total_correlation": gaussian.total_correlation,
}


def _curve(ax: plt.Axes, name: str) -> None:
    """The measure over the correlation of the sources, with mutual information for scale."""
    centre, half = RHO.prod(), np.sqrt((1 - RHO**2).prod())
    correlations = np.linspace(centre - half + MARGIN, min(centre + half, 1) - MARGIN, 200)
    for measure, style in {
        "mutual_information": {"color": "0.7", "lw": 1},
        name: {"color": "#4c72b0", "lw": 2},
    }.items():
        values = [GAUSSIAN[measure](np.array([[1, r], [r, 1]]), RHO)[0] for r in correlations]
        ax.plot(correlations, values, **style)
    ax.axhline(0, color="0.3", lw=0.8)
    ax.set(xlabel="correlation of the sources", ylabel="bits", ylim=(-0.6, 2.5))
    ax.set_title("Gaussian sources with ρ = (.5, .75)", fontsize=9)
    if name != "mutual_information":
        ax.text(correlations[20], 1.6, "mutual\ninformation", color="0.5", fontsize=8)


def draw(name: str, target: Path) -> None:
    """Draw the picture of one measure."""
    two = name in GAUSSIAN
    figure, axes = plt.subplots(
        1, 2 if two else 1, figsize=(7 if two else 3.6, 2.5), layout="constrained", squeeze=False
    )
    values = [float(DISCRETE[name](p)) for p in EXAMPLES.values()]
    bars = axes[0, 0].bar(list(EXAMPLES), values, color="#4c72b0", width=0.6)
    axes[0, 0].bar_label(bars, [f"{value + 0:.2f}" for value in values], fontsize=8, padding=2)
    axes[0, 0].axhline(0, color="0.3", lw=0.8)
    axes[0, 0].margins(y=0.18)
    axes[0, 0].set(ylabel="bits")
    axes[0, 0].set_title("small examples", fontsize=9)
    if two:
        _curve(axes[0, 1], name)
    _save(figure, target)


def draw_redundancies(target: Path) -> None:
    """Draw the redundancy of each example by all definitions."""
    figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
    values = np.array([pid(p).redundancy for p in EXAMPLES.values()])
    width = 0.16
    for i, (name, colour) in enumerate(REDUNDANCIES.items()):
        at = np.arange(len(EXAMPLES)) + (i - 2) * width
        ax.bar(at, values[:, i], width, color=colour, label=name)
    ax.axhline(0, color="0.3", lw=0.8)
    ax.set(ylabel="redundancy (bits)", xticks=np.arange(len(EXAMPLES)), xticklabels=EXAMPLES)
    figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=9)
    _save(figure, target)


def _save(figure: plt.Figure, target: Path) -> None:
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=150)
    plt.close(figure)


def draw_all(app: Sphinx, config: object) -> None:
    """Draw those that are not there yet."""
    folder = Path(app.srcdir) / "_static" / "measures"
    for name in DISCRETE:
        if not (folder / f"{name}.png").exists():
            draw(name, folder / f"{name}.png")
    if not (folder / "redundancies.png").exists():
        draw_redundancies(folder / "redundancies.png")
    (folder / "explorer.html").write_text(figure1_explorer(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw the pictures before Sphinx looks for them."""
    app.connect("config-inited", draw_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
