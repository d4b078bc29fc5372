"""DataFrames and other data in memory, as numbers with names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from minsyn import MinSyn
from minsyn.data import as_samples, is_stream, named_array, plain_frame


def anndata(x, names):
    """What an AnnData has; the package is not needed."""
    return SimpleNamespace(
        X=x, var_names=pd.Index(list(names)), obs_names=pd.RangeIndex(x.shape[0])
    )


class Labelled:
    """What an xarray.DataArray has."""

    def __init__(self, x, names):
        self._x, self.dims = x, ("row", "item")
        self.coords = {"item": SimpleNamespace(to_numpy=lambda: np.array(names))}

    def to_numpy(self):
        return self._x


def arrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


def polars(frame):
    return pytest.importorskip("polars").from_pandas(frame)


def test_numbers_are_not_copied(x):
    frame = pd.DataFrame(x, columns=list("abcde"), copy=False)
    for data in (frame, anndata(x, "abcde"), Labelled(x, list("abcde"))):
        values, names = named_array(data)
        assert np.shares_memory(values, x) and names == tuple("abcde")
        checked = plain_frame(data)
        assert np.shares_memory(checked, x) and list(checked.columns) == list("abcde")
    for data in (x, np.ma.array(x), torch.from_numpy(x)):
        values, names = named_array(data)
        assert np.shares_memory(values, x) and names is None
        assert type(plain_frame(data)) is np.ndarray


def test_missing_values_become_nan(x):
    holes = x.astype(float)
    holes[3, 1] = holes[7, 4] = np.nan
    masked = np.ma.masked_array(x, np.isnan(holes))
    nullable = pd.DataFrame(holes, columns=list("abcde")).convert_dtypes()
    objects = pd.DataFrame(holes, columns=list("abcde")).astype(object)
    for data in (masked, nullable, objects, arrow(nullable)):
        values, _ = named_array(data)
        np.testing.assert_array_equal(values, holes)
        samples = as_samples(data)
        np.testing.assert_array_equal(next(samples.blocks(missing=True)), holes)
        with pytest.raises(ValueError, match=r"row 3, column .* is nan"):
            next(samples.blocks())
    assert named_array(masked)[0].dtype == np.float32
    whole = np.ma.masked_equal(np.arange(4).reshape(2, 2), 3)
    np.testing.assert_array_equal(named_array(whole)[0], [[0, 1], [2, np.nan]])


def test_types_that_are_mixed():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1], "c": [True, False]})
    for data in (frame, arrow(frame)):
        values, names = named_array(data)
        assert values.dtype == np.float64
        assert values.tolist() == [[1, 0.5, 1], [2, 1, 0]] and names == ("a", "b", "c")


DATES = pd.date_range("2020", periods=2)
BAD = [
    (lambda f: f.assign(d=DATES), "column 'd' holds dates or times: compute numbers"),
    # Text is a type of its own in pandas 3, and objects before.
    (lambda f: f.assign(d=["x", "y"]), "column 'd' holds (text, such as )?'x'.*: convert"),
    (
        lambda f: f.assign(d=pd.Series([1, "x"], dtype=object)),
        "'d' holds 'x' in row 1, which is no",
    ),
    (lambda f: f.assign(d=pd.Categorical(["x", "y"])), "column 'd' is categorical: make a column"),
    (lambda f: pd.concat([f, f], axis=1), "two columns are named 'a': rename one"),
    (lambda f: arrow(f.assign(d=DATES)), "column 'd' holds dates or times"),
    (lambda f: arrow(f.assign(d=["x", "y"])), "column 'd' holds text: convert it"),
    (lambda f: arrow(f.assign(d=pd.Categorical(["x", "y"]))), "column 'd' is categorical"),
    (lambda f: arrow(f).rename_columns(["a", "a"]), "two columns are named 'a'"),
    (
        lambda f: anndata(f.to_numpy(), ["g", "g"]),
        r"two variables are named 'g': call X\.var_names",
    ),
    (lambda f: SimpleNamespace(X=None, var_names=[], obs_names=[]), "the AnnData has no X"),
    (lambda f: torch.zeros(2, 2, requires_grad=True), r"needs gradients.*: pass X\.detach\(\)"),
    (lambda f: torch.eye(2).to_sparse(), r"sparse Tensor: pass X\.to_dense"),
    (lambda f: f.to_records(index=False), r"the fields a, b: pass pandas\.DataFrame\(X\)"),
    (lambda f: polars(f).lazy(), r"holds no data yet: call \.collect\(\)"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_what_is_no_table_of_numbers(make, message):
    data = make(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    for use in (named_array, as_samples, MinSyn(1).fit):
        with pytest.raises((ValueError, TypeError), match=message):
            use(data)


def test_sparse_anndata_is_read_in_blocks(x, small_blocks):
    data = anndata(sparse.csr_array(x), list("abcde"))
    assert is_stream(data) and not is_stream(anndata(x, "abcde"))
    samples = as_samples(data)
    assert samples.feature_names == tuple("abcde")
    np.testing.assert_array_equal(np.concatenate([b.copy() for b in samples.blocks()]), x)


def test_a_model_is_the_same_from_any_library(x):
    frame = pd.DataFrame(x[:, 1:], columns=list("abcd"))
    expected = MinSyn(2, random_state=0).fit(frame)
    Z = expected.transform(frame)
    forms = [arrow(frame), anndata(frame.to_numpy(), list("abcd")), frame.convert_dtypes()]
    for data in [*forms, Labelled(frame.to_numpy(), list("abcd"))]:
        model = MinSyn(2, random_state=0).fit(data)
        assert list(model.feature_names_in_) == list("abcd")
        np.testing.assert_allclose(model.transform(data), Z, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            expected.reconstruct(data), expected.reconstruct(frame), atol=1e-4
        )
        assert expected.synergy(data, measures="gk_synergy").targets == tuple("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        expected.transform(arrow(frame[list("dcba")]))
