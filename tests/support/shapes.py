"""Types and shapes are checked once for each kind of call, instead of in every call."""

import dataclasses
from collections.abc import Callable, Hashable
from functools import partial, update_wrapper, wraps
from types import FunctionType
from typing import Any

Function = Callable[..., Any]


def once_for_each_kind(jaxtyped: Function) -> Function:
    """`jaxtyping.jaxtyped`, which passes over calls like one that has passed before.

    What jaxtyping and its type checker ask of an argument or a result follows from its type, shape
    and dtype and, where a shape or a `Literal` names it, from its value. A fit calls the same few
    functions thousands of times with arguments that are alike in all of these.
    """

    def decorate(function: Any = None, *, typechecker: Any) -> Any:
        if function is None:
            return partial(decorate, typechecker=typechecker)
        check = partial(jaxtyped, typechecker=typechecker)
        if not isinstance(function, type):
            return _checked(function, check)
        if dataclasses.is_dataclass(function):
            function.__init__ = _checked(function.__init__, check)
        return function

    return decorate


def _checked(function: Function, check: Callable[[Function], Function]) -> Function:
    """`check(function)` for each kind of arguments and of results, the function itself after it."""
    whole: Function | None = None
    result_alone: Function | None = None
    passed: dict[Hashable, set[Hashable]] = {}
    returned: list[Any] = [None]
    annotations = " ".join(map(repr, function.__annotations__.values()))
    by_value = "{" in annotations or "Literal" in annotations

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return returned[0]

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal whole, result_alone
        kinds = _kinds((*args, *kwargs.values()), by_value)
        call = None if kinds is None else (kinds, *kwargs)
        results = passed.get(call)
        if results is None:
            if whole is None:  # most functions are not called in most test processes
                whole = check(function)
            result = whole(*args, **kwargs)
            if call is not None:
                passed[call] = {_kinds((result,), by_value)}
            return result
        result = function(*args, **kwargs)
        kind = _kinds((result,), by_value)
        if kind is None or kind not in results:
            if result_alone is None:
                # jaxtyping reads annotations in the globals of the function that has them.
                same = FunctionType(
                    stand_in.__code__, function.__globals__, closure=stand_in.__closure__
                )
                result_alone = check(update_wrapper(same, function))
            returned[0] = result
            result_alone(*args, **kwargs)
            returned[0] = None  # or the result would never be freed
            results.add(kind)
        return result

    return checked


def _kinds(values: tuple[Any, ...], by_value: bool) -> Hashable:
    """All of the values that a check may depend on; None where that is too much to compare."""
    try:
        return tuple([_kind(value, by_value) for value in values])
    except _TooLongError:
        return None


class _TooLongError(Exception):
    """More is in an argument than should be compared."""


def _kind(value: Any, by_value: bool) -> Hashable:
    kind = type(value)
    if kind in _SIMPLE:
        return (kind, value) if by_value else kind
    if kind in _CONTAINERS:
        if len(value) > 10:
            raise _TooLongError
        inside = (*value, *value.values()) if kind is dict else value
        return kind, *[_kind(one, by_value) for one in inside]
    if isinstance(value, type):
        return value
    return kind, getattr(value, "dtype", None), getattr(value, "shape", None)


_SIMPLE = {int, str, bool, type(None)}
_CONTAINERS = {tuple, list, dict}
