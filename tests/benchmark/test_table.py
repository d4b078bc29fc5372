import numpy as np
import pytest

from minsyn.benchmark import Method, benchmark_table, best, results_frame, summarise


def lines(text):
    return {row.split(" | ")[0].strip("| "): row for row in text.splitlines() if row[:1] == "|"}


def test_mean_and_deviation_beside_the_paper_s(tiny, cell):
    results = [
        cell("pca", 0, train_loss=40.0, test_loss=90.0, acc=0.5),
        cell("pca", 1, train_loss=44.0, test_loss=91.0, acc=0.7),
        cell("ica", 0, train_loss=50.0, test_loss=80.0, acc=0.2),
        cell("ica", 1, train_loss=50.0, test_loss=80.0, acc=0.2),
    ]
    text = benchmark_table(summarise(results), tiny(), "minsyn benchmark --x")
    rows = lines(text)
    assert rows["PCA"] == (
        "| PCA | **42.00 ± 2.83** [40.00, 44.00] | 90.50 ± 0.71 [90.00, 91.00] "
        "| 0.600 ± 0.141 [0.500, 0.700] | 49.83 | 85.23 | 0.950 |"
    )
    assert rows["ICA"].startswith(
        "| ICA | 50.00 ± 0.00 [50.00, 50.00] | **80.00 ± 0.00** [80.00, 80.00] |"
    )
    assert list(rows).index("ICA") < list(rows).index("PCA")  # the paper's order
    for part in ("typewriter", "2 draws", "seed 0", "`minsyn benchmark --x`"):
        assert part in text
    assert "12.94" not in text


def test_one_draw_has_no_deviation(tiny, cell):
    text = benchmark_table(summarise([cell()]), tiny())
    assert "| PCA | 50.00 | 90.00 | 0.900 |" in text and "1 draw," in text
    assert "of the only draw" in text and "Made by" not in text


def test_paper_s_figures_for_minsyn_binary_are_called_unexplained(tiny, cell):
    text = benchmark_table(summarise([cell("minsyn-bernoulli")]), tiny())
    assert "12.94 / 48.12 / 0.558" in text and "unexplained" in text


def test_leaking_rows_are_said_to_leak_and_not_ranked(tiny, cell, own_method):
    leaking = Method("leaking", "Leaking", own_method.make, leaks=True)
    results = [cell("leaking", train_loss=1.0), cell("pca"), cell("ica", train_loss=60.0)]
    rows = summarise(results, [leaking])
    assert best(rows, "train_loss") == {"pca"}
    assert "leaks into its own reconstruction" in benchmark_table(rows, tiny())
    assert "leaks into" not in benchmark_table(rows[:2], tiny())


def test_equal_as_far_as_shown_are_all_best(cell):
    rows = summarise([cell("pca", train_loss=49.831), cell("ica", train_loss=49.829)])
    assert best(rows, "train_loss") == {"pca", "ica"}
    assert best(rows[:1], "train_loss") == set()


def test_what_a_reader_must_know_is_below_the_table(tiny, cell):
    results = [
        cell("pca", 0),
        cell("pca", 1),
        cell("ica", 0, converged=False, dead_factors=2, acc=float("nan")),
    ]
    text = benchmark_table(summarise(results), tiny())
    assert "Not all methods have 2 draws: ICA has 1." in text
    assert "Fits that did not converge: ICA in 1 of 1." in text
    assert "Factors without weight, left out of ACC: ICA 2." in text
    assert "| – |" in lines(text)["ICA"]


def test_csv_has_a_row_a_cell(cell):
    results = [cell("pca", 1), cell("minsyn-gaussian"), cell("pca", 0, n_iter=None)]
    frame = results_frame(results, seed=5)
    assert frame[["method", "draw"]].values.tolist() == [
        ["minsyn-gaussian", 0],
        ["pca", 0],
        ["pca", 1],
    ]
    wanted = {"train_loss", "test_loss", "acc", "fit_seconds", "n_iter", "converged", "seed"}
    assert wanted <= set(frame.columns)
    assert frame.to_csv(index=False).splitlines()[2].startswith("pca,0,5,1,50.0,90.0,0.9,0,0.1,,")


def test_oracle_is_no_best_row(tiny, cell):
    rows = summarise([cell("oracle", test_loss=1.0), cell("pca"), cell("ica", test_loss=95.0)])
    assert best(rows, "test_loss") == {"pca"}
    assert "told which pixels" in benchmark_table(rows, tiny())


def test_own_methods_come_last(cell, own_method):
    rows = summarise([cell("own"), cell("pca"), cell("unknown")], [own_method])
    assert [row.key for row in rows] == ["pca", "own"]


@pytest.mark.parametrize("n", [2, 5])
def test_deviation_is_the_sample_s(cell, rng, n):
    losses = rng.normal(50, 5, n)
    (row,) = summarise([cell(draw=i, train_loss=float(x)) for i, x in enumerate(losses)])
    assert row.scores["train_loss"].std == pytest.approx(np.std(losses, ddof=1))
