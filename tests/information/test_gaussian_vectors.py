"""Gaussian vectors against determinants, a cone solver, published values, the discrete solver."""

import cvxpy as cp
import numpy as np
import pytest
from scipy.stats import norm

from minsyn.information import gaussian, gaussian_vectors
from minsyn.information import union_information as of_pmf
from minsyn.information._least_information import _Problem, least_information, posterior
from minsyn.information.gaussian_vectors import (
    ci_synergy,
    gk_synergy,
    mutual_information,
    pid,
    source_informations,
    union_information,
)


def covariance(*channels, noise=None):
    """Of readings H_j x + noise, one source after another, and of x."""
    gain = np.vstack(channels)
    noise = np.eye(len(gain)) if noise is None else noise
    return np.block([[gain @ gain.T + noise, gain], [gain.T, np.eye(gain.shape[1])]])


def groups(*channels):
    ends = np.cumsum([0, *map(len, channels), channels[0].shape[1]])
    listed = [list(range(ends[i], ends[i + 1])) for i in range(len(ends) - 1)]
    return listed[:-1], listed[-1]


def log_det(matrix, members):
    return np.linalg.slogdet(matrix[np.ix_(members, members)])[1]


def by_determinants(matrix, sources, target):
    z = [i for source in sources for i in source]
    nats = 0.5 * (log_det(matrix, z) + log_det(matrix, target) - log_det(matrix, z + target))
    return nats / np.log(2)


def by_cone_solver(channels):
    """Union information as one log-det problem of semidefinite matrices."""
    gain = np.vstack(channels)
    n, d = gain.shape
    Q, N = cp.Variable((d, d), PSD=True), cp.Variable((n, n), symmetric=True)
    M = cp.bmat([[np.eye(d) - Q, gain.T], [gain, N + gain @ gain.T]])
    sources, _ = groups(*channels)
    fixed = [N[np.ix_(s, s)] == np.eye(len(s)) for s in sources]
    problem = cp.Problem(cp.Minimize(-cp.log_det(Q)), [M >> 0, *fixed])
    return problem.solve(solver=cp.CLARABEL) / 2 / np.log(2)


@pytest.mark.parametrize("sizes", [(2, 3), (2, 1, 2)])
def test_union_information_is_that_of_a_cone_solver(rng, sizes):
    channels = [rng.normal(size=(size, 3)) for size in sizes]
    sources, target = groups(*channels)
    result = union_information(covariance(*channels), sources, target)
    assert result.certified and result.n_iter < 25
    assert result.value == pytest.approx(by_cone_solver(channels), abs=1e-7)
    assert result.value > source_informations(covariance(*channels), sources, target).max() + 0.05


def test_the_minimiser_has_the_pairs_and_the_information_that_it_should(rng):
    """In the variables' own order and units, with correlated parts and an onlooker."""
    A = np.exp(3 * rng.normal(size=(9, 1))) * rng.normal(size=(9, 12))
    sigma = A @ A.T
    sources, target = [[7, 0], [3, 1, 4]], [8, 2]
    result = union_information(sigma, sources, target)
    order = [*sources[0], *sources[1], *target]
    own, least = sigma[np.ix_(order, order)], result.covariance
    kept = np.ones((7, 7), dtype=bool)
    kept[:2, 2:5] = kept[2:5, :2] = False
    np.testing.assert_allclose(least[kept], own[kept], rtol=1e-12)
    assert np.abs(least - own)[~kept].max() > 1e-3
    scale = np.sqrt(np.diag(least))
    assert np.linalg.eigvalsh(least / scale / scale[:, None])[0] > 0
    new = [[0, 1], [2, 3, 4]], [5, 6]
    assert by_determinants(least, *new) == pytest.approx(result.value, abs=1e-9)
    assert mutual_information(sigma, sources, target) == pytest.approx(
        by_determinants(sigma, sources, target), abs=1e-9
    )
    assert gk_synergy(sigma, sources, target) == pytest.approx(
        by_determinants(sigma, sources, target) - result.value, abs=1e-9
    )
    assert gk_synergy(least, *new) == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(
        source_informations(sigma, sources, target),
        [by_determinants(sigma, [source], target) for source in sources],
        atol=1e-9,
    )


