"""Warnings that point at the user's own line."""

import sys
import warnings
from pathlib import Path
from types import FrameType

import sklearn

import minsyn

__all__ = ["warn"]

_OURS = tuple(f"{Path(package.__file__).parent}/" for package in (minsyn, sklearn))


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning whose place is the first line outside minsyn and scikit-learn.

    A counted ``stacklevel`` is wrong as soon as a caller is wrapped, as scikit-learn wraps `fit`.

    Parameters
    ----------
    message : str
        The warning's text.
    category : type of Warning, default=UserWarning
        Its class.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("few samples")
    >>> str(caught[0].message)
    'few samples'
    """
    level = 2
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level if frame is not None else 2)
