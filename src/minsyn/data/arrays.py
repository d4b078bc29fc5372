"""Arrays in memory, and sparse matrices of which a block at a time is made dense."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped

from minsyn.data.files import RowStream, real_dtype, table_shape
from minsyn.data.stream import BLOCK_BYTES, Block, SampleStream, working_dtype

__all__ = ["ArraySamples", "SparseSamples"]


class ArraySamples(SampleStream):
    """An array in memory, whose samples are mixed all with all.

    Parameters
    ----------
    array : ndarray of shape (n_samples, n_features)
        Real numbers. It is not copied.
    name : str, default="X"
        What messages call it.
    feature_names : tuple of str, optional
        Names of its columns.

    Raises
    ------
    ValueError
        If it is empty or has another number of dimensions.
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
        self.name = name
        self.n_samples, self.n_features = table_shape(array.shape, name)
        self.dtype = real_dtype(array.dtype, name)
        self.feature_names = feature_names
        self._array = array

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        block_rows = max(1, BLOCK_BYTES // (self.n_features * working_dtype(self.dtype).itemsize))
        for first in range(start, stop, block_rows):
            last = min(first + block_rows, stop)
            yield Block(np.arange(first, last), self._array[first:last])

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        yield Block(np.arange(self.n_samples), self._array)

    def _identity(self) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(self._array).data).digest()


class SparseSamples(RowStream):
    """A sparse matrix of SciPy, of which the rows of a block are made dense.

    Parameters
    ----------
    matrix : sparse matrix or array of shape (n_samples, n_features)
        Of any format; others than CSR are converted to it once.
    name : str, default="X"
        What messages call it.

    Raises
    ------
    ValueError
        If it is empty.
    TypeError
        If it does not hold real numbers.

    Examples
    --------
    >>> from scipy import sparse
    >>> next(SparseSamples(sparse.eye_array(3)).batches(None))[0].sum().item()
    3.0
    """

    def __init__(self, matrix: Any, name: str = "X") -> None:
        self.name = name
        self.n_samples, self.n_features = table_shape(matrix.shape, name)
        self.dtype = real_dtype(matrix.dtype, name)
        self._matrix = matrix.tocsr()

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        self._matrix[start:stop].toarray(out=out)

    def _identity(self) -> bytes:
        digest = hashlib.sha256()
        for array in (self._matrix.data, self._matrix.indices, self._matrix.indptr):
            digest.update(array.data)
        return digest.digest()
