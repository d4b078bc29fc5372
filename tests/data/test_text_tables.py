"""Text tables as programs and people write them: separators, encodings, headers, marks."""

import gzip
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from minsyn.data import TableFormat, as_samples, read_columns, read_table, stream, table_columns
from minsyn.data.tables import open_table


def write(folder, content, name="x.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def numbers(path, **options):
    return next(as_samples(path, **options).blocks(missing=True)).tolist()


#: The numbers 1.5, 2 and 3, 4.25 in columns a and b, and what is said about the file.
SAME = {
    "commas": ("a,b\n1.5,2\n3,4.25\n", "x.csv", []),
    "semicolons": ("a;b\n1,5;2\n3;4,25\n", "x.csv", ["by semicolons", "with decimal commas"]),
    "semicolons and points": ("a;b\n1.5;2\n3;4.25\n", "x.csv", ["by semicolons"]),
    "a line for Excel": ("sep=;\na;b\n1,5;2\n3;4,25\n", "x.csv", ["with decimal commas"]),
    "quoted decimal commas": ('a,b\n"1,5",2\n3,"4,25"\n', "x.csv", ["with decimal commas"]),
    "tabs": ("a\tb\n1.5\t2\n3\t4.25\n", "x.tsv", []),
    "tabs in a .csv": ("a\tb\n1.5\t2\n3\t4.25\n", "x.csv", ["by tabs"]),
    "bars": ("a|b\n1.5|2\n3|4.25\n", "x.txt", ["by |"]),
    "aligned": ("  a   b\n1.5   2\n  3 4.25\n", "x.txt", ["by spaces"]),
    "zipped": (gzip.compress(b"a,b\n1.5,2\n3,4.25\n"), "x.csv.gz", []),
    "spaces around names": (" a , b\n1.5, 2\n 3,4.25 \n", "x.csv", []),
    "UTF-16": ("a,b\n1.5,2\n3,4.25\n".encode("utf-16"), "x.csv", []),
    "byte order mark": ("\ufeffa,b\n1.5,2\n3,4.25\n", "x.csv", []),
    "comments": ("# of\n# 2020\na,b\n1.5,2\n3,4.25\n", "x.csv", ["2 comment lines"]),
    "a title": (
        "Our table\n\na;b;c\n1,5;2;x\n3;4,25;y\n",
        "x.csv",
        ["1 line before the header", "by semicolons", "decimal commas"],
    ),
    "a title in a row": ("Our table,,\na,b,c\n1.5,2,x\n3,4.25,y\n", "x.csv", ["'Our table'"]),
    "commas in semicolons": (
        "a;b;c\n1,5;2;x\n" + "3;4,25;y, y\n",
        "x.csv",
        ["by semicolons", "with decimal commas"],
    ),
    "numpy.savetxt": ("# a b\n1.5e0 2.0e0\n3.0e0 4.25e0\n", "x.txt", ["begins with #", "spaces"]),
}


@pytest.mark.parametrize("form", SAME)
def test_forms_of_text_tables(tmp_path, form):
    content, name, said = SAME[form]
    path = write(tmp_path, content, name)
    columns = {"a": True, "b": True, "c": False}
    text = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    assert table_columns(path) == {k: columns[k] for k in "abc"[: 2 + (b"c" in text)]}
    assert numbers(path, columns=["a", "b"]) == [[1.5, 2.0], [3.0, 4.25]]
    assert read_table(path)[["a", "b"]].to_numpy().tolist() == [[1.5, 2.0], [3.0, 4.25]]
    opened = open_table(path)
    assert opened.line(1) - opened.line(0) == 1
    assert (
        path.suffix == ".gz" or "4" in path.read_bytes().split(b"\n")[opened.line(1) - 1].decode()
    )
    notes = opened.notes
    assert len(notes) == len(said)
    assert all(any(part in note for note in notes) for part in said)


#: First lines that are samples, or names that look like numbers: what the columns are called.
HEADERS = {
    "1.5,2\n3,4\n5,6\n": "x0 x1",
    "1,2,3\n4,5,6\n": "x0 x1 x2",
    "5.1,x,3\n4.9,x,2\n6,y,1\n": "x0 x1 x2",
    "2.5\n3\n": "x0",
    "1.5,NA\n3,4\n": "x0 x1",
    "0,1,2\n4,5.5,6\n": "0 1 2",
    ",0,1,2\n0,4,5.5,6\n": "0 1 2",
    "1990,1992,1995\n4,9,6\n": "1990 1992 1995",
    "place,1990,1991\nA,4,5\nB,6,7\n": "1990 1991",
    "x,1.5\n1,2\n": "x 1.5",
    "inf,a\n1,2\n": "inf a",
}


def test_a_header_is_told_from_a_sample(tmp_path):
    for content, names in HEADERS.items():
        table = open_table(write(tmp_path, content))
        assert [name for name, numeric in table.columns.items() if numeric and name[0] != "U"] == [
            name for name in names.split() if not (name == "x1" and ",x," in content)
        ], content
    assert "is the header missing?" in open_table(write(tmp_path, "x,1.5\n1,2\n")).notes[0]
    path = write(tmp_path, "0,1,2\n4,5.5,6\n")
    assert as_samples(path, table=TableFormat(header=False)).n_samples == 2
    path = write(tmp_path, "1.5,2\n3,4\n")
    assert as_samples(path, table=TableFormat(header=True)).feature_names == ("1.5", "2")


def test_encodings(tmp_path):
    path = write(tmp_path, "é,b\n1,2\n".encode("cp1252"))
    table = open_table(path)
    assert list(table.columns) == ["é", "b"] and "not in UTF-8: read as cp1252" in table.notes[0]
    named = open_table(path, TableFormat(encoding="latin-1"))
    assert list(named.columns) == ["é", "b"] and named.notes == ()
    with pytest.raises(ValueError, match=r"x\.csv is not in UTF-8: it holds the byte 0xe9; name"):
        open_table(path, TableFormat(encoding="utf-8"))
    path = write(tmp_path, "é,b\n1,2\n".encode("utf-16-le"))
    assert list(open_table(path).columns) == ["é", "b"]


def test_options_are_checked(tmp_path):
    assert TableFormat(separator="tab").separator == "\t"
    assert TableFormat(missing=(" -9 ", "x")).codes == (-9.0,)
    for options, message in [
        ({"separator": "::"}, "one character, or one of tab, comma"),
        ({"decimal": "/"}, "decimal='/' must be"),
        ({"encoding": "utf-9"}, "encoding='utf-9' is unknown"),
    ]:
        with pytest.raises(ValueError, match=message):
            TableFormat(**options)
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"separator=';' has no effect on .*x\.npy"):
        as_samples(tmp_path / "x.npy", table=TableFormat(separator=";"))
    path = write(tmp_path, "a:b\n1:2\n")
    assert numbers(path, table=TableFormat(separator=":")) == [[1.0, 2.0]]


