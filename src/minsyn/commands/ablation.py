"""``minsyn ablation``: what is due to what."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from minsyn.commands._cells import clear_errors, console, exit_with, run_cells

if TYPE_CHECKING:
    from minsyn.benchmark import Method

__all__ = ["ablation"]


def ablation(
    letters: Annotated[
        str, typer.Option(help="Images of letters: `typewriter`, `emnist`, or a path.")
    ] = "typewriter",
    draws: Annotated[int, typer.Option(help="How many times letters are drawn anew.")] = 1,
    partitions: Annotated[
        str | None,
        typer.Option(
            help="How features are grouped, separated by commas: `synergy`, `correlation`, "
            "`latents` (each feature by its strongest MinSyn latent), `random`, `none`.",
            show_default="all",
        ),
    ] = None,
    decoders: Annotated[
        str | None,
        typer.Option(
            help="Where the decoder comes from, separated by commas: `single-parent`, `free`, "
            "`ci`, `single-parent-linear`, `free-linear`.",
            show_default="all",
        ),
    ] = None,
    references: Annotated[
        str | None,
        typer.Option(
            help="Methods of `minsyn benchmark` to stand beside, separated by commas; empty for "
            "none.",
            show_default="seven",
        ),
    ] = None,
    components: Annotated[int, typer.Option(help="Latents of each model.")] = 9,
    jobs: Annotated[int, typer.Option(help="Cells run at once; -1 is one on each core.")] = -1,
    seed: Annotated[int, typer.Option(help="What all random numbers derive from.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/ablation"),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Discard what the output folder holds of earlier runs."),
    ] = False,
) -> None:
    """Exchange the parts of single-parent MinSyn one at a time, and fit all by the same optimiser.

    Every partition of the features with every decoder, with and without balance and penalty. A
    draw takes some ten minutes of one core; finished cells stay in the output folder, and the same
    command goes on where it was stopped.

    Writes ablation.csv (every draw), summary.csv, ablation.md and ablation.png and .pdf.
    """
    with clear_errors(output):
        from minsyn._atomic import write_atomically
        from minsyn.benchmark import (
            Experiment,
            ablation_table,
            results_frame,
            summarise,
            summary_frame,
        )
        from minsyn.datasets import load_letters
        from minsyn.report import figure_of_ablation, save

        methods = _methods(partitions, decoders, references)
        experiment = Experiment(load_letters(letters), methods, draws, components, seed=seed)
        store, failures = run_cells(experiment, output, jobs, overwrite)
        keys = {method.key for method in methods}
        results = [cell for cell in store.results() if cell.method in keys]
        rows = summarise(results, methods)
        given = (("partitions", partitions), ("decoders", decoders), ("references", references))
        command = (
            f"minsyn ablation --letters {shlex.quote(letters)} "
            f"--draws {max((row.draws for row in rows), default=draws)} "
            f"--components {components} --seed {seed}"
            + "".join(f" --{name} {shlex.quote(keys)}" for name, keys in given if keys is not None)
        )
        texts = {
            "ablation.csv": results_frame(results, seed).to_csv(index=False),
            "summary.csv": summary_frame(rows).to_csv(index=False),
            "ablation.md": ablation_table(rows, experiment, command),
        }
        for name, text in texts.items():
            write_atomically(output / name, text)
        drawn = save(figure_of_ablation(results, methods), output / "ablation") if results else []
        for path in (*(output / name for name in texts), *drawn):
            console.print(escape(str(path)), soft_wrap=True)
        exit_with((store, failures))


def _methods(
    partitions: str | None, decoders: str | None, references: str | None
) -> tuple["Method", ...]:
    from minsyn.benchmark import (
        ABLATION_REFERENCES,
        ABLATIONS,
        DECODERS,
        PARTITIONS,
        find_methods,
    )

    wanted = _chosen("partitions", partitions, PARTITIONS), _chosen("decoders", decoders, DECODERS)
    ablated = [
        row.method() for row in ABLATIONS if row.partition in wanted[0] and row.decoder in wanted[1]
    ]
    keys = ABLATION_REFERENCES if references is None else _listed(references)
    methods = (*ablated, *(find_methods(keys) if keys else ()))
    for method in methods:
        method.require()
    return methods


def _chosen(name: str, text: str | None, known: dict[str, str]) -> list[str]:
    if text is None:
        return list(known)
    chosen = _listed(text)
    odd = next((key for key in chosen if key not in known), None)
    if odd is not None or not chosen:
        raise ValueError(f"{name}: {odd or text!r} is none of {', '.join(known)}")
    return chosen


def _listed(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]
