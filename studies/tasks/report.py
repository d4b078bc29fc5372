"""Table and figure of all tasks: losses beside the oracle's, concentrations, groups found."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from minsyn.benchmark import (
    CellResult,
    Method,
    counted,
    markdown_page,
    markdown_table,
    results_frame,
)
from minsyn.report import DotRow, Dots, appearance, figure_of_dots
from studies.tasks.data import Task

__all__ = ["ORACLE", "figure_of_tasks", "tasks_frame", "tasks_table"]

#: Key of the method that losses are compared with.
ORACLE = "oracle"


def tasks_frame(results: Mapping[str, Sequence[CellResult]], seed: int) -> pd.DataFrame:
    """A row for each cell of each task.

    Parameters
    ----------
    results : mapping of str to sequence of CellResult
        Finished cells by the keys of their tasks.
    seed : int
        The experiments'.

    Returns
    -------
    DataFrame
        `results_frame` of every task with its key in the column ``task``, and with
        ``oracle_ratio``, the test loss as a ratio to the oracle's in the same draw; NaN without it.

    Examples
    --------
    >>> tasks_frame({"digits": []}, seed=0).columns[:3].tolist()
    ['task', 'method', 'draw']
    """
    frames = []
    for key, cells in results.items():
        frame = results_frame(cells, seed)
        frame.insert(0, "task", key)
        frames.append(frame)
    frame = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    of_oracle = frame[frame.method == ORACLE].set_index(["task", "draw"]).test_loss
    cells_of = pd.MultiIndex.from_frame(frame[["task", "draw"]])
    frame["oracle_ratio"] = frame.test_loss.to_numpy() / of_oracle.reindex(cells_of).to_numpy()
    return frame


def tasks_table(
    frame: pd.DataFrame,
    tasks: Sequence[Task],
    methods: Sequence[Method],
    command: str | None = None,
) -> str:
    """Rows are tasks and columns methods, as Markdown: test losses, then ACC and groups.

    Parameters
    ----------
    frame : DataFrame
        From `tasks_frame`.
    tasks : sequence of Task
        Rows, in order; those without cells are left out.
    methods : sequence of Method
        Columns, in order; those without cells are left out.
    command : str, optional
        Command that made it.

    Returns
    -------
    str
        Means over draws. In brackets, the mean ratio to the oracle's test loss.

    Examples
    --------
    >>> from minsyn.benchmark import METHODS, run_cell
    >>> from minsyn.datasets import load_letters
    >>> from studies.tasks.catalogue import find_tasks
    >>> from studies.tasks.data import TaskExperiment
    >>> tasks, pca = find_tasks(load_letters("typewriter"), ["genes"]), METHODS["pca"]
    >>> data = TaskExperiment(tasks[0], (pca,)).data(0)
    >>> frame = tasks_frame({"genes": [run_cell(pca, 0, data, 15, 0)]}, seed=0)
    >>> print(tasks_table(frame, tasks, [pca]).splitlines()[0])
    | Test loss | PCA |
    """
    tasks = [task for task in tasks if (frame.task == task.key).any()]
    methods = [method for method in methods if (frame.method == method.key).any()]
    finders = [m for m in methods if not m.knows_positions and _cells(frame, m).n_groups.any()]
    labels = [method.label for method in methods]
    losses = [[task.label, *_losses(frame, task, methods)] for task in tasks]
    concentrations = [
        [
            task.label,
            *(_mean(frame, task, method, "acc", 3) for method in methods),
            *(text for method in finders for text in _groups(frame, task, method)),
        ]
        for task in tasks
    ]
    found = [f"{name}, {method.label}" for method in finders for name in _GROUP_COLUMNS]
    (seed,) = frame.seed.unique()
    caption = (
        f"Means over {counted(frame.draw.nunique(), 'draw')}, seed {seed}. Test loss: squared "
        "error on what was held out, summed over the features; in brackets, the mean ratio to the "
        "oracle's on the same draw. ACC: nats. Wrong features are in another group than the true "
        "one, or wrongly flagged as of none, among those that vary in training; ARI is their "
        "adjusted Rand index. Best values in bold, the oracle not being ranked."
    )
    return markdown_page(
        markdown_table(["Test loss", *labels], losses),
        markdown_table(["ACC", *labels, *found], concentrations),
        caption,
        command=command,
    )


def figure_of_tasks(
    frame: pd.DataFrame, tasks: Sequence[Task], methods: Sequence[Method]
) -> Figure:
    """Draw test losses as ratios to the oracle's on the same draw, a panel for each task.

    Parameters
    ----------
    frame : DataFrame
        From `tasks_frame`.
    tasks : sequence of Task
        Panels, in order.
    methods : sequence of Method
        Rows, from the top. The oracle is the line at 1.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> from studies.tasks.catalogue import find_tasks
    >>> frame = pd.DataFrame([("genes", "pca", 0, 1.1)])
    >>> frame.columns = ["task", "method", "draw", "oracle_ratio"]
    >>> figure = figure_of_tasks(frame, find_tasks(load_letters("typewriter"), ["genes"]), [])
    >>> figure.axes[0].get_title()
    'Gene-like table'
    """
    rows = []
    for method in methods:
        if method.knows_positions:
            continue
        own = frame[frame.method == method.key].sort_values("draw")
        draws = [own.oracle_ratio[own.task == task.key].to_numpy(dtype=float) for task in tasks]
        rows.append(DotRow(method.label, [Dots(appearance(method.key), draws)]))
    return figure_of_dots(
        [task.label for task in tasks],
        rows,
        n_columns=3,
        scale="log",
        shared=True,
        line=1.0,
        xlabel="Test loss, as a ratio to the oracle's",
    )


_GROUP_COLUMNS = ("Groups", "ARI", "Wrong features")


def _cells(frame: pd.DataFrame, method: Method, task: Task | None = None) -> pd.DataFrame:
    chosen = frame[frame.method == method.key]
    return chosen if task is None else chosen[chosen.task == task.key]


def _mean(frame: pd.DataFrame, task: Task, method: Method, column: str, decimals: int) -> str:
    value = _cells(frame, method, task)[column].mean()
    return "–" if pd.isna(value) else f"{value:.{decimals}f}"


def _losses(frame: pd.DataFrame, task: Task, methods: Sequence[Method]) -> list[str]:
    texts = [_mean(frame, task, method, "test_loss", 2) for method in methods]
    ratios = [_mean(frame, task, method, "oracle_ratio", 2) for method in methods]
    ranked = [
        float(text)
        for text, method in zip(texts, methods, strict=True)
        if text != "–" and not (method.knows_positions or method.leaks)
    ]
    return [
        (f"**{text}**" if text != "–" and _is_best(text, method, ranked) else text)
        + ("" if ratio == "–" or method.key == ORACLE else f" (×{ratio})")
        for text, ratio, method in zip(texts, ratios, methods, strict=True)
    ]


def _is_best(text: str, method: Method, ranked: list[float]) -> bool:
    return not (method.knows_positions or method.leaks) and float(text) == min(ranked)


def _groups(frame: pd.DataFrame, task: Task, method: Method) -> list[str]:
    """Number of groups found, with its draws, and their agreement with the true ones."""
    numbers = _cells(frame, method, task).n_groups.dropna().to_numpy(dtype=int)
    if not len(numbers):
        return ["–"] * len(_GROUP_COLUMNS)
    found, counts = np.unique(numbers, return_counts=True)
    if len(found) == 1:
        text = f"{found[0]} of {task.n_groups}"
    else:
        each = [f"{k} ({counted(int(n), 'draw')})" for k, n in zip(found, counts, strict=True)]
        text = f"{', '.join(each)} of {task.n_groups}"
    return [
        text,
        _mean(frame, task, method, "adjusted_rand", 3),
        _mean(frame, task, method, "wrong_features", 1),
    ]
