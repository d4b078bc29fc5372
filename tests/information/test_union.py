"""Union information: its certificate, its laws, and independent roads to the same number."""

import warnings
from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from minsyn.information import discrete, examples
from minsyn.information.union import certificate as _certificate
from minsyn.information.union import null_space
from minsyn.information.union import solve as _solve
from minsyn.information.union.marginals import marginal_map
from minsyn.information.union.measure import (
    UncertifiedWarning,
    gk_synergy,
    union_information,
    union_information_batch,
)
from zoo import KINDS, deterministic, dirichlet, zoo

ATOL = 2e-9  # two certified values may each be off by 1e-9 bit


def marginals(q):
    return [q.sum(tuple(a for a in range(q.ndim - 1) if a != j)) for j in range(q.ndim - 1)]


def check(p, result):
    """Everything the result says, checked without the solver's own code."""
    assert result.certified
    assert result.gap == result.upper - result.lower <= 1e-9
    assert result.lower <= result.upper == result.value
    q = result.distribution
    assert q.shape == p.shape
    assert (q >= 0).all()
    for of_q, of_p in zip(marginals(q), marginals(p), strict=True):
        np.testing.assert_allclose(of_q, of_p, atol=1e-12, rtol=0)
    assert discrete.mutual_information(q) == pytest.approx(result.upper, abs=1e-11)
    # The dual bound of the potentials, by its formula.
    total, spread = 0.0, np.zeros(p.shape)
    for j, (f, of_p) in enumerate(zip(result.potentials, marginals(p), strict=True)):
        total += float((of_p * np.where(of_p > 0, f, 0.0)).sum())
        shape = [1] * p.ndim
        shape[j], shape[-1] = f.shape
        spread = spread + np.maximum(f, -1e6).reshape(shape)
    p_x = p.sum(tuple(range(p.ndim - 1)))
    worst = (p_x * np.exp2(np.maximum(spread, -1e3))).sum(-1).max()
    assert total - np.log2(worst) == pytest.approx(result.lower, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_certified_on_nasty_pmfs(kind):
    for p in zoo(kind, 40, seed=7):
        check(p, union_information(p))


@pytest.mark.parametrize(
    "shape", [(2, 2, 3, 1), (1, 3, 3), (3, 1, 3), (2, 2, 700), (40, 2, 4), (2,) * 10, (9, 9, 9)]
)
def test_certified_on_unusual_shapes(rng, shape):
    p = rng.dirichlet(np.full(np.prod(shape), 0.5)).reshape(shape)
    check(p, union_information(p))


def cone_union(p):
    """The same minimum by a cone solver, in bits."""
    n_x = p.shape[-1]
    p_x = p.reshape(-1, n_x).sum(0)
    q = cp.Variable((p.size // n_x, n_x), nonneg=True)
    rows = cp.reshape(cp.sum(q, axis=1), (q.shape[0], 1), order="C") @ np.ones((1, n_x))
    constraints = []
    states = np.indices(p.shape[:-1]).reshape(p.ndim - 1, -1)
    for values, target in zip(states, marginals(p), strict=True):
        constraints.append(np.eye(len(target))[:, values] @ q == target)
    problem = cp.Problem(cp.Minimize(cp.sum(cp.rel_entr(q, rows))), constraints)
    nats = problem.solve(solver=cp.CLARABEL)
    return (nats - (p_x * np.log(np.where(p_x > 0, p_x, 1))).sum()) / np.log(2)


@pytest.mark.parametrize("alpha", [1.0, 0.2])
@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 4), (4, 4, 4), (2, 2, 2, 2), (3, 2, 2, 3)])
def test_agrees_with_a_cone_solver(rng, shape, alpha):
    p = rng.dirichlet(np.full(np.prod(shape), alpha)).reshape(shape)
    assert union_information(p).value == pytest.approx(cone_union(p), abs=2e-6)


def test_agrees_with_a_cone_solver_on_a_three_bit_sum():
    p = np.zeros((2, 2, 2, 4))
    for z in np.ndindex(2, 2, 2):
        p[(*z, sum(z))] = 1 / 8
    assert union_information(p).value == pytest.approx(cone_union(p), abs=2e-6)


def binned_gaussian(rho, n_bins):
    """Two sources of correlations rho with the target, all in bins of equal probability.

    Given X the sources are independent here: U depends on the pairwise marginals alone.
    """
    edges = norm.ppf(np.linspace(0, 1, n_bins + 1))
    n_points = 200
    points = norm.ppf((np.arange(n_bins * n_points) + 0.5) / (n_bins * n_points))
    first, second = (
        np.diff(norm.cdf((edges - r * points[:, None]) / np.sqrt(1 - r * r)), axis=1)
        .reshape(n_bins, n_points, n_bins)
        .mean(1)
        for r in rho
    )
    return np.einsum("xa,xb->abx", first, second) / n_bins


