"""Principal components of groups of features agree with the singular value decomposition."""

import numpy as np
import pytest

from minsyn.estimators.vectors.principal_components import (
    leading_components,
    variances_along_components,
)


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_leading_components_are_those_of_the_svd(shape, rng):
    dX = rng.normal(size=shape)
    dX -= dX.mean(axis=0)
    u, s, vt = leading_components(dX, 3)
    u_all, s_all, vt_all = np.linalg.svd(dX, full_matrices=False)
    np.testing.assert_allclose(s, s_all[:3])
    np.testing.assert_allclose((u * s) @ vt, (u_all[:, :3] * s_all[:3]) @ vt_all[:3], atol=1e-10)


def test_leading_components_stop_at_the_rank(rng):
    dX = np.outer(rng.normal(size=20), rng.normal(size=5))
    assert len(leading_components(dX, 4)[1]) == 1
    assert len(leading_components(np.zeros((20, 5)), 4)[1]) == 1


@pytest.mark.parametrize("n_samples", [4, 30])
def test_weights_are_numbers_of_samples(n_samples, rng):
    X, counts = rng.normal(size=(n_samples, 6)), np.arange(1, n_samples + 1)
    variances = variances_along_components(X, counts / 7)
    covariance = np.cov(np.repeat(X, counts, axis=0).T, bias=True)
    expected = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(variances, expected[: len(variances)], atol=1e-12)
