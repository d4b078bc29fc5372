"""Decoders of mixed and categorical variables against Eq. 5, evaluated term by term."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import norm

from minsyn.information import PairwiseStatistics, gaussian
from minsyn.information.ci import bernoulli, categorical, mixed
from minsyn.information.ci import gaussian as ci_gaussian
from minsyn.information.single_parent import (
    expected_squared_error,
    gk_linear_map,
    parent_probabilities,
)


def statistics_of(p_c, mean_given, second_given):
    """Statistics of a categorical x and of z, from E[z | c] (C, m) and E[z_j^2 | c] (C, m)."""
    mean_z = p_c @ mean_given
    variance = p_c @ second_given - mean_z**2
    cov_zx = (p_c[:, None] * (mean_given - mean_z)).T
    return PairwiseStatistics(1.0, mean_z, p_c, np.diag(variance), cov_zx, p_c * (1 - p_c))


def posterior(p_c, likelihoods):
    joint = p_c * np.prod(likelihoods, axis=0)
    return joint / joint.sum()


@pytest.mark.parametrize("n_categories", [2, 3, 5])
def test_normal_sources_of_a_categorical_target(rng, n_categories):
    m = 4
    p_c = rng.dirichlet(np.ones(n_categories))
    means, std = rng.normal(size=(n_categories, m)), rng.uniform(0.5, 2, size=m)
    statistics = statistics_of(p_c, means, means**2 + std**2)
    weights, bias = categorical.gaussian_ci_linear_map(
        statistics, categorical.Categories([n_categories]), flip=0.0
    )
    for z in rng.normal(size=(5, m)):
        expected = posterior(p_c, [norm.pdf(z[j], means[:, j], std[j]) for j in range(m)])
        np.testing.assert_allclose(softmax(z @ weights + bias), expected, rtol=1e-9)


@pytest.mark.parametrize("n_categories", [2, 3, 5])
def test_binary_sources_of_a_categorical_target(rng, n_categories):
    m = 4
    p_c, p_on = rng.dirichlet(np.ones(n_categories)), rng.uniform(size=(n_categories, m))
    weights, bias = categorical.bernoulli_ci_linear_map(
        statistics_of(p_c, p_on, p_on), categorical.Categories([n_categories]), flip=0.0
    )
    for z in np.ndindex((2,) * m):
        expected = posterior(p_c, [p_on[:, j] if z[j] else 1 - p_on[:, j] for j in range(m)])
        np.testing.assert_allclose(softmax(z @ weights + bias), expected, rtol=1e-9)


def test_normal_sources_of_binary_targets(rng):
    m = 3
    p, means, std = 0.3, rng.normal(size=(2, m)), rng.uniform(0.5, 2, size=m)
    p_c = np.array([1 - p, p])
    whole = statistics_of(p_c, means, means**2 + std**2)
    statistics = PairwiseStatistics(
        1.0, whole.mean_z, p_c[1:], whole.cov_zz, whole.cov_zx[:, 1:], whole.var_x[1:]
    )
    weights, bias = mixed.gaussian_to_bernoulli_linear_map(statistics, flip=0.0)
    for z in rng.normal(size=(5, m)):
        expected = posterior(p_c, [norm.pdf(z[j], means[:, j], std[j]) for j in range(m)])
        log_odds = np.log(expected[1] / expected[0])
        np.testing.assert_allclose(z @ weights + bias, log_odds, rtol=1e-9)


def two_categories_and_one_column(rng, z):
    x = np.clip(z[:, :1] + rng.uniform(size=(len(z), 3)), 0, 1)
    both = np.stack([1 - x, x], axis=2).reshape(len(x), -1)
    return PairwiseStatistics.of(z, x), PairwiseStatistics.of(z, both)


@pytest.mark.parametrize("flip", [1e-3, 0.1])
@pytest.mark.parametrize(
    ("of_categories", "of_bits"),
    [
        (categorical.bernoulli_ci_linear_map, bernoulli.ci_linear_map),
        (categorical.gaussian_ci_linear_map, mixed.gaussian_to_bernoulli_linear_map),
    ],
)
def test_two_categories_are_one_bit(rng, of_categories, of_bits, flip):
    """Smoothing included."""
    bits, pairs = two_categories_and_one_column(rng, rng.uniform(size=(30, 2)))
    weights, bias = of_categories(pairs, categorical.Categories([2, 2, 2]), flip)
    expected = of_bits(bits, flip)
    np.testing.assert_allclose(weights[:, 1::2] - weights[:, ::2], expected[0], rtol=1e-8)
    np.testing.assert_allclose(bias[1::2] - bias[::2], expected[1], rtol=1e-8)


def test_smoothing_of_normal_sources_is_a_channel_of_the_target(rng):
    """Smoothed statistics are the exact ones of a target that was flipped at random."""
    flip, z = 0.05, rng.normal(size=(200, 2))
    x = (rng.uniform(size=(200, 3)) < 1 / (1 + np.exp(-z[:, :1]))).astype(float)
    flipped = flip + (1 - 2 * flip) * x  # the probability that it is 1 behind the channel
    smoothed = mixed.gaussian_to_bernoulli_linear_map(PairwiseStatistics.of(z, x), flip)
    exact = mixed.gaussian_to_bernoulli_linear_map(PairwiseStatistics.of(z, flipped), 0.0)
    np.testing.assert_allclose(smoothed[0], exact[0], rtol=1e-10)
    np.testing.assert_allclose(smoothed[1], exact[1], rtol=1e-10)


def test_a_source_that_the_target_determines_has_a_finite_weight():
    x = np.array([[0.0], [0.0], [1.0], [1.0]])
    weights, bias = mixed.gaussian_to_bernoulli_linear_map(PairwiseStatistics.of(5 * x - 2, x))
    assert np.all(np.isfinite(weights)) and 10 < weights[0, 0] < 1e3
    log_odds = (5 * x - 2) @ weights + bias
    assert np.all(np.sign(log_odds) == np.sign(x - 0.5))


def test_binary_sources_of_a_normal_target(rng):
    """p(x)^(1 - m) prod_j p(x | z_j) on a grid, with a variance shared by both values of z_j."""
    m, p_on, std = 3, np.array([0.3, 0.5, 0.8]), 1.7
    rho = np.array([0.6, -0.3, 0.7])
    cov = rho * std * np.sqrt(p_on * (1 - p_on))
    statistics = PairwiseStatistics(
        1.0, p_on, np.array([0.4]), np.diag(p_on * (1 - p_on)), cov[:, None], np.array([std**2])
    )
    weights, intercept = mixed.bernoulli_to_gaussian_linear_map(statistics)
    grid = np.linspace(-25, 25, 20001)
    for z in np.ndindex((2,) * m):
        conditional_mean = 0.4 + cov / (p_on * (1 - p_on)) * (np.array(z) - p_on)
        log_density = (1 - m) * norm.logpdf(grid, 0.4, std) + sum(
            norm.logpdf(grid, conditional_mean[j], std * np.sqrt(1 - rho[j] ** 2)) for j in range(m)
        )
        density = softmax(log_density)
        assert z @ weights + intercept == pytest.approx(grid @ density, abs=1e-9)
        variance = std**2 * ci_gaussian.ci_decoder(rho[:, None]).variance[0]
        assert (grid - grid @ density) ** 2 @ density == pytest.approx(variance, abs=1e-9)


def test_single_parent_is_regression_where_there_is_no_gk_synergy(rng):
    rho = rng.uniform(-0.9, 0.9, size=(4, 6))
    eye = np.eye(4)
    statistics = PairwiseStatistics(1.0, np.zeros(4), np.zeros(6), eye, rho, np.ones(6))
    weights, _ = gk_linear_map(statistics)
    error = expected_squared_error(statistics, 0.0)
    for i, sigma in enumerate(gaussian.gk_distribution(rho)):
        # The ridge breaks the tie of the limit in which the other parents add nothing.
        regression = np.linalg.solve(sigma + 1e-12 * eye, rho[:, i])
        np.testing.assert_allclose(weights[:, i], regression, atol=1e-8)
        assert error[i] == pytest.approx(1 - rho[:, i] @ regression, abs=1e-8)


def test_soft_parents_run_from_all_alike_to_the_best(rng):
    rho = rng.uniform(-0.9, 0.9, size=(4, 6))
    np.testing.assert_allclose(parent_probabilities(rho, np.inf), 0.25)
    best = parent_probabilities(rho, 0.0)
    assert np.array_equal(best.argmax(axis=0), np.abs(rho).argmax(axis=0))
    np.testing.assert_allclose(parent_probabilities(rho, 1e-6), best, atol=1e-12)
    copies = parent_probabilities(np.array([[1.0], [-1.0], [0.5]]), 0.1)
    np.testing.assert_allclose(copies.ravel(), [0.5, 0.5, 0.0], atol=1e-9)


def test_error_of_drawn_parents_by_brute_force(rng):
    z = rng.normal(size=(50, 3)) + 2
    x = z @ rng.normal(size=(3, 4)) + rng.normal(size=(50, 4)) - 1
    fitted, temperature = PairwiseStatistics.of(z[:30], x[:30]), 0.2
    parents = parent_probabilities(fitted.rho, temperature)
    for rows, data in [(slice(30), None), (slice(30, 50), PairwiseStatistics.of(z[30:], x[30:]))]:
        expected = np.zeros(4)
        for j in range(3):
            slope, intercept = np.polyfit(z[:30, j], x[:30], 1)
            residual = x[rows] - z[rows, j : j + 1] * slope - intercept
            expected += parents[j] * (residual**2).mean(axis=0)
        found = expected_squared_error(fitted, temperature, data)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
