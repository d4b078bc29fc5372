"""Nearest-neighbour informations: against scikit-learn, closed forms and integrals."""

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_regression

from minsyn.information import synergy
from minsyn.information.sampled.neighbors import neighbor_information

MODEL = "nearest-neighbors"


def test_one_dimension_is_scikit_learns(rng):
    z = rng.normal(size=400)
    x = z**2 + 0.5 * rng.normal(size=400)
    for k in (3, 6):
        found = synergy(z, x, MODEL, unit="nats", measures="mutual_information", n_neighbors=k)
        expected = mutual_info_regression(z[:, None], x, n_neighbors=k, random_state=0)
        assert found["mutual_information"] == pytest.approx(expected, abs=1e-6)


def test_two_dimensions_sample_by_sample(rng):
    """Counts by all distances, in a loop."""
    from scipy.special import digamma

    z, x, k = rng.normal(size=(60, 2)), rng.normal(size=60), 4
    found = neighbor_information(z, x, k)
    for t in range(60):
        of_z, of_x = np.abs(z - z[t]).max(axis=1), np.abs(x - x[t])
        both = np.maximum(of_z, of_x)
        radius = np.sort(np.delete(both, t))[k - 1]
        n_z, n_x = ((np.delete(a, t) < radius).sum() for a in (of_z, of_x))
        expected = digamma(k) + digamma(60) - digamma(n_z + 1) - digamma(n_x + 1)
        assert found[t] == pytest.approx(expected)


def test_gaussian_values(rng):
    z = rng.normal(size=(3000, 2))
    x = np.column_stack([z.sum(axis=1), z[:, 0]]) + rng.normal(size=(3000, 2))
    result = synergy(z, x, MODEL)
    whole, one = 0.5 * np.log2(3), 0.5 * np.log2(3 / 2)
    assert result["mutual_information"] == pytest.approx([whole, 0.5], abs=0.06)
    assert result["whole_minus_sum"] == pytest.approx([whole - 2 * one, 0], abs=0.07)
    assert result.best_source[1] == 0


def test_what_a_product_tells(rng):
    """X = Z1 Z2 + e, of which Gaussian models see nothing. The truth by an integral."""
    z, noise = rng.normal(size=(3000, 2)), 0.5
    result = synergy(z, z[:, 0] * z[:, 1] + noise * rng.normal(size=3000), MODEL)
    node, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    std, x = np.hypot(node, noise), np.linspace(-12, 12, 4001)
    p = (weight / std * np.exp(-0.5 * (x[:, None] / std) ** 2)).sum(axis=1) / np.sqrt(2 * np.pi)
    h = -np.trapezoid(p * np.log2(p), x)
    whole = h - 0.5 * np.log2(2 * np.pi * np.e * noise**2)
    alone = h - weight @ (0.5 * np.log2(2 * np.pi * np.e * std**2))
    assert result["mutual_information"][0] == pytest.approx(whole, abs=0.07)
    assert result["interaction_information"][0] == pytest.approx(whole - 2 * alone, abs=0.1)


def test_interaction_of_three_is_an_alternating_sum(rng):
    z = rng.normal(size=(200, 3))
    x = z.prod(axis=1) + z[:, 0] + 0.3 * rng.normal(size=200)
    names = ["mutual_information", "interaction_information"]
    found = synergy(z, x, MODEL, measures=names)
    expected = 0.0
    for chosen in ([0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]):
        one = synergy(z[:, chosen], x, MODEL, measures=names[:1])[names[0]][0]
        expected += (-1) ** (3 - len(chosen)) * one
    assert found["interaction_information"][0] == pytest.approx(expected, abs=1e-6)
    vector = synergy(z, x, MODEL, groups=[0, 0, 1], measures=names)
    assert vector["mutual_information"] == pytest.approx(found["mutual_information"])


def test_p_values_intervals_and_series(rng):
    z = rng.normal(size=(150, 2))
    x = np.column_stack([z[:, 0] * z[:, 1], rng.normal(size=150)]) + 0.3 * rng.normal(size=(150, 2))
    options = {"n_permutations": 39, "n_bootstrap": 50, "random_state": 0}
    result = synergy(z, x, MODEL, **options)
    assert set(result.null.values()) == {"independence"}
    assert (
        result.p_values["mutual_information"][0] == 1 / 40 < result.q_values["whole_minus_sum"][1]
    )
    low, high = result.intervals["mutual_information"].T
    assert low[0] > 0.3 and low[1] == 0 < high[1]
    later = synergy(z[:-1], x[1:], MODEL, lag=1, block_length=4, **options)
    assert later.p_values["mutual_information"].min() > 1 / 40


def test_constants_tell_nothing(rng):
    z = np.column_stack([rng.normal(size=80), np.ones(80)])
    x = np.column_stack([z[:, 0] + rng.normal(size=80), np.zeros(80)])
    with pytest.warns(match="1 of 2 sources are constant"):
        result = synergy(z, x, MODEL)
    assert result["mutual_information"][1] == result["whole_minus_sum"][0] == 0


@pytest.mark.parametrize(
    ("z", "options", "message"),
    [
        (np.arange(4.0), {}, "more than 4 samples, and preferably hundreds; found 4"),
        (np.arange(50) % 5, {}, r"Z\['z'\] has 5 different values in 50 samples.*discrete"),
        (np.arange(50.0), {"n_neighbors": 0}, "n_neighbors must be a whole number of at least 1"),
        (np.arange(50.0), {"measures": "gk_synergy"}, "measures of model='nearest-neighbors' are"),
        (np.arange(50.0), {"bias_correction": "jackknife"}, "one of none"),
        (np.arange(50.0).astype(str), {}, "does not hold numbers"),
        (np.arange(550.0).reshape(50, 11), {}, "of 11 sources needs all combinations"),
    ],
)
def test_bad_input(z, options, message):
    with pytest.raises(ValueError, match=message):
        synergy(z, np.arange(len(z)) ** 2.0, MODEL, **options)


def test_each_measure_finds_the_informations_that_it_needs(rng):
    """Whole minus sum by itself, though no other measure asks for the sources alone."""
    z = rng.normal(size=(100, 2))
    x = z.sum(axis=1) + rng.normal(size=100)
    (found,) = synergy(z, x, MODEL, measures="whole_minus_sum")["whole_minus_sum"]
    whole, *alone = (
        synergy(part, x, MODEL, measures="mutual_information")["mutual_information"][0]
        for part in (z, z[:, :1], z[:, 1:])
    )
    assert found == pytest.approx(whole - sum(alone), abs=1e-6)
    own = synergy(z, x, MODEL, measures="source_information")
    assert [own[f"source_information[z{j}]"][0] for j in range(2)] == pytest.approx(alone, abs=1e-6)


def test_independent_series_are_shifted_and_not_permuted(rng):
    """Two random walks seem to tell much about each other, and permuted ones nothing."""
    z, x = rng.normal(size=(2, 150)).cumsum(axis=1)
    options = {"measures": "mutual_information", "n_permutations": 39, "random_state": 0}
    assert synergy(z, x, MODEL, **options).p_values["mutual_information"] == 1 / 40
    assert synergy(z, x, MODEL, lag=0, **options).p_values["mutual_information"] > 0.05
