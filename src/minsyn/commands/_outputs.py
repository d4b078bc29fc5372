"""Checks of output files before a command starts its work."""

import os
from collections.abc import Collection
from pathlib import Path

__all__ = ["check_figure", "check_file", "check_parent"]


def check_file(
    file: Path, suffixes: Collection[str], option: str = "--output", read: Path | None = None
) -> None:
    """Raise an error if a file cannot be written, or is the one that is read.

    Parameters
    ----------
    file : Path
        The file.
    suffixes : collection of str
        Suffixes of the formats that can be written.
    option : str, default="--output"
        Name of the option that gave the file, for messages.
    read : Path, optional
        The file that the command reads.

    Raises
    ------
    ValueError
        If the suffix is another one, or the file is the one that is read.
    OSError
        If the file is a folder, or its folder can be neither written nor made.

    Examples
    --------
    >>> check_file(Path("factors.txt"), [".csv", ".npy"])
    Traceback (most recent call last):
        ...
    ValueError: --output factors.txt: expected a name ending in .csv, .npy
    """
    if file.suffix.lower() not in suffixes:
        raise ValueError(f"{option} {file}: expected a name ending in {', '.join(suffixes)}")
    if read is not None and file.exists() and read.exists() and file.samefile(read):
        raise ValueError(f"{option} {file}: this is the file that is read; give it another name")
    if file.is_dir():
        raise IsADirectoryError(f"{option} {file}: this is a folder; expected the name of a file")
    check_parent(file, option)


def check_figure(file: Path, option: str) -> None:
    """Raise an error if a figure cannot be written: see `check_file`.

    Parameters
    ----------
    file : Path
        The file.
    option : str
        Name of the option that gave the file, for messages.
    """
    from matplotlib.figure import Figure

    # PGF is text for LaTeX, which Matplotlib runs to measure it.
    formats = [name for name in Figure().canvas.get_supported_filetypes() if name != "pgf"]
    check_file(file, [f".{name}" for name in formats], option)


def check_parent(path: Path, option: str = "--output") -> None:
    """Raise an error if the folder of a file can be neither written nor made.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    option : str, default="--output"
        Name of the option that gave it, for messages.

    Raises
    ------
    OSError
        If a part of the path is a file, or the innermost folder that exists is read-only.
    """
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise NotADirectoryError(f"{option} {path}: {folder} is a file, not a folder")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{option} {path}: cannot write into {folder}")
