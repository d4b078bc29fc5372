"""Measures from samples: against the exact ones, and what is promised around them."""

import warnings
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, false_discovery_control
from sklearn.metrics import mutual_info_score

from minsyn.information import (
    ConstantSourceWarning,
    ManyCategoriesWarning,
    NonlinearDependenceWarning,
    PairwiseStatistics,
    discrete,
    examples,
    gaussian,
    synergy,
)
from minsyn.information._bias import OccupiedCells, shrink
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES, names_of
from minsyn.information.sampled import discrete as tables
from minsyn.information.sampled import gaussian as normal
from minsyn.information.sampled import table as tables_of
from minsyn.information.sampled.discrete import DiscreteModel, least_synergistic
from minsyn.information.sampled.gaussian import GaussianModel
from minsyn.information.sampled.nonlinear import missed_targets
from minsyn.information.sampled.normal_scores import normal_scores
from minsyn.information.sampled.resampling import finite_mean, hull, shifted_interval


@pytest.fixture
def table(rng):
    z = rng.normal(size=(200, 3))
    x = np.column_stack([z.sum(axis=1) + rng.normal(size=200), z[:, 0] + rng.normal(size=200)])
    return z, x


def sampled(pmf, n, rng):
    """Samples of a pmf: sources, target."""
    cells = rng.choice(pmf.size, size=n, p=pmf.ravel())
    values = np.stack(np.unravel_index(cells, pmf.shape), axis=1)
    return values[:, :-1], values[:, -1]


def test_gaussian_plug_in_is_the_closed_form(table):
    statistics = PairwiseStatistics.of(*table)
    result = synergy(*table, bias_correction="none")
    for name in result.measures:
        expected = getattr(gaussian, name)(statistics.sigma, statistics.rho)
        np.testing.assert_allclose(result[name], expected, rtol=1e-12)


def test_discrete_plug_in_is_the_measure_of_the_observed_table(rng):
    z, x = sampled(rng.dirichlet(np.ones(18)).reshape(3, 2, 3), 100, rng)
    pmf = np.histogramdd(np.column_stack([z, x]), bins=(3, 2, 3))[0] / 100
    result = synergy(z, x, "discrete", bias_correction="none")
    for name in result.measures:
        expected = getattr(discrete, name)(pmf)
        expected = expected.value if name == "union_information" else expected
        assert result[name][0] == pytest.approx(expected, abs=1e-9), name


def test_a_batch_is_its_members(rng):
    pmfs = rng.dirichlet(np.full(24, 0.3), size=6).reshape(6, 2, 3, 2, 2)
    pmfs[0, 0] = 0
    pmfs[0] /= pmfs[0].sum()
    for name in names_of("discrete"):
        together = MEASURES[name].of(PmfBatch(pmfs))
        for i, p in enumerate(pmfs):
            alone = getattr(discrete, name)(p, unit="nats")
            alone = alone.value if name == "union_information" else alone
            assert together[i] == pytest.approx(alone, abs=2e-9), name


def test_exclusive_or_with_many_targets_of_several_sizes(rng):
    z = rng.integers(2, size=(400, 2))
    x = np.column_stack([z[:, 0] ^ z[:, 1], z[:, 0], z[:, 0] + 2 * z[:, 1], np.zeros(400, int)])
    result = synergy(z, x, "discrete", bias_correction="none", n_permutations=39, random_state=0)
    np.testing.assert_allclose(result["gk_synergy"], [1, 0, 0, 0], atol=0.02)
    np.testing.assert_allclose(result["mutual_information"], [1, 1, 2, 0], atol=0.02)
    assert result.p_values["mutual_information"].tolist() == [1 / 40] * 3 + [1]


def test_categories_in_any_type(rng):
    z = rng.integers(3, size=(150, 2))
    x = (z.sum(axis=1) > 2) ^ (rng.random(150) < 0.1)
    expected = synergy(z, x.astype(int), "discrete").values
    letters = pd.DataFrame(
        {
            "a": pd.Categorical(np.array(["u", "v", "w"])[z[:, 0]]),
            "b": z[:, 1].astype(float),
        }
    )
    target = pd.Series(np.where(x, "yes", "no"), name="answer")
    result = synergy(letters, target, "discrete")
    assert (result.sources, result.targets) == (("a", "b"), ("answer",))
    for name in result.measures:
        np.testing.assert_allclose(result[name], expected[name], atol=1e-9)
    nullable = pd.DataFrame(z, columns=["a", "b"]).astype("Int64")
    np.testing.assert_allclose(
        synergy(nullable, x, "discrete")["ci_synergy"], expected["ci_synergy"], atol=1e-9
    )


def test_names_and_units(table):
    z = pd.DataFrame(table[0], columns=["a", "b", "c"])
    x = pd.DataFrame(table[1], columns=["u", "v"])
    result = synergy(z, x, unit="nats")
    assert result.sources == ("a", "b", "c") and result.targets == ("u", "v")
    np.testing.assert_allclose(
        result["ci_synergy"] / np.log(2), synergy(*table)["ci_synergy"], rtol=1e-12
    )
    assert synergy(table[0][:, 0], table[1][:, 0]).targets == ("x",)
    assert synergy(table[0].tolist(), table[1].tolist()).sources == ("z0", "z1", "z2")


