"""``minsyn robustness``: noise and occlusion."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from minsyn.commands._errors import one_line_errors

__all__ = ["robustness"]

_METHODS = (
    "minsyn-bernoulli,minsyn-gaussian,minsyn-single-parent,oracle,ica,pca,autoencoder,denoising"
)


def robustness(
    letters: Annotated[
        str, typer.Option(help="Images of letters: `typewriter`, `emnist`, or a path.")
    ] = "typewriter",
    draws: Annotated[int, typer.Option(help="How many times letters are drawn anew.")] = 1,
    methods: Annotated[str, typer.Option(help="Methods, separated by commas.")] = _METHODS,
    components: Annotated[int, typer.Option(help="Factors of each method.")] = 9,
    jobs: Annotated[int, typer.Option(help="Fits at once; -1 is one on each core.")] = -1,
    seed: Annotated[int, typer.Option(help="What all random numbers derive from.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/robustness"),
) -> None:
    """Give models of clean words damaged ones: noise, patches, characters gone or replaced.

    Losses are against the clean image, absolute and as a ratio to the loss with clean inputs; where
    a character is damaged, also for the other characters alone.

    Writes robustness.csv (every draw), robustness.md and robustness.png and .pdf into the folder.
    """
    with one_line_errors():
        import pandas as pd
        from rich.console import Console

        from minsyn._atomic import write_atomically
        from minsyn.benchmark import (
            Experiment,
            find_methods,
            measure_robustness,
            robustness_table,
        )
        from minsyn.datasets import load_letters
        from minsyn.report import figure_of_robustness, save, terminal_robustness

        keys = [key.strip() for key in methods.split(",") if key.strip()]
        chosen = find_methods(keys)
        experiment = Experiment(load_letters(letters), chosen, draws, components, seed=seed)
        output.mkdir(parents=True, exist_ok=True)
        labels = {method.key: method.label for method in chosen}
        frames = []
        for frame in measure_robustness(experiment, n_jobs=jobs):
            first = frame.iloc[0]
            typer.echo(f"{labels[first.method]}, draw {first.draw + 1}: clean {first.loss:.2f}")
            frames.append(frame)
        frame = pd.concat(frames, ignore_index=True)
        given = "" if methods == _METHODS else f" --methods {','.join(keys)}"
        command = (
            f"minsyn robustness --letters {shlex.quote(letters)} --draws {draws} "
            f"--components {components} --seed {seed}{given}"
        )
        csv, table = output / "robustness.csv", output / "robustness.md"
        write_atomically(csv, frame.to_csv(index=False))
        write_atomically(table, robustness_table(frame, experiment, command))
        drawn = save(figure_of_robustness(frame, chosen), output / "robustness")
        console = Console(highlight=False)
        for part in terminal_robustness(frame, chosen):
            console.print()
            console.print(part)
        for path in (csv, table, *drawn):
            typer.echo(str(path))
