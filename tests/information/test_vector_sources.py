"""Synergy of vector sources, and the same numbers from samples, statistics and correlations."""

import numpy as np
import pandas as pd
import pytest

from minsyn.information import (
    ConstantSourceWarning,
    PairwiseStatistics,
    gaussian,
    synergy,
    synergy_from_statistics,
)
from minsyn.information.measures import MEASURES, names_of
from minsyn.information.sampled.gaussian import GaussianModel
from minsyn.information.sampled.series import Series

#: Measures whose bias from Gaussian samples has a closed form.
CLOSED = tuple(name for name in names_of("gaussian") if MEASURES[name].wishart is not None)


@pytest.fixture
def samples(rng):
    Z = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    return Z, Z @ rng.normal(size=(4, 5)) + 2 * rng.normal(size=(300, 5))


def log_det(covariance, members):
    return np.linalg.slogdet(covariance[np.ix_(members, members)])[1]


def by_determinants(covariance, groups, target):
    """Measures of vector sources about one variable, in nats, from entropies."""
    everything = [j for group in groups for j in group]
    H = lambda members: 0.5 * log_det(covariance, list(members))  # noqa: E731
    info = lambda members: H(members) + H([target]) - H([*members, target])  # noqa: E731
    alone = [info(group) for group in groups]
    return {
        "mutual_information": info(everything),
        "union_information": max(alone),
        "gk_synergy": info(everything) - max(alone),
        "whole_minus_sum": info(everything) - sum(alone),
        "total_correlation": sum(map(H, groups)) + H([target]) - H([*everything, target]),
    }, alone


@pytest.mark.parametrize(
    "labels", [[0, 0, 1, 1], [1, 0, 0, 0], [2, 0, 2, 1], [0, 1, 2, 3], [5] * 4]
)
def test_measures_of_vector_sources_are_sums_of_entropies(samples, labels):
    Z, X = samples
    result = synergy(Z, X, groups=labels, unit="nats", bias_correction="none")
    covariance = np.cov(Z, X, rowvar=False)
    groups = [list(np.flatnonzero(np.equal(labels, label))) for label in sorted(set(labels))]
    for i in range(5):
        expected, alone = by_determinants(covariance, groups, 4 + i)
        for name, value in expected.items():
            assert result[name][i] == pytest.approx(value, abs=1e-12), name
        assert result.best_source[i] == np.argmax(alone)


def test_ci_synergy_of_vector_sources(rng):
    """The CI decoder sees of each source its best prediction y_k of the target alone (Eq. 5).

    So it loses what it loses of (y_1, y_2), and all that these do not tell: I(Z; X) - I(Y; X).
    """
    Z = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5))
    x = Z @ rng.normal(size=5) + rng.normal(size=400)
    groups = [[0, 1], [2, 3, 4]]
    dZ, dx = Z - Z.mean(axis=0), x - x.mean()
    Y = np.stack([dZ[:, g] @ np.linalg.lstsq(dZ[:, g], dx)[0] for g in groups], axis=1)
    options = {"measures": ["mutual_information", "ci_synergy"], "bias_correction": "none"}
    vector = synergy(Z, x, groups=[0, 0, 1, 1, 1], **options)
    scalar = synergy(Y, x, **options)
    lost = vector["mutual_information"] - scalar["mutual_information"]
    assert lost[0] > 1e-3
    np.testing.assert_allclose(vector["ci_synergy"], scalar["ci_synergy"] + lost, rtol=1e-9)


def test_ci_synergy_vanishes_for_independent_vector_sources(rng):
    """Sources that are independent given the target, each with dependent parts."""
    x = rng.normal(size=20_000)
    Z = np.concatenate(
        [
            np.outer(x, rng.normal(size=2)) + rng.normal(size=(20_000, 2)) @ rng.normal(size=(2, 2))
            for _ in range(2)
        ],
        axis=1,
    )
    found = {
        "together": synergy(Z, x, groups=[0, 0, 1, 1], measures="ci_synergy")["ci_synergy"][0],
        "apart": synergy(Z, x, measures="ci_synergy")["ci_synergy"][0],
    }
    assert abs(found["together"]) < 1e-3 < 1e-2 < found["apart"]


def test_one_group_has_no_synergy_and_singletons_are_scalar_sources(samples):
    whole = synergy(*samples, groups=["a"] * 4)
    np.testing.assert_allclose(whole["gk_synergy"], 0, atol=1e-12)
    scalar, single = synergy(*samples), synergy(*samples, groups=list("abcd"))
    for name in scalar.measures:
        np.testing.assert_allclose(single[name], scalar[name], rtol=1e-9, atol=1e-12)
    assert single.sources == tuple("abcd") and single.members == (
        ("z0",),
        ("z1",),
        ("z2",),
        ("z3",),
    )


