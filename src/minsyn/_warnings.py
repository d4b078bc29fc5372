"""Warnings that point at the user's own line."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

__all__ = ["warn"]

#: Folders whose lines are not the user's own. scikit-learn is found without being imported.
_OURS = tuple(
    f"{folder}/"
    for folder in [Path(__file__).parent]
    + [Path(spec.origin).parent for spec in [find_spec("sklearn")] if spec and spec.origin]
)


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
    level, frame = 2, sys._getframe(1)
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
