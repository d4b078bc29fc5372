"""Figures of a benchmark's results."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from minsyn.benchmark import SCORES, CellResult, Experiment, MethodSummary
from minsyn.report.draws import figure_of_draws
from minsyn.report.maps import MapRow, figure_of_maps
from minsyn.report.scatter import ScoreCloud, figure_of_scores
from minsyn.report.words import WordsRow, figure_of_words

__all__ = ["benchmark_figures"]


def benchmark_figures(
    experiment: Experiment, results: Sequence[CellResult], rows: Sequence[MethodSummary]
) -> dict[str, Figure]:
    """Decoder maps, reconstructions, loss against ACC, and every score of every draw.

    Parameters
    ----------
    experiment : Experiment
        Experiment of the results; its words are drawn above the reconstructions.
    results : sequence of CellResult
        Finished cells.
    rows : sequence of MethodSummary
        The methods to draw, in order.

    Returns
    -------
    dict of str to Figure
        "decoder_maps" and "reconstructions" (Figs. 3 and 4 of the paper), of the first draw that
        all methods have (or most), and
        "loss_against_acc" and "scores_by_draw" of all draws. Empty without results.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> benchmark_figures(Experiment(load_letters("typewriter")), [], [])
    {}
    """
    cells = {(cell.method, cell.draw): cell for cell in results}
    draw = _fullest_draw(cells, rows)
    if draw is None:
        return {}
    clouds = [ScoreCloud(row.key, row.label, **_by_draw(results, row.key)) for row in rows]
    words = experiment.data(draw)
    shown = [(row, cells[row.key, draw]) for row in rows if (row.key, draw) in cells]
    first = shown[0][1]
    data = WordsRow("Data", words.train[first.train_rows], words.test[first.test_rows])
    return {
        "decoder_maps": figure_of_maps(
            [MapRow(row.label, cell.maps, cell.acc) for row, cell in shown],
            words.groups,
            words.image_shape,
        ),
        "reconstructions": figure_of_words(
            [
                data,
                *(
                    WordsRow(row.label, cell.train_examples, cell.test_examples)
                    for row, cell in shown
                ),
            ],
            words.image_shape,
        ),
        "loss_against_acc": figure_of_scores(clouds, experiment.vocabulary.length),
        "scores_by_draw": figure_of_draws(clouds),
    }


def _by_draw(results: Sequence[CellResult], key: str) -> dict[str, np.ndarray]:
    chosen = sorted((cell for cell in results if cell.method == key), key=lambda cell: cell.draw)
    return {name: np.array([getattr(cell, name) for cell in chosen], float) for name in SCORES}


def _fullest_draw(
    cells: dict[tuple[str, int], CellResult], rows: Sequence[MethodSummary]
) -> int | None:
    keys = {row.key for row in rows}
    draws = sorted(draw for key, draw in cells if key in keys)
    return max(dict.fromkeys(draws), key=draws.count, default=None)
