import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import minsyn
from minsyn.cli import app

COMMANDS = sorted(typer.main.get_command(app).commands)


def test_version():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"minsyn {minsyn.__version__}\n")


def test_imports_in_a_new_process():
    """In one, since loading libraries takes longer than all that is asked of them."""
    script = Path(__file__).parent / "support" / "fresh_process.py"
    done = subprocess.run([sys.executable, script, *COMMANDS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_plain_text(command):
    """No markup is left in what a terminal shows, and every option has a description."""
    group = typer.main.get_command(app)
    for parameter in group.commands[command].params:
        assert parameter.help, parameter.name
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert "`" not in shown and "**" not in shown
