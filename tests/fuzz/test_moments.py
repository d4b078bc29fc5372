"""Moments and pairwise statistics: samples of every type and size, chunks, weights, covariances."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import NUMBERS, fuzz, nonsense, result_of
from minsyn.information import Moments, PairwiseStatistics, synergy_from_statistics
from minsyn.information.ci import bernoulli, categorical, gaussian, mixed
from minsyn.information.gaussian_groups import adjusted_information
from minsyn.information.graph import pair_synergies
from minsyn.information.single_parent import (
    expected_squared_error,
    gk_linear_map,
    parent_probabilities,
)

NUMBER = st.sampled_from(
    [0.0, 1.0, -1.0, 0.5, 3.0, 1e8, 1e8 + 1, 1e-12, 1e-300, 1e30, 1e70, 1e150, 1e305]
)
KINDS = st.sampled_from(["f8", "f8", "f4", "f2", "i8", "u1", "?"])


@st.composite
def samples(draw, n=None):
    n = draw(st.integers(1, 8)) if n is None else n
    shape = (n, draw(st.integers(1, 3)))
    found = draw(hnp.arrays(float, shape, elements=NUMBER))
    kind = np.dtype(draw(KINDS))
    most = np.finfo(kind).max if kind.kind == "f" else 200
    return np.clip(found, -most, most).astype(kind)


def moments_of(statistics):
    return [
        np.asarray(getattr(statistics, name), dtype=float)
        for name in (
            "mean_z",
            "mean_x",
            "cov_zz",
            "cov_zx",
            "var_x",
            "rho",
            "sigma",
            "std_z",
            "std_x",
        )
    ]


@st.composite
def pairs(draw):
    z = draw(samples())
    return z, draw(samples(len(z)))


@fuzz(3)
@given(pairs(), pairs())
def test_statistics_of_finite_samples_are_finite(one, two):
    found = [result_of(PairwiseStatistics.of, *pair) for pair in (one, two)]
    for statistics in found:
        if statistics is not None:
            assert all(np.isfinite(part).all() for part in moments_of(statistics))
            assert np.abs(statistics.rho).max() <= 1 and (statistics.var_x >= 0).all()
    if None not in found:
        both = result_of(found[0].merge, found[1])
        assert both is None or found[0].cov_zx.shape == found[1].cov_zx.shape
        if both is not None:
            assert all(np.isfinite(part).all() for part in moments_of(both))
    statistics = found[0]
    if statistics is None:
        return
    for function in (
        gaussian.ci_linear_map,
        gk_linear_map,
        lambda s: gk_linear_map(s, 0.1),
        lambda s: expected_squared_error(s, 0.1),
        lambda s: parent_probabilities(s.rho, 1e-3),
    ):
        parts = result_of(function, statistics)
        for part in parts if isinstance(parts, tuple) else (parts,):
            assert np.isfinite(part).all()
    synergies = result_of(pair_synergies, statistics)
    assert synergies is None or all(np.isfinite(part).all() for part in synergies)
    values = result_of(synergy_from_statistics, statistics)
    assert values is None or not any(np.isnan(v).any() for v in values.values.values())


@fuzz(3)
@given(
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["f8", "f4"]),
    st.booleans(),
)
def test_maps_of_probabilities(n, m, seed, kind, constant):
    rng = np.random.default_rng(seed)
    z, x = (
        rng.integers(0, 2, size=(n, m)).astype(kind),
        np.eye(3, dtype=kind)[rng.integers(0, 3, size=n)],
    )
    if constant:
        z[:, 0] = 1
    statistics = result_of(PairwiseStatistics.of, z, x)
    categories = categorical.Categories([3])
    for function in (
        bernoulli.ci_linear_map,
        mixed.gaussian_to_bernoulli_linear_map,
        mixed.bernoulli_to_gaussian_linear_map,
        lambda s: categorical.bernoulli_ci_linear_map(s, categories),
        lambda s: categorical.gaussian_ci_linear_map(s, categories),
        lambda s: bernoulli.ci_decoder(s.mean_zx, s.mean_z, s.mean_x),
    ):
        assert all(np.isfinite(part).all() for part in result_of(function, statistics))
        turned = result_of(function, statistics.map(torch.from_numpy))
        assert all(torch.isfinite(part).all() for part in turned)


@fuzz(3)
@given(
    samples(),
    samples(),
    st.sampled_from([None, 0.0, 1.0, -1.0, [1.0], "a", 1e300, 1e-300, np.nan]),
    st.booleans(),
)
def test_moments_of_finite_samples_are_finite(one, two, weight, holes):
    if holes and one.dtype.kind == "f":
        one = one.copy()
        one[::2, 0] = np.nan
    moments = [result_of(Moments.of, one, weight), result_of(Moments.of, two)]
    if None not in moments:
        merged = result_of(moments[0].merge, moments[1])
        moments.append(merged)
        assert (merged is None) == (one.shape[1] != two.shape[1])
    for found in moments:
        if found is not None:
            assert np.isfinite(found.mean).all() and np.isfinite(found.covariance).all()
            assert (found.variance >= 0).all() and np.isfinite(found.std).all()


@fuzz(3)
@given(
    hnp.arrays(float, (2, 2), elements=st.sampled_from(NUMBERS)),
    st.sampled_from([None, [0, 1], [np.nan, 0], [1]]),
    st.sampled_from([1, 0, -1, np.inf, np.nan, "a", None]),
)
def test_covariances(covariance, mean, weight):
    found = result_of(Moments.of_covariance, covariance, mean, weight)
    if found is not None:
        assert np.linalg.eigvalsh(found.covariance)[0] >= -1e-5 * np.abs(covariance).max()


@fuzz(3)
@given(nonsense(1), st.sampled_from([*NUMBERS, "a", None, 2]), nonsense(1))
def test_adjusted_information(explained, n_samples, n_sources):
    found = result_of(adjusted_information, explained, n_samples, n_sources)
    assert found is None or (found >= 0).all()


@fuzz(6)
@given(nonsense(), nonsense())
def test_nonsense_is_refused(one, two):
    result_of(PairwiseStatistics.of, one, two)
    result_of(Moments.of, one)
    result_of(Moments.of, np.ones((3, 1)), one)
    result_of(Moments.of_covariance, one, two)
