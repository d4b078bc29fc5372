"""Command line of a study: common options, the run, and the files that it writes."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from matplotlib.figure import Figure
from rich.markup import escape

from minsyn._atomic import write_atomically
from minsyn.commands._cells import clear_errors, console, exit_with, run_cells, split_keys
from minsyn.report import save

__all__ = [
    "Components",
    "Draws",
    "Jobs",
    "Letters",
    "Output",
    "Overwrite",
    "Seed",
    "app_of",
    "clear_errors",
    "command_line",
    "console",
    "exit_with",
    "run_cells",
    "split_keys",
    "write",
]

Letters = Annotated[str, typer.Option(help="Images of letters: `typewriter`, `emnist`, or a path.")]
Draws = Annotated[int, typer.Option(help="Number of draws of the data.")]
Components = Annotated[int, typer.Option(help="Latents of each model.")]
Jobs = Annotated[int, typer.Option(help="Fits at once; -1 is one on each core.")]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.")]
Output = Annotated[Path, typer.Option(help="Folder for results.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Discard earlier results in the output folder.")
]


def app_of(study: Callable[..., None]) -> typer.Typer:
    """The command line of a study, whose options are the function's parameters.

    Parameters
    ----------
    study : callable
        Its docstring is the help text.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    app.command()(study)
    return app


def command_line(study: str, **options: Any) -> str:
    """The command that makes the same numbers again.

    Parameters
    ----------
    study : str
        Name of the study.
    **options
        By their names; those that are None are left out.

    Examples
    --------
    >>> command_line("tasks", draws=5, task=None, letters="my letters.npz")
    "python -m studies.tasks --draws 5 --letters 'my letters.npz'"
    """
    given = [
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in options.items()
        if value is not None
    ]
    return " ".join([f"python -m studies.{study}", *given])


def write(output: Path, texts: dict[str, str], figures: dict[str, Figure]) -> None:
    """Write texts and figures into a folder; print the Markdown, and the names of all files.

    Parameters
    ----------
    output : Path
        The folder, made if it does not exist.
    texts : dict of str to str
        Contents by file name.
    figures : dict of str to Figure
        By file name without suffix; saved as PNG and PDF.
    """
    output.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in texts.items():
        write_atomically(output / name, text)
        files.append(output / name)
    for name, figure in figures.items():
        files += save(figure, output / name)
    for name, text in texts.items():
        if name.endswith(".md"):
            typer.echo(f"\n{text}")
    for file in files:
        console.print(escape(str(file)), soft_wrap=True)
