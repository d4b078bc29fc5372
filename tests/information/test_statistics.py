import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import as_users_call
from minsyn.information import PairwiseStatistics

MOMENTS = ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")


def assert_same(a, b, **tolerance):
    for name in MOMENTS:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), **tolerance)


def test_moments_are_numpys(rng):
    z, x = rng.normal(size=(50, 3)), rng.normal(size=(50, 4))
    statistics = PairwiseStatistics.of(z, x)
    correlation = np.corrcoef(z.T, x.T)
    np.testing.assert_allclose(statistics.sigma, correlation[:3, :3])
    np.testing.assert_allclose(statistics.rho, correlation[:3, 3:])
    np.testing.assert_allclose(statistics.mean_zx, z.T @ x / 50)
    np.testing.assert_allclose(statistics.std_x, x.std(axis=0))
    mean, scale = np.arange(4.0), np.array([1, 2, -3, 0.5])
    assert_same(statistics.rescaled(mean, scale), PairwiseStatistics.of(z, mean + scale * x))


@settings(max_examples=50, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 59), min_size=1, max_size=5, unique=True).map(sorted),
    shift=st.sampled_from([0.0, 1e3, -1e6]),
)
def test_any_split_merges_to_the_whole(cuts, shift):
    rng = np.random.default_rng(1)
    z, x = rng.normal(size=(60, 2)) + shift, rng.normal(size=(60, 3)) - shift
    merged = None
    for rows in np.split(np.arange(60), cuts):
        chunk = PairwiseStatistics.of(z[rows], x[rows])
        merged = chunk if merged is None else merged.merge(chunk)
    assert merged.weight == 60
    assert_same(merged, PairwiseStatistics.of(z, x), rtol=1e-9, atol=1e-9)


def test_merging_does_not_depend_on_the_order(rng):
    a, b, c = (
        PairwiseStatistics.of(rng.normal(size=(n, 2)), rng.normal(size=(n, 3))) for n in (3, 5, 9)
    )
    assert_same(a.merge(b).merge(c), c.merge(a.merge(b)), atol=1e-12)


def test_what_has_no_weight_changes_nothing(rng):
    a, b = (PairwiseStatistics.of(rng.normal(size=(9, 2)), rng.normal(size=(9, 3))) for _ in "ab")
    for one in (a, a.weighted(0.0)):
        merged = one.merge(b.weighted(0.0))
        assert merged.weight == one.weight
        assert_same(merged, a)


def test_constants_have_no_correlation_even_far_from_zero(rng):
    z = rng.normal(size=(100, 2))
    z[:, 1] = 0.1 + 1e8
    x = np.column_stack([np.full(100, 1 / 3 * 1e12), z[:, 0]])
    statistics = PairwiseStatistics.of(z, x)
    assert np.array_equal(statistics.rho, [[0, statistics.rho[0, 1]], [0, 0]])
    assert statistics.rho[0, 1] == pytest.approx(1)
    assert np.array_equal(statistics.sigma, np.eye(2))


@pytest.mark.parametrize(("n_z", "n_x"), [(3, 4), (0, 0)])
def test_samples_that_do_not_match(n_z, n_x):
    with pytest.raises(ValueError, match="same samples"):
        PairwiseStatistics.of(np.zeros((n_z, 1)), np.zeros((n_x, 1)))


def test_one_column_is_a_table():
    for z, x in ((np.zeros((3, 1)), np.zeros(3)), (np.zeros(3), np.zeros((3, 1)))):
        with as_users_call(), pytest.raises(ValueError, match="shape"):
            PairwiseStatistics.of(z, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.1, 1e-9, 12345.678])
@pytest.mark.parametrize("library", [np, torch])
def test_a_long_constant_does_not_vary(dtype, constant, library, rng):
    """A plain sum of many equal numbers is off by more than a few roundings."""
    x = np.full((50_000, 2), constant, dtype)
    x[:, 1] = rng.normal(size=len(x))
    x = library.asarray(x)
    statistics = PairwiseStatistics.of(x, x)
    assert statistics.std_z[0] == 0
    assert statistics.std_x[0] == 0
    assert statistics.std_z[1] > 0.9
