"""What an estimator, a loader or a saved model answers: a result, or an error of our own."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sklearn

from fuzzing import ForeignError, as_users_call, is_own, is_raised_in, no_foreign_warnings

_SKLEARN = Path(sklearn.__file__).parent


def attempt(
    function: Callable[..., Any], *args: Any, more: tuple[type[Exception], ...] = (), **options: Any
) -> Any:
    """What a call returns, or the error by which it refuses its arguments.

    Our estimators are scikit-learn's: what a ``raise`` of its checks says counts as our own, in as
    many lines as it likes. Any other exception fails the test, and so does a warning that is not
    ours. ``more`` are errors that we let through, such as that of a file that is not there.
    """
    with as_users_call(), no_foreign_warnings():
        try:
            return function(*args, **options)
        except more as error:
            return error
        except (ValueError, TypeError, FloatingPointError) as error:
            if is_own(error):
                if "\n" in str(error).strip():
                    raise ForeignError(f"more than a line: {error!r}") from error
            elif not is_raised_in(_SKLEARN, error):
                raise ForeignError(f"not our own: {error!r}") from error
            return error


def quietly(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What a call returns, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)
