"""``minsyn synergy``: measures of synergy between columns of a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._data import read_as_numbers
from minsyn.commands._options import (
    Decimal,
    Encoding,
    Header,
    Missing,
    Separator,
    choose_columns,
    require_option,
    split_names,
    table_format,
)
from minsyn.commands._outputs import check_file
from minsyn.commands._reading import reading

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from minsyn.information import SynergyResult

__all__ = ["synergy"]

#: Heading of the options of time series in the help.
_SERIES = "Time series"
#: The most targets that are printed.
_TARGETS_SHOWN = 40


def synergy(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Table: text (.csv, .tsv, ...), Parquet, Feather or Excel."
        ),
    ],
    sources: Annotated[
        list[str],
        typer.Option(help="Source columns: `--sources a b c` or `--sources a,b,c`."),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="Target columns, each measured on its own.",
            show_default="all other columns; only numeric ones unless the model is discrete",
        ),
    ] = None,
    sep: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    header: Header = None,
    missing: Missing = None,
    model: Annotated[
        str,
        typer.Option(
            help="`gaussian`, `copula` (Gaussian in the ranks), `discrete` or `nearest-neighbors` "
            "(continuous, of any distribution; without union information)."
        ),
    ] = "gaussian",
    measures: Annotated[
        list[str] | None,
        typer.Option(
            help="`all`: `mutual_information`, `union_information`, `gk_synergy`, `ci_synergy`, "
            "`whole_minus_sum`, `total_correlation`; for the discrete model also "
            "`imin_redundancy` and `s_max`, for nearest neighbors `interaction_information`. "
            "`atoms`: `redundancy`, `unique_information` of each source, and `gk_synergy`. By name "
            "only: `source_information` of each source, `o_information`.",
            show_default="all",
        ),
    ] = None,
    unit: Annotated[str, typer.Option(help="`bits` or `nats`.")] = "bits",
    bias_correction: Annotated[
        str,
        typer.Option(
            help="`none`, `jackknife`, `wishart` (Gaussian models), `miller-madow` or `shrinkage` "
            "(discrete model). `auto` is wishart for Gaussian models, jackknife for discrete."
        ),
    ] = "auto",
    bins: Annotated[
        int | None,
        typer.Option(
            help="Number of bins of continuous columns, for the discrete model.",
            show_default=False,
        ),
    ] = None,
    binning: Annotated[
        str | None,
        typer.Option(
            help="`equal-frequency` or `equal-width`, with `--bins`.",
            show_default="equal-frequency",
        ),
    ] = None,
    neighbors: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of neighbors, for the model nearest-neighbors.", show_default="3"
        ),
    ] = None,
    lag: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Steps by which sources precede targets, for rows that are time series: `--lag 1` "
            "or `--lag 1 2 3`. Intervals and p-values take the autocorrelation into account.",
            rich_help_panel=_SERIES,
            show_default="rows are independent",
        ),
    ] = None,
    trials: Annotated[
        str | None,
        typer.Option(
            help="Column that names the trial, subject or group of each row; no lag crosses their "
            "borders.",
            rich_help_panel=_SERIES,
            show_default="one trial",
        ),
    ] = None,
    block_length: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Mean length of the blocks of the bootstrap.",
            rich_help_panel=_SERIES,
            show_default="estimated",
        ),
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Number of bootstrap samples for confidence intervals.")
    ] = 0,
    confidence: Annotated[
        float | None,
        typer.Option(help="Coverage of the intervals, with `--bootstrap`.", show_default="0.95"),
    ] = None,
    permutations: Annotated[
        int,
        typer.Option(
            min=0, help="Number of permutations for p-values, which are adjusted over the targets."
        ),
    ] = 0,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed, with `--bootstrap` or `--permutations`.", show_default="0"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write all numbers to a .csv, .parquet or .json file.", show_default=False
        ),
    ] = None,
) -> None:
    """Measure the information of sources about each target, and their synergy.

    Rows in which a value is missing are not used.

    For example: minsyn synergy data.csv --sources a b c --targets x y --permutations 999

    Of time series: minsyn synergy series.csv --sources a b c --targets c --lag 1 --trials subject
    """
    if output is not None:
        check_file(output, tuple(_WRITERS), read=file)
    resampled = bool(bootstrap or permutations)
    require_option("--binning", binning, "--bins", bins is not None)
    require_option("--confidence", confidence, "--bootstrap", bool(bootstrap))
    require_option("--seed", seed, "--bootstrap or --permutations", resampled)
    require_option("--trials", trials, "--lag", lag is not None)
    require_option("--block-length", block_length, "--lag", lag is not None)
    by_neighbors = model == "nearest-neighbors"
    require_option("--neighbors", neighbors, "--model nearest-neighbors", by_neighbors)
    from minsyn.data import read_table
    from minsyn.data.tables import open_table
    from minsyn.information import synergy as measure

    layout = table_format(sep, decimal, encoding, header, missing)
    with reading(file):
        table = read_table(file, layout)
    source_names = _columns(table, sources, "--sources")
    of_trials = [] if trials is None else choose_columns(_names(table), [trials], "--trials")
    left_out: list[str] = []
    if targets is None:
        others = [name for name in _names(table) if name not in {*source_names, *of_trials}]
        if model != "discrete":
            left_out = [name for name in others if table[name].dtype.kind not in "fiub"]
        target_names = [name for name in others if name not in left_out]
        if not target_names:
            raise ValueError("--sources names every column: choose the targets with --targets")
    else:
        target_names = _columns(table, targets, "--targets")
    options: dict[str, Any] = {
        "measures": split_names(measures) if measures is not None else "all",
        "unit": unit,
        "bias_correction": bias_correction,
        "bins": bins,
        "binning": binning or "equal-frequency",
        "n_bootstrap": bootstrap,
        "confidence": 0.95 if confidence is None else confidence,
        "n_permutations": permutations,
        "n_neighbors": neighbors or 3,
        "lag": lag,
        "block_length": block_length,
        "random_state": seed or 0,
        "verbose": 1,
    }
    used = [*source_names, *target_names]
    text = [name for name in used if table[name].dtype.kind not in "fiub"]
    if text and model in ("gaussian", "copula", "nearest-neighbors"):
        raise ValueError(f"column {text[0]!r} is not numeric; categories need --model discrete")
    chosen: Any = model
    complete, about_rows = _complete_rows(file, table, [*used, *of_trials])
    if lag is not None:
        options["trials"] = _runs(table, complete, trials)
    result = measure(complete[source_names], complete[target_names], chosen, **options)
    about_answers = read_as_numbers(open_table(file, layout), used)
    _print(result, left_out, [note for note in (about_answers, about_rows) if note])
    if output is not None:
        _write(result.to_frame(), output)
        typer.echo(str(output))


def _columns(table: "DataFrame", words: list[str], option: str) -> list[str]:
    return choose_columns(_names(table), words, option)


def _names(table: "DataFrame") -> list[str]:
    return list(map(str, table.columns))


def _runs(table: "DataFrame", complete: "DataFrame", trials: str | None) -> "Series[int]":
    """Number of the run of rows that each complete row is in: within trials, without holes."""
    from pandas import Series

    labels = Series(0, index=table.index) if trials is None else table[trials]
    left_out = Series(~table.index.isin(complete.index), index=table.index)
    holes = left_out.groupby(labels).cumsum()[complete.index]
    return complete.groupby([labels[complete.index], holes]).ngroup()


def _complete_rows(file: Path, table: "DataFrame", names: list[str]) -> "tuple[DataFrame, str]":
    """The rows in which some columns all have a value, and how many they are if not all."""
    frame = table[list(dict.fromkeys(names))]
    holes = frame.isna()
    complete = ~holes.any(axis=1)
    if complete.all():
        return frame, ""
    n_missing = holes.sum()
    most = f"most are missing in column {n_missing.idxmax()!r} ({n_missing.max():,})"
    if not complete.any():
        raise ValueError(
            f"{file}: no row has a value in all columns of --sources and --targets; {most}: "
            "choose other columns"
        )
    kept = frame[complete]
    note = f"missing values: the {len(kept):,} of {len(frame):,} rows that are complete are used"
    return kept, f"{note}; {most}"


_WRITERS = {
    ".csv": lambda frame, file: frame.to_csv(file, index=False),
    ".parquet": lambda frame, file: frame.to_parquet(file, index=False, write_page_checksum=True),
    ".json": lambda frame, file: frame.to_json(
        file, orient="records", indent=1, double_precision=15
    ),
}


def _write(frame: "DataFrame", output: Path) -> None:
    from minsyn._atomic import replacing

    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as file:
        _WRITERS[output.suffix.lower()](frame, file)


def _print(result: "SynergyResult", left_out: list[str], about_data: list[str]) -> None:
    """Print a row for each target and measure."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from minsyn.information.measures import in_words

    table = Table()
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
            table.add_row(name, escape(in_words(measure)), *_row(result, measure, i))
        table.add_section()
    console = Console(highlight=False)
    console.print(table)
    notes = [*_notes(result), *about_data]
    if left_out:
        notes.append(f"no targets, as they are not numeric: {', '.join(left_out)}")
    for note in notes:
        console.print(escape(note), style="dim", soft_wrap=True)


