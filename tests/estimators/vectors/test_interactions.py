"""Products of features are found where there are some, and nowhere else."""

import numpy as np
import pytest
from scipy.stats import norm

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
            (rng.random((100, 20)) > 0.04).astype(float),
        ):
            assert find_interaction(X[:, X.std(axis=0) > 0]) is None


def test_rare_values_that_never_occur_together_are_no_interaction(rng):
    """The product of three has the same value in nearly all samples, and little variance."""
    assert find_interaction((rng.random((5000, 30)) < 0.004).astype(float)) is None


@pytest.mark.parametrize("of_each", [6, 7])
def test_an_interaction_is_significant_at_a_thousandth(of_each):
    """The exclusive or of all pairs of two coins, but for one sample of each."""
    coins = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], of_each, axis=0)
    both = (coins[:, 0] != coins[:, 1]) ^ (np.arange(4 * of_each) % of_each == 0)
    z = np.sqrt(4 * of_each) * (1 - 2 / of_each)
    found = find_interaction(np.column_stack([coins, both]).astype(float))
    assert found == ((0, 1, 2) if 2 * norm.sf(z) < 1e-3 else None)
    assert (found is None) == (of_each == 6)


def test_too_few_or_too_many():
    X = np.random.default_rng(0).integers(2, size=(60, 41)).astype(float)
    X[:, 2] = X[:, 0] != X[:, 1]
    for few in (X[:, :3], X[:20, :3], X[:, :40]):
        assert find_interaction(few) == (0, 1, 2)
    assert find_interaction(X[:, :2]) is find_interaction(X) is find_interaction(X[:19, :3]) is None
