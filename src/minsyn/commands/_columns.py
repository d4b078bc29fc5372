"""Names of columns as options give them."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["choose_columns", "split_names"]

#: Words with these endings are files that stand behind the options by mistake.
_FILES = (".csv", ".parquet", ".npy", ".npz")


def split_names(words: list[str]) -> list[str]:
    """Names given one by one or with commas, each once.

    Parameters
    ----------
    words : list of str
        Values of an option.

    Examples
    --------
    >>> split_names(["a,b", "c", "a"])
    ['a', 'b', 'c']
    """
    names = [part.strip() for word in words for part in word.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def choose_columns(present: Sequence[str], words: list[str], option: str) -> list[str]:
    """Columns of a table that an option names, or a ValueError that says which is missing.

    Parameters
    ----------
    present : sequence of str
        The table's columns.
    words : list of str
        Values of the option.
    option : str
        Its name, for messages.

    Examples
    --------
    >>> choose_columns(["a", "b", "c"], ["a,c"], "--columns")
    ['a', 'c']
    """
    whole = list(dict.fromkeys(words))
    # A column's name may hold a comma itself.
    names = whole if set(present).issuperset(whole) else split_names(words)
    missing = [name for name in names if name not in present]
    if missing:
        hint = ""
        if any(Path(name).suffix in _FILES for name in missing):
            hint = "; the file stands before the options"
        shown = ", ".join(present[:20])
        raise ValueError(f"{option}: no column {missing[0]!r}; there are {shown}{hint}")
    if not names:
        raise ValueError(f"{option} names no column")
    return names
