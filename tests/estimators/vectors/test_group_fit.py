"""The autoencoder of one group: its gradient, dead latents, weights of samples."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from minsyn.estimators.vectors import group_fit
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import GroupProblem, fit_group, log_odds


def solver(penalty=2e-5, max_iter=1000, tol=1e-3):
    return Annealing(penalty, max_iter, tol, np.random.RandomState(0))


@pytest.fixture
def weak_group(rng):
    """Binary features that tell little about their common cause."""
    return (rng.random((150, 60)) < 0.5 + 0.25 * np.tanh(rng.normal(size=(150, 1)))).astype(float)


def test_gradients_of_the_loss(rng):
    X = rng.random((6, 5))
    problem = GroupProblem(X, rng.random(6), 2)
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


def test_the_loss_is_that_of_the_equation(rng):
    X, weight, penalty = rng.random((30, 5)), rng.random(30), 1e-2
    fit = fit_group(X, weight, 2, solver=solver(penalty))
    share = weight / weight.sum()
    V = np.mean(share @ (X - share @ X) ** 2)
    Z = np.logaddexp(0, X @ fit.encoder_weights.T + fit.encoder_bias)
    D = fit.components
    X_hat = 1 / (1 + np.exp(-(Z @ D + fit.intercept)))
    ridge = 5 * V * np.sum(fit.encoder_weights**2) + 100 / 5 * np.sum(D**2)
    loss = share @ np.sum((X - X_hat) ** 2, axis=1) + penalty * 5 * V * ridge
    assert fit.loss == pytest.approx(loss, rel=1e-4)
    assert min(fit.history[-20:]) == pytest.approx(fit.loss, rel=1e-6)


def test_starts_reconstruct_more_than_means(rng):
    """Least squares from random latents: features that are nearly always 0 or 1 as well."""
    X = 1 / (1 + np.exp(-2 * rng.normal(size=(100, 2)) @ rng.normal(size=(2, 12))))
    problem = GroupProblem(X, np.ones(100), 2)
    starts = problem.starts(8, np.random.RandomState(0))
    assert problem.objective(0.0)(starts)[0].max() < 0.6
    a, b, d, c = problem._parts(starts)
    X_hat = 1 / (1 + np.exp(-(np.logaddexp(0, problem.scores @ a + b) @ d + c)))
    np.testing.assert_allclose(X_hat.mean(axis=1), np.tile(X.mean(axis=0), (8, 1)), atol=0.05)


@pytest.mark.parametrize("variation", [1.0, 1e-3])
def test_starts_have_unit_variance_however_little_the_features_vary(variation, rng):
    X = 0.5 + variation * (rng.random((40, 5)) - 0.5)
    problem = GroupProblem(X, np.ones(40), 1)
    a = problem._parts(problem.starts(400, np.random.RandomState(0)))[0]
    assert problem.rank == 5
    assert np.mean((problem.scores @ a).var(axis=1)) == pytest.approx(1, rel=0.15)


def test_where_a_single_sample_counts_it_is_all_that_is_reconstructed(rng):
    X = rng.uniform(0.2, 0.8, size=(3, 4))
    fit = fit_group(X, np.array([0.0, 1.0, 0.0]), 1, solver=solver(max_iter=20))
    Z = np.logaddexp(0, X @ fit.encoder_weights.T + fit.encoder_bias)
    X_hat = 1 / (1 + np.exp(-(Z @ fit.components + fit.intercept)))
    np.testing.assert_allclose(X_hat[1], X[1], atol=1e-3)


def test_weak_groups_do_not_collapse(weak_group):
    """Penalties that the data cannot bear bring all weights to 0, a saddle point."""
    fit = fit_group(weak_group, np.ones(150), 2, solver=solver())
    assert fit.loss < 0.9 * weak_group.var(axis=0).sum()


def test_dead_latents_are_revived(weak_group):
    problem = GroupProblem(weak_group, np.ones(150), 2)
    starts = problem.starts(3, np.random.RandomState(0))
    a, _, d, _ = problem._parts(starts)
    d *= 1e-3  # weak, but only one is so beside the other
    a[1, :, 0] = d[1, 0] = 0.0
    revived = problem.revived(starts, np.random.RandomState(1))
    a_new, _, d_new, _ = problem._parts(revived)
    assert np.linalg.norm(a_new[1, :, 0]) > 0.1 and np.linalg.norm(d_new[1, 0]) > 0.1
    np.testing.assert_array_equal(revived[[0, 2]], starts[[0, 2]])
    np.testing.assert_array_equal(a_new[1, :, 1], a[1, :, 1])


def test_equal_samples_are_one_with_their_weights(rng):
    X, weight = rng.random((8, 5)), np.arange(1, 9)
    once, repeated = (
        fit_group(x, w, 2, solver=solver(1e-3, 200, 1e-4))
        for x, w in ((X, weight.astype(float)), (np.repeat(X, weight, axis=0), np.ones(36)))
    )
    np.testing.assert_allclose(once.components, repeated.components, rtol=1e-3, atol=1e-3)


def test_samples_without_weight_do_not_matter(rng):
    X = np.repeat(rng.random((60, 1)), 4, axis=1)
    outliers = np.vstack([X, rng.integers(2, size=(20, 4))])
    fit = fit_group(outliers, np.repeat([1.0, 1e-9], [60, 20]), 1, solver=solver())
    Z = np.logaddexp(0, X @ fit.encoder_weights.T + fit.encoder_bias)
    error = np.mean((X - 1 / (1 + np.exp(-(Z @ fit.components + fit.intercept)))) ** 2)
    assert error < 0.03 * X.var()


def test_starts_are_compared_on_a_part_of_many_samples(rng, monkeypatch):
    monkeypatch.setattr(group_fit, "_SEARCH_SAMPLES", 50)
    X = 1 / (1 + np.exp(-rng.normal(size=(400, 2)) @ rng.normal(size=(2, 12))))
    whole = GroupProblem(X, np.ones(400), 2)
    part = whole.search()
    np.testing.assert_array_equal(part.targets[[0, -1]], whole.targets[[0, -1]])
    assert len(part.scores) == len(part.targets) == part.n_samples == 50
    assert part.weight.sum() == pytest.approx(1)
    fit = fit_group(X, np.ones(400), 2, solver=solver(max_iter=200))
    assert len(fit.history) > 0 and fit.loss < 0.1 * X.var(axis=0).sum()


def test_tall_samples_have_the_axes_of_the_svd(rng):
    X = rng.normal(size=(60, 5))
    s, vt = group_fit._axes(X)
    _, s_svd, vt_svd = np.linalg.svd(X, full_matrices=False)
    np.testing.assert_allclose(s, s_svd)
    np.testing.assert_allclose(np.abs(vt @ vt_svd.T), np.eye(5), atol=1e-10)


def test_log_odds():
    np.testing.assert_allclose(log_odds(np.array([0.2, 0.8])), np.log([0.25, 4.0]))
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
