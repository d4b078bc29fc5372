"""``minsyn fit``: a model of the user's own table."""

import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn._progress import stage
from minsyn.commands._data import UserData, open_data
from minsyn.commands._description import (
    SCALES,
    criterion_of,
    loadings_of,
    notes_on_duplicates,
    statistics_on,
)
from minsyn.commands._estimator import ModelOptions, build_estimator, reads_blocks
from minsyn.commands._missing import check_missing, feature_name, missing_share, takes_missing
from minsyn.commands._model_folder import check_model_folder, default_folder, save_model
from minsyn.commands._options import (
    Decimal,
    Encoding,
    Header,
    Missing,
    Separator,
    table_format,
)
from minsyn.commands._provenance import Provenance
from minsyn.commands._reading import reading

if TYPE_CHECKING:
    import numpy as np

    from minsyn import MinSyn, VectorMinSyn
    from minsyn.data import ColumnStatistics, SampleStream

__all__ = ["fit"]

_SCALES = ("auto", *SCALES)
#: Headings of the options in the help.
_MODEL, _COMPUTATION = "Other models", "Computation"
#: Tables above this size, in float32, are read by blocks: memory does not grow with them.
_WHOLE_BYTES = 128 * 2**20
#: Ratios of standard deviations from which on features of the smallest hardly count, or not.
_UNEVEN, _VERY_UNEVEN = 10.0, 100.0
#: Warnings of the estimator that are notes here, in the words of the command.
_IN_NOTES = r".*values are missing: covariances are from|standard deviations of the features range"


def fit(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Table (text, Parquet, Feather, Excel, AnnData) or array (.npy, .npz), one sample "
            "per row.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the model.", show_default="answers-model for answers.csv"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing model.")
    ] = False,
    n_components: Annotated[
        str | None,
        typer.Option(
            help="Number of factors, or a criterion that finds it: `auto` (parallel analysis; with "
            "`--groups`, in each group), `empirical-kaiser` or `minimum-average-partial`.",
            show_default="auto",
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MODEL,
            help="Decoder: `gaussian` for real values, `bernoulli` for probabilities and binary "
            "values, `gaussian-bernoulli`, `bernoulli-gaussian` or another of "
            "`minsyn.nn.DECODERS`.",
            show_default="gaussian",
        ),
    ] = None,
    latents: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MODEL,
            help="Map to the factors: `linear`, `softplus` (positive) or `sigmoid` (in [0, 1]).",
            show_default="linear for the decoder gaussian",
        ),
    ] = None,
    sizes: Annotated[
        list[int] | None,
        typer.Option(
            rich_help_panel=_MODEL,
            min=1,
            help="Number of categories of each variable, for categorical decoders of one-hot "
            "columns: `--sizes 3 2`.",
            show_default=False,
        ),
    ] = None,
    synergy_weight: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_MODEL,
            min=0,
            help="Train the decoder, with this weight on its synergy (0 is a plain autoencoder).",
            show_default="a decoder in closed form, without synergy",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MODEL,
            help="Fit vector factors: groups of factors, each with features of its own. The number "
            "of groups, or `auto`.",
            show_default="factors without groups",
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="Scaling of the features: `standard` (variance 1, so that all count alike), "
            "`none` (they count by their variance), `range` (to [0, 1], for decoders of binary "
            "values). `auto` is `standard` for tables, `none` for arrays and decoders of binary "
            "values. The model takes unscaled data in any case."
        ),
    ] = "auto",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns that are features: `--columns a b c` or `--columns a,b,c`.",
            show_default="all numeric columns except identifiers",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Columns to leave out.", show_default=False),
    ] = None,
    sep: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    header: Header = None,
    missing: Missing = None,
    solver: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            help="`auto`, `covariance`, `lbfgs` or `adam`.",
            show_default="auto",
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(rich_help_panel=_COMPUTATION, help="Step size of Adam.", show_default="auto"),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            min=2,
            help="Number of samples in a step of Adam.",
            show_default="all; 512 for large tables",
        ),
    ] = None,
    n_iter_no_change: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            min=1,
            help="Epochs without improvement after which Adam stops.",
            show_default="50",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            help="Device of `--solver adam`: `cpu`, `cuda`, `mps` or `auto`.",
            show_default="cpu",
        ),
    ] = None,
    n_init: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            min=1,
            help="Number of random starts; the best fit is kept.",
            show_default="auto",
        ),
    ] = None,
    max_iter: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            min=1,
            help="Maximum number of iterations.",
            show_default="5000",
        ),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            min=0,
            help="Relative decrease of the loss below which to stop.",
            show_default="0.001",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(rich_help_panel=_COMPUTATION, min=0, help="Seed of all random numbers.")
    ] = 0,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")
    ] = False,
) -> None:
    """Fit factors that each mean something alone, and save the model.

    For example: minsyn fit answers.csv

    The default model takes missing values into account. Options that the chosen model cannot use
    are errors.
    """
    folder = output or default_folder(data)
    options = ModelOptions(
        n_components=n_components,
        decoder=decoder,
        latents=latents,
        sizes=sizes,
        synergy_weight=synergy_weight,
        groups=groups,
        solver=solver,
        learning_rate=learning_rate,
        batch_size=batch_size,
        n_iter_no_change=n_iter_no_change,
        device=device,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        seed=seed,
        verbose=int(not quiet and sys.stderr.isatty()),
    )
    if scale not in _SCALES:
        raise ValueError(f"--scale {scale}: expected one of {', '.join(_SCALES)}")
    check_model_folder(folder, overwrite=overwrite)
    build_estimator(options)  # refuses options before the data are read
    layout = table_format(sep, decimal, encoding, header, missing)
    with reading(data, shown=not quiet):
        user_data = open_data(data, columns, drop, layout, again=" --overwrite")
    summary = user_data.statistics
    assert summary is not None
    _check_content(user_data, summary)
    _check_sizes(sizes, user_data)
    scaling = _scaling_of(scale, options, user_data, summary)
    model = build_estimator(replace(options, standardize=scaling == "standard"))
    check_missing(model, user_data, summary)
    if not quiet:
        _print_data(user_data, _about_scaling(summary, scaling, options))
    elif scaling == "none" and _unevenness(summary) > _VERY_UNEVEN:
        warnings.warn(_about_scaling(summary, scaling, options), stacklevel=2)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _IN_NOTES)
        model, unit = _fit(model, user_data, summary, scaling)
    seconds = time.perf_counter() - start
    with stage("statistics of the factors", shown=not quiet):
        statistics = _training_statistics(model, user_data)
    made = Provenance(
        data=str(data),
        scale=scaling,
        unit=unit,
        minimum=summary.minimum,
        maximum=summary.maximum,
        missing=missing_share(summary),
        missing_marks=layout.missing,
        statistics=statistics,
    )
    save_model(model, made, folder, overwrite=overwrite)
    if not quiet:
        _print_model(model, made, folder, seconds)
    for note in notes_on_duplicates(loadings_of(model, made.statistics), scaling, made.statistics):
        warnings.warn(note, stacklevel=2)


