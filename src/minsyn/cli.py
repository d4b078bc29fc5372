"""The command line: a thin shell over the package."""

# Commands import what they need when they run: `minsyn --help` loads neither torch nor Matplotlib.
from typing import Annotated

import typer

from minsyn._version import __version__
from minsyn.commands._errors import CommandGroup
from minsyn.commands._variadic import VariadicCommand
from minsyn.commands.benchmark import benchmark
from minsyn.commands.figure1 import figure1
from minsyn.commands.fit import fit
from minsyn.commands.inspect import inspect
from minsyn.commands.report import report
from minsyn.commands.synergy import synergy
from minsyn.commands.transform import transform

__all__ = ["app"]

app = typer.Typer(
    cls=CommandGroup,
    help="Find factors that each mean something alone, and measure synergy.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _print_version(is_asked: bool) -> bool:
    if is_asked:
        typer.echo(f"minsyn {__version__}")
        raise typer.Exit
    return is_asked


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


app.command("fit", cls=VariadicCommand)(fit)
app.command("transform", cls=VariadicCommand)(transform)
app.command("inspect", cls=VariadicCommand)(inspect)
app.command("synergy", cls=VariadicCommand)(synergy)
app.command("figure1")(figure1)
app.command("benchmark")(benchmark)
app.command("report")(report)
