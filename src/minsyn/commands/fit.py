"""``minsyn fit``: a MinSyn model of the user's own table."""

import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._data import UserData, open_data
from minsyn.commands._provenance import Provenance

if TYPE_CHECKING:
    import numpy as np

    from minsyn import MinSyn
    from minsyn.data import ColumnStatistics, SampleStream

__all__ = ["fit"]

_SCALES = ("none", "standard", "range")
#: Tables above this size, in float32, are passed over by blocks: memory does not grow with them.
_WHOLE_BYTES = 128 * 2**20
#: Standard deviations this much apart are pointed out: the smaller hardly count.
_UNEVEN = 10.0


def fit(
    data: Annotated[
        Path,
        typer.Argument(help="A .csv or .parquet table, or a .npy or .npz array: a row a sample."),
    ],
    n_components: Annotated[int, typer.Option(min=1, help="How many factors to look for.")],
    output: Annotated[Path, typer.Option(help="Folder for the model.")],
    decoder: Annotated[
        str,
        typer.Option(
            help="`gaussian` for real numbers, `bernoulli` for probabilities and yes or no (0, 1)."
        ),
    ] = "gaussian",
    scale: Annotated[
        str,
        typer.Option(
            help="`none`; `standard`: every feature to mean 0 and variance 1, so that all count "
            "alike; `range`: every feature to [0, 1], for the Bernoulli decoder. The model takes "
            "the data as they are all the same."
        ),
    ] = "none",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Features: `--columns a b c`, commas, or repeated options.",
            show_default="all columns of numbers",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Columns of numbers that are no features.")
    ] = None,
    solver: Annotated[
        str | None, typer.Option(help="`auto`, `adam` or `lbfgs`.", show_default="as MinSyn")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=2, help="Samples of a training step.", show_default="all; 512 for large tables"
        ),
    ] = None,
    n_init: Annotated[
        int | None,
        typer.Option(min=1, help="Starts; the best is kept.", show_default="as MinSyn"),
    ] = None,
    max_iter: Annotated[
        int | None,
        typer.Option(min=1, help="Most passes over the data.", show_default="as MinSyn"),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option(min=0, help="Least relative fall of the loss.", show_default="as MinSyn"),
    ] = None,
    seed: Annotated[int, typer.Option(help="What all random numbers derive from.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Learn factors that each mean something alone.

    For example: minsyn fit data.csv --n-components 5 --scale standard --output model
    """
    if decoder not in ("gaussian", "bernoulli"):
        raise ValueError(f"--decoder {decoder}: expected gaussian or bernoulli")
    if scale not in _SCALES:
        raise ValueError(f"--scale {scale}: expected {', '.join(_SCALES)}")
    _check_folder(output)
    from minsyn import MinSyn
    from minsyn.data import column_statistics

    user_data = open_data(data, columns, drop)
    statistics = column_statistics(user_data.samples)
    _check_range(user_data, statistics, decoder, scale)
    if not quiet:
        _print_data(user_data, statistics, scale)
    chosen = {
        "solver": solver,
        "batch_size": batch_size,
        "n_init": n_init,
        "max_iter": max_iter,
        "tol": tol,
    }
    kind: Any = decoder
    options: Any = {name: value for name, value in chosen.items() if value is not None}
    model = MinSyn(n_components, decoder=kind, random_state=seed, verbose=int(not quiet), **options)
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        unit = _fit(model, user_data, statistics, scale)
    model.save(output)
    Provenance(str(data), scale, None if unit is None else unit.tolist()).save(output)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"Warning: {message}", err=True)
    if not quiet:
        _print_model(model, unit, output, time.perf_counter() - start)


def _fit(
    model: "MinSyn", user_data: UserData, statistics: "ColumnStatistics", scale: str
) -> "np.ndarray | None":
    """Fit to scaled samples and leave a model of the samples as they are; what scaled them."""
    import numpy as np

    from minsyn.estimators._scaling import undo_scaling

    samples, unit = user_data.samples, None
    if scale == "none":
        model.fit(_of_fitting_size(samples, model.solver))
    else:
        origin, unit = _scaling(statistics, scale)
        model.fit(_of_fitting_size(samples.scaled(origin, unit), model.solver))
        undo_scaling(model, origin, unit)
    if samples.feature_names is not None:
        model.feature_names_in_ = np.array(samples.feature_names, dtype=object)
    return unit


def _of_fitting_size(samples: "SampleStream", solver: str) -> Any:
    """All samples at once where they are few, or the solver wants them so; else by blocks."""
    import numpy as np

    if solver != "lbfgs" and 4 * samples.n_samples * samples.n_features > _WHOLE_BYTES:
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
    if decoder != "bernoulli" or scale == "range":
        return
    if scale == "standard":
        raise ValueError(
            "--scale standard does not go with --decoder bernoulli, whose features lie in [0, 1]: "
            "take --scale range"
        )
    outside = (statistics.minimum < 0) | (statistics.maximum > 1)
    if outside.any():
        j = int(outside.argmax())
        names = user_data.samples.feature_names
        raise ValueError(
            f"{user_data.file}: column {names[j] if names else j!r} ranges from "
            f"{statistics.minimum[j]:.6g} to {statistics.maximum[j]:.6g}, outside the [0, 1] of "
            "--decoder bernoulli: take --scale range, or --decoder gaussian"
        )


def _check_folder(output: Path) -> None:
    """Tell now, and not after the fit, that a model cannot go there."""
    if output.exists() and not output.is_dir():
        raise ValueError(f"--output {output}: a model is a folder, and this is a file")
    if output.is_dir() and any(output.iterdir()) and not (output / "model.json").is_file():
        raise ValueError(f"--output {output}: this folder holds other things than a model")


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
        notes.append("the first line, taken for names, holds only numbers: is the header missing?")
    if user_data.not_numbers:
        notes.append(f"not numbers, left out: {_listed(user_data.not_numbers)}")
    if user_data.left_out:
        notes.append(f"not chosen: {_listed(user_data.left_out)}")
    constant = int(statistics.constant.sum())
    if constant:
        notes.append(f"{constant} features are the same in all samples")
    varying = statistics.std[~statistics.constant]
    if scale == "none" and len(varying) and varying.max() > _UNEVEN * varying.min():
        notes.append(
            f"standard deviations range from {varying.min():.3g} to {varying.max():.3g}, and "
            "features count by their variance: --scale standard lets them count alike"
        )
    for note in notes:
        console.print(escape(note), style="dim", soft_wrap=True)


def _print_model(model: "MinSyn", unit: "np.ndarray | None", output: Path, seconds: float) -> None:
    from rich.console import Console
    from rich.markup import escape

    from minsyn.metrics import summarise_factors

    # A Bernoulli decoder's statistics are of the scaled features.
    summary = summarise_factors(model.statistics_, unit if model.decoder == "gaussian" else None)
    rounds = "rounds of training"
    console = Console(highlight=False)
    console.print(
        f"The {len(model.components_)} factors explain {summary.explained:.1%} of the variance; "
        f"{'settled' if model.converged_ else 'stopped'} after {model.n_iter_} {rounds}, "
        f"{seconds:.1f} s"
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
