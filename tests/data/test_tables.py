"""Parquet and CSV files."""

import gc

import numpy as np
import pandas as pd
import pytest

from forms import N, collect, csv
from minsyn.data import as_samples


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a header line"),
        ("a,b\n", "holds no samples"),
        ("a;b\n1;2\n", "one column, 'a;b': values must be separated by commas"),
        ("a,b\n1,2\n1,2,3\n", "no table of comma-separated values"),
        ("a,b\n" + "1,2\n" * 1500 + "1,x\n", "row 1500, column 'b' holds 'x', which is no number"),
        ("a,b\n1,2\n1,\n", "column 'b' has missing values, the first in row 1"),
    ],
)
def test_csv_files_that_will_not_do(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        as_samples(tmp_path / "x.csv")


def test_a_parsed_csv_file_leaves_nothing_behind(x, tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    samples = as_samples(csv(x, tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
    del samples
    gc.collect()
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]
