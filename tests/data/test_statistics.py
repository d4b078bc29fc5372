"""Mean, variance and range of the features of a data set."""

from functools import reduce

import numpy as np
import pytest

from forms import EVERYTHING, N, collect, npy
from minsyn.data import ColumnStatistics, as_samples, column_statistics
from minsyn.data.arrays import ArraySamples


@pytest.mark.parametrize("n_shares", [2, 5, N + 3])
def test_statistics_of_shares_are_merged(x, tmp_path, small_blocks, n_shares):
    x[:, 2] = 0.1
    wide = x.astype(np.float64) + 1e6
    samples = as_samples(npy(wide, tmp_path))
    shares = [column_statistics(samples, rank, n_shares) for rank in range(n_shares)]
    merged, alone = reduce(ColumnStatistics.merge, shares), column_statistics(samples)
    assert merged.n_samples == alone.n_samples == N
    for name in ("mean", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(merged, name), getattr(alone, name), rtol=1e-15)
    # A mean of 1e6 is known to 1e-10; sums of squares would lose the variance.
    np.testing.assert_allclose(merged.variance, alone.variance, rtol=1e-9)
    assert merged.mean[2] == wide[0, 2] and merged.variance[2] == 0


@pytest.mark.parametrize("n", [3, 103, 1003])
def test_a_constant_has_no_rounding(rng, n):
    constants = np.exp(rng.normal(0, 5, size=500))
    samples = as_samples(np.full((n, 500), constants))
    found = column_statistics(samples, 0, 2).merge(column_statistics(samples, 1, 2))
    np.testing.assert_array_equal(found.mean, constants)
    assert np.all(found.variance == 0) and np.all(found.constant)


def test_an_empty_share_changes_nothing():
    samples = as_samples(np.array([[1.0, 4.0], [3.0, 4.0]]))
    empty, alone = column_statistics(samples, 2, 3), column_statistics(samples)
    assert empty.n_samples == 0
    for merged in (empty.merge(alone), alone.merge(empty)):
        for name in ("n_samples", "mean", "variance", "minimum", "maximum"):
            np.testing.assert_array_equal(getattr(merged, name), getattr(alone, name))
    assert empty.merge(empty).n_samples == 0


def test_no_samples_at_all():
    samples = ArraySamples(np.ones((1, 2)))
    samples.n_samples = 0
    with pytest.raises(ValueError, match="X holds no samples"):
        column_statistics(samples)


@pytest.mark.parametrize("kind", ["npy", "csr", "csv", "array", "parquet"])
def test_column_statistics(x, tmp_path, small_blocks, kind):
    x[:, 2], x[:, 3] = 0.75, 1e4 + x[:, 3]
    found = column_statistics(as_samples(EVERYTHING[kind](x, tmp_path)))
    wide = x.astype(np.float64)
    assert found.n_samples == N
    tight = {"rtol": 1e-12}
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), **tight)
    np.testing.assert_allclose(found.std, wide.std(axis=0), **tight)
    assert found.variance[2] == 0 and found.constant.tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(found.minimum, x.min(axis=0), **tight)
    np.testing.assert_allclose(found.maximum, x.max(axis=0), **tight)


def test_too_large_for_training_but_not_for_statistics(tmp_path):
    x = np.ones((4, 2))
    x[2, 1] = 1e100
    samples = as_samples(x)
    with pytest.raises(ValueError, match="row 2, column 1 is inf in float32: scale the data"):
        collect(samples, 2)
    assert column_statistics(samples).maximum[1] == 1e100
    # Large sums of finite numbers are no reason to complain.
    collect(as_samples(np.full((4, 2), 3e38, np.float32)), 2)