def test_coarser_sources_have_less_synergy(samples):
    fine = synergy(*samples, groups=[0, 1, 2, 3], bias_correction="none")["gk_synergy"]
    coarse = synergy(*samples, groups=[0, 0, 1, 1], bias_correction="none")["gk_synergy"]
    assert np.all(coarse <= fine + 1e-12) and coarse.max() > 0.01


def test_limits_of_vector_sources(rng):
    z = rng.normal(size=(100, 3))
    # The target is a sum within the first source; a copied variable within it changes nothing.
    target = z[:, 0] + z[:, 1]
    for Z, labels in [(z, [0, 0, 1]), (z[:, [0, 1, 1, 2]], [0, 0, 0, 1])]:
        result = synergy(Z, target, groups=labels)
        assert result["mutual_information"][0] == result["union_information"][0] == np.inf
        assert result.uncorrected["gk_synergy"][0] == 0
        assert not any(np.isnan(v).any() for v in result.values.values())
    # The same variable in both sources: dependent, so their total correlation is infinite.
    shared = synergy(z[:, [0, 1, 1, 2]], rng.normal(size=100), groups=[0, 0, 1, 1])
    assert np.isinf(shared["total_correlation"][0])
    within = synergy(z[:, [0, 1, 1, 2]], rng.normal(size=100), groups=[0, 0, 0, 1])
    plain = synergy(z, np.zeros(100), groups=[0, 0, 1], bias_correction="none")
    assert np.isfinite(within["total_correlation"][0])
    C = np.corrcoef(z, rowvar=False)
    expected = 0.5 * (log_det(C, [0, 1]) - log_det(C, [0, 1, 2])) / np.log(2)
    assert plain["total_correlation"][0] == pytest.approx(expected)


def test_of_no_target_there_are_no_values():
    none = PairwiseStatistics(
        30.0, np.zeros(2), np.zeros(0), np.eye(2), np.zeros((2, 0)), np.ones(0)
    )
    found = synergy_from_statistics(none, bias_correction="wishart")
    assert all(len(v) == 0 for v in found.values.values())


def test_names_of_vector_sources(samples):
    frame = pd.DataFrame(samples[0], columns=list("wxyz"))
    result = synergy(frame, samples[1], groups=["late", "early", "late", "early"])
    assert result.sources == ("early", "late")
    assert result.members == (("x", "z"), ("w", "y"))
    assert "2 sources" in repr(result)


def test_wishart_bias_of_vector_sources(rng):
    """Corrected means are the truth over small data sets in which the best source is clear."""
    labels, b = [0, 0, 1, 1], np.array([1.0, 1.0, 0.2, 0.2])
    sigma = 0.3 + 0.7 * np.eye(4)
    rho = sigma @ b / np.sqrt(b @ sigma @ b + 1)
    population = PairwiseStatistics(1.0, np.zeros(4), np.zeros(1), sigma, rho[:, None], np.ones(1))
    truth = synergy_from_statistics(population, groups=labels, measures=CLOSED)
    found = []
    for _ in range(150):
        Z = rng.multivariate_normal(np.zeros(4), sigma, size=14)
        X = (Z @ b)[:, None] + rng.normal(size=(14, 40))
        result = synergy(Z, X, groups=labels, measures=CLOSED)
        found.append([result[name].mean() for name in CLOSED])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(150)
    for k, name in enumerate(CLOSED):
        # Where the weaker source is the best by chance, the union is the larger one.
        slack = 0.05 if name in ("union_information", "gk_synergy") else 0.0
        assert mean[k] == pytest.approx(truth[name][0], abs=4 * error[k] + slack), name


@pytest.mark.parametrize("unit", ["bits", "nats"])
@pytest.mark.parametrize("groups", [None, [0, 1, 1, 0]])
@pytest.mark.parametrize("correction", ["none", "wishart"])
def test_samples_statistics_and_correlations_agree(samples, groups, correction, unit):
    Z, X = samples
    Z, X = np.column_stack([Z, np.ones(300)]), np.column_stack([X, np.ones(300)])
    groups = None if groups is None else [*groups, 1]
    statistics = PairwiseStatistics.of(Z[:100], X[:100]).update(Z[100:], X[100:])
    with pytest.warns(ConstantSourceWarning):
        from_samples = synergy(Z, X, groups=groups, bias_correction=correction, unit=unit)
        from_statistics = synergy_from_statistics(
            statistics, groups=groups, bias_correction=correction, unit=unit
        )
    assert from_samples.bias_correction == from_statistics.bias_correction == correction
    for name in from_statistics.measures:
        np.testing.assert_allclose(from_statistics[name], from_samples[name], atol=1e-12)
        assert from_statistics.means[name] == pytest.approx(from_samples.means[name], abs=1e-12)
    assert set(from_statistics.measures) == set(names_of("gaussian"))
    for field in ("n_samples", "sources", "targets", "members", "constant_sources"):
        assert getattr(from_samples, field) == getattr(from_statistics, field), field
    assert set(from_samples.sampling_bias) == set(from_statistics.sampling_bias)
    np.testing.assert_array_equal(from_samples.best_source, from_statistics.best_source)
    np.testing.assert_allclose(from_samples.variances, from_statistics.variances)
    if groups is None and correction == "none":
        for name in names_of("gaussian"):
            expected = getattr(gaussian, name)(statistics.sigma, statistics.rho, unit=unit)
            np.testing.assert_allclose(from_statistics[name], expected, rtol=1e-12)


