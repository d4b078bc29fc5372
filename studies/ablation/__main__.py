"""Command of the ablation."""

from pathlib import Path
from typing import Annotated

import typer

from minsyn.benchmark import Experiment, find_methods, results_frame, summarise, summary_frame
from minsyn.datasets import load_letters
from studies.ablation.model import DECODERS, PARTITIONS
from studies.ablation.report import ablation_table, figure_of_ablation
from studies.ablation.rows import ABLATIONS, KNOWN, REFERENCES
from studies.command import (
    Components,
    Draws,
    Jobs,
    Letters,
    Output,
    Overwrite,
    Seed,
    app_of,
    clear_errors,
    command_line,
    exit_with,
    run_cells,
    split_keys,
    write,
)


def ablation(
    letters: Letters = "typewriter",
    draws: Draws = 1,
    partitions: Annotated[
        str,
        typer.Option(
            help="Partitions of the features, separated by commas: `synergy`, `correlation`, "
            "`latents` (each feature by its strongest MinSyn latent), `random`, `none`."
        ),
    ] = ",".join(PARTITIONS),
    decoders: Annotated[
        str,
        typer.Option(
            help="Decoders, separated by commas: `single-parent`, `free`, `ci`, "
            "`single-parent-linear`, `free-linear`."
        ),
    ] = ",".join(DECODERS),
    references: Annotated[
        str,
        typer.Option(help="Methods to compare with, separated by commas; may be empty."),
    ] = ",".join(REFERENCES),
    components: Components = 9,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Output = Path("runs/ablation"),
    overwrite: Overwrite = False,
) -> None:
    """Exchange the parts of MinSyn with vector factors one at a time, all fitted by one optimiser.

    Every partition of the features with every decoder, with and without balance and penalty. A
    draw takes some ten minutes of one core. Finished cells stay in the output folder, and the same
    command resumes a run that was stopped.

    Writes ablation.csv (every draw), summary.csv, ablation.md and ablation.png and .pdf.
    """
    with clear_errors(output):
        wanted = (
            _chosen("partitions", partitions, PARTITIONS),
            _chosen("decoders", decoders, DECODERS),
        )
        methods = [
            row.method()
            for row in ABLATIONS
            if row.partition in wanted[0] and row.decoder in wanted[1]
        ]
        if references.strip():
            methods += find_methods(split_keys([references]), KNOWN)
        experiment = Experiment(load_letters(letters), tuple(methods), draws, components, seed=seed)
        store, failures = run_cells(experiment, output, jobs, overwrite)
        results = [cell for cell in store.results() if cell.method in {m.key for m in methods}]
        rows = summarise(results, methods)
        command = command_line(
            "ablation",
            letters=letters,
            draws=max((row.draws for row in rows), default=draws),
            components=components,
            seed=seed,
            partitions=_unless_default(partitions, PARTITIONS),
            decoders=_unless_default(decoders, DECODERS),
            references=_unless_default(references, REFERENCES),
        )
        texts = {
            "ablation.csv": results_frame(results, seed).to_csv(index=False),
            "summary.csv": summary_frame(rows).to_csv(index=False),
            "ablation.md": ablation_table(rows, experiment, command),
        }
        figures = {"ablation": figure_of_ablation(results, methods)} if results else {}
        write(output, texts, figures)
        exit_with((store, failures))


def _chosen(name: str, text: str, known: dict[str, str]) -> list[str]:
    chosen = split_keys([text])
    unknown = next((key for key in chosen if key not in known), None)
    if unknown is not None or not chosen:
        raise ValueError(f"{name}: {unknown or text!r} is not one of {', '.join(known)}")
    return chosen


def _unless_default(text: str, default: object) -> str | None:
    return None if split_keys([text]) == list(default) else text  # type: ignore[call-overload]


app = app_of(ablation)

if __name__ == "__main__":
    app(prog_name="python -m studies.ablation")
