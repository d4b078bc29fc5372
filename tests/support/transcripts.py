"""Transcripts of the documentation: commands and code with what they print, run and compared."""

import re
import shlex
import subprocess
from pathlib import Path

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
