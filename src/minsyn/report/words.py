"""Figure of words and their reconstructions (Fig. 4 of the paper)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from minsyn._style import WIDTH, new_figure, styled

__all__ = ["WordsRow", "figure_of_words"]


class WordsRow(NamedTuple):
    """Images of the same words, of shape (n_words, n_pixels), as given or as reconstructed."""

    label: str
    train: Float[np.ndarray, "train_words pixels"]
    test: Float[np.ndarray, "test_words pixels"]


def figure_of_words(rows: Sequence[WordsRow], image_shape: tuple[int, int]) -> Figure:
    """Draw words of the training and of the test set, a row for the data and for each method.

    Ink is dark; what a reconstruction puts outside [0, 1] is clipped.

    Parameters
    ----------
    rows : sequence of WordsRow
        The data first.
    image_shape : tuple of int
        Height and width of a word's image.

    Returns
    -------
    Figure

    Examples
    --------
    >>> words = np.zeros((2, 8))
    >>> figure = figure_of_words([WordsRow("Data", words, words)], (2, 4))
    >>> [axes.get_title() for axes in figure.axes if axes.get_title()]
    ['Words trained on', 'Words held out']
    """
    n_train, n_test = len(rows[0].train), len(rows[0].test)
    n_words = n_train + n_test
    height, width = image_shape
    row_height = (WIDTH - 1.4) / n_words * height / width + 0.06
    with styled():
        figure = new_figure(WIDTH, row_height * len(rows) + 0.2, pads=(0.1, 0.012))
        # Each half is one image a row, so that halves keep together whatever their widths.
        grid = figure.subplots(
            len(rows), 2, squeeze=False, width_ratios=[max(n_train, 0.1), max(n_test, 0.1)]
        )
        for axes_row, row in zip(grid, rows, strict=True):
            for axes, words in zip(axes_row, (row.train, row.test), strict=True):
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                if len(words):
                    axes.imshow(
                        _strip(words, image_shape),
                        cmap="gray_r",
                        vmin=0,
                        vmax=1,
                        interpolation="nearest",
                    )
            axes_row[0].set_ylabel(
                row.label, rotation=0, ha="right", va="center", fontsize=7, labelpad=4
            )
        for axes, title, n in zip(
            grid[0], ("Words trained on", "Words held out"), (n_train, n_test), strict=True
        ):
            if n:
                axes.set_title(title, fontsize=8)
    return figure


def _strip(
    words: Float[np.ndarray, "words pixels"], image_shape: tuple[int, int]
) -> Float[np.ndarray, "h w"]:
    """Words side by side with white gaps between them."""
    height, width = image_shape
    gap = np.zeros((height, max(width // 8, 1)))
    parts = [part for word in words for part in (word.reshape(image_shape), gap)]
    return np.clip(np.hstack(parts[:-1]), 0, 1)
