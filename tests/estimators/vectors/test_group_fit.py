"""The autoencoder of one group: its gradient, dead latents, weights of samples."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import GroupProblem, fit_group, log_odds


def solver(penalty=2e-5, max_iter=1000, tol=1e-3):
    return Annealing(penalty, max_iter, tol, np.random.RandomState(0))


@pytest.fixture
def weak_group(rng):
    """Binary features that tell little about their common cause."""
    return (rng.random((150, 60)) < 0.5 + 0.25 * np.tanh(rng.normal(size=(150, 1)))).astype(float)


@pytest.mark.parametrize("logistic", [True, False])
def test_gradients_of_the_loss(logistic, rng):
    X = rng.random((6, 5))
    problem = GroupProblem(X, rng.random(6), 2, logistic)
    for name in ("scores", "targets"):
        setattr(problem, name, getattr(problem, name).astype(float))
    objective = problem.objective(1e-2)
    x = problem.starts(3, np.random.RandomState(0)).astype(float)

    def loss(flat):
        return objective(flat[np.newaxis])[0][0]

    def gradient(flat):
        return objective(flat[np.newaxis])[1][0]

    for start in x:
        assert check_grad(loss, gradient, start) < 1e-5


@pytest.mark.parametrize("logistic", [True, False])
def test_the_loss_is_that_of_the_equation(logistic, rng):
    X, weight, penalty = rng.random((30, 5)), rng.random(30), 1e-2
    fit = fit_group(X, weight, 2, logistic=logistic, solver=solver(penalty))
    share = weight / weight.sum()
    V = np.mean(share @ (X - share @ X) ** 2)
    Z = np.logaddexp(0, X @ fit.encoder_weights.T + fit.encoder_bias)
    X_hat, D = Z @ fit.components + fit.intercept, fit.components
    if logistic:
        X_hat = 1 / (1 + np.exp(-X_hat))
    else:
        D = D / np.sqrt(V)
    ridge = 5 * V * np.sum(fit.encoder_weights**2) + 100 / 5 * np.sum(D**2)
    loss = share @ np.sum((X - X_hat) ** 2, axis=1) + penalty * 5 * V * ridge
    assert fit.loss == pytest.approx(loss, rel=1e-4)
    assert min(fit.history[-20:]) == pytest.approx(fit.loss, rel=1e-6)


def test_weak_groups_do_not_collapse(weak_group):
    """Penalties that the data cannot bear bring all weights to 0, a saddle point."""
    fit = fit_group(weak_group, np.ones(150), 2, logistic=True, solver=solver())
    assert fit.loss < 0.9 * weak_group.var(axis=0).sum()


def test_dead_latents_are_revived(weak_group):
    problem = GroupProblem(weak_group, np.ones(150), 2, True)
    starts = problem.starts(3, np.random.RandomState(0))
    a, _, d, _ = problem._parts(starts)
    a[1, :, 0] = d[1, 0] = 0.0
    revived = problem.revived(starts, np.random.RandomState(1))
    a_new, _, d_new, _ = problem._parts(revived)
    assert np.linalg.norm(a_new[1, :, 0]) > 0.1 and np.linalg.norm(d_new[1, 0]) > 0.1
    np.testing.assert_array_equal(revived[[0, 2]], starts[[0, 2]])
    np.testing.assert_array_equal(a_new[1, :, 1], a[1, :, 1])


def test_equal_samples_are_one_with_their_weights(rng):
    X, weight = rng.random((8, 5)), np.arange(1, 9)
    once, repeated = (
        fit_group(x, w, 2, logistic=True, solver=solver(1e-3, 200, 1e-4))
        for x, w in ((X, weight.astype(float)), (np.repeat(X, weight, axis=0), np.ones(36)))
    )
    np.testing.assert_allclose(once.components, repeated.components, rtol=1e-3, atol=1e-3)


def test_samples_without_weight_do_not_matter(rng):
    X = np.repeat(rng.normal(size=(60, 1)), 4, axis=1)
    outliers = np.vstack([X, rng.normal(size=(20, 4)) * 5])
    fit = fit_group(outliers, np.repeat([1.0, 1e-9], [60, 20]), 1, logistic=False, solver=solver())
    Z = np.logaddexp(0, X @ fit.encoder_weights.T + fit.encoder_bias)
    error = np.mean((X - Z @ fit.components - fit.intercept) ** 2)
    assert error < 0.01 * X.var()


def test_log_odds():
    np.testing.assert_allclose(log_odds(np.array([0.2, 0.8])), np.log([0.25, 4.0]))
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
