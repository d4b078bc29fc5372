import pytest
from rich.console import Console

from minsyn.benchmark import (
    METHODS,
    SCORES,
    Comparison,
    MethodSummary,
    Score,
)
from minsyn.report import terminal_comparisons, terminal_table


def row(key, loss):
    scores = {
        "train_loss": Score(loss, 4.38, (51.2, 57.18)),
        "test_loss": Score(106.94, 14.89, (101.25, 110.5)),
        "acc": Score(0.183, 0.043, (0.151, 0.222)),
    }
    return MethodSummary(key, METHODS[key].label, 4, 0, 0, scores, METHODS[key].paper, False)


def printed(table, width):
    console = Console(width=width, force_terminal=True, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_table_fits_a_terminal_and_marks_the_best():
    rows = [row("minsyn-gaussian", 54.58), row("pca", 60.0)]
    lines = printed(terminal_table(rows), 80).splitlines()
    (gaussian,) = (line for line in lines if "MinSyn (Gaussian)" in line)
    for text in ("54.58 ± 4.38", "106.94 ± 14.89", "0.183 ± 0.043", "58.68", "91.26", "0.670"):
        assert text in gaussian


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_from_either_table(width):
    rows = [row(key, 154.58) for key in METHODS]
    text = printed(terminal_table(rows), width)
    for part in ("154.58 ± 4.38", "[101.2, 110.5]", "[0.151, 0.222]", "MinSyn (Vector)", "0.670"):
        assert part in text, text
    tests = [
        Comparison(row.key, "minsyn-gaussian", score, 9, -12.5, (-101.25, 110.5), 0.0039, 0.0352)
        for row in rows
        for score in SCORES
    ]
    text = printed(terminal_comparisons(rows, tests), width)
    assert text.count("[-101.25, +110.50]") == 2 * len(rows)
    assert text.count("0.035") == 3 * len(rows) and "…" not in text
