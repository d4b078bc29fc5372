"""``minsyn fit``: a model of the user's own table."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._data import UserData, open_data, pairwise_statistics
from minsyn.commands._estimator import ModelOptions, build_estimator, reads_blocks
from minsyn.commands._outputs import check_parent
from minsyn.commands._provenance import Provenance

if TYPE_CHECKING:
    import numpy as np

    from minsyn import MinSyn, VectorMinSyn
    from minsyn.data import ColumnStatistics, SampleStream

__all__ = ["fit"]

_SCALES = ("none", "standard", "range")
#: Tables above this size, in float32, are read by blocks: memory does not grow with them.
_WHOLE_BYTES = 128 * 2**20
#: Ratio of standard deviations from which on features of the smallest hardly count.
_UNEVEN = 10.0


def fit(
    data: Annotated[
        Path,
        typer.Argument(
            help="Table (.csv or .parquet) or array (.npy or .npz), one sample per row."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for the model.")],
    n_components: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of factors. With `--groups` it may be left out.", show_default=False
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="Decoder, by its name in `minsyn.nn.DECODERS`: `gaussian` for real values, "
            "`bernoulli` for probabilities and binary values, `gaussian-bernoulli`, "
            "`bernoulli-gaussian` and others.",
            show_default="gaussian",
        ),
    ] = None,
    sizes: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Number of categories of each variable, for categorical decoders of one-hot "
            "columns: `--sizes 3 2`.",
            show_default=False,
        ),
    ] = None,
    synergy_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Train the decoder, with this weight on its synergy (0: a plain autoencoder).",
            show_default="a decoder in closed form, without synergy",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            help="Fit vector factors: groups of factors, each with features of its own. A number "
            "of groups, or `auto`.",
            show_default="factors without groups",
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="Scaling of the features: `none`; `standard` (mean 0, variance 1, so that all "
            "count alike); `range` (to [0, 1], for binary decoders). The scaling becomes part of "
            "the model, which takes unscaled data."
        ),
    ] = "none",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Features: `--columns a b c`, commas, or repeated options.",
            show_default="all numeric columns",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Numeric columns that are not features.", show_default=False),
    ] = None,
    solver: Annotated[
        str | None, typer.Option(help="`auto`, `adam` or `lbfgs`.", show_default="auto")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size of Adam.", show_default="auto")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Samples of a training step of Adam.",
            show_default="all; 512 for large tables",
        ),
    ] = None,
    n_iter_no_change: Annotated[
        int | None,
        typer.Option(
            min=1, help="Epochs without improvement after which Adam stops.", show_default="50"
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Device of Adam: `cpu`, `cuda`, `mps` or `auto`.", show_default="cpu"),
    ] = None,
    n_init: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of random starts; the best fit is kept.", show_default="auto"
        ),
    ] = None,
    max_iter: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of iterations.", show_default="5000")
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option(
            min=0, help="Relative decrease of the loss below which to stop.", show_default="0.001"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")
    ] = False,
) -> None:
    """Fit factors that are each meaningful alone, and save the model.

    For example: minsyn fit data.csv --n-components 5 --scale standard --output model

    Options that the chosen model cannot use are refused.
    """
    options = ModelOptions(
        n_components=n_components,
        decoder=decoder,
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
        verbose=int(not quiet),
    )
    if scale not in _SCALES:
        raise ValueError(f"--scale {scale}: expected one of {', '.join(_SCALES)}")
    _check_folder(output)
    model = build_estimator(options)
    from minsyn.data import column_statistics

    user_data = open_data(data, columns, drop)
    statistics = column_statistics(user_data.samples)
    if sizes is not None and sum(sizes) != user_data.samples.n_features:
        raise ValueError(
            f"--sizes {' '.join(map(str, sizes))}: the sum must be the number of features, "
            f"{user_data.samples.n_features}"
        )
    if groups is None:
        _check_range(user_data, statistics, decoder or "gaussian", scale)
    if not quiet:
        _print_data(user_data, statistics, scale)
    start = time.perf_counter()
    model, unit = _fit(model, user_data, statistics, scale)
    seconds = time.perf_counter() - start
    made = Provenance(
        data=str(data),
        scale=scale,
        unit=unit,
        minimum=statistics.minimum,
        maximum=statistics.maximum,
        missing=0.0,
        statistics=pairwise_statistics(model, user_data),
    )
    model.save(output)
    made.save(output)
    if not quiet:
        _print_model(model, made, output, seconds)


def _fit(
    model: "MinSyn | VectorMinSyn",
    user_data: UserData,
    statistics: "ColumnStatistics",
    scale: str,
) -> "tuple[MinSyn | VectorMinSyn, np.ndarray]":
    """Model of the unscaled samples, fitted to scaled ones, and the features' units."""
    import numpy as np

    samples = user_data.samples
    if scale == "none":
        unit = np.ones(samples.n_features)
        model.fit(_of_fitting_size(samples, reads_blocks(model)))
    else:
        origin, unit = _scaling(statistics, scale)
        model.fit(_of_fitting_size(samples.scaled(origin, unit), reads_blocks(model)))
        model = model.rescaled(origin, unit)
    if samples.feature_names is not None:
        model.feature_names_in_ = np.array(samples.feature_names, dtype=object)
    return model, unit


