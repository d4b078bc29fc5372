"""Bias from sampling, that of choosing the best source included."""

import numpy as np
import pytest

from minsyn.information import _wishart, gaussian, synergy
from minsyn.information._gaussian_sources import GaussianSources
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information._wishart import Choice, drawn, drawn_bias, information_bias, union_bias
from minsyn.information.measures import MEASURES, names_of
from minsyn.information.sampled.discrete import DiscreteModel
from minsyn.information.sampled.gaussian import GaussianModel
from minsyn.information.sampled.models import near_best, of_ties
from minsyn.information.sampled.normal_scores import expected_correlation, normal_scores
from minsyn.information.sampled.selection import Informations, Selection, selected


def test_one_source_has_the_bias_of_its_information(rng):
    noise = rng.normal(size=(50, 1, 3))
    found = union_bias(np.full((1, 3), 0.4), noise, np.array([0.01]))
    np.testing.assert_allclose(found, 0.01, atol=1e-12)


def test_of_equal_sources_the_largest_noise_is_added(rng):
    noise = rng.normal(size=(200, 3, 1))
    noise -= noise.mean(axis=0)
    tied = np.array([[1.0], [0.9], [1.1]])  # apart by less than their noise
    found = union_bias(tied, tied + noise, np.zeros(3))
    assert found[0] == pytest.approx(noise.max(axis=1).mean())
    apart = np.array([[1.0], [0.9], [30.0]])
    assert union_bias(apart, apart + noise, np.zeros(3))[0] == pytest.approx(0, abs=1e-12)


def test_draws_have_the_moments_of_the_wishart_distribution(monkeypatch):
    """Informations exceed those of the member by the exact bias."""
    sigma, rho = np.array([[1, 0.5], [0.5, 1]]), np.array([[0.6], [-0.3]])
    monkeypatch.setattr(_wishart, "_MOST_DRAWS", 20_000)
    ((_, member, draws),) = drawn(GaussianSources.of(sigma, np.repeat(rho, 4, axis=1)), 30)
    whole = MEASURES["mutual_information"]
    found = whole.of(draws).mean() - whole.of(member).mean()
    assert found == pytest.approx(information_bias(30, 2), rel=0.06)


def test_draws_of_copies_are_copies():
    sigma = np.array([[1, 0.5, 1], [0.5, 1, 0.5], [1, 0.5, 1]])
    ((_, _, draws),) = drawn(GaussianSources.of(sigma, np.array([[0.6], [-0.3], [0.6]])), 30)
    np.testing.assert_allclose(draws.sigma[:, 0, 2], 1)
    np.testing.assert_allclose(draws.rho[:, 0], draws.rho[:, 2])


def test_correction_of_equal_sources(rng):
    """Plug-in union information is far too large; corrected, no more than a third of that."""
    rho = np.full(6, 0.35)
    truth = gaussian.union_information(np.eye(6), rho[:, None])[0]
    plug_in, corrected = [], []
    for _ in range(12):
        z = rng.normal(size=(80, 6))
        x = (z @ rho)[:, None] + np.sqrt(1 - rho @ rho) * rng.normal(size=(80, 40))
        result = synergy(z, x, measures=["union_information", "gk_synergy"])
        plug_in.append(result.uncorrected["union_information"].mean() - truth)
        corrected.append(result["union_information"].mean() - truth)
    assert abs(np.mean(corrected)) < np.mean(plug_in) / 3


@pytest.mark.parametrize("groups", [None, (np.array([0, 2]), np.array([1]), np.array([3]))])
def test_stacks_are_their_members(rng, groups):
    """Also where sources are copies, or determine a target, alone or together."""
    samples = rng.normal(size=(6, 40, 6))
    samples[2, :, 1] = samples[2, :, 0]
    samples[3, :, 4] = samples[3, :, 1]
    samples[4, :, 5] = samples[4, :, 1] + samples[4, :, 2]
    r = np.stack([np.corrcoef(one.T) for one in samples])
    sigma, rho = r[:, :4, :4], r[:, :4, 4:]
    for chosen in (slice(None), slice(0, 2)):  # with and without what needs care
        stack = GaussianSources.stack(sigma[chosen], rho[chosen], groups)
        for name in names_of("gaussian"):
            together = MEASURES[name].of(stack)
            for one, s, c in zip(together, sigma[chosen], rho[chosen], strict=True):
                alone = MEASURES[name].of(GaussianSources.of(s, c, groups))
                np.testing.assert_allclose(one, alone, atol=1e-12)


