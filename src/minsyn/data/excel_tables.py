"""Sheets of Excel files, read as text tables."""

import csv
import datetime
import tempfile
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from minsyn.data.damage import DamagedFileError, damage_named
from minsyn.data.excel_limits import MOST_CELLS, check_workbook
from minsyn.data.table_format import TableFormat
from minsyn.data.text_layout import TableError
from minsyn.data.text_tables import TextTable

__all__ = ["ExcelTable"]


class ExcelTable(TextTable):
    """The first sheet of an Excel file that is not empty.

    Its cells are written to a temporary text file, which is read by the rules of other text tables
    and deleted with this object. Formulas count by their values when the file was last saved.

    Parameters
    ----------
    path : Path
        The ``.xlsx`` file.
    table : TableFormat, optional
        Whether there is a header, and which values are missing. Other options are refused.

    Raises
    ------
    ImportError
        If openpyxl is not installed.
    ValueError
        If it is no Excel file, or holds no such table.
    """

    def __init__(self, path: Path, table: TableFormat | None = None) -> None:
        table = table or TableFormat()
        replace(table, header=None).require_no_text_options(str(path))
        self._folder = tempfile.TemporaryDirectory(prefix="minsyn-")
        text = Path(self._folder.name, "sheet.csv")
        self._first_lines, notes = _write_sheet(path, text)
        self._sheet_notes = tuple(notes)
        super().__init__(text, replace(table, separator=",", decimal=".", encoding="utf-8"), path)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found and is not usual, as sentences."""
        return (*self._sheet_notes, *super().notes)

    def _file_line(self, line: int) -> int:
        """Row of the sheet, from 1, of which a line of the text is a part."""
        return bisect_right(self._first_lines, line)


def _write_sheet(path: Path, text: Path) -> tuple[list[int], list[str]]:
    """Write a sheet as CSV; gives the line on which each row begins, and notes."""
    try:
        import openpyxl
    except ImportError as error:
        raise ImportError(f"{path}: Excel files need pip install 'minsyn[excel]'") from error
    with damage_named(str(path), "an .xlsx file"):
        check_workbook(path)
        # Other workbooks that cells refer to are not opened.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            found = _first_filled(path, book, text)
        finally:
            book.close()
    if found is None:
        raise TableError(f"{path} is empty; a header row with the columns' names is needed")
    return found


def _first_filled(path: Path, book: Any, text: Path) -> tuple[list[int], list[str]] | None:
    """Write the first sheet that is not empty; gives the lines of its rows, and notes."""
    sheets = book.worksheets
    for sheet in sheets:
        sheet.reset_dimensions()  # they may be wrong in the file
        rows, width, n_cells = _size(sheet.iter_rows(values_only=True))
        if max(rows * width, n_cells) > MOST_CELLS:
            raise DamagedFileError(
                f"{path}: sheet {sheet.title!r} has more than {MOST_CELLS:,} cells, empty ones "
                "between others included: save the table as .csv or .parquet"
            )
        if not width:
            continue
        line = 1
        first_lines: list[int] = []
        with text.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for row in islice(sheet.iter_rows(values_only=True), rows):
                cells = [_text(cell) for cell in row[:width]]
                first_lines.append(line)
                if any(cells):
                    writer.writerow(cells + [""] * (width - len(cells)))
                else:
                    file.write("\n")
                line += 1 + sum(cell.count("\n") for cell in cells)
        others = len(sheets) - 1
        notes = [f"sheet {sheet.title!r} is read, the others ({others}) are not"]
        return first_lines, notes if others else []
    return None


def _size(rows: Iterable[Any]) -> tuple[int, int, int]:
    """Rows and columns up to the last ones with a value, and cells, until they are too many."""
    height = width = n_cells = 0
    for number, row in enumerate(rows, 1):
        n_cells += len(row)
        if n_cells > MOST_CELLS:
            break
        if not any(cell is not None and cell != "" for cell in row):
            continue
        height = number
        for i in range(len(row) - 1, width - 1, -1):
            if row[i] is not None and row[i] != "":
                width = i + 1
                break
    return height, width, n_cells


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        cell = cell.date()
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).replace("\r\n", "\n").replace("\r", "\n")
