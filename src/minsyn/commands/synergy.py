"""``minsyn synergy``: every measure of a table's columns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._columns import choose_columns, split_names
from minsyn.commands._variadic import VariadicCommand

if TYPE_CHECKING:
    from pandas import DataFrame

    from minsyn.information import SynergyResult

__all__ = ["VariadicCommand", "synergy"]

#: Targets that are printed; more scroll away, and belong into a file.
_TARGETS_SHOWN = 40


def synergy(
    file: Annotated[
        Path, typer.Argument(help="A .csv or .parquet table: a row a sample, named columns.")
    ],
    sources: Annotated[
        list[str],
        typer.Option(help="Columns that tell: `--sources a b c`, commas, or repeated options."),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns told about, each on its own.", show_default="all that are not sources"
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="`gaussian`, `copula` (Gaussian in the ranks) or `discrete`.")
    ] = "gaussian",
    measures: Annotated[
        list[str] | None,
        typer.Option(
            help="Of `mutual_information`, `union_information`, `gk_synergy`, `ci_synergy`, "
            "`whole_minus_sum`, `total_correlation`; discrete also `imin_redundancy`, `s_max`.",
            show_default="all",
        ),
    ] = None,
    unit: Annotated[str, typer.Option(help="`bits` or `nats`.")] = "bits",
    bias_correction: Annotated[
        str,
        typer.Option(
            help="`none`, `jackknife`, `wishart` (Gaussian models), `miller-madow` or `shrinkage` "
            "(discrete); `auto` is wishart or jackknife."
        ),
    ] = "auto",
    bins: Annotated[
        int | None, typer.Option(help="Bins for continuous columns of the discrete model.")
    ] = None,
    binning: Annotated[
        str, typer.Option(help="`equal-frequency` or `equal-width` bins.")
    ] = "equal-frequency",
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Bootstrap samples for confidence intervals.")
    ] = 0,
    confidence: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
    permutations: Annotated[
        int, typer.Option(min=0, help="Permutations for p-values, adjusted over the targets.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the bootstrap and the permutations.")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="Write all numbers to a .csv, .parquet or .json file.")
    ] = None,
) -> None:
    """Measure how much the sources tell about each target, and how much only together.

    For example: minsyn synergy data.csv --sources a b c --targets x y --permutations 999
    """
    from minsyn.information import synergy as measure

    _check_output(output)
    table = _read(file)
    source_names = _columns(table, sources, "--sources")
    if targets is None:
        target_names = [name for name in map(str, table.columns) if name not in source_names]
        if not target_names:
            raise ValueError("every column is a source: name the columns of --targets")
    else:
        target_names = _columns(table, targets, "--targets")
    options: dict[str, Any] = {
        "measures": split_names(measures) if measures is not None else "all",
        "unit": unit,
        "bias_correction": bias_correction,
        "bins": bins,
        "binning": binning,
        "n_bootstrap": bootstrap,
        "confidence": confidence,
        "n_permutations": permutations,
        "random_state": seed,
    }
    chosen: Any = model
    result = measure(table[source_names], table[target_names], chosen, **options)
    _print(result)
    if output is not None:
        _write(result.to_frame(), output)
        typer.echo(str(output))


def _columns(table: "DataFrame", words: list[str], option: str) -> list[str]:
    return choose_columns(list(map(str, table.columns)), words, option)


def _read_csv(file: Path) -> "DataFrame":
    import pandas as pd

    try:
        return pd.read_csv(file)
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"{file} is empty; a header line with the columns' names is needed"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no table of comma-separated values: {error}") from error


def _read_parquet(file: Path) -> "DataFrame":
    import pandas as pd

    try:
        return pd.read_parquet(file)
    except ImportError as error:
        raise ImportError(f"{file}: parquet needs pip install 'minsyn[parquet]'") from error


_READERS = {".csv": _read_csv, ".parquet": _read_parquet}


def _read(file: Path) -> "DataFrame":
    if file.suffix.lower() not in _READERS:
        raise ValueError(f"{file}: expected a .csv or .parquet file")
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file")
    table = _READERS[file.suffix.lower()](file)
    table.columns = table.columns.map(str)
    return table


_WRITERS = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".json": lambda frame, path: frame.to_json(
        path, orient="records", indent=1, double_precision=15
    ),
}


def _check_output(output: Path | None) -> None:
    if output is not None and output.suffix.lower() not in _WRITERS:
        raise ValueError(f"--output {output}: expected a name ending in {', '.join(_WRITERS)}")


def _write(frame: "DataFrame", output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[output.suffix.lower()](frame, output)


def _print(result: "SynergyResult") -> None:
    """A row for each target and measure: fits the width of any terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(caption=escape("\n".join(_notes(result))), caption_justify="left")
    for heading in ("target", "measure"):
        table.add_column(heading)
    headings = [result.unit]
    headings += [f"{result.confidence:.0%} interval"] * (result.intervals is not None)
    headings += ["p", "q"] * (result.q_values is not None)
    for heading in headings:
        table.add_column(heading, justify="right")
    for i, target in enumerate(result.targets[:_TARGETS_SHOWN]):
        for j, measure in enumerate(result.measures):
            name = escape(target) if j == 0 else ""
            table.add_row(name, measure.replace("_", " "), *_row(result, measure, i))
        table.add_section()
    Console(highlight=False).print(table)


def _notes(result: "SynergyResult") -> list[str]:
    notes = [
        f"{result.n_samples} samples, {len(result.sources)} sources: {', '.join(result.sources)}",
        f"{result.model} model, {result.unit}, bias correction: {result.bias_correction}",
    ]
    if result.discretisation:
        notes.append(f"discretised: {result.discretisation}")
    if result.intervals is not None:
        notes.append(f"intervals: {result.n_bootstrap} bootstrap samples")
    if result.q_values is not None:
        notes.append(f"p: {result.n_permutations} permutations; q: adjusted over the targets")
    hidden = len(result.targets) - _TARGETS_SHOWN
    if hidden > 0:
        notes.append(f"{hidden} more targets are not shown; --output writes all")
    return notes


def _row(result: "SynergyResult", measure: str, i: int) -> list[str]:
    cells = [_number(result[measure][i])]
    if result.intervals is not None:
        low, high = result.intervals[measure][i]
        cells.append(f"{_number(low)} to {_number(high)}")
    if result.p_values is not None and result.q_values is not None:
        cells += [f"{v[measure][i]:.2g}" for v in (result.p_values, result.q_values)]
    return cells


def _number(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:.4f}"  # no minus zero
