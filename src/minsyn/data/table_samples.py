"""Tables in ``.csv`` and ``.parquet`` files as samples that are read in blocks."""

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
from minsyn.data.csv_files import INDEX, CsvFile
from minsyn.data.files import ArrayFile, file_identity
from minsyn.data.parquet_files import parquet_columns, parquet_file
from minsyn.data.stream import Block, SampleStream, working_dtype
from minsyn.data.tables import require_columns, some

__all__ = ["ParquetSamples", "csv_samples"]

#: Bytes of numbers that are decoded from parquet at a time: Arrow holds them several times over.
_DECODED_BYTES = 4 * 2**20


class ParquetSamples(SampleStream):
    """Columns of numbers in a parquet file.

    A shuffled pass takes row groups in random order. A group can only be read in order, so its
    samples are shuffled within blocks of about 32 MB: write a sorted file with small row groups.
    Parquet itself holds a page of every column (often 1 MB) and about a kilobyte for each column of
    each row group, which adds up in tables of thousands of columns.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str, optional
        Features, in this order; by default all columns but a stored pandas index.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If it is not a parquet file, is empty, or a column is missing or does not hold numbers.
    """

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        self._path = path
        with parquet_file(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
        index = (schema.pandas_metadata or {}).get("index_columns", ())
        names = _features(parquet_columns(schema), columns, index, str(path))
        self._group_rows = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
        types = [schema.field(name).type for name in names]
        # One type that holds all of them. A column with missing values is rejected when it is read.
        kinds = {np.dtype(bool if pa.types.is_boolean(t) else t.to_pandas_dtype()) for t in types}
        dtype = working_dtype(np.result_type(*kinds))
        super().__init__(str(path), (metadata.num_rows, len(names)), dtype, names)

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
        with parquet_file(self._path) as file:
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
        return file_identity(self._path, self.feature_names)


class _ParsedCsv(ArrayFile):
    """Numbers of a CSV file, in a temporary file that is deleted with this object."""

    def __init__(
        self,
        folder: tempfile.TemporaryDirectory[str],
        n_samples: int,
        names: tuple[str, ...],
        source: Path,
    ) -> None:
        path = Path(folder.name, "numbers")
        super().__init__(path, 0, (n_samples, len(names)), np.float64, str(source))
        self.feature_names = names
        self._folder, self._source = folder, source

    def _identity(self) -> bytes:
        return file_identity(self._source, self.feature_names)


def csv_samples(path: Path, columns: Sequence[str] | None = None) -> SampleStream:
    """Columns of numbers in a CSV file, which is parsed once.

    Text takes far longer to parse than numbers take to read. More than 32 MB of numbers therefore
    go to a temporary file (in the folder `tempfile.gettempdir`), which every pass reads.

    Parameters
    ----------
    path : Path
        The file, see `minsyn.data.csv_files.CsvFile`.
    columns : sequence of str, optional
        Features, in this order; by default all columns but an index.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If the file is empty or not such a table, a column is missing or does not hold numbers, or a
        number is missing or infinite.
    """
    file = CsvFile(path)
    names = _features(file.columns, columns, [INDEX], str(path))
    blocks = _blocks_of_numbers(file, names)
    first, second = next(blocks), next(blocks, None)
    if second is None:
        return ArraySamples(first, str(path), names)
    folder = tempfile.TemporaryDirectory(prefix="minsyn-")
    n_samples = 0
    with Path(folder.name, "numbers").open("wb") as numbers:
        for block in chain([first, second], blocks):
            block.tofile(numbers)
            n_samples += len(block)
    return _ParsedCsv(folder, n_samples, names, path)


def _blocks_of_numbers(
    file: CsvFile, names: tuple[str, ...]
) -> Iterator[Float[np.ndarray, "rows features"]]:
    n_rows = 0
    for frame in file.frames(names, max(1, stream.BLOCK_BYTES // (8 * len(names)))):
        values = np.ascontiguousarray(frame.to_numpy(np.float64))
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            line, name, value = file.line(n_rows + int(row)), names[column], values[row, column]
            found = (
                f"line {line} has no value in column {name!r}"
                if np.isnan(value)
                else f"line {line}, column {name!r} is {value}"
            )
            raise ValueError(f"{file.path}: {found}; drop such rows or fill them in first")
        yield values
        n_rows += len(values)


def _features(
    present: dict[str, bool], columns: Sequence[str] | None, index: Any, name: str
) -> tuple[str, ...]:
    """The chosen columns, or all but an index; a ValueError if one does not hold numbers."""
    names = tuple(n for n in present if n not in index) if columns is None else tuple(columns)
    require_columns(present, names, name)
    for column in names:
        if not present[column]:
            found = "is an index" if column in index else "does not hold numbers"
            numbers = some(n for n in present if present[n])
            raise ValueError(
                f"{name}: column {column!r} {found}; choose the features with columns= ({numbers} "
                "hold numbers)"
            )
    if not names:
        raise ValueError(f"{name} has no column of numbers")
    return names
