import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from minsyn.cli import app
from minsyn.datasets import load_typewriter


def invoke(*arguments):
    return CliRunner().invoke(app, ["tasks", *map(str, arguments)])


@pytest.fixture(scope="module")
def small_letters(tmp_path_factory):
    letters = load_typewriter(size=8, fonts=("DejaVuSansMono", "DejaVuSerif"))
    path = tmp_path_factory.mktemp("letters") / "small.npz"
    np.savez(path, images=letters.images, labels=letters.labels, styles=letters.styles)
    return path


def test_from_tasks_to_table_and_figure(tmp_path, small_letters):
    out = tmp_path / "out"
    options = ("--letters", small_letters, "--draws", 1, "--jobs", 1, "--output", out)
    tasks = ("--task", "digits,few-25", "--task", "genes")
    methods = ("--methods", "pca,minsyn-single-parent,oracle")
    result = invoke(*options, *tasks, *methods)
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(out / "tasks.csv")
    assert sorted(set(frame.task)) == ["digits", "few-25", "genes"] and len(frame) == 9
    of = frame.set_index(["task", "method"])
    for task in ("digits", "few-25", "genes"):
        ratio = of.test_loss[task, "pca"] / of.test_loss[task, "oracle"]
        assert of.oracle_ratio[task, "pca"] == pytest.approx(ratio)
    assert of.n_groups["digits", "minsyn-single-parent"] >= 1
    text = (out / "tasks.md").read_text()
    assert f"minsyn tasks --letters {small_letters} --draws 1 --seed 0 --task digits" in text
    assert np.asarray(Image.open(out / "tasks.png")).std() > 5 and (out / "tasks.pdf").exists()
    assert "Three-digit numbers" in result.output and "tasks.png" in result.output

    # The same again fits nothing again; what was not asked for is left out.
    again = invoke(*options, "--task", "digits", "--methods", "pca")
    assert "1 of 1 cells were finished before" in again.output
    assert "No figure" in again.output
    assert len(pd.read_csv(out / "tasks.csv")) == 1
    other = invoke(*options, "--task", "digits", "--methods", "pca", "--seed", 1)
    assert other.exit_code == 2 and "seed is 0 there and 1 here" in other.output


def test_a_method_that_fails_leaves_the_others(tmp_path, monkeypatch):
    from sklearn.decomposition import FastICA

    def fit(self, X, y=None):
        raise FloatingPointError("no")

    monkeypatch.setattr(FastICA, "fit", fit)
    result = invoke(
        *("--task", "digits,genes", "--methods", "pca,ica", "--draws", 1, "--jobs", 1),
        *("--output", tmp_path),
    )
    assert result.exit_code == 1
    assert result.output.count("ICA failed in draw 1") == 2
    assert len(pd.read_csv(tmp_path / "tasks.csv")) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "digit"), "did you mean 'digits'?"),
        (("--task", "digits", "--methods", "pcs"), "did you mean 'pca'?"),
        (("--task", "digits", "--draws", "0"), "draws: 0 must be at least 1"),
        (("--task", ","), "task: none given"),
    ],
)
def test_errors_are_one_line(tmp_path, options, message):
    result = invoke(*options, "--output", tmp_path)
    assert result.exit_code == 2
    assert message in result.output and "Traceback" not in result.output


def test_without_wordsegment_all_goes_on_and_a_request_does_not(tmp_path, monkeypatch):
    def missing():
        raise ImportError("no wordsegment")

    monkeypatch.setattr("minsyn.datasets.frequencies._wordsegment_counts", missing)
    monkeypatch.setattr("minsyn.benchmark.TASKS", ("words-4", "digits"))
    options = ("--methods", "pca", "--draws", 1, "--jobs", 1, "--output", tmp_path)
    result = invoke(*options)
    assert result.exit_code == 0 and "Left out: task words-4" in result.output
    assert set(pd.read_csv(tmp_path / "tasks.csv").task) == {"digits"}
    asked = invoke(*options, "--task", "words-4")
    assert asked.exit_code == 1 and "minsyn[words]" in asked.output
