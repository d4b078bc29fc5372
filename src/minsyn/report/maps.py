"""Figure of decoder maps (Fig. 3 of the paper)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from minsyn._style import WIDTH, new_figure, styled

__all__ = ["MapRow", "figure_of_maps"]

#: Colours reach their ends at this percentile of a row's absolute weights: single pixels beyond it
#: would bleach all others.
_FULL_COLOUR = 99.5
#: Maps beside each other, at most: with more they are too small to be read.
_MOST_COLUMNS = 6
_LABEL_WIDTH = 1.25  # inches
_COLOURS = ScalarMappable(Normalize(-1, 1), "RdBu_r")


class MapRow(NamedTuple):
    """A method's decoder maps, of shape (n_components, n_pixels), with its name and ACC."""

    label: str
    maps: Float[np.ndarray, "components pixels"]
    acc: float


def figure_of_maps(
    rows: Sequence[MapRow], groups: Int[np.ndarray, " pixels"], image_shape: tuple[int, int]
) -> Figure:
    """Draw the decoder maps of each method, factor by factor, in one or several lines.

    Red pixels are raised by a factor, blue ones lowered and white ones left alone. Latents have no
    scale of their own, so maps are drawn at unit length, and each method has its own range of
    colours. Factors have no order either, and are sorted by the place in the word where their
    weight lies. Lines separate the characters.

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
    3
    """
    n_factors = max(len(row.maps) for row in rows)
    n_lines = -(-n_factors // _MOST_COLUMNS)
    n_columns = -(-n_factors // n_lines)
    height, width = image_shape
    line_height = (WIDTH - _LABEL_WIDTH) / n_columns * height / width + 0.07
    with styled():
        figure = new_figure(WIDTH, line_height * n_lines * len(rows) + 0.45, pads=(0.012, 0.02))
        grid = figure.subplots(len(rows) * n_lines, n_columns, squeeze=False)
        for axes in grid.flat:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for place, row in enumerate(rows):
            maps = _unit_length(row.maps[_by_position(row.maps, groups)])
            limit = np.percentile(np.abs(maps), _FULL_COLOUR) or np.abs(maps).max() or 1.0
            lines = grid[place * n_lines : (place + 1) * n_lines]
            for axes, weights in zip(lines.flat, maps / limit, strict=False):
                axes.imshow(
                    weights.reshape(image_shape),
                    cmap=_COLOURS.cmap,
                    norm=_COLOURS.norm,
                    interpolation="nearest",
                )
                axes.spines[:].set(visible=True, color="0.6", linewidth=0.5)
                for edge in _edges(groups.reshape(image_shape)):
                    axes.axvline(edge, color="0.6", linewidth=0.4)
            lines[0, 0].set_ylabel(
                f"{row.label}\nACC {row.acc:.2f}",
                rotation=0,
                ha="right",
                va="center",
                fontsize=7,
                labelpad=4,
            )
        bar = figure.colorbar(
            _COLOURS, ax=grid, location="bottom", shrink=0.35, aspect=40, pad=0.012
        )
        bar.set_ticks([-1, 0, 1], labels=["lowered", "untouched", "raised"])
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
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
