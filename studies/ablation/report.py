"""Table and figure of the ablation."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minsyn.benchmark import (
    MEASURES,
    SCORES,
    CellResult,
    Experiment,
    Method,
    MethodSummary,
    counted,
    markdown_page,
    markdown_table,
)
from minsyn.report import COLOURS, Appearance, DotRow, Dots, appearance, figure_of_dots
from studies.ablation.model import DECODERS, PARTITIONS
from studies.ablation.rows import BY_KEY, Ablation

__all__ = ["ablation_table", "figure_of_ablation"]

_HEADERS = {
    "train_loss": "Train loss",
    "test_loss": "Test loss",
    "acc": "ACC",
    "ci_synergy": "CI synergy",
    "gk_synergy": "GK synergy",
    "gk_synergy_groups": "GK, groups",
}
#: Fewer than elsewhere: there are many columns.
_DECIMALS = {**SCORES, **MEASURES, "train_loss": 1, "test_loss": 1}

_PANELS = {
    "test_loss": "Test loss",
    "acc": "ACC (nats)",
    "gk_synergy": "GK synergy (bits)\namong latents",
    "gk_synergy_groups": "GK synergy (bits)\namong groups",
}
_COLOURS = {"single-parent": "wine", "free": "vermilion", "ci": "sky"}


def ablation_table(
    rows: Sequence[MethodSummary], experiment: Experiment, command: str | None = None
) -> str:
    """A row for each combination of partition, decoder, balance and penalty; references last.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Of the ablation's methods and of others.
    experiment : Experiment
        Their experiment, whose methods give the order.
    command : str, optional
        Command that made it.

    Returns
    -------
    str
        Markdown, with means ± standard deviations over draws.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> text = ablation_table([], Experiment(load_letters("typewriter")))
    >>> text.splitlines()[0].split("|")[1:5]
    [' Partition ', ' Decoder ', ' Balanced ', ' Penalty ']
    """
    found = {row.key: row for row in rows}
    ablated, others = [], []
    for method in experiment.methods:
        row = found.get(method.key)
        if row is None:
            continue
        scores = [row.scores[name].text(decimals) for name, decimals in _DECIMALS.items()]
        scores.append(f"{row.draws - row.unconverged} of {row.draws}")
        if method.key in BY_KEY:
            ablation = BY_KEY[method.key]
            parts = ["yes" if part else "no" for part in (ablation.balance, ablation.penalty)]
            ablated.append([*ablation.names, *parts, *scores])
        else:
            others.append([row.label, "", "", "", *scores])
    header = ["Partition", "Decoder", "Balanced", "Penalty", *(_HEADERS[n] for n in _DECIMALS)]
    draws = max((row.draws for row in rows), default=0)
    caption = (
        f"Letters: {experiment.letters.name}; {counted(draws, 'draw')}, seed {experiment.seed}; "
        f"{counted(experiment.n_components, 'latent')}. Mean"
        f"{' ± standard deviation over draws' if draws > 1 else ' of the only draw'}. Losses are "
        "squared errors summed over the pixels; ACC is in nats; synergies about the pixels are in "
        "bits, measured on the training words without correction of their bias and averaged by the "
        "pixels' variances, among all latents and among their groups. Lower is better for all. "
        "Converged: draws in which the loss stopped falling before the evaluations ran out."
    )
    dead = [f"{row.label} {row.dead_factors}" for row in rows if row.dead_factors]
    return markdown_page(
        markdown_table([*header, "Converged"], [*ablated, *others], n_labels=4),
        caption,
        f"Latents without weight, left out of ACC: {', '.join(dead)}." if dead else "",
        command=command,
    )


def figure_of_ablation(results: Sequence[CellResult], methods: Sequence[Method]) -> Figure:
    """Draw a row for each partition and decoder: balanced above, not balanced below.

    Rows without the last penalty are left to the table: with them the figure has too many.

    Parameters
    ----------
    results : sequence of CellResult
        Finished cells.
    methods : sequence of Method
        Rows of the ablation, and references below them.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = figure_of_ablation([], [Ablation("none", True, "free", True).method()])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['None: one group', 'Free']
    """
    ablations = [BY_KEY[m.key] for m in methods if m.key in BY_KEY and BY_KEY[m.key].penalty]
    dots = partial(_dots, results)
    rows: list[DotRow] = []
    for partition, name in PARTITIONS.items():
        inside = [row for row in ablations if row.partition == partition]
        rows += [DotRow(name)] if inside else []
        for decoder in DECODERS:
            alike = [row for row in inside if row.decoder == decoder]
            if alike:
                found = [dots(row.key, _look(row)) for row in alike]
                rows.append(DotRow(DECODERS[decoder], found))
    others = [method for method in methods if method.key not in BY_KEY]
    rows += [DotRow("For comparison")] if others else []
    rows += [
        DotRow(m.label, [dots(m.key, appearance(m.key)._replace(colour=COLOURS["grey"]))])
        for m in others
    ]
    figure = figure_of_dots(list(_PANELS.values()), rows, row_height=0.2)
    marks = [
        Line2D([], [], color="0.3", marker="o", markerfacecolor=face, linestyle="", label=label)
        for face, label in (("0.3", "balanced"), ("white", "not balanced"))
    ]
    figure.legend(handles=marks, loc="outside upper right", ncols=2, frameon=False, fontsize=7)
    return figure


def _look(row: Ablation) -> Appearance:
    return Appearance(COLOURS[_COLOURS[row.decoder.removesuffix("-linear")]], "o", row.balance)


def _dots(results: Sequence[CellResult], key: str, look: Appearance) -> Dots:
    cells = sorted((cell for cell in results if cell.method == key), key=lambda cell: cell.draw)
    return Dots(look, [np.array([getattr(c, score) for c in cells], float) for score in _PANELS])