def test_copula_does_not_see_monotone_transforms(table):
    z, x = table
    bent = np.exp(z), np.column_stack([x[:, 0] ** 3, -1 / (1 + np.exp(-x[:, 1]))])
    for name, values in synergy(z, x, "copula").values.items():
        np.testing.assert_allclose(synergy(*bent, "copula")[name], values, atol=1e-12)


def test_tied_ranks_share_their_mean():
    scores = normal_scores(np.array([[3.0], [1.0], [3.0], [2.0]]))[:, 0]
    assert scores[0] == scores[2] and scores[1] < scores[3] < scores[0]


@pytest.mark.parametrize("m", [1, 4])
def test_wishart_correction_is_exact(rng, m):
    """The mean over small data sets is the true value, far from where plug-in ends."""
    sigma = 0.3 + 0.7 * np.eye(m)
    b = np.full(m, 0.6)  # x = b'z + noise
    rho = sigma @ b / np.sqrt(b @ sigma @ b + 1)
    names = ["mutual_information", "whole_minus_sum", "total_correlation"]
    values, plug_in = [], []
    for _ in range(80):
        z = rng.multivariate_normal(np.zeros(m), sigma, size=12)
        x = (z @ b)[:, None] + rng.normal(size=(12, 60))  # sixty targets with the same z
        result = synergy(z, x, measures=names)
        values.append([result[name].mean() for name in names])
        plug_in.append([result.uncorrected[name].mean() for name in names])
    for k, name in enumerate(names):
        mean, error = np.mean(values, axis=0)[k], np.std(values, axis=0)[k] / np.sqrt(80)
        truth = getattr(gaussian, name)(sigma, rho[:, None])[0]
        assert mean == pytest.approx(truth, abs=4 * error + 1e-12), name
        if m == 4 and name == "mutual_information":
            assert np.mean(plug_in, axis=0)[k] - truth > 6 * error


@pytest.mark.parametrize("method", ["jackknife", "miller-madow", "shrinkage"])
def test_corrections_of_tables_come_nearer_to_the_truth(rng, method):
    """Independent variables: the truth is 0."""
    z, x = rng.integers(3, size=(100, 2)), rng.integers(3, size=(100, 20))
    names = ["mutual_information"] + ["gk_synergy"] * (method != "miller-madow")
    plug_in = synergy(z, x, "discrete", measures=names, bias_correction="none")
    result = synergy(z, x, "discrete", measures=names, bias_correction=method)
    for name in names:
        assert abs(result[name].mean()) < plug_in[name].mean() / 3


def test_miller_madow_by_hand():
    counts = np.array([[[3, 0], [1, 2]], [[0, 0], [2, 2]]])[None]
    cells = OccupiedCells(counts)
    # Occupied: 5 cells of all, 3 of the sources, 2 of the target.
    assert cells.information[0] == pytest.approx((4 - 2 - 1) / 20)
    # Pairs: (z1, x) 4 cells, (z2, x) 3 cells.
    assert cells.alone[0] == pytest.approx(((3 - 1 - 1) + (2 - 1 - 1)) / 20)
    assert cells.total_correlation[0] == pytest.approx((4 - 1 - 1 - 1) / 20)


def test_miller_madow_serves_what_has_a_formula_and_the_jackknife_the_rest(rng):
    z, x = sampled(rng.dirichlet(np.ones(18)).reshape(3, 2, 3), 60, rng)
    found, by_jackknife = (
        synergy(z, x, "discrete", bias_correction=method, unit="nats")
        for method in ("miller-madow", "jackknife")
    )
    counts = np.histogramdd(np.column_stack([z, x]), bins=(3, 2, 3))[0].astype(int)[None]
    cells = OccupiedCells(counts)
    removed = {name: found.uncorrected[name] - found[name] for name in found.measures}
    assert removed.pop("mutual_information") == pytest.approx(cells.information)
    assert removed.pop("whole_minus_sum") == pytest.approx(cells.information - cells.alone)
    assert removed.pop("total_correlation") == pytest.approx(cells.total_correlation)
    for name in removed:
        assert found[name] == pytest.approx(by_jackknife[name], abs=1e-12), name


def test_shrinkage_is_hausser_and_strimmers():
    """Their intensity on counts (4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1), from Eq. 6 cell by cell."""
    counts = np.array([4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1])
    p = counts / counts.sum()
    lam = (p * (1 - p)).sum() / (18 * ((1 / 11 - p) ** 2).sum())
    np.testing.assert_allclose(shrink(counts[None])[0], lam / 11 + (1 - lam) * p)
    assert shrink(np.array([[5, 5]]))[0].tolist() == [0.5, 0.5]


