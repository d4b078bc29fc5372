"""Files that are there in full or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from minsyn._locks import LOCKS_OPEN_FILES, open_locked

__all__ = ["replacing", "write_atomically"]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, such that no reader and no crash ever sees a part of it.

    What is written goes to a hidden file beside ``path``, is forced to the disk, and takes the name
    in one step at the end. If an error or a signal comes before, what stood under the name is still
    there. Processes that write the same file do so one after the other. Links are followed, and an
    existing file keeps its permissions. Pipes and devices are written to directly.

    Parameters
    ----------
    path : Path
        File to write or replace; its folder must exist.

    Raises
    ------
    OSError
        The disk is full, the folder cannot be written to, or the like.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as file:
    ...         _ = file.write(b"content")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    # The name is always the same, so that what a killed process left is overwritten next time.
    part = path.with_name(f".{path.name}.part")
    try:
        with open_locked(part) as file:
            try:
                file.truncate(0)
                yield file
                file.flush()
                os.fsync(file.fileno())
                with suppress(OSError):  # a new file, or a file system without permissions
                    shutil.copymode(path, part)
                if not LOCKS_OPEN_FILES:
                    file.close()  # Windows renames no open files
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(
            error.errno,
            f"cannot write ({error.strerror}). The earlier file, if any, is kept: free some "
            "space, or make the folder writable, and try again",
            str(path),
        ) from error


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that no reader and no crash ever sees a part of it; see `replacing`.

    Parameters
    ----------
    path : Path
        File to write or replace; its folder must exist.
    content : bytes or str
        Strings are written as UTF-8.

    Raises
    ------
    OSError
        The disk is full, the folder cannot be written to, or the like.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "a.txt"), "content")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
