"""Answers in words that stand for numbers: yes and no, and labelled points of a scale."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["AnswerColumn", "find_answers", "number_of"]

#: Words for 1 and for 0, in lower case.
_PAIRS = (
    ("yes", "no"),
    ("y", "n"),
    ("ja", "nein"),
    ("j", "n"),
    ("oui", "non"),
    ("sí", "no"),
    ("si", "no"),
    ("sì", "no"),
)
_WORDS = {word: value for pair in _PAIRS for word, value in zip(pair, (1.0, 0.0), strict=True)}
#: A whole number, a mark, and a label that begins with a letter: "1 - never", "2: sometimes".
_POINT = re.compile(r"([+-]?\d{1,3})(?:\s+[-–—=]\s+|\s*[:=]\s+)([^\W\d_].*)", re.S)


@dataclass(frozen=True)
class AnswerColumn:
    """A column of answers that are read as numbers.

    Attributes
    ----------
    name : str
        The column.
    meaning : str
        What is read as what, in words.
    complete : bool
        Whether both answers of a pair occur, or labels of a scale: others may be categories.
    """

    name: str
    meaning: str
    complete: bool


def number_of(cell: str) -> float | None:
    """The number for which an answer stands, or None.

    Parameters
    ----------
    cell : str
        The cell, without spaces around.

    Examples
    --------
    >>> number_of("Yes"), number_of("nein"), number_of("4 - agree"), number_of("maybe")
    (1.0, 0.0, 4.0, None)
    """
    value = _WORDS.get(cell.lower())
    if value is None and (match := _POINT.fullmatch(cell)):
        value = float(match[1])
    return value


def find_answers(name: str, cells: Iterable[str], *, with_numbers: bool) -> AnswerColumn | None:
    """Whether the words in a column are answers that stand for numbers.

    These are two texts of a pair, such as yes and no, in upper or lower case; or numbers with
    labels, each number with one label.

    Parameters
    ----------
    name : str
        The column.
    cells : iterable of str
        Its cells that are neither numbers nor missing values.
    with_numbers : bool
        Whether it holds plain numbers too, as scales do whose ends alone are labelled.

    Examples
    --------
    >>> find_answers("smokes", ["No", "yes", "no"], with_numbers=False).meaning
    'yes as 1, no as 0'
    >>> find_answers("q1", ["1 - never", "5 - always"], with_numbers=True).meaning
    "'1 - never' as 1"
    >>> find_answers("q2", ["yes", "perhaps"], with_numbers=False)
    """
    different = sorted(set(cells))
    words = {cell.lower() for cell in different}
    if words <= _WORDS.keys() and not with_numbers:
        pair = next((pair for pair in _PAIRS if words == set(pair)), None)
        meaning = "" if pair is None else f"{pair[0]} as 1, {pair[1]} as 0"
        return AnswerColumn(name, meaning, complete=pair is not None)
    labels: dict[str, str] = {}
    for cell in different:
        match = _POINT.fullmatch(cell)
        if match is None or labels.setdefault(match[1], match[2]) != match[2]:
            return None
    first = min(different, key=lambda cell: number_of(cell) or 0.0)
    return AnswerColumn(name, f"{first!r} as {number_of(first):g}", complete=True)
