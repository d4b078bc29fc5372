"""Files that are there in full or not at all."""

import os
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that no reader and no crash ever sees a part of it.

    The content goes to a hidden file beside ``path``, is forced to the disk, and takes the name
    in one step. If that fails, what stood under the name before is still there.

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
    if isinstance(content, str):
        content = content.encode()
    # The name is always the same, so that what a killed process left is overwritten next time.
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise type(error)(
            error.errno,
            f"cannot write ({error.strerror}). What stood there before is kept: make room, or "
            "make the folder writable, and try again",
            str(path),
        ) from error
