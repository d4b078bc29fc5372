"""Opening of data sets, wherever they lie."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from minsyn.data.arrays import ArraySamples, ArraySlices, SparseSamples
from minsyn.data.files import memmap_stream, npy_file, npz_file
from minsyn.data.stream import SampleStream
from minsyn.data.table_samples import ParquetSamples, csv_samples
from minsyn.data.tables import TABLES
from minsyn.data.torch_data import DatasetSamples, LoaderSamples

__all__ = ["as_samples", "is_stream", "stream_of_features"]

_SUFFIXES = (".npy", ".npz", *TABLES)


def as_samples(data: Any, columns: Sequence[str] | None = None) -> SampleStream:
    """Open a data set, to pass over it in blocks or mini-batches any number of times.

    If the data are not in memory, a pass holds one block of about 32 MB and one batch, however many
    samples there are. Numbers may be of any real type; batches are in float32.

    Parameters
    ----------
    data : array-like, path, sparse matrix, Tensor, Dataset or DataLoader
        One of:

        - an array, Tensor or DataFrame in memory, of shape (n_samples, n_features);
        - the path of a ``.npy`` file, or a memmap: read from the file in blocks, not mapped;
        - the path of an ``.npz`` file with one array: read in blocks unless it is compressed;
        - the path of a ``.parquet`` file: read in blocks and row groups;
        - the path of a ``.csv`` file: parsed once, in blocks;
        - a SciPy sparse matrix, of which one block at a time is made dense;
        - a torch Dataset or DataLoader, whose items are samples or tuples that begin with one;
        - an object with a ``shape`` that gives rows by slicing, such as an HDF5 dataset.
    columns : sequence of str, optional
        Columns of a ``.parquet`` or ``.csv`` file that are features; all but an index by default.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If there are no samples, the shape is not (n_samples, n_features), a file is damaged or of
        an unknown kind, or, while the data are read, a number is NaN or infinite.
    TypeError
        If the numbers are not real, or `data` is none of the above. An iterator, for one, allows
        only a single pass.
    FileNotFoundError
        If there is no such file.

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
        return _of_file(Path(data), columns)
    if columns is not None:
        raise ValueError("columns chooses among those of a .parquet or .csv file; pass a path")
    if isinstance(data, SampleStream):
        return data
    if isinstance(data, np.memmap):
        return memmap_stream(data)
    if isinstance(data, Tensor):
        data = data.detach().cpu()
        return ArraySamples((data if data.dtype.itemsize != 2 else data.float()).numpy())
    if isinstance(data, DataLoader):
        return LoaderSamples(data)
    if isinstance(data, Dataset):
        return DatasetSamples(data)
    if hasattr(data, "tocsr"):
        return SparseSamples(data)
    if isinstance(data, np.ndarray):
        return ArraySamples(data)
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return ArraySamples(data.to_numpy(), feature_names=tuple(map(str, data.columns)))
    if hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__"):
        return ArraySlices(data, type(data).__name__)
    if isinstance(data, Sequence):
        return ArraySamples(np.asarray(data))
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
    return isinstance(X, str | Path | SampleStream | Dataset | DataLoader) or hasattr(X, "tocsr")


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
    is_table = isinstance(X, str | Path) and Path(X).suffix.lower() in TABLES
    samples = as_samples(X, list(names) if is_table and names is not None else None)
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


def _of_file(path: Path, columns: Sequence[str] | None) -> SampleStream:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(f"{path}: expected a file ending in {', '.join(_SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if suffix == ".parquet":
        return ParquetSamples(path, columns)
    if suffix == ".csv":
        return csv_samples(path, columns)
    if columns is not None:
        raise ValueError(f"{path} has no named columns to choose from")
    array = npy_file(path) if suffix == ".npy" else npz_file(path)
    return ArraySamples(array, str(path)) if isinstance(array, np.ndarray) else array
