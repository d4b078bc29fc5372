"""Table of the words benchmark as Markdown, with its caption, notes and tests."""

from collections.abc import Sequence

import numpy as np

from minsyn.benchmark.experiment import Experiment
from minsyn.benchmark.inference import CONFIDENCE, SCORES, Comparison, least_p_value
from minsyn.benchmark.markdown import counted, markdown_page, markdown_table
from minsyn.benchmark.summary import MethodSummary, Score, best

__all__ = [
    "benchmark_table",
    "caption",
    "comparison_note",
    "comparison_table",
    "comparison_texts",
    "paper_texts",
    "table_notes",
]

_MINSYN_BINARY_NOTE = (
    "The paper reports 12.94 / 48.12 / 0.558 for MinSyn (Binary). With a decoder whose statistics "
    "stay fixed after training, no reading of the method that was tried reaches these figures, and "
    "their origin is unexplained. Decoding each mini-batch with its own statistics comes near one "
    "or another of them, but no batch size gives all three at once "
    "(docs/theory/batch-statistics.md)."
)

_LEAK_NOTE = (
    "Rows with batch statistics set the decoder from the very words that they reconstruct: each "
    "batch leaks into its own reconstruction. They are shown for comparison with the paper and "
    "are not ranked."
)

_ORACLE_NOTE = (
    "The oracle is told which pixels belong to which character. It bounds what can be expected of "
    "the other rows and is not ranked."
)

_HEADERS = ("Train loss", "Test loss", "ACC")
_PERCENT = round(100 * CONFIDENCE)