def test_marks_of_missing_values_do_not_make_a_column_text(tmp_path, monkeypatch):
    """In one block or in many, and counted."""
    cells = [f"{i / 8},{i},u" for i in range(2500)]
    for row, mark in [(3, "?"), (1200, "n.d."), (1201, "?"), (2400, ""), (2499, " NA ")]:
        cells[row] = f"{mark},{row},"
    path = write(tmp_path, "a,b,t\n" + "\n".join(cells) + "\n")
    expected = pd.DataFrame({"a": np.arange(2500) / 8, "b": np.arange(2500.0)})
    expected.loc[[3, 1200, 1201, 2400, 2499], "a"] = np.nan
    for block_bytes in (stream.BLOCK_BYTES, 16 * 100):
        monkeypatch.setattr(stream, "BLOCK_BYTES", block_bytes)
        samples = as_samples(path, ["a", "b"])
        found = np.concatenate([block.copy() for block in samples.blocks(missing=True)])
        np.testing.assert_array_equal(found, expected)
        assert samples.missing_marks == {"a": Counter({"?": 2, "n.d.": 1, "NA": 1})}
        with pytest.raises(ValueError, match="line 5, column 'a' is nan; drop those rows or fill"):
            list(samples.blocks())
    table = read_table(path)
    pd.testing.assert_frame_equal(table[["a", "b"]], expected, check_dtype=False)
    assert read_columns(path, ["a"]).a[[3, 1200, 2499]].tolist() == ["?", "n.d.", " NA "]


def test_missing_values_of_the_user(tmp_path):
    path = write(tmp_path, "a,b,t\n1,-999,unknown\n2.5,3,x\nunknown,-999.0,y\n")
    table = TableFormat(missing=("-999", "unknown"))
    samples = as_samples(path, ["a", "b"], table=table)
    assert np.isnan(next(samples.blocks(missing=True))).tolist() == [
        [False, True], [False, False], [True, True]
    ]  # fmt: skip
    assert samples.missing_marks == {"a": {"unknown": 1}, "b": {"-999": 2}}
    assert read_table(path, table).t.isna().tolist() == [True, False, False]
    x = np.array([[1, -999], [2, 5]])
    for data in (x, x.astype(np.float32)):
        samples = as_samples(data, table=table)
        assert np.isnan(next(samples.blocks(missing=True))).tolist() == [[False, True], [False] * 2]
        with pytest.raises(ValueError, match="row 0, column 1 is nan"):
            next(samples.batches(2))
        assert samples.fingerprint() != as_samples(data).fingerprint()


