"""The paper's table for a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from minsyn.benchmark import SCORES, MethodSummary, best, paper_texts

__all__ = ["terminal_table"]

_HEADERS = ("Train loss", "Test loss", "ACC", "Train", "Test", "ACC")


def terminal_table(rows: Sequence[MethodSummary], title: str | None = None) -> Table:
    """Mean ± standard deviation over draws beside the paper's values, best in bold.

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
    # Seven columns must fit into 80 characters: one space between them, and no frame.
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=0,
    )
    table.add_column(
        "Method", min_width=max((len(row.label.split(",")[0]) for row in rows), default=0)
    )
    for place, header in enumerate(_HEADERS):
        paper = place >= len(SCORES)
        header = f"paper\n{header}" if paper else f"\n{header}"
        table.add_column(header, justify="right", style="dim" if paper else None, no_wrap=True)
    lowest = {name: best(rows, name) for name in SCORES}
    for row in rows:
        measured = []
        for name, decimals in SCORES.items():
            text = row.scores[name].text(decimals)
            measured.append(f"[bold]{text}[/bold]" if row.key in lowest[name] else text)
        table.add_row(row.label, *measured, *paper_texts(row))
    return table
