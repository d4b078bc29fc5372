"""Errors and warnings of all commands as single lines on stderr, and their exit codes."""

import dis
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["CommandGroup", "in_options", "one_line_errors"]

#: Packages that check what users give them, and say in the message what to change. A study that is
#: run by ``python -m`` is ``__main__``.
_CHECKING = ("minsyn", "sklearn", "studies", "__main__")
#: Arguments in Python whose options have other names.
_OTHER_NAMES = {
    "n_bootstrap": "bootstrap",
    "n_groups": "groups",
    "n_neighbors": "neighbors",
    "n_permutations": "permutations",
    "random_state": "seed",
    "separator": "sep",
}
#: How messages name arguments: ``x=1``, ``The 'x' parameter of MinSyn``, ``x_y``. What stands in
#: quotation marks otherwise may be a column, and a word without an underscore is a word.
_WITH_VALUE = re.compile(r"""(?<![\w.'"-])(?<!\w\()(\w+)=('[^']*'|-?\d[\w.+-]*\b|\w*)""")
_OF_SKLEARN = re.compile(r"The '(\w+)' parameter of \w+")
_ALONE = re.compile(r"""(?<![\w.'"=-])(\w+_\w+)(?![\w'"=(.]\w|['"=(])""")
_PYTHON_TOO = re.compile(r", or [A-Z]\w+\([^()]*\)")
_COLUMN = re.compile(r"(?<!\w)[XZ]\[('[^']*')\]")
_RAISE = dis.opmap["RAISE_VARARGS"]


class CommandGroup(TyperGroup):
    """Commands whose errors and warnings are one line each: see `one_line_errors`.

    Examples
    --------
    >>> app = typer.Typer(cls=CommandGroup)
    """

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read what was typed."""
        with one_line_errors():  # Click would end without a word at Ctrl-C
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""

        def translate(text: str) -> str:
            return in_options(text, self._options(ctx))

        def show_warning(message: Warning | str, *place: Any, **more: Any) -> None:
            typer.echo(f"Warning: {translate(' '.join(str(message).split()))}", err=True)

        with one_line_errors(translate=translate), warnings.catch_warnings():
            warnings.showwarning = show_warning
            return super().invoke(ctx)

    def _options(self, ctx: Any) -> dict[str, str]:
        """Options of the command that was typed, by their names in Python."""
        command = self.get_command(ctx, ctx.invoked_subcommand or "")
        if command is None:
            return {}
        options = {
            str(parameter.name): option
            for parameter in command.params
            for option in parameter.opts[::-1]
            if option.startswith("--")
        }
        others = {n: options[other] for n, other in _OTHER_NAMES.items() if other in options}
        return {**others, **options}


def in_options(text: str, options: Mapping[str, str]) -> str:
    """A message in which arguments in Python are options of the command line.

    Parameters
    ----------
    text : str
        The message.
    options : mapping of str to str
        Name in Python -> option.

    Examples
    --------
    >>> in_options("n_components=9 must be 3; see 'n_components'", {"n_components": "--number"})
    "--number 9 must be 3; see 'n_components'"
    """

    def with_value(match: re.Match[str]) -> str:
        if match[1] not in options:
            return match[0]
        return f"{options[match[1]]} {match[2].strip(chr(39))}".strip()

    def alone(match: re.Match[str]) -> str:
        return options.get(match[1], match[0])

    text = _COLUMN.sub(r"column \1", _PYTHON_TOO.sub("", text))
    text = _WITH_VALUE.sub(with_value, text)
    return _ALONE.sub(alone, _OF_SKLEARN.sub(alone, text))


@contextmanager
def one_line_errors(
    stopped: str = "Stopped.", translate: Callable[[str], str] = str
) -> Iterator[None]:
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
    translate : callable
        Changes the message of an error, for example by `in_options`.

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
        typer.echo(f"Error: {translate(' '.join(message.split()))}", err=True)
        raise typer.Exit(1) from error


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
