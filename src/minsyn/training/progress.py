"""Progress bars of training runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["training_progress"]


@contextmanager
def training_progress(
    description: str,
    max_epochs: int | None,
    *,
    steps: str = "epochs",
    loss_unit: float = 1.0,
    verbose: bool,
) -> Iterator[Callable[[int, float], None]]:
    """Show epochs and loss on stderr while a model trains.

    Parameters
    ----------
    description : str
        Name of the model.
    max_epochs : int or None
        Maximum number of epochs, if it is known.
    steps : str, default="epochs"
        Name of the steps, such as "iterations".
    loss_unit : float, default=1.0
        Factor that converts the training loss, which may be of scaled data, to the loss shown.
    verbose : bool
        Whether to show the progress bar.

    Yields
    ------
    callable
        Call it with the number and loss of each epoch.

    Examples
    --------
    >>> with training_progress("MinSyn", 10, verbose=False) as on_epoch:
    ...     on_epoch(1, 12.5)
    """
    if not verbose:
        yield lambda epoch, loss: None
        return
    of_all = "" if max_epochs is None else "/{task.total}"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{{task.completed}}{of_all} {steps}, loss {{task.fields[loss]:.6g}}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=max_epochs, loss=float("nan"))
        yield lambda epoch, loss: progress.update(task, completed=epoch, loss=loss_unit * loss)
        # A run that converged is done: what stays on the screen must not look broken off.
        progress.update(task, total=progress.tasks[0].completed)
