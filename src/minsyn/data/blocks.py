"""Blocks of samples that come a few at a time."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int, Shaped

from minsyn.data.stream import BLOCK_BYTES, Block, SampleStream

__all__ = ["gathered", "trimmed"]


def gathered(
    parts: Iterator[Shaped[np.ndarray, "_ _"]],
    stream: SampleStream,
    numbers: Int[np.ndarray, " samples"],
) -> Iterator[Block]:
    """Blocks of the usual size, in one buffer, from parts of a few samples.

    Parameters
    ----------
    parts : iterator of ndarray of shape (rows, n_features)
        The samples.
    stream : SampleStream
        Whose samples they are.
    numbers : ndarray of int, shape (n_samples,)
        Their numbers in the data set, as they come: as many as are expected.

    Yields
    ------
    Block

    Raises
    ------
    ValueError
        If there are more samples than before, or they have another number of features.
    """
    row_bytes = stream.n_features * max(4, stream.dtype.itemsize)
    block_rows = min(len(numbers), max(1, BLOCK_BYTES // row_bytes))
    values = np.empty((block_rows, stream.n_features), stream.dtype)
    position = filled = 0  # where the block begins, and what it holds so far
    for part in parts:
        if position + filled + len(part) > len(numbers):
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


def trimmed(
    parts: Iterator[Shaped[np.ndarray, "_ _"]], start: int, stop: int | None
) -> Iterator[Shaped[np.ndarray, "_ _"]]:
    """Of parts that follow each other, the rows from ``start`` up to ``stop``.

    Parameters
    ----------
    parts : iterator of ndarray of shape (rows, n_features)
        Read no further than ``stop``.
    start : int
        First row, counted over all parts.
    stop : int or None
        Row after the last; None is whatever comes.

    Yields
    ------
    ndarray of shape (rows, n_features)

    Examples
    --------
    >>> parts = iter(np.arange(6).reshape(3, 2, 1))
    >>> [part.ravel().tolist() for part in trimmed(parts, 1, 4)]
    [[1], [2, 3]]
    """
    position = 0
    while stop is None or position < stop:
        part = next(parts, None)
        if part is None:
            return
        chosen = part[max(0, start - position) : None if stop is None else stop - position]
        position += len(part)
        if len(chosen):
            yield chosen
