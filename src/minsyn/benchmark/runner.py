"""Run of an experiment: its missing cells, in parallel, each stored when it is done."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from joblib import Parallel, delayed

from minsyn._locks import locked
from minsyn.benchmark.cell import CellResult, run_cell
from minsyn.benchmark.grid import CellGrid, Samples
from minsyn.benchmark.methods import Method
from minsyn.benchmark.store import Store

__all__ = ["CellFailure", "WorkerDiedError", "missing_cells", "run"]


class WorkerDiedError(RuntimeError):
    """A worker process ended in the middle of a cell."""


@dataclass(frozen=True)
class CellFailure:
    """A cell whose method raised.

    Attributes
    ----------
    method : str
        Key of the method.
    label : str
        Its name in tables.
    draw : int
        Number of the draw.
    error : str
        What was raised, in one line.
    traceback : str
        Where.
    """

    method: str
    label: str
    draw: int
    error: str
    traceback: str


def run(
    experiment: CellGrid,
    store: Store,
    *,
    n_jobs: int | None = None,
    on_start: Callable[[Method, int], None] = lambda method, draw: None,
) -> Iterator[CellResult | CellFailure]:
    """Run the cells that the store does not have yet.

    Cells run through joblib, so ``joblib.parallel_config`` chooses where: processes of this
    machine by default, or the workers of a Dask or Ray cluster. They are written to the store by
    this process alone, as soon as they come in, and yielded then.

    Parameters
    ----------
    experiment : CellGrid
        Experiment to run.
    store : Store
        Destination of the results; its finished cells are not run again.
    n_jobs : int, optional
        Cells at once, -1 for one on each core. Default: joblib's configuration, else 1. The
        results do not depend on it.
    on_start : callable, optional
        Called with each cell that is handed out, possibly from another thread.

    Yields
    ------
    CellResult or CellFailure
        As cells finish, in any order. A method that raises does not stop the others; its cell
        counts as unfinished.

    Raises
    ------
    ImportError
        A method needs what is not installed.
    ValueError
        ``n_jobs`` is 0.
    OSError
        A result could not be written; what was finished before is kept.
    FolderInUseError
        Another run writes to the store.
    WorkerDiedError
        A worker process was killed, for example for want of memory.

    Examples
    --------
    >>> import tempfile
    >>> from minsyn.benchmark import Experiment, Store, find_methods, run
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]), draws=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder, experiment)
    ...     [result.draw for result in run(experiment, store)]
    ...     list(run(experiment, store))  # nothing is left to do
    [0, 1]
    []
    """
    if n_jobs == 0:
        raise ValueError("n_jobs: 0 fits at once would never finish; give 1 or more, or -1")
    for method in experiment.methods:
        method.require()
    with locked(store.folder, cure="choose another output folder (--output), or wait"):
        yield from _run(experiment, store, n_jobs, on_start)


def _run(
    experiment: CellGrid,
    store: Store,
    n_jobs: int | None,
    on_start: Callable[[Method, int], None],
) -> Iterator[CellResult | CellFailure]:
    todo = missing_cells(experiment, store.results())
    # A task is prepared only when a worker is free, so that few draws are in memory at once.
    # Arrays are sent, not shared through files: a full disk must not stop workers.
    parallel = Parallel(
        n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs", max_nbytes=None
    )
    with _interrupts_held():  # workers inherit that, and Ctrl-C does not meet their imports
        outcomes = parallel(_tasks(experiment, todo, on_start))
    try:
        with closing(outcomes):
            for outcome in outcomes:
                if isinstance(outcome, CellFailure):
                    store.add_failure(outcome.method, outcome.draw, outcome.traceback)
                else:
                    store.add(outcome)
                yield outcome
    except BrokenExecutor as error:
        raise WorkerDiedError(
            "a worker process died during a fit, perhaps because memory ran out. Finished fits are "
            "kept: run the same command again, with fewer jobs"
        ) from error


def missing_cells(experiment: CellGrid, results: list[CellResult]) -> list[tuple[Method, int]]:
    """The cells of an experiment that are not among the results.

    Parameters
    ----------
    experiment : CellGrid
        All cells.
    results : list of CellResult
        Finished ones.

    Returns
    -------
    list of tuple of Method and int

    Examples
    --------
    >>> from minsyn.benchmark import Experiment, find_methods
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]), draws=3)
    >>> [draw for method, draw in missing_cells(experiment, [])]
    [0, 1, 2]
    """
    finished = {(result.method, result.draw) for result in results}
    return [
        (method, draw) for method, draw in experiment.cells() if (method.key, draw) not in finished
    ]


def _tasks(
    experiment: CellGrid,
    cells: list[tuple[Method, int]],
    on_start: Callable[[Method, int], None],
) -> Iterator:
    data: Samples | None = None
    data_draw = -1
    for method, draw in cells:
        if data is None or draw != data_draw:
            data, data_draw = experiment.data(draw), draw
        on_start(method, draw)
        random_state = experiment.random_state(method, draw)
        yield delayed(_attempt)(method, draw, data, experiment.n_components, random_state)


def _attempt(
    method: Method, draw: int, data: Samples, n_components: int, random_state: int
) -> CellResult | CellFailure:
    _leave_interrupts_to_the_parent()
    try:
        return run_cell(method, draw, data, n_components, random_state)
    except Exception as error:
        return CellFailure(
            method=method.key,
            label=method.label,
            draw=draw,
            error=f"{type(error).__name__}: {error}",
            traceback=traceback.format_exc(),
        )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait, where the system has signals that can be blocked."""
    mask: Any = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    resource_tracker.ensure_running()  # to start it later would release them
    before = mask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def _leave_interrupts_to_the_parent() -> None:
    """In joblib's own worker processes, ignore Ctrl-C, where it could not be held.

    A terminal sends it to all processes at once. The parent says what is finished and ends its
    workers; without this each of them would print a traceback into that.
    """
    if multiprocessing.current_process().name.startswith("LokyProcess"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
