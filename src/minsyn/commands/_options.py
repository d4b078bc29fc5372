"""Values of options that Typer does not check."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from minsyn.data import TableFormat

__all__ = [
    "Decimal",
    "Encoding",
    "Header",
    "Missing",
    "Separator",
    "choose_columns",
    "require_option",
    "split_names",
    "table_format",
]

#: Heading of these options in the help.
_LAYOUT = "Layout of the table"
#: How a table is written, for the commands that read one.
Separator = Annotated[
    str | None,
    typer.Option(
        "--sep",
        rich_help_panel=_LAYOUT,
        help="Character between the values of a text table: `tab`, `comma`, `semicolon`, `space`, "
        "`pipe` or another one.",
        show_default="detected",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_LAYOUT,
        help="Decimal mark of a text table, a point or a comma.",
        show_default="detected",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_LAYOUT,
        help="Encoding of a text table, such as `cp1252`.",
        show_default="detected",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        rich_help_panel=_LAYOUT,
        help="Whether the first line names the columns.",
        show_default="detected",
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        rich_help_panel=_LAYOUT,
        help="Further values that mean missing, besides empty cells, NA and the like: "
        "`--missing -999`.",
        show_default=False,
    ),
]

#: Words with these endings are files that were put behind the options by mistake.
_FILES = (".csv", ".parquet", ".npy", ".npz")


def split_names(words: list[str]) -> list[str]:
    """Names given one by one or separated by commas, without repetitions.

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
    """Columns of a table that an option names.

    Parameters
    ----------
    present : sequence of str
        Columns of the table.
    words : list of str
        Values of the option.
    option : str
        Name of the option, for messages.

    Raises
    ------
    ValueError
        If there is no such column, or the option names none.

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
            hint = "; the file must stand before the options"
        shown = ", ".join(present[:20])
        raise ValueError(f"{option}: no column {missing[0]!r}; the columns are {shown}{hint}")
    if not names:
        raise ValueError(f"{option} names no column")
    return names


def require_option(option: str, value: Any, other: str, is_given: bool) -> None:
    """Raise an error if an option was given that has no effect without another one.

    Parameters
    ----------
    option : str
        Name of the option, for messages.
    value : object
        Its value; None where it was not given.
    other : str
        Name of the other option.
    is_given : bool
        Whether the other option was given.

    Examples
    --------
    >>> require_option("--dpi", 300, "--figure", is_given=False)
    Traceback (most recent call last):
        ...
    ValueError: --dpi has no effect without --figure: leave it out, or give both
    """
    if value is not None and not is_given:
        raise ValueError(f"{option} has no effect without {other}: leave it out, or give both")


def table_format(
    sep: str | None,
    decimal: str | None,
    encoding: str | None,
    header: bool | None,
    missing: Sequence[str] | None,
) -> "TableFormat":
    """How a table is written, from the options of a command.

    Parameters
    ----------
    sep, decimal, encoding, header, missing
        Values of the options; None where one was not given.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """
    from minsyn.data import TableFormat

    return TableFormat(sep, decimal, encoding, header, tuple(missing or ()))
