import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from minsyn.datasets import load_typewriter, make_word_images
from studies.synergy_weight import app, figure_of_weights, measure, weights_table


def scores(**values):
    names = ("train_loss", "test_loss", "acc", "ci_synergy", "penalty")
    return {**dict.fromkeys(names, 1.0), **values}


@pytest.fixture
def frame():
    return pd.DataFrame(
        {"weight": weight, "draw": draw, **scores(test_loss=place + draw)}
        for place, weight in enumerate((0.0, 3.0, np.inf))
        for draw in range(2)
    )


def test_table_has_a_row_a_weight(frame):
    lines = weights_table(frame, "the command").splitlines()
    starts = [line.split(" | ")[0] for line in lines[2:5]]
    assert starts == ["| 0", "| 3", "| ∞"]
    assert "| 3 | 1.00 ± 0.00 | 1.50 ± 0.50 |" in lines[3]
    assert "Means ± standard deviations over 2 draws." in lines


def test_figure_has_every_weight_in_equal_steps(frame):
    figure = figure_of_weights(frame)
    axes = figure.axes[1]
    assert axes.get_title() == "Test loss"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "3", "∞"]
    means = [tuple(marks.get_offsets()[0]) for marks in axes.collections[1::2]]
    assert means == [(0, 0.5), (1, 1.5), (2, 2.5)]
    draws = [marks.get_offsets()[:, 1].tolist() for marks in axes.collections[::2]]
    assert draws == [[0, 1], [1, 2], [2, 3]]


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
def test_the_penalty_is_nothing_in_closed_form(decoder):
    words = make_word_images(letters=load_typewriter(size=8), random_state=0)
    assert measure(words, np.inf, decoder, 0)["penalty"] == pytest.approx(0, abs=1e-3)


def test_command(tmp_path, monkeypatch):
    seen = []

    def measured(words, weight, decoder, seed):
        seen.append((weight, decoder, seed))
        return scores(test_loss=weight)

    monkeypatch.setattr("studies.synergy_weight.measure", measured)
    options = ("--draws", "2", "--weights", "0,1", "--output", str(tmp_path))
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert seen == [(w, "gaussian", draw) for draw in range(2) for w in (0.0, 1.0)]
    assert len(pd.read_csv(tmp_path / "synergy_weight.csv")) == 4
    assert "--weights 0,1`" in (tmp_path / "synergy_weight.md").read_text()
    assert (tmp_path / "synergy_weight.png").exists()
