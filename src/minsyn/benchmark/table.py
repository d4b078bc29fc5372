"""The paper's table as Markdown, with what a reader must know to trust it."""

from collections.abc import Sequence

from minsyn.benchmark.experiment import Experiment
from minsyn.benchmark.summary import SCORES, MethodSummary, Score, best

__all__ = ["caption", "markdown_table", "table_notes"]

_MINSYN_BINARY_NOTE = (
    "The paper reports 12.94 / 48.12 / 0.558 for MinSyn (Binary). With a decoder whose statistics "
    "stay fixed after training, no reading of the method that was tried reaches these figures, and "
    "their origin is unexplained. Decoding each mini-batch with its own statistics comes near one "
    "or another of them, but no batch size gives all three at once (`minsyn batch-statistics`)."
)

_LEAK_NOTE = (
    "Rows with batch statistics set the decoder from the very words that they reconstruct: each "
    "batch leaks into its own reconstruction. They are shown for comparison with the paper and "
    "are not ranked."
)


def markdown_table(
    rows: Sequence[MethodSummary], experiment: Experiment, command: str | None = None
) -> str:
    """Mean ± standard deviation over draws, beside the paper's values, best in bold.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    experiment : Experiment
        What they come from.
    command : str, optional
        The command that made them.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> print(markdown_table([], Experiment(load_letters("typewriter"))).splitlines()[0])
    | Method | Train loss | Test loss | ACC | Paper: train | Paper: test | Paper: ACC |
    """
    lines = [
        "| Method | Train loss | Test loss | ACC | Paper: train | Paper: test | Paper: ACC |",
        "|:--|--:|--:|--:|--:|--:|--:|",
        *(_row(row, rows) for row in rows),
        "",
        caption(rows, experiment),
    ]
    for note in table_notes(rows):
        lines += ["", note]
    if command is not None:
        lines += ["", f"Made by `{command}`."]
    return "\n".join(lines) + "\n"


def caption(rows: Sequence[MethodSummary], experiment: Experiment) -> str:
    """What the numbers are and what they were measured on.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    experiment : Experiment
        What they come from.

    Returns
    -------
    str
        A few sentences.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> caption([], Experiment(load_letters("typewriter")))
    'Letters: typewriter; 0 draws, seed 0; ...'
    """
    draws = max((row.draws for row in rows), default=0)
    per_word = (
        ""
        if experiment.samples_per_word == 1
        else f", {experiment.samples_per_word} images of each word"
    )
    vocabulary = experiment.vocabulary
    return (
        f"Letters: {experiment.letters.name}; {draws} draw{'' if draws == 1 else 's'}, "
        f"seed {experiment.seed}; {experiment.n_components} factors, resample: "
        f"{experiment.resample}{per_word}; {len(vocabulary.train)} words to train on, "
        f"{len(vocabulary.test)} held out. Mean"
        f"{' ± standard deviation over draws' if draws > 1 else ' of the only draw'}; losses are "
        "squared errors summed over the pixels and averaged over the words, ACC is in nats, and "
        "lower is better for all."
    )


def table_notes(rows: Sequence[MethodSummary]) -> list[str]:
    """What must be said below the table, a paragraph each.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.

    Returns
    -------
    list of str

    Examples
    --------
    >>> table_notes([])
    []
    """
    notes = []
    if any(row.key == "minsyn-bernoulli" for row in rows):
        notes.append(_MINSYN_BINARY_NOTE)
    if any(row.leaks for row in rows):
        notes.append(_LEAK_NOTE)
    draws = max((row.draws for row in rows), default=0)
    fewer = [f"{row.label} has {row.draws}" for row in rows if row.draws < draws]
    if fewer:
        notes.append(f"Not all methods have {draws} draws: {', '.join(fewer)}.")
    unsettled = [
        f"{row.label} in {row.unconverged} of {row.draws}" for row in rows if row.unconverged
    ]
    if unsettled:
        notes.append(f"Draws that did not settle within their iterations: {', '.join(unsettled)}.")
    dead = [f"{row.label} {row.dead_factors}" for row in rows if row.dead_factors]
    if dead:
        notes.append(f"Factors without weight, left out of ACC: {', '.join(dead)}.")
    return notes


def _row(row: MethodSummary, rows: Sequence[MethodSummary]) -> str:
    cells = [row.label]
    for name, decimals in SCORES.items():
        text = row.scores[name].text(decimals)
        cells.append(f"**{text}**" if row.key in best(rows, name) else text)
    cells += paper_texts(row)
    return f"| {' | '.join(cells)} |"


def paper_texts(row: MethodSummary) -> list[str]:
    """The paper's values as the table shows them, empty where it has none."""
    if row.paper is None:
        return [""] * len(SCORES)
    return [
        Score(getattr(row.paper, name), None).text(decimals) for name, decimals in SCORES.items()
    ]
