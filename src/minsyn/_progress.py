"""What is being done, in a terminal, while there is nothing to count."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stage"]


@contextmanager
def stage(description: str, *, shown: bool) -> Iterator[None]:
    """Say on stderr what is being done and for how long, and take it back at the end.

    Parameters
    ----------
    description : str
        What is being done.
    shown : bool
        Whether to say so. A file gets nothing in any case.

    Examples
    --------
    >>> with stage("MinSyn: covariance of the features", shown=False):
    ...     pass
    """
    if not shown:
        yield
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):  # a file would get an empty line
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(escape(description), total=None)
        yield
