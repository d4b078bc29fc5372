"""Layout of a text table: its encoding, separator, decimal mark, header and columns."""

import codecs
import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from minsyn.data.table_format import MISSING, TableFormat

__all__ = ["INDEX", "TableError", "TextLayout", "find_layout", "open_lines", "records"]

#: Name of an index column, which is no feature. pandas gives it to a first column without a name.
INDEX = "Unnamed: 0"

#: Records by which the layout is judged, and the most bytes in which they are looked for.
_RECORDS_EXAMINED = 1000
_BYTES_EXAMINED = 2**20
#: Most characters of a line: of some ten million values. Few compressed bytes may claim far more.
_LONGEST_LINE = 2**27

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_YEARS = range(1500, 2101)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*\n?', re.IGNORECASE)
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "|", " ": "spaces"}
_USUAL = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


class TableError(ValueError):
    """A table cannot be read: its rows, columns or values are not as they must be."""


@dataclass(frozen=True)
class TextLayout:
    """Layout of a text table.

    Attributes
    ----------
    encoding : str
        Encoding.
    separator : str
        Character between values; a space stands for any run of spaces and tabs.
    decimal : str
        Decimal mark.
    names : tuple of str
        Names of the columns.
    lines_before : int
        Lines before the first row: comments, blank lines and the header.
    mark_at_end : bool
        Whether rows may end in a separator, after which there is no value.
    notes : tuple of str
        What was found and is not usual, as sentences.
    """

    encoding: str
    separator: str
    decimal: str
    names: tuple[str, ...]
    lines_before: int
    mark_at_end: bool
    notes: tuple[str, ...]


def find_layout(path: Path, table: TableFormat, name: str | None = None) -> TextLayout:
    r"""Layout of a text table, from its first thousand rows.

    A header is taken for a row if all of it are numbers (but for column numbers, or years, in
    order), or if it has numbers and a text that comes again in the rows. Lines that begin with
    ``#`` before it are comments, of which the last may be the header, and lines of a single text
    before rows of several values are titles.

    Parameters
    ----------
    path : Path
        The file, which may be compressed by gzip.
    table : TableFormat
        What is known.
    name : str, optional
        Name of the table in messages; the path by default.

    Raises
    ------
    ValueError
        If the file is empty, holds no rows, or has two columns of one name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("# from the lab\ndose;site\n0,5;a\n")
    ...     layout = find_layout(path, TableFormat())
    >>> layout.separator, layout.decimal, layout.names, layout.lines_before
    (';', ',', ('dose', 'site'), 2)
    """
    name = name or str(path)
    notes: list[str] = []
    encoding = table.encoding or _found_encoding(path, notes)
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    with open_lines(path, encoding) as file:
        comments, lines = _first_lines(file)
    named = _SEPARATOR_LINE.fullmatch(comments[0]) if comments else None  # for Excel
    given, usual = table.separator or (named and named[1]), _USUAL.get(suffix, ",")
    n_title = 0 if table.header is False else _title_lines(lines, given, usual)
    titles, lines = lines[:n_title], lines[n_title:]
    separator = given or _found_separator(lines, usual)
    if separator == " ":
        lines = [spaces_to_tabs(line) for line in lines]
        comments = [spaces_to_tabs(line.lstrip().lstrip("#")) for line in comments]
    mark = "\t" if separator == " " else separator
    found = list(records(iter(lines), mark))
    if not found:
        raise TableError(f"{name} is empty; a header line with the columns' names is needed")
    rows = [row for _, row in found]
    # A sample of the file may end within a record.
    rows = rows[:-1] if len(rows) > 2 and not lines[-1].endswith("\n") else rows
    decimal = table.decimal or _found_decimal(rows, separator)
    names, header_lines = _header(comments, found, table.header, mark, decimal, notes)
    body = rows[header_lines:]
    if not body:
        raise TableError(f"{name} holds no samples, only a header")
    names, mark_at_end = _fitted(names, body)
    _require_distinct(name, names)
    titles = [line for line in titles if not line.isspace()]
    if titles:
        said = titles[0].strip().strip('",;\t|')
        notes.insert(0, f"{_counted(len(titles), 'line')} before the header skipped: {said!r}")
    n_before = len(comments) + n_title
    if separator != usual and not given:
        notes.append(f"values are separated by {_SEPARATORS.get(separator, separator)}")
    if decimal == "," and table.decimal is None:
        notes.append("numbers are read with decimal commas")
    first_row = found[header_lines][0] - 1
    return TextLayout(
        encoding, separator, decimal, tuple(names), n_before + first_row, mark_at_end,
        tuple(notes),
    )  # fmt: skip


