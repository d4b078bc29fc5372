"""Columns that tell rows apart and measure nothing: row numbers, codes and names."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from minsyn.data.columnar_files import ColumnarTable
from minsyn.data.tables import AnyTable

__all__ = ["find_identifiers", "is_named_like_identifier"]

#: Rows by which candidates are judged, where the table's first thousand do not end it.
_ROWS_EXAMINED = 100_000
#: Fewest rows of which a running number says anything.
_FEWEST = 5

_NAMES = frozenset(
    [
        "id",
        "ids",
        "idx",
        "index",
        "ix",
        "nr",
        "no",
        "num",
        "key",
        "uid",
        "uuid",
        "guid",
        "pid",
        "sid",
        "rid",
        "row",
        "rows",
        "rowid",
        "rownum",
        "rowname",
        "rownames",
        "rownumber",
        "record",
        "recordid",
        "recno",
        "case",
        "caseid",
        "caseno",
        "casenum",
        "obs",
        "obsno",
        "obsnum",
        "observation",
        "sample",
        "sampleid",
        "subject",
        "subjectid",
        "subj",
        "subjid",
        "participant",
        "participantid",
        "respondent",
        "respondentid",
        "patient",
        "patientid",
        "person",
        "personid",
        "respid",
        "seqn",
        "serial",
        "seq",
        "sequence",
    ]
)
_LAST_WORDS = frozenset(
    ["id", "ids", "idx", "index", "ix", "nr", "no", "num", "key", "uid", "uuid", "guid", "number"]
)
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
    named = [name for name in table.columns if name not in table.index]
    candidates = [name for name in named if _tells_rows_apart(head[name], table.columns[name])]
    if candidates and len(head) >= 20:  # there may be more
        for frame in _more(table, candidates):
            candidates = [n for n in candidates if _tells_rows_apart(frame[n], table.columns[n])]
    return tuple(candidates)


def is_named_like_identifier(name: str) -> bool:
    """Whether a name is one that identifiers bear.

    Examples
    --------
    >>> [is_named_like_identifier(name) for name in ("ID", "patientId", "case no.", "humid", "no2")]
    [True, True, True, False, False]
    """
    words = _words(name)
    return bool(words) and (
        "".join(words) in _NAMES or words[-1] in _LAST_WORDS or words[0] == "id"
    )


def _words(name: str) -> list[str]:
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


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


def _tells_rows_apart(column: "pd.Series[Any]", numeric: bool) -> bool:
    if len(column) < 2 or column.isna().any():
        return False
    name = str(column.name)
    if not numeric:
        is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        if not is_text or not column.is_unique:
            return False
        return _DATE.fullmatch(str(column.iloc[0]).strip()) is None
    values = column.to_numpy()
    if values.dtype.kind not in "iuf" or not np.array_equal(values, np.round(values.astype(float))):
        return False
    if is_named_like_identifier(name):
        return bool(column.is_unique)
    words = _words(name)
    counts = len(values) >= _FEWEST and values[0] in (0, 1) and bool((np.diff(values) == 1).all())
    return counts and not (words and (words[-1] in _COUNTED_ON or words[0] in _COUNTED_ON))
