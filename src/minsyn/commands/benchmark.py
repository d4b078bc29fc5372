"""``minsyn benchmark``: methods on images of words, their table, figures and page."""

# What a command needs is imported when it runs: `minsyn --help` loads neither torch nor Matplotlib.
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from minsyn._progress import stage
from minsyn.commands._cells import clear_errors, console, exit_with, run_cells, split_keys

if TYPE_CHECKING:
    from minsyn.benchmark import Experiment, Method, MethodSummary, Store

__all__ = ["benchmark"]


def benchmark(
    letters: Annotated[
        str,
        typer.Option(
            help="Images of letters: `typewriter` (rendered, no network), `emnist` (handwriting, "
            "downloaded once), or the path of an .npz file or folder."
        ),
    ] = "typewriter",
    draws: Annotated[int, typer.Option(help="Number of draws of letters.")] = 3,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Methods, separated by commas or in repeated options: "
            "`minsyn-bernoulli`, `minsyn-gaussian`, `ica`, `infomax`, `pca`, `autoencoder`, "
            "`denoising` (the paper's seven), `minsyn-vector`, `oracle` (told the positions of the "
            "characters); scikit-learn's `nmf`, `dictionary` and `sparse-pca` (slow); "
            "`pca-varimax` and `fa-varimax` (factor analysis); `linear-corex`; `beta-vae`, "
            "`beta-tcvae` and `information-dropout`.",
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
    components: Annotated[int, typer.Option(help="Number of factors of each method.")] = 9,
    resample: Annotated[
        str,
        typer.Option(
            help="Images of a letter: `none` (the same one everywhere, the paper's task), `words` "
            "(one in each word), `all` (a new one each time)."
        ),
    ] = "none",
    samples_per_word: Annotated[int, typer.Option(help="Number of images of each word.")] = 1,
    jobs: Annotated[
        int, typer.Option(help="Number of fits at the same time; -1 is one for each core.")
    ] = -1,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/words"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Discard earlier results in the output folder.")
    ] = False,
) -> None:
    """Compare methods on images of words: reconstruction and disentanglement.

    Each method is fitted on every draw of letters. Finished fits stay in the output folder: the
    same command continues an interrupted run, and further methods or draws add to the results.

    The table has means with bootstrap intervals over draws, and paired tests against a reference.

    Writes results.csv (every draw), summary.csv, summary.json, table.md, figures/ and page.html
    into the output folder. The page is interactive and needs no network: move the factors of each
    method, and see the word.
    """
    with clear_errors(output):
        from minsyn.benchmark import Experiment
        from minsyn.datasets import load_letters

        chosen = _methods(methods)
        _require_reference(reference, chosen)
        experiment = Experiment(
            load_letters(letters), chosen, draws, components, resample, samples_per_word, seed
        )
        store, failures = run_cells(experiment, output, jobs, overwrite)
        _report(experiment, store, letters, reference)
        exit_with((store, failures))


def _methods(keys: list[str] | None) -> tuple["Method", ...]:
    from minsyn.benchmark import find_methods

    if keys is not None:
        chosen = find_methods(split_keys(keys))
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


def _report(experiment: "Experiment", store: "Store", letters: str, reference: str | None) -> None:
    """Write all results, tables and figures; print the tables and the files."""
    from minsyn._atomic import write_atomically
    from minsyn.benchmark import (
        DEFAULT_METHODS,
        REFERENCE,
        benchmark_table,
        caption,
        compare,
        comparison_note,
        results_frame,
        summarise,
        summary_frame,
        summary_json,
        table_notes,
    )
    from minsyn.report import (
        benchmark_figures,
        benchmark_page,
        save_figures,
        terminal_comparisons,
        terminal_table,
    )

    results = store.results()
    rows = summarise(results, experiment.methods)
    keys = [row.key for row in rows]
    tests = compare(results, keys, reference or REFERENCE)
    summary = summary_frame(rows, tests)
    command = _command(letters, experiment, rows)
    if keys != list(DEFAULT_METHODS):
        command += f" --methods {','.join(keys)}"
    if reference not in (None, REFERENCE):
        command += f" --reference {reference}"
    with stage("writing tables and page", shown=True):
        texts = {
            "results.csv": results_frame(results, experiment.seed).to_csv(index=False),
            "summary.csv": summary.to_csv(index=False),
            "summary.json": summary_json(summary, experiment),
            "table.md": benchmark_table(rows, experiment, command, tests),
            "page.html": benchmark_page(experiment, results, rows),
        }
    for name, text in texts.items():
        write_atomically(store.folder / name, text)
    with stage("drawing the figures", shown=True):
        figures = benchmark_figures(experiment, results, rows)
        drawn = save_figures(figures, store.folder / "figures") if rows else []
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


def _command(letters: str, experiment: "Experiment", rows: list["MethodSummary"]) -> str:
    """Command that reproduces the numbers of a table."""
    return (
        f"minsyn benchmark --letters {shlex.quote(letters)} "
        f"--draws {max((row.draws for row in rows), default=experiment.draws)} "
        f"--components {experiment.n_components} --resample {experiment.resample} "
        f"--samples-per-word {experiment.samples_per_word} --seed {experiment.seed}"
    )