def test_a_binned_gaussian_tends_to_the_closed_form():
    """U = max_k I(Z_k; X) = -1/2 log2(1 - max rho^2); coarse bins lose information."""
    rho = (0.5, 0.75)
    exact = -0.5 * np.log2(1 - max(rho) ** 2)
    errors = [exact - union_information(binned_gaussian(rho, n)).value for n in (4, 6, 9, 12)]
    assert all(e > 0 for e in errors)
    assert all(b < 0.75 * a for a, b in pairwise(errors))
    assert errors[-1] < 0.1 * exact


seeds = st.integers(0, 2**32 - 1)
#: Each example is a batch of 30 pmfs, which costs little more than one.
few = settings(max_examples=10, deadline=None)


def random_pmfs(seed, shape=None, n=30):
    rng = np.random.default_rng(seed)
    if shape is None:
        shape = tuple(rng.integers(2, 4, size=rng.integers(2, 5)))
    alphas = rng.choice([0.05, 0.3, 1.0], size=n)
    return np.stack([dirichlet(rng, shape, alpha) for alpha in alphas])


def unions(pmfs):
    batch = union_information_batch(pmfs)
    assert batch.certified.all()
    return batch.value


@few
@given(seeds)
def test_between_the_best_source_and_all_together(seed):
    pmfs = random_pmfs(seed)
    for p, value in zip(pmfs, unions(pmfs), strict=True):
        assert discrete.source_informations(p).max() - 1e-9 <= value
        assert 0 <= value <= discrete.mutual_information(p) + 1e-12


@few
@given(seeds)
def test_symmetric_in_the_sources(seed):
    pmfs = random_pmfs(seed, (2, 3, 2, 3))
    order = 1 + np.random.default_rng(seed).permutation(3)
    np.testing.assert_allclose(unions(pmfs.transpose(0, *order, 4)), unions(pmfs), atol=ATOL)


@few
@given(seeds)
def test_invariant_to_relabelling(seed):
    pmfs = random_pmfs(seed, (3, 3, 3))
    rng = np.random.default_rng(seed)
    relabelled = pmfs[np.ix_(range(30), *(rng.permutation(3) for _ in range(3)))]
    np.testing.assert_allclose(unions(relabelled), unions(pmfs), atol=ATOL)


@few
@given(seeds)
def test_processing_a_source_loses_information(seed):
    pmfs = random_pmfs(seed, (3, 2, 3))
    channel = np.random.default_rng(seed).dirichlet(np.full(2, 0.5), size=3)
    coarse = np.einsum("nabx,ac->ncbx", pmfs, channel)
    assert (unions(coarse) <= unions(pmfs) + ATOL).all()


@few
@given(seeds)
def test_a_copy_of_a_source_changes_nothing(seed):
    pmfs = random_pmfs(seed, (2, 3, 2))
    copied = np.einsum("nabx,ac->nacbx", pmfs, np.eye(2))
    np.testing.assert_allclose(unions(copied), unions(pmfs), atol=ATOL)
    assert gk_synergy(copied[0]) == pytest.approx(gk_synergy(pmfs[0]), abs=ATOL)


@few
@given(seeds)
def test_another_source_never_lowers_it(seed):
    pmfs = random_pmfs(seed, (2, 2, 3, 2))
    assert (unions(pmfs.sum(3)) <= unions(pmfs) + ATOL).all()


@few
@given(seeds)
def test_synergy_is_what_the_union_leaves(seed):
    p = random_pmfs(seed, n=1)[0]
    expected = discrete.mutual_information(p) - union_information(p).value
    assert gk_synergy(p) == pytest.approx(max(expected, 0.0), abs=1e-12)


@pytest.mark.parametrize("kind", ["dense", "uneven", "counted"])
def test_potentials_are_derivatives(kind):
    rng = np.random.default_rng(2)
    for p in zoo(kind, 12, seed=5):
        # In proportion to p, so that zeros stay zeros.
        change = p * rng.uniform(-1, 1, p.shape)
        change -= p * change.sum()
        up, down = (union_information(p + h * change).value for h in (5e-4, -5e-4))
        potentials = [np.where(np.isfinite(f), f, 0) for f in union_information(p).potentials]
        expected = sum((f * c).sum() for f, c in zip(potentials, marginals(change), strict=True))
        assert (up - down) / 1e-3 == pytest.approx(expected, abs=1e-6)


def test_derivative_of_a_single_best_source():
    """Where U = I(Z_1; X) the potential is log p(x|z_1)/p(x), up to the gauge."""
    p = np.einsum("ax,ab->abx", [[0.4, 0.1], [0.2, 0.3]], [[0.5, 0.5], [0.5, 0.5]])
    result = union_information(p)
    pair = p.sum(1)
    expected = np.log2(pair / pair.sum(1, keepdims=True) / pair.sum(0))
    together = result.potentials[0][:, None, :] + result.potentials[1][None]
    np.testing.assert_allclose(together, np.repeat(expected[:, None], 2, 1), atol=1e-9)