def _of_fitting_size(samples: "SampleStream", by_blocks: bool) -> Any:
    """An array of all samples where it is small or the estimator needs it, else the stream."""
    import numpy as np

    if by_blocks and 4 * samples.n_samples * samples.n_features > _WHOLE_BYTES:
        return samples
    return np.concatenate([block.copy() for block in samples.blocks()])


def _scaling(statistics: "ColumnStatistics", scale: str) -> tuple["np.ndarray", "np.ndarray"]:
    import numpy as np

    if scale == "standard":
        origin, unit = statistics.mean, statistics.std
    else:
        origin, unit = statistics.minimum, statistics.maximum - statistics.minimum
    return origin, np.where(unit > 0, unit, 1.0)


def _check_range(
    user_data: UserData, statistics: "ColumnStatistics", decoder: str, scale: str
) -> None:
    from minsyn.nn import DECODERS

    observations = DECODERS[decoder].observations
    if scale == "range":
        return
    if scale == "standard" and not observations.affine:
        raise ValueError(
            f"--scale standard: --decoder {decoder} needs features in [{observations.low:g}, "
            f"{observations.high:g}]; use --scale range"
        )
    outside = (statistics.minimum < observations.low) | (statistics.maximum > observations.high)
    if outside.any():
        j = int(outside.argmax())
        names = user_data.samples.feature_names
        raise ValueError(
            f"{user_data.file}: column {names[j] if names else j!r} ranges from "
            f"{statistics.minimum[j]:.6g} to {statistics.maximum[j]:.6g}, outside the "
            f"[{observations.low:g}, {observations.high:g}] of --decoder {decoder}: use "
            "--scale range, or a decoder of real values"
        )


def _check_folder(output: Path) -> None:
    """Raise an error before the fit if the model cannot be saved there."""
    if output.exists() and not output.is_dir():
        raise ValueError(f"--output {output}: a model is a folder, and this is a file")
    if output.is_dir() and any(output.iterdir()) and not (output / "model.json").is_file():
        raise ValueError(f"--output {output}: this folder holds other things than a model")
    check_parent(output / "model.json")


def _print_data(user_data: UserData, statistics: "ColumnStatistics", scale: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    samples = user_data.samples
    console.print(
        escape(f"{user_data.file}: {samples.n_samples:,} samples of {samples.n_features} features"),
        soft_wrap=True,
    )
    notes = []
    if samples.feature_names is not None and all(map(_is_number, samples.feature_names)):
        notes.append("all column names are numbers: is the header missing?")
    if user_data.not_numbers:
        names = ("the index" if n == "Unnamed: 0" else n for n in user_data.not_numbers)
        notes.append(f"left out, not numeric: {_listed(tuple(names))}")
    if user_data.left_out:
        notes.append(f"left out, not chosen: {_listed(user_data.left_out)}")
    constant = int(statistics.constant.sum())
    if constant:
        notes.append(f"{constant} features are constant")
    varying = statistics.std[~statistics.constant]
    if scale == "none" and len(varying) and varying.max() > _UNEVEN * varying.min():
        notes.append(
            f"standard deviations range from {varying.min():.3g} to {varying.max():.3g}, and "
            "features count by their variance; with --scale standard they count alike"
        )
    for note in notes:
        console.print(escape(note), style="dim", soft_wrap=True)


def _print_model(
    model: "MinSyn | VectorMinSyn", made: Provenance, output: Path, seconds: float
) -> None:
    from rich.console import Console
    from rich.markup import escape

    from minsyn.metrics import summarise_factors

    summary = summarise_factors(made.statistics, made.unit)
    groups = getattr(model, "latent_groups_", None)
    n_groups = 0 if groups is None else int(groups.max()) + 1
    grouped = f" in {n_groups} group{'s' * (n_groups > 1)}" if n_groups else ""
    ending = "converged after" if model.converged_ else "did not converge in"
    console = Console(highlight=False)
    console.print(
        f"{len(model.components_)} factors{grouped} explain {summary.explained:.1%} of the "
        f"variance; {ending} {model.n_iter_} iterations, {seconds:.1f} s"
    )
    console.print(escape(f"{output}    next: minsyn inspect {output}"), soft_wrap=True)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
