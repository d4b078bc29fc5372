import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from minsyn.cli import app
from minsyn.datasets import load_typewriter


def invoke(*arguments):
    return CliRunner().invoke(app, ["ablation", *map(str, arguments)])


def test_ablation_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    letters = load_typewriter(size=6)
    np.savez("small.npz", images=letters.images, labels=letters.labels)
    options = ("--letters", "small.npz", "--decoders", "free-linear", "--components", 2)
    options = (*options, "--jobs", 1, "--output", tmp_path)
    one = invoke("--partitions", "none", "--references", "", *options)
    assert one.exit_code == 0, one.output
    more = invoke("--partitions", "synergy,none", "--references", "pca", *options)
    assert more.exit_code == 0, more.output
    assert "2 of 5 cells were finished before" in more.output
    frame = pd.read_csv(tmp_path / "ablation.csv").set_index("method")
    assert len(frame) == 5 and {"ci_synergy", "gk_synergy", "gk_synergy_groups"} < set(frame)
    table = (tmp_path / "ablation.md").read_text()
    loss = frame.at["ablation-synergy-balanced-free-linear", "test_loss"]
    (row,) = [
        line
        for line in table.splitlines()
        if line.startswith("| Synergy | Free (linear) | yes | yes")
    ]
    assert f"| {loss:.1f} |" in row
    assert (
        "Made by `minsyn ablation --letters small.npz --draws 1 --components 2 --seed 0 "
        "--partitions synergy,none --decoders free-linear --references pca`." in table
    )
    summary = pd.read_csv(tmp_path / "summary.csv").set_index(["method", "score"])
    assert summary.at[("pca", "gk_synergy"), "mean"] == frame.at["pca", "gk_synergy"]
    assert np.asarray(Image.open(tmp_path / "ablation.png")).std() > 5
    assert (tmp_path / "ablation.pdf").exists()
    for name in ("ablation.csv", "summary.csv", "ablation.md", "ablation.png", "ablation.pdf"):
        assert name in more.output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--partitions", "colour"), "partitions: 'colour' is none of synergy, correlation"),
        (("--decoders", ","), "decoders: ',' is none of single-parent, free"),
        (("--references", "pcs"), "did you mean 'pca'?"),
        (("--draws", "0"), "draws: 0 must be at least 1"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    result = invoke(*arguments, "--output", tmp_path)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")
