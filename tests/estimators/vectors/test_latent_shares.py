"""Latents go to the groups whose error they reduce most."""

import numpy as np
import pytest

from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import fit_group
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.latent_shares import count_latents, share_latents
from minsyn.estimators.vectors.principal_components import variances_along_components
from vector_factors import grouped_table


def components_of(variances, rng):
    """Features that are themselves uncorrelated, with exactly these variances."""
    basis = np.linalg.qr(rng.normal(size=(100, len(variances) + 1)))[0]
    basis = np.linalg.qr(np.column_stack([np.ones(100), basis[:, 1:]]))[0][:, 1:]
    return basis * np.sqrt(100 * np.asarray(variances))


@pytest.fixture
def uneven(rng):
    """One group has ten small components beside a large one, the other a middling one."""
    groups = Grouping.of(np.repeat([0, 1], [11, 2]))
    return components_of([1.0] + [0.2] * 10 + [1.0, 0.3], rng), groups


def test_a_linear_latent_takes_the_next_largest_component(uneven):
    X, grouping = uneven
    shares = [share_latents(X, grouping, [np.ones(100)] * 2, n, False).tolist() for n in (2, 3, 4)]
    assert shares == [[1, 1], [1, 2], [2, 2]]


def test_a_logistic_latent_takes_a_share_of_all_that_is_left(uneven):
    """With bent surfaces it does more for ten small components than for a single larger one."""
    X, grouping = uneven
    assert share_latents(X, grouping, [np.ones(100)] * 2, 3, True).tolist() == [2, 1]


def test_logistic_latents_leave_less_than_principal_components():
    """The reason for the bend, on data with a curved surface."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)[:, np.newaxis]
    X = 1 / (1 + np.exp(-8 * np.cos(angle - np.linspace(0, 2 * np.pi, 24, endpoint=False))))
    left = variances_along_components(X, np.ones(60))[2:].sum()
    solver = Annealing(2e-5, 1000, 1e-3, np.random.RandomState(0))
    fit = fit_group(X, np.ones(60), 2, solver=solver)
    assert fit.loss < 0.8 * left


def test_samples_count_by_their_weights(rng):
    """The second component of the first group varies only among half of the samples."""
    X = components_of([1.0, 1.0, 1.0, 0.3], rng)
    X[:50, 1] = 0.0
    grouping, ones = Grouping.of(np.array([0, 0, 1, 1])), np.ones(100)
    first_half = np.repeat([1.0, 1e-9], 50)
    assert share_latents(X, grouping, [ones, ones], 3, False).tolist() == [2, 1]
    assert share_latents(X, grouping, [first_half, ones], 3, False).tolist() == [1, 2]


def test_fewer_latents_than_groups(uneven):
    with pytest.raises(ValueError, match="n_components=1 leaves some of the 2 groups"):
        share_latents(*uneven, [np.ones(100)] * 2, 1, False)


def test_counts_components_beyond_noise(rng):
    X, _ = grouped_table([6, 5, 5, 1], 300, 0.3, rng)
    grouping = Grouping.of(np.repeat([0, 1, 2], [6, 10, 1]))
    assert count_latents(X, grouping).tolist() == [1, 2, 1]
    assert count_latents(X, Grouping.of(np.full(17, -1))).tolist() == [1]


def test_a_group_of_one_feature_takes_one_latent(rng):
    X = components_of([2.0, 1.0, 1.0, 1.0, 1.0], rng)
    grouping, ones = Grouping.of(np.array([0, 1, 1, 1, 1])), np.ones(100)
    assert share_latents(X, grouping, [ones, ones], 5, False).tolist() == [1, 4]
