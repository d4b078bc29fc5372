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

import jaxtyping
import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.extra import numpy as hnp
from scipy import sparse

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
def as_users_call() -> Iterator[None]:
    """Without the checks of shapes and types that the tests add to every function."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


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
    return is_raised_in(_PACKAGE, error)


def is_raised_in(folder: Path, error: BaseException) -> bool:
    """Whether a `raise` of the code in a folder raised an error."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raises = dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    return raises and Path(code.co_filename).is_relative_to(folder)


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
    with as_users_call(), no_foreign_warnings():
        try:
            return function(*args, **options)
        except errors as error:
            if not is_own(error):
                raise ForeignError(f"not our own: {error!r}") from error
            text = str(error)
            if not text or "\n" in text.strip():
                raise ForeignError(f"no line of text: {error!r}") from error
            return None


#: Numbers at which floating point, or a check, may go astray.
NUMBERS = [0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, 5e-324, 1e-12, 1e8, 1e75, 1e300, 1e308, np.nan, np.inf]


@st.composite
def nonsense(draw: st.DrawFn, max_axes: int = 3) -> Any:
    """What a caller may pass by mistake for an array of numbers; some of it is one."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=max_axes, min_side=0, max_side=3))
    kinds = ["f8", "f4", "f2", "g", "i8", "u1", "?", "c16", "U3", "O", "M8[s]", "m8[s]", "S2"]
    kind = np.dtype(draw(st.sampled_from(kinds)))
    if kind.kind in "fc":
        array = draw(hnp.arrays("f8", shape, elements=st.sampled_from(NUMBERS)))
        with np.errstate(all="ignore"):
            array = array.astype(kind)
    elif kind.kind == "O":
        things = [None, "a", 1, 0.5, np.nan, (), [1, 2], {}, 10**400, b"x", True, object()]
        array = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            array[place] = draw(st.sampled_from(things))
    else:
        array = draw(hnp.arrays("i8", shape, elements=st.integers(0, 3))).astype(kind)
    form = draw(st.integers(0, 9))
    if form == 0:
        return array.tolist()
    if form == 1:
        return [array.tolist(), [array.tolist()]]  # ragged
    if form == 2:
        return draw(st.sampled_from([None, "text", 3, 0.5, {}, {"a": [1]}, object(), iter([1.0])]))
    if form == 3:
        return np.ma.masked_array(array)
    if form == 4 and kind.kind == "f" and kind.itemsize <= 8:
        return torch.from_numpy(np.ascontiguousarray(array)).requires_grad_()
    if form == 5 and array.ndim == 2:
        return pd.DataFrame(array)
    if form == 6 and array.ndim == 2 and kind.kind in "fiu?" and kind.itemsize <= 8:
        return sparse.csr_array(array) if kind != np.float16 else array
    return array
