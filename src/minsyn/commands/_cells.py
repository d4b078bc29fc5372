"""Progress and failures of an experiment's cells in a terminal."""

# What a command needs is imported when it runs: `minsyn --help` loads neither torch nor Matplotlib.
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from minsyn.commands._errors import one_line_errors

if TYPE_CHECKING:
    from minsyn.benchmark import CellFailure, CellGrid, Store

__all__ = ["clear_errors", "console", "exit_with", "run_cells", "split_keys"]

console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


def split_keys(given: Sequence[str]) -> list[str]:
    """Keys that were separated by commas or given in repeated options.

    Examples
    --------
    >>> split_keys(["pca, ica", "nmf"])
    ['pca', 'ica', 'nmf']
    """
    return [key.strip() for part in given for key in part.split(",") if key.strip()]


def clear_errors(output: Path) -> AbstractContextManager[None]:
    """`one_line_errors` of a command whose finished cells stay in a folder after Ctrl-C.

    Parameters
    ----------
    output : Path
        The folder.
    """
    return one_line_errors(
        f"Stopped. Finished cells are in {output}; run the same command again to continue."
    )


def run_cells(
    experiment: "CellGrid", output: Path, jobs: int, overwrite: bool
) -> tuple["Store", list["CellFailure"]]:
    """Run what is missing, with a progress bar and a line for each cell."""
    from minsyn.benchmark import CellFailure, Store, missing_cells, run
    from minsyn.report import cell_progress

    store = Store(output, experiment, overwrite=overwrite)
    total = len(list(experiment.cells()))
    finished = total - len(missing_cells(experiment, store.results()))
    for note in store.notes:
        console.print(escape(note), style="yellow")
    if finished:
        console.print(f"{finished} of {total} cells were finished before.")
    labels = {method.key: method.label for method in experiment.methods}
    failures = []
    with cell_progress(console, total, finished) as cells:
        for outcome in run(experiment, store, n_jobs=jobs, on_start=cells.start):
            cells.end(outcome, labels[outcome.method])
            if isinstance(outcome, CellFailure):
                failures.append(outcome)
    return store, failures


def exit_with(*runs: tuple["Store", list["CellFailure"]]) -> None:
    """End with exit code 1 if cells failed, and say which, store by store."""
    for store, failures in runs:
        for failure in failures:
            _errors.print(
                f"{failure.label} failed in draw {failure.draw + 1}: {failure.error}",
                style="red",
                markup=False,
            )
        if failures:
            _errors.print(
                f"Tracebacks are in {store.folder / 'failures'}; run the command again to retry.",
                markup=False,
            )
    if any(failures for _, failures in runs):
        raise typer.Exit(1)
