"""Atoms from samples: against those of distributions, their sums, bias and intervals."""

import numpy as np
import pytest

from minsyn.information import (
    ConstantSourceWarning,
    PairwiseStatistics,
    discrete,
    gaussian,
    pid,
    synergy,
    synergy_from_statistics,
)
from minsyn.information._bias import OccupiedCells
from minsyn.information._gaussian_sources import GaussianSources
from minsyn.information._wishart import information_bias
from minsyn.information.measures import MEASURES
from minsyn.information.sampled.models import of_ties

ASKED = ("mutual_information", "atoms", "source_information", "o_information")


@pytest.fixture
def table(rng):
    z = rng.normal(size=(120, 2)) @ [[1.0, 0.4], [0.0, 1.0]]
    return z, z @ [[0.6, 0.5, 0.0], [0.3, 0.5, 0.0]] + rng.normal(size=(120, 3))


def test_atoms_of_tables_are_those_of_pid(rng):
    z, x = rng.integers(3, size=(90, 2)), rng.integers(2, size=90)
    x[:60] = z[:60].max(axis=1) > 1
    result = synergy(z, x, "discrete", measures=ASKED, bias_correction="none")
    pmf = np.histogramdd(np.column_stack([z, x]), bins=(3, 3, 2))[0] / 90
    expected = pid(pmf, "broja")["broja"]
    for name, theirs in (
        ("redundancy", "redundancy"),
        ("unique_information[z0]", "unique_1"),
        ("unique_information[z1]", "unique_2"),
        ("gk_synergy", "synergy"),
    ):
        assert result[name][0] == pytest.approx(expected[theirs], abs=1e-8), name
    for j, alone in enumerate(discrete.source_informations(pmf)):
        assert result[f"source_information[z{j}]"][0] == pytest.approx(alone)
    assert result["o_information"][0] == pytest.approx(discrete.o_information(pmf))


@pytest.mark.parametrize(
    ("model", "correction"),
    [("gaussian", "wishart"), ("copula", "jackknife"), ("discrete", "jackknife")],
)
def test_corrected_atoms_of_two_sources_sum_to_the_information(table, model, correction):
    z, x = (a > 0 for a in table) if model == "discrete" else table
    result = synergy(z, x, model, measures=ASKED, bias_correction=correction)
    for values in (result.values, result.uncorrected):
        unique = [values[f"unique_information[z{j}]"] for j in (0, 1)]
        total = values["redundancy"] + sum(unique) + values["gk_synergy"]
        np.testing.assert_allclose(total, values["mutual_information"], atol=1e-8)
        for j in (0, 1):
            alone = values[f"source_information[z{j}]"]
            np.testing.assert_allclose(values["redundancy"] + unique[j], alone, atol=1e-8)
        # Of three variables the O-information is minus the whole minus the sum.
    whole_minus_sum = synergy(z, x, model, measures="whole_minus_sum", bias_correction=correction)[
        "whole_minus_sum"
    ]
    np.testing.assert_allclose(result["o_information"], -whole_minus_sum, atol=1e-8)


def test_unique_and_redundant_information_of_many_sources(rng):
    """Of Gaussian sources only the best one tells something that no other does."""
    z = rng.normal(size=(80, 4))
    x = z @ rng.normal(size=(4, 3)) + rng.normal(size=(80, 3))
    result = synergy(z, x, measures=["atoms", "source_information"], bias_correction="none")
    alone = np.stack([result[f"source_information[z{j}]"] for j in range(4)])
    unique = np.stack([result[f"unique_information[z{j}]"] for j in range(4)])
    ordered = np.sort(alone, axis=0)
    np.testing.assert_allclose(result["redundancy"], ordered[0])
    expected = np.where(alone == ordered[-1], ordered[-1] - ordered[-2], 0.0)
    np.testing.assert_allclose(unique, expected, atol=1e-12)
    three = synergy(z > 0, x > 0, "discrete", measures="atoms", bias_correction="none")
    assert "redundancy" not in three.measures and "gk_synergy" in three.measures
    counts = np.histogramdd(np.column_stack([z > 0, x[:, 0] > 0]).astype(int), bins=(2,) * 5)[0]
    u = [discrete.union_information(p / 80).value for p in (counts, counts.sum(axis=1))]
    assert three["unique_information[z1]"][0] == pytest.approx(u[0] - u[1], abs=1e-8)