def benchmark_table(
    rows: Sequence[MethodSummary],
    experiment: Experiment,
    command: str | None = None,
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Mean ± deviation over draws and interval, beside the paper's values, best in bold.

    The comparisons, if any, are a second table below.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    experiment : Experiment
        Experiment that they come from.
    command : str, optional
        Command that made them.
    comparisons : sequence of Comparison
        Tests of these rows against one of them.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> print(benchmark_table([], Experiment(load_letters("typewriter"))).splitlines()[0])
    | Method | Train loss | Test loss | ACC | Paper: train | Paper: test | Paper: ACC |
    """
    header = ("Method", *_HEADERS, "Paper: train", "Paper: test", "Paper: ACC")
    blocks = [markdown_table(header, [_row(row, rows) for row in rows]), caption(rows, experiment)]
    blocks += table_notes(rows)
    if comparisons:
        blocks += [comparison_table(rows, comparisons), comparison_note(rows, comparisons)]
    return markdown_page(*blocks, command=command)


def caption(rows: Sequence[MethodSummary], experiment: Experiment) -> str:
    """Caption: the data, the number of draws, and the units.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    experiment : Experiment
        Experiment that they come from.

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
    spread = (
        f" ± standard deviation over draws and, in brackets, a {_PERCENT} % bootstrap interval "
        "of the mean (BCa)"
    )
    return (
        f"Letters: {experiment.letters.name}; {counted(draws, 'draw')}, seed {experiment.seed}; "
        f"{counted(experiment.n_components, 'factor')}, resample: {experiment.resample}{per_word}; "
        f"{len(vocabulary.train)} words to train on, {len(vocabulary.test)} held out. Mean"
        f"{spread if draws > 1 else ' of the only draw'}; losses are squared errors summed over "
        "the pixels and averaged over the words, ACC is in nats, and lower is better for all."
    )


def table_notes(rows: Sequence[MethodSummary]) -> list[str]:
    """Notes below the table, a paragraph each.

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
    if any(row.knows_positions for row in rows):
        notes.append(_ORACLE_NOTE)
    draws = max((row.draws for row in rows), default=0)
    fewer = [f"{row.label} has {row.draws}" for row in rows if row.draws < draws]
    if fewer:
        notes.append(f"Not all methods have {draws} draws: {', '.join(fewer)}.")
    unconverged = [
        f"{row.label} in {row.unconverged} of {row.draws}" for row in rows if row.unconverged
    ]
    if unconverged:
        notes.append(f"Fits that did not converge: {', '.join(unconverged)}.")
    dead = [f"{row.label} {row.dead_factors}" for row in rows if row.dead_factors]
    if dead:
        notes.append(f"Factors without weight, left out of ACC: {', '.join(dead)}.")
    return notes


def comparison_table(rows: Sequence[MethodSummary], comparisons: Sequence[Comparison]) -> str:
    """Differences from the reference, with intervals and corrected p-values, as Markdown.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table above, for labels and order.
    comparisons : sequence of Comparison
        Tests of these rows against one of them.

    Returns
    -------
    str
        Table; significant p-values are bold. It has no columns of p-values where so few draws can
        give none below 5 %.

    Examples
    --------
    >>> print(comparison_table([], []))
    | Difference from the reference | Train loss | Test loss | ACC |
    |:--|--:|--:|--:|
    """
    labels = {row.key: row.label for row in rows}
    reference = labels.get(comparisons[0].reference if comparisons else "", "the reference")
    with_p = any(not np.isnan(test.p_holm) for test in comparisons)
    header = [f"Difference from {reference}"]
    for name in _HEADERS:
        header += [name, "p"] if with_p else [name]
    tests = {(test.key, test.score): test for test in comparisons}
    lines = []
    for key, label in labels.items():
        if (key, "test_loss") not in tests:
            continue
        cells = [label]
        for score in SCORES:
            test = tests[key, score]
            difference, interval, p_value = comparison_texts(test)
            cells.append(f"{difference} {interval}".rstrip())
            if with_p:
                cells.append(f"**{p_value}**" if test.p_holm < 1 - CONFIDENCE else p_value)
        lines.append(cells)
    return markdown_table(header, lines)


def comparison_texts(test: Comparison) -> tuple[str, str, str]:
    """The difference, its interval and the corrected p-value as tables show them.

    Parameters
    ----------
    test : Comparison
        A method against the reference.

    Returns
    -------
    tuple of three str
        Missing intervals and p-values are empty.

    Examples
    --------
    >>> comparison_texts(Comparison("pca", "ica", "acc", 9, 0.2, (0.1, 0.31), 0.0039, 0.0078))
    ('+0.200', '[+0.100, +0.310]', '0.008')
    """
    decimals = SCORES[test.score]
    if test.draws == 0:
        return "–", "", ""
    interval = ""
    if test.interval is not None:
        low, high = test.interval
        interval = f"[{low:+.{decimals}f}, {high:+.{decimals}f}]"
    p_value = ""
    if not np.isnan(test.p_holm):
        p_value = f"{test.p_holm:.3f}" if test.p_holm >= 0.001 else f"{test.p_holm:.0e}"
    return f"{test.difference:+.{decimals}f}", interval, p_value


def comparison_note(rows: Sequence[MethodSummary], comparisons: Sequence[Comparison]) -> str:
    """Description of the tests, and why there are none where the draws are few.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    comparisons : sequence of Comparison
        Tests of these rows against one of them.

    Returns
    -------
    str
        Empty without comparisons.

    Examples
    --------
    >>> nan = float("nan")
    >>> test = Comparison("pca", "minsyn-gaussian", "acc", 5, 0.2, None, nan, nan)
    >>> print(comparison_note([], [test]))
    Differences from minsyn-gaussian ... no difference can be significant at 5 %, ...
    """
    if not comparisons:
        return ""
    key = comparisons[0].reference
    label = next((row.label for row in rows if row.key == key), key)
    n_tests = len({test.key for test in comparisons})
    draws = max(test.draws for test in comparisons)
    level = 1 - CONFIDENCE
    text = (
        f"Differences from {label} on the same draws, with {_PERCENT} % bootstrap intervals: "
        "below 0 is better."
    )
    tested = [not np.isnan(test.p_holm) for test in comparisons]
    if any(tested):
        text = (
            f"{text} p: two-sided Wilcoxon signed-rank test, corrected by Holm's method for "
            f"{counted(n_tests, 'method')}."
        )
        few = "" if all(tested) else " It is left out where so few draws cannot give one below 5 %."
        return text + few
    least = least_p_value(draws, n_tests)
    enough = next(n for n in range(draws + 1, 65) if least_p_value(n, n_tests) < level)
    return (
        f"{text} p-values are left out: with {counted(draws, 'draw')} the smallest that the "
        f"Wilcoxon signed-rank test can give, corrected for {counted(n_tests, 'method')}, is "
        f"{least:.3g}, so that no difference can be significant at {100 - _PERCENT} %, however "
        f"large; with {enough} draws it can. Intervals from so few draws are too short."
    )


def _row(row: MethodSummary, rows: Sequence[MethodSummary]) -> list[str]:
    cells = [row.label]
    for name, decimals in SCORES.items():
        score = row.scores[name]
        text = score.text(decimals)
        marked = f"**{text}**" if row.key in best(rows, name) else text
        cells.append(f"{marked} {score.interval_text(decimals)}".rstrip())
    return cells + paper_texts(row)


def paper_texts(row: MethodSummary) -> list[str]:
    """The paper's values as the table shows them, empty where it has none."""
    if row.paper is None:
        return [""] * len(SCORES)
    return [
        Score(getattr(row.paper, name), None).text(decimals) for name, decimals in SCORES.items()
    ]
