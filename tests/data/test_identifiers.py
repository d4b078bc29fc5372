"""Columns that tell rows apart, and numbers that mean missing values."""

import numpy as np
import pandas as pd
import pytest

from minsyn.data import as_samples, column_statistics
from minsyn.data.identifiers import find_identifiers
from minsyn.data.sentinels import statistics_and_sentinels
from minsyn.data.tables import open_table

N = 150


@pytest.fixture
def table(rng):
    """Columns that are identifiers in upper case, and others."""
    return pd.DataFrame(
        {
            "ID": rng.permutation(N) + 1000,
            "ROW": np.arange(N),
            "COUNTER": np.arange(1, N + 1),
            "PATIENT_ID": np.arange(N) * 3,
            "NAME": [f"p{i}" for i in range(N)],
            "year": 1900 + np.arange(N),
            "time": np.arange(N),
            "likert": rng.integers(1, 6, N),
            "count": rng.poisson(2, N),
            "size": rng.permutation(N) + 1,
            "dose_no": rng.integers(0, 3, N),
            "group_id": np.arange(N) // 3,
            "measure": rng.normal(size=N),
            "day": pd.date_range("2020", periods=N).astype(str),
            "site": rng.choice(["a", "b"], N),
            "holes": np.where(np.arange(N) == 3, np.nan, np.arange(N)),
        }
    )


def test_identifiers(table, tmp_path):
    expected = tuple(name for name in table if name.isupper())
    table.to_csv(tmp_path / "x.csv")
    assert find_identifiers(open_table(tmp_path / "x.csv")) == expected
    pytest.importorskip("pyarrow")
    table.to_parquet(tmp_path / "x.parquet", row_group_size=40)
    assert find_identifiers(open_table(tmp_path / "x.parquet")) == expected


def test_what_counts_up_within_groups_is_none(tmp_path):
    """The first thousand rows alone would say otherwise."""
    frame = pd.DataFrame({"step": np.tile(np.arange(1200), 2), "name": ["x"] * 1200 + ["y"] * 1200})
    frame["key"] = np.r_[np.arange(2000), np.arange(400)]
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert find_identifiers(open_table(tmp_path / "x.csv")) == ()
    short = pd.DataFrame({"level": [0, 1, 2, 3], "n": [9, 3, 2, 1]})
    short.to_csv(tmp_path / "y.csv", index=False)
    assert find_identifiers(open_table(tmp_path / "y.csv")) == ()


def test_sentinels(rng, small_blocks):
    x = rng.normal(50, 10, size=(300, 7))
    x[:, 1] = rng.integers(1, 6, 300)
    x[:, 6] = rng.integers(0, 100, 300)  # where 99 is a number like others
    x[[3, 50, 200], 0] = -999
    x[[7, 70], 1], x[[8, 290], 1] = 99, 98
    x[5, 2] = 9999  # only once
    x[:, 3] = np.abs(x[:, 3])
    x[[9, 11], 3] = -9  # the only ones below 0
    x[[9, 11], 4] = [99.5, -998]
    x[4, 5] = np.nan
    statistics, found = statistics_and_sentinels(as_samples(x))
    told = [(sentinel.feature, sentinel.value, sentinel.n_samples) for sentinel in found]
    assert told == [(0, -999, 3), (1, 98, 2), (1, 99, 2), (3, -9, 2)]
    assert statistics.n_missing.tolist() == [0, 0, 0, 0, 0, 1, 0]


def test_statistics_of_what_is_there(rng, small_blocks):
    x = 1e6 + rng.normal(size=(103, 5))
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:40, 0], x[:, 1] = np.nan, np.nan
    x[~np.isnan(x[:, 2]), 2] = 0.1
    samples = as_samples(x)
    found = column_statistics(samples, missing=True)
    shares = [column_statistics(samples, rank, 7, missing=True) for rank in range(7)]
    for share in shares[1:]:
        shares[0] = shares[0].merge(share)
    some = [0, 2, 3, 4]
    for statistics in (found, shares[0]):
        assert statistics.n_missing.tolist() == np.isnan(x).sum(axis=0).tolist()
        assert statistics.n_present[1] == 0 and statistics.mean[1] == 0
        np.testing.assert_allclose(statistics.mean[some], np.nanmean(x[:, some], axis=0))
        np.testing.assert_allclose(
            statistics.variance[some], np.nanvar(x[:, some], axis=0), rtol=1e-9, atol=1e-30
        )
        np.testing.assert_array_equal(statistics.minimum[some], np.nanmin(x[:, some], axis=0))
        np.testing.assert_array_equal(statistics.maximum[some], np.nanmax(x[:, some], axis=0))
        assert statistics.mean[2] == 0.1 and statistics.variance[2] == 0
        assert statistics.constant.tolist() == [False, False, True, False, False]
    with pytest.raises(ValueError, match="row 0, column 0 is nan"):
        column_statistics(samples)
