"""The command line: options in, the benchmark run, its table and figures out."""

# What a command needs is imported when it runs: `minsyn --help` loads neither torch nor Matplotlib.
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from minsyn._version import __version__
from minsyn.commands._cells import clear_errors, console, exit_with, run_cells, split_keys
from minsyn.commands._errors import CommandGroup
from minsyn.commands._variadic import VariadicCommand
from minsyn.commands.ablation import ablation
from minsyn.commands.figure1 import figure1
from minsyn.commands.fit import fit
from minsyn.commands.inspect import inspect
from minsyn.commands.robustness import robustness
from minsyn.commands.synergy import synergy
from minsyn.commands.tasks import tasks
from minsyn.commands.transform import transform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from minsyn.benchmark import (
        CellResult,
        Experiment,
        Method,
        MethodSummary,
        Store,
    )

__all__ = ["app"]

app = typer.Typer(
    cls=CommandGroup,
    help="Informational synergy: measure it, and learn representations with little of it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

Letters = Annotated[
    str,
    typer.Option(
        help="Images of letters: `typewriter` (rendered, no network), `emnist` (handwriting, "
        "downloaded once), or the path of an .npz file or folder of your own."
    ),
]
Draws = Annotated[int, typer.Option(help="How many times letters are drawn anew.")]
Components = Annotated[int, typer.Option(help="Factors of each method.")]
Resample = Annotated[
    str,
    typer.Option(
        help="How often images of letters are drawn anew: `none` (one image of each letter, the "
        "paper's task), `words` (one within each word), `all` (a new one each time)."
    ),
]
SamplesPerWord = Annotated[int, typer.Option(help="Images of each word.")]
Jobs = Annotated[int, typer.Option(help="Cells run at once; -1 is one on each core.")]
Seed = Annotated[int, typer.Option(help="What all random numbers derive from.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Discard what the output folder holds of earlier runs.")
]


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"minsyn {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def benchmark(
    letters: Letters = "typewriter",
    draws: Draws = 3,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Methods, separated by commas or in repeated options. Known: "
            "`minsyn-bernoulli`, `minsyn-gaussian`, `ica`, `infomax`, `pca`, `autoencoder`, "
            "`denoising` (the paper's seven), `minsyn-single-parent`, `oracle` (told the "
            "positions of the characters); `minsyn-correlation`, grouped by correlation; "
            "scikit-learn's `nmf`, `dictionary` and `sparse-pca` "
            "(slow); and `minsyn-bernoulli-batch`, which decodes each batch with the batch's own "
            "statistics.",
            show_default="the first nine",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Method that the others are tested against (Wilcoxon, Holm-corrected).",
            show_default="minsyn-gaussian",
        ),
    ] = None,
    components: Components = 9,
    resample: Resample = "none",
    samples_per_word: SamplesPerWord = 1,
    batch_size: Annotated[
        int, typer.Option(help="Words in a batch, for `minsyn-bernoulli-batch`.")
    ] = 32,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/words"),
    overwrite: Overwrite = False,
) -> None:
    """Compare methods on images of words: how they reconstruct, and how they disentangle.

    Each method is fitted on every draw of letters. Finished cells stay in the output folder: the
    same command goes on where it was stopped, and more methods or draws add to what is there.

    The table has means with bootstrap intervals over draws, and paired tests against a reference.

    Writes results.csv (every draw), summary.csv, summary.json, table.md and figures/ into the
    output folder.
    """
    with clear_errors(output):
        chosen = _methods(methods, batch_size)
        _require_reference(reference, chosen)
        experiment = _experiment(
            letters, chosen, draws, components, resample, samples_per_word, seed
        )
        store, failures = run_cells(experiment, output, jobs, overwrite)
        _report_benchmark(experiment, store, letters, reference)
        exit_with((store, failures))


@app.command("batch-statistics")
def batch_statistics(
    batch_sizes: Annotated[
        str, typer.Option(help="Batch sizes, separated by commas or spaces.")
    ] = "4,8,16,32,64,149",
    letters: Letters = "typewriter",
    draws: Draws = 3,
    components: Components = 9,
    resample: Resample = "none",
    samples_per_word: SamplesPerWord = 1,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path(
        "runs/batch-statistics"
    ),
    overwrite: Overwrite = False,
) -> None:
    """Show what MinSyn (Binary) scores when each batch is decoded with its own statistics.

    Such a decoder has seen the pixels that it reconstructs, the more so the smaller the batch.
    The scores are set beside those with statistics fixed after training, and the paper's.

    Writes results.csv, table.md and figures/ into the output folder.
    """
    with clear_errors(output):
        from minsyn.benchmark import METHODS, batch_method

        sizes = _sizes(batch_sizes)
        chosen = (METHODS["minsyn-bernoulli"], *map(batch_method, sizes))
        experiment = _experiment(
            letters, chosen, draws, components, resample, samples_per_word, seed
        )
        store, failures = run_cells(experiment, output, jobs, overwrite)
        _report_batches(experiment, store, letters, sizes)
        exit_with((store, failures))


