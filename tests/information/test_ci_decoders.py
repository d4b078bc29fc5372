"""The CI decoders of Eq. 9 and 10 against the definition of Eq. 5, brute force and limits."""

import numpy as np
import pytest
from scipy.special import expit

from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, gaussian


def test_gaussian_decoder_is_bayes_rule_with_independent_sources(rng):
    """p(x) prod_j p(z_j | x) of Gaussians is a Gaussian whose precisions add up."""
    rho = rng.uniform(-0.95, 0.95, size=(4, 6))
    z = rng.normal(size=4)
    precision = 1 + (rho**2 / (1 - rho**2)).sum(axis=0)
    mean = (rho / (1 - rho**2) * z[:, None]).sum(axis=0) / precision
    coefficients, variance = gaussian.ci_decoder(rho)
    np.testing.assert_allclose(z @ coefficients, mean, rtol=1e-12)
    np.testing.assert_allclose(variance, 1 / precision, rtol=1e-12)


def test_gaussian_decoder_at_full_correlation():
    rho = np.array([[1.0, -1.0, 0.0], [0.5, 1.0, 0.0]])
    coefficients, variance = gaussian.ci_decoder(rho)
    np.testing.assert_allclose(coefficients, [[1, -0.5, 0], [0, 0.5, 0]], atol=1e-12)
    np.testing.assert_allclose(variance, [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("m", [1, 2, 4])
def test_bernoulli_decoder_is_the_normalised_product(rng, m):
    """Eq. 5 evaluated cell by cell for a random joint distribution of binary variables."""
    p = rng.dirichlet(np.ones(2 ** (m + 1))).reshape((2,) * (m + 1))
    p_x = p.sum(axis=tuple(range(m)))
    p_zj_x = [p.sum(axis=tuple(k for k in range(m) if k != j)) for j in range(m)]
    weights, bias = bernoulli.ci_decoder(
        np.array([[cell[1, 1]] for cell in p_zj_x]),
        np.array([cell[1].sum() for cell in p_zj_x]),
        p_x[1:],
        flip=0.0,
    )
    for z in np.ndindex((2,) * m):
        joint = p_x * np.prod([p_zj_x[j][z[j]] / p_x for j in range(m)], axis=0)
        expected = joint[1] / joint.sum()
        assert expit(z @ weights + bias)[0] == pytest.approx(expected, abs=1e-12)


def test_bernoulli_smoothing_is_a_pair_of_symmetric_channels(rng):
    """Smoothed weights are the exact ones of variables that were flipped at random."""
    p, flip = rng.dirichlet(np.ones(4)).reshape(2, 2), 0.03
    channel = np.array([[1 - flip, flip], [flip, 1 - flip]])
    flipped = channel @ p @ channel
    cells = lambda q: (q[1:, 1:], q[1:].sum(axis=1), q[:, 1:].sum(axis=0))  # noqa: E731
    smoothed = bernoulli.ci_decoder(*cells(p), flip=flip)
    exact = bernoulli.ci_decoder(*cells(flipped), flip=0.0)
    np.testing.assert_allclose(smoothed.weights, exact.weights, rtol=1e-12)
    np.testing.assert_allclose(smoothed.bias, exact.bias, rtol=1e-12)


def test_probabilities_of_the_bernoulli_decoder_are_checked_one_by_one():
    right = {"p_zx": np.full((2, 2), 0.25), "p_z": np.full(2, 0.5), "p_x": np.full(2, 0.5)}
    for name, p in right.items():
        for number in (1.2, -0.1, np.nan):
            wrong = p.copy()
            wrong.flat[0] = number
            with pytest.raises(ValueError, match=f"{name} must hold probabilities"):
                bernoulli.ci_decoder(**right | {name: wrong})
    never = bernoulli.ci_decoder(np.array([[0.0]]), np.array([0.0]), np.array([1.0]))
    np.testing.assert_allclose(never.weights, 0, atol=1e-12)


def test_what_does_not_vary_has_no_weight():
    z = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])  # the second source is dead
    x = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    statistics = PairwiseStatistics.of(z, x)
    for decoder in (bernoulli, gaussian):
        weights, intercept = decoder.ci_linear_map(statistics)
        assert np.all(np.isfinite(weights)) and np.all(np.isfinite(intercept))
        np.testing.assert_allclose(weights[:, :2], 0, atol=1e-9)
        np.testing.assert_allclose(weights[1], 0, atol=1e-9)
        assert abs(weights[0, 2]) > 0.9


def test_gaussian_map_is_in_the_variables_own_units(rng):
    z = rng.normal(size=(200, 2))
    x = z @ rng.normal(size=(2, 3)) + rng.normal(size=(200, 3))
    weights, intercept = gaussian.ci_linear_map(PairwiseStatistics.of(z, x))
    scaled_z, scaled_x = 10 * z - 3, 0.1 * x + 5
    scaled = gaussian.ci_linear_map(PairwiseStatistics.of(scaled_z, scaled_x))
    np.testing.assert_allclose(
        scaled_z @ scaled[0] + scaled[1], 0.1 * (z @ weights + intercept) + 5, rtol=1e-10
    )


@pytest.mark.parametrize("stuck", [0.0, 0.5, 1.0])
def test_a_source_that_never_varies_has_no_weight_in_single_precision(rng, stuck):
    Z = np.stack([np.full(50, stuck), rng.random(50)], axis=1).astype(np.float32)
    X = (rng.random((50, 20)) < np.linspace(0, 1, 20)).astype(np.float32)
    weights, _ = bernoulli.ci_linear_map(PairwiseStatistics.of(Z, X))
    assert weights.dtype == np.float32
    assert np.abs(weights[0]).max() < 1e-6