def test_any_multipliers_give_a_lower_bound(rng):
    """Whatever R, T and D are, no covariance of noises tells less."""
    channels = [rng.normal(size=(2, 3)) for _ in range(3)]
    problem, least = _Problem.of(channels), least_information(channels)
    for _ in range(50):
        R = np.triu(rng.normal(size=(3, 3))) + 2 * np.eye(3)
        T = 0.3 * rng.normal(size=(3, 6))
        D = np.where(problem.same, rng.normal(size=(6, 6)), 0)
        assert problem.bound(R, T, D + D.T) <= least.upper
    assert least.lower <= least.upper


def test_posterior_is_that_of_the_best_linear_estimate(rng):
    gain, A = rng.normal(size=(4, 3)), rng.normal(size=(4, 6))
    noise = A @ A.T
    value, R, T = posterior(gain, noise)
    precision = np.eye(3) + gain.T @ np.linalg.solve(noise, gain)
    np.testing.assert_allclose(R.T @ R, precision)
    assert value == pytest.approx(np.linalg.slogdet(precision)[1] / 2)
    estimate = np.linalg.solve(precision, np.linalg.solve(noise, gain).T)
    np.testing.assert_allclose(np.linalg.solve(R, T), estimate)


def test_directions_of_the_target_that_no_source_reads_change_nothing(rng):
    channels = [rng.normal(size=(size, 3)) for size in (1, 2)]
    turned = np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]
    one, other = (least_information(c) for c in (channels, [h @ turned for h in channels]))
    assert other.upper == pytest.approx(one.upper, abs=1e-8)
    assert one.n_iter > 0


def test_published_examples():
    """Examples in gpid of Venkatesh et al. (2023), whose answers are known."""
    half = 0.5 * np.log2(1.5)
    turned = np.array([[np.sqrt(0.75), 0.5], [-0.5, np.sqrt(0.75)]])
    examples = [
        ("both unique", [[1, 0]], [[0, 1]], (0, 0.5, 0.5, 0)),
        ("one direction", [[np.sqrt(2), 0]], [[1, 0]], (0.5, half, 0, 0.5 - half)),
        ("one of two, turned", turned, [[0, 1]], (0.5, 0.5, 0, half)),
        ("gain 2", np.diag([2, 1]), np.eye(2), (1, 0.5 * np.log2(2.5), 0, 0.4239984)),
        ("gain 1, unstable there", np.eye(2), np.eye(2), (1, 0, 0, 2 * half)),
        (
            "two gains",
            np.diag([np.sqrt(2), 1]),
            np.diag([1, np.sqrt(2)]),
            (1, half, half, 0.4150375),
        ),
    ]
    for name, first, second, expected in examples:
        channels = np.array(first, dtype=float), np.array(second, dtype=float)
        atoms = pid(covariance(*channels), *groups(*channels))["broja"]
        assert list(atoms.values()) == pytest.approx(expected, abs=1e-7), name


def test_independent_systems_add_up(rng):
    """Even after any linear map within each source and the target; as the doubling of gpid."""
    pairs = [[rng.normal(size=(2, 2)) for _ in range(2)] for _ in range(2)]
    both = [
        np.block([[a, np.zeros((2, 2))], [np.zeros((2, 2)), b]])
        for a, b in zip(*pairs, strict=True)
    ]
    mixing = np.zeros((12, 12))
    for start in range(0, 12, 4):
        mixing[start : start + 4, start : start + 4] = rng.normal(size=(4, 4))
    sigma = mixing @ covariance(*both) @ mixing.T
    single = [union_information(covariance(*p), *groups(*p)).value for p in pairs]
    assert union_information(sigma, *groups(*both)).value == pytest.approx(sum(single), abs=1e-7)


