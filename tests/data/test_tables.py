"""Parquet and CSV files as samples and as data frames."""

import gc
import sys

import numpy as np
import pandas as pd
import pytest

from forms import N, collect, csv
from minsyn.data import as_samples, read_columns, read_table, table_columns


def test_tables_choose_columns(x, tmp_path, small_blocks):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(x, columns=list("abcde"))
    frame["text"], frame["flag"], frame["count"] = "t", frame.a > 50, np.arange(N)
    frame.to_csv(tmp_path / "x.csv")
    frame.set_index("b").to_parquet(tmp_path / "x.parquet")
    for path in (tmp_path / "x.csv", tmp_path / "x.parquet"):
        with pytest.raises(ValueError, match=r"'text' does not hold numbers; choose.*columns="):
            as_samples(path)
        samples = as_samples(path, ["count", "flag", "a"])
        assert samples.feature_names == ("count", "flag", "a")
        expected = frame[["count", "flag", "a"]].to_numpy(np.float32)
        np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), expected)
        for columns, message in [(["q"], "no column 'q'"), (["a", "a"], "names 'a' twice")]:
            with pytest.raises(ValueError, match=message):
                as_samples(path, columns)
    with pytest.raises(ValueError, match="pass a path"):
        as_samples(x, ["a"])


BAD = {
    "": "is empty; a header line",
    "\n \n": "is empty; a header line",
    "a,b\n": "holds no samples",
    "a,b\n1,2\n1,2,3\n": "line 3 has 3 values, but the table has 2 columns",
    "a,b\n1,2,3,4\n": "line 2 has 4 values, but the table has 2 columns",
    "a,b,c\n1,2\n": "line 2 has 2 values, but the table has 3 columns",
    "a,b,c\n1,2,3\n\n4,5\n": "line 4 has 2 values, but the table has 3 columns",
    "a,b\n1,1,2\n2,1\n": "line 3 has 2 values, but the table has 3 columns",
    "a,b\n" + "1,2,\n" * 1500 + "1,2,3\n": "line 1502 has 3 values, but the table has 2 columns",
    'a,b\n1,"2\n': "is not a table of separated values",
    "a,b, a\n1,2,3\n": "columns 1 and 3 are both named 'a'",
    "a;b\n1;2\n1;2;3\n": "line 3 has 3 values, but the table has 2 columns",
    "# two\n#comments\n\na,b\n1,2\n\n3,2,1\n": "line 7 has 3 values",
    "a,b\n" + "1,2\n" * 1500 + "1,x\n": "line 1502, column 'b' holds 'x', which is not a number",
    "a,b\n" + "1,2\n" * 1500 + "1\n": "line 1502 has 1 values",
}


