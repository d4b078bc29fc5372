"""Tables in ``.csv`` and ``.parquet`` files as data frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from minsyn.data.columnar_files import ColumnarTable, columnar_table
from minsyn.data.table_format import TableFormat
from minsyn.data.text_layout import INDEX
from minsyn.data.text_tables import TextTable

__all__ = [
    "TABLES",
    "AnyTable",
    "is_table",
    "open_table",
    "read_columns",
    "read_table",
    "require_columns",
    "some",
    "table_columns",
    "table_suffix",
]

_COLUMNAR = (".parquet", ".feather", ".arrow")
_TEXT = (".csv", ".tsv", ".txt")
_EXCEL = (".xlsx",)
#: Endings of files whose columns have names.
TABLES = (*_TEXT, *(suffix + ".gz" for suffix in _TEXT), *_COLUMNAR, *_EXCEL)

AnyTable = TextTable | ColumnarTable


def table_suffix(path: str | Path) -> str:
    """Ending of a file's name, in lower case, with the one before ``.gz``.

    Examples
    --------
    >>> table_suffix("x.CSV.gz"), table_suffix("a.b.npy")
    ('.csv.gz', '.npy')
    """
    path = Path(path)
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() + suffix if suffix == ".gz" else suffix


def is_table(path: str | Path) -> bool:
    """Whether a file is a table, by its name: its columns have names, and may hold text."""
    return table_suffix(path) in TABLES


def open_table(path: str | Path, table: TableFormat | None = None) -> AnyTable:
    """Open a table by the ending of its name.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv`` or ``.txt`` file, which may be compressed (``.gz``), or a ``.parquet``,
        ``.feather``, ``.arrow`` or ``.xlsx`` file.
    table : TableFormat, optional
        What cannot be seen in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not such a table.
    ImportError
        If a package is needed and not installed; the message names the extra.
    """
    path = Path(path)
    if not is_table(path):
        raise ValueError(f"{path}: expected a table, as a file ending in {', '.join(TABLES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    suffix = table_suffix(path)
    if suffix in _COLUMNAR:
        return columnar_table(path, table)
    if suffix in _EXCEL:
        from minsyn.data.excel_tables import ExcelTable

        return ExcelTable(path, table)
    return TextTable(path, table)


def table_columns(path: str | Path, table: TableFormat | None = None) -> dict[str, bool]:
    r"""Names of a table's columns, and whether each holds numbers.

    Parameters
    ----------
    path : str or Path
        A table that `as_samples` reads. A text table is judged by its first thousand rows.
    table : TableFormat, optional
        What cannot be seen in the file.

    Returns
    -------
    dict of str to bool
        An index, which is among them, does not count as numbers; in a text table it is a first
        column without a name, and is called ``Unnamed: 0``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not such a table.
    ImportError
        If a package is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("dose,site\n0.5,a\n1.5,b\n")
    ...     table_columns(path)
    {'dose': True, 'site': False}
    """
    return open_table(path, table).columns


def read_table(path: str | Path, table: TableFormat | None = None) -> pd.DataFrame:
    r"""A whole table, with all columns of numbers and of text.

    Missing values stay missing: in a text table these are empty cells and the usual marks, such as
    NA, and in columns of numbers also ``?``, ``.`` and the like.

    Parameters
    ----------
    path : str or Path
        A table that fits in memory, in a file that `as_samples` reads.
    table : TableFormat, optional
        What cannot be seen in the file.

    Returns
    -------
    DataFrame
        The columns, named by strings. An index that is stored with them is the index of the frame.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not such a table. In a text table, also if a row has too many or too
        few values, or a column of numbers holds text; the message has the number of the line.
    ImportError
        If a package is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("dose,site\n0.5,a\n?,b\n")
    ...     read_table(path)
       dose site
    0   0.5    a
    1   NaN    b
    """
    file = open_table(path, table)
    if isinstance(file, ColumnarTable):
        return file.read()
    (frame,) = file.frames(list(file.columns))
    if INDEX in file.columns:
        index = _numbers_if_exact(file.text([INDEX])[INDEX])
        frame = frame.drop(columns=INDEX).set_index(pd.Index(index))
        frame.index.name = None
    return frame


def read_columns(
    path: str | Path, names: Sequence[str], table: TableFormat | None = None
) -> pd.DataFrame:
    r"""Columns of a table as they stand in the file, to be carried over into another file.

    Parameters
    ----------
    path : str or Path
        A table that `as_samples` reads.
    names : sequence of str
        Columns, which may be an index, in this order.
    table : TableFormat, optional
        What cannot be seen in the file.

    Returns
    -------
    DataFrame
        From a text table, numbers if they are written as in the file, and text otherwise: ``NA``
        and ``007`` remain what they are, and so does an empty cell.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no such column, or the file is empty or not such a table.
    ImportError
        If a package is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("id,country,year\n007,NA,1999\n008,DE,2001\n")
    ...     read_columns(path, ["country", "id", "year"])
      country   id  year
    0      NA  007  1999
    1      DE  008  2001
    """
    file = open_table(path, table)
    require_columns(file.columns, names, str(path))
    frame = file.text(names)
    return frame if isinstance(file, ColumnarTable) else frame.apply(_numbers_if_exact)


def require_columns(present: dict[str, bool], names: Sequence[str], name: str) -> None:
    """Raise a ValueError if a column is not there, or is named twice.

    Parameters
    ----------
    present : dict of str to bool
        From `table_columns`.
    names : sequence of str
        Columns that are needed.
    name : str
        Name of the table in messages.
    """
    for column in names:
        if column not in present:
            raise ValueError(f"{name} has no column {column!r}; there are {some(present)}")
    if len(set(names)) < len(names):
        twice = next(column for column in names if list(names).count(column) > 1)
        raise ValueError(f"columns names {twice!r} twice")


def some(names: Any) -> str:
    """The first ten names, and how many more there are."""
    names = list(names)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _numbers_if_exact(text: pd.Series) -> pd.Series:
    """Numbers, if writing them gives the same text again."""
    numbers = pd.to_numeric(text, errors="coerce")
    exact = numbers.notna().all() and bool((numbers.astype(str) == text).all())
    return numbers if exact else text
