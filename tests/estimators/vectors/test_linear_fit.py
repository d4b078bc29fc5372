"""Linear groups in closed form: against the loss of the equation, and principal components."""

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import minimize

from minsyn.estimators.vectors.linear_fit import fit_linear_group


def loss_of(A, D, X, share, penalty):
    dX = X - share @ X
    pV = share @ np.sum(dX**2, axis=1)
    error = share @ np.sum((dX - dX @ A.T @ D) ** 2, axis=1)
    return error + penalty * pV * (pV * np.sum(A**2) + 100 / pV * np.sum(D**2))


@pytest.mark.parametrize("shape", [(30, 5), (5, 8)])
def test_the_optimum_is_that_of_the_equation(shape, rng):
    X, weight, penalty = rng.normal(size=shape) * 3, rng.random(shape[0]), 3e-3
    share = weight / weight.sum()
    fit = fit_linear_group(X, weight, 2, penalty=penalty)

    def loss(flat):
        A, D = flat.reshape(2, 2, -1)
        return loss_of(A, D, X, share, penalty)

    found = minimize(loss, rng.normal(size=4 * shape[1]) * 0.3, method="BFGS")
    assert fit.loss == pytest.approx(found.fun, rel=1e-4)
    # Latents have unit variance, which the penalty does not choose: the product counts.
    g = np.linalg.norm(fit.encoder_weights, axis=1) * np.linalg.norm(fit.components, axis=1)
    a, d = (np.linalg.norm(m, axis=1)[:, None] for m in (fit.encoder_weights, fit.components))
    pV = share @ np.sum((X - share @ X) ** 2, axis=1)
    ratio = np.sqrt(10 * g / pV)[:, None]
    A, D = fit.encoder_weights / a * ratio, fit.components / d * g[:, None] / ratio
    assert loss_of(A, D, X, share, penalty) == pytest.approx(fit.loss, rel=1e-6)


def test_latents_have_unit_variance_and_a_sign(rng):
    X, weight = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 6)) + 5, rng.random(50)
    fit = fit_linear_group(X, weight, 3, penalty=0.0)
    Z = X @ fit.encoder_weights.T + fit.encoder_bias
    np.testing.assert_allclose(np.average(Z, axis=0, weights=weight), 0, atol=1e-9)
    np.testing.assert_allclose(np.average(Z**2, axis=0, weights=weight), [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(Z @ fit.components + fit.intercept, X)
    strongest = np.abs(fit.components).argmax(axis=1)
    assert np.all(fit.components[np.arange(2), strongest[:2]] > 0)


def test_nothing_varies():
    fit = fit_linear_group(np.ones((4, 3)), np.ones(4), 2, penalty=1e-3)
    assert fit.loss < 1e-30 and not fit.components.any() and fit.intercept.tolist() == [1.0] * 3


@pytest.mark.parametrize("shape", [(30, 5), (5, 8)])
def test_the_unit_of_the_data_does_not_matter(shape, rng):
    X = rng.normal(size=shape) + 1
    fits = [fit_linear_group(u * X, np.ones(len(X)), 2, penalty=3e-3) for u in (1.0, 1e-8, 1e8)]
    for unit, fit in zip((1.0, 1e-8, 1e8), fits, strict=True):
        np.testing.assert_allclose(fit.components / unit, fits[0].components, rtol=1e-6)
        np.testing.assert_allclose(fit.encoder_weights * unit, fits[0].encoder_weights, rtol=1e-6)
        assert fit.loss / unit**2 == pytest.approx(fits[0].loss)


@pytest.mark.parametrize("shape", [(1000, 2), (2, 1000)])
def test_memory_does_not_grow_with_the_square_of_the_longer_side(shape, rng):
    X = rng.normal(size=shape)
    tracemalloc.start()
    try:
        fit_linear_group(X, np.ones(len(X)), 1, penalty=0.0)
        assert tracemalloc.get_traced_memory()[1] < 20 * X.nbytes
    finally:
        tracemalloc.stop()
