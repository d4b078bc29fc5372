"""Markdown: tables, and pages of tables and paragraphs."""

from collections.abc import Iterable, Sequence

__all__ = ["counted", "markdown_page", "markdown_table"]


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, n_labels: int = 1
) -> str:
    """A table whose first columns are labels, aligned left, and the others numbers, aligned right.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences of str
        Cells, as many in each row as there are columns.
    n_labels : int, default=1
        Number of columns that are aligned left.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        A row has another number of cells than the header.

    Examples
    --------
    >>> print(markdown_table(["Method", "Loss"], [["PCA", "48.4"]]))
    | Method | Loss |
    |:--|--:|
    | PCA | 48.4 |
    """
    alignment = f"|{':--|' * n_labels}{'--:|' * (len(header) - n_labels)}"
    lines = [_line(header), alignment]
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"rows: {len(row)} cells found in a table of {len(header)} columns")
        lines.append(_line(row))
    return "\n".join(lines)


def markdown_page(*blocks: str, command: str | None = None) -> str:
    """Tables and paragraphs, separated by blank lines; empty ones are left out.

    Parameters
    ----------
    *blocks : str
        Tables and paragraphs.
    command : str, optional
        Command that made the page, which its last line names.

    Returns
    -------
    str

    Examples
    --------
    >>> print(markdown_page("One.", "", "Two.", command="minsyn benchmark"), end="")
    One.
    <BLANKLINE>
    Two.
    <BLANKLINE>
    Made by `minsyn benchmark`.
    """
    made_by = "" if command is None else f"Made by `{command}`."
    return "\n\n".join(block for block in (*blocks, made_by) if block) + "\n"


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as "1 draw" or "5 draws".

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "draw"), counted(5, "draw")
    ('1 draw', '5 draws')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
