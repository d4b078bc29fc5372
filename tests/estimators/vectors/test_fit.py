"""Groups are fitted separately, and features with two parents are decoded from both."""

from dataclasses import replace

import numpy as np
import pytest

from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.fit import VectorProblem, fit_vector_factors
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.shared_features import add_second_parents
from vector_factors import grouped_table, shared_table


class Found:
    """A solution whose linear encoder is an array."""

    def __init__(self, solution):
        self.encoder_weights = solution.encoder[0].weight.detach().numpy()
        self.components, self.intercept = solution.components, solution.intercept
        self.loss_curve, self.converged = solution.loss_curve, solution.converged


def fit(X, grouping, n_latents, logistic=False, weights=None):
    weights = weights or [np.ones(len(X))] * grouping.n_groups
    problem = VectorProblem(X, grouping, np.asarray(n_latents), weights, logistic)
    solver = Annealing(2e-5, 1000, 1e-3, np.random.RandomState(0))
    return Found(fit_vector_factors(problem, solver))


def test_a_group_is_fitted_as_if_it_were_alone(rng):
    X, labels = grouped_table([5, 4], 100, 0.3, rng)
    X = 1 / (1 + np.exp(-X))
    both = fit(X, Grouping.of(labels), [2, 1], logistic=True)
    first = fit(X[:, :5], Grouping.of(labels[:5]), [2], logistic=True)
    np.testing.assert_array_equal(both.components[:2, :5], first.components)
    np.testing.assert_array_equal(both.encoder_weights[:2, :5], first.encoder_weights)
    assert not both.components[2:, :5].any() and not both.components[:2, 5:].any()


def test_losses_of_groups_add_up(rng):
    X, labels = grouped_table([5, 4], 100, 0.3, rng)
    both = fit(X, Grouping.of(labels), [1, 1])
    apart = [fit(X, Grouping.of(np.where(labels == k, 0, -1)), [1]).loss_curve for k in range(2)]
    assert both.loss_curve[-1] == pytest.approx(sum(curve[-1] for curve in apart), rel=1e-3)


@pytest.mark.parametrize("logistic", [True, False])
def test_features_without_a_parent_have_their_means(logistic, rng):
    X = rng.random((50, 6))
    X[:, 5] = 0.25
    found = fit(X, Grouping.of(np.array([0, 0, 0, 0, -1, -1])), [1], logistic)
    mean = 1 / (1 + np.exp(-found.intercept)) if logistic else found.intercept
    np.testing.assert_allclose(mean[4:], X.mean(axis=0)[4:])
    assert not found.components[:, 4:].any() and not found.encoder_weights[:, 4:].any()


@pytest.mark.parametrize("logistic", [True, False])
def test_features_of_no_group_are_decoded_but_not_encoded(logistic, rng):
    X = np.repeat(rng.random((80, 1)), 6, axis=1)
    X[:, 5] = 0.5 * X[:, 5] + 0.5 * rng.random(80)
    of_none = replace(Grouping.of(np.array([0, 0, 0, 0, 0, -1])), parents=np.ones((1, 6), bool))
    unclear = replace(Grouping.of(np.zeros(6, int)), core=np.arange(6) < 5)
    found, same = (fit(X, grouping, [1], logistic) for grouping in (of_none, unclear))
    assert found.components[0, 5] != 0 and found.encoder_weights[0, 5] == 0
    np.testing.assert_array_equal(found.components, same.components)


def test_nothing_to_fit():
    found = fit(np.ones((5, 3)), Grouping.of(np.full(3, -1)), [1])
    assert found.loss_curve == [0.0] and found.converged and not found.components.any()


def test_shared_features_do_not_shape_latents_unless_others_are_few(rng):
    X, labels = shared_table(3, rng), np.repeat([0, 1], [10, 13])
    grouping = add_second_parents(X, Grouping.of(labels))
    assert not fit(X, grouping, [1, 1]).encoder_weights[:, 20:].any()
    few = grouping.parents.copy()
    few[0, 11:20] = True  # of the second group, one feature is left that has no other parent
    found = fit(X, replace(grouping, parents=few), [1, 1])
    assert found.encoder_weights[1, 10:].all()
    assert found.components[:, 20:].all()
