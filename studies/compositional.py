"""Characters apart: nets of separate groups on words that they have not seen."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from minsyn._atomic import write_atomically
from minsyn.benchmark import counted, markdown_page, markdown_table, one_thread
from minsyn.datasets import WordImages, load_letters
from minsyn.estimators import VectorMinSyn
from minsyn.metrics import squared_error
from minsyn.report import DotRow, Dots, appearance, figure_of_dots
from studies.command import (
    Draws,
    Letters,
    Output,
    Overwrite,
    Seed,
    app_of,
    clear_errors,
    command_line,
    split_keys,
    write,
)
from studies.tasks.catalogue import find_tasks

__all__ = ["LINES", "compositional_table", "figure_of_lines", "measure"]

_TASKS = "shift-1,shift-2,overlap-quarter,overlap-half"
#: Units of the hidden layers of each character's nets.
_HIDDEN = 128


class Line(NamedTuple):
    """A model of the study: its name, and the method whose look it has in figures."""

    label: str
    look: str


#: Models of the study.
LINES = {
    "found": Line("Groups found", "minsyn-vector"),
    "told": Line("Told the characters", "oracle"),
    "joint": Line("One net", "autoencoder"),
    "pca": Line("PCA", "pca"),
}


def measure(words: WordImages, line: str, n_components: int, seed: int) -> dict[str, Any]:
    """Losses of a model on training words and on unseen ones.

    Parameters
    ----------
    words : WordImages
        Data.
    line : str
        Key of `LINES`. "found": nets of groups that are found, with up to two parents for a pixel.
        "told": the same nets, told the parents of each pixel. "joint": one net for all pixels, with
        as many hidden units in total. "pca": principal components.
    n_components : int
        Latents of all groups together.
    seed : int
        Seed of the fit.

    Returns
    -------
    dict
        ``train_loss`` and ``test_loss``, squared errors summed over the pixels; ``seconds`` of
        processor time; and of groups, their number and ``gk_synergy``, measured between them on the
        training words, in bits.
    """
    X, unseen = (images.astype(np.float64) for images in (words.train, words.test))
    n_letters = words.vocabulary.length
    start = pd.Timestamp.now()
    model: Any
    if line == "pca":
        model = PCA(n_components, svd_solver="full").fit(X)
    else:
        one = line == "joint"
        hidden = (_HIDDEN * n_letters if one else _HIDDEN,)
        model = VectorMinSyn(n_components, encoder=hidden, decoder=hidden, random_state=seed)
        if one:
            model.set_params(n_groups=1)
        elif line == "told":
            each = [n_components // n_letters] * n_letters
            model.set_params(n_components=each, grouping=words.parents)
        else:
            model.set_params(max_parents=2)
        model.fit(X)
    seconds = (pd.Timestamp.now() - start).total_seconds()
    losses = [squared_error(x, model.inverse_transform(model.transform(x))) for x in (X, unseen)]
    found: dict[str, Any] = {"n_groups": None, "gk_synergy": np.nan}
    if line in ("found", "told"):
        measured = model.synergy(X, measures="gk_synergy").means["gk_synergy"]
        found = {"n_groups": len(model.parents_), "gk_synergy": measured}
    return {"train_loss": losses[0], "test_loss": losses[1], "seconds": seconds, **found}


def compositional_table(frame: pd.DataFrame, command: str | None = None) -> str:
    """A row for each task and number of latents, as Markdown.

    Parameters
    ----------
    frame : DataFrame
        ``task`` (its label), ``n_components``, ``draw``, ``line`` and the scores of `measure`.
    command : str, optional
        Command that made it.

    Returns
    -------
    str
        Means over draws, and ratios of these.

    Examples
    --------
    >>> cell = {"task": "Shifted", "n_components": 9, "draw": 0, "gk_synergy": 0.01, "seconds": 5}
    >>> losses = {"found": 4.2, "told": 4.0, "joint": 20.0, "pca": 80.0}
    >>> rows = [{**cell, "line": line, "test_loss": loss} for line, loss in losses.items()]
    >>> print(compositional_table(pd.DataFrame(rows)).splitlines()[2])
    | Shifted | 9 | 4.20 | 4.00 | 20.00 | 80.00 | 1.05 | 0.21 | 0.010 | 5 |
    """
    rows = []
    for (task, n_components), own in frame.groupby(["task", "n_components"], sort=False):
        mean = own.groupby("line").test_loss.mean().reindex(list(LINES))
        found = own[own.line == "found"]
        rows.append(
            [
                str(task),
                str(n_components),
                *(_text(mean[line], 2) for line in LINES),
                _text(mean["found"] / mean["told"], 2),
                _text(mean["found"] / mean["joint"], 2),
                _text(found.gk_synergy.mean(), 3),
                _text(found.seconds.mean(), 0),
            ]
        )
    header = [
        "Loss on unseen words",
        "Latents",
        *(line.label for line in LINES.values()),
        "Found / told",
        "Found / one net",
        "GK synergy",
        "Seconds",
    ]
    caption = (
        f"Means over {counted(frame.draw.nunique(), 'draw')}: squared error summed over the "
        "pixels. GK synergy between the groups found, in bits, where it is finite; seconds of "
        "their fit, on one thread."
    )
    return markdown_page(markdown_table(header, rows), caption, command=command)


def figure_of_lines(frame: pd.DataFrame) -> Figure:
    """Draw losses on unseen words, a panel for each task and number of latents.

    Parameters
    ----------
    frame : DataFrame
        As for `compositional_table`.

    Returns
    -------
    Figure
    """
    panels = list(frame[["task", "n_components"]].drop_duplicates().itertuples(index=False))
    rows = []
    for key, line in LINES.items():
        own = frame[frame.line == key]
        draws = [
            own.test_loss[(own.task == p.task) & (own.n_components == p.n_components)].to_numpy()
            for p in panels
        ]
        rows.append(DotRow(line.label, [Dots(appearance(line.look), draws)]))
    return figure_of_dots(
        [f"{panel.task},\n{panel.n_components} latents" for panel in panels],
        rows,
        n_columns=frame.n_components.nunique(),
        scale="log",
        shared=True,
        xlabel="Squared error on unseen words",
    )


def _text(value: Any, decimals: int) -> str:
    return f"{value:.{decimals}f}" if np.isfinite(value) else "–"


def compositional(
    letters: Letters = "typewriter",
    draws: Draws = 3,
    task: Annotated[
        str, typer.Option(help="Tasks of `python -m studies.tasks`, separated by commas.")
    ] = _TASKS,
    components: Annotated[str, typer.Option(help="Numbers of latents.")] = "9,30",
    lines: Annotated[str, typer.Option(help="Models, separated by commas.")] = ",".join(LINES),
    seed: Seed = 0,
    output: Output = Path("runs/compositional"),
    overwrite: Overwrite = False,
) -> None:
    """Fit nets to words with shifted or overlapping letters, and try them on unseen words.

    Four models: a net for each group of pixels that is found, the same nets told the parents of
    each pixel, one net for all pixels with as many hidden units, and PCA. Finished cells stay in
    compositional.csv, and the same command resumes a run that was stopped.

    Writes compositional.csv (every draw), compositional.md and compositional.png and .pdf.
    """
    with clear_errors(output):
        tasks = find_tasks(load_letters(letters), split_keys([task]))
        chosen, numbers = split_keys([lines]), [int(k) for k in split_keys([components])]
        unknown = sorted(set(chosen) - set(LINES))
        if unknown:
            raise ValueError(f"lines: {unknown[0]!r} is not one of {', '.join(LINES)}")
        file = output / "compositional.csv"
        frame = pd.read_csv(file) if file.exists() and not overwrite else pd.DataFrame()
        settings = {"letters": letters, "seed": seed}
        for draw in range(draws):
            for one in tasks:
                words = one.draw(np.random.SeedSequence(seed, spawn_key=(draw,)))
                for n_components in numbers:
                    for line in chosen:
                        cell = {"task": one.label, "n_components": n_components, "draw": draw}
                        cell |= {"line": line, **settings}
                        if _is_in(frame, cell):
                            continue
                        with one_thread():
                            scores = measure(words, line, n_components, draw)  # type: ignore[arg-type]
                        typer.echo(
                            f"{one.label}, {n_components} latents, draw {draw + 1}, "
                            f"{LINES[line].label}: {scores['test_loss']:.2f}"
                        )
                        frame = pd.concat([frame, pd.DataFrame([cell | scores])])
                        output.mkdir(parents=True, exist_ok=True)
                        write_atomically(file, frame.to_csv(index=False))
        labels = [one.label for one in tasks]
        asked = frame.task.isin(labels) & frame.n_components.isin(numbers) & (frame.draw < draws)
        asked &= (frame.letters == letters) & (frame.seed == seed) & frame.line.isin(chosen)
        frame["order"] = frame.task.map({label: i for i, label in enumerate(labels)})
        shown = frame[asked].sort_values(["order", "n_components", "draw"]).drop(columns="order")
        command = command_line(
            "compositional",
            letters=letters,
            draws=draws,
            task=None if task == _TASKS else task,
            components=None if components == "9,30" else components,
            seed=seed,
        )
        texts = {"compositional.md": compositional_table(shown, command)}
        write(output, texts, {"compositional": figure_of_lines(shown)})


def _is_in(frame: pd.DataFrame, cell: dict[str, Any]) -> bool:
    """Whether there is a row with these values."""
    same = np.ones(len(frame), dtype=bool)
    for name, value in cell.items():
        same &= (frame[name] == value).to_numpy() if len(frame) else False
    return bool(same.any())


app = app_of(compositional)

if __name__ == "__main__":
    app(prog_name="python -m studies.compositional")
