"""Ctrl-C ends the program in one line, wherever it meets it."""

import os
import subprocess
import sys

import pytest

from programs import heard_interrupts

CTRL_C = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
#: What Typer, the first large import, is replaced by.
PLACES = {
    "imports": CTRL_C,
    "strings that are executed": f"exec({CTRL_C!r})",
    "destructors": f"class Closed:\n    def __del__(self): exec({CTRL_C!r})\nClosed()",
}


def ended(*words, **env):
    """Exit code and output of a program."""
    with heard_interrupts():
        result = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, env=os.environ | env
        )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_in_imports(place, tmp_path):
    (tmp_path / "typer.py").write_text(PLACES[place])
    path = os.pathsep.join([str(tmp_path), *sys.path])
    assert ended("-m", "minsyn", PYTHONPATH=path) == (130, "Stopped.\n")


def test_ctrl_c_while_options_are_read():
    code = f"""
from minsyn.__main__ import main
from minsyn.commands._errors import CommandGroup
CommandGroup.parse_args = lambda *_: exec({CTRL_C!r})
main()
"""
    assert ended("-c", code, "--version") == (130, "Stopped.\n")


def test_ctrl_c_after_the_end():
    """What was done is done."""
    code = f"""
import atexit
atexit.register(lambda: exec({CTRL_C!r}))
from minsyn.__main__ import main
main()
"""
    code, output = ended("-c", code, "--version")
    assert code == 0 and output.startswith("minsyn ") and output.count("\n") == 1