def test_a_source_that_channels_turn_into_the_others_decides(rng):
    """X - Z_1 - (Z_2, Z_3) is feasible, so U = I(Z_1; X), whatever the sources tell together."""
    pair = rng.dirichlet(np.ones(12)).reshape(3, 4)
    second, third = rng.dirichlet(np.ones(2), size=3), rng.dirichlet(np.ones(4), size=3)
    q = np.einsum("ax,ab,ac->abcx", pair, second, third)
    # Each factor sums to 0: no pairwise marginal changes.
    swing = np.einsum("a,b,c,x->abcx", *([1.0, -1.0] + [0.0] * (k - 2) for k in q.shape))
    p = q + 0.9 * q[swing != 0].min() * swing
    result = union_information(p)
    check(p, result)
    assert result.n_iter == 0
    assert result.value == pytest.approx(discrete.mutual_information(pair), abs=1e-13)
    assert result.value < discrete.mutual_information(p) - 1e-6


def test_one_source_is_its_information(rng):
    p = rng.dirichlet(np.ones(12)).reshape(3, 4)
    result = union_information(p)
    check(p, result)
    assert result.n_iter == 0
    assert result.value == pytest.approx(discrete.mutual_information(p), abs=1e-14)


def test_units(rng):
    p = rng.dirichlet(np.ones(12)).reshape(2, 3, 2)
    bits, nats = union_information(p), union_information(p, unit="nats")
    assert nats.value == pytest.approx(bits.value * np.log(2), rel=1e-12)
    np.testing.assert_allclose(nats.potentials[0], bits.potentials[0] * np.log(2))
    assert gk_synergy(p, unit="nats") == pytest.approx(gk_synergy(p) * np.log(2), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 3)])
def test_batch_equals_one_by_one(kind, shape):
    rng = np.random.default_rng(11)
    pmfs = np.stack([KINDS[kind](rng, shape) for _ in range(30)])
    batch = union_information_batch(pmfs)
    assert len(list(batch)) == len(batch) == 30
    assert batch[-1].value == batch[np.int64(29)].value
    with pytest.raises(TypeError, match="slice"):
        batch[2:4]
    assert batch.certified.all()
    for i, p in enumerate(pmfs):
        check(p / p.sum(), batch[i])
        assert batch[i].value == pytest.approx(union_information(p).value, abs=ATOL)


def test_batch_rescues_its_members_one_by_one(monkeypatch):
    """What the common steps leave open, the careful methods close."""
    rng = np.random.default_rng(5)
    pmfs = np.stack([KINDS["uneven"](rng, (3, 2, 3)) for _ in range(6)])
    hopeless = _solve._Attempt(None, 0.05, 1, 2)
    monkeypatch.setattr(_solve, "_ATTEMPTS", (hopeless, *_solve._ATTEMPTS[1:]))
    assert union_information_batch(pmfs).certified.all()


@pytest.mark.parametrize("kind", ["dense", "uneven", "counted"])
def test_one_pmf_takes_few_steps(kind):
    rng = np.random.default_rng(2)
    results = [union_information(KINDS[kind](rng, (4, 4, 4))) for _ in range(6)]
    assert all(0 < result.n_iter <= 14 for result in results)
    assert np.mean([result.n_iter for result in results]) <= 10


def test_small_pmfs_take_few_steps_together_and_alone(rng):
    p = rng.dirichlet(np.ones(8), size=40).reshape(40, 2, 4)
    here = marginal_map((2, 2))
    b, p_x = here.sums(p), p.sum(2, keepdims=True)
    start = (here.product(b / p_x) * p_x).reshape(40, 8)
    constants = null_space.directions((2, 2), 2)
    alone = [null_space.solve(constants, one[None]) for one in start]
    for found in (
        null_space.solve(constants, start),
        map(np.concatenate, zip(*alone, strict=True)),
    ):
        q, y, steps = found
        assert steps.max() <= 25
        assert steps.mean() <= 10
        q, y = q.reshape(p.shape), y.reshape(b.shape)
        np.testing.assert_allclose(here.sums(q), b, atol=1e-14)
        y[..., here.blocks[0]] -= np.log(p_x)
        lower, _ = _certificate.lower_bound(here, b, y, np.log(p_x))
        assert (_certificate.upper_bound(q) - lower <= 1e-9).all()


def test_result_is_readable():
    assert "certified" in repr(union_information(examples.and_gate()))
    assert "2 pmfs, 2 certified" in repr(union_information_batch([examples.xor()] * 2))


