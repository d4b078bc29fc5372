"""Errors of other libraries about damaged files, in one form."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["DamagedFileError", "damage_named"]


class DamagedFileError(ValueError):
    """A file is damaged, or of another kind than its name says."""


@contextmanager
def damage_named(name: str, kind: str) -> Iterator[None]:
    """Raise a `DamagedFileError` for whatever a library raises about the content of a file.

    Decoders raise errors of many kinds, of their own and of Python. Errors of the system, such as
    a file that may not be read, and missing packages stay as they are.

    Parameters
    ----------
    name : str
        Name of the file.
    kind : str
        What it should be, with its article.

    Examples
    --------
    >>> with damage_named("x.npz", "an .npz file"):
    ...     raise KeyError("y")
    Traceback (most recent call last):
        ...
    minsyn.data.damage.DamagedFileError: x.npz is not an .npz file, or is damaged: 'y'
    """
    try:
        yield
    except (ImportError, DamagedFileError):
        raise
    except Exception as error:
        # Damage leads to impossible positions in a file, which the system refuses by EINVAL.
        of_system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
        if of_system:
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        raise DamagedFileError(f"{name} is not {kind}, or is damaged: {text}") from error
