"""Products of features are found where there are some, and nowhere else."""

import numpy as np
import pytest

from minsyn.estimators.vectors.interactions import find_interaction


@pytest.mark.parametrize("n_samples", [60, 12_000])
def test_finds_products_of_any_kind(n_samples, rng):
    X = rng.integers(2, size=(n_samples, 10)).astype(float)
    X[:, 4] = X[:, 1] != X[:, 7]
    assert find_interaction(X) == (1, 4, 7)
    X = rng.normal(size=(200, 10))
    X[:, 4] = np.exp(X[:, 1] * X[:, 7])
    assert find_interaction(X) == (1, 4, 7)


def test_finds_none_in_independent_features():
    """Normal, with heavy tails, and rare values that occur together once or never."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        for X in (
            rng.normal(size=(50, 20)),
            rng.standard_cauchy((50, 20)),
            (rng.random((100, 20)) < 0.04).astype(float),
        ):
            assert find_interaction(X[:, X.std(axis=0) > 0]) is None


def test_rare_values_that_never_occur_together_are_no_interaction(rng):
    """The product of three has the same value in nearly all samples, and little variance."""
    assert find_interaction((rng.random((5000, 30)) < 0.004).astype(float)) is None


def test_too_few_or_too_many():
    X = np.random.default_rng(0).integers(2, size=(60, 41)).astype(float)
    X[:, 2] = X[:, 0] != X[:, 1]
    assert find_interaction(X[:, :3]) == (0, 1, 2)
    assert find_interaction(X[:, :2]) is find_interaction(X) is find_interaction(X[:19, :3]) is None
