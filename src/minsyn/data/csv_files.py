"""The one reader of CSV files: their layout, their columns, and frames of their rows."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

__all__ = ["INDEX", "CsvFile", "TableError"]

#: Name of an index column, which is no feature. pandas gives it to a first column without a name.
INDEX = "Unnamed: 0"

#: Rows by which columns are judged to hold numbers or text.
_ROWS_EXAMINED = 1000


class TableError(ValueError):
    """A table cannot be read: its rows, columns or values are not as they must be."""


class CsvFile:
    r"""A table of comma-separated values whose first line names the columns.

    A first column without a name is an index, as `DataFrame.to_csv` writes it. So is the first
    column where rows have one value more than the header, as R's ``write.table`` writes row names.
    Where every line ends in a comma, the empty value after it is ignored. Apart from that, a row
    must have as many values as there are columns: none is filled up or cut off. Blank lines are
    skipped.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.

    Attributes
    ----------
    path : Path
        The file.
    columns : dict of str to bool
        Names of the columns, and whether each holds numbers, judged by the first thousand rows. An
        index and a column without any value count as text.

    Raises
    ------
    ValueError
        If the file is empty, has no rows, or is not such a table.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "from_r.csv")
    ...     _ = path.write_text('"dose","site"\n"1",0.5,"a"\n"2",1.5,"b"\n')
    ...     CsvFile(path).columns
    {'Unnamed: 0': False, 'dose': True, 'site': False}
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._errors():
            names = self._read_layout()
            self.columns = dict.fromkeys(names, False)
            head = next(self._frames(names, _ROWS_EXAMINED))
        for name in names:
            numeric = pd.api.types.is_numeric_dtype(head[name]) and head[name].notna().any()
            self.columns[name] = name != INDEX and bool(numeric)

    def frames(self, names: Sequence[str], rows: int | None = None) -> Iterator[pd.DataFrame]:
        """Columns in the order of `names`, some rows at a time.

        Empty fields and pandas' other marks of missing values, such as NA, are missing.

        Parameters
        ----------
        names : sequence of str
            Some of `columns`.
        rows : int, optional
            Largest number of rows in a frame; by default one frame holds all rows.

        Yields
        ------
        DataFrame

        Raises
        ------
        ValueError
            If a row has too many or too few values, or a column of numbers holds text; the message
            has the number of the line.
        """
        text = {self._positions[name]: str for name in names if not self.columns[name]}
        n_rows = 0
        with self._errors():
            for frame in self._frames(names, rows, dtype=text):
                for name in names:
                    if self.columns[name]:
                        self._require_numbers(frame[name], n_rows)
                yield frame
                n_rows += len(frame)

    def text(self, names: Sequence[str]) -> pd.DataFrame:
        """Columns as text, character by character; an empty field is an empty text.

        Parameters
        ----------
        names : sequence of str
            Some of `columns`.

        Raises
        ------
        ValueError
            If a row has too many or too few values.
        """
        with self._errors():
            return next(self._frames(names, dtype=str, keep_default_na=False))

    def line(self, row: int) -> int:
        """Number of the line, from 1, on which a row begins.

        Parameters
        ----------
        row : int
            Number of the row, from 0, without the header.
        """
        with self._open() as file:
            records = _records(file)
            return next(islice(records, row + 1, None))[0]

    def _read_layout(self) -> list[str]:
        """Names of the columns; remembers which values of a row they are."""
        with self._open() as file:
            lines: list[str] = []
            records = _records(file, lines)
            _, header = next(records, (0, None))
            if header is None:
                raise TableError(
                    f"{self.path} is empty; a header line with the columns' names is needed"
                )
            header_text = "".join(lines)
            _, first = next(records, (0, None))
            if first is None:
                raise TableError(f"{self.path} holds no samples, only a header")
            full = (row for _, row in islice(records, _ROWS_EXAMINED) if len(row) == len(first))
            last_is_empty = not first[-1] and not any(row[-1] for row in full)
        if len(header) == 1 and _separated_otherwise(header[0], first):
            raise TableError(
                f"{self.path} has one column, {header[0]!r}: values must be separated by commas"
            )
        # pandas fills in missing names and tells equal ones apart.
        names = [str(name) for name in pd.read_csv(io.StringIO(header_text), nrows=0).columns]
        found, comma_in_header = len(first), len(header) > 1 and not header[-1]
        self._comma_at_end = last_is_empty and (
            found == len(header) + 1 or (found == len(header) and comma_in_header)
        )
        if comma_in_header and (self._comma_at_end or found == len(header) - 1):
            names.pop()
        elif found == len(header) + 1 and not self._comma_at_end and names[0] != INDEX:
            names.insert(0, INDEX)
        self._positions = {name: position for position, name in enumerate(names)}
        return names

    def _frames(
        self, names: Sequence[str], rows: int | None = None, **options: Any
    ) -> Iterator[pd.DataFrame]:
        positions = [self._positions[name] for name in names]
        with self._open() as file:
            source: Any = _CheckedRows(file, self.path, len(self._positions), self._comma_at_end)
            # Columns go by their positions; the last one takes the empty value after the comma.
            with pd.read_csv(
                source,
                header=None,
                names=range(len(self._positions) + self._comma_at_end),
                index_col=False,
                usecols=positions,
                iterator=True,
                chunksize=rows,
                **options,
            ) as reader:
                for frame in [reader.read()] if rows is None else reader:
                    yield frame[positions].set_axis(list(names), axis="columns")

    def _require_numbers(self, column: "pd.Series[Any]", n_rows: int) -> None:
        if pd.api.types.is_numeric_dtype(column):
            return
        text = column.notna() & pd.to_numeric(column, errors="coerce").isna()
        if text.any():
            row = int(np.argmax(text.to_numpy()))
            raise TableError(
                f"{self.path}: line {self.line(n_rows + row)}, column {column.name!r} holds "
                f"{column.iloc[row]!r}, which is not a number; leave the column out, or correct "
                "the file"
            )

    def _open(self) -> TextIO:
        return self.path.open(encoding="utf-8-sig")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (pd.errors.ParserError, UnicodeDecodeError, csv.Error) as error:
            raise TableError(
                f"{self.path} is not a table of comma-separated values: {error}"
            ) from error


