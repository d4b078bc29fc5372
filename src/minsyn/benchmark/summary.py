"""Cells summed up: a row for each cell, a row for each method."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from minsyn.benchmark.cell import CellResult
from minsyn.benchmark.methods import FURTHER_METHODS, METHODS, Method, PaperScores, find_methods

__all__ = ["SCORES", "MethodSummary", "Score", "best", "results_frame", "summarise"]

#: The scores of the table, with the decimals that they are shown with. Lower is better for all.
SCORES: Mapping[str, int] = {"train_loss": 2, "test_loss": 2, "acc": 3}

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
    """

    mean: float
    std: float | None

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
        How many of these did not settle before their iterations ran out.
    dead_factors : int
        Factors without weight, over all draws.
    scores : mapping of str to Score
        By the names in `SCORES`.
    paper : PaperScores or None
        What the paper reports.
    leaks : bool
        Whether the losses are not to be ranked with others'.
    """

    key: str
    label: str
    draws: int
    unconverged: int
    dead_factors: int
    scores: Mapping[str, Score]
    paper: PaperScores | None
    leaks: bool


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
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"n_iter": "Int64"})


def summarise(results: Sequence[CellResult], methods: Iterable[Method] = ()) -> list[MethodSummary]:
    """A row for each method that has finished cells.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    methods : iterable of Method
        Methods of your own that may be among them; the library's are known. Cells of unknown
        methods are left out.

    Returns
    -------
    list of MethodSummary
        In the order of the paper's table, then by batch size, then in that of ``methods``.

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
        Rows of a table. Those whose reconstructions leak are not ranked.
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
    means = {row.key: round(row.scores[score].mean, SCORES[score]) for row in rows if not row.leaks}
    if len(means) < 2:
        return set()
    lowest = min((mean for mean in means.values() if not np.isnan(mean)), default=None)
    return {key for key, mean in means.items() if mean == lowest}


def _summary(method: Method, results: Sequence[CellResult]) -> MethodSummary:
    cells = [result for result in results if result.method == method.key]
    scores = {}
    for name in SCORES:
        values = np.array([getattr(cell, name) for cell in cells])
        std = float(values.std(ddof=1)) if len(values) > 1 else None
        scores[name] = Score(float(values.mean()), std)
    return MethodSummary(
        key=method.key,
        label=method.label,
        draws=len(cells),
        unconverged=sum(not cell.converged for cell in cells),
        dead_factors=sum(cell.dead_factors for cell in cells),
        scores=scores,
        paper=method.paper,
        leaks=method.leaks,
    )


def _present(results: Sequence[CellResult], methods: Iterable[Method] = ()) -> list[Method]:
    """Methods that have cells: the paper's in its order, batch sizes rising, one's own."""
    keys = {result.method for result in results}
    own = {method.key: method for method in methods}
    unknown: list[Method] = []
    for key in keys - METHODS.keys() - own.keys():
        try:
            unknown += find_methods([key])
        except ValueError:
            continue
    batches = [method for method in [*unknown, *own.values()] if method.leaks]
    batches.sort(key=lambda method: (len(method.key), method.key))
    ordered = [*METHODS.values(), *FURTHER_METHODS.values(), *batches, *own.values()]
    return list({method.key: method for method in ordered if method.key in keys}.values())