def near_one(rng, n_targets):
    """Fifty samples of two sources that correlate .95 and .9 with each target, .8 with each other.

    Monotone transforms of Gaussian variables.
    """
    sigma, rho = np.array([[1, 0.8], [0.8, 1]]), np.array([0.95, 0.9])
    weights = np.linalg.solve(sigma, rho)
    z = rng.multivariate_normal(np.zeros(2), sigma, size=50)
    noise = np.sqrt(1 - rho @ weights) * rng.normal(size=(50, n_targets))
    return np.exp(z), (z @ weights)[:, None] + noise


def test_ranks_lose_correlation(rng):
    z = rng.normal(size=(50, 400))
    x = 0.95 * z + np.sqrt(1 - 0.95**2) * rng.normal(size=z.shape)
    scores = [normal_scores(a) for a in (z, x)]
    of_ranks = (scores[0] * scores[1]).sum(axis=0) / (scores[0] ** 2).sum(axis=0)
    of_values = np.array([np.corrcoef(*pair)[0, 1] for pair in zip(z.T, x.T, strict=True)])
    lost = 0.95 - expected_correlation(np.array(0.95), 50)
    assert (of_values - of_ranks).mean() == pytest.approx(lost, rel=0.15)
    assert expected_correlation(np.array(1 - 1e-15), 50) == pytest.approx(1, abs=1e-14)


def test_the_correction_of_a_copula_knows_the_noise_of_ranks(rng):
    """Of .26 bit that ranking takes off, no more than a third is left; intervals hold the truth."""
    names = ["mutual_information", "ci_synergy"]
    truth = dict(zip(names, (2.26881, 0.08664), strict=True))
    wrong, held = {name: [] for name in names}, {name: [] for name in names}
    for seed in range(12):
        result = synergy(
            *near_one(rng, 20), "copula", measures=names, n_bootstrap=100, random_state=seed
        )
        for name in names:
            both = result.uncorrected[name], result[name]
            wrong[name].append([(v - truth[name]).mean() for v in both])
            low, high = result.intervals[name].T
            held[name].append(((low <= truth[name]) & (truth[name] <= high)).mean())
    for name in names:
        plug_in, corrected = np.abs(np.mean(wrong[name], axis=0))
        assert plug_in > 0.015 and corrected < plug_in / 2, name
        assert np.mean(held[name]) > 0.85, name


def test_ties_have_no_noisy_ranks(rng):
    """Scores of categories, and what they determine, are corrected as Gaussian variables are."""
    z = np.eye(3)[rng.integers(3, size=60)][:, :2]
    x = np.column_stack([z @ [2.0, 1.0], z @ [2.0, 1.0] + rng.normal(size=60)])
    copula = synergy(z, x, "copula", n_bootstrap=20, random_state=0)
    scores = synergy(normal_scores(z), normal_scores(x), n_bootstrap=20, random_state=0)
    for name, v in copula.values.items():
        np.testing.assert_allclose(v, scores[name], atol=1e-9)
    z = np.column_stack([rng.normal(size=60)] * 2)  # copies, and a target that they determine
    x = np.column_stack([z[:, 0], z[:, 0] + rng.normal(size=60), x[:, 0]])
    result = synergy(np.exp(z), x, "copula", n_bootstrap=20, random_state=0)
    assert result["mutual_information"][0] == np.inf and result["total_correlation"][1] == np.inf
    assert np.isfinite(result["gk_synergy"]).all()
    for interval in result.intervals.values():
        assert not np.isnan(interval).any()