def _notes(result: "SynergyResult") -> list[str]:
    notes = [
        f"{result.n_samples:,} samples, {len(result.sources)} sources: {', '.join(result.sources)}",
        f"{result.model} model, {result.unit}, bias correction: {result.bias_correction}",
    ]
    notes += result.notes()
    if result.intervals is not None:
        notes.append(f"intervals: {result.n_bootstrap} bootstrap samples")
    if result.q_values is not None:
        kind = "surrogates" if result.lags else "permutations"
        notes.append(f"p: {result.n_permutations} {kind}; q: adjusted over the targets")
        notes.append(f"null: {result.describe_null()}")
    hidden = len(result.targets) - _TARGETS_SHOWN
    if hidden > 0:
        notes.append(f"{hidden} more targets are not shown; --output writes all")
    return notes


def _row(result: "SynergyResult", measure: str, i: int) -> list[str]:
    cells = [_number(result.shown(measure)[i])]
    if result.intervals is not None:
        low, high = result.intervals[measure][i]
        cells.append(f"{_number(low)} to {_number(high)}")
    if result.p_values is not None and result.q_values is not None:
        cells += [f"{v[measure][i]:.2g}" for v in (result.p_values, result.q_values)]
    return cells


def _number(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:.4f}"  # no minus zero
