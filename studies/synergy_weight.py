"""From a free decoder to one without synergy: costs and gains of the weight of the penalty."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
import typer
from matplotlib.figure import Figure

from minsyn.benchmark import counted, markdown_page, markdown_table, one_thread
from minsyn.datasets import WordImages, make_word_images
from minsyn.estimators import Adam, Free, MinSyn
from minsyn.metrics import average_character_concentration, squared_error
from minsyn.nn import DECODERS, ci_synergy_penalty
from minsyn.report import WIDTH, appearance, draw_dots, new_figure, styled
from studies.command import Draws, Output, app_of, clear_errors, command_line, write

__all__ = ["figure_of_weights", "measure", "weights_table"]

Decoder = Literal["gaussian", "bernoulli"]

_WEIGHTS = "0,0.1,0.3,1,3,10,inf"

#: Columns of the table, with their decimals.
_COLUMNS = {
    "train_loss": ("Train loss", 2),
    "test_loss": ("Test loss", 2),
    "acc": ("ACC", 3),
    "ci_synergy": ("Measured CI synergy", 3),
    "penalty": ("Penalty", 3),
}
_PANELS = {
    "train_loss": "Train loss",
    "test_loss": "Test loss",
    "acc": "ACC (nats)",
    "ci_synergy": "Measured CI synergy\n(bits)",
}


def measure(words: WordImages, weight: float, decoder: Decoder, seed: int) -> dict[str, float]:
    """Scores of a decoder that is trained under a weight of the synergy penalty.

    Parameters
    ----------
    words : WordImages
        Data.
    weight : float
        Weight of the penalty; infinity is the decoder in closed form.
    decoder : {"gaussian", "bernoulli"}
        Decoder without synergy that the penalty is a divergence from.
    seed : int
        Seed of the fit.

    Returns
    -------
    dict of str to float
        ``train_loss`` and ``test_loss``, squared errors summed over the pixels; ``acc`` in nats;
        ``ci_synergy``, measured on the training words, in bits; ``penalty`` of the fitted decoder.
    """
    trained: Any = Free(decoder, synergy_weight=weight) if weight < np.inf else decoder
    # The same latents whether the decoder is trained or, in the limit, in closed form.
    latents: Any = DECODERS[decoder].latents.name
    model = MinSyn(
        9, decoder=trained, latents=latents, solver=Adam(), n_init=1, random_state=seed
    ).fit(words.train)
    measured = model.synergy(words.train, bias_correction="none").means
    return {
        "train_loss": squared_error(words.train, model.reconstruct(words.train)),
        "test_loss": squared_error(words.test, model.reconstruct(words.test)),
        "acc": average_character_concentration(model.components_, words.groups),
        "ci_synergy": measured["ci_synergy"],
        "penalty": _penalty(model, decoder, words.train),
    }


def _penalty(model: Any, decoder: Decoder, X: np.ndarray) -> float:
    """Divergence of the model's own decoder from that without synergy."""
    arrays = (model.transform(X), X, model.components_, model.intercept_)
    z, x, weights, bias = (torch.from_numpy(np.asarray(a, np.float64)) for a in arrays)
    return float(ci_synergy_penalty(z, x, weights, bias, observations=decoder))


def weights_table(frame: pd.DataFrame, command: str | None = None) -> str:
    """A row for each weight, as Markdown.

    Parameters
    ----------
    frame : DataFrame
        ``weight``, ``draw`` and the scores of `measure`.
    command : str, optional
        Command that made it.

    Returns
    -------
    str
        Means ± standard deviations over draws.

    Examples
    --------
    >>> scores = dict.fromkeys(("train_loss", "test_loss", "acc", "ci_synergy", "penalty"), 1.0)
    >>> print(weights_table(pd.DataFrame([{"weight": np.inf, "draw": 0, **scores}])))
    | Weight | Train loss | Test loss | ACC | Measured CI synergy | Penalty |
    |--:|--:|--:|--:|--:|--:|
    | ∞ | 1.00 ± 0.00 | 1.00 ± 0.00 | 1.000 ± 0.000 | 1.000 ± 0.000 | 1.000 ± 0.000 |
    <BLANKLINE>
    Means ± standard deviations over 1 draw.
    <BLANKLINE>
    """
    rows = []
    for weight, own in frame.groupby("weight"):
        texts = [
            f"{own[name].mean():.{decimals}f} ± {own[name].std(ddof=0):.{decimals}f}"
            for name, (_, decimals) in _COLUMNS.items()
        ]
        rows.append([_text(weight), *texts])
    header = ["Weight", *(label for label, _ in _COLUMNS.values())]
    caption = f"Means ± standard deviations over {counted(frame.draw.nunique(), 'draw')}."
    return markdown_page(markdown_table(header, rows, n_labels=0), caption, command=command)