def test_intervals_cover(rng):
    """90% intervals of the information hold the truth in about that share of data sets."""
    truth, covered = 0.5 * np.log2(2), []
    for seed in range(20):
        z = rng.normal(size=150)
        x = z[:, None] + rng.normal(size=(150, 10))
        options = {"n_bootstrap": 60, "confidence": 0.9, "random_state": seed}
        result = synergy(z, x, measures="mutual_information", **options)
        low, high = result.intervals["mutual_information"].T
        assert (low < result["mutual_information"]).all()
        assert (result["mutual_information"] < high).all()
        covered.append((low <= truth) & (truth <= high))
    assert 0.8 < np.mean(covered) < 0.97


@pytest.mark.parametrize("model", ["gaussian", "discrete"])
def test_intervals_are_cut_at_the_least_value_of_each_measure(rng, model):
    """Redundant sources: negative whole minus sum; a target of noise: the others near 0."""
    z = rng.integers(2, size=200)
    x = np.column_stack([z ^ (rng.random(200) < 0.1), rng.integers(2, size=200)])
    sources = np.column_stack([z ^ (rng.random(200) < 0.1), z])
    result = synergy(sources.astype(int), x, model, n_bootstrap=30, random_state=0)
    for name, interval in result.intervals.items():
        assert (interval.min() < 0) == (name == "whole_minus_sum"), name
    assert result.intervals["gk_synergy"][1, 0] == 0


def test_p_values_are_uniform_under_the_null(rng):
    z, x = rng.normal(size=(60, 2)), rng.normal(size=(60, 200))
    names = ["gk_synergy", "ci_synergy"]
    result = synergy(z, x, measures=names, n_permutations=99, null="independence", random_state=1)
    for name in result.measures:
        p = result.p_values[name]
        assert abs((p <= 0.2).mean() - 0.2) < 0.08
        np.testing.assert_array_equal(result.q_values[name], false_discovery_control(p))
        assert result.q_values[name].min() > 0.05


def test_what_a_correction_made_negative_is_explained_and_has_no_star(rng):
    measured = synergy(*rng.normal(size=(2, 40, 3)), n_permutations=1, random_state=0)
    zeros = {name: np.zeros(3) for name in measured.measures}
    result = replace(measured, q_values=zeros)
    gk, signed = result["gk_synergy"], "whole_minus_sum"
    assert gk.min() < 0 and result[signed].min() < 0
    np.testing.assert_array_equal(result.significant("gk_synergy"), gk > 0)
    assert result.significant(signed).all()
    rows = repr(result).splitlines()[-3:]
    for i, row in enumerate(rows):
        cell = row.split()[1 + result.measures.index("gk_synergy")]
        assert cell.endswith("***") == (gk[i] > 0) and not cell.startswith("-")
    assert any(note.startswith("negative ") and "GK synergy" in note for note in result.notes())
    assert (result.shown("gk_synergy") == np.maximum(result["gk_synergy"], 0)).all()
    assert (result.shown("whole_minus_sum") == result["whole_minus_sum"]).all()
    assert not any("negative" in note for note in replace(result, values=zeros).notes())
    with pytest.raises(ValueError, match="n_permutations"):
        replace(measured, q_values=None).significant("gk_synergy")


@pytest.mark.parametrize(("model", "options"), [("copula", {}), ("discrete", {"bins": 2})])
def test_random_state_decides(table, model, options):
    def run(seed, **counts):
        names = ["gk_synergy", "ci_synergy"]
        return synergy(*table, model, measures=names, random_state=seed, **counts, **options)

    both = run(3, n_bootstrap=8, n_permutations=9)
    again = run(3, n_bootstrap=8, n_permutations=9)
    alone = run(3, n_permutations=9)
    for name in both.measures:
        np.testing.assert_array_equal(both.intervals[name], again.intervals[name])
        np.testing.assert_array_equal(both.p_values[name], alone.p_values[name])
    assert run(np.random.default_rng(3), n_bootstrap=8).intervals is not None


@pytest.mark.parametrize("binning", ["equal-frequency", "equal-width"])
def test_discretisation_is_stated(table, binning):
    z = np.column_stack([table[0][:, 0], np.arange(200) % 3])
    result = synergy(z, table[1], "discrete", bins=4, binning=binning, measures="s_max")
    assert result.discretisation == f"z0 in 4 {binning} bins; x0, x1 in 4 {binning} bins"
    assert result.discretisation in repr(result)


def test_numbers_in_columns_of_objects_are_numbers(rng):
    """Independent data: as categories, each number would tell its sample and so the target."""
    z, x = rng.normal(size=(60, 1)), rng.integers(2, size=60)
    expected = synergy(z, x, "discrete", bins=3)
    money = np.array([Decimal(repr(float(v))) for v in z[:, 0]])
    mixed = pd.DataFrame({"z": z[:, 0]}).astype(object)
    for same in (z.astype(object), money, mixed):
        found = synergy(same, x, "discrete", bins=3)
        assert found["mutual_information"] == expected["mutual_information"]
        assert synergy(same, x)["ci_synergy"] == synergy(z, x)["ci_synergy"]
        with pytest.raises(ValueError, match=r"is continuous, and model='discrete' needs"):
            synergy(same, x, "discrete")
    with pytest.raises(ValueError, match="infinite"):
        synergy(np.append(z[:-1], [[np.inf]], axis=0).astype(object), x)
    with pytest.raises(ValueError, match="1 missing values"):
        synergy(np.append(z[:-1].astype(object), [[None]], axis=0), x)


