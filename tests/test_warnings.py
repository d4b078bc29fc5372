"""Warnings point at the line of the user, however deep in the package they arise."""

import warnings

import pytest

from minsyn._warnings import warn


def test_points_at_the_first_line_outside_the_package():
    # A function whose code claims to lie in the package, as what calls `warn` there does.
    inside = {"warn": warn}
    source = "def outer():\n    inner()\n\ndef inner():\n    warn('deep', FutureWarning)\n"
    exec(compile(source, warn.__code__.co_filename, "exec"), inside)
    with pytest.warns(FutureWarning, match="deep") as caught:
        inside["outer"]()
    assert caught[0].filename == __file__


def test_points_at_the_caller_who_is_outside_himself():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn("here")
    assert caught[0].filename == __file__
