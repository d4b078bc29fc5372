"""How a table is written, where its file does not show it."""

import codecs
from dataclasses import dataclass
from typing import Any

__all__ = ["MISSING", "MISSING_TEXT", "TableFormat"]

#: Cells that are missing values in a column of numbers, in lower case and without spaces around.
MISSING = frozenset(
    [
        "",
        "na",
        "n/a",
        "<na>",
        "#n/a",
        "#na",
        "n.a.",
        "n.a",
        "nan",
        "-nan",
        "null",
        "none",
        "nil",
        "nd",
        "n.d.",
        "n.d",
        "?",
        ".",
        "..",
        "...",
        "-",
        "--",
        "---",
        "–",
        "—",
        "*",
        "missing",
        "#n/a n/a",
        "1.#ind",
        "-1.#ind",
        "1.#qnan",
        "-1.#qnan",
        "#div/0!",
        "#num!",
        "#value!",
        "#ref!",
        "#name?",
        "#null!",
    ]
)
#: Cells that are missing values in a column of text, exactly as written: the marks of pandas.
MISSING_TEXT = frozenset(
    [
        "",
        "NA",
        "N/A",
        "n/a",
        "<NA>",
        "#N/A",
        "#NA",
        "NaN",
        "-NaN",
        "nan",
        "-nan",
        "NULL",
        "null",
        "None",
        "#N/A N/A",
        "1.#IND",
        "-1.#IND",
        "1.#QNAN",
        "-1.#QNAN",
    ]
)

_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}


@dataclass(frozen=True)
class TableFormat:
    r"""How a table is written, where that cannot be seen in its file.

    Parameters
    ----------
    separator : str, optional
        Character between the values of a text table; ``" "`` is any run of spaces and tabs. The
        words tab, comma, semicolon, space and pipe stand for theirs. Found by default.
    decimal : "." or ",", optional
        Decimal mark of a text table. Found by default.
    encoding : str, optional
        Encoding of a text table, such as "utf-8", "cp1252" or "shift-jis". Found by default: UTF-8,
        UTF-16, or else Windows-1252.
    header : bool, optional
        Whether the first line of a text table or an Excel sheet names the columns. Found by
        default: it does, unless it looks like the lines below.
    missing : tuple of str, default=()
        Values that are missing, besides empty cells and the usual marks, such as NA and ``?``:
        ``("-999", "unknown")``. Numbers are compared as numbers, in any kind of data.

    Raises
    ------
    ValueError
        If a value is not allowed.

    Examples
    --------
    >>> TableFormat(separator="tab", missing=("-999",)).separator
    '\t'
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        separator = _SEPARATORS.get(self.separator or "", self.separator)
        object.__setattr__(self, "separator", separator)
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise ValueError(
                f"separator={separator!r} must be one character, or one of "
                f"{', '.join(word for word in _SEPARATORS if word.isalpha())}"
            )
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal={self.decimal!r} must be '.' or ','")
        if self.encoding is not None:
            try:  # other codecs of Python are of no text, or for names on the internet alone
                known = codecs.lookup(self.encoding)
                if not known._is_text_encoding or known.name in ("idna", "punycode"):
                    raise LookupError("no encoding of texts")
            except (LookupError, ValueError) as error:
                raise ValueError(
                    f"encoding={self.encoding!r} is unknown; common ones are utf-8, utf-16, "
                    "latin-1, cp1252 and shift-jis"
                ) from error
        missing: Any = self.missing
        if isinstance(missing, str):
            raise ValueError(f"missing must be a tuple of texts; found {missing!r}")
        object.__setattr__(self, "missing", tuple(str(mark).strip() for mark in self.missing))

    @property
    def codes(self) -> tuple[float, ...]:
        """The missing values that are numbers."""
        return tuple(number for number in map(_number, self.missing) if number is not None)

    def require_no_text_options(self, name: str) -> None:
        """Raise a ValueError if there are options that only text tables have.

        Parameters
        ----------
        name : str
            Name of the data in the message.
        """
        for option in ("separator", "decimal", "encoding", "header"):
            value = getattr(self, option)
            if value is not None:
                raise ValueError(
                    f"{option}={value!r} has no effect on {name}, which is not a text file"
                )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None  # neither NaN nor infinite