def test_an_open_interval_warns_and_says_so(rng, monkeypatch):
    monkeypatch.setattr(_solve, "_ATTEMPTS", (_solve._Attempt(None, 0.05, 1, 2),))
    monkeypatch.setattr(_solve, "_FIRST_STEPS", 2)
    p = rng.dirichlet(np.ones(27)).reshape(3, 3, 3)
    with pytest.warns(UncertifiedWarning, match="lower and upper"):
        result = union_information(p)
    assert not result.certified
    assert "NOT CERTIFIED" in repr(result)
    with pytest.warns(UncertifiedWarning, match="union information"):
        batch = union_information_batch(p[None])
    assert not batch.certified.any()
    # What it does say is still true.
    monkeypatch.undo()
    assert result.lower <= union_information(p).value <= result.upper + 1e-12


def test_careful_methods_agree(rng, monkeypatch):
    p = deterministic(rng, (3, 3, 3), 1e-6)
    expected = union_information(p).value
    monkeypatch.setattr(_solve, "_FIRST_STEPS", 1)
    for attempt in _solve._ATTEMPTS[1:]:
        monkeypatch.setattr(_solve, "_ATTEMPTS", (attempt, attempt))
        assert union_information(p).value == pytest.approx(expected, abs=ATOL)


def test_no_warning_leaks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for p in zoo("sparse", 10, seed=3):
            union_information(p)


def test_marginals_whose_product_underflows():
    p = np.zeros((2, 2, 2))
    p[0, 0, 0], p[1, 1, 1] = 1.0, 1e-200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in (
            union_information(p),
            union_information(p.sum(0)),
            union_information_batch(p[None])[0],
        ):
            assert result.certified
            assert result.potentials[0][1, 1] > 100


def test_too_large_is_refused_before_it_is_allocated(monkeypatch):
    monkeypatch.setattr(_solve, "available_bytes", lambda: 2.0**26)
    p = np.random.default_rng(0).random((40, 40, 40))
    with pytest.raises(ValueError, match="GiB"):
        union_information(p / p.sum())


def test_few_states_need_little_memory(rng, monkeypatch):
    monkeypatch.setattr(_solve, "available_bytes", lambda: 2.0**24)
    p = rng.dirichlet(np.ones(4 * 700)).reshape(2, 2, 700)
    seen = []
    found = union_information(p, unit="nats", callback=lambda *at: seen.append(at))
    assert found.certified
    assert seen[-1] == (found.n_iter, found.lower, found.upper)


@pytest.mark.parametrize(
    ("pmfs", "message"),
    [
        (np.ones((2, 4)) / 4, "3 axes"),
        (np.ones((0, 2, 2, 2)), "no pmf"),
        (np.stack([np.ones((2, 2, 2)) / 8, np.ones((2, 2, 2))]), r"pmfs\[1\] must sum"),
        (np.stack([np.full((2, 2, 2), np.nan), np.ones((2, 2, 2)) / 8]), r"pmfs\[0\].*NaN"),
    ],
)
def test_bad_batches_are_refused(pmfs, message):
    with pytest.raises(ValueError, match=message):
        union_information_batch(pmfs)


@pytest.mark.parametrize("bad", [[0.5, 0.5], [[0.5, 0.6]], [[-1.0, 2.0]], [[np.nan, 1.0]]])
def test_bad_pmfs_are_refused(bad):
    with pytest.raises(ValueError, match="pmf"):
        union_information(bad)


def test_a_total_off_by_typing_changes_nothing(rng):
    p = rng.dirichlet(np.ones(12)).reshape(2, 3, 2)
    off, value = p * (1 + 5e-9), union_information(p).value
    assert union_information(off).value == pytest.approx(value, abs=1e-12)
    assert union_information_batch(off[None]).value[0] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("max_projection", [_certificate.MAX_PROJECTION, 0])
@pytest.mark.parametrize("error", [1e-9, 1e-2])
def test_rounding_restores_the_marginals(rng, monkeypatch, max_projection, error):
    """By the projection, and by the proportional fitting of large pmfs."""
    monkeypatch.setattr(_certificate, "MAX_PROJECTION", max_projection)
    marginals, p = marginal_map((3, 2, 2)), dirichlet(rng, (5, 4, 12), 0.3)
    b = p @ marginals.one_hot
    off = p * (1 + error * rng.uniform(-1, 1, p.shape))
    assert np.abs(off @ marginals.one_hot - b).max() > error * 1e-3
    q = _certificate.round_to_feasible(marginals, b, off)
    assert (q >= 0).all()
    np.testing.assert_allclose(q @ marginals.one_hot, b, atol=1e-15, rtol=0)
    # Not by starting anew: q stays near.
    assert np.abs(q - off).max() <= 3 * error * p.max()
