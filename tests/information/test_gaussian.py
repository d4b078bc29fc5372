"""The Gaussian closed forms against determinants, a cone solver, sampling, and their limits."""

import json

import cvxpy as cp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import multivariate_normal, norm

from minsyn.information import discrete, gaussian, union_information
from minsyn.information.measures import names_of

MEASURES = names_of("gaussian")


def random_correlations(rng, m, n):
    """Correlations of m sources and n targets that belong to one distribution."""
    mixing = rng.normal(size=(m + n, m + n + 1))
    covariance = mixing @ mixing.T
    std = np.sqrt(np.diag(covariance))
    correlation = covariance / std / std[:, None]
    np.fill_diagonal(correlation, 1.0)
    return correlation[:m, :m], correlation[:m, m:]


def by_determinants(sigma, rho):
    """All measures of one target with 50 digits, each from its definition."""
    with mpmath.workdps(50):
        m = len(sigma)
        s, r = mpmath.matrix(sigma.tolist()), mpmath.matrix(rho.tolist())
        joint = mpmath.eye(m + 1)
        joint[:m, :m], joint[:m, m], joint[m, :m] = s, r, r.T
        log2 = mpmath.log(2)
        det_s, det = mpmath.det(s), mpmath.det(joint)
        alone = [-mpmath.log(1 - x**2) / 2 for x in r]
        info = mpmath.log(det_s / det) / 2
        # KL of the two posteriors (Eq. 4), the CI one from adding up precisions (Eq. 5).
        precision = 1 + sum(x**2 / (1 - x**2) for x in r)
        b = mpmath.matrix([x / (1 - x**2) / precision for x in r])
        a = mpmath.lu_solve(s, r)
        v_p, v_q = det / det_s, 1 / precision
        distance = ((a - b).T * s * (a - b))[0]
        ci = (mpmath.log(v_q / v_p) + (v_p + distance) / v_q - 1) / 2
        nats = (
            info, max(alone), info - max(alone), ci, info - sum(alone), -mpmath.log(det) / 2,
        )  # fmt: skip
        return {k: float(v / log2) for k, v in zip(MEASURES, nats, strict=True)}


@pytest.mark.parametrize("m", [1, 2, 3, 7])
def test_closed_forms_to_twelve_digits(rng, m):
    sigma, rho = random_correlations(rng, m, 5)
    expected = [by_determinants(sigma, rho[:, i]) for i in range(5)]
    for name in MEASURES:
        values = getattr(gaussian, name)(sigma, rho)
        np.testing.assert_allclose(
            values, [e[name] for e in expected], rtol=1e-12, atol=1e-12, err_msg=name
        )


def test_published_values(real_data):
    cases = json.loads(real_data("known_synergy_values.json").read_text())["gaussian_scalar"]
    assert len(cases) == 3
    for case in cases:
        sigma = np.array([[1, case["sigma12"]], [case["sigma12"], 1]])
        rho = np.array(case["rho"])[:, None]
        for ours, theirs in [
            ("mutual_information", "I"),
            ("whole_minus_sum", "WMS"),
            ("union_information", "GK_union"),
            ("gk_synergy", "GK_synergy"),
            ("ci_synergy", "CI_synergy"),
        ]:
            value = getattr(gaussian, ours)(sigma, rho)[0]
            assert value == pytest.approx(case[theirs], abs=1e-12), (ours, case)
        np.testing.assert_allclose(gaussian.source_informations(rho)[:, 0], case["I_j"])


def test_where_the_synergies_of_figure_1_vanish():
    rho = np.array([[0.5], [0.75]])
    grid = np.linspace(-0.19, 0.94, 114)
    for measure, zero in ((gaussian.gk_synergy, 2 / 3), (gaussian.ci_synergy, 0.375)):
        values = [measure([[1, s], [s, 1]], rho)[0] for s in grid]
        assert grid[np.argmin(values)] == pytest.approx(zero, abs=0.01)


