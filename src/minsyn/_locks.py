"""Locks between processes, which the operating system releases when a process ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["LOCKS_OPEN_FILES", "FolderInUseError", "locked", "open_locked"]

#: Whether a file keeps its lock while it is renamed. Without, files are not locked.
LOCKS_OPEN_FILES = fcntl is not None
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class FolderInUseError(ValueError):
    """Another run writes to the folder."""


def open_locked(path: Path, *, wait: bool = True) -> BinaryIO:
    """Open a file that no other process has locked, for reading and writing, and lock it.

    The lock lasts until the file is closed or the process ends, however it does.

    Parameters
    ----------
    path : Path
        The file, made if it does not exist. Its content is left as it is.
    wait : bool, default=True
        Whether to wait for a file that is locked.

    Returns
    -------
    file
        In binary mode, at its beginning.

    Raises
    ------
    BlockingIOError
        If the file is locked, and ``wait`` is False.
    OSError
        If the file cannot be opened.
    """
    while True:
        # Not in append mode, in which nothing could be written but at the end.
        file = os.fdopen(os.open(path, _FLAGS, 0o666), "r+b")
        try:
            if not _lock(file, wait) or _is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its owner has renamed or removed it in the meantime


@contextmanager
def locked(folder: Path, name: str = ".lock", *, wait: bool = False, cure: str) -> Iterator[None]:
    """Keep other runs out of a folder.

    Parameters
    ----------
    folder : Path
        The folder, made if it does not exist.
    name : str, default=".lock"
        Name of the file that is locked, which is removed at the end.
    wait : bool, default=False
        Whether to wait for another run, rather than to raise an error.
    cure : str
        What to do instead, for the message.

    Raises
    ------
    FolderInUseError
        If another run has locked the folder, and ``wait`` is False.
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with locked(folder, cure="wait for it"), locked(folder, cure="wait for it"):
    ...     pass
    Traceback (most recent call last):
        ...
    minsyn._locks.FolderInUseError: ... is in use by another run: wait for it
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    try:
        file = open_locked(path, wait=wait)
    except BlockingIOError as error:
        raise FolderInUseError(f"{folder} is in use by another run: {cure}") from error
    try:
        yield
    finally:
        if LOCKS_OPEN_FILES:
            path.unlink(missing_ok=True)
        file.close()


def _lock(file: BinaryIO, wait: bool) -> bool:
    """Lock an open file; False where the system or the file system has no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file is still the one under its name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
