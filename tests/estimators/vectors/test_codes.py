"""Codes summarise correlated features, and nothing else."""

import numpy as np
import pytest

from minsyn.estimators.vectors.codes import find_codes, squared_correlations
from vector_factors import grouped_table


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def test_many_features_become_sixty_codes_of_one_cause_each(rng):
    X, truth = grouped_table([100, 100], 100, 0.5, rng)
    codes, nearest = find_codes(standardised(X))
    assert codes.shape == (100, 60)
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(codes.std(axis=0), 1)
    causes = [set(truth[nearest == code]) for code in np.unique(nearest)]
    assert all(len(cause) == 1 for cause in causes)


def test_few_features_are_codes_themselves(rng):
    X = standardised(grouped_table([3, 3], 100, 0.5, rng)[0])
    codes, nearest = find_codes(X)
    np.testing.assert_array_equal(codes, X)
    assert nearest.tolist() == list(range(6))


def test_features_without_correlation_make_no_code_and_have_none(rng):
    X, _ = grouped_table([4], 300, 0.5, rng)
    codes, nearest = find_codes(standardised(np.column_stack([rng.normal(size=300), X])))
    assert codes.shape[1] == 4 and nearest.tolist() == [-1, 0, 1, 2, 3]


@pytest.mark.parametrize("n_samples", [20, 200])
def test_noise_makes_a_code_in_one_table_of_twenty(n_samples, rng):
    tables = [rng.normal(size=(n_samples, 10)) for _ in range(200)]
    share = np.mean([find_codes(standardised(X))[0].shape[1] > 0 for X in tables])
    assert 0.01 < share < 0.1


def test_squared_correlations(rng):
    X = rng.normal(size=(50, 4))
    np.testing.assert_allclose(squared_correlations(standardised(X)), np.corrcoef(X.T) ** 2)
