"""``minsyn report``: the interactive page of a benchmark or a model that is there already."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from minsyn._progress import stage
from minsyn.commands._cells import console
from minsyn.commands._outputs import check_file

if TYPE_CHECKING:
    from minsyn.benchmark import Experiment, Store

__all__ = ["report"]


def report(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Output folder of `minsyn benchmark`, or model of `minsyn fit`."
        ),
    ],
    letters: Annotated[
        str | None,
        typer.Option(
            help="Images of letters, as in `minsyn benchmark`.",
            show_default="those recorded in the folder",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="The .html file to write.",
            show_default="page.html in the folder of a benchmark, MODEL.html beside a model",
        ),
    ] = None,
) -> None:
    """Write the interactive page of a benchmark's results, or of a saved model.

    One file that needs no network. Of a benchmark: the table, to be sorted; every draw; what each
    factor of each method does; and words that are decoded while you move the factors, or swap
    letters. Of a model: loadings, path diagram, eigenvalues, synergy, and a slider that moves a
    factor and shows which features change.

    `minsyn benchmark` and `minsyn inspect --report` write these pages too; this command needs no
    fits, and takes unfinished runs.
    """
    if (folder / "model.json").is_file():
        if letters is not None:
            raise ValueError(f"--letters has no effect on {folder}, a saved model: leave it out")
        named = folder if folder.name else folder.absolute()
        _report_model(folder, output or named.with_name(f"{named.name}.html"))
        return
    output = output or folder / "page.html"
    check_file(output, (".html", ".htm"))
    settings = _settings(folder)

    from minsyn._atomic import write_atomically
    from minsyn.benchmark import summarise
    from minsyn.report import benchmark_page

    experiment, store = _experiment(folder, settings, letters)
    results = store.results()
    for note in store.notes:
        console.print(escape(note), style="yellow")
    if not results:
        raise ValueError(f"{folder}: no finished cells; run `minsyn benchmark --output {folder}`")
    output.parent.mkdir(parents=True, exist_ok=True)
    with stage("writing the page", shown=True):
        rows = summarise(results, experiment.methods)
        write_atomically(output, benchmark_page(experiment, results, rows))
    console.print(escape(str(output)), soft_wrap=True)


def _report_model(folder: Path, output: Path) -> None:
    check_file(output, (".html", ".htm"))
    from minsyn._atomic import write_atomically
    from minsyn.commands._description import HIDE_BELOW, Description
    from minsyn.commands._model_page import model_page
    from minsyn.data import TableFormat
    from minsyn.estimators import load_model
    from minsyn.report import loading_rows

    with stage("describing the factors", shown=True):
        described = Description.of(load_model(folder), folder, None, TableFormat())
        rows = loading_rows(described.loadings, hide_below=HIDE_BELOW)
        page = model_page(described, rows, folder, {})
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, page)
    console.print(escape(str(output)), soft_wrap=True)


def _settings(folder: Path) -> dict:
    record = folder / "experiment.json"
    if not record.is_file():
        raise FileNotFoundError(
            f"{folder} holds no results of `minsyn benchmark`, and no model of `minsyn fit`"
        )
    try:
        settings = json.loads(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{record} is damaged ({error})") from error
    known = ("letters", "n_components", "resample", "samples_per_word", "seed")
    if not isinstance(settings, dict) or not set(known) <= set(settings):
        raise ValueError(f"{record} is not the record of a words benchmark")
    return settings


def _experiment(folder: Path, settings: dict, letters: str | None) -> tuple["Experiment", "Store"]:
    """The experiment that a folder has on record; the store sees that it is the same."""
    from minsyn.benchmark import METHODS, Experiment, SettingsMismatchError, Store
    from minsyn.datasets import load_letters

    try:
        loaded = load_letters(letters or settings["letters"])
    except FileNotFoundError as error:
        if letters is not None:
            raise
        raise FileNotFoundError(
            f"letters: {settings['letters']!r} cannot be found; give the letters of the benchmark "
            "(--letters)"
        ) from error
    experiment = Experiment(
        loaded,
        tuple(METHODS.values()),
        n_components=settings["n_components"],
        resample=settings["resample"],
        samples_per_word=settings["samples_per_word"],
        seed=settings["seed"],
    )
    try:
        return experiment, Store(folder, experiment)
    except SettingsMismatchError as error:
        raise ValueError(
            f"{folder}: made with other letters (--letters), or by another version of minsyn "
            f"({settings.get('minsyn')})"
        ) from error
