"""Figure of a graph of pair synergies: its matrix, sorted by group, and its spectrum."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from minsyn.information.graph import SynergyGraph

#: Okabe and Ito's blue, told from white and black with any colour vision.
_BLUE, _GREY = "#0072B2", "0.6"
#: Number of eigenvalues shown after those of the groups.
_TAIL = 12
#: Synergies are spread over decades: colours follow their square root.
_GAMMA = 0.5
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def plot_graph(graph: "SynergyGraph") -> Figure:
    """Draw the synergies of all pairs of codes beside the eigenvalues of the normalised graph.

    Codes are sorted by group and, within it, by how much synergy they have; lines separate the
    groups. Eigenvalues of the groups are filled.
    """
    order = np.lexsort((-graph.synergy.sum(axis=1), graph.labels))
    edges = np.flatnonzero(np.diff(graph.labels[order])) + 0.5
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 3.1), layout="constrained")
        matrix, spectrum = figure.subplots(1, 2, width_ratios=(1.15, 1))
        image = matrix.imshow(
            graph.synergy[np.ix_(order, order)],
            cmap="magma_r",
            norm=PowerNorm(_GAMMA, vmin=0, vmax=float(graph.synergy.max()) or 1.0),
            interpolation="nearest",
        )
        for edge in edges:
            matrix.axhline(edge, color="0.4", linewidth=0.6)
            matrix.axvline(edge, color="0.4", linewidth=0.6)
        matrix.set(title="synergy of pairs of codes", xlabel="code", ylabel="code")
        matrix.spines[:].set_visible(True)
        figure.colorbar(image, ax=matrix, label="bits a feature", shrink=0.85)
        shown = graph.eigenvalues[: graph.n_groups + _TAIL]
        number = np.arange(1, len(shown) + 1)
        found = number <= graph.n_groups
        spectrum.plot(number, shown, color=_GREY, linewidth=0.8, zorder=1)
        for which, face in ((found, _BLUE), (~found, "white")):
            spectrum.scatter(
                number[which], shown[which], s=22, facecolor=face, edgecolor=_BLUE, zorder=2
            )
        spectrum.axhline(0, color="0.85", linewidth=0.6, zorder=0)
        noun = "group" if graph.n_groups == 1 else "groups"
        spectrum.set(
            title=f"spectrum: {graph.n_groups} {noun}", xlabel="number", ylabel="eigenvalue"
        )
        spectrum.set_ylim(min(0.0, float(shown.min())) - 0.05, 1.05)
    return figure
