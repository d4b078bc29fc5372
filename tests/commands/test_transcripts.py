"""The commands of the documentation, run as they stand there, print what it shows."""

import re

import numpy as np
import pandas as pd
import pytest

from transcripts import ROOT, assert_alike, blocks, execute, transcripts


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fit_page(in_tmp_path):
    make_table, from_python = blocks("docs/start/command-line.md", "python")
    names = {}
    exec(make_table, names)
    shown = list(transcripts("docs/start/command-line.md"))
    assert [command.split()[1] for command, _ in shown if command.startswith("minsyn")] == [
        "fit", "inspect", "transform", "fit", "inspect"
    ]  # fmt: skip
    for command, output in shown:
        assert_alike(execute(command), output)
    assert (in_tmp_path / "factors.png").read_bytes().startswith(b"\x89PNG")
    assert (in_tmp_path / "sensors.html").read_text().startswith("<!DOCTYPE html>")
    exec(from_python, names)
    written = pd.read_csv("factors.csv")
    np.testing.assert_allclose(names["Z"], written[[f"minsyn{j}" for j in range(4)]])


#: Pages with commands of which no output is shown.
WITHOUT_OUTPUT = {
    "README.md": {"fit", "inspect", "transform", "synergy", "figure1"},
    "docs/start/table.md": {"fit", "inspect", "transform"},
    "docs/start/synergy.md": {"synergy"},
    "docs/measures/time-series.md": {"synergy"},
    "docs/measures/samples.md": {"figure1"},
}


def test_commands_without_output(in_tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.exponential(size=(60, 7)), columns=list("abcxyde"))
    for name in ("data.csv", "answers.csv"):
        table.to_csv(name, index=False)
    table.assign(subject=np.arange(60) // 3).to_csv("series.csv", index=False)
    done = set()
    for page, expected in WITHOUT_OUTPUT.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        found = [line for block in blocks(page) for line in block.splitlines()]
        found += re.findall(r"`(minsyn [^`]+)`", text.replace("\n", " "))
        shown = "minsyn ((fit|inspect|transform|synergy) .|figure1)"
        run = [command for command in found if re.match(shown, command)]
        assert {command.split()[1] for command in run} == expected, page
        for command in run:
            if command not in done:
                execute(command)
        done.update(run)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("explain 98.1% of it", "explain 91.1% of it"),
        ("a  1.20\n", "b  1.20\n"),
        ("a 1\nb 2\n", "a 1\n"),
        ("x -0.99", "x +0.99"),
    ],
)
def test_the_comparison_can_fail(printed, shown):
    with pytest.raises((AssertionError, ValueError)):
        assert_alike(printed, shown)
    assert_alike(shown.replace("91.1", "91.2"), shown)
