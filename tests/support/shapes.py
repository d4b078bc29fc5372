"""The checker of types and shapes for the tests: beartype, once for each kind of call."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any

from beartype import beartype


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`beartype(function)` for jaxtyping, which passes over calls like one that has passed before.

    What jaxtyping and beartype ask of an argument follows from its type, shape and dtype and, for
    integers and strings, from its value. A fit calls the same few functions thousands of times
    with arguments that are alike in all of these.
    """
    check: Callable[..., Any] | None = None
    passed = set()

    @wraps(function)
    def checked_once(*args: Any, **kwargs: Any) -> None:
        nonlocal check
        try:
            call = (*map(_kind, args), *kwargs, *map(_kind, kwargs.values()))
        except _TooLongError:
            call = None
        if call is None or call not in passed:
            if check is None:  # most functions are not called in most test processes
                check = beartype(function)
            check(*args, **kwargs)
            if call is not None:
                passed.add(call)

    return checked_once


class _TooLongError(Exception):
    """More is in an argument than should be compared."""


def _kind(value: Any) -> Hashable:
    """All of `value` that a check may depend on."""
    kind = type(value)
    if kind in _BY_VALUE:
        return kind, value
    if kind in _CONTAINERS:
        if len(value) > 10:
            raise _TooLongError
        if kind is dict:
            return kind, *map(_kind, value), *map(_kind, value.values())
        return kind, *map(_kind, value)
    if isinstance(value, type):
        return value
    return kind, getattr(value, "dtype", None), getattr(value, "shape", None)


_BY_VALUE = {int, str, bool, type(None)}
_CONTAINERS = {tuple, list, dict}
