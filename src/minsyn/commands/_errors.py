"""Errors and warnings of all commands as single lines on stderr, and their exit codes."""

import dis
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["CommandGroup", "one_line_errors"]

#: Packages that check what users give them, and say in the message what to change. A study that is
#: run by ``python -m`` is ``__main__``.
_CHECKING = ("minsyn", "sklearn", "studies", "__main__")
_RAISE = dis.opmap["RAISE_VARARGS"]


class CommandGroup(TyperGroup):
    """Commands whose errors and warnings are one line each: see `one_line_errors`.

    Examples
    --------
    >>> app = typer.Typer(cls=CommandGroup)
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        with one_line_errors(), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return super().invoke(ctx)


@contextmanager
def one_line_errors(stopped: str = "Stopped.") -> Iterator[None]:
    """Turn an error that the user can cause into one line, and leave all others as they are.

    ========================================================  =========  =====================
    error                                                     exit code  on stderr
    ========================================================  =========  =====================
    ValueError, TypeError or FloatingPointError that a check  1          ``Error: ...``
    of minsyn or scikit-learn raised; any exception of minsyn
    file that cannot be read or written (OSError)             1          ``Error: ...``
    missing optional package                                  1          ``Error: ...``
    memory exhausted                                          1          ``Error: ...``
    Ctrl-C                                                    130        ``stopped``
    anything else: a fault of minsyn                          1          the traceback
    ========================================================  =========  =====================

    Typer itself refuses unknown options and values of the wrong type, with exit code 2.

    Parameters
    ----------
    stopped : str, default="Stopped."
        The line after Ctrl-C.

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
    except KeyboardInterrupt:
        typer.echo(stopped, err=True)
        raise typer.Exit(130) from None
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        typer.echo(f"Error: {' '.join(message.split())}", err=True)
        raise typer.Exit(1) from error


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Print a warning without its place in the code."""
    typer.echo(f"Warning: {' '.join(str(message).split())}", err=True)


def _message(error: Exception) -> str | None:
    """The message of an error that the user can cause, else None."""
    if isinstance(error, BrokenPipeError):  # `minsyn ... | head`: Typer ends without a word
        return None
    if isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
        return reason if error.filename is None else f"{error.filename}: {reason}"
    if _is_out_of_memory(error):
        return f"out of memory ({error})" if str(error) else "out of memory"
    if isinstance(error, ImportError):
        # Python names the module that it misses; a message of our own says what to install.
        return str(error) if error.name is None else None
    if type(error).__module__.partition(".")[0] == "minsyn":
        return str(error)
    if isinstance(error, ValueError | TypeError | FloatingPointError) and _is_of_a_check(error):
        return str(error)
    return None


def _is_out_of_memory(error: Exception) -> bool:
    """NumPy raises MemoryError, torch RuntimeError or a class of its own."""
    of_torch = isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    )
    return isinstance(error, MemoryError) or of_torch


def _is_of_a_check(error: Exception) -> bool:
    """Whether a ``raise`` statement of a checking package raised it, and not a wrong call."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    frame = trace.tb_frame
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package in _CHECKING and frame.f_code.co_code[trace.tb_lasti] == _RAISE
