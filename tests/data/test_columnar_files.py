"""Feather and Arrow files, and parquet's types."""

import decimal

import numpy as np
import pandas as pd
import pytest

from forms import collect, seeded
from minsyn.data import TableFormat, as_samples, read_columns, read_table, table_columns
from minsyn.data.identifiers import find_identifiers
from minsyn.data.tables import open_table

pa = pytest.importorskip("pyarrow")


@pytest.fixture
def table(x):
    columns = {name: x[:, j] for j, name in enumerate("abcde")}
    return pa.table({**columns, "text": ["t"] * len(x), "i": np.arange(len(x))})


def feather(table, path):
    import pyarrow.feather

    pyarrow.feather.write_feather(table, path, chunksize=10)


def arrow(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=17)


@pytest.mark.parametrize("write", [feather, arrow])
def test_arrow_files(x, table, tmp_path, small_blocks, write):
    path = tmp_path / f"x.{write.__name__}"
    write(table, path)
    assert table_columns(path) == {**dict.fromkeys("abcde", True), "text": False, "i": True}
    samples = as_samples(path, list("abcde"))
    np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), x)
    mixed = np.concatenate(collect(samples, 10, seeded()))
    order = mixed[:, 0].astype(int)
    assert not np.array_equal(order, np.sort(order))
    np.testing.assert_array_equal(mixed, x[order])
    parts = [np.concatenate([b.copy() for b in samples.blocks(r, 3)]) for r in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts), x)
    assert read_columns(path, ["text", "i"]).iloc[5].tolist() == ["t", 5]
    assert read_table(path).shape == (len(x), 7)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="is not an Arrow IPC file"):
        open_table(path)


def test_types_and_gaps(tmp_path):
    columns = {
        "whole": pa.array([1, None, -9], pa.int8()),
        "flag": pa.array([True, None, False]),
        "price": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("2.25")]),
        "text": ["1", "?", "2.5"],
        "none": pa.nulls(3),
    }
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    opened = open_table(tmp_path / "x.parquet", TableFormat(missing=("-9",)))
    assert [name for name, numeric in opened.columns.items() if numeric] == [
        "whole",
        "flag",
        "price",
    ]
    assert find_identifiers(opened) == ()
    assert opened.empty == ("none",) and opened.dressed == {"text": "1"}
    samples = as_samples(
        tmp_path / "x.parquet", ["whole", "flag", "price"], table=TableFormat(missing=("-9",))
    )
    expected = [[1, 1, 1.5], [np.nan] * 3, [np.nan, 0, 2.25]]
    np.testing.assert_array_equal(next(samples.blocks(missing=True)), expected)
    assert read_table(opened.path, TableFormat(missing=("-9",))).whole.isna().sum() == 2
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "y.parquet")
    with pytest.raises(ValueError, match=r"y\.parquet: two columns are named 'a'"):
        as_samples(tmp_path / "y.parquet")


def test_a_stored_index_is_none_of_the_columns(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index([7, 8], name="k"))
    frame.to_parquet(tmp_path / "x.parquet")
    assert open_table(tmp_path / "x.parquet").index == ("k",)
    assert as_samples(tmp_path / "x.parquet").feature_names == ("a",)
