"""Scores against the batch size whose statistics set the decoder."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from minsyn.report.style import WIDTH, appearance, new_figure, styled

__all__ = ["BatchCurve", "figure_of_batches"]

_NAMES = {"train_loss": "Train loss", "test_loss": "Test loss", "acc": "ACC (nats)"}


class BatchCurve(NamedTuple):
    """One score for each batch size and draw, beside what it is compared with."""

    by_batch: Float[np.ndarray, "sizes draws"]
    fixed: Float[np.ndarray, " draws"]
    paper: float


def figure_of_batches(sizes: Int[np.ndarray, " sizes"], curves: Mapping[str, BatchCurve]) -> Figure:
    """Draw the scores of MinSyn (Binary) with batch statistics against the batch size.

    Small marks are draws and the line joins their means. A horizontal line is the mean with the
    exact, fixed statistics of the training set, in a band from the lowest to the highest draw; a
    dashed line is what the paper reports.

    Parameters
    ----------
    sizes : integer array of shape (n_sizes,)
        Batch sizes, rising.
    curves : mapping of str to BatchCurve
        By "train_loss", "test_loss" and "acc".

    Returns
    -------
    Figure

    Examples
    --------
    >>> curve = BatchCurve(np.ones((2, 3)), np.ones(3), 0.5)
    >>> len(figure_of_batches(np.array([4, 8]), {"acc": curve}).axes)
    1
    """
    with styled():
        figure = new_figure(WIDTH, 2.5)
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (name, curve) in zip(panels, curves.items(), strict=True):
            _draw_curve(axes, sizes, curve)
            axes.set(title=_NAMES.get(name, name), xlabel="Words in a batch")
            axes.set_ylim(bottom=0)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw_curve(axes: Axes, sizes: Int[np.ndarray, " sizes"], curve: BatchCurve) -> None:
    colour, marker = appearance("minsyn-bernoulli")
    if curve.fixed.size:
        axes.axhspan(curve.fixed.min(), curve.fixed.max(), color="0.85", linewidth=0)
        axes.axhline(
            curve.fixed.mean(), color="0.3", linewidth=1.2, label="statistics fixed after training"
        )
    axes.axhline(
        curve.paper, color="#D55E00", linewidth=1.2, linestyle=(0, (4, 2)), label="the paper"
    )
    axes.scatter(
        np.repeat(sizes, curve.by_batch.shape[1]),
        curve.by_batch.ravel(),
        s=9,
        c=colour,
        alpha=0.45,
        linewidths=0,
    )
    axes.plot(
        sizes,
        np.nanmean(curve.by_batch, axis=1),
        color=colour,
        marker=marker,
        markersize=4.5,
        markeredgecolor="white",
        linewidth=1.2,
        label="statistics of the batch itself",
    )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sizes.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}")
    axes.grid(True, axis="y")
    axes.set_axisbelow(True)
