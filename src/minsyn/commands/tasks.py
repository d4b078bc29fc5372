"""``minsyn tasks``: data sets that no method was tuned on."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from minsyn.commands._cells import clear_errors, console, exit_with, run_cells, split_keys

if TYPE_CHECKING:
    from minsyn.benchmark import CellResult, Method, Task
    from minsyn.datasets import Letters

__all__ = ["tasks"]

_METHODS = "minsyn-bernoulli,minsyn-gaussian,minsyn-single-parent,oracle,ica,pca,autoencoder"


def tasks(
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="Tasks, separated by commas or in repeated options: `words-3` (the paper's), "
            "`words-4`, `words-5`, `few-40` and `few-25` (training words), `new-images` (a new "
            "image for every letter), `fonts`, `digits` (three-digit numbers), `genes` (a "
            "gene-like table).",
            show_default="all",
        ),
    ] = None,
    letters: Annotated[
        str,
        typer.Option(
            help="Images of letters for the tasks of words: `typewriter`, `emnist`, or a path."
        ),
    ] = "typewriter",
    draws: Annotated[int, typer.Option(help="How many times each task's data are drawn.")] = 3,
    methods: Annotated[str, typer.Option(help="Methods, separated by commas.")] = _METHODS,
    jobs: Annotated[int, typer.Option(help="Cells run at once; -1 is one on each core.")] = -1,
    seed: Annotated[int, typer.Option(help="What all random numbers derive from.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/tasks"),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Discard what the tasks' folders hold of earlier runs."),
    ] = False,
) -> None:
    """Try methods on data that none was tuned on: other words, fonts, numbers, a gene-like table.

    Each method is fitted on every draw of every task and given what was held out. Finished cells
    stay in a folder for each task: the same command goes on where it was stopped.

    Writes tasks.csv (every draw), tasks.md and tasks.png and .pdf into the output folder.
    """
    with clear_errors(output):
        from minsyn.benchmark import TaskExperiment, find_methods
        from minsyn.datasets import load_letters

        keys = split_keys([methods])
        chosen = find_methods(keys)
        found = _tasks(load_letters(letters), task)
        experiments = [TaskExperiment(one, chosen, draws, seed) for one in found]
        results, runs = {}, []
        for one, experiment in zip(found, experiments, strict=True):
            console.print(f"[bold]{escape(one.label)}[/bold]")
            store, failures = run_cells(experiment, output / one.key, jobs, overwrite)
            runs.append((store, failures))
            # Of a longer run in the same folder, only what was asked for.
            asked = {(method.key, draw) for method, draw in experiment.cells()}
            results[one.key] = [r for r in store.results() if (r.method, r.draw) in asked]
        given = "" if keys == split_keys([_METHODS]) else f" --methods {','.join(keys)}"
        which = "" if task is None else f" --task {','.join(one.key for one in found)}"
        command = (
            f"minsyn tasks --letters {shlex.quote(letters)} --draws {draws} --seed {seed}"
            f"{which}{given}"
        )
        if any(results.values()):
            _report(results, found, chosen, seed, output, command)
        exit_with(*runs)


def _tasks(letters: "Letters", given: list[str] | None) -> tuple["Task", ...]:
    """The tasks asked for; of all, those whose packages are there."""
    from minsyn.benchmark import TASKS, find_tasks

    if given is not None:
        return find_tasks(letters, split_keys(given))
    present: list[Task] = []
    for key in TASKS:
        try:
            present += find_tasks(letters, [key])
        except ImportError as error:
            console.print(f"Left out: {error}", style="yellow", markup=False)
    return tuple(present)


def _report(
    results: dict[str, list["CellResult"]],
    found: tuple["Task", ...],
    methods: tuple["Method", ...],
    seed: int,
    output: Path,
    command: str,
) -> None:
    """Write the table, the figure and every draw; print means and where the files are."""
    from minsyn._atomic import write_atomically
    from minsyn.benchmark import tasks_frame, tasks_table
    from minsyn.report import figure_of_tasks, save, terminal_tasks

    frame = tasks_frame(results, seed)
    csv, table = output / "tasks.csv", output / "tasks.md"
    write_atomically(csv, frame.to_csv(index=False))
    write_atomically(table, tasks_table(frame, found, methods, command))
    files = [csv, table]
    if frame.oracle_ratio.notna().any():
        files += save(figure_of_tasks(frame, found, methods), output / "tasks")
    else:
        console.print(
            "No figure: it sets losses beside the oracle's, which was not run.", style="yellow"
        )
    console.print()
    console.print(terminal_tasks(frame, found, methods))
    for path in files:
        console.print(escape(str(path)), soft_wrap=True)