app.command("fit", cls=VariadicCommand)(fit)
app.command("transform", cls=VariadicCommand)(transform)
app.command("inspect")(inspect)
app.command("synergy", cls=VariadicCommand)(synergy)
app.command("robustness")(robustness)
app.command("tasks")(tasks)
app.command("ablation")(ablation)
app.command("figure1")(figure1)


def _methods(keys: list[str] | None, batch_size: int) -> tuple["Method", ...]:
    from minsyn.benchmark import find_methods

    if keys is not None:
        chosen = find_methods(split_keys(keys), batch_size=batch_size)
        for method in chosen:
            method.require()
        return chosen
    present = []
    for method in find_methods():
        if method.is_available:
            present.append(method)
        elif method.needs is not None:
            module, extra = method.needs
            console.print(
                f"[yellow]{method.label} is left out: it needs {module} "
                f"(pip install 'minsyn\\[{extra}]').[/yellow]"
            )
    return tuple(present)


def _require_reference(reference: str | None, methods: tuple["Method", ...]) -> None:
    keys = [method.key for method in methods]
    if reference is not None and reference not in keys:
        raise ValueError(
            f"reference: {reference!r} is not among the methods; choose one of {', '.join(keys)}"
        )


def _sizes(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    odd = next((part for part in parts if not part.isdecimal()), None)
    if odd is not None or not parts:
        raise ValueError(
            f"batch-sizes: expected whole numbers such as 4,16,64, found {odd or text!r}"
        )
    return sorted({int(part) for part in parts})


def _experiment(
    letters: str,
    methods: tuple["Method", ...],
    draws: int,
    components: int,
    resample: str,
    samples_per_word: int,
    seed: int,
) -> "Experiment":
    from minsyn.benchmark import Experiment
    from minsyn.datasets import load_letters

    return Experiment(
        load_letters(letters), methods, draws, components, resample, samples_per_word, seed
    )


def _report_benchmark(
    experiment: "Experiment", store: "Store", letters: str, reference: str | None
) -> None:
    from minsyn.benchmark import DEFAULT_METHODS, REFERENCE
    from minsyn.report import benchmark_figures

    def command(rows: list["MethodSummary"]) -> str:
        keys = [row.key for row in rows]
        methods = "" if keys == list(DEFAULT_METHODS) else f" --methods {','.join(keys)}"
        against = "" if reference in (None, REFERENCE) else f" --reference {reference}"
        return _command("benchmark", letters, experiment, rows) + methods + against

    _report(
        experiment,
        store,
        command,
        lambda results, rows: benchmark_figures(experiment, results, rows),
        reference or REFERENCE,
    )


def _report_batches(
    experiment: "Experiment", store: "Store", letters: str, sizes: list[int]
) -> None:
    from minsyn.report import batch_figure

    def command(rows: list["MethodSummary"]) -> str:
        listed = ",".join(map(str, sizes))
        stem = _command("batch-statistics", letters, experiment, rows)
        return f"{stem} --batch-sizes {listed}"

    _report(
        experiment,
        store,
        command,
        lambda results, rows: {"batch_statistics": batch_figure(results, sizes)},
        "minsyn-bernoulli",
    )


def _report(
    experiment: "Experiment",
    store: "Store",
    command: Callable[[list["MethodSummary"]], str],
    figures: Callable[[list["CellResult"], list["MethodSummary"]], dict[str, "Figure"]],
    reference: str,
) -> None:
    """Write all results, tables and figures; print the tables and where they are."""
    from minsyn._atomic import write_atomically
    from minsyn.benchmark import (
        caption,
        compare,
        comparison_note,
        markdown_table,
        results_frame,
        summarise,
        summary_frame,
        summary_json,
        table_notes,
    )
    from minsyn.report import save_figures, terminal_comparisons, terminal_table

    results = store.results()
    rows = summarise(results, experiment.methods)
    tests = compare(results, [row.key for row in rows if not row.leaks], reference)
    summary = summary_frame(rows, tests)
    texts = {
        "results.csv": results_frame(results, experiment.seed).to_csv(index=False),
        "summary.csv": summary.to_csv(index=False),
        "summary.json": summary_json(summary, experiment),
        "table.md": markdown_table(rows, experiment, command(rows), tests),
    }
    for name, text in texts.items():
        write_atomically(store.folder / name, text)
    drawn = save_figures(figures(results, rows), store.folder / "figures") if rows else []
    console.print()
    console.print(terminal_table(rows))
    for paragraph in (caption(rows, experiment), *table_notes(rows)):
        console.print(escape(paragraph), style="dim")
    if tests:
        console.print()
        console.print(terminal_comparisons(rows, tests))
        console.print(escape(comparison_note(rows, tests)), style="dim")
    console.print()
    for path in (*(store.folder / name for name in texts), *drawn):
        console.print(escape(str(path)), soft_wrap=True)


def _command(name: str, letters: str, experiment: "Experiment", rows: list[Any]) -> str:
    """The command that makes a table's numbers again; output and jobs do not matter to them."""
    return (
        f"minsyn {name} --letters {shlex.quote(letters)} "
        f"--draws {max((row.draws for row in rows), default=experiment.draws)} "
        f"--components {experiment.n_components} --resample {experiment.resample} "
        f"--samples-per-word {experiment.samples_per_word} --seed {experiment.seed}"
    )