def conditionally_independent(m, noise):
    """Pmf of m bits that are a fair bit with noise, and this bit."""
    z = np.indices((2,) * (m + 1))
    return np.prod([np.where(z[j] == z[m], 1 - noise, noise) for j in range(m)], axis=0) / 2


def drawn_from(pmf, n, rng):
    cells = np.unravel_index(rng.choice(pmf.size, n, p=pmf.ravel()), pmf.shape)
    return np.stack(cells[:-1], axis=1), cells[-1]


def test_influences_have_the_covariance_of_informations(rng):
    pmf = rng.dirichlet(np.ones(18)).reshape(2, 3, 3)
    of_value = PmfBatch(rng.multinomial(3000, pmf.ravel(), size=2000).reshape(-1, 2, 3, 3) / 3000)
    z, x = drawn_from(pmf, 200_000, rng)
    found = Informations.of(z, x, (2, 3), 3, np.zeros((2, 3)), 3000.0)
    np.testing.assert_allclose(found.of_value, PmfBatch(pmf[None]).by_value[:, 0], atol=0.004)
    for k in range(4):
        drawn = of_value.by_value[..., k] if k < 3 else of_value.alone
        expected = np.cov(drawn)
        np.testing.assert_allclose(
            found.covariance[k], expected, atol=0.15 * np.abs(expected).max()
        )


def test_what_measures_select():
    """By hand: two sources that tell .3 and .1, .1 and .2 nats of two values."""
    of_value = np.array([[0.3, 0.1], [0.1, 0.2]])
    bias = np.array([[0.01, 0.02], [0.04, 0.08]])
    certain = Informations(of_value, bias, np.zeros((3, 2, 2)), np.ones(2, bool))
    expected = {
        "union_information": (0.4, 0.03),
        "gk_synergy": (-0.4, -0.03),
        "unique_information[0]": (0.4 - 0.3, 0.03 - 0.12),
        "unique_information[1]": (0.4 - 0.4, 0.03 - 0.03),
        "imin_redundancy": (0.1 + 0.1, 0.04 + 0.02),
        "s_max": (-0.3 - 0.2, -0.01 - 0.08),
    }
    for name, (value, its_bias) in expected.items():
        selection = selected(name)
        assert selection.of(of_value[:, None])[0] == pytest.approx(value), name
        assert selection.bias(certain) == pytest.approx(its_bias), name
    # The larger of two independent errors of 1 is 1 / sqrt(pi) on average.
    noisy = Informations(of_value, bias, np.tile(np.eye(2), (3, 1, 1)), np.ones(2, bool))
    larger = Selection(1).bias(noisy) - 0.03
    assert larger == pytest.approx(1 / np.sqrt(np.pi), abs=0.12)
    assert Selection(1, least=True).bias(noisy) == pytest.approx(0.12 - larger, abs=0.06)


def test_discrete_correction_of_equal_sources(rng):
    """GK synergy of three equal sources is .023 bit too small; the jackknife finds it too large."""
    pmf, bias = conditionally_independent(3, 0.25), []
    for _ in range(5):
        z, _ = drawn_from(pmf, 200, rng)
        given = pmf[tuple(z.T)]
        x = (rng.random((200, 20)) < (given[:, 1] / given.sum(axis=1))[:, None]).astype(int)
        result = synergy(z, x, "discrete", measures="gk_synergy")
        bias.append((result.uncorrected["gk_synergy"] - result["gk_synergy"]).mean())
    assert -0.03 < np.mean(bias) < -0.006


@pytest.mark.parametrize(("below", "added"), [(1.1, 0.5), (1.3, 0.0)])
def test_informations_within_some_deviations_count_as_equal(below, added):
    """Of two, within sqrt(2 log 2) = 1.18 of them. The noise of the one is 1 or -1."""
    draws = np.array([[[1.0], [0.0]], [[-1.0], [0.0]]])
    alone, none = np.array([[5.0], [5.0 - below]]), np.zeros(2)
    assert union_bias(alone, draws, none, 1.0) == pytest.approx(added)
    assert union_bias(alone + 0.3, draws, none + 0.3, 1.0) == pytest.approx(added + 0.3)