def test_what_is_taken_for_categories_is_said(rng):
    z = pd.DataFrame({"city": rng.choice(["a", "b", "c"], size=60), "id": np.arange(60)})
    x = pd.Series(rng.integers(2, size=60), name="x")
    names = ["mutual_information"]
    with pytest.warns(ManyCategoriesWarning, match=r"Z\['id'\] \(60\) have about as many"):
        result = synergy(z, x, "discrete", measures=names)
    assert result.categories == "city (3), id (60), x (2)"
    assert "categories: city (3), id (60), x (2)" in result.notes()
    with warnings.catch_warnings():  # whole numbers can be binned too
        warnings.simplefilter("error")
        binned = synergy(z, x, "discrete", measures=names, bins=4)
        synergy(np.arange(4), np.arange(4), "discrete", measures=names)  # every state once
    assert binned.discretisation == "id in 4 equal-frequency bins"
    assert binned.categories == "city (3), x (2)" and synergy(x, x).categories == ""


def test_equal_frequency_bins_are_invariant_to_monotone_transforms(table):
    z, x = table
    names = ["mutual_information", "ci_synergy"]
    a = synergy(z, x, "discrete", bins=3, measures=names)
    b = synergy(np.exp(z), x**3, "discrete", bins=3, measures=names)
    for name in names:
        np.testing.assert_allclose(a[name], b[name], atol=1e-12)


def test_frame(table):
    result = synergy(*table, n_bootstrap=5, n_permutations=4, random_state=0)
    frame = result.to_frame()
    assert list(frame.columns) == [
        "target", "measure", "value", "uncorrected", "low", "high", "p_value", "q_value", "null",
    ]  # fmt: skip
    wide = frame.pivot(index="target", columns="measure", values="value")
    np.testing.assert_array_equal(wide["gk_synergy"], result["gk_synergy"])
    row = frame[(frame.target == "x1") & (frame.measure == "ci_synergy")].iloc[0]
    assert (row.low, row.high) == tuple(result.intervals["ci_synergy"][1])
    assert list(synergy(*table).to_frame().columns)[-1] == "uncorrected"


def test_repr(rng):
    z, x = rng.normal(size=(50, 2)), rng.normal(size=(50, 12))
    text = repr(synergy(z, x, n_bootstrap=9, n_permutations=9, random_state=0))
    assert "gaussian model, 50 samples, 2 sources, 12 targets; bits" in text
    assert "wishart" in text and "95% bootstrap" in text and "... and 2 more" in text
    assert "-0.0000" not in text


def test_plot(rng):
    z, x = rng.normal(size=(50, 2)), rng.normal(size=(50, 40))
    x[:, 3] = z[:, 0]
    figure = synergy(z, x, n_bootstrap=9, n_permutations=9, random_state=0).plot(max_targets=5)
    axes = figure.get_axes()
    assert [a.get_title() for a in axes][:2] == ["mutual information", "union information"]
    assert len(axes) == 6 and len(axes[0].get_yticks()) == 5
    assert "35 targets" in figure.get_supxlabel()
    figure.canvas.draw()


def test_target_that_is_a_source(table):
    result = synergy(table[0], table[0], n_bootstrap=5, n_permutations=9, random_state=0)
    assert np.isinf(result["mutual_information"]).all()
    assert (result["gk_synergy"] <= 0.02).all()
    for values in (*result.values.values(), *result.intervals.values()):
        assert not np.isnan(values).any()


def test_constant_target(table):
    x = np.column_stack([table[1], np.full(200, 7.3)])
    for model, options in (("gaussian", {}), ("copula", {}), ("discrete", {"bins": 3})):
        result = synergy(table[0], x, model, n_permutations=9, random_state=0, **options)
        for name in ("mutual_information", "union_information", "gk_synergy", "ci_synergy"):
            assert result[name][-1] == pytest.approx(0, abs=1e-12)
            assert result.p_values[name][-1] == 1


