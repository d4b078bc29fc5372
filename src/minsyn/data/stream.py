"""Data sets that are read by blocks, every pass anew."""

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Num, Shaped
from torch import Tensor

from minsyn.data.batches import batch_bounds, even_parts

__all__ = ["Block", "SampleStream", "require_finite", "working_dtype"]

#: What a pass holds of the data at a time, in bytes: enough that samples are mixed well and reading
#: is sequential, little beside what a process needs anyway.
BLOCK_BYTES = 32 * 2**20

Self = TypeVar("Self", bound="SampleStream")


class Block(NamedTuple):
    """Samples that were read together, and their numbers in the data set, from 0.

    The values may lie in a buffer that the next block overwrites.
    """

    rows: Int[np.ndarray, " rows"]
    values: Num[np.ndarray, "rows features"] | Bool[np.ndarray, "rows features"]


class SampleStream(ABC):
    """A data set that is read by blocks, every pass anew: memory does not grow with it.

    A subclass sets the attributes and reads, in `_read_range` and `_read_mixed`. Mixing the samples
    of a block, batches of even size, the share of each process, float32 and the check for NaN are
    done here.

    Attributes
    ----------
    name : str
        What messages call the data.
    n_samples, n_features : int
        Their shape.
    dtype : dtype
        Type of the numbers as they are stored.
    feature_names : tuple of str, or None
        Names of the features, where the data have any.
    in_memory : bool
        Whether the data lie in memory, so that a batch of all samples costs little more.
    """

    name: str
    n_samples: int
    n_features: int
    dtype: np.dtype[Any]
    feature_names: tuple[str, ...] | None = None
    in_memory: bool = False
    _mean: Float[np.ndarray, " features"] | None = None
    _scale: Float[np.ndarray, "..."] | None = None
    _unscaled: "SampleStream | None" = None

    @abstractmethod
    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        """Samples from ``start`` up to ``stop``, in order and in blocks."""

    @abstractmethod
    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        """Every sample once, in blocks that are read in random order.

        Samples within a block need not be mixed.
        """

    def scaled(
        self: Self, mean: Float[np.ndarray, " features"], scale: Float[np.ndarray, "..."] | float
    ) -> Self:
        """The same samples as ``(x - mean) / scale``.

        Computed before the numbers become float32, so that a feature with a large mean keeps its
        digits.

        Parameters
        ----------
        mean : ndarray of shape (n_features,)
            Subtracted.
        scale : ndarray of shape (n_features,) or float
            Divided by.

        Returns
        -------
        SampleStream
            Reads from the same place; nothing is copied.
        """
        other = copy.copy(self)
        dtype = working_dtype(self.dtype)
        if self._mean is not None and self._scale is not None:  # what was scaled already
            mean = self._mean + self._scale * np.asarray(mean, np.float64)
            scale = self._scale * np.asarray(scale, np.float64)
        other._mean, other._scale = np.asarray(mean, dtype), np.asarray(scale, dtype)
        return other

    def with_unscaled(self: Self) -> Self:
        """The same samples, of which batches hold two tensors: as they are given, and as scaled.

        Returns
        -------
        SampleStream
            Reads from the same place, once for both.
        """
        other = copy.copy(self)
        other._unscaled = copy.copy(self)
        other._unscaled._mean = other._unscaled._scale = None
        return other

    def blocks(
        self, rank: int = 0, world_size: int = 1
    ) -> Iterator[Float[np.ndarray, "rows features"]]:
        """All samples in order, or one process's share of them, in blocks of about 32 MB.

        Parameters
        ----------
        rank, world_size : int
            With several processes: whose share. Shares are ranges of the samples that are even to
            one sample; some are empty where there are fewer samples than processes. Of files only
            the share is read (of a parquet file, the row groups that it touches).

        Yields
        ------
        ndarray of shape (rows, n_features)
            float32 where that holds the stored numbers exactly, else float64. Valid until the next
            block is asked for.

        Raises
        ------
        ValueError
            At the first number that is NaN or infinite.
        """
        dtype = working_dtype(self.dtype)
        start, stop = list(even_parts(0, self.n_samples, world_size))[rank]
        for block in self._read_range(start, stop):
            require_finite(self, block)
            values = block.values.astype(dtype, copy=False)
            yield values if self._mean is None else (values - self._mean) / self._scale

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[Tensor, ...]]:
        """All samples once, in batches whose sizes differ by one at the most.

        Parameters
        ----------
        batch_size : int or None
            Most samples in a batch; None puts all of them into one. A batch never holds a single
            sample, which has no statistics, unless that is asked for.
        generator : torch.Generator, optional
            Mixes the samples: the data are read in random order, and the samples of about 32 MB of
            them are mixed with each other. Without it samples come in order.
        rank, world_size : int
            With several processes, of which each has a generator of the same state: the slice
            of every batch that this one takes.

        Yields
        ------
        tuple of one Tensor of shape (batch, n_features)
            float32, in a buffer that the next batch overwrites; two of them `with_unscaled`.

        Raises
        ------
        ValueError
            If a number is NaN or infinite (in float32), if there are no samples, or if a batch has
            fewer samples than there are processes.
        """
        bounds = batch_bounds(self.n_samples, batch_size, rank, world_size)
        start, stop = next(bounds)
        position, end = 0, self.n_samples
        if batch_size is None or batch_size >= self.n_samples:
            generator = None  # one batch has no order, and each process reads its part alone
            position, end = start, stop
        views = (self,) if self._unscaled is None else (self._unscaled, self)
        # The first batch is the largest; the others use its memory again.
        buffers = [np.empty((stop - start, self.n_features), np.float32) for _ in views]
        blocks = self._read_mixed(generator) if generator else self._read_range(position, end)
        for block in blocks:
            n = len(block.rows)
            require_finite(self, block)
            mixed = None if generator is None else torch.randperm(n, generator=generator).numpy()
            # Every batch of which a part is in this block.
            while start < position + n:
                low, high = max(start, position) - position, min(stop, position + n) - position
                # A slice, or the numbers of mixed samples: either picks rows.
                picked = slice(low, high) if mixed is None else mixed[low:high]
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
                f"{self.name} gave {position} samples in this pass, not {self.n_samples} as "
                "before: training needs the same samples in every pass"
            )

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
        if self._mean is None:
            with np.errstate(over="ignore"):
                into[:] = chosen
        else:
            with np.errstate(over="ignore"):
                into[:] = (chosen - self._mean) / self._scale
        if values.dtype.itemsize > 4:  # finite there, but perhaps not here
            require_finite(self, Block(block.rows[picked], into), " in float32: scale the data")

    def fingerprint(self) -> str:
        """A short text that other data would not give, so that a checkpoint knows its data."""
        digest = hashlib.sha256(f"{self.n_samples} {self.n_features} {self.dtype}".encode())
        digest.update(self._identity())
        for array in (self._mean, self._scale):
            digest.update(b"-" if array is None else array.tobytes())
        return digest.hexdigest()

    def _identity(self) -> bytes:
        """What tells these data from others of their shape: the first block's values."""
        blocks = self._read_range(0, self.n_samples)
        first = next(blocks).values.tobytes()
        del blocks
        return first

    def __repr__(self) -> str:
        return f"<{self.name}: {self.n_samples} samples of {self.n_features} features>"