@pytest.mark.parametrize("content", BAD)
@pytest.mark.parametrize("reader", [as_samples, read_table])
def test_bad_csv_files_have_one_error(tmp_path, content, reader):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match=BAD[content]):
        reader(tmp_path / "x.csv")


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n\0\1\2,3\n")
    with pytest.raises(ValueError, match="is not a text table: it holds zero bytes"):
        read_table(tmp_path / "x.csv")
    (tmp_path / "x.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="is not a gzip file, or is damaged"):
        read_table(tmp_path / "x.csv.gz")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table(tmp_path / "y.csv")
    with pytest.raises(ValueError, match=r"expected a table, as a file ending in \.csv"):
        table_columns(tmp_path / "x.npy")
    pytest.importorskip("pyarrow")
    (tmp_path / "x.parquet").write_text("a,b\n1,2\n")
    for reader in (read_table, table_columns, as_samples):
        with pytest.raises(ValueError, match="not a parquet file, or is damaged"):
            reader(tmp_path / "x.parquet")


#: The same table, an index and two columns, in the forms in which programs write it.
SAME = {
    "pandas": ",a,b\n1,2,3.5\n2,4,5\n",
    "R, write.csv": '"","a","b"\n"1",2,3.5\n"2",4,5\n',
    "R, write.table": '"a","b"\n"1",2,3.5\n"2",4,5\n',
    "R, without quotes": "a,b\n1,2,3.5\n2,4,5\n",
    "a comma at each end": ",a,b,\n1,2,3.5,\n2,4,5,\n",
    "a comma below the header": ",a,b\n1,2,3.5,\n2,4,5,\n",
    "a comma in the header": ",a,b,\n1,2,3.5\n2,4,5\n",
    "a comma at some ends": ",a,b\n1,2,3.5,\n2,4,5\n",
    "byte order mark and blank lines": "\ufeff\r\n,a,b\r\n\r\n1,2,3.5\r\n  \r\n2,4,5",
    "an index in a named column": "Unnamed: 0,a,b\n1,2,3.5\n2,4,5\n",
}


@pytest.mark.parametrize("form", SAME)
def test_layouts_of_csv_files(tmp_path, form):
    """No layout shifts the columns, and all readers agree."""
    path = tmp_path / "x.csv"
    path.write_bytes(SAME[form].encode())
    assert table_columns(path) == {"Unnamed: 0": False, "a": True, "b": True}
    expected = pd.DataFrame({"a": [2, 4], "b": [3.5, 5]}, index=[1, 2])
    pd.testing.assert_frame_equal(read_table(path), expected)
    samples = as_samples(path)
    assert samples.feature_names == ("a", "b")
    np.testing.assert_array_equal(collect(samples, None)[0], expected)
    np.testing.assert_array_equal(collect(as_samples(path, ["b"]), None)[0], expected[["b"]])
    carried = read_columns(path, ["b", "Unnamed: 0"])
    assert carried.to_csv(index=False) == "b,Unnamed: 0\n3.5,1\n5,2\n"
    with pytest.raises(ValueError, match="'Unnamed: 0' is an index"):
        as_samples(path, ["Unnamed: 0"])


@pytest.mark.parametrize("rows", [3, 3000])
def test_quotes_hide_commas_and_line_ends(tmp_path, rows):
    path = tmp_path / "x.csv"
    path.write_text('text,a\n"x, ""y""\nand z",1\n' + '5" pipe,2\n' * rows)
    expected = ['x, "y"\nand z'] + ['5" pipe'] * rows
    assert read_table(path).text.tolist() == read_columns(path, ["text"]).text.tolist() == expected
    assert as_samples(path, ["a"]).n_samples == rows + 1
    path.write_text(path.read_text() + "z,2,3\n")
    for reader in (read_table, lambda path: as_samples(path, ["a"])):
        with pytest.raises(ValueError, match=f"line {rows + 4} has 3 values"):
            reader(path)


def test_a_long_record_may_span_what_is_read_at_once(tmp_path):
    """pandas asks for a quarter of a megabyte at a time."""
    rows = [f'{i},"{"line" * 7}\n{i}"\n' for i in range(30_000)]
    (tmp_path / "x.csv").write_text("i,text\n" + "".join(rows))
    table = read_table(tmp_path / "x.csv")
    assert table.i.tolist() == list(range(30_000))
    assert table.text.str.split("\n").str[1].astype(int).tolist() == list(range(30_000))
    with (tmp_path / "x.csv").open("a") as file:
        file.write("30000,text,more\n")
    with pytest.raises(ValueError, match="line 60002 has 3 values"):
        read_table(tmp_path / "x.csv")


def test_readers_agree_on_numbers_and_missing_values(tmp_path, rng):
    frame = pd.DataFrame(10.0 ** rng.uniform(-300, 300, size=(500, 2)), columns=["a", "b"])
    frame.to_csv(tmp_path / "x.csv", index=False)
    np.testing.assert_array_equal(
        next(as_samples(tmp_path / "x.csv").blocks()), read_table(tmp_path / "x.csv")
    )
    for mark in ("", "NA", "NaN", "null", "?", " n.d. ", "-", "#N/A", '""'):
        (tmp_path / "x.csv").write_text(f"a,b\n1,2\n{mark},3\n")
        assert read_table(tmp_path / "x.csv").a.isna().tolist() == [False, True]
        samples = as_samples(tmp_path / "x.csv")
        assert np.isnan(next(samples.blocks(missing=True))).tolist() == [[False] * 2, [True, False]]
        marks = {} if mark in ("", '""') else {"a": {mark.strip(): 1}}
        assert samples.missing_marks == marks
        with pytest.raises(ValueError, match="line 3, column 'a' is nan; drop those rows or fill"):
            next(samples.blocks())
        assert as_samples(tmp_path / "x.csv", ["b"]).n_samples == 2
    (tmp_path / "x.csv").write_text("a,b\n1,inf\n")
    with pytest.raises(ValueError, match="line 2, column 'b' is inf"):
        as_samples(tmp_path / "x.csv")


TEXT = """\
country,code,id,year,price,note,flag
NA,007,1234567890123456789012,1999,1.50,,True
DE,008,1234567890123456789013,2001,2.25,late,False
"""


def test_columns_are_carried_over_as_they_are(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(TEXT)
    names = TEXT.splitlines()[0].split(",")
    carried = read_columns(path, names)
    assert carried.to_csv(index=False) == TEXT
    assert carried.year.dtype == np.int64
    assert read_columns(path, ["note", "code"]).to_csv(index=False) == "note,code\n,007\nlate,008\n"
    with pytest.raises(ValueError, match="no column 'q'; there are country, code"):
        read_columns(path, ["q"])
    table = read_table(path)
    assert table.country.isna().tolist() == [True, False]  # a mark of missing values to measures
    assert table.code.tolist() == [7, 8]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_come_back(tmp_path, kind):
    frame = pd.DataFrame(
        {"n": [1, 2, 3], "x": [0.5, np.nan, 2.5], "t": ["b", "a", None]}, index=["u", "v", "w"]
    )
    path = tmp_path / f"x.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    getattr(frame, f"to_{kind}")(path)
    pd.testing.assert_frame_equal(read_table(path), frame, check_dtype=False)
    assert [name for name, numeric in table_columns(path).items() if numeric] == ["n", "x"]
    assert read_columns(path, ["x", "n"]).columns.tolist() == ["x", "n"]
    index = next(name for name in table_columns(path) if name not in frame)
    assert read_columns(path, [index])[index].tolist() == ["u", "v", "w"]
    with pytest.raises(ValueError, match="no column 'q'"):
        read_columns(path, ["q"])


def test_a_column_that_begins_empty_is_text(tmp_path):
    (tmp_path / "x.csv").write_text("a,note\n" + "1,\n" * 1500 + "2,late\n")
    assert table_columns(tmp_path / "x.csv") == {"a": True, "note": False}
    assert read_table(tmp_path / "x.csv").note.iloc[-1] == "late"


def test_text_and_numbers_do_not_mix(tmp_path):
    """pandas would infer the type of each piece of a long and wide table on its own."""
    rows = [",".join([f"id{i}" if i < 1000 else f"0{i}"] * 100) for i in range(12_000)]
    header = ",".join(f"x{j}" for j in range(100))
    (tmp_path / "x.csv").write_text("\n".join([header, *rows]))
    assert read_table(tmp_path / "x.csv").x99.iloc[-1] == "011999"


def test_a_parsed_csv_file_leaves_nothing_behind(x, tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    samples = as_samples(csv(x, tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
    del samples
    gc.collect()
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("x.xlsx", "openpyxl", "excel"),
        ("x.h5ad", "h5py", "anndata"),
        ("x.feather", "pyarrow", "parquet"),
        ("x.parquet", "pyarrow.parquet", "parquet"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, name, package, extra):
    (tmp_path / name).write_text("")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{name}.*pip install 'minsyn\[{extra}\]'"):
        as_samples(tmp_path / name)
