from functools import partial

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from minsyn import VectorMinSyn
from minsyn.datasets import Vocabulary, load_typewriter, make_word_images
from studies.compositional import LINES, app, compositional_table, figure_of_lines, measure


@pytest.fixture(autouse=True)
def short_fits(monkeypatch):
    monkeypatch.setattr("studies.compositional.VectorMinSyn", partial(VectorMinSyn, max_iter=1))


@pytest.fixture
def frame():
    rows = [
        {
            "task": task,
            "n_components": n,
            "draw": draw,
            "line": line,
            "test_loss": loss * (1 + draw),
        }
        for task in ("Shifted", "Overlapping")
        for n in (9, 30)
        for draw in range(2)
        for line, loss in zip(LINES, (3.0, 2.0, 12.0, 60.0), strict=True)
    ]
    return pd.DataFrame(rows).assign(gk_synergy=0.01, seconds=20.0)


def test_table_has_ratios_of_means(frame):
    lines = compositional_table(frame, "the command").splitlines()
    assert lines[2] == "| Shifted | 9 | 4.50 | 3.00 | 18.00 | 90.00 | 1.50 | 0.25 | 0.010 | 20 |"
    assert len(lines[2:6]) == 4 and lines[5].startswith("| Overlapping | 30 |")


def test_figure_has_a_panel_for_each_task_and_number_of_latents(frame):
    figure = figure_of_lines(frame)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["Shifted,\n9 latents", "Shifted,\n30 latents", "Overlapping,\n9 latents"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [line.label for line in LINES.values()]


@pytest.mark.filterwarnings("ignore")
def test_measures_groups_that_are_found():
    vocabulary = Vocabulary.from_words(["aa", "ab", "ba", "cb", "bc", "cc", "ca"], ["ac", "bb"])
    letters = load_typewriter(size=8)
    counts = dict.fromkeys(vocabulary.train, 3)
    words = make_word_images(vocabulary, letters, samples_per_word=counts, random_state=0)
    scores = measure(words, "found", 4, 0)
    assert scores["n_groups"] == 2
    assert 0 < scores["train_loss"] < 64 and np.isfinite(scores["test_loss"])


def test_command_goes_on_where_it_stopped(tmp_path):
    options = ["--draws", "1", "--task", "overlap-half", "--lines", "pca", "--components", "9"]
    for components in ("9", "9,10"):
        options[-1] = components
        result = CliRunner().invoke(app, [*options, "--output", str(tmp_path)])
        assert result.exit_code == 0, result.output
        assert result.output.count("PCA: ") == 1
    assert len(pd.read_csv(tmp_path / "compositional.csv")) == 2
    assert (tmp_path / "compositional.png").exists()
    result = CliRunner().invoke(app, [*options, "--lines", "all", "--output", str(tmp_path)])
    assert result.exit_code == 1 and "not one of found, told, joint, pca" in result.output
