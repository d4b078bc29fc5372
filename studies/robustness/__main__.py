"""Command of the study of robustness."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from minsyn.benchmark import Experiment, find_methods
from minsyn.datasets import load_letters
from studies.ablation.rows import KNOWN
from studies.command import (
    Components,
    Draws,
    Jobs,
    Letters,
    Output,
    Seed,
    app_of,
    clear_errors,
    command_line,
    split_keys,
    write,
)
from studies.robustness.losses import measure_robustness
from studies.robustness.report import figure_of_robustness, robustness_table

_METHODS = "minsyn-bernoulli,minsyn-gaussian,minsyn-vector,oracle,ica,pca,autoencoder,denoising"


def robustness(
    letters: Letters = "typewriter",
    draws: Draws = 1,
    methods: Annotated[
        str,
        typer.Option(help="Methods of the benchmark or rows of the ablation, separated by commas."),
    ] = _METHODS,
    components: Components = 9,
    jobs: Jobs = -1,
    seed: Seed = 0,
    output: Output = Path("runs/robustness"),
) -> None:
    """Give models of clean words damaged ones: noise, patches, blanked and replaced characters.

    Losses are against the clean image, absolute and as a ratio to the loss with clean inputs; where
    a character is damaged, also for the other characters alone.

    Writes robustness.csv (every draw), robustness.md and robustness.png and .pdf into the folder.
    """
    with clear_errors(output):
        keys = split_keys([methods])
        chosen = find_methods(keys, KNOWN)
        experiment = Experiment(load_letters(letters), chosen, draws, components, seed=seed)
        labels = {method.key: method.label for method in chosen}
        frames = []
        for frame in measure_robustness(experiment, n_jobs=jobs):
            first = frame.iloc[0]
            typer.echo(f"{labels[first.method]}, draw {first.draw + 1}: clean {first.loss:.2f}")
            frames.append(frame)
        frame = pd.concat(frames, ignore_index=True)
        command = command_line(
            "robustness",
            letters=letters,
            draws=draws,
            components=components,
            seed=seed,
            methods=None if methods == _METHODS else ",".join(keys),
        )
        texts = {
            "robustness.csv": frame.to_csv(index=False),
            "robustness.md": robustness_table(frame, experiment, command),
        }
        write(output, texts, {"robustness": figure_of_robustness(frame, chosen)})


app = app_of(robustness)

if __name__ == "__main__":
    app(prog_name="python -m studies.robustness")
