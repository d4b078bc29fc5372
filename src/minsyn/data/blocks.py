"""Assembly of blocks from samples that come a few at a time."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int, Shaped

from minsyn.data.stream import Block, SampleStream

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
        The data set that they belong to.
    numbers : ndarray of int, shape (n_samples,)
        Indices of the samples in the data set, in the order in which they come.

    Yields
    ------
    Block

    Raises
    ------
    ValueError
        If there are more samples than indices, or samples of another number of features.
    """
    block_rows = min(len(numbers), stream._block_rows)
    values = np.empty((block_rows, stream.n_features), stream.dtype)
    position = filled = 0  # of the block's first sample; samples in it so far
    for part in parts:
        if position + filled + len(part) > len(numbers):
            raise ValueError(
                f"{stream.name} gives more samples in this pass than before ({stream.n_samples})"
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
    """Rows from ``start`` up to ``stop`` of consecutive parts.

    Parameters
    ----------
    parts : iterator of ndarray of shape (rows, n_features)
        Not advanced beyond ``stop``.
    start : int
        First row, counted over all parts.
    stop : int or None
        One past the last row; None is the end.

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
