"""Command of the tasks."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from minsyn.benchmark import find_methods
from minsyn.datasets import Letters as LetterImages
from minsyn.datasets import load_letters
from studies.command import (
    Draws,
    Jobs,
    Letters,
    Output,
    Overwrite,
    Seed,
    app_of,
    clear_errors,
    command_line,
    console,
    exit_with,
    run_cells,
    split_keys,
    write,
)
from studies.tasks.catalogue import TASKS, find_tasks
from studies.tasks.data import Task, TaskExperiment
from studies.tasks.report import figure_of_tasks, tasks_frame, tasks_table

_METHODS = (
    "minsyn-bernoulli,minsyn-gaussian,minsyn-vector,oracle,minsyn-additive,oracle-additive,"
    "ica,pca,autoencoder"
)


def tasks(
    task: Annotated[
        str | None,
        typer.Option(
            help="Tasks, separated by commas: `words-3` (the paper's), `words-4`, `words-5`, "
            "`few-40` and `few-25` (training words), `new-images` (a new image for every letter), "
            "`shift-1` and `shift-2` (pixels), `overlap-quarter` and `overlap-half`, "
            "`fonts`, `digits` (three-digit numbers), `genes` (a gene-like table).",
            show_default="all",
        ),
    ] = None,
    letters: Letters = "typewriter",
    draws: Draws = 3,
    methods: Annotated[
        str, typer.Option(help="Methods of the benchmark, separated by commas.")
    ] = _METHODS,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Output = Path("runs/tasks"),
    overwrite: Overwrite = False,
) -> None:
    """Try methods on data that none was tuned on: other words, fonts, numbers, a gene-like table.

    Each method is fitted on every draw of every task and given what was held out. Finished cells
    stay in a folder for each task, and the same command resumes a run that was stopped.

    Writes tasks.csv (every draw), tasks.md and tasks.png and .pdf into the output folder.
    """
    with clear_errors(output):
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
        if any(results.values()):
            command = command_line(
                "tasks",
                letters=letters,
                draws=draws,
                seed=seed,
                task=None if task is None else ",".join(one.key for one in found),
                methods=None if methods == _METHODS else ",".join(keys),
            )
            frame = tasks_frame(results, seed)
            texts = {
                "tasks.csv": frame.to_csv(index=False),
                "tasks.md": tasks_table(frame, found, chosen, command),
            }
            figures = {}
            if frame.oracle_ratio.notna().any():
                figures["tasks"] = figure_of_tasks(frame, found, chosen)
            else:
                console.print(
                    "No figure: it compares losses with the oracle's, which was not run.",
                    style="yellow",
                )
            write(output, texts, figures)
        exit_with(*runs)


def _tasks(letters: LetterImages, given: str | None) -> tuple[Task, ...]:
    """The tasks asked for; of all, those whose packages are installed."""
    if given is not None:
        return find_tasks(letters, split_keys([given]))
    present: list[Task] = []
    for key in TASKS:
        try:
            present += find_tasks(letters, [key])
        except ImportError as error:
            console.print(f"Left out: {error}", style="yellow", markup=False)
    return tuple(present)


app = app_of(tasks)

if __name__ == "__main__":
    app(prog_name="python -m studies.tasks")
