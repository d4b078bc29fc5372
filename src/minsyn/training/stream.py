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

__all__ = ["Block", "SampleStream", "batch_bounds", "gathered", "require_finite", "working_dtype"]

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

    A subclass sets the attributes and reads, in `_read`. Mixing the samples of a block, batches of
    even size, the share of each process, float32 and the check for NaN are done here.

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
    def _read(self, generator: torch.Generator | None) -> Iterator[Block]:
        """Every sample once, in blocks: in order, or what is read in random order.

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

    def blocks(self) -> Iterator[Float[np.ndarray, "rows features"]]:
        """All samples in order, in blocks of about 32 MB.

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
        for block in self._read(None):
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
        if batch_size is None or batch_size >= self.n_samples:
            generator = None  # one batch has no order
        start, stop = next(bounds)
        views = (self,) if self._unscaled is None else (self._unscaled, self)
        # The first batch is the largest; the others use its memory again.
        buffers = [np.empty((stop - start, self.n_features), np.float32) for _ in views]
        position = 0
        for block in self._read(generator):
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
        if position != self.n_samples:
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
        blocks = self._read(None)
        first = next(blocks).values.tobytes()
        del blocks
        return first

    def __repr__(self) -> str:
        return f"<{self.name}: {self.n_samples} samples of {self.n_features} features>"


def batch_bounds(
    n_samples: int, batch_size: int | None, rank: int = 0, world_size: int = 1
) -> Iterator[tuple[int, int]]:
    """Where each batch of a pass begins and ends, or one process's slice of it.

    Parameters
    ----------
    n_samples : int
        Samples of the pass.
    batch_size : int or None
        Most samples in a batch; None is all.
    rank, world_size : int
        The process, and how many there are.

    Yields
    ------
    tuple of int
        First sample, and the one after the last.

    Raises
    ------
    ValueError
        If there are no samples, or fewer in a batch than processes.

    Examples
    --------
    >>> list(batch_bounds(10, 4))
    [(0, 4), (4, 7), (7, 10)]
    >>> list(batch_bounds(10, 4, rank=1, world_size=2))
    [(2, 4), (6, 7), (9, 10)]
    """
    if n_samples == 0:
        raise ValueError("there are no samples to train on")
    size = n_samples if batch_size is None else batch_size
    n_batches = -(-n_samples // size)
    if size > 1:
        n_batches = max(1, min(n_batches, n_samples // 2))
    if n_samples // n_batches < world_size:
        raise ValueError(
            f"batches of {n_samples // n_batches} samples cannot be shared by {world_size} "
            "processes: raise batch_size, or start fewer"
        )
    for start, stop in _even(0, n_samples, n_batches):
        yield (start, stop) if world_size == 1 else list(_even(start, stop, world_size))[rank]


def _even(start: int, stop: int, parts: int) -> Iterator[tuple[int, int]]:
    """Parts whose sizes differ by one at the most, the larger first."""
    size, larger = divmod(stop - start, parts)
    for part in range(parts):
        low = start + part * size + min(part, larger)
        yield low, low + size + (part < larger)


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


def gathered(
    parts: Iterator[Shaped[np.ndarray, "_ _"]],
    stream: SampleStream,
    numbers: Int[np.ndarray, " samples"] | None = None,
) -> Iterator[Block]:
    """Blocks of the usual size, in one buffer, from parts of a few samples.

    Parameters
    ----------
    parts : iterator of ndarray of shape (rows, n_features)
        The samples of a pass.
    stream : SampleStream
        Whose samples they are: says how many to expect.
    numbers : ndarray of shape (n_samples,), optional
        The samples' numbers in the data set, as they come; in order by default.

    Yields
    ------
    Block

    Raises
    ------
    ValueError
        If there are more samples than before, or they have another number of features.
    """
    if numbers is None:
        numbers = np.arange(stream.n_samples)
    row_bytes = stream.n_features * max(4, stream.dtype.itemsize)
    block_rows = min(stream.n_samples, max(1, BLOCK_BYTES // row_bytes))
    values = np.empty((block_rows, stream.n_features), stream.dtype)
    position = filled = 0  # where the block begins, and what it holds so far
    for part in parts:
        if position + filled + len(part) > stream.n_samples:
            raise ValueError(
                f"{stream.name} gives more samples in this pass than {stream.n_samples}, as before"
            )
        if part.shape[1] != stream.n_features:
            raise ValueError(
                f"{stream.name}: sample {numbers[position + filled]} has {part.shape[1]} features, "
                f"the first has {stream.n_features}"
            )
        while len(part):
            taken = part[: block_rows - filled]
            values[filled : filled + len(taken)] = taken
            filled, part = filled + len(taken), part[len(taken) :]
            if filled == block_rows:
                yield Block(numbers[position : position + filled], values)
                position, filled = position + filled, 0
    if filled:
        yield Block(numbers[position : position + filled], values[:filled])
