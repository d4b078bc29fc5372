"""Loss, concentration and synergy against the weight of the synergy penalty."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from minsyn.report.style import WIDTH, appearance, new_figure, styled

__all__ = ["WeightCurve", "figure_of_weights"]


class WeightCurve(NamedTuple):
    """Scores for each weight and draw: squared errors, ACC in nats, CI synergy in bits."""

    train_loss: Float[np.ndarray, "weights draws"]
    test_loss: Float[np.ndarray, "weights draws"]
    acc: Float[np.ndarray, "weights draws"]
    ci_synergy: Float[np.ndarray, "weights draws"]


def figure_of_weights(
    weights: Float[np.ndarray, " weights"], curve: WeightCurve, method: str = "minsyn-gaussian"
) -> Figure:
    """Draw what is lost and won between a free decoder and one without synergy.

    Small marks are draws and lines join their means. The weights stand one beside the other, as
    no scale holds both 0 and infinity.

    Parameters
    ----------
    weights : ndarray of shape (n_weights,)
        ``synergy_weight``, rising.
    curve : WeightCurve
        Their scores.
    method : str
        Whose colour is taken.

    Returns
    -------
    Figure

    Examples
    --------
    >>> curve = WeightCurve(*np.ones((4, 3, 2)))
    >>> len(figure_of_weights(np.array([0.0, 1.0, np.inf]), curve).axes)
    3
    """
    colour, marker = appearance(method)
    with styled():
        figure = new_figure(WIDTH, 2.3)
        loss, acc, synergy = figure.subplots(1, 3)
        _draw(loss, curve.train_loss, colour, marker, "-", "train")
        _draw(loss, curve.test_loss, colour, marker, (0, (4, 2)), "test")
        loss.legend(frameon=False, fontsize=7)
        _draw(acc, curve.acc, colour, marker, "-", "")
        _draw(synergy, curve.ci_synergy, colour, marker, "-", "")
        loss.set(title="Squared error")
        acc.set(title="ACC (nats)")
        synergy.set(title="Measured CI synergy (bits)")
        for axes in (loss, acc, synergy):
            axes.set_ylim(bottom=0)
            axes.set_xlabel("Weight of the synergy penalty")
            axes.xaxis.set_major_locator(FixedLocator(list(range(len(weights)))))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticklabels(["∞" if np.isinf(w) else f"{w:g}" for w in weights])
            axes.grid(True, axis="y")
            axes.set_axisbelow(True)
    return figure


def _draw(
    axes: Axes,
    values: Float[np.ndarray, "weights draws"],
    colour: str,
    marker: str,
    linestyle: str | tuple[int, tuple[int, int]],
    label: str,
) -> None:
    at = np.arange(len(values))
    axes.scatter(
        np.repeat(at, values.shape[1]), values.ravel(), s=8, c=colour, alpha=0.4, linewidths=0
    )
    axes.plot(
        at,
        values.mean(axis=1),
        color=colour,
        marker=marker,
        markersize=4.5,
        markeredgecolor="white",
        linewidth=1.2,
        linestyle=linestyle,
        label=label,
    )