def test_what_is_nearly_a_column_of_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK_BYTES", 1600)  # rows are parsed in parts
    rows = [f"{i},{i % 7}" for i in range(1000)]
    rows[10] = "10,80+"
    path = write(tmp_path, "# by hand\na,b\n" + "\n".join(rows))
    with pytest.raises(ValueError, match=r"'b' holds '80\+' in line 13 \(1 of 1000 cells is no"):
        as_samples(path)
    assert np.isnan(numbers(path, table=TableFormat(missing=("80+",)))).sum() == 1
    path = write(tmp_path, "a;b\n" + "1;2\n" * 1500 + "1;2,5\n")
    with pytest.raises(ValueError, match=r"line 1502, column 'b' holds '2,5'.*decimal ,"):
        as_samples(path)
    path = write(tmp_path, 'a,b\n"1,234",5%\n"2,345",6%\n')
    table = open_table(path)
    assert table.dressed == {"a": "1,234", "b": "5%"} and not any(table.columns.values())


def test_a_column_that_begins_empty(tmp_path):
    rows = [",,\n"] * 1500 + ["1,x,\n"]
    table = open_table(write(tmp_path, "a,b,c\n" + "0,,\n" + "".join(rows)))
    assert table.columns == {"a": True, "b": False, "c": False} and table.empty == ("c",)
    table = open_table(write(tmp_path, "b,a\n" + "1,\n" * 1500 + "2,7\n"))
    assert table.columns["a"] and numbers(table.path, columns=["a"])[-1] == [7.0]


def test_truth_values(tmp_path):
    path = write(tmp_path, "a,b\nTRUE,true\nFALSE,false\n,?\n")
    found = np.array(numbers(path))
    np.testing.assert_array_equal(found, [[1, 1], [0, 0], [np.nan, np.nan]])


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["a", "b", "text", None], [1, 2.5, "x"], [None, "?", "two\nlines"], [], [4, 7, 8]]:
        sheet.append(row)
    book.create_sheet("other").append(["z", 1])
    book.save(tmp_path / "x.xlsx")
    path = tmp_path / "x.xlsx"
    table = open_table(path)
    assert table.columns == {"a": True, "b": True, "text": False}
    assert table.notes == ("sheet 'Sheet' is read, the others (1) are not",)
    samples = as_samples(path, ["b", "a"])
    np.testing.assert_array_equal(
        next(samples.blocks(missing=True)), [[2.5, 1], [np.nan, np.nan], [7, 4]]
    )
    assert samples.missing_marks == {"b": {"?": 1}}
    with pytest.raises(ValueError, match=r"x\.xlsx: line 3, column 'b' is nan"):
        list(samples.blocks())
    assert table.line(2) == 5
    assert read_columns(path, ["text"]).text.tolist() == ["x", "two\nlines", "8"]
    assert samples.fingerprint() == as_samples(path, ["b", "a"]).fingerprint()
    with pytest.raises(ValueError, match="decimal=',' has no effect"):
        open_table(path, TableFormat(decimal=","))
    with pytest.raises(ValueError, match=r"is not an \.xlsx file"):
        open_table(write(tmp_path, "a,b\n", "y.xlsx"))


def test_no_header_is_taken_for_a_title(tmp_path):
    """Under commas, a line of names between semicolons is a single text."""
    rows = [f"{i};{i},5;{i};7,25" for i in range(60)]
    table = open_table(write(tmp_path, "a;b;c;d\n" + "\n".join(rows) + "\n"))
    assert list(table.columns) == ["a", "b", "c", "d"] and table.line(0) == 2
    titled = open_table(write(tmp_path, "A title\na;b;c;d\n" + "\n".join(rows) + "\n"))
    assert list(titled.columns) == ["a", "b", "c", "d"] and titled.line(0) == 3
    for content in ('"x"\n"r1",a\n"r2",b\n"r3",b\n', "x\na\nb\nc\nd\n"):
        assert "x" in open_table(write(tmp_path, content)).columns


@pytest.mark.parametrize("rows_before", [0, 3, 2000])
def test_lines_that_never_end_are_not_read(tmp_path, monkeypatch, rows_before):
    """A few compressed bytes may hold a line of gigabytes."""
    monkeypatch.setattr("minsyn.data.text_layout._LONGEST_LINE", 2**17)
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("a,b\n" + "1,2\n" * rows_before + "1" * 2**24)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb\.csv\.gz.* 131,072 characters"):
        read_table(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23
