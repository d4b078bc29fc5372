"""Opening of data sets, wherever they lie."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from minsyn.data.arrays import ArraySamples, ArraySlices, SparseSamples
from minsyn.data.files import memmap_stream, npy_file, npz_file
from minsyn.data.frames import array_of_numbers, is_anndata, named_array
from minsyn.data.stream import SampleStream
from minsyn.data.table_format import TableFormat
from minsyn.data.table_samples import table_samples
from minsyn.data.tables import TABLES, is_table, open_table
from minsyn.data.torch_data import DatasetSamples, LoaderSamples

__all__ = ["as_samples", "is_stream", "stream_of_features"]

_ARRAYS = (".npy", ".npz", ".h5ad")
_SUFFIXES = (*_ARRAYS, *TABLES)


def as_samples(
    data: Any, columns: Sequence[str] | None = None, *, table: TableFormat | None = None
) -> SampleStream:
    """Open a data set, to pass over it in blocks or mini-batches any number of times.

    If the data are not in memory, a pass holds one block of about 32 MB and one batch, however many
    samples there are. Numbers may be of any real type; batches are in float32.

    Parameters
    ----------
    data : array-like, path, sparse matrix, Tensor, Dataset or DataLoader
        One of:

        - an array, Tensor, DataFrame (pandas, polars), Arrow table, AnnData or DataArray in memory,
          of shape (n_samples, n_features), see `minsyn.data.named_array`;
        - the path of a ``.npy`` file, or a memmap: read from the file in blocks, not mapped;
        - the path of an ``.npz`` file with one array: read in blocks unless it is compressed;
        - the path of an ``.h5ad`` file, whose ``X`` is read in blocks, dense or sparse;
        - the path of a ``.parquet``, ``.feather`` or ``.arrow`` file: read in blocks and groups of
          rows;
        - the path of a ``.csv``, ``.tsv`` or ``.txt`` file, which may be compressed (``.gz``), or
          of an ``.xlsx`` file: parsed once, in blocks;
        - a SciPy sparse matrix, of which one block at a time is made dense;
        - a torch Dataset or DataLoader, whose items are samples or tuples that begin with one;
        - an object with a ``shape`` that gives rows by slicing, such as an HDF5 dataset.
    columns : sequence of str, optional
        Columns of a table that are features; all but an index by default. The name of a variable of
        an ``.h5ad`` file is that of a column.
    table : TableFormat, optional
        What cannot be seen in a text file, such as its encoding; and, of any data, which numbers
        are missing values.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If there are no samples, the shape is not (n_samples, n_features), a file is damaged or of
        an unknown kind, or, while the data are read, a number is infinite, or NaN unless missing
        values are let through.
    TypeError
        If the numbers are not real, or `data` is not one of the above. An iterator, for one, allows
        only a single pass.
    FileNotFoundError
        If there is no such file.
    ImportError
        If a package is needed and not installed; the message names the extra.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.npy")
    ...     np.save(path, np.arange(12, dtype=np.int16).reshape(6, 2))
    ...     samples = as_samples(path)
    ...     [x.tolist() for (x,) in samples.batches(4)]
    [[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [[6.0, 7.0], [8.0, 9.0], [10.0, 11.0]]]
    """
    if isinstance(data, str | Path):
        return _of_file(Path(data), columns, table)
    if columns is not None:
        raise ValueError("columns chooses among those of a table in a file; pass a path")
    samples = _of_object(data)
    if table is None:
        return samples
    table.require_no_text_options(samples.name)
    return samples.with_missing(table.codes)


def _of_object(data: Any) -> SampleStream:
    if isinstance(data, SampleStream):
        return data
    if isinstance(data, np.memmap):
        return memmap_stream(data)
    if isinstance(data, DataLoader):
        return LoaderSamples(data)
    if isinstance(data, Dataset):
        return DatasetSamples(data)
    values, names = named_array(data)
    if hasattr(values, "tocsr"):
        return SparseSamples(values, feature_names=names)
    if isinstance(values, np.ndarray):
        return ArraySamples(values, feature_names=names)
    if hasattr(values, "shape") and hasattr(values, "dtype") and hasattr(values, "__getitem__"):
        return ArraySlices(values, type(data).__name__, names)
    if isinstance(data, Sequence):
        return ArraySamples(array_of_numbers(data))
    once = "; an iterator allows only a single pass" if isinstance(data, Iterator) else ""
    raise TypeError(
        "samples must be an array, a path, a sparse matrix, a Tensor, a Dataset or a DataLoader; "
        f"found {type(data).__name__}{once}"
    )


def is_stream(X: Any) -> bool:
    """Whether an estimator reads data in blocks rather than as an array.

    Files, sparse matrices, torch data and what `as_samples` returned are read in blocks. A memmap
    is an array like any other: joblib passes arrays above 1 MB to its workers as memmaps, and a fit
    must not depend on that. To read a memmap in blocks, pass its path or ``as_samples(memmap)``.

    Parameters
    ----------
    X : object
        Data.

    Examples
    --------
    >>> is_stream("x.npy"), is_stream(np.zeros((3, 2))), is_stream(as_samples(np.zeros((3, 2))))
    (True, False, True)
    """
    if isinstance(X, str | Path | SampleStream | Dataset | DataLoader) or hasattr(X, "tocsr"):
        return True
    return is_anndata(X) and hasattr(X.X, "tocsr")


def stream_of_features(X: Any, names: Sequence[str] | None, n_features: int) -> SampleStream:
    """Open a data set that must have given features.

    Parameters
    ----------
    X : path, sparse matrix, Dataset, DataLoader or another that `as_samples` opens
        Data. The columns of a table are chosen by their names, in whatever order they stand.
    names : sequence of str or None
        Names of the features; None if they have none.
    n_features : int
        Number of the features.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If the data have other features.

    Examples
    --------
    >>> stream_of_features(np.zeros((3, 2)), None, 2)
    <X: 3 samples of 2 features>
    """
    by_name = isinstance(X, str | Path) and (is_table(X) or Path(X).suffix.lower() == ".h5ad")
    samples = as_samples(X, list(names) if by_name and names is not None else None)
    if samples.n_features != n_features:
        raise ValueError(
            f"{samples.name} has {samples.n_features} features, but {n_features} are expected, as "
            "in the data of the fit"
        )
    if names is not None and samples.feature_names not in (None, tuple(names)):
        raise ValueError(
            f"{samples.name}: the names of the features must be those of the data of the fit, in "
            "the same order"
        )
    return samples


def _of_file(path: Path, columns: Sequence[str] | None, table: TableFormat | None) -> SampleStream:
    if is_table(path):
        return table_samples(open_table(path, table), columns)
    suffix = path.suffix.lower()
    if suffix not in _ARRAYS:
        raise ValueError(f"{path}: expected a file ending in {', '.join(_SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if table is not None:
        table.require_no_text_options(str(path))
    if suffix == ".h5ad":
        from minsyn.data.anndata_files import h5ad_samples

        samples: SampleStream = h5ad_samples(path, columns)
    elif columns is not None:
        raise ValueError(f"{path} has no named columns to choose from")
    else:
        array = npy_file(path) if suffix == ".npy" else npz_file(path)
        samples = ArraySamples(array, str(path)) if isinstance(array, np.ndarray) else array
    return samples if table is None else samples.with_missing(table.codes)
