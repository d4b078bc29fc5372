"""Union information of large pmfs: the same answers by every road, stops, and memory."""

import warnings

import numpy as np
import pytest

from minsyn.information import discrete, synergy
from minsyn.information.sampled import ManyCategoriesWarning, estimation
from minsyn.information.union import (
    UncertifiedWarning,
    UnionInformationInterrupt,
    free_memory,
    marginals,
    measure,
    potential_system,
    union_information,
)
from minsyn.information.union.equivalent_values import Merged
from minsyn.information.union.marginals import MarginalMap
from minsyn.information.union.potential_system import _factor
from minsyn.information.union.solve import Solved, Stop
from zoo import counted, dirichlet


@pytest.fixture(scope="module")
def pmf():
    return dirichlet(np.random.default_rng(0), (9, 8, 5), 0.5)


@pytest.fixture(scope="module")
def expected(pmf):
    return union_information(pmf)


@pytest.mark.parametrize("states", [None, [0, 3, 4, 9, 17, 22]])
def test_sums_over_axes_are_those_of_the_matrix(monkeypatch, states):
    rng, shape = np.random.default_rng(1), (2, 3, 4)
    states = None if states is None else np.array(states)
    dense = MarginalMap(shape, states)
    q, f = rng.random((2, 5, dense.n_states)), rng.random((2, 5, 9))
    one_hot = dense.one_hot
    monkeypatch.setattr(marginals, "DENSE", 0)
    by_axes = MarginalMap(shape, states)
    np.testing.assert_allclose(by_axes.sums(q), q @ one_hot)
    np.testing.assert_allclose(by_axes.spread(f), f @ one_hot.T)
    np.testing.assert_allclose(by_axes.product(f), np.exp(np.log(f) @ one_hot.T))
    np.testing.assert_allclose(by_axes.moments(q), one_hot.T @ (q[..., None] * one_hot))
    positive = f > 0.3
    np.testing.assert_array_equal(by_axes.allowed(positive), dense.allowed(positive))
    for j, block in enumerate(by_axes.blocks):
        belongs = one_hot[:, block] > 0
        expected = np.where(belongs, q[..., None], -np.inf).max(axis=-2)
        np.testing.assert_array_equal(by_axes.largest(q, j), expected)


def test_every_way_to_solve_the_newton_system_agrees(monkeypatch):
    """As one product, pair by pair, from sparse matrices, and by conjugate gradients."""
    rng = np.random.default_rng(2)
    p = counted(rng, (4, 5, 3), 8)
    here = MarginalMap((4, 5))
    q = p.reshape(1, 20, 3).transpose(0, 2, 1)
    problem = marginals.Problem.of(here, here.sums(q))
    r, g = rng.random((2, 20)) + 0.1
    rho = rng.random((3, 20)) * problem.mask[0]
    rho /= np.where(rho.sum(0) > 0, rho.sum(0), 1.0)
    v = here.sums(rho * rng.normal(size=20))

    def solution():
        y = potential_system.Plan.of(problem).solver(rho, r, g)(v, 1e-13)
        return here.spread(y) * (rho > 0)

    expected = solution()
    assert np.abs(expected).max() > 0.1
    monkeypatch.setattr(potential_system, "ONE_PRODUCT", 0)
    np.testing.assert_allclose(solution(), expected, atol=1e-9)
    monkeypatch.setattr(potential_system, "SPARSE_FROM", -1)
    monkeypatch.setattr(potential_system, "_matrix", None)
    assert potential_system.Plan.of(problem).cells is not None
    np.testing.assert_allclose(solution(), expected, atol=1e-9)
    monkeypatch.setattr(potential_system, "MAX_FACTORISED", 0)
    np.testing.assert_allclose(solution(), expected, atol=1e-8)


def test_conjugate_gradients_certify_a_part_of_the_value(monkeypatch, pmf, expected):
    monkeypatch.setattr(potential_system, "MAX_FACTORISED", 10)
    found = union_information(pmf)
    assert found.certified
    assert found.gap <= 1e-6 * found.value
    assert found.lower - 1e-12 <= expected.value <= found.upper + 1e-9
    with pytest.warns(UncertifiedWarning, match="not to 1e-14"):
        union_information(pmf, tol=1e-14, max_iter=4)


