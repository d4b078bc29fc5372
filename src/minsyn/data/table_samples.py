"""Columns of numbers of a table as samples that are read in blocks."""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped

from minsyn.data import stream
from minsyn.data.arrays import ArraySamples
from minsyn.data.blocks import gathered, trimmed
from minsyn.data.columnar_files import ColumnarTable
from minsyn.data.files import ArrayFile, file_identity
from minsyn.data.stream import Block, SampleStream, working_dtype
from minsyn.data.tables import AnyTable, require_columns, some
from minsyn.data.text_tables import MissingMarks, TextTable

__all__ = ["ColumnarSamples", "table_samples"]

#: Bytes of numbers that are decoded from parquet at a time: Arrow holds them several times over.
_DECODED_BYTES = 4 * 2**20
#: Bytes of numbers that are parsed from text at a time: cells with marks of missing values are text
#: first, and take about ten times as much.
_PARSED_BYTES = 8 * 2**20
#: Fewest rows that are parsed at a time: each frame costs time for every column.
_FEWEST_PARSED = 200


def table_samples(table: AnyTable, columns: Sequence[str] | None = None) -> SampleStream:
    """Columns of numbers of a table.

    Text takes far longer to parse than numbers take to read: a text table is parsed once, and more
    than 32 MB of numbers go to a temporary file (in the folder `tempfile.gettempdir`), which every
    pass reads.

    Parameters
    ----------
    table : TextTable or ColumnarTable
        From `minsyn.data.tables.open_table`.
    columns : sequence of str, optional
        Features, in this order; by default all columns but an index.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If a column is missing or does not hold numbers, a number is infinite, or a line of a text
        table is not as it must be.
    """
    names = _features(table, columns)
    return (
        ColumnarSamples(table, names) if isinstance(table, ColumnarTable) else _text(table, names)
    )


