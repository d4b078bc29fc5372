"""Number of dimensions: against random matrices, and never noise."""

import numpy as np
import pytest

from minsyn.estimators.vectors import dimensions
from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.dimensions import errors_of_axes, n_dimensions
from vector_factors import grouped_table


def dimensions_of(X):
    components = Correlations(X).components(np.arange(X.shape[1]), least=1.0)
    return n_dimensions(*components, len(X))


@pytest.mark.parametrize(("n_samples", "size"), [(60, 100), (300, 10)])
def test_number_of_causes(n_samples, size, rng):
    X, _ = grouped_table([size] * 5, n_samples, 1.0, rng)
    assert dimensions_of(X * rng.uniform(0.01, 100, X.shape[1])) == 5


def test_a_strong_cause_does_not_hide_a_weak_one(rng):
    X, _ = grouped_table([100, 3], 300, 0.8, rng)
    assert dimensions_of(X) == 2


@pytest.mark.parametrize("shape", [(40, 80), (200, 40)])
def test_noise_of_any_variances_has_no_dimension(shape, rng):
    found = [dimensions_of(rng.normal(size=shape)) for _ in range(60)]
    assert sum(found) <= 3  # one in a hundred
    assert dimensions_of(np.ones((5, 3))) == dimensions_of(rng.normal(size=(3, 2))) == 0


def test_all_dimensions_where_there_is_no_noise(rng):
    X = rng.normal(size=(100, 12)) @ rng.normal(size=(12, 300))
    assert dimensions_of(X) == 12
    assert n_dimensions(np.array([3.0, 0.0, 0.0]), np.sqrt([[1 / 3] * 3] * 3), 20) == 1


def test_a_component_of_fewer_than_four_samples_is_not_told_from_noise():
    axis = np.full((1, 1000), 1000**-0.5)
    assert [n_dimensions(np.array([900.0]), axis, n) for n in (2, 3, 4)] == [0, 0, 1]


def test_errors_of_axes_are_those_of_random_samples(rng):
    """The rest of the squared cosine between the axes of samples and the true one."""
    true = np.full(120, 120**-0.5)
    expected, measured = [], []
    for _ in range(50):
        X, _ = grouped_table([120], 60, 3.0, rng)
        variances, axes = Correlations(X).components(np.arange(120), number=1)
        expected.append(errors_of_axes(variances, axes, 60).sum())
        measured.append(1 - (axes[0] @ true) ** 2)
    assert np.mean(measured) == pytest.approx(np.mean(expected), rel=0.15)


def test_quantiles_of_the_noise_stand_for_its_variances(monkeypatch):
    edges = []
    for number in (200, 10_000):
        monkeypatch.setattr(dimensions, "_QUANTILES", number)
        edges.append(dimensions._upper_edge(np.linspace(0.01, 1, 2001), 0.5))
    assert edges[0] == pytest.approx(edges[1], rel=5e-4)


def test_errors_are_shared_out_by_the_noise_of_the_features():
    axes = np.sqrt([[0.5, 0.3, 0.2]])
    (errors,) = errors_of_axes(np.array([1.8]), axes, 50)
    noise = 1 - 1.8 * axes[0] ** 2
    np.testing.assert_allclose(errors / errors.sum(), noise / noise.sum())
