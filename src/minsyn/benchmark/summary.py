"""Tables of cells: a row for each cell, a row for each method."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from minsyn.benchmark.cell import MEASURES, CellResult
from minsyn.benchmark.experiment import Experiment
from minsyn.benchmark.inference import CONFIDENCE, SCORES, Comparison, bootstrap_interval
from minsyn.benchmark.methods import METHODS, Method, PaperScores

__all__ = [
    "MethodSummary",
    "Score",
    "best",
    "results_frame",
    "summarise",
    "summary_frame",
    "summary_json",
]

_COLUMNS = (
    "method",
    "draw",
    "seed",
    "random_state",
    "train_loss",
    "test_loss",
    "acc",
    "dead_factors",
    "fit_seconds",
    "n_iter",
    "converged",
    "n_groups",
    "adjusted_rand",
    "wrong_features",
    *MEASURES,
)

#: Columns of whole numbers that some methods lack.
_WHOLE_NUMBERS = dict.fromkeys(("n_iter", "n_groups", "wrong_features"), "Int64")

_SUMMARY_COLUMNS = (
    *("method", "label", "score", "draws", "mean", "std", "low", "high", "paper"),
    *("reference", "paired_draws", "difference", "difference_low", "difference_high"),
    *("p_value", "p_holm"),
)


@dataclass(frozen=True)
class Score:
    """A score over draws.

    Attributes
    ----------
    mean : float
        Mean; NaN if a draw has none.
    std : float or None
        Sample standard deviation, from two draws on.
    interval : tuple of two float, or None
        Bootstrap interval of the mean, from two draws on.
    """

    mean: float
    std: float | None
    interval: tuple[float, float] | None = None

    def text(self, decimals: int) -> str:
        """The score as tables show it.

        Parameters
        ----------
        decimals : int
            Digits after the point.

        Examples
        --------
        >>> Score(48.812, 2.1).text(2)
        '48.81 ± 2.10'
        """
        if np.isnan(self.mean):
            return "–"
        return f"{self.mean:.{decimals}f}" + (
            "" if self.std is None else f" ± {self.std:.{decimals}f}"
        )

    def interval_text(self, decimals: int) -> str:
        """The interval as tables show it; empty without one.

        Parameters
        ----------
        decimals : int
            Digits after the point.

        Examples
        --------
        >>> Score(48.812, 2.1, (47.001, 50.1)).interval_text(2)
        '[47.00, 50.10]'
        """
        if self.interval is None:
            return ""
        low, high = self.interval
        return f"[{low:.{decimals}f}, {high:.{decimals}f}]"


@dataclass(frozen=True)
class MethodSummary:
    """A row of the table.

    Attributes
    ----------
    key, label : str
        The method.
    draws : int
        Finished draws.
    unconverged : int
        Draws in which the fit did not converge before its iterations ran out.
    dead_factors : int
        Factors without weight, over all draws.
    scores : mapping of str to Score
        By the names in `SCORES` and `MEASURES`.
    paper : PaperScores or None
        What the paper reports.
    leaks, knows_positions : bool
        As for `Method`: such rows are not ranked with the others.
    """

    key: str
    label: str
    draws: int
    unconverged: int
    dead_factors: int
    scores: Mapping[str, Score]
    paper: PaperScores | None
    leaks: bool
    knows_positions: bool = False

    @property
    def is_ranked(self) -> bool:
        """Whether the row's scores count among those of which the best is marked."""
        return not (self.leaks or self.knows_positions)


def results_frame(results: Sequence[CellResult], seed: int) -> pd.DataFrame:
    """A row for each cell.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    seed : int
        The experiment's.

    Returns
    -------
    DataFrame
        Methods in the order of the table, each draw by draw; as ``results.csv`` has it.

    Examples
    --------
    >>> results_frame([], seed=0).columns[:3].tolist()
    ['method', 'draw', 'seed']
    """
    order = {method.key: place for place, method in enumerate(_present(results))}
    chosen = sorted(results, key=lambda r: (order.get(r.method, len(order)), r.method, r.draw))
    rows = [
        {column: seed if column == "seed" else getattr(cell, column) for column in _COLUMNS}
        for cell in chosen
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_WHOLE_NUMBERS)


