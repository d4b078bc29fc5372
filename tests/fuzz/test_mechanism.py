"""`result_of` tells our own errors and warnings from those of other libraries."""

import numpy as np
import pytest

from fuzzing import ForeignError, n_examples, result_of
from minsyn._warnings import warn
from minsyn.information import discrete


def test_our_own_errors_are_no_result():
    assert result_of(discrete.entropy, [0.5, 0.5]) == 1.0
    assert result_of(discrete.entropy, [0.5, np.nan]) is None


def ours(statement, **names):
    """A function whose code claims to lie in the package."""
    source = f"def function():\n    {statement}\n"
    exec(compile(source, discrete.__file__, "exec"), names)
    return names["function"]


def test_others_errors_fail():
    for statement in (
        "numpy.linalg.cholesky(numpy.array([[1.0, 2.0], [2.0, 1.0]]))",  # a ValueError of NumPy's
        "numpy.zeros(2) + numpy.zeros(3)",  # and one of its C code, which has no line of its own
        "int('one')",
        "numpy.zeros(2)[5]",
        "raise ValueError",
        "raise ValueError('two\\nlines')",
        "raise RuntimeError('ours, but of no kind that a caller expects')",
    ):
        with pytest.raises((ForeignError, IndexError, RuntimeError)):
            result_of(ours(statement, numpy=np))


def test_others_warnings_fail():
    result_of(ours("warn('few samples')", warn=warn))
    with pytest.raises(ForeignError, match="RuntimeWarning: divide by zero"):
        result_of(ours("numpy.log(numpy.zeros(1))", numpy=np))
    with pytest.raises(ForeignError, match="UserWarning: torch"):
        result_of(ours("warnings.warn('torch')", warnings=__import__("warnings")))


def test_a_multiple_of_the_suite(monkeypatch):
    monkeypatch.setattr("fuzzing.TIMES", 0)
    assert n_examples(20) == 20
    monkeypatch.setattr("fuzzing.TIMES", 100)
    assert n_examples(20) == 2000
