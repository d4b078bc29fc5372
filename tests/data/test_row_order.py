"""Whether rows resemble their neighbours."""

import numpy as np
import pytest

from minsyn.data.row_order import correlation_of_neighbours


def test_autoregressive_series_have_their_coefficient():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 5))
    for t in range(1, len(x)):
        x[t] += 0.7 * x[t - 1]
    assert correlation_of_neighbours(x) == pytest.approx(0.7, abs=0.03)
    assert correlation_of_neighbours(rng.permutation(x)) == pytest.approx(0.0, abs=0.05)


def test_units_and_missing_values_matter_little():
    walk = np.random.default_rng(0).normal(size=(500, 4)).cumsum(axis=0)
    shown = correlation_of_neighbours(walk)
    assert correlation_of_neighbours(walk * 1e150 + 1e152) == pytest.approx(shown)
    walk[::50] = np.nan
    assert correlation_of_neighbours(walk) > 0.9


@pytest.mark.parametrize(
    "values",
    [
        np.arange(49.0)[:, None],
        np.ones((60, 2)),
        np.full((60, 2), np.nan),
        np.full((60, 1), 1e308) * np.resize([1, -1], (60, 1)),
        np.empty((0, 3)),
    ],
)
def test_nothing_is_said_of_few_rows_and_constants(values):
    assert correlation_of_neighbours(values) <= 0