def test_near_the_best_are_sources_whose_difference_varies(rng):
    """By the deviations of their difference from the best, and of no other."""
    n = 400
    influences = rng.normal(size=(3, n, 1))
    influences[1] = influences[0] + 0.01 * rng.normal(size=(n, 1))
    alone = np.array([[1.0], [0.95], [0.95]])
    found = near_best(alone, influences, np.array([float(n)]))
    assert found.ravel().tolist() == [True, False, True]


def test_more_categories_make_no_source_better(rng):
    """With the empirical distribution of the target, whatever the size of a source."""
    x = rng.integers(2, size=200)
    z = np.column_stack([x, rng.integers(16, size=200)])
    fitted = DiscreteModel(z, x[:, None], (2, 16), (2,), ("gk_synergy",))
    assert fitted._ties(0).tolist() == [[True, False], [False, True]]


def test_the_sign_of_a_target_changes_no_correction(rng):
    z = rng.normal(size=(40, 2))
    x = z.sum(axis=1) + rng.normal(size=40)
    one, other = (synergy(z, sign * x)["gk_synergy"] for sign in (1, -1))
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_values_of_tied_sources_by_hand():
    """Of eleven sources, of 0 to 1 bits, the best two are tied and the worst two."""
    alone = np.arange(11)[:, None] / 10
    tied = np.zeros((2, 11, 1), dtype=bool)
    tied[0, 9:] = tied[1, :2] = True
    changes = {
        "union_information": -0.05,
        "gk_synergy": 0.05,
        "redundancy": 0.05,
        "unique_information[10]": 0.0,
        "unique_information[1]": 0.1 - 1,
    }
    found = of_ties({name: np.array([2.0]) for name in changes}, alone, tied)
    for name, change in changes.items():
        assert found[name] == pytest.approx(2 + change), name


def test_a_target_that_a_source_determines_changes_no_bias_of_others():
    """Of two equal sources, the larger noise is added, whatever stands beside."""
    rho = np.array([[1.0, 0.5], [0.0, 0.5]])
    (bias,) = drawn_bias(GaussianSources.of(np.eye(2), rho), 30, [Choice((0, 1))])
    assert bias[0] == information_bias(30, 1)  # one source is the best for sure
    assert bias[1] > 3 * bias[0]


def test_intervals_of_a_copula_do_not_depend_on_the_units_of_the_target(rng):
    z, x = near_one(rng, 2)
    one, other = (
        synergy(z, a, "copula", measures="ci_synergy", n_bootstrap=10, random_state=0)
        for a in (x, np.exp(3 * x))
    )
    np.testing.assert_allclose(one.intervals["ci_synergy"], other.intervals["ci_synergy"])


def test_one_source_with_many_ties_is_enough_for_no_noisy_ranks(rng):
    z, x = rng.normal(size=(60, 2)), rng.normal(size=(60, 1))
    tied = np.column_stack([z[:, 0], z[:, 1] > 0])
    noisy = [GaussianModel(a, x, ("ci_synergy",), ranked=True)._noisy_ranks for a in (z, tied)]
    assert noisy[0].tolist() == [True] and noisy[1] is None


def test_intervals_also_hold_the_mean_of_tied_sources(rng):
    z = rng.normal(size=(100, 2))
    x = z.sum(axis=1, keepdims=True) + rng.normal(size=(100, 1))
    coins, side = (z > 0).astype(int), (x > 0).astype(int)
    for fitted in (
        GaussianModel(z, x, ("union_information",)),
        DiscreteModel(coins, side, (2, 2), (2,), ("union_information",)),
    ):
        ties = fitted.with_ties()
        assert ties.tied.all()  # neither is clearly better
        alone = fitted.alone()
        assert fitted.values()["union_information"] >= alone.max() - 1e-9
        assert ties.values()["union_information"] == pytest.approx(alone.mean(), rel=1e-6)