def test_ci_synergy_is_the_mean_divergence_of_the_two_decoders(rng):
    """Monte Carlo over z of log p(x|z) / p_CI(x|z), with p_CI from Eq. 5 and Bayes' rule."""
    sigma, rho = random_correlations(rng, 3, 1)
    r = rho[:, 0]
    joint = np.block([[sigma, rho], [rho.T, np.ones((1, 1))]])
    sample = rng.multivariate_normal(np.zeros(4), joint, size=200_000)
    z, x = sample[:, :3], sample[:, 3]
    true = multivariate_normal(cov=joint).logpdf(sample) - multivariate_normal(cov=sigma).logpdf(z)
    grid = np.linspace(-9, 9, 400)

    def log_unnormalised(at):
        cells = [norm.logpdf(z[:, [j]], r[j] * at, np.sqrt(1 - r[j] ** 2)) for j in range(3)]
        return norm.logpdf(at) + sum(cells)

    few = slice(0, 4000)
    z = z[few]
    log_norm = np.log(np.exp(log_unnormalised(grid[None])).sum(axis=1) * (grid[1] - grid[0]))
    log_ratio = true[few] - (log_unnormalised(x[few, None])[:, 0] - log_norm)
    error = log_ratio.std() / np.sqrt(4000)
    assert gaussian.ci_synergy(sigma, rho, unit="nats")[0] == pytest.approx(
        log_ratio.mean(), abs=4 * error
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_union_information_by_semidefinite_programming(seed):
    """Eq. 12: the least t for which a correlation matrix with these rho exists."""
    rng = np.random.default_rng(seed)
    _, rho = random_correlations(rng, 3, 1)
    m_bar = cp.Variable((4, 4), PSD=True)
    constraints = [cp.diag(m_bar)[:3] == 1, m_bar[:3, 3] == rho[:, 0]]
    t = cp.Problem(cp.Minimize(m_bar[3, 3]), constraints).solve(solver=cp.CLARABEL)
    union = gaussian.union_information(gaussian.gk_distribution(rho)[0], rho, unit="nats")[0]
    assert union == pytest.approx(-0.5 * np.log(1 - t), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_order_of_the_measures(m, seed):
    sigma, rho = random_correlations(np.random.default_rng(seed), m, 4)
    info = gaussian.mutual_information(sigma, rho)
    union = gaussian.union_information(sigma, rho)
    best = gaussian.source_informations(rho).max(axis=0)
    assert (best >= 0).all() and np.allclose(best, union, rtol=1e-13)
    assert (union <= info).all()
    assert (gaussian.ci_synergy(sigma, rho) >= 0).all()
    np.testing.assert_allclose(gaussian.gk_synergy(sigma, rho), info - union, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    rho=hnp.arrays(float, (4, 3), elements=st.floats(-1, 1).map(lambda v: round(v, 3))),
)
def test_gk_distribution_is_one_and_has_no_synergy(rho):
    optimum = gaussian.gk_distribution(rho)
    for i, sigma in enumerate(optimum):
        assert np.linalg.eigvalsh(sigma)[0] >= -1e-12
        column = rho[:, [i]]
        np.testing.assert_allclose(gaussian.gk_synergy(sigma, column), 0, atol=1e-9)
        best = np.abs(column).max()
        if 0 < best < 1:
            np.testing.assert_allclose(
                gaussian.mutual_information(sigma, column), -0.5 * np.log2(1 - best**2), atol=1e-9
            )


def test_the_papers_eq_16_is_no_correlation_matrix():
    rho = np.array([[0.5], [0.45], [0.45]])
    arrowhead = np.eye(3)
    arrowhead[0, 1:] = arrowhead[1:, 0] = 0.9
    assert np.linalg.eigvalsh(arrowhead)[0] == pytest.approx(-0.27, abs=0.01)
    assert np.linalg.eigvalsh(gaussian.gk_distribution(rho)[0])[0] > 0


def test_symmetry_and_signs(rng):
    sigma, rho = random_correlations(rng, 5, 3)
    order, signs = rng.permutation(5), np.array([1, -1, 1, -1, -1])
    other_sigma = (sigma * signs * signs[:, None])[np.ix_(order, order)]
    other_rho = -(rho * signs[:, None])[order]
    for name in MEASURES:
        measure = getattr(gaussian, name)
        np.testing.assert_allclose(measure(other_sigma, other_rho), measure(sigma, rho), atol=1e-12)
        np.testing.assert_allclose(measure(sigma, rho[:, [1]]), measure(sigma, rho)[[1]])
        np.testing.assert_allclose(
            measure(sigma, rho, unit="nats"), measure(sigma, rho) * np.log(2)
        )


def test_a_copy_of_a_source_changes_neither_union_nor_synergy(rng):
    sigma, rho = random_correlations(rng, 3, 4)
    twice = [0, 1, 2, 0]
    copied = sigma[np.ix_(twice, twice)], rho[twice]
    for name in ("mutual_information", "union_information", "gk_synergy"):
        measure = getattr(gaussian, name)
        np.testing.assert_allclose(measure(*copied), measure(sigma, rho), atol=1e-12)
    assert np.isinf(gaussian.total_correlation(*copied)).all()


def test_one_source_that_is_the_target():
    sigma = np.array([[1, 0.6], [0.6, 1]])
    rho = sigma[:, [0]]
    assert gaussian.mutual_information(sigma, rho)[0] == np.inf
    assert gaussian.union_information(sigma, rho)[0] == np.inf
    assert gaussian.gk_synergy(sigma, rho)[0] == 0
    assert gaussian.ci_synergy(sigma, rho)[0] == 0
    assert gaussian.whole_minus_sum(sigma, rho)[0] == pytest.approx(0.5 * np.log2(1 - 0.36))
    assert gaussian.total_correlation(sigma, rho)[0] == np.inf


def test_copies_of_the_target_are_the_limit_of_noisy_copies():
    sigma, rho = np.ones((3, 3)), np.array([[1.0], [-1.0], [1.0]])
    sigma = sigma * np.outer(rho, rho)
    limit = gaussian.ci_synergy(sigma, rho, unit="nats")[0]
    assert limit == pytest.approx((2 - np.log(3)) / 2)
    near = gaussian.ci_synergy(sigma, rho * (1 - 1e-6), unit="nats")[0]
    assert near == pytest.approx(limit, abs=1e-5)
    assert gaussian.whole_minus_sum(sigma, rho)[0] == -np.inf
    assert gaussian.gk_synergy(sigma, rho)[0] == 0


def test_sources_that_determine_the_target_only_together():
    sigma, rho = np.eye(2), np.full((2, 1), np.sqrt(0.5))
    for name in MEASURES:
        expected = 0.5 if name == "union_information" else np.inf
        assert getattr(gaussian, name)(sigma, rho)[0] == pytest.approx(expected)


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9, 0.0])
def test_nearly_equal_sources(noise):
    """z_2 = z_1 + noise, x = z_1 + a unit of noise of its own: I stays that of z_1."""
    s = 1 / np.sqrt(1 + noise**2)
    sigma, rho = np.array([[1, s], [s, 1]]), np.array([[1.0], [s]]) / np.sqrt(2)
    for name in ("mutual_information", "union_information"):
        assert getattr(gaussian, name)(sigma, rho)[0] == pytest.approx(0.5, abs=1e-4)
    for name in MEASURES:
        assert not np.isnan(getattr(gaussian, name)(sigma, rho)).any()


