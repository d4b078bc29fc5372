import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import minsyn
from minsyn.cli import app

COMMANDS = sorted(typer.main.get_command(app).commands)


def test_version():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"minsyn {minsyn.__version__}\n")


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom minsyn.cli import app\n"
        "for words in (['--help'], *([name, '--help'] for name in sys.argv[1:])):\n"
        "    try: app(words)\n"
        "    except SystemExit: pass\n"
        "assert not {'torch', 'matplotlib', 'sklearn', 'pandas', 'scipy'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code, *COMMANDS], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("Usage:") == 1 + len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_plain_text(command):
    """No markup is left in what a terminal shows, and every option has a description."""
    group = typer.main.get_command(app)
    for parameter in group.commands[command].params:
        assert parameter.help, parameter.name
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert "`" not in shown and "**" not in shown
