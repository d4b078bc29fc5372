"""Features and other columns of a file, and a model's latents of them."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn.commands._options import choose_columns

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

    from minsyn.data import ColumnStatistics, SampleStream, TableFormat
    from minsyn.data.sentinels import Sentinel
    from minsyn.data.tables import AnyTable
    from minsyn.estimators.factor_model import FactorModel
    from minsyn.information import PairwiseStatistics

__all__ = [
    "UserData",
    "latents_by_block",
    "open_data",
    "open_data_for",
    "pairwise_statistics",
    "read_as_numbers",
]

#: Names of what a table is often meant to predict.
_TARGETS = ("target", "label", "labels", "class", "y", "outcome")
#: Marks of missing values, or columns, that are told one by one.
_TOLD = 5
_ROW_NUMBERS = "row numbers"
#: Most answers of a scale, and fewest items of a questionnaire that have the same.
_LONGEST_SCALE, _FEWEST_ITEMS = 11, 3
#: Rows from which notes on all rows are made.
_FIRST_ROWS = 1000
#: Correlation of rows with the next ones beyond which they are not independent.
_ALIKE = 0.8


@dataclass(frozen=True)
class UserData:
    """Samples of a file, and what was found in it.

    Attributes
    ----------
    file : Path
        The file.
    samples : SampleStream
        The features.
    not_numbers : tuple of str
        Columns of text, dates and the like, columns without values, and a stored index.
    identifiers : tuple of str
        Those among `not_numbers` and `left_out` that tell the samples apart.
    left_out : tuple of str
        Numeric columns that are no features.
    missing : dict of str to int
        Features with missing values, and how many they have. Empty after `open_data_for`.
    missing_marks : dict of str to dict of str to int
        Feature -> text that was read as a missing value -> how often.
    statistics : ColumnStatistics or None
        Of the features; None after `open_data_for`.
    notes : tuple of str
        What was found, left out or missing, as sentences of one line each.
    table : TableFormat or None
        What was known about the file.
    """

    file: Path
    samples: "SampleStream"
    not_numbers: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    missing_marks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    statistics: "ColumnStatistics | None" = None
    notes: tuple[str, ...] = ()
    table: "TableFormat | None" = None

    @property
    def carried(self) -> tuple[str, ...]:
        """Columns that say which sample is which: an index, identifiers and text."""
        return tuple(dict.fromkeys((*self.identifiers, *self.not_numbers)))

    def columns(self, names: Sequence[str]) -> "DataFrame":
        """Columns of the table, unchanged.

        Parameters
        ----------
        names : sequence of str
            Names of the columns.
        """
        from minsyn.data import read_columns

        return read_columns(self.file, names, self.table)


def open_data(
    file: Path,
    columns: list[str] | None = None,
    drop: list[str] | None = None,
    table: "TableFormat | None" = None,
    *,
    again: str = "",
) -> UserData:
    """Features of a file that `minsyn.data.as_samples` reads, and what was found in it.

    This passes over the data once, and again if there seems to be an outlier.

    Parameters
    ----------
    file : Path
        The file.
    columns : list of str, optional
        Features; by default all numeric columns but identifiers.
    drop : list of str, optional
        Columns that are not features.
    table : TableFormat, optional
        What cannot be seen in the file.
    again : str, default=""
        What the command needs besides to be run again as a note says, such as ``" --overwrite"``.

    Raises
    ------
    ValueError
        If there is no such column, no numeric column is left, a column of numbers holds other
        cells, or the file is not a table.
    """
    from minsyn.data.identifiers import find_identifiers
    from minsyn.data.table_samples import table_samples
    from minsyn.data.tables import is_table, open_table

    if not is_table(file):
        return _described(_of_array(file, columns, drop, table), again)
    opened = open_table(file, table)
    identifiers = find_identifiers(opened)
    present = list(opened.columns)
    dropped = choose_columns(present, drop, "--drop") if drop is not None else []
    if columns is not None:
        features = choose_columns(present, columns, "--columns")
        text = next((n for n in features if not opened.columns[n] and n not in opened.mixed), None)
        if text is not None:
            raise ValueError(f"{file}: column {text!r} is not numeric")
    else:
        # A column that is nearly one of numbers is an error, until somebody decides on it.
        doubtful = {name for name, mixed in opened.mixed.items() if mixed.mostly_numbers}
        features = [
            name
            for name in present
            if (opened.columns[name] or name in doubtful) and name not in identifiers
        ]
    features = [name for name in features if name not in dropped]
    if not features:
        ids = [name for name in identifiers if opened.columns[name] and name not in dropped]
        why = (
            f"; --columns {ids[0]} keeps {ids[0]!r}, which looks like an identifier" if ids else ""
        )
        why = why or _why_no_numbers(opened, [n for n in present if n not in dropped])
        raise ValueError(f"{file} has no numeric columns left to fit a model to{why}")
    samples = table_samples(opened, features)
    data = _of_table(opened, samples, features, identifiers, table)
    notes = (*opened.notes, *_notes_on_columns(opened, data, columns, dropped))
    return _described(replace(data, notes=notes), again)


def _why_no_numbers(opened: "AnyTable", names: Sequence[str]) -> str:
    """What stands in columns that are no numbers, and the cure."""
    for mixed in [opened.mixed[name] for name in names if name in opened.mixed][:1]:
        return f": column {mixed.name!r}, for one, holds {mixed.cell!r} in line {mixed.line}"
    head, shown = opened.head(), []
    others = [n for n in names if n not in opened.index and n not in opened.empty]
    for name in others[:2]:
        cells = [f"{str(cell)[:40]!r}" for cell in head[name].dropna().unique()[:2]]
        shown.append(f"{name} holds {' and '.join(cells)}")
    if not shown:
        return ""
    more = f", and {len(others) - 2} more are text" if len(others) > 2 else ""
    return (
        f": {'; '.join(shown)}{more}. Write what they mean as numbers, such as 0 and 1 for two "
        "answers, or 1 to 5 for a scale"
    )


def open_data_for(model: "FactorModel", file: Path, table: "TableFormat | None" = None) -> UserData:
    """The features of a fitted model in a file, by name where the model has feature names.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    file : Path
        Data with the same features.
    table : TableFormat, optional
        What cannot be seen in the file.

    Raises
    ------
    ValueError
        If a feature is missing, or the number of features differs.
    """
    from minsyn.data import as_samples
    from minsyn.data.identifiers import find_identifiers
    from minsyn.data.table_samples import table_samples
    from minsyn.data.tables import is_table, open_table
    from minsyn.data.text_tables import TextTable

    if is_table(file) and hasattr(model, "feature_names_in_"):
        opened = open_table(file, table)
        features = [str(name) for name in model.feature_names_in_]
        _require_features(file, opened.columns, features)
        if isinstance(opened, TextTable):
            opened.read_answers(features)
        text = [n for n in features if not opened.columns[n] and n not in opened.mixed]
        if text:
            raise ValueError(f"{file}: column {text[0]!r} is not numeric")
        identifiers = tuple(n for n in find_identifiers(opened) if n not in features)
        data = _of_table(opened, table_samples(opened, features), features, identifiers, table)
        return replace(data, notes=(*opened.notes, *_notes_on_marks(data)))
    if file.suffix.lower() == ".h5ad" and hasattr(model, "feature_names_in_"):
        features = [str(name) for name in model.feature_names_in_]
        from minsyn.data.anndata_files import h5ad_names

        _require_features(file, h5ad_names(file), features)
        return UserData(file, as_samples(file, features, table=table), table=table)
    data = open_data(file, table=table) if is_table(file) else _of_array(file, None, None, table)
    if data.samples.n_features != model.n_features_in_:
        raise ValueError(
            f"{file} has {data.samples.n_features} features, the model was fitted to "
            f"{model.n_features_in_}"
        )
    return data


def _require_features(file: Path, present: Container[str], features: Sequence[str]) -> None:
    missing = [name for name in features if name not in present]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(
            f"{file} lacks columns that the model was fitted to: {', '.join(missing[:5])}{more}"
        )


def _of_array(
    file: Path,
    columns: list[str] | None,
    drop: list[str] | None,
    table: "TableFormat | None",
) -> UserData:
    """Features of a file that is no table."""
    from minsyn.data import as_samples

    if columns is None and drop is None:
        return UserData(file, as_samples(file, table=table), table=table)
    if file.suffix.lower() != ".h5ad":
        raise ValueError(f"{file}: an array has no column names for --columns or --drop")
    from minsyn.data.anndata_files import h5ad_names

    present = list(h5ad_names(file))
    features = present if columns is None else choose_columns(present, columns, "--columns")
    dropped = set() if drop is None else set(choose_columns(present, drop, "--drop"))
    features = [name for name in features if name not in dropped]
    if not features:
        raise ValueError(f"{file} has no variables left to fit a model to")
    chosen = set(features)
    left_out = tuple(name for name in present if name not in chosen)
    notes = (f"left out, not chosen: {_listed(left_out)}",) if left_out else ()
    samples = as_samples(file, features, table=table)
    return UserData(file, samples, left_out=left_out, notes=notes, table=table)


def _of_table(
    opened: "AnyTable",
    samples: "SampleStream",
    features: Sequence[str],
    identifiers: Sequence[str],
    table: "TableFormat | None",
) -> UserData:
    chosen = set(features)
    out = [name for name in opened.columns if name not in chosen]
    return UserData(
        opened.path,
        samples,
        not_numbers=tuple(n for n in out if not opened.columns[n]),
        identifiers=tuple(n for n in identifiers if n not in chosen),
        left_out=tuple(n for n in out if opened.columns[n]),
        missing_marks=samples.missing_marks,
        table=table,
    )


def _notes_on_columns(
    opened: "AnyTable", data: UserData, columns: list[str] | None, dropped: Sequence[str]
) -> Iterator[str]:
    """What is left out and why, and what is left in but perhaps should not."""
    answers = read_as_numbers(opened, data.samples.feature_names or ())
    if answers:
        yield answers
    if data.identifiers:
        numeric = [name for name in data.identifiers if opened.columns[name]]
        keep = columns is None and len(set(numeric) - set(dropped)) > 0
        cure = "; --columns chooses the features" if keep else ""
        yield f"left out, identifiers: {_listed(data.identifiers)}{cure}"
    told = {*data.identifiers, *opened.empty, *opened.dressed}
    text = [name for name in data.not_numbers if name not in told]
    if text:
        shown = [_index_in_words(opened, n) if n in opened.index else n for n in text]
        words = [name for name in shown if name != _ROW_NUMBERS]
        if _ROW_NUMBERS in shown:
            yield f"left out: {_ROW_NUMBERS}"
        if words:
            yield f"left out, not numeric: {_listed(words)}"
        if columns is None:
            yield from _notes_on_scales(opened, [n for n in text if n not in dropped])
    if opened.empty:
        yield f"left out, without values: {_listed(opened.empty)}"
    partly = [n for n in text if n in opened.mixed and n not in dropped] if columns is None else []
    for name in partly[:_TOLD]:
        mixed = opened.mixed[name]
        yield (
            f"column {name} is left out as text: {mixed.n_other} of {mixed.n_cells} cells are not "
            f"numbers, the first, {mixed.cell!r}, in line {mixed.line}; if they mean missing "
            "values, name them with --missing"
        )
    for name, cell in [*opened.dressed.items()][:_TOLD] if columns is None else []:
        if name not in dropped:
            yield f"column {name} is left out: {cell!r} and the like are not plain numbers"
    others = [name for name in data.left_out if name not in data.identifiers]
    if others:
        yield f"left out, not chosen: {_listed(others)}"
    if columns is None:
        yield from _notes_on_names(data)
        yield from _notes_on_counters(opened, data)


def _notes_on_scales(opened: "AnyTable", names: Sequence[str]) -> Iterator[str]:
    """Columns of text that hold the same few answers, such as those of a questionnaire."""
    head = opened.head()
    found = {name: frozenset(head[name].dropna().astype(str)) for name in names}
    scales = [texts for texts in found.values() if 2 <= len(texts) <= _LONGEST_SCALE]
    widest = max(scales, key=lambda texts: sum(other <= texts for other in scales), default=None)
    alike = [name for name, texts in found.items() if widest and texts and texts <= widest]
    if widest and len(alike) >= _FEWEST_ITEMS:
        most = Counter(str(cell) for name in alike for cell in head[name].dropna()).most_common(2)
        yield (
            f"{len(alike)} of these hold the same answers, such as {most[0][0]!r} and "
            f"{most[1][0]!r}: write them as numbers, such as 1 to 5, to use them as features"
        )


def _index_in_words(opened: "AnyTable", name: str) -> str:
    """What a column that is an index holds, by the first rows."""
    import pandas as pd

    values = pd.to_numeric(opened.head()[name], errors="coerce")
    return _ROW_NUMBERS if values.notna().all() else "the index"


def _notes_on_names(data: UserData) -> Iterator[str]:
    from minsyn.data.identifiers import names_subjects

    for name in data.samples.feature_names or ():
        if name.lower() in _TARGETS:
            yield f"column {name} is used as a feature; leave it out with --drop {name}"
        elif names_subjects(name):
            yield (
                f"column {name} is used as a feature, but named like an identifier; leave it out "
                f"with --drop {name}"
            )


def _notes_on_counters(opened: "AnyTable", data: UserData) -> Iterator[str]:
    import shlex

    import numpy as np

    from minsyn.data.counters import find_counters

    names = list(data.samples.feature_names or ())
    values = opened.head()[names].to_numpy(np.float64, na_value=np.nan)
    found = find_counters(names, values)
    if len(found) == 1:
        yield (
            f"column {found[0]} looks like a date or counter and is used as a feature; leave it "
            f"out with --drop {shlex.quote(found[0])}"
        )
    elif found:
        yield (
            f"columns that look like dates or counters are used as features: {_listed(found)}; "
            f"leave them out with --drop {shlex.join(found[:8])}"
        )


def _described(data: UserData, again: str) -> UserData:
    """The same with statistics, and notes on missing values, constants and codes."""
    from minsyn.data.outliers import find_outlier
    from minsyn.data.sentinels import statistics_and_sentinels

    samples = data.samples
    statistics, sentinels = statistics_and_sentinels(samples)
    names = samples.feature_names or tuple(f"x{i}" for i in range(samples.n_features))
    missing = {names[i]: int(n) for i, n in enumerate(statistics.n_missing) if n}
    data = replace(data, statistics=statistics, missing=missing)
    notes = [*data.notes, *_notes_on_missing(data), *_notes_on_marks(data)]
    notes += _notes_on_codes(sentinels, names, again)
    outlier = find_outlier(samples, statistics, {found.feature for found in sentinels})
    if outlier is not None:
        notes.append(
            f"column {names[outlier.feature]} holds {outlier.value:.6g} in "
            f"{samples.place(outlier.row)}, {outlier.distance:,.0f} robust standard deviations "
            "from the median, and all others are near: correct it if it is a mistake"
        )
    notes += _notes_on_rows(samples)
    constant = [name for name, same in zip(names, statistics.constant, strict=True) if same]
    if constant:
        kept = "it is kept as a feature" if len(constant) == 1 else "they are kept as features"
        notes.append(f"constant: {_listed(constant)}; {kept} without weight")
    return replace(data, notes=tuple(notes))


def _notes_on_rows(samples: "SampleStream") -> Iterator[str]:
    """What the first rows of a table say about all."""
    from minsyn.data.counts import are_skewed_counts
    from minsyn.data.row_order import correlation_of_neighbours

    if samples.feature_names is None:
        return
    first = next(samples.blocks(missing=True))[:_FIRST_ROWS]
    alike = correlation_of_neighbours(first)
    if alike >= _ALIKE:
        yield (
            f"rows resemble their neighbours (correlation {alike:.2f}), as in a time series: "
            "common trends are factors, too, and the number of factors may be too large"
        )
    if are_skewed_counts(first):
        yield (
            "features are counts, and the largest ones dominate the correlations: log(1 + count) "
            "may be better"
        )


def _notes_on_missing(data: UserData) -> Iterator[str]:
    if not data.missing:
        return
    n = sum(data.missing.values())
    n_cells = data.samples.n_samples * data.samples.n_features
    most = max(data.missing, key=lambda name: data.missing[name])
    where = (
        f"in column {most}"
        if len(data.missing) == 1
        else f"in {len(data.missing)} columns, most in {most} ({data.missing[most]:,})"
    )
    yield f"missing: {n:,} of {n_cells:,} values ({_percent(n / n_cells)}), {where}"
    without = [n for n, count in data.missing.items() if count == data.samples.n_samples]
    if without:
        yield f"without a value in any row: {_listed(without)}; leave out with --drop"


def _notes_on_codes(
    sentinels: Sequence["Sentinel"], names: Sequence[str], again: str
) -> Iterator[str]:
    """Numbers that probably mean missing values, each with its columns."""
    by_value: dict[float, list[Sentinel]] = {}
    for sentinel in sentinels:
        by_value.setdefault(sentinel.value, []).append(sentinel)
    for value, found in sorted(by_value.items(), key=lambda item: -len(item[1])):
        n = sum(sentinel.n_samples for sentinel in found)
        where = (
            f"column {names[found[0].feature]} holds {value:g} in {n:,} rows"
            if len(found) == 1
            else f"{len(found)} columns hold {value:g} ({n:,} cells)"
        )
        yield f"{where}: if it means a missing value, give --missing {value:g}{again}"


def _notes_on_marks(data: UserData) -> Iterator[str]:
    """Texts that were read as missing values, and where."""
    columns: dict[str, dict[str, int]] = {}
    for name, marks in data.missing_marks.items():
        for mark, n in marks.items():
            columns.setdefault(mark, {})[name] = n
    for mark in sorted(columns, key=lambda mark: -sum(columns[mark].values()))[:_TOLD]:
        found = columns[mark]
        n = sum(found.values())
        where = f"column {next(iter(found))}" if len(found) == 1 else f"{len(found)} columns"
        yield f"{mark!r} read as missing in {where} ({n:,})"
    if len(columns) > _TOLD:
        yield f"and {len(columns) - _TOLD} more marks of missing values"


def read_as_numbers(opened: "AnyTable", names: Sequence[str]) -> str:
    """Which columns hold answers in words that are read as numbers, as a sentence; or nothing.

    Parameters
    ----------
    opened : TextTable or ColumnarTable
        The table.
    names : sequence of str
        Columns that are used.
    """
    columns: dict[str, list[str]] = {}
    for name in names:
        if name in opened.answers:
            columns.setdefault(opened.answers[name].meaning, []).append(name)
    parts = [f"{_listed(found)} ({meaning})" for meaning, found in columns.items()]
    more = f" and {len(parts) - _TOLD} more scales" if len(parts) > _TOLD else ""
    return f"answers read as numbers: {', '.join(parts[:_TOLD])}{more}" if parts else ""


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "below 0.1%"


def _listed(names: Sequence[str]) -> str:
    names = list(names)
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def latents_by_block(
    model: "FactorModel", user_data: UserData
) -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
    """Latents and features of all samples, block by block.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    user_data : UserData
        Data with the features of the model.

    Yields
    ------
    tuple of ndarray of shape (rows, n_components) and (rows, n_features)
        The next block may overwrite the features. Values may be missing in them if the model takes
        such data.
    """
    import pandas as pd

    names = getattr(model, "feature_names_in_", None)
    for block in user_data.samples.blocks(missing=True):
        x = block if names is None else pd.DataFrame(block, columns=names, copy=False)
        yield model.transform(x), block


def pairwise_statistics(model: "FactorModel", user_data: UserData) -> "PairwiseStatistics":
    """Statistics of a model's latents and its features.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    user_data : UserData
        Data with the features of the model.
    """
    from minsyn.information import PairwiseStatistics

    blocks = latents_by_block(model, user_data)
    return reduce(
        PairwiseStatistics.merge, (PairwiseStatistics.of(z.astype(float), x) for z, x in blocks)
    )
