"""``minsyn inspect``: features of each factor, and the synergy of the factors."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minsyn._progress import stage
from minsyn.commands._description import HIDE_BELOW, MEASURES, Description
from minsyn.commands._options import (
    Decimal,
    Encoding,
    Header,
    Missing,
    Separator,
    require_option,
    table_format,
)
from minsyn.commands._outputs import check_figure, check_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from minsyn.report import LoadingRows

__all__ = ["inspect"]

#: Features of most synergy, and features of each factor in a figure, unless --top says otherwise.
_SYNERGIES, _BARS = 5, 8


def inspect(
    model_folder: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder that `minsyn fit` made.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data to describe the factors on, such as held-out samples.",
            show_default="statistics of the training data, saved with the model",
        ),
    ] = None,
    sep: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    header: Header = None,
    missing: Missing = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of features to show for each factor, and for synergy.",
            show_default="all if up to 60, otherwise 10 for each factor; 5 for synergy",
        ),
    ] = None,
    hide_below: Annotated[
        float,
        typer.Option(min=0, max=1, help="Hide loadings smaller than this in magnitude."),
    ] = HIDE_BELOW,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write tables and figures into one .html page, with a slider that moves a factor "
            "and shows which features change.",
            show_default=False,
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw the factors into a .png, .pdf or .svg file.", show_default=False),
    ] = None,
    image_shape: Annotated[
        str | None,
        typer.Option(
            help="Draw maps, for features that are pixels of images of HEIGHTxWIDTH, such as "
            "28x84.",
            show_default=False,
        ),
    ] = None,
    dpi: Annotated[
        int | None,
        typer.Option(min=10, max=2400, help="Dots per inch of the figure.", show_default="200"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write all numbers to a .csv file, with a row for each factor and feature.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Describe factors by the features that load on them, and measure their synergy.

    For example: minsyn inspect answers-model --report answers.html
    """
    drawn = figure is not None or report is not None
    require_option("--image-shape", image_shape, "--figure or --report", drawn)
    require_option("--dpi", dpi, "--figure", figure is not None)
    for option, value in (
        ("--sep", sep),
        ("--decimal", decimal),
        ("--encoding", encoding),
        ("--header", header),
        ("--missing", missing),
    ):
        require_option(option, value, "--data", data is not None)
    shape = _shape(image_shape)
    layout = table_format(sep, decimal, encoding, header, missing)
    if report is not None:
        check_file(report, (".html", ".htm"), "--report", read=data)
    if figure is not None:
        check_figure(figure, "--figure")
    if output is not None:
        check_file(output, (".csv",), read=data)
    from minsyn.estimators import load_model
    from minsyn.report import loading_rows

    with stage("describing the factors", shown=True):
        described = Description.of(load_model(model_folder), model_folder, data, layout)
        rows = loading_rows(described.loadings, hide_below=hide_below, top=top)
    # Files first: a reader of the output, such as `head`, may leave before its end.
    written = []
    if figure is not None:
        from minsyn.report.style import save_as

        figure.parent.mkdir(parents=True, exist_ok=True)
        with stage("drawing the factors", shown=True):
            save_as(_figure(described, top, shape), figure, dpi=dpi or 200)
        written.append(figure)
    if report is not None:
        from minsyn._atomic import write_atomically
        from minsyn.commands._model_page import model_page

        report.parent.mkdir(parents=True, exist_ok=True)
        with stage("writing the report", shown=True):
            maps = {} if shape is None else {"Maps of the factors": _figure(described, top, shape)}
            write_atomically(report, model_page(described, rows, model_folder, maps))
        written.append(report)
    if output is not None:
        _write(described, output)
        written.append(output)
    _print(described, rows, top or _SYNERGIES)
    for file in written:
        typer.echo(str(file))


def _shape(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)\s*[x×, ]\s*(\d+)", text.strip())
    if match is None:
        raise ValueError(f"--image-shape {text}: expected HEIGHTxWIDTH, such as 28x84")
    return int(match[1]), int(match[2])


def _print(described: Description, rows: "LoadingRows", top: int) -> None:
    from rich.console import Console
    from rich.markup import escape

    from minsyn.report import correlation_table, loading_tables, synergy_table

    console = Console(highlight=False)

    def say(text: str, style: str | None = None) -> None:
        console.print(escape(text), style=style, soft_wrap=True)

    say(described.lead())
    for table in loading_tables(
        rows, described.explained(), groups=described.group_names, width=console.width
    ):
        console.print()
        console.print(table)
    if rows.n_hidden:
        say(
            f"{rows.n_hidden:,} features with weaker loadings are not listed: --top lists more, "
            "--output writes all",
            "dim",
        )
    for note in described.about_loadings():
        say(note, "dim")
    correlations = correlation_table(described.loadings, width=console.width)
    if correlations is not None:
        console.print()
        console.print(correlations)
    for note in described.notes():
        console.print()
        say(note, "yellow")
    console.print()
    console.print(synergy_table(described.synergy, top=top))
    for note in described.about_synergy():
        say(note, "dim")


def _figure(described: Description, top: int | None, shape: tuple[int, int] | None) -> "Figure":
    from minsyn.report import figure_of_factors

    names, features = described.names
    return figure_of_factors(
        described.summary, described.synergy, names, features, max(top or _BARS, 2), shape
    )


def _write(described: Description, output: Path) -> None:
    import numpy as np
    import pandas as pd

    from minsyn._atomic import write_atomically

    summary, (names, features) = described.summary, described.names
    n_factors, n_features = summary.correlation.shape
    columns = {
        "factor": np.repeat(names, n_features),
        "feature": np.tile(features, n_factors),
        "component": described.model.components_.ravel(),
        "correlation": summary.correlation.ravel(),
        "share": summary.feature_share.ravel(),
        "information_bits": summary.information.ravel(),
    }
    if described.groups is not None:
        columns["group"] = np.repeat(described.groups, n_features)
    for name in MEASURES:
        columns[f"{name}_{described.synergy.unit}"] = np.tile(described.synergy[name], n_factors)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, pd.DataFrame(columns).to_csv(index=False))
