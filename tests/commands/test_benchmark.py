import json
import os
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from minsyn.cli import app
from programs import heard_interrupts, started

FIGURES = ("decoder_maps", "reconstructions", "loss_against_acc", "scores_by_draw")


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def benchmark(*arguments, **options):
    return started("-m", "minsyn", "benchmark", *map(str, arguments), **options)


def scores(folder):
    frame = pd.read_csv(folder / "results.csv")
    return frame.drop(columns="fit_seconds")


def test_benchmark_from_letters_to_figures(tmp_path, monkeypatch):
    out = tmp_path / "out"
    result = invoke("benchmark", "--methods", "pca,ica", "--draws", 2, "--jobs", 1, "--output", out)
    assert result.exit_code == 0, result.output
    frame = scores(out)
    assert frame[["method", "draw"]].values.tolist() == [
        ["ica", 0],
        ["ica", 1],
        ["pca", 0],
        ["pca", 1],
    ]
    losses = frame.pivot(index="draw", columns="method", values="train_loss")
    np.testing.assert_allclose(losses["ica"], losses["pca"], atol=1e-3)
    table = (out / "table.md").read_text()
    mean = frame[frame.method == "pca"].train_loss.mean()
    assert f"| PCA | **{mean:.2f} ± " in table
    made_by = "minsyn benchmark --letters typewriter --draws 2 --components 9 --resample none"
    assert f"Made by `{made_by} --samples-per-word 1 --seed 0 --methods ica,pca`" in table
    for name in FIGURES:
        assert Image.open(out / "figures" / f"{name}.png").width == 1440
        assert (out / "figures" / f"{name}.pdf").exists()
        assert f"{name}.png" in result.output.replace("\n", "")
    assert "PCA" in result.output and "49.83" in result.output

    assert {"p_holm", "low", "high"} <= set(pd.read_csv(out / "summary.csv").columns)
    assert json.loads((out / "summary.json").read_text())["confidence"] == 0.95

    # The same again does nothing again; another draw adds to it.
    tables = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = invoke(
        "benchmark", "--methods", "pca", "--methods", "ica", "--draws", 2, "--output", out
    )
    assert "4 of 4 cells were finished before" in again.output
    assert {path: path.read_bytes() for path in tables} == tables
    without_figures(monkeypatch)
    more = invoke("benchmark", "--methods", "pca", "--draws", 3, "--output", out, "--jobs", 1)
    assert "2 of 3 cells were finished before" in more.output
    assert "Not all methods have 3 draws: ICA has 2" in (out / "table.md").read_text()

    other = invoke("benchmark", "--methods", "pca", "--draws", 2, "--seed", 1, "--output", out)
    assert other.exit_code == 1
    assert "seed is 0 there and 1 here" in other.output and "--overwrite" in other.output
    assert len(scores(out)) == 5


def without_figures(monkeypatch):
    """They take most of the time, and are those of the cells: `test_same_figure_same_bytes`."""
    monkeypatch.setattr("minsyn.report.benchmark_figures", lambda *args: {})


@pytest.fixture
def no_figures(monkeypatch):
    without_figures(monkeypatch)


def test_killed_run_goes_on_where_it_stopped(tmp_path, no_figures):
    options = ("--methods", "pca,ica", "--draws", 3, "--components", 3, "--jobs", 1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert invoke("benchmark", *options, "--output", whole).exit_code == 0
    with benchmark(*options, "--output", killed, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: len(list(killed.glob("cells/*.json"))) >= 2, process)
    finished = {path: path.stat().st_mtime_ns for path in killed.glob("cells/*.json")}
    assert 2 <= len(finished) < 6
    assert not (killed / "results.csv").exists()
    result = invoke("benchmark", *options, "--output", killed)
    assert result.exit_code == 0
    assert f"{len(finished)} of 6 cells were finished before" in result.output
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())
    pd.testing.assert_frame_equal(scores(killed), scores(whole), check_exact=True)
    assert (killed / "table.md").read_text() == (whole / "table.md").read_text()


def test_interrupted_run_says_how_to_go_on(tmp_path):
    out = tmp_path / "out"
    options = ("--methods", "pca", "--draws", 400, "--jobs", 2, "--output", out)
    with heard_interrupts(), benchmark(*options, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: len(list(out.glob("cells/*.json"))) >= 2, process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped. Finished cells are in" in errors and "run the same command again" in errors
    assert "Traceback" not in errors
    for path in out.glob("cells/*.json"):
        json.loads(path.read_text())
    assert not list(out.rglob("*.part"))


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--methods", "pcs"), "methods: 'pcs' is unknown; did you mean 'pca'?"),
        (("--methods", "pca", "--reference", "ica"), "reference: 'ica' is not among the"),
        (("--methods", ","), "methods: none given"),
        (("--draws", 0), "draws: 0 must be at least 1"),
        (("--components", 2353), "n_components: 2353 must be from 1 to 149"),
        (("--resample", "maybe"), "resample: 'maybe' is not one of 'none', 'words', 'all'"),
        (("--seed", -1), "seed: -1 must be at least 0"),
        (("--jobs", 0), "n_jobs: 0"),
        (("--letters", "typewritter"), "typewritter"),
    ],
)
def test_mistakes_are_one_clear_line(tmp_path, arguments, message):
    result = invoke("benchmark", *arguments, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not (tmp_path / "out" / "results.csv").exists()


def test_output_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    result = invoke("benchmark", "--methods", "pca", "--output", tmp_path / "file")
    assert result.exit_code == 1 and "output: cannot make this folder" in result.output


def test_failing_method_leaves_the_others(tmp_path, monkeypatch, no_figures):
    from sklearn.decomposition import FastICA

    def fit(self, X, y=None):
        raise RuntimeError("no luck")

    monkeypatch.setattr(FastICA, "fit", fit)
    out = tmp_path / "out"
    result = invoke("benchmark", "--methods", "ica,pca", "--draws", 1, "--jobs", 1, "--output", out)
    assert result.exit_code == 1
    assert "ICA failed in draw 1: RuntimeError: no luck" in result.output
    assert scores(out).method.tolist() == ["pca"]
    assert "no luck" in (out / "failures" / "ica-0.txt").read_text()


def test_without_mne_the_default_goes_on_and_a_request_does_not(tmp_path, monkeypatch, no_figures):
    from minsyn import benchmark

    infomax = benchmark.Method(
        "infomax", "InfoMax", benchmark.METHODS["pca"].make, needs=("no_such_module", "infomax")
    )
    methods = {"pca": benchmark.METHODS["pca"], "infomax": infomax}
    monkeypatch.setattr("minsyn.benchmark.methods.METHODS", methods)
    monkeypatch.setattr("minsyn.benchmark.find_methods", lambda *a, **k: tuple(methods.values()))
    out = tmp_path / "out"
    result = invoke("benchmark", "--draws", 1, "--jobs", 1, "--output", out)
    assert result.exit_code == 0
    assert "InfoMax is left out" in result.output and "minsyn[infomax]" in result.output
    assert scores(out).method.tolist() == ["pca"]
    asked = invoke("benchmark", "--methods", "infomax", "--output", out)
    assert asked.exit_code == 1 and "pip install 'minsyn[infomax]'" in asked.output
