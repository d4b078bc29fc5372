"""Progress bar over the cells of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from minsyn.benchmark import CellFailure, CellResult, Method

__all__ = ["CellProgress", "cell_progress"]


class CellProgress:
    """Progress of a run, which is told of the start and end of each cell."""

    def __init__(self, progress: Progress, total: int, completed: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, completed=completed)
        self._running: dict[tuple[str, int], str] = {}

    def start(self, method: Method, draw: int) -> None:
        """Name a cell beside the bar.

        Parameters
        ----------
        method : Method
            Its method.
        draw : int
            Its draw, from 0.
        """
        self._running[method.key, draw] = method.label
        self._update()

    def end(self, outcome: CellResult | CellFailure, label: str) -> None:
        """Advance the bar and print the scores of the cell, or its error.

        Parameters
        ----------
        outcome : CellResult or CellFailure
            The cell.
        label : str
            Its method's name.
        """
        self._running.pop((outcome.method, outcome.draw), None)
        self._progress.advance(self._task)
        self._update()
        if isinstance(outcome, CellFailure):
            text = f"[red]failed: {escape(outcome.error)}[/red]"
        else:
            text = (
                f"train {outcome.train_loss:.2f}  test {outcome.test_loss:.2f}  "
                f"ACC {outcome.acc:.3f}  ({outcome.fit_seconds:.1f} s)"
            )
        self._progress.console.print(
            f"{escape(label)}, draw {outcome.draw + 1}: {text}", soft_wrap=True
        )

    def _update(self) -> None:
        self._progress.update(self._task, description=escape(", ".join(self._running.values())))


@contextmanager
def cell_progress(console: Console, total: int, completed: int = 0) -> Iterator[CellProgress]:
    """Show cells done, time, and the methods that are running, with a line for each result.

    Parameters
    ----------
    console : Console
        Where to show it. One that is no terminal gets the lines without the bar.
    total : int
        Cells in all.
    completed : int, default=0
        Cells that were finished before.

    Yields
    ------
    CellProgress

    Examples
    --------
    >>> import io
    >>> from minsyn.benchmark import METHODS, CellFailure
    >>> console = Console(file=io.StringIO())
    >>> with cell_progress(console, total=1) as cells:
    ...     cells.start(METHODS["pca"], 0)
    ...     cells.end(CellFailure("pca", "PCA", 0, "ValueError: no", ""), "PCA")
    >>> console.file.getvalue().splitlines()[0]
    'PCA, draw 1: failed: ValueError: no'
    """
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield CellProgress(progress, total, completed)
