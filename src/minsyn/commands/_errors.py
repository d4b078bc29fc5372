"""Errors of a command as one line on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

__all__ = ["one_line_errors"]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit code 1.

    Examples
    --------
    >>> try:
    ...     with one_line_errors():
    ...         raise ValueError("no such column")
    ... except typer.Exit as end:
    ...     print(end.exit_code)
    1
    """
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(1) from error
