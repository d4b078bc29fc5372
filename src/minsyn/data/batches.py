"""Splitting of an epoch into batches, and of a batch among processes."""

from collections.abc import Iterator

__all__ = ["batch_bounds", "even_parts"]


def batch_bounds(
    n_samples: int, batch_size: int | None, rank: int = 0, world_size: int = 1
) -> Iterator[tuple[int, int]]:
    """First and last sample of each batch of an epoch, or of one process's share of it.

    There are as few batches as `batch_size` allows, and their sizes differ by at most one: a
    remainder is spread over all batches, since a small last batch would count as much as a full
    one. No batch holds a single sample, which has no variance, unless `batch_size` or `n_samples`
    is 1. With ``batch_size=2`` and an odd number of samples the last sample is therefore left out
    of the epoch; where epochs are shuffled, that is another sample each time.

    Parameters
    ----------
    n_samples : int
        Samples in the epoch.
    batch_size : int or None
        Largest number of samples in a batch, over all processes; None puts all into one batch.
    rank, world_size : int
        Number of this process, from 0, and of all processes. The shares of a batch differ by at
        most one sample.

    Yields
    ------
    tuple of int
        Index of the first sample, and one past the last.

    Raises
    ------
    ValueError
        If there are no samples, `batch_size` is below 1, or the smallest batch has fewer samples
        than there are processes.

    Examples
    --------
    >>> list(batch_bounds(10, 4))
    [(0, 4), (4, 7), (7, 10)]
    >>> list(batch_bounds(10, 4, rank=1, world_size=2))
    [(2, 4), (6, 7), (9, 10)]
    >>> list(batch_bounds(5, 2))
    [(0, 2), (2, 4)]
    """
    if n_samples < 1:
        raise ValueError("there are no samples to train on")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1, or None for one batch")
    if batch_size == 2 and n_samples > 2:
        n_samples -= n_samples % 2
    n_batches = 1 if batch_size is None else -(-n_samples // batch_size)
    smallest = n_samples // n_batches
    if smallest < world_size:
        raise ValueError(
            f"{world_size} processes cannot share batches of {smallest} samples: raise batch_size, "
            "or start fewer processes"
        )
    for start, stop in even_parts(0, n_samples, n_batches):
        yield (start, stop) if world_size == 1 else list(even_parts(start, stop, world_size))[rank]


def even_parts(start: int, stop: int, parts: int) -> Iterator[tuple[int, int]]:
    """Consecutive parts of a range, whose sizes differ by at most one, the larger first.

    Parameters
    ----------
    start, stop : int
        The range.
    parts : int
        Number of parts. Some are empty if the range is shorter.

    Yields
    ------
    tuple of int
        Start and stop of a part.

    Examples
    --------
    >>> list(even_parts(0, 5, 3))
    [(0, 2), (2, 4), (4, 5)]
    """
    size, larger = divmod(stop - start, parts)
    for part in range(parts):
        low = start + part * size + min(part, larger)
        yield low, low + size + (part < larger)
