"""Whether an Excel file can be read in bounded memory and time, before it is read."""

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.parsers import expat

from minsyn.data.damage import DamagedFileError

__all__ = ["MOST_CELLS", "MOST_ROWS", "check_workbook"]

#: Rows of a sheet, as in Excel.
MOST_ROWS = 2**20
#: Cells of a sheet, as a rectangle that reaches to the last one with a value.
MOST_CELLS = 2**27
#: Bytes to which an archive may unpack whatever its size, and times its size beyond. Sheets of
#: equal numbers unpack to thirty times their size.
_SMALL_BYTES, _MOST_RATIO = 2**22, 100
#: Bytes that a parsed element takes, and bytes that may be held in memory at once.
_ELEMENT_BYTES, _MOST_HELD = 100, 2**29
_CHUNK = 2**16
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ROW = f"{_MAIN} row"


def check_workbook(path: Path) -> None:
    """Raise an error for an archive that unpacks to far more than its size, or holds entities.

    Parameters
    ----------
    path : Path
        The ``.xlsx`` file.

    Raises
    ------
    DamagedFileError
        If it unpacks to more than a hundred times its size, holds a document type (which Excel
        never writes, and which may multiply entities), or needs more than about half a gigabyte of
        memory.
    zipfile.BadZipFile
        Or other errors of the decoders, if it is no such file.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        most = max(_SMALL_BYTES, _MOST_RATIO * path.stat().st_size)
        unpacked = sum(member.file_size for member in members)
        if unpacked > most:
            raise DamagedFileError(
                f"{path} unpacks to {unpacked:,} bytes, and at most {most:,} are read (a hundred "
                "times its size): save the table as .csv or .parquet"
            )
        held = _Held(path)
        for member in members:
            # Whatever its name, a part may be meant for a sheet.
            with archive.open(member) as part, suppress(expat.ExpatError):
                held.add(part)


class _Held:
    """What parsers of an archive's parts hold in memory: all but the rows of sheets they passed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = self._of_row = 0
        self._rows = 0  # those around the current element

    def add(self, part: Any) -> None:
        """Count the elements of one part, up to an error of its syntax."""
        self._rows = self._of_row = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk)
            self._check()
        parser.Parse(b"", True)
        self._check()

    def _check(self) -> None:
        if self._bytes + self._of_row > _MOST_HELD:
            raise DamagedFileError(
                f"{self._path} needs more than {_MOST_HELD:,} bytes of memory: save the table as "
                ".csv or .parquet"
            )

    def _doctype(self, *_: Any) -> None:
        raise DamagedFileError(
            f"{self._path} declares a document type, which no Excel file does: it is not read"
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        size = _ELEMENT_BYTES * (1 + len(attributes))
        if attributes:
            size += sum(map(len, attributes.values()))
        if self._rows:
            self._of_row += size
        else:
            self._bytes += size
        if name == _ROW:
            self._rows += 1
            number = attributes.get("r", "1")
            if not (number.isascii() and number.isdigit() and len(number) < 8) or not (
                0 < int(number) <= MOST_ROWS
            ):
                raise DamagedFileError(
                    f"{self._path} has a row {number:.20}, and a sheet has at most {MOST_ROWS:,}"
                )

    def _end(self, name: str) -> None:
        if name == _ROW:
            self._rows -= 1
            if not self._rows:
                self._of_row = 0

    def _text(self, text: str) -> None:
        if self._rows:
            self._of_row += len(text)
        else:
            self._bytes += len(text)
