"""Files of an attacker: refused, in bounded memory, without a look at other files."""

import json

import pytest

import hostile
from minsyn.data import as_samples, excel_limits, excel_tables
from minsyn.data.damage import DamagedFileError
from programs import started

pytest.importorskip("openpyxl")
pytest.importorskip("h5py")

#: What is said of each file.
SAID = {
    "laughs.xlsx": "declares a document type",
    "entity of a file.xlsx": "declares a document type",
    "zeros.xlsx": "unpacks to 6,[0-9,]* bytes, and at most 4,194,304 are read",
    "far row.xlsx": "has a row 99999999999, and a sheet has at most 1,048,576",
    "no index.xlsx": "is not an .xlsx file, or is damaged",
    "long number.xlsx": "is not an .xlsx file, or is damaged",
    "elements.xlsx": "is empty",
    "external link.h5ad": "X is a link .ExternalLink., which is not followed",
    "circle.h5ad": "X is a link .SoftLink., which is not followed",
    "soft link.h5ad": "X is a link .SoftLink., which is not followed",
    "virtual.h5ad": "the data of X lie in other files",
    "external data.h5ad": "the data of X lie in other files",
    "unpacks.h5ad": "chunks of /X unpack to more than their size",
    "large chunk.h5ad": "the chunks of X have 536,870,912 bytes, and at most 268,435,456",
    "nothing.h5ad": "X holds no data for its shape .1099511627776, 2.",
    # In SciPy 1.13 "column index values" or "row index values", since then "indices".
    "beyond.h5ad": "(indices|column index values) must be < 2",
    "negative.h5ad": "(indices|column index values) must be >= 0",
    "beyond csc.h5ad": "(indices|row index values) must be < 3",
    "backwards.h5ad": "must (be|form) a non-decreasing sequence",
    "far ends.h5ad": "rows 0 to 2 of X lie at 0 to 3000000000000 of 3 values",
    "rows.h5ad": "indptr of X is not of 1000000000000000 rows",
    "columns.h5ad": "X has 1000000000000000 columns, but there are 2 variables",
    "references.h5ad": "must hold real numbers; found object",
    "claims.npy": "is truncated",
    "claims.npz": "8000000000000000 bytes, and there are",
}


def test_hostile_files_in_bounded_memory(tmp_path):
    hostile.write_all(tmp_path)
    with started(hostile.__file__, str(tmp_path)) as process:
        out = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    found = json.loads(out)
    for name, said in SAID.items():
        with pytest.raises(ValueError, match=said):
            raise ValueError(found.pop(name))
    assert found == {"sound.xlsx": 3, "sound.h5ad": 3, "strings.xlsx": 3}


def test_limits_of_excel_files(tmp_path, monkeypatch):
    path = tmp_path / "x.xlsx"
    hostile._book(path, hostile._sheet("".join(hostile._cell(f"XFD{r}") for r in (1, 2, 3))))
    monkeypatch.setattr(excel_tables, "MOST_CELLS", 3 * 2**14 - 1)
    with pytest.raises(DamagedFileError, match=r"sheet 'Sheet' has more than 49,151 cells"):
        as_samples(path)
    hostile._book(path, hostile._sheet("<x/>" * 1000))
    monkeypatch.setattr(excel_limits, "_MOST_HELD", 100_000)
    with pytest.raises(DamagedFileError, match="needs more than 100,000 bytes of memory"):
        as_samples(path)


def test_what_only_seems_to_be_hostile(tmp_path):
    """A wrong dimension, other workbooks, a formula with its value, and pictures."""
    path = tmp_path / "x.xlsx"
    cells = '<row r="2"><c r="A2"><f>[1]Sheet1!A1+2</f><v>3</v></c><c r="B2"><f>1/2</f></c></row>'
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    sheet = hostile._sheet(head + cells + hostile._cell("A5", 4)).replace(
        "<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'
    )
    picture = {"xl/media/image1.png": b"\x89PNG" + bytes(100)}
    hostile._book(path, sheet, **picture, **{"xl/externalLinks/externalLink1.xml": "<x/>"})
    (x,) = as_samples(path).blocks()
    assert x.tolist() == [[3.0], [4.0]]
