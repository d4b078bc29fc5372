"""Correlations of some of the features are those of these alone, however they are kept."""

import numpy as np
import pytest

from minsyn.estimators.vectors.correlations import Correlations


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_some_of_the_features_are_as_if_they_were_alone(shape, rng):
    """The last ones: the rows of others would be taken for theirs."""
    X = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + rng.normal(size=shape)
    last = np.arange(shape[1])[-5:]
    part, alone, every = Correlations(X).among(last), Correlations(X[:, last]), np.arange(5)
    assert (part.n_samples, part.n_features) == (shape[0], 5)
    assert part.n_distinct == alone.n_distinct and part.noiseless == alone.noiseless
    variances, axes = part.components(every[1:], number=2)
    expected, expected_axes = alone.components(every[1:], number=2)
    np.testing.assert_allclose(variances, expected)
    np.testing.assert_allclose(np.abs(axes @ expected_axes.T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(
        part.explained(every[1:], variances, axes),
        alone.explained(every[1:], expected, expected_axes),
    )


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_all_components_together_are_the_correlations(shape, rng):
    X = rng.normal(size=shape)
    variances, axes = Correlations(X).components(np.arange(shape[1]))
    np.testing.assert_allclose((variances * axes.T) @ axes, np.corrcoef(X.T), atol=1e-9)
    assert [part.size for part in Correlations(X).components(np.arange(0))] == [0, 0]


@pytest.mark.parametrize(
    ("rank", "expected"), [(0, False), (1, True), (4, True), (5, False), (8, False)]
)
def test_without_noise_the_rank_is_at_most_half(rank, expected, rng):
    X = rng.normal(size=(50, rank)) @ rng.normal(size=(rank, 8)) + 1
    assert Correlations(X).noiseless is expected
