"""Bias from sampling, that of choosing the best source included."""

import numpy as np
import pytest

from minsyn.information import _wishart, gaussian, synergy
from minsyn.information._gaussian_sources import GaussianSources
from minsyn.information._wishart import drawn, information_bias, union_bias
from minsyn.information.measures import MEASURES, names_of


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
