"""Mean, variance and range of the features of a stream."""

import numpy as np
import pytest

from forms import EVERYTHING, N, collect, npy
from minsyn.data import as_samples, column_statistics
from minsyn.training.worker import Worker


@pytest.mark.parametrize("n_ranks", [2, 5, N + 3])
def test_column_statistics_of_shares_are_merged(x, tmp_path, small_blocks, n_ranks):
    """Ranks in turns, in one process."""

    class Turns(Worker):
        world_size = n_ranks

        def on_all_ranks(self, function):
            found = []
            for self.rank in range(n_ranks):
                found.append(function())
            return found

    x[:, 2] = 0.1
    samples = as_samples(npy(x.astype(np.float64) + 1e6, tmp_path))
    shared, alone = column_statistics(samples, Turns()), column_statistics(samples)
    assert shared.n_samples == N
    for name in ("mean", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(shared, name), getattr(alone, name), rtol=1e-15)
    # A mean of 1e6 is known to 1e-10; sums of squares would lose the variance.
    np.testing.assert_allclose(shared.variance, alone.variance, rtol=1e-9)
    assert shared.variance[2] == 0


@pytest.mark.parametrize("kind", ["npy", "csr", "csv", "array", "parquet"])
def test_columns_statistics(x, tmp_path, small_blocks, kind):
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