def test_one_target_variable_is_the_case_of_correlations(rng):
    sigma = np.corrcoef(rng.normal(size=(4, 9)))
    arguments = sigma, [[0], [1], [2]], [3]
    z, rho = sigma[:3, :3], sigma[:3, 3:]
    assert union_information(*arguments).value == pytest.approx(
        gaussian.union_information(z, rho)[0]
    )
    assert union_information(*arguments).n_iter == 0
    assert mutual_information(*arguments) == pytest.approx(gaussian.mutual_information(z, rho)[0])
    assert gk_synergy(*arguments) == pytest.approx(gaussian.gk_synergy(z, rho)[0])
    assert ci_synergy(*arguments) == pytest.approx(gaussian.ci_synergy(z, rho)[0])
    assert source_informations(*arguments, unit="nats") == pytest.approx(
        gaussian.source_informations(rho, unit="nats")[:, 0]
    )
    atoms = pid(sigma, [[0], [1]], [3])
    assert list(atoms["broja"].values()) == pytest.approx(list(atoms["mmi"].values()))
    told = [
        *source_informations(sigma, [[0], [1]], [3]),
        mutual_information(sigma, [[0], [1]], [3]),
    ]
    for redundancies in atoms.redundancies:
        assert redundancies == pytest.approx([min(told), *told])


def test_ci_synergy_is_the_divergence_of_two_gaussians(rng):
    channels = [rng.normal(size=(2, 3)), rng.normal(size=(3, 3))]
    A = rng.normal(size=(5, 7))
    own = A @ A.T
    gain, apart = np.vstack(channels), own.copy()
    apart[:2, 2:] = apart[2:, :2] = 0
    precision = [np.eye(3) + gain.T @ np.linalg.solve(n, gain) for n in (own, apart)]
    estimate = [
        np.linalg.solve(p, np.linalg.solve(n, gain).T)
        for p, n in zip(precision, (own, apart), strict=True)
    ]
    apart_from = estimate[0] - estimate[1]
    spread = np.linalg.inv(precision[0]) + apart_from @ (gain @ gain.T + own) @ apart_from.T
    nats = 0.5 * (np.trace(precision[1] @ spread) - 3)
    nats += 0.5 * (np.linalg.slogdet(precision[0])[1] - np.linalg.slogdet(precision[1])[1])
    found = ci_synergy(covariance(*channels, noise=own), *groups(*channels), unit="nats")
    assert found == pytest.approx(nats, rel=1e-9)
    assert ci_synergy(covariance(*channels, noise=apart), *groups(*channels)) < 1e-12


def binned(gain, n):
    """p(z_1, z_2, x) of two scalar readings of two target variables, n bins each."""
    points = norm.ppf((np.arange(6 * n) + 0.5) / (6 * n))
    x = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1).reshape(-1, 2)
    cell = np.arange(6 * n) // 6
    cell = (n * cell[:, None] + cell).ravel()
    pairs = []
    for h in gain:
        edges = norm.ppf(np.arange(n + 1) / n) * np.sqrt(1 + h @ h)
        inside = np.diff(norm.cdf(edges - (x @ h)[:, None]), axis=1) / len(x)
        pairs.append(np.stack([np.bincount(cell, column) for column in inside.T]))
    pmf = pairs[0][:, None] * pairs[1] * n**2  # independent given x: only the pairs matter
    alone = [np.sum(p * np.log2(p * n**3)) for p in pairs]
    return of_pmf(pmf).value, np.mean(alone), max(alone)


def test_bins_come_to_the_same():
    """The discrete solver searches all distributions, Gaussian or not.

    Bins tell less; how much they lose of each source says how much they lose of the union.
    """
    gain = 1.5 * np.array([[1, 0], [0.5, np.sqrt(0.75)]])
    arguments = covariance(gain), [0, 1], [2, 3]
    exact = union_information(*arguments).value
    alone = source_informations(*arguments)[0]
    (coarse, coarse_alone, _), (fine, fine_alone, best) = (binned(gain, n) for n in (6, 8))
    assert best + 0.5 < fine < exact
    slope = (fine - coarse) / (fine_alone - coarse_alone)
    assert fine + slope * (alone - fine_alone) == pytest.approx(exact, abs=2e-3)


