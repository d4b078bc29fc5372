"""Opening of parquet files, and their columns."""

from pathlib import Path
from typing import Any

__all__ = ["parquet_columns", "parquet_file"]

#: Bytes of each column that are read at a time.
_READ_AHEAD = 2**16


def parquet_file(path: Path) -> Any:
    """A `pyarrow.parquet.ParquetFile`, which is read a page at a time.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If it is not a parquet file.
    """
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(f"{path}: parquet needs pip install 'minsyn[parquet]'") from error
    from pyarrow import ArrowInvalid

    try:
        # Pages are read as they are needed, not whole columns of a row group.
        return pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_AHEAD)
    except ArrowInvalid as error:
        raise ValueError(f"{path} is not a parquet file, or is truncated: {error}") from error


def parquet_columns(schema: Any) -> dict[str, bool]:
    """Names of the columns, and whether each holds numbers; a stored pandas index does not count.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the file.
    """
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
