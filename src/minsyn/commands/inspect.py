"""``minsyn inspect``: what the factors of a model are made of."""

import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minsyn.commands._data import UserData, open_data_for
from minsyn.commands._provenance import Provenance

if TYPE_CHECKING:
    from rich.console import Console

    from minsyn import MinSyn
    from minsyn.information import PairwiseStatistics
    from minsyn.metrics import FactorSummary

__all__ = ["inspect"]


def inspect(
    model_folder: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder that `minsyn fit` made.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Look at the factors on these data, for example such as were held out.",
            show_default="what the model keeps of its training data",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Features shown of each factor.")] = 5,
    figure: Annotated[
        Path | None, typer.Option(help="Draw them: a .png, .pdf or .svg file.")
    ] = None,
    image_shape: Annotated[
        str | None,
        typer.Option(help="Features are the pixels of an image of this HEIGHTxWIDTH: 28x84."),
    ] = None,
    dpi: Annotated[int, typer.Option(min=1, help="Dots per inch of a .png.")] = 200,
    output: Annotated[
        Path | None,
        typer.Option(help="Write all numbers, a row for each factor and feature, to a .csv file."),
    ] = None,
) -> None:
    """Show what each factor is made of, and what is only in their combination.

    For example: minsyn inspect model --top 8 --figure factors.png
    """
    shape = _shape(image_shape)
    _check_outputs(figure, output)
    import numpy as np

    from minsyn import MinSyn
    from minsyn.metrics import summarise_factors

    model = MinSyn.load(model_folder)
    made = Provenance.load(model_folder, model.n_features_in_)
    unit = None if made is None or made.unit is None else np.array(made.unit)
    if data is not None:
        statistics = _statistics(model, open_data_for(model, data))
    else:
        statistics = model.statistics_
        if model.decoder == "bernoulli":  # statistics of features that are scaled already
            unit = None
    summary = summarise_factors(statistics, unit)
    factors = [str(name) for name in model.get_feature_names_out()]
    features = _feature_names(model)
    _print(model, summary, factors, features, top)
    alike = made is not None and made.scale == "standard"
    counted = "features count alike" if alike else "features count by their variance"
    typer.echo(f"From {data or model_folder}; {counted}. Bits are those of Gaussian variables.")
    if figure is not None:
        from minsyn.report.factors import figure_of_factors

        drawn = figure_of_factors(summary, factors, features, max(top, 2), shape)
        figure.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(figure, dpi=dpi)
        typer.echo(str(figure))
    if output is not None:
        _write(model, summary, factors, features, output)
        typer.echo(str(output))


def _statistics(model: "MinSyn", user_data: UserData) -> "PairwiseStatistics":
    from minsyn.commands.transform import transform_block
    from minsyn.information import PairwiseStatistics

    blocks = user_data.samples.blocks()
    return reduce(
        PairwiseStatistics.merge,
        (PairwiseStatistics.of(transform_block(model, x).astype(float), x) for x in blocks),
    )


def _feature_names(model: "MinSyn") -> list[str]:
    if hasattr(model, "feature_names_in_"):
        return [str(name) for name in model.feature_names_in_]
    return [f"x{i}" for i in range(model.n_features_in_)]


def _shape(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)\s*[x×, ]\s*(\d+)", text.strip())
    if match is None:
        raise ValueError(f"--image-shape {text}: expected HEIGHTxWIDTH, such as 28x84")
    return int(match[1]), int(match[2])


def _check_outputs(figure: Path | None, output: Path | None) -> None:
    if figure is not None:
        from matplotlib.figure import Figure

        known = Figure().canvas.get_supported_filetypes()
        if figure.suffix.lower().lstrip(".") not in known:
            raise ValueError(f"--figure {figure}: expected a suffix among {', '.join(known)}")
    if output is not None and output.suffix.lower() != ".csv":
        raise ValueError(f"--output {output}: expected a name ending in .csv")


def _print(
    model: "MinSyn",
    summary: "FactorSummary",
    factors: list[str],
    features: list[str],
    top: int,
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("", overflow="fold")
    for heading in (_weight_heading(model), "correlation", "share", "bits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for factor in summary.order():
        strongest = summary.top_features(factor, top)
        table.add_row(f"[bold]{escape(factors[factor])}[/bold]")
        table.add_row(_about(summary, factor) if strongest else "tells nothing", style="dim")
        for feature in strongest:
            table.add_row(
                escape(f"  {features[feature]}"),
                f"{_weight(model, factor, feature):+.3g}",
                f"{summary.correlation[factor, feature]:+.2f}",
                f"{summary.feature_share[factor, feature]:.0%}",
                f"{summary.information[factor, feature]:.2f}",
            )
        table.add_section()
    console.print(table)
    console.print(
        f"The {len(factors)} factors explain {summary.explained:.1%} of the variance of "
        f"{len(features)} features.",
    )
    _print_synergy(console, summary, features, top)


def _about(summary: "FactorSummary", factor: int) -> str:
    return (
        f"explains {summary.explained_alone[factor]:.1%}, of which "
        f"{summary.explained_only[factor]:.1%} only it"
    )


def _weight_heading(model: "MinSyn") -> str:
    return "per std" if model.decoder == "gaussian" else "log odds"


def _weight(model: "MinSyn", factor: int, feature: int) -> float:
    """What a factor adds to a feature: one standard deviation of it, or from 0 to 1."""
    weight = float(model.components_[factor, feature])
    if model.decoder == "gaussian":
        weight *= float(model.statistics_.std_z[factor])
    return weight


def _print_synergy(
    console: "Console", summary: "FactorSummary", features: list[str], top: int
) -> None:
    """Totals over the features, and the features about which most is only in combinations."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("bits about", overflow="fold")
    for heading in ("all\nfactors", "best\nalone", "GK\nsynergy", "CI\nsynergy"):
        table.add_column(heading, justify="right", no_wrap=True)
    measures = (
        summary.mutual_information,
        summary.union_information,
        summary.gk_synergy,
        summary.ci_synergy,
    )
    table.add_row("all features", *(f"{values.sum():.2f}" for values in measures))
    table.add_section()
    for feature in (-summary.gk_synergy).argsort(kind="stable")[:top].tolist():
        if summary.gk_synergy[feature] > 0:
            cells = (f"{values[feature] + 0.0:.3f}" for values in measures)
            table.add_row(escape(features[feature]), *cells)
    console.print()
    console.print(table)


def _write(
    model: "MinSyn",
    summary: "FactorSummary",
    factors: list[str],
    features: list[str],
    output: Path,
) -> None:
    import numpy as np
    import pandas as pd

    from minsyn._atomic import write_atomically

    n_factors, n_features = summary.correlation.shape
    frame = pd.DataFrame(
        {
            "factor": np.repeat(factors, n_features),
            "feature": np.tile(features, n_factors),
            "component": model.components_.ravel(),
            "correlation": summary.correlation.ravel(),
            "share": summary.feature_share.ravel(),
            "information_bits": summary.information.ravel(),
            "gk_synergy_bits": np.tile(summary.gk_synergy, n_factors),
            "ci_synergy_bits": np.tile(summary.ci_synergy, n_factors),
        }
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, frame.to_csv(index=False))
