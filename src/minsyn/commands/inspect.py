"""``minsyn inspect``: features of each factor, and the synergy of the factors."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minsyn.commands._data import open_data_for, pairwise_statistics
from minsyn.commands._options import require_option
from minsyn.commands._outputs import check_figure, check_file
from minsyn.commands._provenance import Provenance

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from minsyn.estimators.factor_model import FactorModel
    from minsyn.information import PairwiseStatistics, SynergyResult
    from minsyn.metrics import FactorSummary

__all__ = ["inspect"]

_MEASURES = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")


def inspect(
    model_folder: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder that `minsyn fit` made.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data to describe the factors on, for example held-out samples.",
            show_default="the training data, as their statistics were saved",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Features to show of each factor.")] = 5,
    figure: Annotated[
        Path | None, typer.Option(help="Draw a .png, .pdf or .svg file.", show_default=False)
    ] = None,
    image_shape: Annotated[
        str | None,
        typer.Option(
            help="Draw maps of features that are pixels of an image of HEIGHTxWIDTH: 28x84.",
            show_default=False,
        ),
    ] = None,
    dpi: Annotated[
        int | None, typer.Option(min=1, help="Dots per inch of the figure.", show_default="200")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write all numbers to a .csv file, a row for each factor and feature.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Describe each factor by its features, and measure the synergy of the factors.

    For example: minsyn inspect model --top 8 --figure factors.png
    """
    require_option("--image-shape", image_shape, "--figure", figure is not None)
    require_option("--dpi", dpi, "--figure", figure is not None)
    shape = _shape(image_shape)
    if figure is not None:
        check_figure(figure, "--figure")
    if output is not None:
        check_file(output, (".csv",), read=data)
    from minsyn.estimators import load_model

    factors = _describe(load_model(model_folder), model_folder, data)
    _print(factors, top)
    if figure is not None:
        from minsyn.report.factors import figure_of_factors

        drawn = figure_of_factors(
            factors.summary, factors.synergy, factors.names, factors.features, max(top, 2), shape
        )
        figure.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(figure, dpi=dpi or 200)
        typer.echo(str(figure))
    if output is not None:
        _write(factors, output)
        typer.echo(str(output))


@dataclass(frozen=True)
class _Factors:
    """Factors of a model as described on some data.

    Attributes
    ----------
    model : FactorModel
        The model.
    source : str
        Name of the data.
    weighting : str
        Weights of the features in explained variances.
    std : ndarray of shape (n_factors,)
        Standard deviations of the factors.
    summary : FactorSummary
        Correlations and explained variances.
    synergy : SynergyResult
        Measures about each feature.
    names, features : list of str
        Names of factors and features.
    """

    model: "FactorModel"
    source: str
    weighting: str
    std: "np.ndarray"
    summary: "FactorSummary"
    synergy: "SynergyResult"
    names: list[str]
    features: list[str]

    @property
    def groups(self) -> "np.ndarray | None":
        """The group of each factor, for vector factors."""
        return getattr(self.model, "latent_groups_", None)


def _describe(model: "FactorModel", folder: Path, data: Path | None) -> _Factors:
    from minsyn.information import ConstantSourceWarning, synergy_from_statistics
    from minsyn.metrics import summarise_factors

    made = Provenance.load(folder, model.components_.shape)
    statistics = _statistics(model, made, folder, data)
    names = [str(name) for name in model.get_feature_names_out()]
    features = [f"x{i}" for i in range(model.n_features_in_)]
    if hasattr(model, "feature_names_in_"):
        features = [str(name) for name in model.feature_names_in_]
    alike = made is not None and made.scale == "standard"
    with warnings.catch_warnings():
        # A constant factor is seen in what is printed: it explains nothing.
        warnings.simplefilter("ignore", ConstantSourceWarning)
        synergy = synergy_from_statistics(
            statistics,
            sources=names,
            targets=features,
            groups=getattr(model, "latent_groups_", None),
            measures=_MEASURES,
        )
    return _Factors(
        model=model,
        source=str(data or folder),
        weighting="features count alike" if alike else "features count by their variance",
        std=statistics.std_z,
        summary=summarise_factors(statistics, None if made is None else made.unit),
        synergy=synergy,
        names=names,
        features=features,
    )


def _statistics(
    model: "FactorModel", made: Provenance | None, folder: Path, data: Path | None
) -> "PairwiseStatistics":
    """Statistics of the given data, or of the training data as far as they were saved."""
    if data is not None:
        return pairwise_statistics(model, open_data_for(model, data))
    if made is not None:
        return made.statistics
    if hasattr(model, "statistics_"):
        return model.statistics_
    raise ValueError(f"{folder}: this model was saved without statistics; give data by --data")


