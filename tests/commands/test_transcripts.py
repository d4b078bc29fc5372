"""The commands of the documentation, run as they stand there, print what it shows."""

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from minsyn.cli import app

ROOT = Path(__file__).parents[2]
#: Decimals, so that versions of the libraries may differ in rounding and in the last iterations.
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w.])")
RELATIVE_TOLERANCE = 0.02


def blocks(page, language=""):
    """Fenced blocks of a page in a language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)
    return [block for found, block in fenced if found == language]


def transcripts(page):
    """Commands of a page, each with the output that stands below it."""
    for block in blocks(page):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def execute(command):
    words = shlex.split(command, comments=True)
    if words[0] != "minsyn":
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout
    result = CliRunner().invoke(app, words[1:], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    return result.stdout


def words_of(text):
    """Words of each line, without durations, counts of iterations and widths of the terminal."""
    text = re.sub(r"\b\d+(/\d+)? iterations", r"N\1 iterations", text)
    text = re.sub(r"\d+\.\d s\b|\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"─+", "─", re.sub(r"[━╸╺]", "", text))
    return [line.split() for line in text.splitlines()]


def assert_alike(printed, shown):
    """Compare texts; numbers may differ a little."""
    for ours, theirs in zip(words_of(printed), words_of(shown), strict=True):
        lines = " ".join(ours), " ".join(theirs)
        assert NUMBER.sub("#", lines[0]) == NUMBER.sub("#", lines[1])
        for a, b in zip(*map(NUMBER.findall, lines), strict=True):
            digits = len(b.partition(".")[2])
            if digits > 9:  # latents, the scale of which is nearly arbitrary
                continue
            last_digit = 10.0**-digits
            a, b = (float(number.replace(",", "")) for number in (a, b))
            assert abs(a - b) <= max(1.5 * last_digit, RELATIVE_TOLERANCE * abs(b)), lines


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


def test_commands_of_the_readme(in_tmp_path):
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "x", "y", "d", "e"]
    pd.DataFrame(rng.exponential(size=(60, 7)), columns=names).to_csv("data.csv", index=False)
    text = (ROOT / "README.md").read_text()
    commands = [line for block in blocks("README.md") for line in block.splitlines()]
    commands += re.findall(r"`(minsyn [^`]+)`", text.replace("\n", " "))
    run = [c for c in commands if re.match("minsyn ((fit|inspect|transform|synergy) .|figure1)", c)]
    assert {command.split()[1] for command in run} == {
        "fit", "inspect", "transform", "synergy", "figure1"
    }  # fmt: skip
    for command in run:
        execute(command)


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
