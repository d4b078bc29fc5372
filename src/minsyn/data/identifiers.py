"""Columns that tell rows apart and measure nothing: row numbers, codes and names."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from minsyn.data.columnar_files import ColumnarTable
from minsyn.data.tables import AnyTable

__all__ = ["find_identifiers", "names_subjects", "words_of"]

#: Rows by which candidates are judged, where the table's first thousand do not end it.
_ROWS_EXAMINED = 100_000
#: Fewest rows of which a running number says anything.
_FEWEST = 20

_ID_WORDS = frozenset(["id", "ids", "uid", "uuid", "guid"])
_SUBJECTS = frozenset(
    [
        *("pid", "sid", "rid", "respid", "subjid", "rowid", "recordid", "caseid", "sampleid"),
        *("subject", "subjectid", "subj", "patient", "patientid", "person", "personid"),
        *("participant", "participantid", "respondent", "respondentid", "case", "sample"),
    ]
)
#: Names of numbers by which rows are told apart, if they are all different.
_NUMBERS = frozenset(
    [
        *("row", "rows", "rownum", "rowname", "rownames", "rownumber", "record", "recno", "seqn"),
        *(
            "caseno",
            "casenum",
            "obs",
            "obsno",
            "obsnum",
            "observation",
            "serial",
            "sequence",
            "seq",
        ),
    ]
)
_LAST_WORDS = frozenset(["idx", "index", "ix", "nr", "no", "num", "key", "number"])
#: Quantities that count on by themselves, as a series in time does.
_COUNTED_ON = frozenset(
    ["year", "month", "week", "day", "hour", "minute", "second", "time", "date", "age", "t"]
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")


def find_identifiers(table: AnyTable) -> tuple[str, ...]:
    r"""Columns of a table that are no features, by their first 100,000 rows.

    These are columns of different whole numbers that count the rows from 0 or 1, or are named like
    an identifier (id, index, nr, ``..._id``), and columns of different texts that are no dates. An
    index is not among them.

    Parameters
    ----------
    table : TextTable or ColumnarTable
        From `minsyn.data.tables.open_table`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from minsyn.data.tables import open_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("who,case_id,age\nA,17,30\nB,12,40\nC,15,30\n")
    ...     find_identifiers(open_table(path))
    ('who', 'case_id')
    """
    head = table.head()
    named = [n for n in table.columns if n not in table.index and n not in table.dressed]
    # Columns may be many, and most of them are no whole numbers.
    numbers = [name for name in named if table.columns[name]]
    values = head[numbers].to_numpy(np.float64, na_value=np.nan)
    whole = {name for name, x in zip(numbers, values.T, strict=True) if _is_whole(x)}
    candidates = [
        name
        for name in named
        if (name in whole or not table.columns[name])
        and _tells_rows_apart(head[name], table.columns[name])
    ]
    if candidates and len(head) >= 20:  # there may be more
        for frame in _more(table, candidates):
            candidates = [n for n in candidates if _tells_rows_apart(frame[n], table.columns[n])]
    return tuple(candidates)


def names_subjects(name: str) -> bool:
    """Whether a column's name says that it tells subjects apart, even where these come again.

    Parameters
    ----------
    name : str
        The name.

    Examples
    --------
    >>> [names_subjects(name) for name in ("ID", "patientId", "Subject", "price index", "humid")]
    [True, True, True, False, False]
    """
    words = words_of(name)
    return bool(words) and (words[-1] in _ID_WORDS or "".join(words) in _SUBJECTS)


def words_of(name: str) -> list[str]:
    """Words of a column's name, in lower case.

    Parameters
    ----------
    name : str
        The name.

    Examples
    --------
    >>> words_of("trialNumber_2")
    ['trial', 'number', '2']
    """
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def _is_named_like_identifier(name: str) -> bool:
    words = words_of(name)
    joined = "".join(words)
    return names_subjects(name) or joined in _NUMBERS or (bool(words) and words[-1] in _LAST_WORDS)


def _more(table: AnyTable, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The first 100,000 rows as one frame."""
    if not isinstance(table, ColumnarTable):
        yield next(table.frames(names, _ROWS_EXAMINED))
        return
    import pyarrow as pa

    parts, n = [], 0
    for batch in table.batches(range(len(table.group_rows)), _ROWS_EXAMINED, names):
        parts.append(batch.slice(0, _ROWS_EXAMINED - n))
        n += len(parts[-1])
        if n >= _ROWS_EXAMINED:
            break
    yield pa.Table.from_batches(parts).to_pandas(ignore_metadata=True)


def _is_whole(values: Float[np.ndarray, " rows"]) -> bool:
    return bool(np.all(values == np.round(values)))  # NaN are not


def _tells_rows_apart(column: pd.Series, numeric: bool) -> bool:
    if len(column) < 2 or column.isna().any():
        return False
    name = str(column.name)
    if not numeric:
        is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        if not is_text or not column.is_unique:
            return False
        return _DATE.fullmatch(str(column.iloc[0]).strip()) is None
    values = column.to_numpy(np.float64)
    if not _is_whole(values) or column.dtype == bool:
        return False
    if _is_named_like_identifier(name):
        return bool(column.is_unique)
    words = words_of(name)
    counts = len(values) >= _FEWEST and values[0] in (0, 1) and bool((np.diff(values) == 1).all())
    return counts and not (words and (words[-1] in _COUNTED_ON or words[0] in _COUNTED_ON))
