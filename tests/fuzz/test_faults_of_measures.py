"""Faults that fuzzing found, each by its smallest example."""

import numpy as np
import pytest
import torch

from fuzzing import result_of
from minsyn import metrics
from minsyn.information import (
    Moments,
    PairwiseStatistics,
    discrete,
    examples,
    gaussian,
    gaussian_vectors,
    synergy,
    synergy_graph,
    union_information_batch,
)
from minsyn.information.ci.bernoulli import ci_decoder as bernoulli_decoder
from minsyn.information.ci.gaussian import ci_decoder
from minsyn.information.gaussian_groups import adjusted_information
from minsyn.nn import union_information as differentiable

RAGGED = [[1.0], [0.5, 0.5]]
TRACED = torch.ones(2, 2, requires_grad=True)
MASKED = np.ma.masked_array(np.eye(2) / 2, mask=np.eye(2))
Z, X = (np.random.default_rng(seed).normal(size=(12, 2)) for seed in (0, 1))
HUGE = np.array([[1.0], [1e305]])


@pytest.mark.parametrize("thing", [RAGGED, TRACED, MASKED], ids=["ragged", "traced", "masked"])
def test_what_numpy_cannot_read(thing):
    for function, others in (
        (discrete.entropy, ()),
        (gaussian.mutual_information, (np.eye(2),)),
        (gaussian.source_informations, ()),
        (gaussian.multiplet_information, (2,)),
        (gaussian_vectors.mutual_information, ([0], [1])),
        (synergy, (X,)),
        (metrics.squared_error, (X,)),
        (metrics.minimum_average_partial, ()),
        (metrics.congruence, (X,)),
        (metrics.group_agreement, ([0, 1],)),
        (metrics.modularity, (X,)),
        (Moments.of_covariance, ()),
    ):
        assert result_of(function, thing, *others) is None, function


def test_rounding_of_half_and_of_long_double():
    half = np.float16([[np.sqrt(0.75)]])
    np.testing.assert_allclose(gaussian.source_informations(half), 1.0, atol=1e-2)
    np.testing.assert_allclose(gaussian.gk_synergy(np.float16([[1]]), half), 0.0)
    # Singular to the rounding of double precision, in which it is worked on.
    rows = np.array([[1.0, 2.0, 3.0], [0.1, 0.7, 0.2]]) / 7
    r = np.corrcoef(np.vstack([rows, rows.sum(axis=0)]))
    found = gaussian.total_correlation(r[:2, :2].astype(np.longdouble), r[:2, 2:])
    np.testing.assert_array_equal(found, gaussian.total_correlation(r[:2, :2], r[:2, 2:]))


@pytest.mark.parametrize(
    "options",
    [
        {"n_bootstrap": 1.5},
        {"n_permutations": "3"},
        {"confidence": "a"},
        {"n_neighbors": "3"},
        {"random_state": -1},
        {"measures": None},
        {"groups": [None, 1]},
        {"model": ["gaussian"]},
        {"lag": 10**20},
        {"model": "discrete", "bins": 10**9},
        {"model": "discrete", "bins": 2.5},
    ],
    ids=str,
)
def test_options_of_synergy(options):
    assert result_of(synergy, Z, X, **options) is None


def test_samples_at_the_edges():
    assert result_of(synergy, [[0, 1]], [1], "discrete")["gk_synergy"] == 0
    assert result_of(synergy, 1e307 * Z, X, "discrete", bins=2) is None
    assert result_of(synergy_graph, 1e200 * Z, X) is None


def test_trials_of_constant_sources():
    trials = np.arange(40) // 2  # twenty, which are exchanged
    x = np.random.default_rng(0).normal(size=40)
    result = result_of(synergy, np.ones(40), x, lag=0, trials=trials, n_permutations=2)
    assert all(p == 1 for p in result.p_values.values())


def test_pairwise_statistics():
    whole = result_of(PairwiseStatistics.of, np.array([[1], [2], [4]]), np.array([[1], [3], [8]]))
    assert whole.var_x[0] == pytest.approx(26 / 3)  # not in integers
    assert result_of(PairwiseStatistics.of, HUGE, HUGE) is None
    assert result_of(PairwiseStatistics.of, np.float32(HUGE / 1e280), X[:2]) is None
    constant = result_of(PairwiseStatistics.of, HUGE[1:], HUGE[1:])
    assert result_of(lambda: constant.std_x) == 0
    assert result_of(whole.merge, PairwiseStatistics.of(X, X[:, :1])) is None
    assert result_of(constant.merge, PairwiseStatistics.of(-HUGE[1:], HUGE[1:])) is None


def test_moments():
    assert result_of(Moments.of, np.array([[1.0], [np.inf]])) is None
    assert result_of(Moments.of, np.array([["a"]])) is None
    assert result_of(Moments.of, np.array([[0.0], [1e30]]), 1e300) is None
    assert result_of(Moments.of_covariance, [[0.0, 1.0], [1.0, 1.0]]) is None
    assert result_of(Moments.of_covariance, np.full((2, 2), 5e-324)).variance.min() > 0
    assert result_of(adjusted_information, 0.5, np.inf, 1) is None