def test_degraded_channels_have_a_closed_form(rng):
    best = rng.normal(size=(3, 3))
    through = [t / np.linalg.norm(t, 2) for t in rng.normal(size=(2, 2, 3))]
    channels = [through[0] @ best, best, 0.7 * through[1] @ best]
    sigma, (sources, target) = covariance(*channels), groups(*channels)
    result = union_information(sigma, sources, target)
    assert result.n_iter == 0
    assert result.value == pytest.approx(by_determinants(sigma, [sources[1]], target), abs=1e-9)
    assert mutual_information(result.covariance, sources, target) == pytest.approx(result.value)
    noise = least_information(channels).noise
    for block in (slice(2), slice(2, 5), slice(5, 7)):
        np.testing.assert_array_equal(noise[block, block], np.eye(block.stop - (block.start or 0)))
    # The search comes to the same where the form is just missed.
    channels[0] = 1.0001 * channels[0]
    searched = union_information(covariance(*channels), sources, target)
    assert searched.n_iter > 0
    assert searched.certified
    assert searched.value == pytest.approx(result.value, abs=1e-4)


def test_hard_sources_are_certified(rng):
    square = rng.normal(size=(4, 4))
    shared = np.vstack([square[:2], rng.normal(size=(2, 4))])
    scales = [10.0 ** rng.uniform(-3, 4, size=(4, 1)) for _ in range(3)]
    for channels in (
        [square, square + 1e-5 * rng.normal(size=(4, 4))],
        [square, shared],
        [square, shared, np.vstack([square[1:3], rng.normal(size=(3, 4))])],
        [scale * rng.normal(size=(4, 4)) for scale in scales],
        [1e6 * square, rng.normal(size=(4, 4))],
    ):
        found = least_information(channels)
        assert -1e-12 <= found.upper - found.lower < 1e-8
        assert np.linalg.eigvalsh(found.noise)[0] > -1e-12


def test_units_copies_and_constants_change_nothing(rng):
    channels = [rng.normal(size=(2, 2)), rng.normal(size=(1, 2))]
    sigma, (sources, target) = covariance(*channels), groups(*channels)
    measures = mutual_information, gk_synergy, ci_synergy
    expected = [f(sigma, sources, target) for f in measures]
    # Each variable in a unit of its own; a sum, a copy and a constant are added.
    change = np.zeros((8, 5))
    change[:5] = np.diag([1e-9, 1e6, 1, 1e-5, 1e4])
    change[5, :2], change[6, 3] = (1, 2), 3
    wider = change @ sigma @ change.T
    found = [f(wider, [[0, 1, 5], [2, 7]], [3, 4, 6]) for f in measures]
    assert found == pytest.approx(expected, abs=1e-9)
    single = [f(wider.astype(np.float32), [[0, 1, 5], [2, 7]], [3, 4, 6]) for f in measures]
    assert single == pytest.approx(expected, abs=1e-4)
    least = union_information(wider, [[0, 1, 5], [2, 7]], [3, 4, 6])
    assert least.value == pytest.approx(expected[0] - expected[1], abs=1e-9)
    assert np.isfinite(least.covariance).all()
    assert [f(np.eye(4), [[0], [1]], [2, 3]) for f in measures] == [0, 0, 0]


def linear(*rows):
    """Covariance of sums of independent variables of variance 1."""
    rows = np.array(rows, dtype=float)
    return rows @ rows.T