def test_a_hundred_thousand_cells():
    p = dirichlet(np.random.default_rng(3), (230, 220, 2), 1.0)
    found = union_information(p, tol=1e-2)
    assert found.certified
    best = discrete.source_informations(p).max()
    assert best <= found.upper <= discrete.mutual_information(p)


def test_values_that_tell_the_same_are_merged():
    """Values are split by channels that know nothing of the target, which changes no measure."""
    rng = np.random.default_rng(4)
    small = dirichlet(rng, (3, 3, 4), 1.0)
    labels = [np.array([0, 2, 1, 0, -1, 1, 1]), np.array([1, 0, 2]), np.array([3, 0, -1, 1, 2, 2])]
    p = small[np.ix_(*labels)]
    for axis, of_axis in enumerate(labels):
        share = np.where(of_axis < 0, 0.0, rng.random(len(of_axis)) + 0.1)
        total = np.bincount(of_axis + 1, share)[of_axis + 1]
        share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        p = p * share.reshape([-1 if a == axis else 1 for a in range(3)])
    merged = Merged.of(p)
    assert merged.p.shape == small.shape
    found = union_information(p)
    assert found.value == pytest.approx(union_information(small).value, abs=2e-9)
    for axes in [(0, 2), (1, 2)]:
        other = tuple({0, 1, 2} - set(axes))
        np.testing.assert_allclose(found.distribution.sum(other), p.sum(other), atol=1e-15)
    assert discrete.mutual_information(found.distribution) == pytest.approx(found.value, abs=1e-13)
    for f, p_zx in zip(found.potentials, (p.sum(1), p.sum(0)), strict=True):
        assert (np.isneginf(f) == (p_zx == 0)).all()


def test_proportions_that_differ_are_not_merged():
    p = np.zeros((2, 2, 2))
    p[0, 0], p[1, 1] = [0.25, 0.25], [0.25 - 1e-9, 0.25 + 1e-9]
    assert Merged.of(p) is None


def test_callback_sees_bounds_close_in(pmf, expected):
    seen = []
    found = union_information(pmf, unit="nats", callback=lambda *at: seen.append(at))
    steps, lower, upper = zip(*seen, strict=True)
    assert list(steps) == list(range(len(steps)))
    assert (np.diff(lower) >= 0).all()
    assert (np.diff(upper) <= 0).all()
    assert (lower[-1], upper[-1]) == (found.lower, found.upper)
    nats = expected.value * np.log(2)
    assert all(low - 1e-9 <= nats <= high + 1e-9 for _, low, high in seen)


def raising(error):
    def callback(n_iter, lower, upper):
        if n_iter == 3:
            raise error

    return callback


def test_stop_iteration_returns_the_bounds_so_far(pmf, expected):
    with pytest.warns(UncertifiedWarning):
        found = union_information(pmf, callback=raising(StopIteration))
    assert (found.certified, found.n_iter) == (False, 3)
    assert found.lower <= expected.value <= found.upper
    with pytest.warns(UncertifiedWarning):
        same = union_information(pmf, max_iter=3)
    assert (same.lower, same.n_iter) == (pytest.approx(found.lower), 3)


def test_the_keyboard_leaves_the_bounds_so_far(pmf, expected):
    with pytest.raises(KeyboardInterrupt, match=r"after 3 Newton steps.* between") as stopped:
        union_information(pmf, callback=raising(KeyboardInterrupt))
    assert isinstance(stopped.value, UnionInformationInterrupt)
    found = stopped.value.result
    assert not found.certified
    assert 0 < found.lower <= expected.value <= found.upper
    assert found.upper < discrete.mutual_information(pmf)


def test_a_looser_interval_takes_fewer_steps(pmf, expected):
    found = union_information(pmf, tol=1e-3)
    assert found.certified
    assert found.gap <= 1e-3
    assert found.n_iter < expected.n_iter


