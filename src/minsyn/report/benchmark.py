"""The figures of a benchmark's results."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minsyn.benchmark import METHODS, SCORES, CellResult, Experiment, MethodSummary, batch_method
from minsyn.report.batches import BatchCurve, figure_of_batches
from minsyn.report.draws import figure_of_draws
from minsyn.report.maps import MapRow, figure_of_maps
from minsyn.report.scatter import ScoreCloud, figure_of_scores
from minsyn.report.style import save
from minsyn.report.words import WordsRow, figure_of_words

__all__ = ["batch_figure", "benchmark_figures", "save_figures"]


def benchmark_figures(
    experiment: Experiment, results: Sequence[CellResult], rows: Sequence[MethodSummary]
) -> dict[str, Figure]:
    """Decoder maps, reconstructions, loss against ACC, and every score of every draw.

    Parameters
    ----------
    experiment : Experiment
        What was run; its words are drawn above the reconstructions.
    results : sequence of CellResult
        Finished cells.
    rows : sequence of MethodSummary
        The methods to draw, in order.

    Returns
    -------
    dict of str to Figure
        "fig3" and "fig4" of the paper, of the first draw that all methods have (or most), and
        "loss_against_acc" and "draws" of all draws. Empty without results.

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
    words = experiment.words(draw)
    shown = [(row, cells[row.key, draw]) for row in rows if (row.key, draw) in cells]
    first = shown[0][1]
    data = WordsRow("Data", words.train[first.train_rows], words.test[first.test_rows])
    return {
        "fig3": figure_of_maps(
            [MapRow(row.label, cell.maps, cell.acc) for row, cell in shown],
            words.groups,
            words.image_shape,
        ),
        "fig4": figure_of_words(
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
        "draws": figure_of_draws(clouds),
    }


def batch_figure(results: Sequence[CellResult], sizes: Sequence[int]) -> Figure:
    """Scores with batch statistics against the batch size, beside fixed statistics.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells of ``batch_method`` and of "minsyn-bernoulli".
    sizes : sequence of int
        Batch sizes to draw; those without cells are left out.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No batch size has a finished cell.
    """
    by_size = {size: _by_draw(results, batch_method(size).key) for size in sorted(set(sizes))}
    by_size = {size: scores for size, scores in by_size.items() if len(scores["acc"])}
    if not by_size:
        raise ValueError(f"sizes: none of {', '.join(map(str, sizes))} has a finished cell")
    fixed = _by_draw(results, "minsyn-bernoulli")
    paper = METHODS["minsyn-bernoulli"].paper
    most = max(len(scores["acc"]) for scores in by_size.values())
    curves = {}
    for name in SCORES:
        by_batch = np.full((len(by_size), most), np.nan)  # draws that failed stay empty
        for row, scores in zip(by_batch, by_size.values(), strict=True):
            row[: len(scores[name])] = scores[name]
        curves[name] = BatchCurve(by_batch, fixed[name], float(getattr(paper, name)))
    return figure_of_batches(np.array(list(by_size)), curves)


def save_figures(figures: dict[str, Figure], folder: Path) -> list[Path]:
    """Save figures under their names, as PNG and PDF.

    Parameters
    ----------
    figures : dict of str to Figure
        By file name without suffix.
    folder : Path
        Made if it does not exist.

    Returns
    -------
    list of Path
        What was written.

    Examples
    --------
    >>> save_figures({}, Path("."))
    []
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [path for name, figure in figures.items() for path in save(figure, folder / name)]


def _by_draw(results: Sequence[CellResult], key: str) -> dict[str, np.ndarray]:
    chosen = sorted((cell for cell in results if cell.method == key), key=lambda cell: cell.draw)
    return {name: np.array([getattr(cell, name) for cell in chosen], float) for name in SCORES}


def _fullest_draw(
    cells: dict[tuple[str, int], CellResult], rows: Sequence[MethodSummary]
) -> int | None:
    keys = {row.key for row in rows}
    draws = sorted(draw for key, draw in cells if key in keys)
    return max(dict.fromkeys(draws), key=draws.count, default=None)