def test_gaussian_o_information(rng):
    """Against that of sets of variables, singular ones and vector sources included."""
    mixed = rng.normal(size=(5, 8)) @ rng.normal(size=(8, 8))
    for c in (mixed @ mixed.T, np.array([[1, 1, 0.6], [1, 1, 0.6], [0.6, 0.6, 1]])):
        r = c / np.sqrt(np.outer(np.diag(c), np.diag(c)))
        m = len(r) - 1
        expected = gaussian.multiplet_information(r, m + 1, unit="nats").o_information
        sources = GaussianSources.of(r[:m, :m], r[:m, m:])
        np.testing.assert_allclose(MEASURES["o_information"].of(sources), expected, atol=1e-12)
        stack = GaussianSources.stack(np.stack([r[:m, :m]] * 2), np.stack([r[:m, m:]] * 2))
        np.testing.assert_allclose(MEASURES["o_information"].of(stack)[1], expected, atol=1e-12)
    r = mixed @ mixed.T
    r /= np.sqrt(np.outer(np.diag(r), np.diag(r)))
    groups = (np.array([0, 2]), np.array([1]), np.array([3]))
    blocks = [*groups, np.array([4])]
    log_det = [np.linalg.slogdet(r[np.ix_(b, b)])[1] for b in blocks]
    others = [np.setdiff1d(np.arange(5), b) for b in blocks]
    log_det_others = [np.linalg.slogdet(r[np.ix_(b, b)])[1] for b in others]
    expected = sum(log_det) - sum(log_det_others) + 2 * np.linalg.slogdet(r)[1]
    sources = GaussianSources.of(r[:4, :4], r[:4, 4:], groups)
    assert MEASURES["o_information"].of(sources)[0] == pytest.approx(expected / 2)
    # A copy within a vector source changes nothing.
    twice = np.array([0, 0, 1, 2])
    copied = GaussianSources.of(
        r[np.ix_(twice, twice)], r[twice, 4:], (np.array([0, 1]), np.array([2]), np.array([3]))
    )
    once = GaussianSources.of(r[:3, :3], r[:3, 4:])
    np.testing.assert_allclose(
        *(MEASURES["o_information"].of(sources) for sources in (copied, once)), atol=1e-9
    )


def test_bias_of_atoms_of_unequal_sources_is_that_of_their_informations(table):
    """Where it is clear which source is the best, nothing is chosen."""
    z = np.column_stack([table[0], np.random.default_rng(0).normal(size=(120, 1))])
    x = z @ [[4.0], [0.5], [0.2]] + table[1][:, 2:]
    result = synergy(z[:, [2, 0]], x, measures=ASKED, unit="nats")
    expected = information_bias(120, 1)
    bias = {name: result.uncorrected[name] - result[name] for name in result.measures}
    assert bias["source_information[z0]"] == pytest.approx(expected)
    assert bias["redundancy"] == pytest.approx(expected, rel=1e-3)
    assert bias["unique_information[z1]"] == pytest.approx(0, abs=1e-5)
    assert bias["o_information"] == pytest.approx(2 * expected - information_bias(120, 2))


def test_bias_of_the_redundancy_of_equal_sources_is_mostly_taken_off(rng):
    z = rng.normal(size=(40, 3))
    x = z @ np.full((3, 400), 0.8) + rng.normal(size=(40, 400))
    truth = -0.5 * np.log2(1 - 0.64 / 2.92)
    result = synergy(z, x, measures="redundancy")
    plug_in, corrected = (
        abs(v["redundancy"].mean() - truth) for v in (result.uncorrected, result.values)
    )
    assert corrected < 0.6 * plug_in


def test_miller_madow_of_sources_and_o_information_by_hand():
    cells = OccupiedCells(np.array([[[3, 0], [1, 2]], [[0, 0], [2, 2]]])[None])
    assert cells.alone_of(0)[0] == pytest.approx((4 - 1 - 2 + 1 - 2 + 1) / 20)
    # H(z1) + H(z2) + H(x) - H(pairs) + H(all): less one, 1, 1, 1, 2, 3, 2 and 4.
    assert cells.o_information[0] == pytest.approx((-1 - 1 - 1 + 2 + 3 + 2 - 4) / 20)
    full = OccupiedCells(np.ones((1, 2, 2, 2, 2), dtype=int))
    assert full.o_information[0] == pytest.approx((4 * (7 - 1) - 2 * 15) / 32)


