"""The graph of pair synergies: its matrix, sorted by group, and its spectrum."""

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from minsyn.information.graph import SynergyGraph
from minsyn.report.style import WIDTH, new_figure, styled

__all__ = ["figure_of_synergy_graph"]

_BLUE, _GREY = "#0072B2", "0.6"
#: Eigenvalues shown beside those of the groups: behind the fall they only decay.
_TAIL = 12
#: Synergies are spread over decades: colours follow their square root.
_GAMMA = 0.5


def figure_of_synergy_graph(graph: SynergyGraph) -> Figure:
    """Draw the synergies of all pairs of codes, and where the eigenvalues fall.

    Left, codes are sorted by group and, within it, by how much synergy they have; lines separate
    the groups. Right, the eigenvalues of the normalised graph; those of the groups are filled.

    Parameters
    ----------
    graph : SynergyGraph
        To draw.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from minsyn.information import synergy_graph
    >>> X = np.repeat(np.random.default_rng(0).normal(size=(99, 2)), 4, axis=1)
    >>> X = X + np.random.default_rng(1).normal(size=X.shape)
    >>> len(figure_of_synergy_graph(synergy_graph(X, X)).axes)  # with the scale of colours
    3
    """
    order = np.lexsort((-graph.synergy.sum(axis=1), graph.labels))
    edges = np.flatnonzero(np.diff(graph.labels[order])) + 0.5
    with styled():
        figure = new_figure(WIDTH, 3.1)
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
