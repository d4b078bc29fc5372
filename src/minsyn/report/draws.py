"""Dot plot of a benchmark: every draw of every method beside the mean and its interval."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from minsyn.benchmark import SCORES
from minsyn.report.dots import DotRow, Dots, figure_of_dots
from minsyn.report.scatter import ScoreCloud
from minsyn.report.style import appearance

__all__ = ["figure_of_draws"]

_TITLES = {"train_loss": "Train loss", "test_loss": "Test loss", "acc": "ACC (nats)"}


def figure_of_draws(clouds: Sequence[ScoreCloud]) -> Figure:
    """Draw each score in a panel, with a row for each method.

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
    >>> [axes.get_title() for axes in figure.axes]
    ['Train loss', 'Test loss', 'ACC (nats)']
    """
    rows = [
        DotRow(
            cloud.label,
            [Dots(appearance(cloud.key), [np.asarray(getattr(cloud, name)) for name in SCORES])],
        )
        for cloud in clouds
    ]
    return figure_of_dots([_TITLES[name] for name in SCORES], rows, row_height=0.26)
