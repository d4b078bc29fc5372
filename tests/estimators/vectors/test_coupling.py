"""Graph of features that common factors couple: its matrix, and the meaning of its zeros."""

import numpy as np
import pytest

from minsyn.estimators.vectors import coupling
from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.coupling import couple


def coupled(X, m):
    return couple(*Correlations(X).components(np.arange(X.shape[1]), number=m), len(X))


def test_groups_with_correlated_causes_are_not_coupled(rng):
    """Without noise, projections between groups vanish however causes are correlated."""
    causes = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    maps = np.zeros((5, 20))
    maps[:2, :9], maps[2:, 9:] = rng.normal(size=(2, 9)), rng.normal(size=(3, 11))
    found = coupled(causes @ maps, 5)
    np.testing.assert_allclose((found.axes.T @ found.axes)[:9, 9:], 0, atol=1e-10)
    np.testing.assert_allclose(found.eigenvalues[:2], 1)
    assert found.eigenvalues[2] < 0.85
    assert found.labels(2).tolist() == [0] * 9 + [1] * 11
    assert found.falls[0] < 1e-9 and not np.signbit(found.falls).any()  # printed, -0.0 looks odd


def test_noise_does_not_lower_the_eigenvalues_of_groups(rng):
    X = np.repeat(rng.normal(size=(60, 6)), 8, axis=1) + rng.normal(size=(60, 48))
    eigenvalues = coupled(X, 6).eigenvalues
    assert eigenvalues[5] > 0.8 and eigenvalues[6] < 0.4


def test_a_matrix_that_is_not_formed_has_the_same_spectrum(rng, monkeypatch):
    X = np.repeat(rng.normal(size=(80, 3)), 20, axis=1) + rng.normal(size=(80, 60))
    monkeypatch.setattr(coupling, "_PRODUCTS", 10**9)
    formed = coupled(X, 3)
    monkeypatch.setattr(coupling, "_PRODUCTS", 0)
    implicit = coupled(X, 3)
    np.testing.assert_allclose(implicit.eigenvalues, formed.eigenvalues, atol=1e-8)
    np.testing.assert_array_equal(implicit.labels(3), formed.labels(3))


@pytest.mark.parametrize("d", [2, 4])
def test_even_directions_of_one_group_have_the_eigenvalue_of_the_docstring(d, rng):
    X = rng.normal(size=(500, d)) @ rng.normal(size=(d, 400))
    found = coupled(X, d)
    assert found.eigenvalues[1] == pytest.approx(2 / (d + 2), abs=0.08)
    assert found.n_groups(least=0.8, fall=0.15) == 1


def test_features_that_load_on_nothing_are_not_coupled(rng):
    X = np.repeat(rng.normal(size=(300, 2)), 6, axis=1) + 0.5 * rng.normal(size=(300, 12))
    found = coupled(np.column_stack([X, rng.normal(size=(300, 4))]), 2)
    assert found.features.tolist() == list(range(12))
    assert found.labels(2)[12:].tolist() == [-1] * 4


def test_components_that_no_feature_clearly_loads_on_couple_nothing():
    """One direction spread over very many features, of few samples."""
    found = couple(np.array([1.5]), np.full((1, 200), 200**-0.5), 6)
    assert len(found.features) == 0
    assert found.n_groups(0.9, 0.2) == 1 and found.falls.tolist() == [1.0]
