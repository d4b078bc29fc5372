"""Each benchmark and each study stands on the page that says how to run them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "results" / "benchmarks.md").read_text(encoding="utf-8")


def test_benchmarks_are_listed():
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")} - {"timing.py"}
    assert set(re.findall(r"`(\w+\.py)\b", PAGE)) == scripts


def test_studies_are_listed():
    commands = {path.parent.name for path in (ROOT / "studies").glob("*/__main__.py")}
    commands |= {
        path.stem
        for path in (ROOT / "studies").glob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert set(re.findall(r"python -m studies\.(\w+)", PAGE)) == commands