def test_never_nan_from_few_samples(rng):
    """Fewer samples than sources: sigma is singular, and determines every target."""
    from minsyn.information import PairwiseStatistics

    statistics = PairwiseStatistics.of(rng.normal(size=(5, 8)), rng.normal(size=(5, 3)))
    for name in MEASURES:
        values = getattr(gaussian, name)(statistics.sigma, statistics.rho)
        assert not np.isnan(values).any()
    assert np.isinf(gaussian.mutual_information(statistics.sigma, statistics.rho)).all()


@pytest.mark.parametrize(
    ("sigma", "rho", "message"),
    [
        (np.eye(2), [[0.1, 0.9], [0.1, 0.9]], "target 1"),
        (np.ones((2, 2)), [[0.3, 0.5], [0.3, -0.5]], "target 1"),
        ([[1, 1.5], [1.5, 1]], [[0.1], [0.1]], "semidefinite"),
        ([[1, 0.5], [0.4, 1]], [[0.1], [0.1]], "symmetric"),
        ([[1, 0.5], [0.5, 2]], [[0.1], [0.1]], "correlation matrix"),
        (np.eye(2), [[0.1, 0.1], [0.1, 1.2]], "target 1"),
        (np.eye(2), [[0.1], [np.nan]], "target 0"),
        ([[1, np.nan], [np.nan, 1]], [[0.1], [0.1]], "NaN"),
        (np.eye(2), [0.1, 0.1], "shape"),
        (np.eye(3), [[0.1], [0.1]], "shape"),
        (np.eye(2), [["a"], ["b"]], "real numbers"),
    ],
)
def test_bad_input(sigma, rho, message):
    for name in MEASURES:
        with pytest.raises(ValueError, match=message):
            getattr(gaussian, name)(sigma, rho)


