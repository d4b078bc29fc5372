"""Joint fits of groups that share features."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import fit_group
from minsyn.estimators.vectors.joint_fit import AdditiveMap, _principal_axes, fit_jointly
from minsyn.estimators.vectors.linear_fit import fit_linear_group

GROUPS = np.array([0, 0, 1])
PARENTS = np.array([[1, 1, 1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 1, 1, 1]], bool)


def solver(penalty, max_iter=3000, tol=1e-6):
    return Annealing(penalty, max_iter, tol, np.random.RandomState(0))


def start(rng, mask=PARENTS[GROUPS]):
    m, p = mask.shape
    return AdditiveMap(
        0.3 * rng.normal(size=(m, p)) * mask,
        rng.normal(size=m),
        0.3 * rng.normal(size=(m, p)) * mask,
        rng.normal(size=p),
    )


def loss_of(fit, X, weight, parents, logistic, penalty):
    """The docstring's equation, term by term."""
    share = weight / weight.sum()
    Z = X @ fit.encoder_weights.T + fit.encoder_bias
    X_hat = (np.logaddexp(0, Z) if logistic else Z) @ fit.components + fit.intercept
    X_hat = expit(X_hat) if logistic else X_hat
    variance = share @ (X - share @ X) ** 2
    loss = share @ ((X - X_hat) ** 2).sum(axis=1)
    for k, own in enumerate(parents):
        A, D = fit.encoder_weights[k == GROUPS], fit.components[k == GROUPS]
        v = variance[own].sum()
        u = v / own.sum() if logistic else 1.0
        loss += penalty * (v**2 * np.sum(A**2) + 100 * u * np.sum(D**2))
    return loss


@pytest.mark.parametrize("logistic", [True, False])
def test_finds_a_minimum_of_the_loss_within_the_mask(logistic, rng):
    X, weight, penalty = rng.random((15, 8)), rng.uniform(1, 3, 15), 1e-3 if logistic else 1e-4
    told = []
    minimiser = replace(solver(penalty), on_evaluation=told.append)
    fit, history, converged = fit_jointly(
        X, weight, PARENTS, GROUPS, start(rng), logistic=logistic, solver=minimiser
    )
    assert converged and len(told) == (len(history) if logistic else 0)
    assert not fit.encoder_weights[~PARENTS[GROUPS]].any()
    assert not fit.components[~PARENTS[GROUPS]].any()
    least = loss_of(fit, X, weight, PARENTS, logistic, penalty)
    # Linear latents are then rotated and scaled, which changes the penalty, but hardly.
    assert least == pytest.approx(min(history), rel=1e-6 if logistic else 0.05)
    for name in fit._fields:
        value = getattr(fit, name)
        for _ in range(5):
            step = 0.03 * rng.normal(size=value.shape)
            if value.ndim == 2:
                step *= PARENTS[GROUPS]
            elif not logistic and name == "encoder_bias":
                continue  # a shift of latents that the intercept makes good
            moved = fit._replace(**{name: value + step})
            assert loss_of(moved, X, weight, PARENTS, logistic, penalty) > least * (1 - 1e-9)


@pytest.mark.parametrize("logistic", [True, False])
def test_without_shared_features_it_is_the_sum_of_separate_fits(logistic, rng):
    X, weight, penalty = rng.random((20, 8)), np.ones(20), 1e-3
    parents = PARENTS.copy()
    parents[1, 7] = False
    separate, total = start(rng, parents[GROUPS]), 0.0
    for k, own in enumerate(parents):
        part = np.ix_(k == GROUPS, own)
        n_latents = int(np.sum(k == GROUPS))
        if logistic:
            fit = fit_group(X[:, own], weight, n_latents, solver=solver(penalty))
        else:
            fit = fit_linear_group(X[:, own], weight, n_latents, penalty=penalty)
        separate.encoder_weights[part], separate.components[part] = (
            fit.encoder_weights,
            fit.components,
        )
        separate.encoder_bias[k == GROUPS], separate.intercept[own] = (
            fit.encoder_bias,
            fit.intercept,
        )
        total += fit.loss
    found, history, _ = fit_jointly(
        X, weight, parents, GROUPS, separate, logistic=logistic, solver=solver(penalty)
    )
    assert min(history) == pytest.approx(total, rel=2e-3)
    if not logistic:
        np.testing.assert_allclose(found.components, separate.components, atol=2e-3)
        np.testing.assert_allclose(found.encoder_weights, separate.encoder_weights, atol=0.1)


def test_linear_latents_are_principal_components_of_each_group(rng):
    causes = rng.normal(size=(100, 3)) * [2.0, 1.0, 1.0]
    X = causes @ (rng.normal(size=(3, 8)) * PARENTS[GROUPS]) + 5
    fit, _, _ = fit_jointly(
        X, np.ones(100), PARENTS, GROUPS, start(rng), logistic=False, solver=solver(1e-9)
    )
    Z = X @ fit.encoder_weights.T + fit.encoder_bias
    np.testing.assert_allclose(Z @ fit.components + fit.intercept, X, atol=0.05)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(np.cov(Z[:, :2].T, bias=True), np.eye(2), atol=1e-6)
    first, second = fit.components[:2]
    assert abs(first @ second) < 1e-6 * np.linalg.norm(first) * np.linalg.norm(second)
    assert np.linalg.norm(first) > np.linalg.norm(second)
    assert (fit.components.max(axis=1) == np.abs(fit.components).max(axis=1)).all()


def test_rows_and_columns_that_tell_nothing(rng):
    """One sample, constant columns, more columns than samples, a huge unit."""
    for X in (rng.random((1, 8)), np.ones((5, 8)), rng.random((4, 8)), 1e9 * rng.random((20, 8))):
        first = start(rng)
        first.encoder_weights[:] /= np.abs(X).max()
        first.components[:] *= np.abs(X).max()
        fit, _, _ = fit_jointly(
            X, np.ones(len(X)), PARENTS, GROUPS, first, logistic=False, solver=solver(1e-3)
        )
        assert all(np.isfinite(part).all() for part in fit)
        if not X.var(axis=0).any():  # a second latent has nothing to add
            assert not fit.encoder_weights[1].any() and not fit.components[1].any()
        Z = X @ fit.encoder_weights.T + fit.encoder_bias
        error = np.mean((X - Z @ fit.components - fit.intercept) ** 2)
        assert error <= 1.01 * X.var(axis=0).mean() + 1e-9
    fit, _, _ = fit_jointly(
        np.ones((5, 8)), np.ones(5), PARENTS, GROUPS, start(rng), logistic=True, solver=solver(1e-3)
    )
    assert all(np.isfinite(part).all() for part in fit)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
def test_principal_axes_have_the_products_of_the_features(shape, rng):
    dX = rng.normal(size=shape)
    std, axes = _principal_axes(dX)
    assert _principal_axes(0 * dX)[1].tolist() == np.eye(1, shape[1]).tolist()
    np.testing.assert_allclose(axes @ axes.T, np.eye(min(shape)), atol=1e-9)
    np.testing.assert_allclose(
        (std[:, np.newaxis] * axes).T @ (std[:, np.newaxis] * axes), dX.T @ dX
    )
