"""Fuzzing: how many examples are tried, and what a call may do with them.

The suite tries a few examples of every test, the same each time. `make fuzz` sets MINSYN_FUZZ,
and with MINSYN_FUZZ=100 there are a hundred times as many, other ones in each run. Failures are
kept in `.hypothesis` and are tried first next time.
"""

import dis
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

import minsyn

#: By how much the numbers of examples in the suite are multiplied.
TIMES = int(os.environ.get("MINSYN_FUZZ", "0"))

_PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("suite", _PATIENT, derandomize=True, database=None)
settings.register_profile(
    "fuzz",
    _PATIENT,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
    print_blob=True,
)

_PACKAGE = Path(minsyn.__file__).parent


def n_examples(in_suite: int) -> int:
    """How many examples are tried of a test that tries ``in_suite`` of them in the suite."""
    return in_suite * max(TIMES, 1)


def fuzz(in_suite: int = 10) -> settings:
    """Settings of a test that tries ``in_suite`` examples in the suite, to stand above `given`."""
    profile = settings.get_profile("fuzz" if TIMES else "suite")
    return settings(profile, max_examples=n_examples(in_suite))


class ForeignError(AssertionError):
    """What reached the caller is not our own."""


@contextmanager
def no_foreign_warnings() -> Iterator[None]:
    """Every warning is issued by `minsyn._warnings.warn`: none by NumPy, SciPy or torch."""
    foreign = []

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        frame = sys._getframe(1)
        while frame.f_back is not None and Path(frame.f_code.co_filename).name == "warnings.py":
            frame = frame.f_back
        if Path(frame.f_code.co_filename) != _PACKAGE / "_warnings.py":
            foreign.append(f"{category.__name__}: {message} ({filename}:{lineno})")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show  # type: ignore[assignment]
        yield
    if foreign:
        raise ForeignError("; ".join(foreign))


def is_own(error: BaseException) -> bool:
    """Whether a `raise` of the package raised an error; what C code raises has no such line."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raises = dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    return raises and Path(code.co_filename).is_relative_to(_PACKAGE)


def result_of(
    function: Callable[..., Any],
    *args: Any,
    errors: tuple[type[Exception], ...] = (ValueError, TypeError),
    **options: Any,
) -> Any:
    """What a call returns, or None where it refuses its arguments by an error of our own.

    Our own is what a `raise` of the package raises, in one line of text. Any other exception, and
    any warning that is not ours, fails the test.
    """
    with no_foreign_warnings():
        try:
            return function(*args, **options)
        except errors as error:
            if not is_own(error):
                raise ForeignError(f"not our own: {error!r}") from error
            text = str(error)
            if not text or "\n" in text.strip():
                raise ForeignError(f"no line of text: {error!r}") from error
            return None
