"""A progress bar over epochs, or none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["training_progress"]


@contextmanager
def training_progress(
    description: str,
    max_epochs: int,
    *,
    steps: str = "epochs",
    loss_unit: float = 1.0,
    verbose: bool,
) -> Iterator[Callable[[int, float], None]]:
    """Show epochs and loss while a model trains.

    Parameters
    ----------
    description : str
        What is being trained.
    max_epochs : int
        Epochs at the most; a run that converges ends earlier.
    steps : str, default="epochs"
        What is counted, such as "iterations".
    loss_unit : float, default=1.0
        What a loss of 1 is shown as, where training works on scaled data.
    verbose : bool
        Without it nothing is shown.

    Yields
    ------
    callable
        To be told of each epoch's number and loss.

    Examples
    --------
    >>> with training_progress("MinSyn", 10, verbose=False) as on_epoch:
    ...     on_epoch(1, 12.5)
    """
    if not verbose:
        yield lambda epoch, loss: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{{task.completed}}/{{task.total}} {steps}, loss {{task.fields[loss]:.6g}}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(description, total=max_epochs, loss=float("nan"))
        yield lambda epoch, loss: progress.update(task, completed=epoch, loss=loss_unit * loss)