def _shape(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)\s*[x×, ]\s*(\d+)", text.strip())
    if match is None:
        raise ValueError(f"--image-shape {text}: expected HEIGHTxWIDTH, such as 28x84")
    return int(match[1]), int(match[2])


def _print(factors: _Factors, top: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    summary = factors.summary
    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("", overflow="fold")
    for heading in (_weight_heading(factors), "correlation", "share", "bits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for factor in _order(factors):
        strongest = summary.top_features(factor, top)
        table.add_row(f"[bold]{escape(factors.names[factor])}[/bold]")
        table.add_row(_about(factors, factor), style="dim")
        for feature in strongest:
            change = factors.model.components_[factor, feature] * factors.std[factor]
            table.add_row(
                escape(f"  {factors.features[feature]}"),
                f"{change:+.3g}",
                f"{summary.correlation[factor, feature]:+.2f}",
                f"{summary.feature_share[factor, feature]:.0%}",
                f"{summary.information[factor, feature]:.2f}",
            )
        table.add_section()
    console.print(table)
    console.print(
        f"{len(factors.names)} factors explain {summary.explained:.1%} of the variance of "
        f"{len(factors.features)} features."
    )
    _print_synergy(console, factors, top)
    console.print(escape(f"From {factors.source}; {factors.weighting}."), soft_wrap=True)
    console.print(_about_bits(factors.synergy), soft_wrap=True)


def _order(factors: _Factors) -> list[int]:
    """Factors, or groups of them, by the variance that they explain."""
    order = factors.summary.order()
    groups = factors.groups
    if groups is None:
        return order
    explained = factors.summary.explained_alone
    total = {group: explained[groups == group].sum() for group in groups}
    return sorted(order, key=lambda factor: (-total[groups[factor]], groups[factor]))


def _about(factors: _Factors, factor: int) -> str:
    alone, only = factors.summary.explained_alone[factor], factors.summary.explained_only[factor]
    group = "" if factors.groups is None else f"group {factors.groups[factor]}, "
    if alone == 0:
        return f"{group}explains nothing"
    return f"{group}explains {alone:.1%} (uniquely {only:.1%})"


def _about_bits(result: "SynergyResult") -> str:
    """Model and bias of the measures."""
    text = (
        f"{result.model.capitalize()} model, {result.n_samples:,} samples, bias correction: "
        f"{result.bias_correction}"
    )
    bias = result.sampling_bias.get("mutual_information")
    if bias is None:
        return f"{text} (too few samples for so many factors)"
    return f"{text} (the bias of all factors is {bias.max():.2g} {result.unit} per feature)"


def _weight_heading(factors: _Factors) -> str:
    return "per std" if factors.model.observations_.affine else "log odds/std"


def _print_synergy(console: "Console", factors: _Factors, top: int) -> None:
    """Print the measures about all features, and about those of most GK synergy."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    result = factors.synergy
    one, several = ("factor", "factors") if factors.groups is None else ("group", "groups")
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(f"{result.unit} about", overflow="fold")
    for heading in (f"all\n{several}", f"best\n{one}", "GK\nsynergy", "CI\nsynergy"):
        table.add_column(heading, justify="right", no_wrap=True)
    values = [result[name] for name in _MEASURES]
    table.add_row("all features", *(f"{value.sum() + 0.0:.2f}" for value in values))
    table.add_section()
    gk = result["gk_synergy"]
    for feature in (-gk).argsort(kind="stable")[:top].tolist():
        if gk[feature] > 0:
            cells = (f"{value[feature] + 0.0:.3f}" for value in values)
            table.add_row(escape(factors.features[feature]), *cells)
    console.print()
    console.print(table)


def _write(factors: _Factors, output: Path) -> None:
    import numpy as np
    import pandas as pd

    from minsyn._atomic import write_atomically

    summary = factors.summary
    n_factors, n_features = summary.correlation.shape
    columns = {
        "factor": np.repeat(factors.names, n_features),
        "feature": np.tile(factors.features, n_factors),
        "component": factors.model.components_.ravel(),
        "correlation": summary.correlation.ravel(),
        "share": summary.feature_share.ravel(),
        "information_bits": summary.information.ravel(),
    }
    if factors.groups is not None:
        columns["group"] = np.repeat(factors.groups, n_features)
    for name in _MEASURES:
        columns[f"{name}_{factors.synergy.unit}"] = np.tile(factors.synergy[name], n_factors)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, pd.DataFrame(columns).to_csv(index=False))
