"""Samples from whatever holds them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from minsyn.data.arrays import ArraySamples, SparseSamples
from minsyn.data.files import ArraySlices, memmap_stream, npy_file, npz_file
from minsyn.data.stream import SampleStream
from minsyn.data.tables import ParquetSamples, csv_samples
from minsyn.data.torch_data import DatasetSamples, LoaderSamples

__all__ = ["as_samples"]

_SUFFIXES = (".npy", ".npz", ".parquet", ".csv")


def as_samples(data: Any, columns: Sequence[str] | None = None) -> SampleStream:
    """A data set that can be passed over in batches, every epoch anew.

    Of data that are not in memory a pass holds a block of about 32 MB and a batch, however many
    samples there are. Samples may be numbers of any real type; training sees float32.

    Parameters
    ----------
    data : array-like, path, sparse matrix, Tensor, Dataset or DataLoader
        What holds the samples:

        - an array, Tensor or DataFrame in memory, of shape (n_samples, n_features);
        - the path of a ``.npy`` file, or a memmap: read from the file by blocks, not mapped;
        - the path of an ``.npz`` file of one array: read by blocks if it is not compressed;
        - the path of a ``.parquet`` file: read by blocks and row groups;
        - the path of a ``.csv`` file: parsed once, by blocks;
        - a sparse matrix of SciPy, whose rows are made dense a block at a time;
        - a Dataset or DataLoader of torch, whose items are samples or tuples that begin with one;
        - what has a ``shape`` and gives rows by slicing, such as an HDF5 dataset.
    columns : sequence of str, optional
        Columns of a ``.parquet`` or ``.csv`` file that are features; all by default.

    Returns
    -------
    SampleStream

    Raises
    ------
    ValueError
        If there are no samples, the shape is not (n_samples, n_features), a file is damaged or of
        an unknown kind, or, while it is read, a number is NaN or infinite.
    TypeError
        If the numbers are not real, or ``data`` is nothing of the above: an iterator, for one,
        can be passed over only once.
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
    once = "; an iterator can be passed over only once" if isinstance(data, Iterator) else ""
    raise TypeError(
        "samples must be an array, a path, a sparse matrix, a Tensor, a Dataset or a DataLoader; "
        f"found {type(data).__name__}{once}"
    )


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
