"""Information of groups about features: leaving a feature out, corrections, p-values."""

import numpy as np
import pytest
from scipy.stats import kstest

from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.group_information import (
    explained_without,
    group_dimensions,
    group_information,
)
from minsyn.estimators.vectors.principal_components import leading_components
from vector_factors import grouped_table


def measured(X, labels):
    correlations = Correlations(X)
    dimensions = group_dimensions(correlations, labels, labels.max() + 1)
    return group_information(correlations, labels, dimensions), dimensions


def test_leaving_a_feature_out_is_a_regression_on_the_others(rng):
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 7)) + rng.normal(size=(60, 7))
    X -= X.mean(axis=0)
    u, s, vt = leading_components(X, 5)
    explained = explained_without(s, vt, np.sum(X**2, axis=0))
    for i in range(7):
        for d in range(1, 6):
            scores = u[:, :d] * s[:d] - np.outer(X[:, i], vt[:d, i])
            left = X[:, i] - scores @ np.linalg.lstsq(scores, X[:, i], rcond=None)[0]
            assert explained[d - 1, i] == pytest.approx(1 - left @ left / (X[:, i] @ X[:, i]))


def test_information_is_gaussian(rng):
    """A mean of ten features of variance 1 + 1 tells 1/2 log (1 + 1/1) minus a tenth's noise."""
    X, labels = grouped_table([10, 10], 20_000, 1.0, rng)
    found, dimensions = measured(X, labels)
    nats = found.nats
    assert dimensions.tolist() == [1, 1]
    own, other = nats[labels, np.arange(20)], nats[1 - labels, np.arange(20)]
    explained = 0.5 * 9 / 10  # of a mean of the nine others
    np.testing.assert_allclose(own, -0.5 * np.log(1 - explained), atol=0.02)
    np.testing.assert_allclose(other, 0, atol=1e-3)
    assert found.p_values(labels).max() < 1e-10


def test_p_values_are_uniform_where_groups_tell_nothing(rng):
    X, labels = grouped_table([5], 200, 0.5, rng)
    X = np.column_stack([X, rng.normal(size=(200, 2000))])
    found, _ = measured(X, np.append(labels, np.full(2000, -1)))
    assert kstest(found.p_values(np.zeros(found.nats.shape[1], int))[5:], "uniform").pvalue > 0.01


def test_information_is_corrected_for_the_number_of_components(rng):
    """Three components explain 3 / (N - 1) of noise by chance: no information, half of the time."""
    X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 30))
    X = np.column_stack([X, rng.normal(size=(60, 1000))])
    labels = np.repeat([0, -1], [30, 1000])
    found, dimensions = measured(X, labels)
    assert dimensions.tolist() == [3]
    assert 0.5 < np.mean(found.nats[0, 30:] == 0) < 0.7
    assert found.nats[0, 30:].mean() < 0.5 * 0.5 * 3 / 59


@pytest.mark.parametrize("shape", [(40, 60), (60, 40)])
def test_features_in_samples_and_in_covariances_have_the_same_information(shape, rng):
    """Wide data are kept as samples, tall ones as correlations."""
    X = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + rng.normal(size=shape)
    labels, dimensions = np.arange(shape[1]) % 2, np.array([1, 2])
    found = group_information(Correlations(X), labels, dimensions)
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    for group, d in enumerate(dimensions):
        u = leading_components(standard[:, labels == group], d)[0]
        other = np.flatnonzero(labels != group)
        explained = np.sum((u.T @ standard[:, other]) ** 2, axis=0) / len(X)
        freedom = len(X) - 1
        nats = -0.5 * np.log(np.minimum((1 - explained) * freedom / (freedom - d), 1))
        np.testing.assert_allclose(found.nats[group, other], nats, atol=1e-9)


def test_a_group_without_features_tells_nothing(rng):
    X, labels = grouped_table([4, 4], 50, 0.5, rng)
    found = group_information(Correlations(X), 2 * labels, np.array([1, 1, 1]))
    assert not found.nats[1].any()
    assert found.p_values(np.ones(8, int)).tolist() == [1.0] * 8


def test_components_leave_a_degree_of_freedom(rng):
    X = rng.normal(size=(5, 9))
    found = group_information(Correlations(X), np.repeat([0, 1], [7, 2]), np.array([6, 1]))
    assert [freedom.ravel().tolist() for freedom in found.freedom] == [[3, 1], [1, 3]]