def open_lines(path: Path, encoding: str) -> TextIOWrapper:
    """A text file, which may be compressed by gzip.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Its encoding.
    """
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    return _Lines(opened(path, "rb"), encoding=encoding)


class _Lines(TextIOWrapper):
    """Lines of a limited length."""

    # In typeshed, lines of text files are bytes.
    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line = super().readline(size if size >= 0 else _LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise TableError(
                f"{self.name} is not a text table: one has more than {_LONGEST_LINE:,} characters"
            )
        return line

    def readlines(self, size: int = -1, /) -> list[str]:  # type: ignore[override]
        """Whole lines of about this many characters, read at once."""
        if size < 0:
            return super().readlines()
        return StringIO(self.read(size) + self.readline()).readlines()


def records(
    lines: Iterator[str], separator: str, taken: list[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    r"""Records that are not blank, each with the number of its first line, from 1.

    No more lines are read than the records need.

    Parameters
    ----------
    lines : iterator of str
        Lines with their ends.
    separator : str
        Character between values.
    taken : list of str, optional
        Lines that were read are added to it.

    Yields
    ------
    tuple of int and list of str

    Examples
    --------
    >>> list(records(iter(["a,b\n", "\n", '1,"2\n', '3"\n']), ","))
    [(1, ['a', 'b']), (3, ['1', '2\n3'])]
    """

    def noted() -> Iterator[str]:
        for line in lines:
            if taken is not None:
                taken.append(line)
            yield line

    reader = csv.reader(noted(), delimiter=separator)
    start = 1
    for row in reader:
        if row and not (len(row) == 1 and (not row[0] or row[0].isspace())):
            yield start, row
        start = reader.line_num + 1


def spaces_to_tabs(line: str) -> str:
    r"""A line with tabs instead of runs of spaces outside quotes, and none around it.

    Examples
    --------
    >>> spaces_to_tabs(' 1  2 "a b"\n')
    '1\t2\t"a b"\n'
    """
    end = "\n" if line.endswith("\n") else ""
    if '"' not in line:
        return "\t".join(line.split()) + end
    return re.sub(r'("(?:[^"]|"")*"?)|[ \t]+', lambda m: m[1] or "\t", line.strip()) + end


def _found_encoding(path: Path, notes: list[str]) -> str:
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        start = file.read(_BYTES_EXAMINED)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if start.startswith(mark):
            return encoding
    if b"\0" in start[:1000]:
        even, odd = start[0:1000:2].count(0), start[1:1000:2].count(0)
        if max(even, odd) > 0.3 * len(start[:1000]) / 2 and min(even, odd) == 0:
            return "utf-16-le" if odd else "utf-16-be"
        raise TableError(f"{path} is not a text table: it holds zero bytes")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        encoding = "cp1252"
        try:
            start.decode(encoding)
        except UnicodeDecodeError:
            encoding = "latin-1"
        notes.append(f"not in UTF-8: read as {encoding} (Western European); --encoding changes it")
        return encoding
    return "utf-8-sig"


def _first_lines(file: TextIOWrapper) -> tuple[list[str], list[str]]:
    """Comments and blank lines at the start, and lines after them."""
    comments: list[str] = []
    lines: list[str] = []
    size = 0
    for line in file:
        separates = not comments and _SEPARATOR_LINE.fullmatch(line)
        if not lines and (line.isspace() or line.lstrip().startswith("#") or separates):
            comments.append(line)
            continue
        lines.append(line)
        size += len(line)
        if len(lines) > _RECORDS_EXAMINED or (size > _BYTES_EXAMINED and len(lines) > 2):
            break
    return comments, lines


def _title_lines(lines: Sequence[str], separator: str | None, usual: str) -> int:
    """How many of the first lines are titles: of a single text, before rows of several values."""
    likely = separator or _found_separator(lines, usual)
    if likely == " " or _n_filled(_first_records(lines, likely)[:1]) > 1:
        return 0
    titles: dict[int, int] = {}
    for mark in [separator] if separator else [m for m in _SEPARATORS if m != " "]:
        found = _first_records(lines, mark)
        n = next((i for i in range(len(found)) if _n_filled(found[i : i + 1]) > 1), 0)
        if n == 0:
            continue
        (start, header), below = found[n], [len(row) for _, row in found[n + 1 : n + 3]]
        if (
            len(header) != len(found[0][1]) + 1  # or R's names of rows beside a single column
            and _n_filled(found[n : n + 1]) == len(header)
            and below == [len(header)] * 2
            and not any(_is_number(cell, ",") for _, row in found[: n + 1] for cell in row)
        ):
            titles[len(header)] = start - 1
    return titles[max(titles)] if titles else 0


def _first_records(lines: Sequence[str], mark: str) -> list[tuple[int, list[str]]]:
    """Some records; none if a value is too long for one."""
    try:
        return list(records(iter(lines[:20]), mark))
    except csv.Error:
        return []


def _n_filled(found: Sequence[tuple[int, list[str]]]) -> int:
    """Cells that are not empty."""
    return sum(bool(cell.strip()) for _, row in found for cell in row)


def _found_separator(lines: Sequence[str], usual: str) -> str:
    """The separator with which rows have as many values as the header, or nearly so."""
    sample = lines[:100]
    strict: dict[str, int] = {}
    loose: dict[str, int] = {}
    header: dict[str, int] = {}
    for separator in _SEPARATORS:
        mark = "\t" if separator == " " else separator
        text = [spaces_to_tabs(line) for line in sample] if separator == " " else sample
        try:
            counts = [len(row) for _, row in records(iter(text), mark)]
        except csv.Error:  # a line that another separator cuts may be too long for one value
            continue
        # A record may be cut off at the end of the sample.
        counts = counts[:-1] if len(counts) > 2 and len(sample) < len(lines) else counts
        if not counts:
            continue
        first, *others = counts
        header[separator] = first
        if first > 1 and set(others) <= {first}:
            strict[separator] = first
        elif len(set(others)) == 1 and others[0] > 1 and abs(others[0] - first) == 1:
            loose[separator] = others[0]
    for found in (strict, loose):
        if usual in found:
            return usual
        several = {separator: n for separator, n in found.items() if separator != " "}
        if several:
            return max(several, key=lambda separator: several[separator])
    if header.get(usual, 0) > 1:
        return usual
    if " " in strict or " " in loose:
        return " "
    marks = {separator: n for separator, n in header.items() if separator != " " and n > 1}
    return max(marks, key=lambda separator: marks[separator]) if marks else usual


def _found_decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    commas = points = thousands = 0
    for row in rows:
        for cell in row:
            text = cell.strip()
            if "," in text and _DECIMAL_COMMA.fullmatch(text):
                commas += 1
                thousands += _THOUSANDS.fullmatch(text) is not None
            elif "." in text and _DECIMAL_POINT.fullmatch(text):
                points += 1
    if separator == "," and (points or thousands == commas):
        return "."
    return "," if commas > points else "."


def _is_number(cell: str, decimal: str) -> bool:
    text = cell.strip()
    return _NUMBER.fullmatch(text) is not None and ("," not in text or decimal == ",")


def _header(
    comments: list[str],
    found: list[tuple[int, list[str]]],
    header: bool | None,
    mark: str,
    decimal: str,
    notes: list[str],
) -> tuple[list[str], int]:
    """Names of the columns, and how many of the records are the header."""
    first = [cell.strip() for cell in found[0][1]]
    rows = [row for _, row in found[1:]]
    n_said = sum(not (line.isspace() or _SEPARATOR_LINE.fullmatch(line)) for line in comments)
    commented = _commented_header(comments, first, mark, decimal)
    if commented is not None and header is None:
        notes.append("the header is the line that begins with #")
        if n_said > 1:
            notes.append(f"{_counted(n_said - 1, 'comment line')} before the header skipped")
        return commented, 0
    if n_said:
        notes.append(f"{_counted(n_said, 'comment line')} before the header skipped")
    if header is False or (header is None and _is_row(first, rows, decimal)):
        names = [f"x{i}" for i in range(len(first))]
        if header is None:
            notes.append(
                f"no header: the first line holds values, and columns are named x0 to {names[-1]}"
                if len(names) > 1
                else "no header: the first line holds a value, and the column is named x0"
            )
        return names, 0
    numbers = [name for name in first if _is_number(name, decimal)]
    if header is None and any(not name.isdigit() for name in numbers):
        notes.append(f"column names are numbers ({numbers[0]}, ...): is the header missing?")
    return [name or f"Unnamed: {i}" for i, name in enumerate(first)], 1


def _commented_header(
    comments: list[str], first: list[str], mark: str, decimal: str
) -> list[str] | None:
    """Names in the last comment, where the line below it holds values."""
    lines = [line for line in comments if not line.isspace()]
    if not lines or not any(_is_number(cell, decimal) for cell in first):
        return None
    text = lines[-1].lstrip().lstrip("#")
    names = [name.strip() for name in next(csv.reader([text], delimiter=mark), [])]
    named = names[1:] if names and not names[0] else names
    if len(names) != len(first) or len(names) < 2 or not all(named):
        return None
    if len(set(names)) < len(names) or any(_is_number(name, decimal) for name in names):
        return None
    return [name or f"Unnamed: {i}" for i, name in enumerate(names)]


def _is_row(first: list[str], rows: list[list[str]], decimal: str) -> bool:
    """Whether a first line holds values, not names."""
    if not any(_is_number(cell, decimal) for cell in first) or not first[0]:
        return False
    if rows and len(rows[0]) == len(first) + 1:  # a header without a name for the index
        return False
    if all(_is_number(cell, decimal) or cell.lower() in MISSING for cell in first):
        # Column numbers, or years: unless the next line goes on like that, too.
        return not _counts_on(first) or (bool(rows) and _counts_on(rows[0]))
    texts = [i for i, cell in enumerate(first) if not _is_number(cell, decimal) and cell]
    return any(
        any(len(row) > i and row[i].strip() == first[i] for row in rows)
        for i in texts
        if first[i].lower() not in MISSING
    )


def _counts_on(cells: Sequence[str]) -> bool:
    """Whether cells are whole numbers of which each is the last one plus 1, or later years."""
    if not all(cell.strip().isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {after - before for before, after in pairwise(numbers)}
    years = len(numbers) > 2 and min(steps) > 0 and {*numbers} <= {*_YEARS}
    return years or (steps == {1} and (len(numbers) > 2 or numbers[0] == 0))


def _fitted(names: list[str], body: Sequence[Sequence[str]]) -> tuple[list[str], bool]:
    """Names for all columns, with one for an index; whether rows may end in a separator."""
    first = body[0]
    full = [row for row in islice(body, _RECORDS_EXAMINED) if len(row) == len(first)]
    last_is_empty = len(first) > 1 and not any(row[-1] for row in full)
    unnamed_end = len(names) > 1 and names[-1] == f"Unnamed: {len(names) - 1}"
    n = len(first)
    mark_at_end = last_is_empty and (n == len(names) + 1 or (n == len(names) and unnamed_end))
    if unnamed_end and (mark_at_end or n == len(names) - 1):
        return names[:-1], mark_at_end
    if n == len(names) + 1 and not mark_at_end and names[0] != INDEX:
        return [INDEX, *names], mark_at_end
    return names, mark_at_end


def _require_distinct(table: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        places = [str(i + 1) for i, name in enumerate(names) if name == twice]
        raise TableError(
            f"{table}: columns {' and '.join(places[:2])} are both named {twice!r}; rename one"
        )


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
