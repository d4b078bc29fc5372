"""Groups are fitted separately, those that share features together."""

from dataclasses import replace

import numpy as np
import pytest

from minsyn.estimators.vectors import fit as vectors_fit
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.fit import VectorProblem, fit_vector_factors
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.shared_features import decode_shared
from minsyn.nn import BOUNDED, LINEAR, REAL, SOFTPLUS
from vector_factors import grouped_table, shared_table


class Found:
    """A solution whose linear encoder is an array."""

    def __init__(self, solution):
        self.encoder_weights = solution.encoder[0].weight.detach().numpy()
        self.encoder_bias = solution.encoder[0].bias.detach().numpy()
        self.components, self.intercept = solution.components, solution.intercept
        self.loss_curve, self.converged = solution.loss_curve, solution.converged
        self.latents_and_features = solution.latents, solution.observations

    def latents(self, X, logistic):
        Z = X @ self.encoder_weights.T + self.encoder_bias
        return np.logaddexp(0, Z) if logistic else Z


def fit(X, grouping, n_latents, logistic=False, weights=None, max_iter=1000):
    weights = weights or [np.ones(len(X))] * grouping.n_groups
    problem = VectorProblem(X, grouping, np.asarray(n_latents), weights, logistic)
    solver = Annealing(2e-5, max_iter, 1e-3, np.random.RandomState(0))
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
    expected = (SOFTPLUS, BOUNDED) if logistic else (LINEAR, REAL)
    assert found.latents_and_features == expected


@pytest.mark.parametrize("logistic", [True, False])
def test_features_of_no_group_are_decoded_but_not_encoded(logistic, rng):
    """From latents after one step, which the softplus still bends."""
    X = np.repeat(rng.random((80, 1)), 6, axis=1)
    X[:, 5] = 0.5 * X[:, 5] + 0.5 * rng.random(80)
    of_none = replace(Grouping.of(np.array([0, 0, 0, 0, 0, -1])), parents=np.ones((1, 6), bool))
    unclear = replace(Grouping.of(np.zeros(6, int)), core=np.arange(6) < 5)
    found, same = (fit(X, grouping, [1], logistic, max_iter=1) for grouping in (of_none, unclear))
    assert found.components[0, 5] != 0 and found.encoder_weights[0, 5] == 0
    np.testing.assert_array_equal(found.components, same.components)
    Z = found.latents(X, logistic)
    components, intercept = decode_shared(
        Z, X[:, 5:], np.ones(80), np.ones((1, 1), bool), logistic=logistic, penalty=2e-5
    )
    np.testing.assert_allclose(found.components[:, 5:], components, rtol=1e-4)
    np.testing.assert_allclose(found.intercept[5:], intercept, rtol=1e-4)


def test_nothing_to_fit():
    found = fit(np.ones((5, 3)), Grouping.of(np.full(3, -1)), [1])
    assert found.loss_curve == [0.0] and found.converged and not found.components.any()


def test_groups_that_share_features_are_fitted_together_and_others_are_not(rng):
    X = np.column_stack([shared_table(3, rng), rng.normal(size=(500, 1)).repeat(4, axis=1)])
    X[:, 23:] += 0.3 * rng.normal(size=(500, 4))
    grouping = Grouping.of(np.repeat([0, 2, 1], [10, 13, 4]))
    one = fit(X, grouping, [1, 1, 1])
    parents = grouping.parents.copy()
    parents[0, 20:23] = True
    found = fit(X, replace(grouping, parents=parents), [1, 1, 1])
    np.testing.assert_array_equal(found.components[1], one.components[1])
    np.testing.assert_array_equal(found.encoder_weights[1], one.encoder_weights[1])
    read = found.encoder_weights != 0
    np.testing.assert_array_equal(read, parents)
    Z = (X - X.mean(axis=0)) @ found.encoder_weights.T
    assert np.mean((X - X.mean(axis=0) - Z @ found.components) ** 2) < 0.3**2
    # The loss of all groups, that of the one by itself included.
    assert found.loss_curve[-1] < 0.8 * one.loss_curve[-1]
    error = np.sum((X - X.mean(axis=0) - Z @ found.components) ** 2) / 500
    assert found.loss_curve[-1] == pytest.approx(error, rel=0.05)
    assert found.converged


@pytest.mark.parametrize("joint", [True, False])
def test_has_converged_where_every_part_has(joint, rng, monkeypatch):
    """Linear groups always do, those of probabilities seldom after one step."""
    monkeypatch.setattr(vectors_fit, "_fit_shared", lambda *arguments: ([0.0], joint))
    X, grouping = rng.random((30, 5)), Grouping.of(np.array([0, 0, 1, 1, 1]))
    grouping = replace(grouping, parents=grouping.parents | (np.arange(5) == 4))
    assert fit(X, grouping, [1, 1]).converged is joint
    assert not fit(X, grouping, [1, 1], logistic=True, max_iter=1).converged


@pytest.mark.parametrize("outcomes", [[True, False], [False, True], [True, True]])
def test_has_converged_where_every_group_has(outcomes, rng, monkeypatch):
    left, of_group = list(outcomes), vectors_fit.fit_group

    def fit_group(*arguments, **options):
        return of_group(*arguments, **options)._replace(converged=left.pop(0))

    monkeypatch.setattr(vectors_fit, "fit_group", fit_group)
    found = fit(rng.random((9, 4)), Grouping.of(np.repeat([0, 1], 2)), [1, 1], True, max_iter=1)
    assert found.converged is all(outcomes)


@pytest.mark.parametrize(("n_alone", "expected"), [(4, [0, 1, 2, 3]), (3, [0, 1, 2, 3, 4])])
def test_shared_features_represent_a_group_where_it_has_fewer_than_two_others_a_latent(
    n_alone, expected
):
    grouping = Grouping.of(np.array([0] * 5 + [1] * 3))
    grouping = replace(grouping, parents=grouping.parents | (np.arange(8) >= n_alone))
    problem = VectorProblem(np.ones((2, 8)), grouping, np.array([2, 1]), [np.ones(2)] * 2, False)
    assert problem.features_of(0).tolist() == expected


def test_a_group_without_clear_features_is_fitted_with_those_that_it_shares_some_with(rng):
    X, labels = grouped_table([4, 3], 60, 0.3, rng)
    grouping = Grouping.of(labels)
    parents = grouping.parents | (np.arange(7) == 3)
    found = fit(X, replace(grouping, parents=parents, core=labels == 0), [1, 1])
    Z = found.latents(X, False)
    error = np.mean((X - Z @ found.components - found.intercept)[:, :4] ** 2)
    assert found.converged and error < 0.3**2 and len(found.loss_curve) > 1
