"""Tables with named columns: parquet files, and CSV files, which are parsed once."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Shaped

from minsyn.data.arrays import ArraySamples
from minsyn.data.blocks import gathered, trimmed
from minsyn.data.files import ArrayFile, table_shape
from minsyn.data.stream import BLOCK_BYTES, Block, SampleStream, working_dtype

__all__ = ["ParquetSamples", "csv_samples", "table_columns"]

#: Rows of a CSV file that its columns' types are told from, by `table_columns`.
_ROWS_LOOKED_AT = 1000
#: Bytes of numbers that parquet decodes at a time: Arrow holds them several times over.
_DECODED_BYTES = 4 * 2**20

#: Bytes of each column of a parquet file that are read at a time.
_READ_AHEAD = 2**16


class ParquetSamples(SampleStream):
    """Numeric columns of a parquet file.

    In a mixed pass row groups come in random order. Within a group parquet can be read in order
    only, so samples of one are mixed with those of about 32 MB beside them: write a file that is
    sorted with small row groups. Parquet itself holds a page of every column (often 1 MB) and a
    kilobyte for each column of each row group, which adds up in tables of thousands of columns.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str, optional
        Features, in this order; by default all columns but a stored pandas index.

    Raises
    ------
    ImportError
        If pyarrow is not there.
    ValueError
        If it is no parquet file, is empty, or a column is missing or does not hold numbers.
    """

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        self.name = str(path)
        self._path = path
        with _parquet_file(path) as file:
            numeric = _parquet_columns(file.schema_arrow)
            self.feature_names = _chosen(numeric, columns, self.name)
            self._group_rows = [
                file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)
            ]
            self.n_samples, self.n_features = table_shape(
                (file.metadata.num_rows, len(self.feature_names)), self.name
            )
            types = [file.schema_arrow.field(name).type for name in self.feature_names]
        # One type that holds all of them. A column with gaps is rejected when it is read.
        kinds = {np.dtype(bool if pa.types.is_boolean(t) else t.to_pandas_dtype()) for t in types}
        self.dtype = working_dtype(np.result_type(*kinds))

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        ends = np.cumsum(self._group_rows)
        groups = np.flatnonzero((ends > start) & (ends - self._group_rows < stop))
        skipped = int(ends[groups[0]] - self._group_rows[groups[0]]) if len(groups) else 0
        parts = trimmed(self._parts(groups.tolist()), start - skipped, stop - skipped)
        return gathered(parts, self, np.arange(start, stop))

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        order = torch.randperm(len(self._group_rows), generator=generator).tolist()
        starts = np.cumsum([0, *self._group_rows])
        numbers = np.concatenate([np.arange(starts[g], starts[g + 1]) for g in order])
        return gathered(self._parts(order), self, numbers)

    def _parts(self, groups: list[int]) -> Iterator[Shaped[np.ndarray, "rows features"]]:
        """Rows of some row groups, a few at a time."""
        names = list(self.feature_names or ())
        part_rows = max(1, _DECODED_BYTES // (self.n_features * self.dtype.itemsize))
        with _parquet_file(self._path) as file:
            for batch in file.iter_batches(
                part_rows, row_groups=groups, columns=names, use_threads=False
            ):
                yield self._values(batch.select(names))

    def _values(self, batch: Any) -> Shaped[np.ndarray, "rows features"]:
        """Rows in C order; gaps are NaN."""
        import pyarrow as pa

        arrow = pa.from_numpy_dtype(self.dtype)
        if any(field.type != arrow for field in batch.schema):
            columns = [column.cast(arrow, safe=False) for column in batch.columns]
            batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        return batch.to_tensor(null_to_nan=True, row_major=True).to_numpy()

    def _identity(self) -> bytes:
        status = self._path.stat()
        names = "\n".join(self.feature_names or ())
        return f"{self._path.resolve()} {status.st_size} {status.st_mtime_ns} {names}".encode()


class _ParsedCsv(ArrayFile):
    """Numbers of a CSV file, in a temporary file that goes when the samples go."""

    def __init__(
        self, folder: tempfile.TemporaryDirectory[str], shape: tuple[int, int], path: Path
    ) -> None:
        super().__init__(Path(folder.name, "numbers"), 0, shape, np.float64, str(path))
        self._folder, self._source = folder, path

    def _identity(self) -> bytes:
        status = self._source.stat()
        names = "\n".join(self.feature_names or ())
        return f"{self._source.resolve()} {status.st_size} {status.st_mtime_ns} {names}".encode()


def csv_samples(path: Path, columns: Sequence[str] | None = None) -> SampleStream:
    """Numeric columns of a CSV file, parsed once.

    Text takes far longer to parse than numbers to read: those of a file of more than 32 MB go to a
    temporary file (in the folder that `tempfile.gettempdir` names) and are read from there in every
    pass.

    Parameters
    ----------
    path : Path
        A table of comma-separated values whose first line names the columns.
    columns : sequence of str, optional
        Features, in this order; by default all columns but a first one without a name, as pandas
        writes its index.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If the file is empty or no such table, a column is missing or does not hold numbers, or a
        number is missing.
    """
    name = str(path)
    names = _chosen(table_columns(path), columns, name)
    folder: tempfile.TemporaryDirectory[str] | None = None
    parts: list[Shaped[np.ndarray, "rows features"]] = []
    n_samples = n_bytes = 0
    chunk_rows = max(1, BLOCK_BYTES // (8 * len(names)))
    try:
        for chunk in pd.read_csv(path, usecols=list(names), chunksize=chunk_rows):
            values = _csv_numbers(chunk[list(names)], n_samples, name)
            n_samples, n_bytes = n_samples + len(values), n_bytes + values.nbytes
            parts.append(values)
            if n_bytes > BLOCK_BYTES:
                folder = folder or tempfile.TemporaryDirectory(prefix="minsyn-")
                with Path(folder.name, "numbers").open("ab") as file:
                    for part in parts:
                        part.tofile(file)
                parts.clear()
        if folder is None:
            return ArraySamples(np.concatenate(parts), name, names)
        if parts:
            with Path(folder.name, "numbers").open("ab") as file:
                np.concatenate(parts).tofile(file)
        samples = _ParsedCsv(folder, (n_samples, len(names)), path)
        samples.feature_names = names
        return samples
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no table of comma-separated values: {error}") from error


def table_columns(path: Path) -> dict[str, bool]:
    """Names of a table's columns, and whether each holds numbers.

    Parameters
    ----------
    path : Path
        A ``.csv`` file, judged by its first thousand rows, or a ``.parquet`` file.

    Returns
    -------
    dict of str to bool

    Raises
    ------
    ValueError
        If the file is empty or no such table.
    ImportError
        If a parquet file is to be read without pyarrow.
    """
    if path.suffix.lower() == ".parquet":
        with _parquet_file(path) as file:
            return _parquet_columns(file.schema_arrow)
    try:
        head = pd.read_csv(path, nrows=_ROWS_LOOKED_AT)
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"{path} is empty; a header line with the columns' names is needed"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no table of comma-separated values: {error}") from error
    if len(head) == 0:
        raise ValueError(f"{path} holds no samples, only a header")
    if len(head.columns) == 1 and any(mark in str(head.columns[0]) for mark in ";\t|"):
        raise ValueError(
            f"{path} has one column, {str(head.columns[0])!r}: values must be separated by commas"
        )
    # A nameless first column is an index, as pandas writes it.
    return {
        str(column): pd.api.types.is_numeric_dtype(head[column]) and column != "Unnamed: 0"
        for column in head.columns
    }


def _csv_numbers(chunk: pd.DataFrame, start: int, name: str) -> Shaped[np.ndarray, "rows features"]:
    for column in chunk.columns:
        series = chunk[column]
        if not pd.api.types.is_numeric_dtype(series):
            odd = pd.to_numeric(series, errors="coerce").isna() & series.notna()
            row = int(np.argmax(odd.to_numpy()))
            raise ValueError(
                f"{name}: row {start + row}, column {column!r} holds {series.iloc[row]!r}, which "
                "is no number; leave the column out, or mend the file"
            )
        if series.isna().any():
            row = start + int(np.argmax(series.isna().to_numpy()))
            raise ValueError(
                f"{name}: column {column!r} has missing values, the first in row {row}; drop those "
                "rows or fill them in first"
            )
    values = np.ascontiguousarray(chunk.to_numpy(np.float64))
    if not np.isfinite(values).all():
        row, j = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"{name}: row {start + row}, column {chunk.columns[j]!r} is {values[row, j]}; drop "
            "those rows or fill them in first"
        )
    return values


def _chosen(numeric: dict[str, bool], columns: Sequence[str] | None, name: str) -> tuple[str, ...]:
    """The features: those that were asked for, or all, if they hold numbers."""
    index = ("Unnamed: 0",)
    names = tuple(columns) if columns is not None else tuple(n for n in numeric if n not in index)
    for column in names:
        if column not in numeric:
            raise ValueError(f"{name} has no column {column!r}; there are {_some(numeric)}")
        if not numeric[column] and column not in index:
            raise ValueError(
                f"{name}: column {column!r} does not hold numbers; choose the features with "
                f"columns= ({_some([n for n in numeric if numeric[n]])} hold numbers)"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"columns names {next(n for n in names if names.count(n) > 1)!r} twice")
    if not names:
        raise ValueError(f"{name} has no column of numbers")
    return names


def _some(names: Any) -> str:
    names = list(names)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _parquet_file(path: Path) -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(f"{path}: parquet needs pip install 'minsyn[parquet]'") from error
    from pyarrow import ArrowInvalid

    try:
        # Pages are read as they are needed, not whole columns of a row group.
        return pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_AHEAD)
    except ArrowInvalid as error:
        raise ValueError(f"{path} is no parquet file, or is truncated: {error}") from error


def _parquet_columns(schema: Any) -> dict[str, bool]:
    """Columns, and whether they hold numbers; an index that pandas stored does not count."""
    import pyarrow as pa

    index = list((schema.pandas_metadata or {}).get("index_columns", ()))
    return {
        field.name: field.name not in index
        and (
            pa.types.is_floating(field.type)
            or pa.types.is_integer(field.type)
            or pa.types.is_boolean(field.type)
        )
        for field in schema
    }
