"""Tables in ``.csv`` and ``.parquet`` files as data frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from minsyn.data.csv_files import INDEX, CsvFile
from minsyn.data.parquet_files import parquet_columns, parquet_file

__all__ = ["TABLES", "read_columns", "read_table", "table_columns"]

#: Endings of files whose columns have names.
TABLES = (".parquet", ".csv")


def table_columns(path: str | Path) -> dict[str, bool]:
    r"""Names of a table's columns, and whether each holds numbers.

    Parameters
    ----------
    path : str or Path
        A ``.parquet`` file, or a ``.csv`` file, which is judged by its first thousand rows.

    Returns
    -------
    dict of str to bool
        An index, which is among them, does not count as numbers; in a ``.csv`` file it is a first
        column without a name, and is called ``Unnamed: 0``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not such a table.
    ImportError
        If pyarrow is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("dose,site\n0.5,a\n1.5,b\n")
    ...     table_columns(path)
    {'dose': True, 'site': False}
    """
    path = _table_path(path)
    if path.suffix.lower() == ".csv":
        return CsvFile(path).columns
    with parquet_file(path) as file:
        return parquet_columns(file.schema_arrow)


def read_table(path: str | Path) -> pd.DataFrame:
    r"""A whole table, with all columns of numbers and of text.

    Missing values stay missing: in a ``.csv`` file these are empty fields and pandas' other marks,
    such as NA.

    Parameters
    ----------
    path : str or Path
        A ``.csv`` or ``.parquet`` file that fits in memory.

    Returns
    -------
    DataFrame
        The columns, named by strings. An index that is stored with them is the index of the frame.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not such a table. In a ``.csv`` file, also if a row has too many or
        too few values, or a column of numbers holds text; the message has the number of the line.
    ImportError
        If pyarrow is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("dose,site\n0.5,a\n,b\n")
    ...     read_table(path)
       dose site
    0   0.5    a
    1   NaN    b
    """
    path = _table_path(path)
    if path.suffix.lower() == ".csv":
        file = CsvFile(path)
        (table,) = file.frames(list(file.columns))
        if INDEX in file.columns:
            index = _numbers_if_exact(file.text([INDEX])[INDEX])
            table = table.drop(columns=INDEX).set_index(pd.Index(index))
            table.index.name = None
        return table
    with parquet_file(path) as opened:
        table = opened.read().to_pandas()
    table.columns = table.columns.map(str)
    return table


def read_columns(path: str | Path, names: Sequence[str]) -> pd.DataFrame:
    r"""Columns of a table as they stand in the file, to be carried over into another file.

    Parameters
    ----------
    path : str or Path
        A ``.csv`` or ``.parquet`` file.
    names : sequence of str
        Columns, which may be an index, in this order.

    Returns
    -------
    DataFrame
        From a ``.csv`` file, numbers if they are written as in the file, and text otherwise: ``NA``
        and ``007`` remain what they are, and so does an empty field.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no such column, or the file is empty or not such a table.
    ImportError
        If pyarrow is needed and not installed.

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
    path = _table_path(path)
    if path.suffix.lower() == ".csv":
        file = CsvFile(path)
        require_columns(file.columns, names, str(path))
        return file.text(names).apply(_numbers_if_exact)
    with parquet_file(path) as opened:
        require_columns(parquet_columns(opened.schema_arrow), names, str(path))
        table = opened.read(columns=list(names)).to_pandas(ignore_metadata=True)
    return table[list(names)]


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


def _table_path(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix.lower() not in TABLES:
        raise ValueError(f"{path}: expected a .csv or .parquet file")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path


def _numbers_if_exact(text: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers, if writing them gives the same text again."""
    numbers = pd.to_numeric(text, errors="coerce")
    exact = numbers.notna().all() and bool((numbers.astype(str) == text).all())
    return numbers if exact else text
