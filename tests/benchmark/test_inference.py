import itertools
import json

import numpy as np
import pytest
from scipy.stats import rankdata

from minsyn.benchmark import (
    benchmark_table,
    bootstrap_interval,
    compare,
    comparison_note,
    comparison_table,
    holm,
    least_p_value,
    summarise,
    summary_frame,
    summary_json,
)

METHODS = ("minsyn-gaussian", "pca", "ica", "denoising")


def cells_of(cell, losses):
    """Cells whose test losses are the columns' of a table with a row for each draw."""
    return [
        cell(key, draw, test_loss=float(loss))
        for draw, row in enumerate(losses)
        for key, loss in zip(METHODS, row, strict=False)
    ]


def signed_rank_by_enumeration(differences):
    """Share of all sign patterns whose statistic is as far from its mean as what was seen."""
    ranks = rankdata(np.abs(differences))
    signs = np.array(list(itertools.product([0, 1], repeat=len(differences))))
    sums = signs @ ranks
    seen = ranks[differences > 0].sum()
    return np.mean(np.abs(sums - ranks.sum() / 2) >= abs(seen - ranks.sum() / 2))


@pytest.mark.parametrize("n", [2, 5, 6, 9])
def test_p_values_are_those_of_all_sign_patterns(cell, rng, n):
    losses = np.column_stack([rng.normal(50, 5, n), rng.normal(54, 5, n)])
    found = compare(cells_of(cell, losses), METHODS[:2])
    (test,) = (test for test in found if test.score == "test_loss")
    differences = losses[:, 1] - losses[:, 0]
    expected = signed_rank_by_enumeration(differences) if n > 5 else np.nan
    assert test.p_value == pytest.approx(expected, nan_ok=True)
    assert (test.draws, test.difference) == (n, pytest.approx(differences.mean()))
    assert test.interval == bootstrap_interval(differences)


def test_holm_is_applied_over_the_methods_of_each_score(cell, rng):
    losses = rng.normal([50, 53, 60, 50], 3, size=(8, 4))
    found = compare(cells_of(cell, losses), METHODS)
    tests = {test.key: test for test in found if test.score == "test_loss"}
    p = sorted(test.p_value for test in tests.values())
    by_hand = [3 * p[0], max(3 * p[0], 2 * p[1]), max(3 * p[0], 2 * p[1], p[2])]
    assert sorted(test.p_holm for test in tests.values()) == pytest.approx(np.minimum(by_hand, 1))
    assert {test.p_holm for test in found if test.score == "acc"} == {1.0}  # all the same


def test_holm_keeps_the_family_wise_rate(rng):
    """Under the null every twentieth family at most has a false alarm, and no correction more."""
    p = rng.random((4000, 6))
    alarms = np.array([holm(row).min() < 0.05 for row in p])
    assert 0.035 < alarms.mean() < 0.06
    assert np.mean(p.min(axis=1) < 0.05) > 0.2


def test_holm_of_nothing_and_one():
    assert holm(np.array([])).tolist() == []
    assert holm(np.array([0.2])).tolist() == [0.2]


def test_interval_covers_the_mean_as_often_as_it_says(rng):
    samples = rng.normal(50, 5, size=(150, 20))
    covered = [low < 50 < high for low, high in map(bootstrap_interval, samples)]
    assert 0.87 < np.mean(covered) < 0.99


def test_intervals_at_the_edges(rng):
    assert bootstrap_interval(np.array([])) is None
    assert bootstrap_interval(np.array([1.0])) is None
    assert bootstrap_interval(np.array([1.0, np.nan, 2.0])) is None
    assert bootstrap_interval(np.full(4, 3.5)) == (3.5, 3.5)
    low, high = bootstrap_interval(np.array([1.0, 2.0]))
    assert 1 <= low < high <= 2
    values = rng.normal(size=7)
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_draws_that_one_method_lacks_are_left_out(cell):
    results = [cell("pca", draw, test_loss=60.0 + draw) for draw in (0, 1, 2, 5)]
    results += [cell("minsyn-gaussian", draw, test_loss=50.0) for draw in (1, 2, 3)]
    (test,) = (t for t in compare(results, ["pca"]) if t.score == "test_loss")
    assert (test.draws, test.difference) == (2, 11.5)