def figure_of_weights(frame: pd.DataFrame, method: str = "minsyn-gaussian") -> Figure:
    """Draw the scores against the weight, which runs from 0 to infinity in equal steps.

    Parameters
    ----------
    frame : DataFrame
        ``weight``, ``draw`` and the scores of `measure`.
    method : str
        Key of the method whose colour is taken.

    Returns
    -------
    Figure
    """
    look = appearance(method)
    weights = sorted(set(frame.weight))
    with styled():
        figure = new_figure(WIDTH, 2.1)
        for axes, (name, title) in zip(
            figure.subplots(1, len(_PANELS)), _PANELS.items(), strict=True
        ):
            by_weight = [frame[frame.weight == weight][name].to_numpy(float) for weight in weights]
            for place, values in enumerate(by_weight):
                draw_dots(axes, place, values, look, size=20)
            means = [values.mean() for values in by_weight]
            axes.plot(range(len(weights)), means, color=look.colour, linewidth=1.0, alpha=0.6)
            axes.set_title(title, fontsize=8)
            axes.set_ylim(bottom=0)
            axes.set_xticks(range(len(weights)), [_text(weight) for weight in weights])
            axes.grid(True, axis="y")
            axes.set_axisbelow(True)
        figure.supxlabel("Weight of the synergy penalty", fontsize=8)
    return figure


def _text(weight: Any) -> str:
    return "∞" if np.isinf(weight) else f"{weight:g}"


def _frame(draws: int, decoder: Decoder, weights: Sequence[float]) -> pd.DataFrame:
    rows = []
    for draw in range(draws):
        words = make_word_images(random_state=draw)
        for weight in weights:
            with one_thread():
                scores = measure(words, weight, decoder, draw)
            typer.echo(f"weight {_text(weight)}, draw {draw + 1}: {scores['test_loss']:.2f}")
            rows.append({"weight": weight, "draw": draw, **scores})
    return pd.DataFrame(rows)


def synergy_weight(
    draws: Draws = 2,
    decoder: Annotated[Decoder, typer.Option(help="Decoder without synergy.")] = "gaussian",
    weights: Annotated[
        str, typer.Option(help="Weights of the penalty, separated by commas; `inf` is closed form.")
    ] = _WEIGHTS,
    output: Output = Path("runs/synergy-weight"),
) -> None:
    """Train free decoders under rising weights of the synergy penalty, from the same start.

    Typewriter words, 9 factors. Loss, concentration and synergy between a free decoder (weight 0)
    and one without synergy (infinity).

    Writes synergy_weight.csv, synergy_weight.md and synergy_weight.png and .pdf.
    """
    with clear_errors(output):
        numbers = [float(text) for text in weights.split(",")]
        frame = _frame(draws, decoder, numbers)
        command = command_line("synergy_weight", draws=draws, decoder=decoder, weights=weights)
        texts = {
            "synergy_weight.csv": frame.to_csv(index=False),
            "synergy_weight.md": weights_table(frame, command),
        }
        write(output, texts, {"synergy_weight": figure_of_weights(frame, f"minsyn-{decoder}")})


app = app_of(synergy_weight)

if __name__ == "__main__":
    app(prog_name="python -m studies.synergy_weight")
