"""Sign of life while a file is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["reading"]


@contextmanager
def reading(file: Path, *, shown: bool = True) -> Iterator[None]:
    """Say in a terminal that a file is being read, and take it back at the end.

    Parameters
    ----------
    file : Path
        The file.
    shown : bool, default=True
        Whether to say so.

    Examples
    --------
    >>> with reading(Path("answers.csv")):
    ...     pass
    """
    if not shown:
        yield
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"reading {escape(str(file))}"):
        yield
