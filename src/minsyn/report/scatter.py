"""Scatter plot of a benchmark: reconstruction loss against concentration."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minsyn._style import WIDTH, new_figure, styled
from minsyn.benchmark import bootstrap_interval
from minsyn.report.dots import draw_dots
from minsyn.report.labels import label_points
from minsyn.report.style import appearance

__all__ = ["ScoreCloud", "figure_of_scores"]

#: Points of an interval that names are kept away from.
_POINTS = 15


class ScoreCloud(NamedTuple):
    """Scores of a method, a number for each draw."""

    key: str
    label: str
    train_loss: Float[np.ndarray, " draws"]
    test_loss: Float[np.ndarray, " draws"]
    acc: Float[np.ndarray, " draws"]


def figure_of_scores(clouds: Sequence[ScoreCloud], n_groups: int = 3) -> Figure:
    """Draw train and test loss against ACC: small marks are draws, large ones their means.

    Lines through a mean are its bootstrap intervals. Methods are named beside their means. Low and
    to the left is good.

    Parameters
    ----------
    clouds : sequence of ScoreCloud
        One for each method.
    n_groups : int, default=3
        Characters of a word: their log is the highest ACC, and a dotted line.

    Returns
    -------
    Figure

    Examples
    --------
    >>> scores = np.array([1.0, 2.0])
    >>> figure = figure_of_scores([ScoreCloud("pca", "PCA", scores, scores, scores / 2)])
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['Train loss', 'Test loss']
    """
    with styled():
        figure = new_figure(WIDTH, 3.3)
        panels = figure.subplots(1, 2, sharex=True)
        for axes, name in zip(panels, ("train_loss", "test_loss"), strict=True):
            # The first of the list comes last, on top of others at the same place.
            for cloud in reversed(clouds):
                draw_dots(axes, cloud.acc, getattr(cloud, name), appearance(cloud.key), size=40)
            _mark_even_spread(axes, n_groups)
            axes.set(xlabel="ACC (nats)", ylabel=name.replace("_", " ").capitalize())
            axes.margins(y=0.12)
            axes.grid(True)
            axes.set_axisbelow(True)
        figure.draw_without_rendering()
        for axes, name in zip(panels, ("train_loss", "test_loss"), strict=True):
            means = np.array([(c.acc.mean(), getattr(c, name).mean()) for c in clouds])
            marks = [_marks(cloud.acc, getattr(cloud, name)) for cloud in clouds]
            label_points(
                axes,
                means,
                [cloud.label for cloud in clouds],
                [appearance(cloud.key).colour for cloud in clouds],
                avoid=np.vstack(marks),
            )
    return figure


def _marks(
    x: Float[np.ndarray, " draws"], y: Float[np.ndarray, " draws"]
) -> Float[np.ndarray, "marks 2"]:
    """Places that names should not cover: all draws, and points along both intervals."""
    marks = [np.column_stack([x, y])]
    for axis, scores in enumerate((x, y)):
        interval = bootstrap_interval(scores)
        if interval is not None:
            line = np.tile([x.mean(), y.mean()], (_POINTS, 1))
            line[:, axis] = np.linspace(*interval, _POINTS)
            marks.append(line)
    return np.vstack(marks)


def _mark_even_spread(axes: Axes, n_groups: int) -> None:
    """Draw the highest ACC as a line: weight spread evenly over all characters."""
    highest = float(np.log(n_groups))
    # Marks at 0 must not be cut.
    axes.set_xlim(-0.04 * (highest or 1.0), (highest or 1.0) * 1.04)
    axes.axvline(highest, color="0.5", linewidth=0.6, linestyle=":", zorder=0)
    axes.text(
        highest,
        1.0,
        f"log {n_groups}",
        transform=axes.get_xaxis_transform(),
        color="0.4",
        fontsize=6.5,
        ha="center",
        va="bottom",
    )