def test_values_where_the_choice_might_have_been_another():
    """Of sources that tell 5, 4 and 1, the first two may be the best, and the last is the worst."""
    alone = np.array([[5.0], [4.0], [1.0]])
    tied = np.array([[[True], [True], [False]], [[False], [True], [True]]])
    unique = {
        f"unique_information[{j}]": np.array([max(u, 0.0)]) for j, u in enumerate((1, -1, -4))
    }
    values = unique | {"union_information": 5.0, "gk_synergy": 2.0, "redundancy": np.array([1.0])}
    found = {name: float(v[0]) for name, v in of_ties(values, alone, tied).items()}
    assert [found[name] for name in unique] == [1, -1, -4]
    assert (found["union_information"], found["gk_synergy"], found["redundancy"]) == (4.5, 2.5, 2.5)


def test_intervals_and_p_values_of_atoms(table):
    options = {"n_bootstrap": 15, "n_permutations": 19, "random_state": 0}
    z, x = table
    for model in ("gaussian", "discrete"):
        data = (z > 0, x > 0) if model == "discrete" else (z, x)
        result = synergy(*data, model, measures=ASKED, **options)
        for name in result.measures:
            low, high = result.intervals[name].T
            assert (low <= high).all() and (low.min() >= 0 or name == "o_information")
            assert (low <= np.maximum(result.uncorrected[name], 0) + 0.05).all()
        assert result.p_values["source_information[z0]"][0] == 0.05
        assert result.null["unique_information[z0]"] == "independence"
        assert "unique_information[z1]" in repr(result) and len(result.to_frame()) == 24
    # Two equal sources: the interval of each unique information holds 0.
    equal = synergy(z[:, :1] + np.random.default_rng(1).normal(size=(120, 2)), z[:, :1], **options,
                    measures="unique_information")  # fmt: skip
    assert max(v[0, 0] for v in equal.intervals.values()) == 0


def test_names_groups_and_constant_sources(table):
    z, x = table
    statistics = PairwiseStatistics.of(z, x)
    found = synergy_from_statistics(statistics, sources=["a", "b"], measures="atoms",
                                    bias_correction="wishart")  # fmt: skip
    same = synergy(z, x, measures=["atoms"])
    for name in found.measures:
        renamed = name.replace("[a]", "[z0]").replace("[b]", "[z1]")
        np.testing.assert_allclose(found[name], same[renamed], atol=1e-12)
    vectors = synergy(np.column_stack([z, z[:, 0] ** 2]), x, groups=["u", "v", "u"], measures=ASKED)
    assert "unique_information[u]" in vectors.measures
    dead = np.column_stack([np.ones(120), z])
    with pytest.warns(ConstantSourceWarning):
        result = synergy(dead, x, measures=[*ASKED, "union_information"])
    assert result["redundancy"].tolist() == [0, 0, 0]
    for name in ("unique_information[z{}]", "source_information[z{}]"):
        assert (result[name.format(0)] == 0).all()
    alone = synergy(z, x, measures=ASKED)
    for name in ("unique_information[z1]", "source_information[z1]", "o_information"):
        shifted = name.replace("z1", "z2")
        np.testing.assert_allclose(result[shifted], alone[name], atol=1e-9)


def test_a_source_that_is_the_target(table):
    z, _ = table
    result = synergy(z, z[:, :1], measures=ASKED, n_bootstrap=5, random_state=0)
    assert result["unique_information[z0]"][0] == np.inf == result["source_information[z0]"][0]
    assert np.isfinite(result["redundancy"][0]) and result["unique_information[z1]"][0] == 0
    for values in (*result.values.values(), *result.intervals.values()):
        assert not np.isnan(values).any()


@pytest.mark.parametrize(
    ("columns", "model", "measures", "message"),
    [
        ([0], "gaussian", "redundancy", "at least two sources"),
        ([0], "gaussian", "atoms", "at least two sources"),
        ([0, 1, 1], "discrete", "redundancy", "two sources, found 3.*pid"),
        ([0, 1], "nearest-neighbors", "atoms", "union information, which"),
        ([0, 1], "gaussian", "source_information[z0]", "or 'all' or 'atoms'; found 'source"),
    ],
)
def test_bad_input(table, columns, model, measures, message):
    z, x = (a > 0 for a in table) if model == "discrete" else table
    with pytest.raises(ValueError, match=message):
        synergy(z[:, columns], x, model, measures=measures)
