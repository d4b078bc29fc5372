"""All tasks in one table: losses beside the oracle's, concentrations, and the groups found."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from minsyn.benchmark.cell import CellResult
from minsyn.benchmark.methods import Method
from minsyn.benchmark.summary import results_frame
from minsyn.benchmark.tasks import Task

__all__ = ["ORACLE", "tasks_frame", "tasks_table"]

#: Key of the method that losses are set beside.
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
        The command that made it.

    Returns
    -------
    str
        Means over draws. In brackets, the mean ratio to the oracle's test loss.

    Examples
    --------
    >>> from minsyn.benchmark import METHODS, TaskExperiment, find_tasks, run_cell
    >>> from minsyn.datasets import load_letters
    >>> tasks, pca = find_tasks(load_letters("typewriter"), ["genes"]), METHODS["pca"]
    >>> data = TaskExperiment(tasks[0], (pca,)).data(0)
    >>> frame = tasks_frame({"genes": [run_cell(pca, 0, data, 15, 0)]}, seed=0)
    >>> print(tasks_table(frame, tasks, [pca]).splitlines()[0])
    | Test loss | PCA |
    """
    tasks = [task for task in tasks if (frame.task == task.key).any()]
    methods = [method for method in methods if (frame.method == method.key).any()]
    finders = [m for m in methods if not m.knows_positions and _cells(frame, m).n_groups.any()]
    lines = [
        *_header("Test loss", [method.label for method in methods]),
        *(_line(task, _losses(frame, task, methods)) for task in tasks),
        "",
        *_header(
            "ACC",
            [method.label for method in methods]
            + [f"{name}, {m.label}" for m in finders for name in _GROUP_COLUMNS],
        ),
    ]
    for task in tasks:
        concentrations = [_mean(frame, task, method, "acc", 3) for method in methods]
        groups = [text for method in finders for text in _groups(frame, task, method)]
        lines.append(_line(task, concentrations + groups))
    draws, (seed,) = frame.draw.nunique(), frame.seed.unique()
    lines += [
        "",
        f"Means over {draws} draw{'' if draws == 1 else 's'}, seed {seed}. Test loss: squared "
        "error on what was held out, summed over the features; in brackets, the mean ratio to the "
        "oracle's on the same draw. ACC: nats. Wrong features are in another group than the true "
        "one, or wrongly flagged as of none, among those that vary in training; ARI is their "
        "adjusted Rand index. Best values in bold, the oracle not being ranked.",
    ]
    if command is not None:
        lines += ["", f"Made by `{command}`."]
    return "\n".join(lines) + "\n"


_GROUP_COLUMNS = ("Groups", "ARI", "Wrong features")


def _header(corner: str, columns: list[str]) -> list[str]:
    return [f"| {corner} | {' | '.join(columns)} |", f"|:--|{'--:|' * len(columns)}"]


def _line(task: Task, cells: list[str]) -> str:
    return f"| {task.label} | {' | '.join(cells)} |"


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
    """How many groups were found of how many, by how many draws, and how they agree."""
    numbers = _cells(frame, method, task).n_groups.dropna().to_numpy(dtype=int)
    if not len(numbers):
        return ["–"] * len(_GROUP_COLUMNS)
    found, counts = np.unique(numbers, return_counts=True)
    if len(found) == 1:
        text = f"{found[0]} of {task.n_groups}"
    else:
        each = [
            f"{k} ({n} draw{'' if n == 1 else 's'})" for k, n in zip(found, counts, strict=True)
        ]
        text = f"{', '.join(each)} of {task.n_groups}"
    return [
        text,
        _mean(frame, task, method, "adjusted_rand", 3),
        _mean(frame, task, method, "wrong_features", 1),
    ]