class ColumnarSamples(SampleStream):
    """Columns of numbers in a parquet or Arrow file.

    A shuffled pass takes row groups in random order. A group can only be read in order, so its
    samples are shuffled within blocks of about 32 MB: write a sorted file with small row groups.
    Parquet itself holds a page of every column (often 1 MB) and about a kilobyte for each column of
    each row group, which adds up in tables of thousands of columns.

    Parameters
    ----------
    table : ColumnarTable
        The file.
    names : tuple of str
        Features, in this order.

    Raises
    ------
    ValueError
        If the table is empty.
    """

    def __init__(self, table: ColumnarTable, names: tuple[str, ...]) -> None:
        import pyarrow as pa

        self._table = table
        types = [table.schema.field(name).type for name in names]
        # One type that holds all of them. A column with missing values is rejected when it is read.
        kinds = {
            np.dtype(
                np.bool_
                if pa.types.is_boolean(t)
                else (np.float64 if pa.types.is_decimal(t) else t.to_pandas_dtype())
            )
            for t in types
        }
        dtype = working_dtype(np.result_type(*kinds))
        super().__init__(str(table.path), (sum(table.group_rows), len(names)), dtype, names)
        self._codes = table.codes

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        group_rows = self._table.group_rows
        ends = np.cumsum(group_rows)
        groups = np.flatnonzero((ends > start) & (ends - group_rows < stop))
        skipped = int(ends[groups[0]] - group_rows[groups[0]]) if len(groups) else 0
        parts = trimmed(self._parts(groups.tolist()), start - skipped, stop - skipped)
        return gathered(parts, self, np.arange(start, stop))

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        group_rows = self._table.group_rows
        order = torch.randperm(len(group_rows), generator=generator).tolist()
        starts = np.cumsum([0, *group_rows])
        numbers = np.concatenate([np.arange(starts[g], starts[g + 1]) for g in order])
        return gathered(self._parts(order), self, numbers)

    def _parts(self, groups: list[int]) -> Iterator[Shaped[np.ndarray, "rows features"]]:
        """Rows of some row groups, a few at a time."""
        part_rows = max(1, _DECODED_BYTES // (self.n_features * self.dtype.itemsize))
        for batch in self._table.batches(groups, part_rows, self.feature_names or ()):
            yield self._values(batch)

    def _values(self, batch: Any) -> Shaped[np.ndarray, "rows features"]:
        """Rows in C order; gaps are NaN."""
        import pyarrow as pa

        arrow = pa.from_numpy_dtype(self.dtype)
        if any(field.type != arrow for field in batch.schema):
            columns = [column.cast(arrow, safe=False) for column in batch.columns]
            batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        return batch.to_tensor(null_to_nan=True, row_major=True).to_numpy()

    def _identity(self) -> bytes:
        return file_identity(self._table.path, self.feature_names)


class _TextSamples(ArraySamples):
    """Numbers of a small text table, in memory."""

    def __init__(
        self, array: Float[np.ndarray, "rows features"], names: tuple[str, ...], table: TextTable
    ) -> None:
        super().__init__(array, table.name, names)
        self._table = table

    def place(self, row: int) -> str:
        return f"line {self._table.line(row)}"


class _ParsedText(ArrayFile):
    """Numbers of a text table, in a temporary file that is deleted with this object."""

    def __init__(
        self,
        folder: tempfile.TemporaryDirectory[str],
        n_samples: int,
        names: tuple[str, ...],
        table: TextTable,
    ) -> None:
        path = Path(folder.name, "numbers")
        super().__init__(path, 0, (n_samples, len(names)), np.float64, table.name)
        self.feature_names = names
        self._folder, self._table = folder, table

    def place(self, row: int) -> str:
        return f"line {self._table.line(row)}"

    def _identity(self) -> bytes:
        return file_identity(self._table.path, self.feature_names)


def _text(table: TextTable, names: tuple[str, ...]) -> SampleStream:
    marks: MissingMarks = {}
    blocks = _blocks_of_numbers(table, names, marks)
    kept: list[Float[np.ndarray, "rows features"]] = []
    for block in blocks:
        kept.append(block)
        if sum(part.nbytes for part in kept) > stream.BLOCK_BYTES:
            break
    else:
        samples: SampleStream = _TextSamples(np.concatenate(kept), names, table)
        samples.missing_marks = marks
        return samples
    folder = tempfile.TemporaryDirectory(prefix="minsyn-")
    n_samples = 0
    with Path(folder.name, "numbers").open("wb") as numbers:
        for block in chain(kept, blocks):
            block.tofile(numbers)
            n_samples += len(block)
    samples = _ParsedText(folder, n_samples, names, table)
    samples.missing_marks = marks
    return samples


def _blocks_of_numbers(
    table: TextTable, names: tuple[str, ...], marks: MissingMarks
) -> Iterator[Float[np.ndarray, "rows features"]]:
    n_rows = 0
    part_bytes = min(_PARSED_BYTES, stream.BLOCK_BYTES)
    n_part = max(_FEWEST_PARSED, part_bytes // (8 * len(names)))
    for frame in table.frames(names, n_part, marks):
        values = np.ascontiguousarray(frame.to_numpy(np.float64))
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise ValueError(
                f"{table.name}: line {table.line(n_rows + int(row))}, column {names[column]!r} is "
                f"{values[row, column]}; drop such rows or fill them in first"
            )
        yield values
        n_rows += len(values)


def _features(table: AnyTable, columns: Sequence[str] | None) -> tuple[str, ...]:
    """The chosen columns, or all but an index; a ValueError if one does not hold numbers."""
    present = table.columns
    chosen = [n for n in present if n not in table.index] if columns is None else columns
    names, name = tuple(chosen), table.name
    require_columns(present, names, name)
    for column in names:
        if column in table.mixed:
            raise table.mixed[column].error(name)
        if not present[column]:
            found = "is an index" if column in table.index else "does not hold numbers"
            if column in table.empty:
                found = "holds no values"
            numbers = some(n for n in present if present[n])
            raise ValueError(
                f"{name}: column {column!r} {found}; choose the features with columns= ({numbers} "
                "hold numbers)"
            )
    if not names:
        raise ValueError(f"{name} has no numeric column")
    return names