@pytest.mark.parametrize(
    ("model", "options"), [("gaussian", {}), ("copula", {}), ("discrete", {"bins": 3})]
)
def test_constant_sources_change_no_value_and_are_named(table, model, options):
    z, x = table
    names = [name for name in names_of(model) if name != "imin_redundancy"]
    options |= {"measures": names, "n_bootstrap": 5, "n_permutations": 9, "random_state": 0}
    without = synergy(z, x, model, **options)
    dead = np.column_stack([np.full(200, 0.1), z, np.ones(200)])
    with pytest.warns(ConstantSourceWarning, match="2 of 5 sources are constant.*: z0, z4"):
        result = synergy(dead, x, model, **options)
    assert result.constant_sources == ("z0", "z4") and without.constant_sources == ()
    assert "constant, and so tell nothing: z0, z4" in repr(result)
    for name in names:
        for found in ("values", "intervals", "p_values"):
            np.testing.assert_allclose(
                getattr(result, found)[name], getattr(without, found)[name], atol=1e-9
            )
    assert result.best_source.tolist() == (without.best_source + 1).tolist()


def test_where_no_source_varies_nothing_is_told(table):
    with pytest.warns(ConstantSourceWarning):
        result = synergy(np.ones((200, 2)), table[1], n_permutations=9, random_state=0)
    assert result.means == dict.fromkeys(names_of("gaussian"), 0.0)
    assert result.best_source.tolist() == [-1, -1]


def test_best_source_and_weighted_means(rng):
    z = rng.normal(size=(500, 3))
    x = np.column_stack([z[:, 2], z[:, 0] + z[:, 1], np.full(500, 2.5)])
    x[:, :2] = 3 * x[:, :2] + rng.normal(size=(500, 2))
    result = synergy(z, x)
    assert result.best_source.tolist()[::2] == [2, -1] and result.best_source[1] in (0, 1)
    np.testing.assert_allclose(result.variances, x.var(axis=0), atol=1e-12)
    for name, values in result.values.items():
        mean = (values @ x.var(axis=0)) / x.var(axis=0).sum()
        assert result.means[name] == pytest.approx(mean)
        assert result.sums[name] == pytest.approx(values.sum())
    ranks = synergy(z, np.exp(x), "copula")
    np.testing.assert_allclose(ranks.variances[0], ranks.variances[1], rtol=1e-12)
    equal = synergy(z > 0, x > 1, "discrete")
    assert equal.means["s_max"] == pytest.approx(equal["s_max"].mean())


def test_a_constant_target_has_no_weight_even_where_a_measure_is_infinite(table):
    z, _ = table
    x = np.column_stack([z[:, 0], np.ones(200)])
    means = synergy(np.column_stack([z, z[:, 1]]), x, bias_correction="none").means
    # The copied source has an infinite total correlation about the constant, too.
    assert means["mutual_information"] == means["total_correlation"] == np.inf
    assert means["gk_synergy"] == 0


def test_few_samples_are_pointed_out(rng):
    Z, X = rng.normal(size=(12, 6)), rng.normal(size=(12, 2))
    result = synergy(Z, X, bias_correction="none")
    bias = result.sampling_bias["mutual_information"][0]
    assert f"bias of small samples: {bias:.4f} bits in a target's mutual information" in repr(
        result
    )
    assert "(not subtracted)" in repr(result) and "(subtracted)" in repr(synergy(Z, X))
    many = rng.normal(size=(2000, 2))
    assert synergy(many, many.sum(axis=1) + rng.normal(size=2000)).notes() == []
    # It is a small share of much information.
    assert synergy(Z[:, :2], Z[:, 0] + Z[:, 1] + 1e-3 * X[:, 0]).notes() == []


def test_copied_source_counts_once(table):
    z, x = table
    names = ["mutual_information", "union_information", "gk_synergy"]
    once = synergy(z, x, measures=names)
    twice = synergy(np.column_stack([z, z[:, 0]]), x, measures=names)
    for name in names:
        np.testing.assert_allclose(twice.uncorrected[name], once.uncorrected[name], atol=1e-10)
    np.testing.assert_allclose(twice["mutual_information"], once["mutual_information"])
    np.testing.assert_allclose(twice["gk_synergy"], once["gk_synergy"], atol=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z, x: {"Z": np.where(z > 2, np.nan, z)}, r"Z\['z.'\] has .* NaN or infinite"),
        (lambda z, x: {"X": np.where(x > 2, np.inf, x)}, r"X\['x.'\] has .* NaN or infinite"),
        (lambda z, x: {"Z": z[:-1]}, "same samples; found 199 and 200"),
        (lambda z, x: {"Z": z[:0], "X": x[:0]}, "empty"),
        (lambda z, x: {"X": x[:, :0]}, "empty"),
        (lambda z, x: {"Z": z[:, :, None]}, "shape"),
        (lambda z, x: {"Z": z[:4], "X": x[:4]}, "4 samples of 3 sources"),
        (lambda z, x: {"model": "discrete"}, r"Z\['z0'\] is continuous.*bins="),
        (lambda z, x: {"Z": np.arange(200).astype(str)}, "does not hold numbers"),
        (lambda z, x: {"bins": 3}, "discrete"),
        (lambda z, x: {"groups": [0, 1]}, "one label for each of the 3 columns"),
        (lambda z, x: {"groups": [0, 1, np.nan]}, "groups holds missing labels"),
        (lambda z, x: {"groups": [0, 1, 1], "model": "discrete", "bins": 2}, "groups need model"),
        (lambda z, x: {"model": "discrete", "bins": 1}, "at least 2"),
        (lambda z, x: {"measures": "s_max"}, "measures of model='gaussian'"),
        (lambda z, x: {"measures": []}, "found none"),
        (lambda z, x: {"bias_correction": "miller-madow"}, "wishart, jackknife"),
        (lambda z, x: {"confidence": 1.0}, "between 0 and 1"),
        (lambda z, x: {"n_bootstrap": -1}, "at least 0"),
        (lambda z, x: {"Z": pd.DataFrame(z, columns=["a", "a", "b"])}, "several columns named 'a'"),
        (lambda z, x: {"Z": pd.DataFrame({"a": [None, *"ab" * 99, "a"]})}, "missing"),
        (lambda z, x: {"Z": np.array([None, *"ab" * 99, "a"]), "model": "discrete"}, "missing"),
        (lambda z, x: {"Z": np.arange(200).astype("M8[D]")}, "unsupported type"),
        (lambda z, x: {"Z": np.argsort(z, axis=0) // 2, "model": "discrete", "bins": 99}, "cells"),
    ],
)  # fmt: skip
def test_bad_input(table, change, message):
    z, x = table
    with pytest.raises(ValueError, match=message):
        synergy(**({"Z": z, "X": x} | change(z, x)))


