from rich.console import Console

from minsyn.benchmark import METHODS, MethodSummary, Score
from minsyn.report import terminal_table


def row(key, loss):
    scores = {
        "train_loss": Score(loss, 4.38),
        "test_loss": Score(106.94, 4.89),
        "acc": Score(0.183, 0.043),
    }
    return MethodSummary(key, METHODS[key].label, 4, 0, 0, scores, METHODS[key].paper, False)


def test_table_fits_a_terminal_and_marks_the_best():
    console = Console(width=80, force_terminal=True, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(terminal_table([row("minsyn-gaussian", 54.58), row("pca", 60.0)]))
    lines = capture.get().splitlines()
    (gaussian,) = (line for line in lines if "MinSyn (Gaussian)" in line)
    for text in ("54.58 ± 4.38", "106.94 ± 4.89", "0.183 ± 0.043", "58.68", "91.26", "0.670"):
        assert text in gaussian
