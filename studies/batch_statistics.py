"""MinSyn (Binary) decoded with the statistics of each batch, in training and in evaluation."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from scipy.special import expit

from minsyn.benchmark import (
    METHODS,
    SCORES,
    CellResult,
    Experiment,
    Method,
    benchmark_table,
    results_frame,
    summarise,
)
from minsyn.datasets import load_letters
from minsyn.estimators import Adam, MinSyn
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli
from minsyn.report import COLOURS, WIDTH, appearance, draw_dots, new_figure, styled
from studies.command import (
    Components,
    Draws,
    Jobs,
    Letters,
    Output,
    Overwrite,
    Seed,
    app_of,
    clear_errors,
    command_line,
    exit_with,
    run_cells,
    write,
)

__all__ = ["BatchDecodedMinSyn", "batch_method", "figure_of_batches"]

_FIXED = METHODS["minsyn-bernoulli"]
_TITLES = {"train_loss": "Train loss", "test_loss": "Test loss", "acc": "ACC (nats)"}


class BatchDecodedMinSyn:
    """MinSyn (Binary) whose decoder is set anew from every batch that it reconstructs.

    `minsyn.MinSyn` sets its decoder once, from the training data. Here each batch of samples, in
    training and in evaluation, is encoded, gives the pairwise statistics of its own latents *and of
    its own pixels*, and is decoded with these. The batch leaks into its own reconstruction, so that
    the losses are no test of the latents alone: this is one attempt at the paper's figures for
    MinSyn (Binary).

    Samples are dealt to batches at random, as many as are needed for at most ``batch_size`` in
    each, whose sizes differ by at most one.

    Parameters
    ----------
    n_components : int
        Number of factors.
    batch_size : int
        Most samples in a batch.
    random_state : int
        Seed of the fit and of the dealing.

    Attributes
    ----------
    components_ : ndarray of shape (n_batches * n_components, n_features)
        Decoder maps of each batch of the training data, one batch below the other.
    n_iter_ : int
        Epochs of training.
    converged_ : bool
        Whether the training loss converged.

    Examples
    --------
    >>> X = np.random.default_rng(0).random((20, 6)).round()
    >>> model = BatchDecodedMinSyn(2, batch_size=8, random_state=0).fit(X)
    >>> model.components_.shape  # batches of 7, 7 and 6
    (6, 6)
    >>> model.reconstruct(X).shape
    (20, 6)
    """

    components_: Float[np.ndarray, "rows features"]
    n_iter_: int
    converged_: bool

    def __init__(self, n_components: int, batch_size: int, random_state: int) -> None:
        self.n_components = n_components
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Float[np.ndarray, "samples features"]) -> "BatchDecodedMinSyn":
        """Train the encoder with mini-batches.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training data in [0, 1].

        Returns
        -------
        BatchDecodedMinSyn
        """
        self._model = MinSyn(
            self.n_components,
            decoder="bernoulli",
            solver=Adam(batch_size=self.batch_size),
            random_state=self.random_state,
        ).fit(X)
        self.n_iter_, self.converged_ = self._model.n_iter_, self._model.converged_
        self.components_ = np.vstack([self._decoder(X[rows])[1] for rows in self._batches(len(X))])
        return self

    def reconstruct(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples features"]:
        """Decode each batch of samples with the statistics of that batch.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Data in [0, 1].

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Probabilities.
        """
        reconstruction = np.empty(X.shape)
        for rows in self._batches(len(X)):
            Z, weights, bias = self._decoder(X[rows])
            reconstruction[rows] = expit(Z @ weights + bias)
        return reconstruction

    def _decoder(self, X: Float[np.ndarray, "batch features"]) -> tuple[Any, Any, Any]:
        X = X.astype(np.float64)
        Z = self._model.transform(X)
        return Z, *bernoulli.ci_linear_map(PairwiseStatistics.of(Z, X))

    def _batches(self, n_samples: int) -> list[np.ndarray]:
        # Words are in alphabetical order: batches of neighbours would share letters.
        order = np.random.default_rng(self.random_state).permutation(n_samples)
        return np.array_split(order, -(-n_samples // self.batch_size))


def _make(batch_size: int, n_components: int, random_state: int) -> BatchDecodedMinSyn:
    return BatchDecodedMinSyn(n_components, batch_size, random_state)


def batch_method(batch_size: int) -> Method:
    """`BatchDecodedMinSyn` as a method of the benchmark, whose rows are not ranked.

    Parameters
    ----------
    batch_size : int
        Words in a batch, at least 2.

    Returns
    -------
    Method
        With the key ``minsyn-bernoulli-batch-<batch_size>``.

    Raises
    ------
    ValueError
        ``batch_size`` is below 2.

    Examples
    --------
    >>> batch_method(16).label
    'MinSyn (Binary), batch statistics (16)'
    """
    if batch_size < 2:
        raise ValueError(
            f"batch_size: {batch_size} must be at least 2; a batch of one word is its own mean"
        )
    return Method(
        f"minsyn-bernoulli-batch-{batch_size}",
        f"MinSyn (Binary), batch statistics ({batch_size})",
        partial(_make, batch_size),
        leaks=True,
        bounded=True,
    )


def figure_of_batches(results: Sequence[CellResult], sizes: Sequence[int]) -> Figure:
    """Draw the scores with batch statistics against the batch size.

    A horizontal line is the mean with statistics fixed after training, in a band from the lowest to
    the highest draw; a dashed line is the paper's value.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells of `batch_method` and of "minsyn-bernoulli".
    sizes : sequence of int
        Batch sizes; those without cells are left out.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No batch size has a finished cell.
    """
    by_size = {size: _scores(results, batch_method(size).key) for size in sorted(set(sizes))}
    by_size = {size: scores for size, scores in by_size.items() if len(scores["acc"])}
    if not by_size:
        raise ValueError(f"sizes: none of {', '.join(map(str, sizes))} has a finished cell")
    fixed = _scores(results, _FIXED.key)
    look = appearance(_FIXED.key)
    with styled():
        figure = new_figure(WIDTH, 2.5)
        for axes, name in zip(figure.subplots(1, len(SCORES)), SCORES, strict=True):
            if len(fixed[name]):
                axes.axhspan(fixed[name].min(), fixed[name].max(), color="0.85", linewidth=0)
                label = "statistics fixed after training"
                axes.axhline(fixed[name].mean(), color="0.3", linewidth=1.2, label=label)
            paper = getattr(_FIXED.paper, name)
            axes.axhline(paper, color=COLOURS["vermilion"], linestyle="--", label="the paper")
            for i, (size, scores) in enumerate(by_size.items()):
                label = "" if i else "statistics of the batch itself"
                draw_dots(axes, size, scores[name], look, label=label or None)
            means = [np.nanmean(scores[name]) for scores in by_size.values()]
            axes.plot(list(by_size), means, color=look.colour, linewidth=1.0, alpha=0.6)
            axes.set(title=_TITLES[name], xlabel="Words in a batch", xscale="log")
            axes.xaxis.set_major_locator(FixedLocator(list(by_size)))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}")
            axes.set_ylim(bottom=0)
            axes.grid(True, axis="y")
            axes.set_axisbelow(True)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _scores(results: Sequence[CellResult], key: str) -> dict[str, np.ndarray]:
    cells = [cell for cell in results if cell.method == key]
    return {name: np.array([getattr(cell, name) for cell in cells], float) for name in SCORES}


def batch_statistics(
    batch_sizes: Annotated[
        str, typer.Option(help="Batch sizes, separated by commas or spaces.")
    ] = "4,8,16,32,64,149",
    letters: Letters = "typewriter",
    draws: Draws = 3,
    components: Components = 9,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Output = Path("runs/batch-statistics"),
    overwrite: Overwrite = False,
) -> None:
    """Score MinSyn (Binary) where each batch is decoded with its own statistics.

    Such a decoder has seen the pixels that it reconstructs, the more so the smaller the batch.
    The scores are compared with those of statistics fixed after training, and with the paper's.

    Writes batch_statistics.csv, batch_statistics.md and batch_statistics.png and .pdf.
    """
    with clear_errors(output):
        sizes = _sizes(batch_sizes)
        methods = (_FIXED, *map(batch_method, sizes))
        experiment = Experiment(load_letters(letters), methods, draws, components, seed=seed)
        store, failures = run_cells(experiment, output, jobs, overwrite)
        results = [cell for cell in store.results() if cell.method in {m.key for m in methods}]
        rows = summarise(results, methods)
        command = command_line(
            "batch_statistics",
            letters=letters,
            draws=max((row.draws for row in rows), default=draws),
            components=components,
            seed=seed,
            batch_sizes=",".join(map(str, sizes)),
        )
        texts = {
            "batch_statistics.csv": results_frame(results, seed).to_csv(index=False),
            "batch_statistics.md": benchmark_table(rows, experiment, command),
        }
        write(output, texts, {"batch_statistics": figure_of_batches(results, sizes)})
        exit_with((store, failures))


def _sizes(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    odd = next((part for part in parts if not part.isdecimal()), None)
    if odd is not None or not parts:
        raise ValueError(
            f"batch-sizes: expected whole numbers such as 4,16,64, found {odd or text!r}"
        )
    return sorted({int(part) for part in parts})


app = app_of(batch_statistics)

if __name__ == "__main__":
    app(prog_name="python -m studies.batch_statistics")