def test_and_gate_from_samples(rng):
    z, x = sampled(examples.and_gate(), 20_000, rng)
    result = synergy(z, x, "discrete")
    assert result["gk_synergy"][0] == pytest.approx(0.5, abs=0.02)
    assert result["ci_synergy"][0] == pytest.approx(0.10375937, abs=0.01)


@pytest.mark.parametrize("model", ["gaussian", "copula", "discrete"])
def test_null_distributions_have_no_synergy_and_keep_what_each_source_tells(rng, model):
    z = rng.integers(3, size=(400, 3))
    x = ((z[:, 0] + z[:, 1] + (rng.random(400) < 0.3)) % 3)[:, None]
    if model == "discrete":
        fitted = DiscreteModel(z, x, (3, 3, 3), (3,), ("gk_synergy",))
        (p,) = least_synergistic(fitted._tables(fitted._states(), [0]))
        assert discrete.gk_synergy(p) < 1e-6
        observed = fitted._tables(fitted._states(), [0])[0] / 400
        if np.allclose(p.sum(axis=-1), observed.sum(axis=-1)):  # q(x | z) with the observed z
            assert (p.reshape(-1, 3).sum(axis=1) > 0).any()
        else:
            for j in range(3):
                others = tuple({0, 1, 2} - {j})
                np.testing.assert_allclose(p.sum(axis=others), observed.sum(axis=others))
        return
    noise = rng.normal(size=(400, 3))
    fitted = GaussianModel(z + noise, x + noise[:, :1], ("gk_synergy",), None, model == "copula")
    b, sources = fitted._regression_on_best(), fitted.moments.sources
    rho = sources.sigma @ b  # what the best source predicts correlates as much with all others
    assert gaussian.gk_synergy(sources.sigma, rho)[0] < 1e-9 < fitted.values()["gk_synergy"][0]
    k = sources.best[0]
    assert rho[k] == pytest.approx(sources.rho[k])


def test_the_null_of_each_measure_is_told(table):
    names = ["mutual_information", "gk_synergy", "ci_synergy"]
    result = synergy(*table, measures=names, n_permutations=9, random_state=0)
    expected = dict(zip(names, ("independence", "no GK synergy", "no CI synergy"), strict=True))
    assert dict(result.null) == expected
    assert "null of the p-values: independence (mutual_information); no GK" in repr(result)
    frame = result.to_frame().set_index("measure").null
    assert frame[frame.index == "ci_synergy"].tolist() == ["no CI synergy"] * 2
    old = synergy(*table, measures=names, n_permutations=9, null="independence", random_state=0)
    assert set(old.null.values()) == {"independence"}
    assert old.p_values["mutual_information"] == pytest.approx(
        result.p_values["mutual_information"]
    )
    assert synergy(*table).null == {}


def test_one_source_that_tells_all_is_no_synergy(rng):
    """... but is dependence; sources that tell in combination are synergy."""
    z = rng.normal(size=(200, 3))
    x = np.column_stack([z[:, 0], z[:, 0] + z[:, 1]]) + rng.normal(size=(200, 2))
    for model, options in (("gaussian", {}), ("copula", {}), ("discrete", {"bins": 2})):
        options |= {"measures": ["gk_synergy", "ci_synergy"], "n_permutations": 99}
        p = synergy(z, x, model, random_state=0, **options).p_values
        assert p["gk_synergy"][0] > 0.05 > p["gk_synergy"][1], model
        if model != "discrete":
            assert p["ci_synergy"][0] > 0.05 > p["ci_synergy"][1], model
            independence = synergy(z, x, model, null="independence", random_state=0, **options)
            assert independence.p_values["ci_synergy"].max() < 0.05