def _scaling_of(
    scale: str, options: ModelOptions, user_data: UserData, summary: "ColumnStatistics"
) -> str:
    """Scaling of the features, where none was asked for that of the kind of data and model."""
    from minsyn.nn import DECODERS

    decoder = options.decoder or "gaussian"
    observations = DECODERS[decoder].observations
    if scale == "auto":
        # Vector factors have a decoder for [0, 1], and take it where the data allow.
        probabilities = options.groups is not None and _within(summary, 0.0, 1.0)
        named = user_data.samples.feature_names is not None
        alike = named and observations.affine and not probabilities
        scale = "standard" if alike else "none"
    if scale == "range" or options.groups is not None:
        return scale
    if scale == "standard" and not observations.affine:
        raise ValueError(
            f"--scale standard: --decoder {decoder} needs features in [{observations.low:g}, "
            f"{observations.high:g}]; use --scale range"
        )
    if not _within(summary, observations.low, observations.high):
        outside = (summary.minimum < observations.low) | (summary.maximum > observations.high)
        j = int(outside.argmax())
        raise ValueError(
            f"{user_data.file}: column {feature_name(user_data, j)} ranges from "
            f"{summary.minimum[j]:.6g} to {summary.maximum[j]:.6g}, outside the "
            f"[{observations.low:g}, {observations.high:g}] of --decoder {decoder}: use "
            "--scale range, or a decoder of real values"
        )
    return scale


def _within(summary: "ColumnStatistics", low: float, high: float) -> bool:
    """Whether all values lie in an interval."""
    inside = (summary.minimum >= low) & (summary.maximum <= high)
    return bool((inside | (summary.n_present == 0)).all())


def _check_content(user_data: UserData, summary: "ColumnStatistics") -> None:
    """Raise an error if there is nothing to fit a model to."""
    if summary.n_samples < 2:
        raise ValueError(
            f"{user_data.file} has a single sample: a fit needs at least two, and preferably many"
        )
    if not (summary.std > 0).any():
        raise ValueError(f"{user_data.file}: all features are constant: there is nothing to fit")