def test_pmfs_in_single_precision():
    assert result_of(differentiable.union_information, torch.ones(1, 3)) == 0
    pmf = torch.tensor([[1e-8, 1e-30], [1e-30, 0.0]], requires_grad=True)
    result_of(differentiable.gk_synergy, pmf).backward()
    assert torch.isfinite(pmf.grad).all()
    assert result_of(ci_decoder, [[1, 0]]).variance.tolist() == pytest.approx([0, 1], abs=1e-14)


def test_scores_do_not_depend_on_units():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(40, 2))
    factors = latents + 0.1 * rng.normal(size=(40, 2))
    categories = factors > 0
    for unit in (1e-300, 1e300):
        for score, truth in (
            (metrics.mutual_information_gap, factors * unit),
            (metrics.separated_attribute_predictability, factors * unit),
            (metrics.explicitness, categories),
            (lambda z, v: metrics.dci(z, v, n_estimators=3).completeness, categories),
        ):
            plain = score(latents, factors if truth.dtype == float else truth)
            assert result_of(score, latents * unit, truth) == pytest.approx(plain, rel=1e-6)
    for unit in (1e-200, 1e200):
        assert abs(result_of(metrics.congruence, latents * unit, latents)[0, 0] - 1) < 1e-12


def test_scores_of_few_samples():
    for score in (metrics.explicitness, metrics.dci):
        assert result_of(score, Z[:1], [1]) is None
    assert result_of(metrics.explicitness, Z[:2], [0, 1]) is None
    assert 0 <= result_of(metrics.dci, Z[:3], [0, 1, 2], n_estimators=2).informativeness <= 1
    assert result_of(metrics.dci, Z[:3], X[:3], n_estimators=2).informativeness == 0
    assert result_of(metrics.factor_informations, Z, X, bins=10**12) is None
    assert result_of(metrics.dci, Z, X, test_size=2) is None


def test_options_of_metrics():
    for options in (
        {"n_samples": 2.5},
        {"n_samples": np.nan},
        {"n_resamples": 10**12},
        {"quantile": "a"},
        {"random_state": "a"},
    ):
        found = result_of(metrics.parallel_analysis, np.eye(2), **{"n_samples": 9, **options})
        assert found is None, options
    statistics = PairwiseStatistics.of(Z, X)
    assert result_of(metrics.summarise_factors, statistics, [1.0, 0.0]) is None
    assert result_of(metrics.loadings, statistics, 5) is None
    assert result_of(metrics.congruence, Z, X[:5]) is None
    assert result_of(metrics.squared_error, Z, 1e200 * Z) is None


def test_memory_is_bounded():
    """What would not fit is refused before it is asked for."""
    assert result_of(gaussian.multiplet_information, np.eye(60), 8) is None
    assert result_of(gaussian.gk_distribution, np.broadcast_to(0.0, (3_000, 30_000))) is None
    assert result_of(examples.parity, 40) is None
    assert result_of(discrete.entropy, np.ones((1,) * 64)) is None
    assert result_of(synergy, Z, X, n_bootstrap=10**12) is None


@pytest.mark.parametrize("cells", [[[1e308, 1e308]], [[np.inf, -np.inf]]])
def test_cells_whose_sum_is_no_number(cells):
    for function, pmf in ((discrete.entropy, cells), (union_information_batch, [cells])):
        assert result_of(function, pmf) is None


def test_tensors_beside_arrays_and_of_whole_numbers():
    whole = torch.eye(2, dtype=torch.int64)
    for function, others in (
        (PairwiseStatistics.of, (torch.eye(2),)),
        (PairwiseStatistics.of(Z, X).merge, ()),
        (bernoulli_decoder, (torch.ones(2) / 2, torch.ones(2) / 2)),
    ):
        other = PairwiseStatistics.of(*map(torch.from_numpy, (Z, X))) if not others else np.eye(2)
        assert result_of(function, other, *others) is None, function
    assert result_of(PairwiseStatistics.of, whole.to(torch.complex64), whole) is None
    for kind in (torch.int64, torch.bool):
        assert result_of(PairwiseStatistics.of, whole.to(kind), whole.to(kind)).var_x[0] == 0.25


def test_samples_that_overflow_together():
    for hole in ([], [[np.nan]]):
        one, two = (Moments.of(np.array([[x], *hole])) for x in (0.0, 1e305))
        assert result_of(one.merge, two) is None


def test_factors_that_are_things():
    things = np.array([None, (), [1], "a"], dtype=object)
    assert result_of(metrics.mutual_information_gap, np.arange(4.0)[:, None], things) is not None


def test_messages_of_arrays_are_one_line():
    masked = np.ma.masked_array(0.0)
    for sources, target in (([[0]], masked), (masked, [0])):
        assert result_of(gaussian_vectors.mutual_information, np.eye(2), sources, target) is None
    assert result_of(synergy, Z, X, n_permutations=np.eye(3)) is None
    assert result_of(synergy, Z, X, measures=["x" * 10**6, 1]) is None