def summary_frame(
    rows: Sequence[MethodSummary], comparisons: Sequence[Comparison] = ()
) -> pd.DataFrame:
    """A row for each method and score: all digits of what the tables show.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    comparisons : sequence of Comparison
        Tests against the reference.

    Returns
    -------
    DataFrame
        As ``summary.csv`` has it.

    Examples
    --------
    >>> summary_frame([]).columns[:4].tolist()
    ['method', 'label', 'score', 'draws']
    """
    tests = {(test.key, test.score): test for test in comparisons}
    records = []
    for row in rows:
        for name, score in row.scores.items():
            test = tests.get((row.key, name))
            low, high = score.interval or (None, None)
            test_low, test_high = (test.interval if test else None) or (None, None)
            values = (
                *(row.key, row.label, name, row.draws, score.mean, score.std, low, high),
                getattr(row.paper, name, None),
                *(getattr(test, field, None) for field in ("reference", "draws", "difference")),
                *(test_low, test_high),
                *(getattr(test, field, None) for field in ("p_value", "p_holm")),
            )
            records.append(values)
    return pd.DataFrame(records, columns=list(_SUMMARY_COLUMNS)).astype({"paired_draws": "Int64"})


def summary_json(summary: pd.DataFrame, experiment: Experiment) -> str:
    """A summary with the settings that it belongs to, as ``summary.json`` has it.

    Parameters
    ----------
    summary : DataFrame
        From `summary_frame`.
    experiment : Experiment
        What it comes from.

    Returns
    -------
    str
        JSON: an object of ``settings``, ``confidence`` and ``scores``, a list of the rows.

    Examples
    --------
    >>> import json
    >>> from minsyn.datasets import load_letters
    >>> text = summary_json(summary_frame([]), Experiment(load_letters("typewriter")))
    >>> list(json.loads(text))
    ['settings', 'confidence', 'scores']
    """
    scores = json.loads(summary.to_json(orient="records", double_precision=15))
    record = {"settings": experiment.settings(), "confidence": CONFIDENCE, "scores": scores}
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def summarise(results: Sequence[CellResult], methods: Iterable[Method] = ()) -> list[MethodSummary]:
    """A row for each method that has finished cells.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    methods : iterable of Method
        Further methods that may be among them, beside `METHODS`. Cells of unknown methods are left
        out.

    Returns
    -------
    list of MethodSummary
        In the order of `METHODS`, then in that of ``methods``.

    Examples
    --------
    >>> summarise([])
    []
    """
    return [_summary(method, results) for method in _present(results, methods)]


def best(rows: Sequence[MethodSummary], score: str) -> set[str]:
    """Keys of the methods whose mean score is the lowest, as far as the table shows digits.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of a table. Those whose reconstructions leak, or that are told the positions of the
        characters, are not ranked.
    score : str
        A name in `SCORES`.

    Returns
    -------
    set of str
        Several methods that share the lowest; none if there are not two to be ranked.

    Examples
    --------
    >>> best([], "acc")
    set()
    """
    means = {row.key: round(row.scores[score].mean, SCORES[score]) for row in rows if row.is_ranked}
    if len(means) < 2:
        return set()
    lowest = min((mean for mean in means.values() if not np.isnan(mean)), default=None)
    return {key for key, mean in means.items() if mean == lowest}


def _summary(method: Method, results: Sequence[CellResult]) -> MethodSummary:
    cells = [result for result in results if result.method == method.key]
    scores = {}
    for name in (*SCORES, *MEASURES):
        values = np.array([getattr(cell, name) for cell in cells], dtype=float)
        std = float(values.std(ddof=1)) if len(values) > 1 else None
        scores[name] = Score(float(values.mean()), std, bootstrap_interval(values))
    return MethodSummary(
        key=method.key,
        label=method.label,
        draws=len(cells),
        unconverged=sum(not cell.converged for cell in cells),
        dead_factors=sum(cell.dead_factors for cell in cells),
        scores=scores,
        paper=method.paper,
        leaks=method.leaks,
        knows_positions=method.knows_positions,
    )


def _present(results: Sequence[CellResult], methods: Iterable[Method] = ()) -> list[Method]:
    """Methods that have cells: the benchmark's in its order, then others as they were given."""
    keys = {result.method for result in results}
    known = {**METHODS, **{method.key: method for method in methods}}
    return [method for key, method in known.items() if key in keys]
