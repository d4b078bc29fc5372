"""`Moments` against numpy and pandas: merged, shifted, weighted, with missing values."""

import functools

import numpy as np
import pandas as pd
import pytest

from minsyn.information import Moments
from minsyn.information._magnitude import LARGEST


def with_holes(X, rng, share=0.2):
    X = X.copy()
    X[rng.random(X.shape) < share] = np.nan
    return X


@pytest.fixture(name="X")
def make_x(rng):
    return rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5))


def assert_equal(found, expected, rtol=1e-12, atol=1e-12):
    assert found.weight == expected.weight
    for name in ("mean", "covariance"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=rtol, atol=atol
        )


def random_parts(X, rng, weights=None):
    cuts = np.sort(rng.choice(np.arange(1, len(X)), 7, replace=False))
    weights = [None] * 8 if weights is None else np.split(weights, cuts)
    return [Moments.of(x, w) for x, w in zip(np.split(X, cuts), weights, strict=True)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_of_an_array(X, dtype):
    X = (10 * X).astype(dtype)
    moments = Moments.of(X)
    assert moments.weight == 400
    assert moments.missing == 0
    assert moments.covariance.dtype == np.float64
    np.testing.assert_allclose(moments.mean, X.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(X.T.astype(float), bias=True), rtol=1e-10)
    assert np.array_equal(moments.covariance, moments.covariance.T)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_random_partitions(X, rng, holes, offset):
    X = np.round(X * 2**20) / 2**20 + offset  # the offset itself then rounds nothing
    X = with_holes(X, rng) if holes else X
    whole = Moments.of(X)
    for _ in range(5):
        merged = functools.reduce(Moments.merge, random_parts(X, rng))
        tree = functools.reduce(Moments.merge, random_parts(X, rng)[::-1])
        for found in (merged, tree):
            assert_equal(found, whole, rtol=1e-12, atol=1e-11 if offset == 0 else 1e-6)
    near = Moments.of(X - offset)
    np.testing.assert_allclose(whole.covariance, near.covariance, atol=1e-6 if offset else 0)
    np.testing.assert_allclose(whole.mean - offset, near.mean, atol=2e-8)


def test_pairs_of_features_are_those_of_pandas(X, rng):
    X = with_holes(X, rng)
    moments = Moments.of(X)
    # ddof=0 is for complete pairs: pandas' is n_ik - 1.
    table = pd.DataFrame(X)
    there = table.notna().astype(float)
    counts = (there.T @ there).to_numpy()
    np.testing.assert_array_equal(moments.pair_weight, counts)
    np.testing.assert_allclose(moments.covariance * counts / (counts - 1), table.cov(), rtol=1e-10)
    np.testing.assert_allclose(moments.mean, np.nanmean(X, axis=0), rtol=1e-10)
    assert moments.missing == pytest.approx(np.isnan(X).mean())
    assert moments.feature_weight.tolist() == (~np.isnan(X)).sum(axis=0).tolist()


def test_complete_and_incomplete_chunks(X, rng):
    X[:100] = with_holes(X[:100], rng)
    assert Moments.of(X[100:]).pair_weight is None
    for merged in (
        Moments.of(X[:100]).update(X[100:]),
        Moments.of(X[100:]).merge(Moments.of(X[:100])),
    ):
        assert_equal(merged, Moments.of(X), atol=1e-11)


def test_one_sample(X):
    moments = Moments.of(X[:1] + 1e8)
    np.testing.assert_array_equal(moments.mean, X[0] + 1e8)
    np.testing.assert_array_equal(moments.covariance, np.zeros((5, 5)))
    one_by_one = functools.reduce(Moments.merge, (Moments.of(x[np.newaxis]) for x in X))
    assert_equal(one_by_one, Moments.of(X), atol=1e-11)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8 / 3, -1e15])
@pytest.mark.parametrize("holes", [False, True])
def test_constants_are_exact(X, rng, value, holes):
    X[:, 2] = value
    moments = Moments.of(with_holes(X, rng) if holes else X)
    assert moments.variance[2] == 0
    assert moments.mean[2] == value
    assert moments.std[2] == 0


def test_values_between_the_rows_that_are_looked_at_first():
    X = np.full((3000, 2), np.nan)
    X[:, 0] = 1.0
    X[[7, 9], 1] = [1e8, 1e8 + 2]
    np.testing.assert_allclose(Moments.of(X).variance[1], 1.0, rtol=1e-9)


