"""Checks of options: a ValueError that names the option, what is allowed and what was found."""

import math
from collections.abc import Iterable
from numbers import Real
from operator import index
from typing import Any

import numpy as np

__all__ = ["as_names", "generator", "number", "one_of", "said", "whole_number"]

#: Characters of an argument that a message shows.
_MOST_SAID = 200


def said(value: Any) -> str:
    """What an argument is, in one line that is not too long for a message.

    Examples
    --------
    >>> said(np.eye(2))
    'array([[1., 0.], [0., 1.]])'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}..."


def whole_number(value: Any, name: str, least: int, most: int | None = None) -> int:
    """An option that is a whole number, ``least`` or more, and ``most`` or less.

    Examples
    --------
    >>> whole_number(2.5, "bins", 2)
    Traceback (most recent call last):
        ...
    ValueError: bins must be a whole number of at least 2; found 2.5
    """
    try:
        found = index(value)
    except TypeError:
        found = least - 1
    if found < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; found {said(value)}")
    if most is not None and found > most:
        raise ValueError(f"{name} must be at most {most:,}; found {said(value)}")
    return found


def number(value: Any, name: str) -> float:
    """An option that is a real number of float64, or infinite.

    Examples
    --------
    >>> number("a", "confidence")
    Traceback (most recent call last):
        ...
    ValueError: confidence must be a number; found 'a'
    """
    try:
        found = float(value) if isinstance(value, Real) else math.nan
    except OverflowError:  # a whole number or a fraction that float64 cannot hold
        raise ValueError(f"{name} must be a number; found one beyond float64") from None
    if math.isnan(found):
        raise ValueError(f"{name} must be a number; found {said(value)}")
    return found


def one_of(value: Any, name: str, allowed: Iterable[str]) -> str:
    """An option that is one of several words.

    Examples
    --------
    >>> one_of("x", "unit", ("bits", "nats"))
    Traceback (most recent call last):
        ...
    ValueError: unit must be 'bits' or 'nats'; found 'x'
    """
    words = tuple(allowed)
    if not (isinstance(value, str) and value in words):
        *others, last = map(repr, words)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}; found {said(value)}")
    return value


def as_names(value: Any, name: str) -> list[str]:
    """One name, or several, as a list.

    Examples
    --------
    >>> as_names("all", "measures"), as_names(("a", "b"), "measures")
    (['all'], ['a', 'b'])
    """
    if isinstance(value, str):
        return [value]
    names = list(value) if np.iterable(value) else [value]
    if not all(isinstance(one, str) for one in names):
        raise ValueError(f"{name} must be a name or a list of names; found {said(value)}")
    return names


def generator(random_state: Any) -> np.random.Generator:
    """A generator from a seed, or the one that is given.

    Examples
    --------
    >>> generator(-1)
    Traceback (most recent call last):
        ...
    ValueError: random_state must be None, a whole number of at least 0 or a Generator; found -1
    """
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(
            "random_state must be None, a whole number of at least 0 or a Generator; found "
            f"{said(random_state)}"
        ) from None