class _CheckedRows(io.TextIOBase):
    """Text of a CSV file below its header, which is checked while pandas reads it.

    pandas would shift, cut off or fill up rows that have other numbers of values.
    """

    def __init__(self, file: TextIO, path: Path, n_columns: int, comma_at_end: bool) -> None:
        header: list[str] = []
        next(_records(file, header))
        self._file, self._path = file, path
        self._n_columns, self._comma_at_end = n_columns, comma_at_end
        self._n_lines = len(header)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines of about this many characters."""
        lines = self._file.readlines(-1 if size is None else size)
        n_commas = self._n_columns - 1
        # Without quotes, commas tell the number of values, and are counted quickly.
        if any('"' in line or line.count(",") != n_commas for line in lines):
            lines = self._checked(lines)
        self._n_lines += len(lines)
        return "".join(lines)

    def _checked(self, lines: list[str]) -> list[str]:
        """The lines, with those to which the last record extends; a ValueError names a bad one."""
        taken: list[str] = []
        n = self._n_columns
        for start, row in _records(chain(lines, self._file), taken):
            comma = self._comma_at_end and len(row) == n + 1 and not row[n]
            if len(row) != n and not comma:
                raise TableError(
                    f"{self._path}: line {self._n_lines + start} has {len(row)} values, but the "
                    f"table has {n} columns"
                )
            if len(taken) >= len(lines):
                break
        return taken


def _records(
    lines: Iterator[str] | TextIO, taken: list[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the number of its first line, from 1.

    No more lines are read than the records need; those that were read are added to ``taken``.
    """

    def noted() -> Iterator[str]:
        for line in lines:
            if taken is not None:
                taken.append(line)
            yield line

    reader = csv.reader(noted())
    start = 1
    for row in reader:
        if row and not (len(row) == 1 and row[0].isspace()):
            yield start, row
        start = reader.line_num + 1


def _separated_otherwise(header: str, values: list[str]) -> bool:
    """Whether lines of one value seem to hold several, between other marks than commas."""
    if any(mark in header for mark in ";\t|"):
        return True  # also where commas are decimal ones, which seem to separate values
    if len(values) != 1:
        return False
    (row,) = values
    # Spaces, as R's write.table puts them by default; a name alone may hold some.
    n_names, n_values = len(header.split()), len(row.split())
    return n_values > 1 and n_values in (n_names, n_names + 1)
