"""Sheets of Excel files, read as text tables."""

import csv
import datetime
import tempfile
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # zip, XML and key errors of many kinds
        raise TableError(f"{path} is not an .xlsx file, or is damaged: {error}") from error
    first_lines: list[int] = []
    try:
        sheets = book.worksheets
        for sheet in sheets:
            sheet.reset_dimensions()  # they may be wrong in the file
            line = 1
            first_lines = []
            with text.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                filled = False
                width = _width(sheet.iter_rows(values_only=True))
                for row in sheet.iter_rows(values_only=True) if width else ():
                    cells = [_text(cell) for cell in row[:width]]
                    cells += [""] * (width - len(cells))
                    first_lines.append(line)
                    if any(cells):
                        filled = True
                        writer.writerow(cells)
                    else:
                        file.write("\n")
                    line += 1 + sum(cell.count("\n") for cell in cells)
            if filled:
                others = len(sheets) - 1
                notes = [f"sheet {sheet.title!r} is read, the others ({others}) are not"]
                return first_lines, notes if others else []
    finally:
        book.close()
    raise TableError(f"{path} is empty; a header row with the columns' names is needed")


def _width(rows: Iterable[Any]) -> int:
    """Number of columns up to the last one with a value."""
    width = 0
    for row in rows:
        for i in range(len(row) - 1, width - 1, -1):
            if row[i] is not None and row[i] != "":
                width = i + 1
                break
    return width


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        cell = cell.date()
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).replace("\r\n", "\n").replace("\r", "\n")
