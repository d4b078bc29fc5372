"""Graph of features that common factors couple: its matrix, and the meaning of its zeros."""

import numpy as np
import pytest

from minsyn.estimators.vectors import coupling
from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.coupling import CoupledFeatures, couple


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


def test_a_feature_that_has_a_factor_to_itself_is_coupled_to_none():
    axes = np.zeros((3, 13))
    axes[0, :6] = axes[1, 6:12] = 6**-0.5
    axes[2, 12] = 1.0
    found = couple(np.array([4.0, 4.0, 1.5]), axes, 500)
    assert found.features.tolist() == list(range(12))
    np.testing.assert_allclose(found.eigenvalues[:2], 1, atol=0.01)


def test_falls_are_between_0_and_1_where_eigenvalues_are_not():
    found = CoupledFeatures(
        np.arange(3), np.ones(1), np.ones((1, 3)), np.array([1.2, 0.3, -0.4]), np.eye(3)
    )
    np.testing.assert_allclose(found.falls, [0.7, 0.3, 0.0])


@pytest.mark.parametrize(
    ("eigenvalues", "expected"),
    [
        ([1.0, 0.8, 0.6, 0.19], True),
        ([1.0, 0.8, 0.6, 0.25], False),  # .35 is less than half of .6 + .25
        ([1.0, 0.7, 0.6, 0.19], False),  # .41 is not 1.5 times .3
        ([1.0], True),
    ],
)
def test_each_factor_is_a_group_where_the_fall_behind_them_is_clear(eigenvalues, expected):
    m = max(len(eigenvalues) - 1, 1)
    axes = np.repeat(np.eye(m), 4, axis=1) / 2
    k = axes.shape[1]
    found = CoupledFeatures(
        np.arange(k), np.ones(m), axes, np.array(eigenvalues), np.eye(k, len(eigenvalues))
    )
    assert found.each_factor_is_a_group() is expected
    if len(eigenvalues) == 1:  # fewer than one beyond the factors: nothing tells them apart
        assert found.n_minor_factors() == 1


def test_association_is_the_share_of_squared_projections_within_groups(rng):
    axes = np.linalg.qr(rng.normal(size=(8, 3)))[0].T
    found = CoupledFeatures(np.arange(8), np.ones(3), axes, np.ones(1), np.ones((8, 1)))
    labels = np.array([0, 0, 0, 1, 1, 1, 1, -1])
    squares = (axes.T @ axes) ** 2
    expected = 0.0
    for group in (0, 1):
        own = labels == group
        expected += squares[np.ix_(own, own)].sum() / squares[np.ix_(own, labels >= 0)].sum() / 2
    assert found.association(labels, 2) == pytest.approx(expected)
