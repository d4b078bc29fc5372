"""Table of the words benchmark for a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from minsyn.benchmark import (
    CONFIDENCE,
    SCORES,
    Comparison,
    MethodSummary,
    best,
    comparison_texts,
    paper_texts,
)

__all__ = ["terminal_comparisons", "terminal_table"]

_HEADERS = ("Train loss", "Test loss", "ACC", "Train", "Test", "ACC")
#: Fewer than the files have, for the width.
_INTERVAL_DECIMALS = {"train_loss": 1, "test_loss": 1, "acc": 3}


def terminal_table(rows: Sequence[MethodSummary], title: str | None = None) -> Table:
    """Mean ± standard deviation over draws beside the paper's values, best in bold.

    The mean's interval stands below it.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table.
    title : str, optional
        Above it.

    Returns
    -------
    rich.table.Table
        To be printed by rich.

    Examples
    --------
    >>> terminal_table([]).columns[0].header
    'Method'
    """
    table = _narrow_table(rows, title)
    for place, header in enumerate(_HEADERS):
        paper = place >= len(SCORES)
        header = f"paper\n{header}" if paper else f"\n{header}"
        table.add_column(header, justify="right", style="dim" if paper else None, no_wrap=True)
    lowest = {name: best(rows, name) for name in SCORES}
    for row in rows:
        measured = []
        for name, decimals in SCORES.items():
            score = row.scores[name]
            text = score.text(decimals)
            marked = f"[bold]{text}[/bold]" if row.key in lowest[name] else text
            measured.append(_below(marked, score.interval_text(_INTERVAL_DECIMALS[name])))
        table.add_row(escape(row.label), *measured, *paper_texts(row))
    return table


def terminal_comparisons(
    rows: Sequence[MethodSummary], comparisons: Sequence[Comparison], title: str | None = None
) -> Table:
    """Differences from the reference and corrected p-values, with intervals below.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Rows of the table, for labels and order.
    comparisons : sequence of Comparison
        Tests of these rows against one of them.
    title : str, optional
        Above it.

    Returns
    -------
    rich.table.Table
        To be printed by rich; significant p-values are bold.

    Examples
    --------
    >>> [column.header for column in terminal_comparisons([], []).columns][1:]
    ['Train loss', 'Test loss', 'ACC']
    """
    table = _narrow_table(rows, title)
    for header in _HEADERS[: len(SCORES)]:
        table.add_column(header, justify="right", no_wrap=True)
    tests = {(test.key, test.score): test for test in comparisons}
    for row in rows:
        if (row.key, "test_loss") not in tests:
            continue
        cells = []
        for score in SCORES:
            test = tests[row.key, score]
            difference, interval, p_value = comparison_texts(test)
            if p_value:
                p_value = f"  p {p_value}"
            if test.p_holm < 1 - CONFIDENCE:
                p_value = f"[bold]{p_value}[/bold]"
            cells.append(_below(difference + p_value, interval))
        table.add_row(escape(row.label), *cells)
    return table


def _narrow_table(rows: Sequence[MethodSummary], title: str | None) -> Table:
    # Seven columns must fit into 80 characters: one space between them, and no frame. The names
    # are what gives way, between words.
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=0,
    )
    words = (word for row in rows for word in row.label.split())
    table.add_column("Method", min_width=max(map(len, words), default=0))
    return table


def _below(text: str, interval: str) -> str:
    """Markup of a number with its interval on the next line."""
    return f"{text}\n[dim]{escape(interval)}[/dim]" if interval else text
