"""Features that are decoded from several groups."""

import numpy as np
import pytest
from scipy.special import expit

from minsyn.estimators.vectors.shared_features import decode_shared


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 1e-1])
def test_a_linear_decoder_is_a_ridge_regression(penalty, rng):
    Z, weight = rng.normal(size=(80, 3)), rng.uniform(1, 3, 80)
    X = Z @ rng.normal(size=(3, 4)) + rng.normal(size=(80, 4))
    mask = np.array([[1, 1, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1]], bool)
    D, c = decode_shared(Z, X, weight, mask, logistic=False, penalty=penalty)
    share = weight / weight.sum()
    dZ, dX = Z - share @ Z, X - share @ X
    ridge = 100 * penalty * np.eye(3)  # of errors that are divided by the total variance
    for i, own in enumerate(mask.T):
        gram = (share[:, np.newaxis] * dZ[:, own]).T
        expected = np.linalg.solve(gram @ dZ[:, own] + ridge[np.ix_(own, own)], gram @ dX[:, i])
        np.testing.assert_allclose(D[own, i], expected, atol=1e-10)
        assert not D[~own, i].any()
    np.testing.assert_allclose(c, share @ (X - Z @ D), atol=1e-10)


def test_a_logistic_decoder_stays_finite_where_latents_tell_all(rng):
    """Without a penalty the weights of separable features would grow for ever."""
    Z = rng.normal(size=(100, 2))
    X = (Z > 0.5).astype(float)
    mask = np.ones((2, 2), bool)
    sizes = []
    for penalty in (1e-6, 1e-4, 1e-2):
        D, c = decode_shared(Z, X, np.ones(100), mask, logistic=True, penalty=penalty)
        sizes.append(np.linalg.norm(D))
        error = expit(Z @ D + c) - X
        # A stationary point: the slope of the error balances that of the penalty.
        scale = np.sum(X.var(axis=0))
        slope = expit(Z @ D + c) * (1 - expit(Z @ D + c))
        gradient = Z.T @ (error * slope) / 100 / scale + 100 * penalty / 2 * D
        assert np.abs(gradient).max() < 1e-3 * max(1.0, 100 * penalty * np.abs(D).max())
        assert np.abs((error * slope).mean(axis=0)).max() / scale < 1e-3
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]
