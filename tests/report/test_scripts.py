"""Scripts of the interactive pages, linted as they run: files after one another in one scope."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "src" / "minsyn" / "report"
OXLINT = shutil.which("oxlint", path=str(Path(sys.executable).parent)) or shutil.which("oxlint")
PAGES = {
    "words": ["page.js", "drawing.js", "words_page.js"],
    "figure1": ["page.js", "drawing.js", "figure1_page.js"],
    "what_if": ["page.js", "what_if.js"],
}


def lint(script, folder):
    """Faults that oxlint finds in a script in which no name is given."""
    (folder / "page.js").write_text(f'"use strict";\n(() => {{\n{script}\n}})();\n')
    rules = {"no-undef": "error", "no-unused-vars": "error", "no-redeclare": "error"}
    config = {"env": {"browser": True, "es2024": True}, "rules": rules}
    (folder / "config.json").write_text(json.dumps(config))
    command = [OXLINT, "--config", "config.json", "--format", "json", "page.js"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return {fault["message"] for fault in json.loads(done.stdout)["diagnostics"]}


def test_pages_are_those_of_the_package():
    written = "".join(path.read_text() for path in REPORT.glob("*.py"))
    lists = re.findall(r"[(\[](['\"]page\.js['\"], .*?)[)\]]", written)
    assert sorted(re.findall(r"\w+\.js", names) for names in lists) == sorted(PAGES.values())


@pytest.mark.skipif(OXLINT is None, reason="needs oxlint, which `make lint` installs")
def test_names_are_declared_and_used(tmp_path):
    undeclared, unused = {}, Counter()
    for page, files in PAGES.items():
        faults = lint("\n".join((REPORT / file).read_text() for file in files), tmp_path)
        idle = {name for fault in faults for name in re.findall(r"'(.*)' is .* never used", fault)}
        undeclared[page] = {fault for fault in faults if "never used" not in fault}
        unused.update(idle)
    assert not any(undeclared.values()), undeclared
    loaded = Counter(file for files in PAGES.values() for file in files)
    for name, times in unused.items():
        declared = re.compile(rf"\b(function|const|let) {name}\b")
        [home] = (file for file in loaded if declared.search((REPORT / file).read_text()))
        assert times < loaded[home], f"{name} of {home} is used on no page"


@pytest.mark.skipif(OXLINT is None, reason="needs oxlint, which `make lint` installs")
def test_faults_are_found(tmp_path):
    assert lint("console.log(absent); const idle = 1;", tmp_path) >= {"'absent' is not defined."}
