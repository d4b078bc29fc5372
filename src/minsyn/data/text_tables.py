"""The one reader of text tables: their columns, and frames of their rows."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from minsyn.data.answers import AnswerColumn, find_answers, number_of
from minsyn.data.table_format import MISSING, MISSING_TEXT, TableFormat
from minsyn.data.text_layout import (
    INDEX,
    TableError,
    find_layout,
    open_lines,
    records,
    spaces_to_tabs,
)

__all__ = ["MissingMarks", "MixedColumn", "TextTable"]

#: Rows by which columns are judged to hold numbers or text.
_ROWS_EXAMINED = 1000
#: The most cells that are read for that, but for a few rows.
_CELLS_EXAMINED = 2 * 10**6
#: A column is one of numbers, with cells that are in the way, if this share of its cells are.
_MOSTLY = 0.9
#: Share of numbers from which on a column of text is pointed out.
_PARTLY = 0.5

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
#: Numbers with thousands separators, currencies or per cent.
_DRESSED = re.compile(r"[$€£¥]?\s*[+-]?(\d{1,3}([ ,.'’]\d{3})+([.,]\d+)?|\d+([.,]\d+)?)\s*[%$€£¥]?")
_TRUTH = {"true": 1.0, "false": 0.0}

#: Column -> cell that was read as missing, as written -> how often.
MissingMarks = dict[str, Counter[str]]


@dataclass(frozen=True)
class MixedColumn:
    """A column in which some cells are numbers and others are not.

    Attributes
    ----------
    name : str
        The column.
    cell : str
        The first cell that is no number.
    line : int
        Its line in the file.
    n_other, n_cells : int
        Cells that are no numbers, and all that are not empty, among those examined.
    """

    name: str
    cell: str
    line: int
    n_other: int
    n_cells: int

    @property
    def mostly_numbers(self) -> bool:
        """Whether nearly all cells are numbers, so that the others may be a mistake."""
        return self.n_cells - self.n_other >= _MOSTLY * self.n_cells

    def error(self, table: str) -> TableError:
        """What is in the way.

        Parameters
        ----------
        table : str
            Name of the table.
        """
        of = f"{self.n_other} of {self.n_cells} cells {'is' if self.n_other == 1 else 'are'}"
        return TableError(
            f"{table}: column {self.name!r} holds {self.cell!r} in line {self.line} ({of} no "
            f"number): if it means a missing value, name it (--missing {_quoted(self.cell)}), or "
            f"leave the column out (--drop {_quoted(self.name)})"
        )


class TextTable:
    r"""A table in a text file, such as CSV: separator, decimal mark and header are found.

    A first column without a name is an index, as `DataFrame.to_csv` writes it. So is the first
    column where rows have one value more than the header, as R's ``write.table`` writes row names.
    Where every line ends in a separator, the empty value after it is ignored. Apart from that, a
    row must have as many values as there are columns: none is filled up or cut off. Blank lines are
    skipped.

    Parameters
    ----------
    path : Path
        The file, which may be compressed by gzip.
    table : TableFormat, optional
        What cannot be seen in the file.
    source : Path, optional
        The user's file, where the text is only a copy of it.

    Attributes
    ----------
    path : Path
        The user's file.
    name : str
        Name of the table in messages.
    layout : TextLayout
        How it is written.
    columns : dict of str to bool
        Names of the columns, and whether each holds numbers, judged by the first thousand rows: all
        cells must be numbers, or marks of missing values. An index and a column without any value
        count as text.
    empty : tuple of str
        Columns without any value.
    mixed : dict of str to MixedColumn
        Columns of text that hold many numbers.
    answers : dict of str to AnswerColumn
        Columns of answers such as yes and no, or "1 - never", that are read as numbers.
    dressed : dict of str to str
        Columns of numbers that are not read as such, since they are written with thousands
        separators, currencies or per cent; and the first cell.

    Raises
    ------
    ValueError
        If the file is empty, has no rows, or is not such a table.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "from_r.csv")
    ...     _ = path.write_text('"dose","site"\n"1",0.5,"a"\n"2",?,"b"\n')
    ...     TextTable(path).columns
    {'Unnamed: 0': False, 'dose': True, 'site': False}
    """

    def __init__(
        self, path: Path, table: TableFormat | None = None, source: Path | None = None
    ) -> None:
        self.path, self._text = source or path, path
        self.name = str(self.path)
        self._table = table or TableFormat()
        self._marks = frozenset(self._table.missing)
        self.empty: tuple[str, ...] = ()
        self.mixed: dict[str, MixedColumn] = {}
        self.dressed: dict[str, str] = {}
        self.answers: dict[str, AnswerColumn] = {}
        self._one_answer: dict[str, AnswerColumn] = {}
        with self._errors():
            self.layout = find_layout(path, self._table, self.name)
            self._positions = {name: i for i, name in enumerate(self.layout.names)}
            self.columns = dict.fromkeys(self._positions, False)
            self._judge()

    @property
    def index(self) -> tuple[str, ...]:
        """The column that is an index."""
        return (INDEX,) if INDEX in self.columns else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found and is not usual, as sentences."""
        return self.layout.notes

    def read_answers(self, names: Sequence[str]) -> None:
        """Read columns as numbers that hold one answer of a pair only, such as no.

        Parameters
        ----------
        names : sequence of str
            Columns that are known to be features. Others are left as they are.
        """
        for name in self._one_answer.keys() & set(names):
            self.answers[name] = self._one_answer[name]
            self.columns[name] = True

    def head(self) -> pd.DataFrame:
        """The first rows, as `frames` gives them."""
        with self._errors():
            return self._cleaned(self._head, list(self.columns), 0, {})

    def frames(
        self, names: Sequence[str], rows: int | None = None, marks: MissingMarks | None = None
    ) -> Iterator[pd.DataFrame]:
        """Columns in the order of `names`, some rows at a time.

        Cells that are marks of missing values are missing: see `TableFormat`.

        Parameters
        ----------
        names : sequence of str
            Some of `columns`.
        rows : int, optional
            Largest number of rows in a frame; by default one frame holds all rows.
        marks : MissingMarks, optional
            The marks that are found are counted here; empty cells are not.

        Yields
        ------
        DataFrame
            Columns of numbers are numbers or truth values, others are text.

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
                yield self._cleaned(frame, names, n_rows, {} if marks is None else marks)
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
            return next(self._frames(names, dtype=str, na_values=[]))

    def line(self, row: int) -> int:
        """Number of the line in the file, from 1, on which a row begins.

        Parameters
        ----------
        row : int
            Number of the row, from 0, without the header.
        """
        with self._lines() as lines:
            found = records(lines, self._mark)
            line = self.layout.lines_before + next(islice(found, row, None))[0]
            return self._file_line(line)

    def _file_line(self, line: int) -> int:
        """Number of a line of the text in the user's file."""
        return line

    def _judge(self) -> None:
        """Find the columns of numbers, by the first rows; where these are empty, by later ones."""
        names = list(self.columns)
        n_examined = max(20, min(_ROWS_EXAMINED, _CELLS_EXAMINED // len(names)))
        self._head = head = next(self._frames(names, n_examined))
        empty = []
        # Columns are many in some tables: those that pandas read as numbers are not looked at.
        plain = _are_numbers(head) & head.notna().any().to_numpy() & (not self._table.codes)
        for name, is_plain in zip(names, plain.tolist(), strict=True):
            if name == INDEX:
                continue
            if is_plain:
                self.columns[name] = True
            elif not self._holds_values(head[name]):
                empty.append(name)
            else:
                self.columns[name] = self._is_numeric(head[name], 0)
        if empty and len(head) == n_examined:
            for part, frame in enumerate(self._frames(tuple(empty), _ROWS_EXAMINED)):
                for name in [n for n in empty if self._holds_values(frame[n])]:
                    self.columns[name] = self._is_numeric(frame[name], part * _ROWS_EXAMINED)
                    empty.remove(name)
                if not empty:
                    break
        self.empty = tuple(empty)

    def _holds_values(self, column: pd.Series) -> bool:
        if pd.api.types.is_numeric_dtype(column):
            return bool((column.notna() & ~column.isin(self._table.codes)).any())
        cells = column.dropna().astype(str).str.strip()
        return not all(self._is_missing(cell) for cell in cells.unique())

    def _is_missing(self, cell: str) -> bool:
        return cell in self._marks or cell.lower() in MISSING

    def _is_numeric(self, column: pd.Series, n_rows: int) -> bool:
        """Whether all cells are numbers or missing; notes a column where many are."""
        if pd.api.types.is_numeric_dtype(column):
            return True
        values, cells = self._parsed(column)
        other = [row for row, cell in cells.items() if not self._is_missing(cell)]
        n_other, n_numbers = len(other), int((~np.isnan(values)).sum())
        if not n_other:
            return True
        name, first = str(column.name), other[0]
        found = find_answers(name, (cells[row] for row in other), with_numbers=n_numbers > 0)
        if found is not None:
            (self.answers if found.complete else self._one_answer)[name] = found
            return found.complete
        mixed = MixedColumn(name, cells[first], 0, n_other, n_numbers + n_other)
        dressed = not mixed.mostly_numbers and all(_DRESSED.fullmatch(cells[row]) for row in other)
        if dressed:
            self.dressed[name] = cells[first]
        elif n_numbers >= _PARTLY * mixed.n_cells:
            self.mixed[name] = replace(mixed, line=self.line(n_rows + first))
        return False

    def _parsed(self, column: pd.Series) -> tuple[Float[np.ndarray, " rows"], dict[int, str]]:
        """Numbers, or NaN; and by row, what is written in the cells that are none."""
        text = column if column.dtype != object else column.map(str, na_action="ignore")
        numeric = text
        if self.layout.decimal == ",":  # where a point is no decimal mark
            numeric = text.str.replace(".", "x").str.replace(",", ".")
        values = np.array(pd.to_numeric(numeric, errors="coerce"), np.float64)
        cells, in_words = {}, column.name in self.answers
        for row in np.flatnonzero(np.isnan(values)).tolist():
            cell = text.iloc[row]
            cells[row] = cell.strip() if isinstance(cell, str) else ""
            if cells[row].lower() in _TRUTH:
                values[row] = _TRUTH[cells.pop(row).lower()]
            elif in_words and (answer := number_of(cells[row])) is not None:
                values[row] = answer
                del cells[row]
        return values, cells

    def _cleaned(
        self, frame: pd.DataFrame, names: Sequence[str], n_rows: int, marks: MissingMarks
    ) -> pd.DataFrame:
        """The frame with marks of missing values taken for such."""
        wanted = np.array([self.columns[name] for name in names])
        plain = wanted & _are_numbers(frame) & (not self._table.codes)
        if plain.all():
            return frame
        cleaned = {}
        for name, is_plain in zip(names, plain.tolist(), strict=True):
            column = frame[name]
            if is_plain:
                cleaned[name] = column
            elif self.columns[name]:
                cleaned[name] = self._numbers(column, n_rows, marks)
            else:
                missing = column.isin(MISSING_TEXT | self._marks)
                cleaned[name] = column.mask(missing) if missing.any() else column
        return pd.DataFrame(cleaned, index=frame.index, columns=list(names))

    def _numbers(self, column: pd.Series, n_rows: int, marks: MissingMarks) -> pd.Series:
        name = str(column.name)
        if not pd.api.types.is_numeric_dtype(column):
            values, cells = self._parsed(column)
            for row, cell in cells.items():
                if not self._is_missing(cell):
                    cure = f"if it means a missing value, name it (--missing {_quoted(cell)})"
                    if self.layout.decimal == "." and _DECIMAL_COMMA.fullmatch(cell):
                        cure = "name the decimal mark (--decimal ,)"
                    raise TableError(
                        f"{self.name}: line {self.line(n_rows + row)}, column {name!r} holds "
                        f"{cell!r}, which is not a number; {cure}, or leave the column out"
                    )
                if cell:
                    marks.setdefault(name, Counter())[cell] += 1
            column = pd.Series(values, index=column.index, name=column.name)
        if self._table.codes and column.dtype != bool:
            coded = column.isin(self._table.codes)
            if coded.any():
                for code, n in column[coded].value_counts().items():
                    marks.setdefault(name, Counter())[f"{code:.15g}"] += int(n)
                column = column.astype(np.float64).mask(coded)
        return column

    @property
    def _mark(self) -> str:
        """The character between values after `_lines`."""
        return "\t" if self.layout.separator == " " else self.layout.separator

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        """Lines from the first row on."""
        with open_lines(self._text, self.layout.encoding) as file:
            for _ in range(self.layout.lines_before):
                next(file, None)
            yield map(spaces_to_tabs, file) if self.layout.separator == " " else file

    def _frames(
        self, names: Sequence[str], rows: int | None = None, **options: Any
    ) -> Iterator[pd.DataFrame]:
        """Frames as pandas reads them: an empty cell is missing, and a mark is text."""
        positions = [self._positions[name] for name in names]
        options = {"na_values": [""], **options}
        with self._lines() as lines:
            source: Any = _CheckedRows(
                lines, self.name, len(self._positions), self._mark, self.layout.mark_at_end,
                self.layout.lines_before,
            )  # fmt: skip
            # Columns go by their positions; the last one takes the empty value after the mark.
            with pd.read_csv(
                source,
                header=None,
                sep=self._mark,
                decimal=self.layout.decimal,
                names=range(len(self._positions) + self.layout.mark_at_end),
                index_col=False,
                usecols=positions,
                iterator=True,
                chunksize=rows,
                keep_default_na=False,
                low_memory=False,  # a column has one type
                **options,
            ) as reader:
                for frame in [reader.read()] if rows is None else reader:
                    if list(frame.columns) != positions:
                        frame = frame[positions]
                    yield frame.set_axis(list(names), axis="columns")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise TableError(
                f"{self.name} is not in {error.encoding.upper()}: it holds the byte "
                f"0x{byte:02x}; name its encoding (--encoding latin-1, or "
                "TableFormat(encoding='latin-1'))"
            ) from error
        except UnicodeError as error:
            raise TableError(
                f"{self.name} is not in {self._table.encoding or 'UTF-8'}: {error}; name its "
                "encoding (--encoding latin-1, or TableFormat(encoding='latin-1'))"
            ) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise TableError(f"{self.name} is not a gzip file, or is damaged: {error}") from error
        except (pd.errors.ParserError, csv.Error) as error:
            raise TableError(f"{self.name} is not a table of separated values: {error}") from error


def _are_numbers(frame: pd.DataFrame) -> Bool[np.ndarray, " columns"]:
    """Which columns are of a type of numbers, or of truth values."""
    return np.array([getattr(dtype, "kind", "O") in "fiub" for dtype in frame.dtypes], bool)


class _CheckedRows(io.TextIOBase):
    """Rows of a text table, which are checked while pandas reads them.

    pandas would shift, cut off or fill up rows that have other numbers of values.
    """

    def __init__(
        self,
        lines: Iterator[str],
        name: str,
        n_columns: int,
        mark: str,
        mark_at_end: bool,
        lines_before: int,
    ) -> None:
        self._lines, self.name = lines, name
        self._n_columns, self._mark, self._mark_at_end = n_columns, mark, mark_at_end
        self._n_lines = lines_before

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines of about this many characters."""
        lines = self._some_lines(-1 if size is None else size)
        n_marks = self._n_columns - 1
        # Without quotes, separators tell the number of values, and are counted quickly.
        if any('"' in line or line.count(self._mark) != n_marks for line in lines):
            lines = self._checked(lines)
        self._n_lines += len(lines)
        return "".join(lines)

    def _some_lines(self, size: int) -> list[str]:
        if isinstance(self._lines, io.TextIOBase):
            return self._lines.readlines(size)
        taken, length = [], 0
        for line in self._lines:
            taken.append(line)
            length += len(line)
            if 0 <= size <= length:
                break
        return taken

    def _checked(self, lines: list[str]) -> list[str]:
        """The lines, with those to which the last record extends; a ValueError names a bad one."""
        taken: list[str] = []
        n = self._n_columns
        for start, row in records(chain(lines, self._lines), self._mark, taken):
            ended = self._mark_at_end and len(row) == n + 1 and not row[n]
            if len(row) != n and not ended:
                raise TableError(
                    f"{self.name}: line {self._n_lines + start} has {len(row)} values, but the "
                    f"table has {n} columns"
                )
            if len(taken) >= len(lines):
                break
        return taken


def _quoted(cell: str) -> str:
    """A cell as it is typed in a shell."""
    return cell if re.fullmatch(r"[\w.+-]+", cell) else "'" + cell.replace("'", "'\\''") + "'"
