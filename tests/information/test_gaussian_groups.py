"""Synergy between vector factors, against the measures of scalar sources."""

import numpy as np
import pytest

from minsyn.information import PairwiseStatistics, gaussian, gaussian_groups
from minsyn.information.gaussian_groups import adjusted_information, explained_variance


@pytest.fixture
def samples(rng):
    Z = rng.normal(size=(5000, 4)) @ rng.normal(size=(4, 4))
    return Z, Z @ rng.normal(size=(4, 6)) + 2 * rng.normal(size=(5000, 6))


def test_scalar_factors_are_the_known_measure(samples):
    Z, X = samples
    statistics = PairwiseStatistics.of(Z, X)
    expected = gaussian.gk_synergy(statistics.sigma, statistics.rho)
    np.testing.assert_allclose(gaussian_groups.gk_synergy(Z, X, np.arange(4)), expected, atol=2e-3)


def test_one_factor_has_no_synergy(samples):
    Z, X = samples
    assert gaussian_groups.gk_synergy(Z, X, np.zeros(4, int)).max() < 1e-12


def test_coarser_factors_have_less_synergy(samples):
    Z, X = samples
    fine = gaussian_groups.gk_synergy(Z, X, np.array([0, 1, 2, 3]))
    coarse = gaussian_groups.gk_synergy(Z, X, np.array([0, 0, 1, 1]))
    assert np.all(coarse <= fine + 1e-3) and coarse.max() > 0


def test_explained_variance_is_that_of_least_squares(samples):
    Z, X = samples
    design = np.column_stack([Z, np.ones(len(Z))])
    residual = X - design @ np.linalg.lstsq(design, X, rcond=None)[0]
    explained, rank = explained_variance(Z, X)
    np.testing.assert_allclose(explained, 1 - residual.var(axis=0) / X.var(axis=0), rtol=1e-9)
    assert rank == 4


def test_nothing_is_learned_from_as_many_sources_as_samples(rng):
    explained = np.array([1.0, 0.5])
    assert adjusted_information(explained, 10, 9).tolist() == [0, 0]
    assert explained_variance(np.ones((5, 2)), np.ones((5, 3)))[0].tolist() == [0, 0, 0]
    noise, target = rng.normal(size=(20, 15)), rng.normal(size=(20, 2000))
    values = adjusted_information(*explained_variance(noise, target)[:1], 20, 15)
    assert np.median(values) < 0.2  # without the correction it is 0.7