@pytest.mark.parametrize("holes", [False, True])
def test_weights_are_repeated_rows(X, rng, holes):
    X = with_holes(X, rng) if holes else X
    weights = rng.integers(0, 4, len(X))
    assert_equal(Moments.of(X, weights), Moments.of(np.repeat(X, weights, axis=0)), atol=1e-11)
    merged = functools.reduce(Moments.merge, random_parts(X, rng, weights + 0.5))
    assert_equal(merged, Moments.of(X, weights + 0.5), atol=1e-11)


@pytest.mark.parametrize(
    "weights", [np.ones(3), [np.nan] * 400, -np.ones(400), np.zeros(400), np.ones((400, 1))]
)
def test_wrong_weights(X, weights):
    with pytest.raises(ValueError, match="sample_weight must"):
        Moments.of(X, weights)


def test_features_never_seen_together(X):
    X[:200, 1] = np.nan
    X[200:, 3] = np.nan
    moments = Moments.of(X)
    with pytest.raises(
        ValueError, match="features '1' and '3' were never seen together: no sample"
    ):
        moments.require_pairs()
    with pytest.raises(ValueError, match="features 'b' and 'd' were never"):
        moments.require_pairs(list("abcde"))
    X[:200, 4] = np.nan
    with pytest.raises(ValueError, match=r"'1' and '3' were .* \(and 1 more pairs\): no sample"):
        Moments.of(X).require_pairs()
    seen = moments.update(np.ones((1, 5)))
    seen.require_pairs()
    X[:200, 3] = X[200:, 1] = 0.0
    X[:, 4] = np.nan
    with pytest.raises(ValueError, match="feature '4' has no values at all"):
        Moments.of(X).require_pairs()


def test_dask_arrays(X, rng):
    da = pytest.importorskip("dask.array", reason="dask is not installed: pip install dask")
    import dask
    from dask import bag

    X = with_holes(X, rng)
    blocks = da.from_array(X, chunks=(90, 5)).to_delayed().ravel()
    parts = [dask.delayed(lambda block: [Moments.of(block)])(block) for block in blocks]
    total = bag.from_delayed(parts).fold(Moments.merge, split_every=3)
    assert_equal(total.compute(scheduler="synchronous"), Moments.of(X), atol=1e-11)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], r"not symmetric: \[0, 1\] is 0.5, but \[1, 0\] is 0.4"),
        ([[1.0, 1.5], [1.5, 1.0]], "not positive semidefinite: .* eigenvalue -0.5"),
        ([[1.0, np.nan], [np.nan, 1.0]], r"finite: \[0, 1\] is nan"),
        ([[1.0, 0.0], [0.0, -1.0]], r"variances must be at least 0: \[1, 1\] is -1"),
        ([[1.0, 0.0]], "square matrix"),
        (np.zeros((0, 0)), "square matrix"),
    ],
)
def test_what_is_no_covariance(matrix, message):
    with pytest.raises(ValueError, match=message):
        Moments.of_covariance(np.array(matrix))


def test_a_known_covariance(X):
    moments = Moments.of(X)
    known = Moments.of_covariance(moments.covariance, moments.mean, 400)
    assert_equal(known.update(X[:10]), moments.update(X[:10]))
    printed = np.round(np.corrcoef(X.T), 3)
    assert np.array_equal(Moments.of_covariance(printed).covariance, printed)
    assert Moments.of_covariance(printed).weight == 1
    largest = np.diag([LARGEST**2, 1.0])
    assert np.array_equal(Moments.of_covariance(largest).covariance, largest)
    rounded = np.array([[4.0, 1.0], [1.0 + 1e-9, 9.0]])
    np.testing.assert_allclose(Moments.of_covariance(rounded).covariance, rounded, rtol=1e-9)
    constant = np.diag([1.0, 0.0])
    assert np.array_equal(Moments.of_covariance(constant).covariance, constant)
    with pytest.raises(ValueError, match="mean must hold 5"):
        Moments.of_covariance(printed, np.zeros(4))
    with pytest.raises(ValueError, match="n_samples"):
        Moments.of_covariance(printed, weight=0)
    with pytest.raises(ValueError, match="of 5 and of 4 features"):
        moments.merge(Moments.of(X[:, :4]))


def test_what_a_fold_may_begin_with(X):
    none = Moments(0.0, np.zeros(5), np.zeros((5, 5)))
    assert none.missing == 0
    assert_equal(none.merge(none).update(X), Moments.of(X))


def test_no_samples():
    with pytest.raises(ValueError, match="at least one sample"):
        Moments.of(np.zeros((0, 3)))