def test_rounding_is_no_difference(cell):
    results = [cell("pca", d, test_loss=50.0 + d) for d in range(12)]
    results += [cell("ica", d, test_loss=50 + d - 1e-4) for d in range(12)]
    assert {test.p_value for test in compare(results, ["ica"], "pca")} == {1.0}


def test_nan_and_missing_reference(cell):
    results = [cell("pca", d, acc=float("nan")) for d in range(3)]
    assert compare(results, ["pca"]) == []
    results += [cell("minsyn-gaussian", d) for d in range(3)]
    (test,) = (t for t in compare(results, ["pca", "ica"]) if t.score == "acc")
    assert test.draws == 0 and np.isnan(test.difference) and test.interval is None
    assert "| – |" in comparison_table(summarise(results), compare(results, ["pca"]))


@pytest.mark.parametrize("n", [1, 3, 5, 6, 7, 9])
def test_p_values_that_could_not_be_small_are_nowhere(tiny, cell, rng, n):
    """Whatever the data, no p-value is below the bound that the note names."""
    losses = np.arange(n)[:, None] + np.array([0.0, 40.0, 80.0, 120.0]) + rng.random((n, 4))
    results = cells_of(cell, losses)
    rows, tests = summarise(results), compare(results, METHODS)
    least = least_p_value(n, 3)
    corrected = [test.p_holm for test in tests]
    frame = summary_frame(rows, tests)
    table, text = comparison_table(rows, tests), benchmark_table(rows, tiny(), comparisons=tests)
    if least < 0.05:
        assert min(corrected) == pytest.approx(least)
        assert "| p |" in table and "**" in table and "no difference can be" not in text
        return
    assert np.isnan(corrected).all() and frame.p_holm.isna().all()
    assert frame.p_value.isna().all() == (n < 6)  # a single test of six draws can be at 1/32
    assert "| p |" not in table and table.splitlines()[2].count("|") == 5
    assert "no difference can be significant" in text and "with 7 draws it can" in text
    scores = json.loads(summary_json(frame, tiny()))["scores"]
    assert {score["p_holm"] for score in scores} == {None}


def test_fewer_draws_of_one_method_hide_only_its_p_values(cell, rng):
    """Holm's correction of the least significant is by 1: six draws suffice beside others."""
    results = cells_of(cell, rng.normal([50, 60, 70, 80], 1, size=(9, 4)))
    for draws, shown in ((6, True), (5, False)):
        some = [r for r in results if r.method != "ica" or r.draw < draws]
        tests = [t for t in compare(some, METHODS) if t.score == "test_loss"]
        assert {t.key: not np.isnan(t.p_holm) for t in tests} == {
            "pca": True,
            "ica": shown,
            "denoising": True,
        }
        assert ("left out where" in comparison_note([], tests)) != shown


def test_files_carry_all_digits(tiny, cell, rng):
    losses = rng.normal(50, 5, size=(4, 4))
    results = cells_of(cell, losses)
    rows, tests = summarise(results), compare(results, METHODS)
    frame = summary_frame(rows, tests).set_index(["method", "score"])
    pca = frame.loc["pca", "test_loss"]
    assert pca["mean"] == losses[:, 1].mean()
    assert pca["difference"] == pytest.approx((losses[:, 1] - losses[:, 0]).mean())
    assert np.isnan(frame.loc["minsyn-gaussian", "test_loss"]["p_holm"])
    record = json.loads(summary_json(frame.reset_index(), tiny()))
    assert record["settings"]["letters"] and len(record["scores"]) == 4 * 6
    assert record["scores"][0]["p_holm"] is None