def test_statistics_of_a_distribution_and_their_names():
    """A weight that counts no samples is no obstacle where nothing is corrected."""
    sigma, rho = np.array([[1.0, -0.1], [-0.1, 1.0]]), np.array([[0.5], [0.75]])
    figure_1 = PairwiseStatistics(1.0, np.zeros(2), np.zeros(1), sigma, rho, np.ones(1))
    result = synergy_from_statistics(figure_1, sources=["a", "b"], targets=["x"])
    assert result["gk_synergy"][0] == pytest.approx(1.03958, abs=1e-5)
    assert (result.sources, result.targets) == (("a", "b"), ("x",))
    assert result.sampling_bias == {}
    corrected = synergy_from_statistics(figure_1, n_samples=50, bias_correction="wishart")
    assert corrected.n_samples == 50 and corrected["gk_synergy"][0] < result["gk_synergy"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias_correction": "wishart"}, "1 samples of 2 sources"),
        ({"sources": ["a"]}, "sources must hold 2 names"),
        ({"targets": ["a", "b"]}, "targets must hold 1 names"),
        ({"sources": "ab"}, "sources must hold 2 names; found 'ab'"),
        ({"groups": [0]}, "one label for each of the 2"),
        ({"measures": "s_max"}, "s_max"),
    ],
)
def test_bad_options_of_statistics(options, message):
    statistics = PairwiseStatistics(
        1.0, np.zeros(2), np.zeros(1), np.eye(2), np.zeros((2, 1)), np.ones(1)
    )
    with pytest.raises(ValueError, match=message):
        synergy_from_statistics(statistics, **options)


def test_nulls_of_vector_sources_keep_what_the_best_one_tells(samples, rng):
    """Of its three variables, as a regression on them; of series, about the other sources too."""
    Z, X = samples
    groups = np.array([0, 1, 2]), np.array([3])
    X = Z[:, :3] @ rng.normal(size=(3, 5)) + 0.5 * X
    fitted = GaussianModel(Z, X, ("gk_synergy",), groups)
    z, x = fitted._standardised
    expected = np.zeros((4, 5))
    expected[:3] = np.linalg.lstsq(z[:, :3], x, rcond=None)[0]
    assert fitted.moments.sources.best.tolist() == [0] * 5
    np.testing.assert_allclose(fitted._regression_on_best(), expected, atol=1e-9)
    series = GaussianModel(
        Z, X, ("gk_synergy",), groups, series=Series.of(Z, X, np.array([300]), 5)
    )
    seen = []
    made = type(series)._stack_of.__get__(series)
    object.__setattr__(series, "_stack_of", lambda z, x: seen.append(z) or made(z, x))
    series.without_gk_synergy(20, rng)
    np.testing.assert_allclose(seen[0][:, :, :3], np.tile(z[:, :3], (20, 1, 1)))
    # Surrogates of what the first source leaves of the other are about its regression.
    fit = z[:, :3] @ np.linalg.lstsq(z[:, :3], z[:, 3], rcond=None)[0]
    slopes = [np.linalg.lstsq(d[:, :3], d[:, 3], rcond=None)[0] for d in seen[0]]
    assert np.mean((z[:, :3] @ np.mean(slopes, axis=0) - fit) ** 2) < 0.05


def test_a_constant_variable_of_a_vector_source_changes_no_null(samples, rng):
    Z, X = samples
    with_constant = np.insert(Z[:, :3], 2, 7.0, axis=1)
    drawn = [
        GaussianModel(z, X, ("ci_synergy",), groups).without_ci_synergy(5, np.random.default_rng(0))
        for z, groups in (
            (Z[:, :3], (np.array([0, 1]), np.array([2]))),
            (with_constant, (np.array([0, 1, 2]), np.array([3]))),
        )
    ]
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_allclose(one["ci_synergy"], other["ci_synergy"], atol=1e-9)
