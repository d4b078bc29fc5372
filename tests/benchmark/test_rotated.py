import numpy as np
import pytest
from sklearn.decomposition import PCA, FactorAnalysis

from minsyn.benchmark import DEFAULT_METHODS, METHODS, decoder_maps, reconstruct
from minsyn.benchmark.rotated import varimax


@pytest.fixture
def mixed(rng):
    """Three causes of four features each, mixed a little, and noise."""
    causes = rng.laplace(size=(300, 3)) * [3, 2, 1]
    return np.repeat(causes @ (np.eye(3) + 0.2), 4, axis=1) + rng.normal(size=(300, 12)) + 5


def criterion(loadings):
    return (loadings**2).var(axis=0).sum()


def test_no_angle_is_better(rng):
    loadings = rng.normal(size=(9, 2))
    rotation = varimax(loadings)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(2), atol=1e-12)
    angles = np.linspace(0, np.pi, 2001)
    turned = [
        loadings @ np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles
    ]
    best = max(map(criterion, turned))
    assert best <= criterion(loadings @ rotation) * (1 + 1e-9)
    assert criterion(loadings @ rotation) == pytest.approx(best, rel=1e-5)


def test_rotated_components_reconstruct_as_pca(mixed):
    model, pca = METHODS["pca-varimax"].make(3, 0).fit(mixed), PCA(3).fit(mixed)
    np.testing.assert_allclose(reconstruct(model, mixed), reconstruct(pca, mixed))
    Z = model.transform(mixed)
    np.testing.assert_allclose(np.cov(Z.T), np.eye(3), atol=1e-12)
    assert criterion(model.components_.T) > 1.1 * criterion(
        pca.components_.T * np.sqrt(pca.explained_variance_)
    )


def test_rotated_factors_are_scikit_learns(mixed):
    model = METHODS["fa-varimax"].make(3, 0).fit(mixed)
    same = FactorAnalysis(3, rotation="varimax", random_state=0).fit(mixed)
    np.testing.assert_array_equal(decoder_maps(model), same.components_)
    expected = model.mean_ + same.transform(mixed) @ same.components_
    np.testing.assert_allclose(reconstruct(model, mixed), expected)


def test_rotated_methods_are_asked_for():
    assert not {"pca-varimax", "fa-varimax"} & set(DEFAULT_METHODS)
