"""Decoder maps of several methods, factor by factor (Fig. 3)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from minsyn.report.style import WIDTH, new_figure, styled

__all__ = ["MapRow", "figure_of_maps"]

#: Colours reach their ends at this percentile of a row's absolute weights: single pixels beyond it
#: would bleach all others.
_FULL_COLOUR = 99.5


class MapRow(NamedTuple):
    """A method's decoder maps, of shape (n_components, n_pixels), and what stands beside them."""

    label: str
    maps: Float[np.ndarray, "components pixels"]
    acc: float


def figure_of_maps(
    rows: Sequence[MapRow], groups: Int[np.ndarray, " pixels"], image_shape: tuple[int, int]
) -> Figure:
    """Draw decoder maps, a row for each method and a column for each factor.

    Red pixels are raised by a factor and blue ones lowered, white ones untouched. Maps are drawn
    at unit length, as latents have no scale of their own and ACC sees none, and each row has its
    own range of colours. Nor do factors have an order: they are sorted by where in the word
    their weight lies. Lines separate the characters.

    Parameters
    ----------
    rows : sequence of MapRow
        One for each method.
    groups : integer array of shape (n_pixels,)
        Character position of each pixel.
    image_shape : tuple of int
        Height and width of a word's image.

    Returns
    -------
    Figure

    Examples
    --------
    >>> maps = np.eye(2, 8)
    >>> figure = figure_of_maps([MapRow("PCA", maps, 0.0)], np.tile([0, 0, 1, 1], 2), (2, 4))
    >>> len(figure.axes)
    2
    """
    n_columns = max(len(row.maps) for row in rows)
    height, width = image_shape
    label_width = 1.25
    row_height = (WIDTH - label_width) / n_columns * height / width + 0.12
    with styled():
        figure = new_figure(WIDTH, row_height * len(rows), pads=(0.012, 0.03))
        grid = figure.subplots(len(rows), n_columns, squeeze=False)
        for axes_row, row in zip(grid, rows, strict=True):
            maps = _unit_length(row.maps[_by_position(row.maps, groups)])
            limit = float(np.percentile(np.abs(maps), _FULL_COLOUR)) or float(np.abs(maps).max())
            for axes in axes_row:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            for axes, weights in zip(axes_row, maps, strict=False):
                axes.imshow(
                    weights.reshape(image_shape),
                    cmap="RdBu_r",
                    vmin=-(limit or 1.0),
                    vmax=limit or 1.0,
                    interpolation="nearest",
                )
                axes.spines[:].set(visible=True, color="0.6", linewidth=0.5)
                for edge in _edges(groups.reshape(image_shape)):
                    axes.axvline(edge, color="0.6", linewidth=0.4)
            axes_row[0].set_ylabel(
                f"{row.label}\nACC {row.acc:.2f}",
                rotation=0,
                ha="right",
                va="center",
                fontsize=7,
                labelpad=4,
            )
    return figure


def _unit_length(
    maps: Float[np.ndarray, "components pixels"],
) -> Float[np.ndarray, "components pixels"]:
    lengths = np.linalg.norm(maps, axis=1, keepdims=True)
    return maps / np.where(lengths > 0, lengths, 1.0)


def _by_position(
    maps: Float[np.ndarray, "components pixels"], groups: Int[np.ndarray, " pixels"]
) -> Int[np.ndarray, " components"]:
    """Order of factors by the mean position of their squared weights; the dead come last."""
    squares = maps.astype(float) ** 2
    total = squares.sum(axis=1)
    alive = total > 0
    centre = np.full(len(maps), np.inf)
    centre[alive] = squares[alive] @ groups / total[alive]
    return np.argsort(centre, kind="stable")


def _edges(groups: Int[np.ndarray, "h w"]) -> Float[np.ndarray, " edges"]:
    """Where a new character begins, in the pixel coordinates of an image."""
    return np.flatnonzero(np.diff(groups[0])) + 0.5
