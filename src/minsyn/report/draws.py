"""Every draw of every method beside the mean and its interval."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minsyn.benchmark import CONFIDENCE, SCORES, bootstrap_interval
from minsyn.report.scatter import ScoreCloud
from minsyn.report.style import WIDTH, appearance, new_figure, styled

__all__ = ["figure_of_draws"]

_NAMES = {"train_loss": "Train loss", "test_loss": "Test loss", "acc": "ACC (nats)"}


def figure_of_draws(clouds: Sequence[ScoreCloud]) -> Figure:
    """Draw each score, a line for each method: small marks are draws, the large one their mean.

    The bar is the mean's bootstrap interval. Draws are spread in their order, first at the top, so
    that the same draw has the same place in every line.

    Parameters
    ----------
    clouds : sequence of ScoreCloud
        One for each method, from the top.

    Returns
    -------
    Figure

    Examples
    --------
    >>> scores = np.array([1.0, 2.0, 2.5])
    >>> figure = figure_of_draws([ScoreCloud("pca", "PCA", scores, scores, scores / 3)])
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['Train loss', 'Test loss', 'ACC (nats)']
    """
    with styled():
        figure = new_figure(WIDTH, 0.75 + 0.26 * len(clouds))
        panels = figure.subplots(1, len(SCORES), sharey=True)
        for axes, name in zip(panels, SCORES, strict=True):
            for place, cloud in enumerate(clouds):
                _draw_line(axes, place, cloud.key, getattr(cloud, name))
            axes.set_xlabel(_NAMES[name])
            axes.set_xlim(left=-0.02 * axes.get_xlim()[1])  # room for marks at 0
            axes.grid(True, axis="x")
            axes.set_axisbelow(True)
            axes.tick_params(left=False)
        panels[0].set_yticks(range(len(clouds)), [cloud.label for cloud in clouds])
        panels[0].set_ylim(len(clouds) - 0.5, -0.5)
        draws = max((len(cloud.acc) for cloud in clouds), default=0)
        if draws > 1:
            figure.supxlabel(
                f"Small marks: {draws} draws of letters. Large: mean, with a "
                f"{round(100 * CONFIDENCE)} % bootstrap interval.",
                fontsize=6.5,
                color="0.35",
            )
    return figure


def _draw_line(axes: Axes, place: int, key: str, values: np.ndarray) -> None:
    colour, marker = appearance(key)
    offsets = np.linspace(-0.3, 0.3, len(values)) if len(values) > 1 else np.zeros(len(values))
    axes.scatter(values, place + offsets, s=7, c=colour, marker=marker, alpha=0.5, linewidths=0)
    interval = bootstrap_interval(values)
    if interval is not None:
        axes.plot(interval, [place, place], color=colour, linewidth=1.4, zorder=3)
    axes.scatter(
        np.mean(values) if len(values) else np.nan,
        place,
        s=34,
        c=colour,
        marker=marker,
        edgecolors="white",
        linewidths=0.7,
        zorder=4,
    )
