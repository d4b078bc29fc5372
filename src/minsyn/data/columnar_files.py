"""Tables that are stored by columns: parquet and Arrow IPC (Feather) files."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from minsyn.data.answers import AnswerColumn
from minsyn.data.damage import damage_named
from minsyn.data.table_format import MISSING, TableFormat
from minsyn.data.text_layout import TableError
from minsyn.data.text_tables import MixedColumn

__all__ = ["ArrowTable", "ColumnarTable", "ParquetTable", "columnar_table"]

#: Bytes of each column that are read at a time.
_READ_AHEAD = 2**16
_ROWS_EXAMINED = 1000


class ColumnarTable(ABC):
    """A table whose columns are stored with their types, in groups of rows.

    Parameters
    ----------
    path : Path
        The file.
    table : TableFormat, optional
        Which numbers are missing values; other options have no effect and are refused.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        Name of the table in messages.
    columns : dict of str to bool
        Names of the columns, and whether each holds numbers; a stored pandas index does not count.
    index : tuple of str
        Columns that are a stored pandas index.
    empty, mixed, answers, dressed, notes
        As in `minsyn.data.text_tables.TextTable`, for the same use. A column of numbers has a type
        here, and only one without any type is known to be empty.
    group_rows : list of int
        Rows of each group.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If the file is damaged or of another kind, or two columns have one name.
    """

    group_rows: list[int]
    mixed: dict[str, MixedColumn]
    _kind: str

    def __init__(self, path: Path, table: TableFormat | None = None) -> None:
        self.path, self.name = path, str(path)
        self.codes = table.codes if table is not None else ()
        if table is not None:
            table.require_no_text_options(str(path))
        with damage_named(str(path), self._kind):
            self.schema = schema = self._opened()
            # Metadata of pandas are JSON, which is parsed when it is asked for.
            stored = (schema.pandas_metadata or {}).get("index_columns", ())
        names = schema.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise TableError(f"{path}: two columns are named {twice!r}; rename one")
        self.index = tuple(name for name in stored if name in names)
        self.columns = {
            field.name: field.name not in self.index and _is_number(field.type) for field in schema
        }
        self.empty = tuple(field.name for field in schema if str(field.type) == "null")
        self.mixed = {}
        self.answers: dict[str, AnswerColumn] = {}
        self.notes: tuple[str, ...] = ()

    @abstractmethod
    def _opened(self) -> Any:
        """Schema of the file; sets `group_rows`."""

    @abstractmethod
    def batches(self, groups: Sequence[int], rows: int, names: Sequence[str]) -> Iterator[Any]:
        """Record batches of at most so many rows, of some groups and columns.

        Parameters
        ----------
        groups : sequence of int
            Groups, in this order.
        rows : int
            Largest number of rows.
        names : sequence of str
            Columns, in this order.
        """

    @property
    def dressed(self) -> dict[str, str]:
        """Columns of text whose first thousand cells are numbers or missing, and the first one."""
        head, found = self.head(), {}
        for name in self.columns:
            if self.columns[name] or name in self.index or not _is_text(head[name].dtype):
                continue
            cells = head[name].dropna().astype(str).str.strip()
            cells = cells[~cells.str.lower().isin(MISSING)]
            if len(cells) and pd.to_numeric(cells, errors="coerce").notna().all():
                found[name] = str(cells.iloc[0])
        return found

    def head(self) -> pd.DataFrame:
        """The first thousand rows."""
        import pyarrow as pa

        names, parts, n = list(self.columns), [], 0
        for batch in self.batches(range(len(self.group_rows)), _ROWS_EXAMINED, names):
            parts.append(batch.slice(0, _ROWS_EXAMINED - n))
            n += len(parts[-1])
            if n >= _ROWS_EXAMINED:
                break
        with damage_named(self.name, self._kind):
            table = pa.Table.from_batches(parts, self.schema.remove_metadata())
            return table.to_pandas(ignore_metadata=True)

    def read(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """The whole table with its index, or some columns as they are stored.

        Parameters
        ----------
        names : sequence of str, optional
            Columns, which may be the index.
        """
        import pyarrow as pa

        chosen = list(self.columns) if names is None else list(names)
        batches = list(self.batches(range(len(self.group_rows)), 2**20, chosen))
        fields = [self.schema.field(name) for name in chosen]
        schema = pa.schema(fields, metadata=self.schema.metadata if names is None else None)
        with damage_named(self.name, self._kind):
            parts = [_as(batch, schema) for batch in batches]
            frame = pa.Table.from_batches(parts, schema).to_pandas()
        frame.columns = frame.columns.map(str)
        if self.codes and names is None:
            numbers = [name for name in frame if self.columns.get(name)]
            frame[numbers] = frame[numbers].mask(frame[numbers].isin(self.codes))
        return frame

    def text(self, names: Sequence[str]) -> pd.DataFrame:
        """Columns as they are stored, to be carried over.

        Parameters
        ----------
        names : sequence of str
            Some of `columns`.
        """
        return self.read(names)


class ParquetTable(ColumnarTable):
    """A parquet file, which is read a page at a time.

    Checksums of pages are compared, if the file has them.
    """

    _kind = "a parquet file"

    def _opened(self) -> Any:
        with self._file() as file:
            metadata = file.metadata
            self.group_rows = [
                metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)
            ]
            return file.schema_arrow

    def batches(self, groups: Sequence[int], rows: int, names: Sequence[str]) -> Iterator[Any]:
        """Record batches of some groups and columns."""
        left = sum(self.group_rows[g] for g in groups)
        with damage_named(self.name, self._kind), self._file() as file:
            for batch in file.iter_batches(
                rows, row_groups=list(groups), columns=list(names), use_threads=False
            ):
                left -= len(batch)
                yield batch.select(list(names))
            if left and names:
                raise ValueError(f"its pages hold {left} fewer rows than its footer says")

    def _file(self) -> Any:
        pq = _pyarrow(self.path, "parquet", "pyarrow.parquet")
        # Pages are read as they are needed, not whole columns of a row group.
        return pq.ParquetFile(
            self.path,
            pre_buffer=False,
            buffer_size=_READ_AHEAD,
            page_checksum_verification=True,
        )


class ArrowTable(ColumnarTable):
    """An Arrow IPC (Feather) file, of which a record batch is read at a time."""

    _kind = "an Arrow IPC file (Feather, version 2)"

    def _opened(self) -> Any:
        with self._reader() as reader:
            schema = reader.schema
        # The lengths of the batches stand in the file beside their data, of which one column is
        # the least that can be read.
        narrow = [0] if len(schema.names) else None
        with self._reader(narrow) as reader:
            n = reader.num_record_batches
            self.group_rows = [reader.get_batch(i).num_rows for i in range(n)]
        return schema

    def batches(self, groups: Sequence[int], rows: int, names: Sequence[str]) -> Iterator[Any]:
        """Record batches of some groups and columns."""
        fields = [self.schema.get_field_index(name) for name in names]
        with damage_named(self.name, self._kind), self._reader(fields) as reader:
            for group in groups:
                batch = reader.get_batch(group).select(list(names))
                batch.validate(full=True)
                for start in range(0, len(batch), rows):
                    yield batch.slice(start, rows)

    def _reader(self, fields: list[int] | None = None) -> Any:
        pa = _pyarrow(self.path, "Arrow", "pyarrow")
        import pyarrow.ipc

        options = pyarrow.ipc.IpcReadOptions(included_fields=fields)
        return pyarrow.ipc.open_file(pa.memory_map(str(self.path)), options=options)


def columnar_table(path: Path, table: TableFormat | None = None) -> ColumnarTable:
    """Open a parquet or Arrow file by the ending of its name.

    Parameters
    ----------
    path : Path
        The file.
    table : TableFormat, optional
        Which numbers are missing values.
    """
    kind = ParquetTable if path.suffix.lower() == ".parquet" else ArrowTable
    return kind(path, table)


def _pyarrow(path: Path, what: str, module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{path}: {what} needs pip install 'minsyn[parquet]'") from error


def _as(batch: Any, schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _is_text(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype) or pd.api.types.is_object_dtype(dtype)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return (
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )
