"""Data sets that are read in blocks, so that memory does not grow with them."""

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from minsyn.data.batches import batch_bounds, even_parts

__all__ = ["Block", "SampleStream", "working_dtype"]

#: Bytes of data that a pass holds in memory at a time: enough to shuffle samples well and to read
#: sequentially, and little beside what Python and torch need.
BLOCK_BYTES = 32 * 2**20


# typing.Self is not known to beartype, which checks single methods in the tests.
Self = TypeVar("Self", bound="SampleStream")


class Block(NamedTuple):
    """Samples that were read together, and their indices in the data set.

    The next block may overwrite the values.
    """

    rows: Int[np.ndarray, " rows"]
    values: Num[np.ndarray, "rows features"] | Bool[np.ndarray, "rows features"]


class SampleStream(ABC):
    """A data set that is read in blocks, anew in every pass: memory does not grow with it.

    A subclass reads blocks, in `_read_range` and `_read_mixed`. This class shuffles within blocks,
    forms batches, takes each process's share, converts to float32 and rejects NaN and infinity.

    Parameters
    ----------
    name : str
        Name of the data in messages.
    shape : tuple of int
        (n_samples, n_features).
    dtype : dtype
        Type of the numbers as they are stored.
    feature_names : tuple of str, optional
        Names of the features, if the data have any.

    Attributes
    ----------
    name, n_samples, n_features, dtype, feature_names
        As above.
    in_memory : bool
        Whether the data lie in memory, so that a batch of all samples costs little more.
    ordered : bool
        Whether each pass in order gives the samples in the same order, so that results can be told
        apart by their rows.
    missing_marks : dict of str to dict of str to int
        Column -> text that was read as a missing value -> how often. Empty cells do not count.

    Raises
    ------
    ValueError
        If the shape has not two dimensions, or is empty.
    TypeError
        If the numbers are not real.

    Examples
    --------
    >>> from minsyn.data import as_samples
    >>> stream = as_samples(np.zeros((1000, 3)))
    >>> isinstance(stream, SampleStream), stream.n_samples, stream.n_features
    (True, 1000, 3)
    """

    in_memory: bool = False
    ordered: bool = True
    missing_marks: Mapping[str, Mapping[str, int]] = MappingProxyType({})
    _codes: tuple[float, ...] = ()
    _mean: Float[np.ndarray, " features"] | None = None
    _scale: Float[np.ndarray, "..."] | None = None
    _unscaled: "SampleStream | None" = None

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: Any,
        feature_names: tuple[str, ...] | None = None,
    ) -> None:
        if len(shape) != 2:
            cure = "; a single feature is X.reshape(-1, 1)" if len(shape) == 1 else ""
            raise ValueError(
                f"{name} must have shape (n_samples, n_features); found {tuple(shape)}{cure}"
            )
        if 0 in shape:
            raise ValueError(f"{name} is empty: its shape is {tuple(shape)}")
        self.name = name
        self.n_samples, self.n_features = map(int, shape)
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers; found {self.dtype}")
        self.feature_names = feature_names

    @abstractmethod
    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        """Samples from ``start`` up to ``stop``, in order and in blocks."""

    @abstractmethod
    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        """All samples once, in blocks that are read in random order.

        Samples within a block need not be shuffled.
        """

    @property
    def _row_bytes(self) -> int:
        """Bytes of a sample, as it is stored or as it is computed with, whichever is more."""
        return self.n_features * max(self.dtype.itemsize, working_dtype(self.dtype).itemsize)

    @property
    def _block_rows(self) -> int:
        """Samples in a block."""
        return min(self.n_samples, max(1, BLOCK_BYTES // self._row_bytes))

    def scaled(
        self: Self, mean: Float[np.ndarray, " features"], scale: Float[np.ndarray, "..."] | float
    ) -> Self:
        """The same samples as ``(x - mean) / scale``.

        This is computed before the numbers become float32, so that a feature with a large mean
        keeps its digits.

        Parameters
        ----------
        mean : ndarray of shape (n_features,)
            Subtracted first.
        scale : ndarray of shape (n_features,) or float
            Divisor.

        Returns
        -------
        SampleStream
            Reads the same data, without a copy.
        """
        other = copy.copy(self)
        dtype = working_dtype(self.dtype)
        if self._mean is not None and self._scale is not None:  # scaled before
            mean = self._mean + self._scale * np.asarray(mean, np.float64)
            scale = self._scale * np.asarray(scale, np.float64)
        other._mean, other._scale = np.asarray(mean, dtype), np.asarray(scale, dtype)
        return other

    def with_missing(self: Self, codes: Iterable[float | int]) -> Self:
        """The same samples, in which some numbers mean missing values and become NaN.

        Parameters
        ----------
        codes : iterable of float
            Numbers such as -999.

        Returns
        -------
        SampleStream
            Reads the same data, without a copy.

        Examples
        --------
        >>> from minsyn.data import as_samples
        >>> samples = as_samples(np.array([[1, -999], [2, 5]])).with_missing([-999])
        >>> next(samples.blocks(missing=True))
        array([[ 1., nan],
               [ 2.,  5.]])
        """
        other = copy.copy(self)
        other._codes = (*self._codes, *map(float, codes))
        return other

    def with_unscaled(self: Self) -> Self:
        """The same samples, with batches of two tensors: the samples as stored, and scaled.

        Returns
        -------
        SampleStream
            Reads the same data, once for both tensors.
        """
        other = copy.copy(self)
        other._unscaled = copy.copy(self)
        other._unscaled._mean = other._unscaled._scale = None
        return other

    def blocks(
        self, rank: int = 0, world_size: int = 1, *, missing: bool = False
    ) -> Iterator[Float[np.ndarray, "rows features"]]:
        """All samples in order, or one process's share of them, in blocks of about 32 MB.

        Parameters
        ----------
        rank, world_size : int
            Number of this process, from 0, and of all processes. Shares are ranges of samples whose
            lengths differ by at most one; some are empty if there are fewer samples than processes.
            Only the share is read from a file (from a parquet file, the row groups that overlap
            with it).
        missing : bool, default=False
            Whether NaN are let through, as missing values.

        Yields
        ------
        ndarray of shape (rows, n_features)
            In float32 if that represents the stored type exactly, else in float64. The next block
            may overwrite it.

        Raises
        ------
        ValueError
            At the first number that is infinite, or NaN unless these are let through.
        """
        dtype = working_dtype(self.dtype)
        start, stop = list(even_parts(0, self.n_samples, world_size))[rank]
        for block in map(self._decoded, self._read_range(start, stop)):
            self._require_finite(block, missing=missing)
            values = block.values.astype(dtype, copy=False)
            yield values if self._mean is None else (values - self._mean) / self._scale

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[Tensor, ...]]:
        """One epoch: each sample once, split as by `minsyn.data.batch_bounds`.

        Parameters
        ----------
        batch_size : int or None
            Largest number of samples in a batch, over all processes; None puts all into one batch.
        generator : torch.Generator, optional
            Shuffles the samples: the data are read in random order, and samples are shuffled within
            blocks of about 32 MB. Without it the samples keep their order.
        rank, world_size : int
            Number of this process, from 0, and of all processes, which pass generators in the same
            state: each gets its share of every batch.

        Yields
        ------
        tuple of one Tensor of shape (batch, n_features)
            In float32. The next batch overwrites it. Two tensors after `with_unscaled`.

        Raises
        ------
        ValueError
            If a number is NaN or infinite (in float32), or a batch has fewer samples than there are
            processes.
        """
        bounds = batch_bounds(self.n_samples, batch_size, rank, world_size)
        start, stop = next(bounds)
        position, end = 0, self.n_samples
        if batch_size is None or batch_size >= self.n_samples:
            generator = None  # one batch has no order, and each process reads its share alone
            position, end = start, stop
        views = (self,) if self._unscaled is None else (self._unscaled, self)
        # The first batch is the largest; the others use its memory again.
        buffers = [np.empty((stop - start, self.n_features), np.float32) for _ in views]
        blocks = self._read_mixed(generator) if generator else self._read_range(position, end)
        for block in map(self._decoded, blocks):
            n = len(block.rows)
            self._require_finite(block)
            order = None if generator is None else torch.randperm(n, generator=generator).numpy()
            # All batches that have a part in this block.
            while start < position + n:
                low, high = max(start, position) - position, min(stop, position + n) - position
                picked = slice(low, high) if order is None else order[low:high]
                if high > low:
                    for view, buffer in zip(views, buffers, strict=True):
                        into = buffer[low + position - start : high + position - start]
                        view._convert(block, picked, into)
                if stop > position + n:
                    break
                yield tuple(torch.from_numpy(buffer[: stop - start]) for buffer in buffers)
                start, stop = next(bounds, (self.n_samples, self.n_samples))
            position += n
        if position != end:
            raise ValueError(
                f"{self.name} gave {position} samples in this pass, but {self.n_samples} before: "
                "training needs the same samples in every pass"
            )

    def _decoded(self, block: Block) -> Block:
        """A block with NaN for the numbers that mean missing values."""
        if not self._codes:
            return block
        kind = block.values.dtype
        codes = np.asarray(self._codes, kind if kind.kind == "f" else np.float64)
        coded = np.isin(block.values, codes)
        if not coded.any():
            return block
        values = block.values.astype(working_dtype(block.values.dtype))
        values[coded] = np.nan
        return Block(block.rows, values)

    def place(self, row: int) -> str:
        """Where a sample stands, in messages.

        Parameters
        ----------
        row : int
            Number of the sample, from 0.
        """
        return f"row {row}"

    def _convert(
        self,
        block: Block,
        picked: slice | Int[np.ndarray, " picked"],
        into: Float[np.ndarray, "picked features"],
    ) -> None:
        """Write rows of a block as float32, scaled."""
        values = block.values
        if self._mean is None and values.dtype == np.float32 and isinstance(picked, np.ndarray):
            # Without mode="clip" NumPy gathers into a buffer of its own first.
            np.take(values, picked, axis=0, out=into, mode="clip")
            return
        chosen: Any = values[picked]
        with np.errstate(over="ignore"):
            into[:] = chosen if self._mean is None else (chosen - self._mean) / self._scale
        if values.dtype.itemsize > 4:  # finite there, but perhaps not here
            self._require_finite(Block(block.rows[picked], into), " in float32: scale the data")

    def _require_finite(
        self,
        block: Block,
        why: str | None = None,
        *,
        missing: bool = False,
    ) -> None:
        """Raise a ValueError that names the first number that is NaN or infinite."""
        values: Any = block.values
        if values.dtype.kind != "f":
            return
        # A sum is not finite if one of its terms is not, and is cheaper than a test of each.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(values.sum()):
                return
        bad = np.argwhere(np.isinf(values) if missing else ~np.isfinite(values))
        if len(bad) == 0:
            return
        row, column = bad[0]
        feature = int(column) if self.feature_names is None else self.feature_names[column]
        value = values[row, column]
        if why is None:
            why = "; drop those rows or fill them in first"
            if np.isnan(value):
                why += ", or use a linear Gaussian MinSyn, which takes missing values"
        raise ValueError(
            f"{self.name}: {self.place(int(block.rows[row]))}, column {feature!r} is {value}{why}"
        )

    def fingerprint(self) -> str:
        """A short text by which a checkpoint recognises its data."""
        digest = hashlib.sha256(f"{self.n_samples} {self.n_features} {self.dtype}".encode())
        digest.update(self._identity())
        digest.update(repr(self._codes).encode() if self._codes else b"")
        for array in (self._mean, self._scale):
            digest.update(b"-" if array is None else array.tobytes())
        return digest.hexdigest()

    def _identity(self) -> bytes:
        """What tells these data from others of the same shape: the values of the first block."""
        return next(self._read_range(0, self.n_samples)).values.tobytes()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.n_samples} samples of {self.n_features} features>"


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 if it represents all numbers of a type exactly, else float64.

    Parameters
    ----------
    dtype : dtype
        Type of stored real numbers.

    Examples
    --------
    >>> working_dtype(np.dtype(np.uint8)), working_dtype(np.dtype(np.int64))
    (dtype('float32'), dtype('float64'))
    """
    return np.dtype(np.float32 if np.can_cast(dtype, np.float32) else np.float64)
