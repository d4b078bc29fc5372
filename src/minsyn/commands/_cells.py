"""Running an experiment's cells from a command: progress, notes, failures, errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from minsyn.benchmark import CellFailure, Experiment, Store

__all__ = ["console", "exit_with", "run_cells", "stoppable"]

#: What a run says on standard output.
console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


def run_cells(
    experiment: "Experiment", output: Path, jobs: int, overwrite: bool
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


def exit_with(store: "Store", failures: list["CellFailure"]) -> None:
    """Say which cells failed and why; exit code 1 if any did."""
    for failure in failures:
        _errors.print(
            f"{failure.label} failed in draw {failure.draw + 1}: {failure.error}",
            style="red",
            markup=False,
        )
    if failures:
        _errors.print(
            f"Tracebacks are in {store.folder / 'failures'}; the same command tries again.",
            markup=False,
        )
        raise typer.Exit(1)


@contextmanager
def stoppable(output: Path) -> Iterator[None]:
    """One line instead of a traceback for what a user can mend; exit code 2 for bad arguments."""
    try:
        yield
    except KeyboardInterrupt:
        _fail(f"Stopped. Finished cells are in {output}; the same command goes on from there.", 130)
    except (ValueError, TypeError) as error:
        _fail(str(error), 2)
    except (ImportError, OSError) as error:
        _fail(str(error), 1)
    except RuntimeError as error:
        from minsyn.benchmark import WorkerDiedError

        if not isinstance(error, WorkerDiedError):
            raise
        _fail(str(error), 1)


def _fail(message: str, code: int) -> NoReturn:
    _errors.print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)