@pytest.mark.parametrize("bad", [{"tol": 0.0}, {"tol": np.nan}, {"max_iter": 0}])
def test_bad_options_are_refused(pmf, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        union_information(pmf, **bad)


def test_free_memory_is_the_least_of_all_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(free_memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(free_memory, "_CGROUP", tmp_path / "cgroup")
    assert free_memory.available_bytes() > 0  # nothing there: all of the machine's
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   2048 kB\n")
    assert free_memory.available_bytes() == 2**21
    inner = tmp_path / "cgroup" / "slice" / "job"
    inner.mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/slice/job\n")
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("7\n")
    assert free_memory.available_bytes() == 2**21
    # The limit of a parent holds too, and pages of files are given back.
    (inner.parent / "memory.max").write_text("1000000\n")
    (inner.parent / "memory.current").write_text("600000\n")
    (inner.parent / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    assert free_memory.available_bytes() == 500_000
    (inner.parent / "memory.current").write_text("1200000\n")  # over its limit
    assert free_memory.available_bytes() == 0
    # Version 1, seen from a container that does not know the host's path.
    groups = tmp_path / "proc" / "self" / "cgroup"
    groups.write_text("4:memory:/docker/abc\n")
    (tmp_path / "cgroup" / "memory").mkdir()
    (tmp_path / "cgroup" / "memory" / "memory.limit_in_bytes").write_text("300000\n")
    (tmp_path / "cgroup" / "memory" / "memory.usage_in_bytes").write_text("100000\n")
    assert free_memory.available_bytes() == 200_000
    groups.write_text("3:cpu:/docker/abc\n")
    assert free_memory.available_bytes() == 2**21


def test_free_memory_is_what_ulimit_leaves_of_the_address_space(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(free_memory, "_PROC", tmp_path)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "statm").write_text("5 4 3 2 1 0 0\n")
    page = resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (7 * page, 7 * page))
    assert free_memory.available_bytes() == 2 * page


def test_free_memory_where_nothing_tells_it(tmp_path, monkeypatch):
    monkeypatch.setattr(free_memory, "_PROC", tmp_path)
    monkeypatch.setattr(free_memory, "_CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\n")
    monkeypatch.setattr("os.sysconf", lambda name: 1000 if name == "SC_PAGE_SIZE" else 3)
    assert free_memory.available_bytes() == 3000
    monkeypatch.delattr("os.sysconf")
    assert free_memory.available_bytes() == free_memory.UNKNOWN


def test_many_categories_of_few_samples_are_small(rng):
    z = rng.integers(100, size=(150, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ManyCategoriesWarning)
        result = synergy(z, z.sum(1) % 2, "discrete", measures="union_information")
    assert result.bias_correction == "jackknife"


def test_slow_resampling_is_announced(rng, monkeypatch):
    monkeypatch.setattr(estimation, "_SLOW", 0.0)
    z = rng.integers(3, size=(50, 2))
    with pytest.warns(estimation.SlowResamplingWarning, match="20 follow"):
        synergy(z, z[:, 0], "discrete", measures="gk_synergy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        synergy(z, z[:, 0], "discrete", measures="gk_synergy", bias_correction="none")


def test_the_newton_system_is_factorised_with_a_ridge_where_it_is_singular():
    singular = np.ones((3, 3))
    lower = np.tril(_factor(singular.copy()))
    np.testing.assert_allclose(lower @ lower.T, singular, atol=1e-4)
    # Where rounding has made it indefinite, ridges are tried until one is enough.
    worse = singular + 1e-9 * (singular - np.eye(3))
    lower = np.tril(_factor(worse.copy()))
    np.testing.assert_allclose(lower @ lower.T, worse, atol=1e-4)
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        _factor(np.array([[1.0, 2.0], [2.0, 1.0]]))


@pytest.mark.parametrize(
    ("large", "gap", "certified"),
    [(True, 0.9e-6, True), (True, 1.1e-6, False), (False, 0.9e-6, False)],
)
@pytest.mark.parametrize("value", [0.01, 20.0])
def test_large_pmfs_are_certified_to_a_millionth_of_the_value(large, gap, certified, value):
    bits = value / np.log(2)
    solved = Solved(
        np.array([value - gap * value]),
        np.array([value]),
        np.ones((1, 1, 1, 1)),
        [np.zeros((1, 1, 1))] * 2,
        np.array([5]),
        large,
    )
    batch = measure._as_batch(solved, "bits", Stop(relative=measure.LARGE_GAP))
    assert batch.value == pytest.approx(bits)
    assert batch.certified == certified
