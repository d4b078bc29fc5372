import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from minsyn.benchmark import find_methods, find_tasks
from minsyn.datasets import load_typewriter
from minsyn.report import figure_of_tasks, terminal_tasks

METHODS = find_methods(["pca", "minsyn-single-parent", "oracle"])


@pytest.fixture(scope="module")
def tasks():
    return find_tasks(load_typewriter(size=8), ["digits", "genes"])


@pytest.fixture(scope="module")
def frame():
    rows = [
        (task, method, draw, 10.0 * ratio, ratio)
        for task, scale in (("digits", 3.0), ("genes", 1.2))
        for method, ratio in (("pca", scale), ("minsyn-single-parent", 1.05), ("oracle", 1.0))
        for draw in range(2)
    ]
    return pd.DataFrame(rows, columns=["task", "method", "draw", "test_loss", "oracle_ratio"])


def test_figure_has_every_draw_and_one_mean(tasks, frame, pixels):
    figure = figure_of_tasks(frame, tasks, METHODS)
    (axes,) = figure.axes
    points = [np.asarray(c.get_offsets()) for c in axes.collections if len(c.get_offsets())]
    drawn = sorted(len(p) for p in points)
    assert drawn == [1, 1, 1, 1, 2, 2, 2, 2]  # two methods, two tasks; the oracle is the line
    assert {round(float(p[0, 0]), 6) for p in points} == {3.0, 1.2, 1.05}
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_yticklabels()] == [t.label for t in tasks]
    assert "1" in [label.get_text() for label in axes.get_xticklabels()]
    assert [text.get_text() for text in figure.legends[0].texts] == [m.label for m in METHODS[:2]]
    assert pixels(figure).std() > 5


def test_terminal_has_losses_and_ratios(tasks, frame):
    console = Console(file=io.StringIO(), width=100)
    console.print(terminal_tasks(frame, tasks, METHODS))
    text = console.file.getvalue()
    assert "30.0" in text and "×3.00" in text and "10.0" in text and "×1.00" not in text