def test_correlated_sources_of_an_independent_target_are_no_ci_synergy(rng):
    z = rng.normal(size=(100, 1)) + rng.normal(size=(100, 3))
    x = rng.normal(size=(100, 40))
    options = {"measures": "ci_synergy", "n_permutations": 39, "random_state": 0}
    assert (synergy(z, x, **options).p_values["ci_synergy"] <= 0.05).mean() < 0.15


@pytest.mark.parametrize("model", ["gaussian", "copula", "discrete"])
def test_resamples_do_not_depend_on_the_size_of_batches(table, model, monkeypatch):
    z, x = table
    names = ("gk_synergy", "ci_synergy")
    if model == "discrete":
        z, x = (z > 0).astype(int), (x > 0.5).astype(int)
        fitted = DiscreteModel(z, x, (2, 2, 2), (2, 2), names)
    else:
        fitted = GaussianModel(z, x, names, None, model == "copula")
    draws = {
        "bootstrap": lambda rng: (fitted.bootstrap(7, rng),),
        "independent": lambda rng: (fitted.independent(7, rng),),
        "gk": lambda rng: fitted.without_gk_synergy(7, rng),
        "ci": lambda rng: fitted.without_ci_synergy(7, rng),
    }
    together = {name: draw(np.random.default_rng(5)) for name, draw in draws.items()}
    for module in (normal, tables):
        monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 1)
    for name, draw in draws.items():
        for one, all_at_once in zip(draw(np.random.default_rng(5)), together[name], strict=True):
            for measure in names:
                np.testing.assert_allclose(one[measure], all_at_once[measure], atol=1e-6)
    if model != "discrete":  # the same rows, by the closed form
        rows = np.random.default_rng(5).integers(200, size=(7, 200))
        again = replace(fitted, z=z[rows[3]], x=x[rows[3]]).values()
        for measure in names:
            stack = together["bootstrap"][0][measure]
            np.testing.assert_allclose(stack[3], again[measure], rtol=1e-9)


@pytest.mark.parametrize("bins", [2, 3, 4])
def test_bins_never_part_ties_and_are_the_same_for_minus_z(rng, bins):
    zeros = np.concatenate([np.zeros(800), np.arange(200) + 0.5])
    for z in (zeros, zeros[300:], rng.integers(6, size=97) + 0.5):
        codes = tables_of.as_codes(tables_of.as_table(z, "Z"), bins, "equal-frequency").codes[:, 0]
        mirrored = tables_of.as_codes(tables_of.as_table(-z, "Z"), bins, "equal-frequency")
        np.testing.assert_array_equal(codes.max() - codes, mirrored.codes[:, 0])
        for value in np.unique(z):
            assert len(set(codes[z == value])) == 1
    odd = rng.normal(size=401)
    codes = tables_of._bin_numbers(odd, bins, "equal-frequency")
    assert np.ptp(np.bincount(codes)) <= 1 and codes.max() == bins - 1
    # All that the bins can tell about z > 0.
    result = synergy(zeros, zeros > 0, "discrete", bins=bins, bias_correction="none")
    assert result["mutual_information"][0] == pytest.approx(0.7219, abs=1e-4)
    told = f"z in 2 equal-frequency bins (asked for {bins};"
    assert (told in repr(result)) == (bins > 2)


def test_rows_of_pandas_objects_are_paired_by_index(rng):
    z = pd.DataFrame(rng.normal(size=(100, 2)), columns=["a", "b"])
    x = (z.a + z.b + rng.normal(size=100)).rename("x")
    expected = synergy(z, x)["mutual_information"]
    np.testing.assert_array_equal(synergy(z, x.sample(frac=1))["mutual_information"], expected)
    np.testing.assert_array_equal(synergy(z, x.to_numpy())["mutual_information"], expected)
    with pytest.raises(ValueError, match=r"different indices.*set_axis"):
        synergy(z, x.set_axis(np.arange(100) + 1))


def test_an_interval_by_hand():
    """Percentiles, shifted by the bias twice: replicates 1 to 100 of 40, about a value of 50."""
    interval = shifted_interval(
        np.array([50.0]), np.arange(1.0, 101)[:, None], np.array([40.0]), 0.85, -np.inf,
        10**9, np.array([1]),
    )  # fmt: skip
    np.testing.assert_allclose(interval, [[8 - 50.5 + 50 - 10.5, 93 - 50.5 + 50 - 10.5]])
    assert finite_mean(np.array([[np.inf, 3, 1], [np.inf, np.inf, 2]])).tolist() == [0, 3, 1.5]
    one = np.array([[1.0, 2]])
    assert hull(one, np.array([[0.0, 1.5]])).tolist() == [[0, 2]]


@pytest.mark.parametrize("model", ["gaussian", "copula"])
def test_what_a_gaussian_model_is_blind_to_is_warned_of(rng, model):
    z = rng.normal(size=(300, 2))
    x = np.column_stack([z.sum(axis=1), z[:, 0] * z[:, 1]]) + 0.3 * rng.normal(size=(300, 2))
    with pytest.warns(NonlinearDependenceWarning, match=r"about x1 \(Gaussian 0\.0.*bins=4"):
        synergy(z, x, model, measures="gk_synergy")