def test_what_a_source_determines_is_infinite_and_the_rest_is_not(rng):
    x1, x2, a, b = np.eye(4)
    half = 0.5 * np.log2(1.5)
    # Both know x1 exactly, and each x2 with noise of its own.
    sigma = linear(x1, x2 + a, x1, x2 + b, x1, x2)
    arguments = sigma, [[0, 1], [2, 3]], [4, 5]
    result = union_information(*arguments)
    assert (result.value, result.lower, result.certified) == (np.inf, np.inf, True)
    assert gk_synergy(*arguments) == pytest.approx(half)
    assert ci_synergy(*arguments, unit="nats") == pytest.approx((1 - np.log(2)) / 2)
    assert list(pid(*arguments)["broja"].values()) == pytest.approx([np.inf, 0, 0, half])
    # Three read x3 with noise, two of them through what the first one tells exactly.
    y1, y2, y3, *n = np.eye(6)
    more = linear(y1, y2, y3 + n[0], y1 + y3 + n[1], y2 + y3 + n[2], y1, y2, y3)
    assert gk_synergy(more, [[0, 1, 2], [3], [4]], [5, 6, 7]) == pytest.approx(0.5)
    # In other coordinates, where that is true to rounding only.
    mixing = np.zeros((6, 6))
    for start in (0, 2, 4):
        mixing[start : start + 2, start : start + 2] = rng.normal(size=(2, 2))
    mixed = mixing @ sigma @ mixing.T
    assert mutual_information(mixed, *arguments[1:]) == np.inf
    assert gk_synergy(mixed, *arguments[1:]) == pytest.approx(half)
    # One knows x1 and something of the noise with which the other reads the sum of both.
    arguments = linear(x1, a + b, x1 + x2 + a, x1, x2), [[0, 1], [2]], [3, 4]
    assert gk_synergy(*arguments) == pytest.approx(half)
    assert pid(*arguments)["broja"]["unique_2"] == pytest.approx(0.5)
    # One knows x1; the other x2 with noise.
    atoms = pid(linear(x1, x2 + a, x1, x2), [[0], [1]], [2, 3])["broja"]
    assert list(atoms.values()) == pytest.approx([0, np.inf, 0.5, 0])
    # Only together do they know x1.
    arguments = linear(x1 + a, a, x1, x2 + b), [[0], [1]], [2, 3]
    assert [f(*arguments) for f in (mutual_information, gk_synergy, ci_synergy)] == [np.inf] * 3
    assert union_information(*arguments).value == pytest.approx(0.5)
    with pytest.raises(ValueError, match="difference of infinite numbers"):
        pid(linear(x1, x2, x1, x2), [[0], [1]], [2, 3])
    with pytest.raises(ValueError, match="overlap but are not the same"):
        ci_synergy(linear(x1, x2, x1, x1, x2), [[0, 1], [2]], [3, 4])


@pytest.mark.parametrize(
    ("sigma", "sources", "target", "message"),
    [
        ([[1, 2], [2, 1]], [[0]], [1], "positive semidefinite"),
        ([[1, 0.5], [0.4, 1]], [[0]], [1], "symmetric"),
        ([[np.nan, 0], [0, 1]], [[0]], [1], "NaN"),
        ([[-1, 0], [0, 1]], [[0]], [1], "negative variance"),
        ([[0, 1], [1, 1]], [[0]], [1], "variance 0"),
        ([["a"]], [[0]], [1], "real numbers"),
        (np.eye(3)[:2], [[0]], [1], "square"),
        (np.eye(3), [], [1], "at least one"),
        (np.eye(3), [[0], []], [1], r"sources\[1\] holds no"),
        (np.eye(3), [[0], [0]], [1], "must not share"),
        (np.eye(3), [[0]], [3], "from 0 to 2"),
        (np.eye(3), [[0]], [1], "two for a decomposition"),
    ],
)
def test_what_is_refused(sigma, sources, target, message):
    with pytest.raises(ValueError, match=message):
        pid(sigma, sources, target)


def test_too_many_dimensions_are_refused(rng):
    channels = [rng.normal(size=(60, 60)) for _ in range(3)]
    with pytest.raises(ValueError, match="too many dimensions"):
        least_information(channels)


def test_uncertified_values_say_so(rng, monkeypatch):
    monkeypatch.setattr("minsyn.information._least_information.MAX_ITER", 3)
    channels = [rng.normal(size=(4, 4)) for _ in range(2)]
    with pytest.warns(UserWarning, match="known only to"):
        result = union_information(covariance(*channels), *groups(*channels))
    assert not result.certified
    assert "NOT CERTIFIED" in repr(result)
    assert gaussian_vectors.CERTIFIED_GAP < result.gap == pytest.approx(result.upper - result.lower)


def test_independent_sources_tell_nothing():
    result = union_information(np.eye(6), [[0, 1], [2, 3]], [4, 5])
    assert (result.value, result.lower, result.certified) == (0, 0, True)
