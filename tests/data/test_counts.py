"""Which tables hold skewed counts."""

import numpy as np
import pytest

from minsyn.data.counts import are_skewed_counts

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(RNG.lognormal(3, 1, size=(80, 6))).astype(float)


def test_counts_are_found():
    with_holes = np.where(RNG.random(COUNTS.shape) < 0.1, np.nan, COUNTS)
    with_constants = np.column_stack([COUNTS, np.zeros(80), np.full(80, np.nan)])
    assert are_skewed_counts(COUNTS)
    assert are_skewed_counts(with_holes) and are_skewed_counts(with_constants)
    assert are_skewed_counts(COUNTS * 1e300)


@pytest.mark.parametrize(
    "values",
    [
        np.log1p(COUNTS),
        COUNTS - 1000,
        COUNTS.max() - COUNTS,
        RNG.integers(1, 6, size=(80, 6)).astype(float),
        (RNG.random((80, 6)) < 0.02).astype(float),
        RNG.integers(18, 90, size=(80, 6)).astype(float),
        np.full((5, 2), 100.0),
        np.full((5, 2), np.nan),
        np.empty((0, 2)),
    ],
    ids=["logs", "negative", "left", "answers", "rare", "ages", "constant", "missing", "empty"],
)
def test_others_are_not(values):
    assert not are_skewed_counts(values)