def _check_sizes(sizes: list[int] | None, user_data: UserData) -> None:
    if sizes is not None and sum(sizes) != user_data.samples.n_features:
        raise ValueError(
            f"--sizes {' '.join(map(str, sizes))}: the sum must be the number of features, "
            f"{user_data.samples.n_features}"
        )


def _fit(
    model: "MinSyn | VectorMinSyn", user_data: UserData, summary: "ColumnStatistics", scaling: str
) -> "tuple[MinSyn | VectorMinSyn, np.ndarray]":
    """Model of the unscaled samples, and the features' units in the fit."""
    import numpy as np

    samples, unit = user_data.samples, np.ones(user_data.samples.n_features)
    if scaling == "range":
        unit = summary.maximum - summary.minimum
    elif scaling == "standard":
        unit = summary.std
    unit = np.where(unit > 0, unit, 1.0)
    if scaling == "none" or (scaling == "standard" and hasattr(model, "standardize")):
        return model.fit(_of_fitting_size(samples, reads_blocks(model))), unit
    origin = summary.minimum if scaling == "range" else summary.mean
    model.fit(_of_fitting_size(samples.scaled(origin, unit), reads_blocks(model)))
    return model.rescaled(origin, unit), unit


def _of_fitting_size(samples: "SampleStream", by_blocks: bool) -> Any:
    """All samples in memory where they are few or the estimator needs it, else the stream."""
    import numpy as np
    import pandas as pd

    if by_blocks and 4 * samples.n_samples * samples.n_features > _WHOLE_BYTES:
        return samples
    array = np.concatenate([block.copy() for block in samples.blocks(missing=True)])
    names = samples.feature_names
    return array if names is None else pd.DataFrame(array, columns=list(names), copy=False)


def _training_statistics(model: "MinSyn | VectorMinSyn", user_data: UserData) -> Any:
    """Statistics of the factors and the unscaled features of the fit."""
    # Those of a linear Gaussian model follow from its moments, missing values and all.
    return model.statistics_ if takes_missing(model) else statistics_on(model, user_data)


def _print_data(user_data: UserData, about_scaling: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    samples = user_data.samples
    console.print(
        escape(
            f"{user_data.file}: {samples.n_samples:,} samples of {samples.n_features:,} "
            f"feature{'s' * (samples.n_features > 1)}"
        ),
        soft_wrap=True,
    )
    for note in (*user_data.notes, about_scaling):
        console.print(escape(note), style="dim", soft_wrap=True)


def _about_scaling(summary: "ColumnStatistics", scaling: str, options: ModelOptions) -> str:
    from minsyn.nn import DECODERS

    if scaling == "standard":
        return "standardised: all features count alike (--scale none: by their variance)"
    if scaling == "range":
        return "scaled to [0, 1]"
    if not DECODERS[options.decoder or "gaussian"].observations.affine:
        return "not scaled"
    text = "not scaled: features count by their variance"
    if _unevenness(summary) > _UNEVEN:
        std = summary.std[summary.std > 0]
        text += (
            f", and standard deviations range from {std.min():.3g} to {std.max():.3g}; with "
            "--scale standard they count alike"
        )
    return text


def _unevenness(summary: "ColumnStatistics") -> float:
    """Ratio of the largest standard deviation to the smallest."""
    std = summary.std[summary.std > 0]
    return float(std.max() / std.min()) if len(std) else 1.0


def _print_model(
    model: "MinSyn | VectorMinSyn", made: Provenance, folder: Path, seconds: float
) -> None:
    from rich.console import Console
    from rich.markup import escape

    from minsyn.metrics import summarise_factors

    summary = summarise_factors(made.statistics, made.unit)
    n_factors = len(model.components_)
    text = f"{n_factors} factor{'s' * (n_factors > 1)}"
    groups = getattr(model, "latent_groups_", None)
    if groups is not None:
        n_groups = int(groups.max()) + 1
        text += f" in {n_groups} group{'s' * (n_groups > 1)}"
    criterion = criterion_of(model)
    if criterion:
        text += f" by {criterion}"
    verb = "explain" if n_factors > 1 else "explains"
    ending = "converged after" if model.converged_ else "did not converge in"
    console = Console(highlight=False)
    console.print(
        escape(
            f"{text} {verb} {summary.explained:.1%} of the variance; {ending} {model.n_iter_} "
            f"iteration{'s' * (model.n_iter_ != 1)}, {seconds:.1f} s"
        ),
        soft_wrap=True,
    )
    console.print(escape(f"{folder}    next: minsyn inspect {folder}"), soft_wrap=True)
