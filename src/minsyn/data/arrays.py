"""Arrays in memory, sparse matrices, and objects that give rows by slicing."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped

from minsyn.data.row_stream import RowStream
from minsyn.data.stream import Block, SampleStream

__all__ = ["ArraySamples", "ArraySlices", "SparseSamples"]


class ArraySamples(SampleStream):
    """An array in memory, all of whose samples are shuffled together.

    Parameters
    ----------
    array : ndarray of shape (n_samples, n_features)
        Real numbers. They are not copied.
    name : str, default="X"
        Name of the data in messages.
    feature_names : tuple of str, optional
        Names of the columns.

    Raises
    ------
    ValueError
        If the array is empty or not two-dimensional.
    TypeError
        If it does not hold real numbers.

    Examples
    --------
    >>> samples = ArraySamples(np.arange(10).reshape(5, 2))
    >>> [x.shape[0] for (x,) in samples.batches(3)]
    [3, 2]
    """

    in_memory = True

    def __init__(
        self,
        array: Shaped[np.ndarray, "..."],
        name: str = "X",
        feature_names: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(name, array.shape, array.dtype, feature_names)
        self._array = array

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        for first in range(start, stop, self._block_rows):
            last = min(first + self._block_rows, stop)
            yield Block(np.arange(first, last), self._array[first:last])

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        yield Block(np.arange(self.n_samples), self._array)

    def _identity(self) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(self._array).data).digest()


class SparseSamples(RowStream):
    """A sparse matrix of SciPy, of which one block at a time is made dense.

    Parameters
    ----------
    matrix : sparse matrix or array of shape (n_samples, n_features)
        In any format; it is converted to CSR once.
    name : str, default="X"
        Name of the data in messages.
    feature_names : tuple of str, optional
        Names of the columns.

    Raises
    ------
    ValueError
        If the matrix is empty.
    TypeError
        If it does not hold real numbers.

    Examples
    --------
    >>> from scipy import sparse
    >>> next(SparseSamples(sparse.eye_array(3)).batches(None))[0].sum().item()
    3.0
    """

    def __init__(
        self, matrix: Any, name: str = "X", feature_names: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(name, matrix.shape, matrix.dtype, feature_names)
        self._matrix = matrix.tocsr()

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        self._matrix[start:stop].toarray(out=out)

    def _identity(self) -> bytes:
        digest = hashlib.sha256()
        for array in (self._matrix.data, self._matrix.indices, self._matrix.indptr):
            digest.update(array.data)
        return digest.digest()


class ArraySlices(RowStream):
    """An object with a shape and a dtype that gives rows by slicing: HDF5, Zarr, strided memmaps.

    Parameters
    ----------
    array : array-like of shape (n_samples, n_features)
        ``array[a:b]`` gives rows.
    name : str
        Name of the data in messages.
    feature_names : tuple of str, optional
        Names of the columns.

    Raises
    ------
    ValueError
        If the array is empty or not two-dimensional.
    TypeError
        If it does not hold real numbers.

    Examples
    --------
    >>> samples = ArraySlices(np.arange(10).reshape(5, 2), "counts")
    >>> samples
    <counts: 5 samples of 2 features>
    """

    def __init__(self, array: Any, name: str, feature_names: tuple[str, ...] | None = None) -> None:
        super().__init__(name, array.shape, array.dtype, feature_names)
        self._array = array

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        out[:] = self._array[start:stop]