def test_linear_dependence_and_none_are_not_warned_of(rng):
    for m in (1, 2, 4):
        z = rng.standard_t(4, size=(150, m))
        x = np.column_stack([z.sum(axis=1, keepdims=True), np.zeros((150, 20))])
        assert missed_targets(z, x + rng.normal(size=x.shape), np.zeros(21))[1:] == []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            synergy(z, x + rng.normal(size=x.shape), measures="mutual_information")


def test_p_values_of_synergy_are_about_synergy(rng):
    """One source tells all: few of many targets are called synergistic, and nearly all of sums."""
    z = rng.normal(size=(200, 2))
    noise = rng.normal(size=(200, 300))
    one = synergy(z, 0.75 * z[:, :1] + noise, n_permutations=99, random_state=0)
    assert one.null["gk_synergy"] == "no GK synergy"
    assert np.mean(one.p_values["gk_synergy"] <= 0.05) < 0.11
    about_nothing = synergy(
        z, 0.75 * z[:, :1] + noise, n_permutations=99, null="independence", random_state=0
    )
    assert np.mean(about_nothing.p_values["gk_synergy"] <= 0.05) > 0.15
    both = synergy(z, z @ [[0.6], [0.6]] + noise[:, :50], n_permutations=99, random_state=0)
    assert np.mean(both.p_values["gk_synergy"] <= 0.05) > 0.9


def test_what_bins_tell_is_the_information_of_quarters(rng):
    """Less the largest that chance gives: 2 N I is chi-squared of 9 degrees of freedom."""
    z = rng.normal(size=300)
    x = z**2 + 0.1 * rng.normal(size=300)
    (found,) = missed_targets(z[:, None], x[:, None], np.zeros(1))
    quarters = [pd.qcut(a, 4, labels=False) for a in (z, x)]
    assert found.nats == pytest.approx(mutual_info_score(*quarters) - chi2.isf(1e-7, 9) / 600)
    assert (found.target, found.bins) == (0, 4)
    known = np.array([found.nats - 0.06, found.nats - 0.04])
    both = missed_targets(z[:, None], np.column_stack([x, x]), known)
    assert [one.target for one in both] == [0]  # of the second, only 0.04 nats are missed


def test_the_bias_of_whole_minus_sum_is_that_of_its_parts(rng):
    z = rng.integers(3, size=(40, 3))
    x = z.sum(axis=1) % 3 + rng.integers(2, size=40)
    options = {"model": "discrete", "bias_correction": "miller-madow"}
    names = ["mutual_information", "whole_minus_sum"]
    whole, found = (synergy(z, x, measures=names, **options)[name] for name in names)
    alone = [synergy(one, x, measures=names[:1], **options)[names[0]] for one in z.T]
    np.testing.assert_allclose(found, whole - np.sum(alone, axis=0))


def test_the_null_of_equal_sources_has_a_channel_for_every_observed_combination():
    """The minimiser copies the one to the other; unlike values need the channel of potentials."""
    counts = np.zeros((1, 2, 2, 2), dtype=int)
    counts[0, ..., 0], counts[0, ..., 1] = [[80, 24], [24, 12]], [[6, 12], [12, 40]]
    (member,) = least_synergistic(counts)
    np.testing.assert_allclose(member.sum(axis=-1), counts[0].sum(axis=-1) / counts.sum())
    assert discrete.gk_synergy(member) < 1e-5


def test_long_lists_are_cut_and_zeros_have_no_sign(rng):
    z = pd.DataFrame(rng.normal(size=(60, 7)), columns=list("abcdefg"))
    x = rng.normal(size=60)
    text = synergy(z[["a", "b"]], x, "discrete", bins=2, measures="mutual_information")
    assert "a, b in 2" in str(text)
    found = tables_of.listed(list("abcdef")), tables_of.listed(list("abcde"))
    assert found == ("a, b, c, d, e and 1 more", "a, b, c, d, e")
    interval = {"mutual_information": np.array([[-0.0004, 0.12345]])}
    assert "[0.000, 0.123]" in repr(replace(text, intervals=interval))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries_keep_their_names(library, table):
    library = pytest.importorskip(library)
    z, x = table
    frame = {"a": z[:, 0], "b": z[:, 1]}
    make = library.DataFrame if hasattr(library, "DataFrame") else library.table
    result = synergy(make(frame), make({"t": x[:, 0]}))
    assert (result.sources, result.targets) == (("a", "b"), ("t",))
    same = synergy(z[:, :2], x[:, :1])
    np.testing.assert_array_equal(result["gk_synergy"], same["gk_synergy"])
    with pytest.raises(ValueError, match="column 'a' has 1 missing values"):
        synergy(make({"a": [1, 2, None]}), make({"t": [1, 2, 3]}))