@pytest.mark.parametrize("function", [gaussian.source_informations, gaussian.gk_distribution])
@pytest.mark.parametrize(
    ("rho", "message"),
    [
        ([[0.1, 1.2]], "target 1"),
        ([[np.nan]], "target 0"),
        ([0.1], "shape"),
        (np.array(0.1), "shape"),
    ],
)
def test_what_is_no_correlation(function, rho, message):
    with pytest.raises(ValueError, match=message):
        function(rho)


def test_no_targets():
    assert gaussian.gk_synergy(np.eye(2), np.zeros((2, 0))).shape == (0,)


def test_single_precision_keeps_its_own_rounding():
    sigma, rho = np.eye(2, dtype=np.float32), np.full((2, 1), np.sqrt(0.5), dtype=np.float32)
    assert np.isinf(gaussian.gk_synergy(sigma, rho)[0])


def discretised(sigma12, rho, cells):
    """Probabilities of a grid of equally likely slices of three Gaussian variables."""
    edges = norm.ppf(np.linspace(0, 1, cells + 1)[1:-1])
    fine = 16  # points in each slice of x, at which z given x is integrated exactly
    x = norm.ppf((np.arange(cells * fine) + 0.5) / (cells * fine))
    conditional = np.array([[1, sigma12], [sigma12, 1]]) - np.outer(rho, rho)
    std = np.sqrt(np.diag(conditional))
    c = conditional[0, 1] / std.prod()
    # The cdf of two Gaussians on a lattice of shifted edges, by integrating over the first.
    nodes = norm.ppf((np.arange(2000) + 0.5) / 2000)
    pmf = np.zeros((cells, cells, cells))
    for i, at in enumerate(x):
        low = np.concatenate([[-np.inf], (edges - rho[0] * at) / std[0], [np.inf]])
        which = np.searchsorted(low[1:-1], nodes)
        upper = norm.cdf(((edges - rho[1] * at) / std[1] - c * nodes[:, None]) / np.sqrt(1 - c**2))
        within = np.diff(np.concatenate([0 * nodes[:, None], upper, 0 * nodes[:, None] + 1], 1))
        np.add.at(pmf[:, :, i // fine], which, within)
    return pmf / pmf.sum()


def test_agrees_with_a_finely_discretised_gaussian():
    """Two independent roads: the discrete measures approach the Gaussian ones as cells shrink."""
    rho, sigma12 = np.array([0.5, 0.6]), 0.1
    sigma = np.array([[1, sigma12], [sigma12, 1]])
    errors = []
    for cells in (4, 8, 14):
        pmf = discretised(sigma12, rho, cells)
        discretely = np.array(
            [
                discrete.mutual_information(pmf),
                union_information(pmf).value,
                discrete.ci_synergy(pmf),
                discrete.whole_minus_sum(pmf),
            ]
        )
        exactly = np.array(
            [
                float(getattr(gaussian, name)(sigma, rho[:, None])[0])
                for name in (
                    "mutual_information",
                    "union_information",
                    "ci_synergy",
                    "whole_minus_sum",
                )
            ]
        )
        errors.append(np.abs(discretely - exactly))
    first, second, third = errors
    assert (second < first).all() and (third < second).all()
    assert (third < 0.05).all()
