"""Modules are those of the factors, and random directions have none."""

import numpy as np
import pytest
from scipy.linalg import eigh

from minsyn.estimators.vectors import modules
from minsyn.estimators.vectors.modules import clear_modules, find_modules
from minsyn.information.graph import labels_of_vectors


def of_questionnaire(rng, cross=0.25):
    """Loadings of five items on each of five factors, and a little on the others."""
    return np.repeat(np.eye(5), 5, axis=1) + cross * rng.normal(size=(5, 25))


def test_modularity_is_the_excess_over_the_degrees(rng):
    axes = of_questionnaire(rng)
    number, modularity = find_modules(axes)
    basis = np.linalg.qr(axes.T)[0]
    weights = (basis @ basis.T) ** 2
    np.fill_diagonal(weights, 0)
    same = np.equal.outer(np.arange(25) // 5, np.arange(25) // 5)
    degrees = weights.sum(axis=0)
    expected = np.sum((weights - np.outer(degrees, degrees) / degrees.sum())[same])
    assert number == 5 and modularity == pytest.approx(expected / degrees.sum())


def test_partitions_are_those_of_the_normalised_graph(rng):
    sizes = [3, 20, 40]
    axes = np.repeat(np.eye(3), sizes, axis=1) + 0.2 * rng.normal(size=(3, 63))
    basis = np.linalg.qr(axes.T)[0]
    weights = (basis @ basis.T) ** 2
    np.fill_diagonal(weights, 0)
    degrees = weights.sum(axis=0)
    vectors = np.sqrt(degrees)[:, np.newaxis] * eigh(weights, np.diag(degrees))[1]
    labels = labels_of_vectors(vectors[:, ::-1][:, :3])
    excess = weights - np.outer(degrees, degrees) / degrees.sum()
    expected = excess[np.equal.outer(labels, labels)].sum() / degrees.sum()
    assert find_modules(axes) == (3, pytest.approx(expected))


def test_any_basis_of_the_factors_has_the_same_modules(rng):
    axes = of_questionnaire(rng)
    rotated = find_modules(rng.normal(size=(5, 5)) @ axes)
    assert rotated.number == 5
    assert rotated.modularity == pytest.approx(find_modules(axes).modularity)


def test_random_directions_have_no_clear_modules(rng):
    assert [clear_modules(rng.normal(size=(m, 40))) for m in (2, 3, 4, 5, 6)] == [1] * 5
    assert clear_modules(of_questionnaire(rng)) == 5


def test_random_directions_keep_the_sizes_of_the_features(rng, monkeypatch):
    axes = rng.normal(size=(3, 12)) * np.linspace(0.2, 2, 12)
    sizes = np.sort(np.linalg.norm(np.linalg.qr(axes.T)[0], axis=1))
    drawn = []

    def find(directions):
        drawn.append(np.sort(np.linalg.norm(directions, axis=0)))
        return modules.Modules(3, 1.0)

    monkeypatch.setattr(modules, "find_modules", find)
    clear_modules(axes)
    np.testing.assert_allclose(drawn[1:], np.tile(sizes, (len(drawn) - 1, 1)))


def test_many_factors_in_few_modules_are_not_modules_of_one_factor(rng):
    """As of smooth images, whose neighbouring pixels are alike."""
    axes = np.zeros((6, 60))
    axes[:3, :30], axes[3:, 30:] = rng.normal(size=(2, 3, 30))
    assert find_modules(axes).modularity > 0.4 and clear_modules(axes) == 1


def test_no_modules_are_sought_among_very_many_features(monkeypatch):
    axes = np.repeat(np.eye(3), 4, axis=1)
    for most, expected in ((12, 3), (11, 1)):
        monkeypatch.setattr(modules, "_MOST", most)
        assert clear_modules(axes) == expected


def test_nothing_to_divide():
    assert clear_modules(np.ones((1, 5))) == clear_modules(np.eye(3)) == 1
    assert find_modules(np.zeros((2, 4))).number == find_modules(np.ones((4, 3))).number == 1