def working_dtype(dtype: Any) -> np.dtype[Any]:
    """float32 where it holds numbers of a type exactly, else float64.

    Parameters
    ----------
    dtype : dtype
        Type of stored numbers.

    Raises
    ------
    TypeError
        If they are no real numbers.

    Examples
    --------
    >>> working_dtype(np.uint8), working_dtype(np.int64)
    (dtype('float32'), dtype('float64'))
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "fiub":
        raise TypeError(f"samples must be real numbers; found {dtype}")
    return np.dtype(np.float32 if np.can_cast(dtype, np.float32) else np.float64)


def require_finite(stream: SampleStream, block: Block, where: str = "") -> None:
    """Raise a ValueError that names the first number that is NaN or infinite.

    Parameters
    ----------
    stream : SampleStream
        Whose block it is.
    block : Block
        Samples and their numbers.
    where : str, optional
        Added to the message.
    """
    values: Shaped[np.ndarray, "rows features"] = block.values
    if values.dtype.kind != "f":
        return
    # A sum is not finite if one of its terms is not, and costs a fraction of looking at each.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    bad = np.argwhere(~np.isfinite(values))
    if len(bad) == 0:
        return
    row, column = bad[0]
    feature = stream.feature_names[column] if stream.feature_names is not None else int(column)
    raise ValueError(
        f"{stream.name}: row {block.rows[row]}, column {feature!r} is {values[row, column]}"
        f"{where or '; drop those rows or fill them in first'}"
    )
