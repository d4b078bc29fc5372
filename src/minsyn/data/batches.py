"""Who takes which samples: batches of even size, and each process's part of them."""

from collections.abc import Iterator

__all__ = ["batch_bounds", "even_parts"]


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
    for start, stop in even_parts(0, n_samples, n_batches):
        yield (start, stop) if world_size == 1 else list(even_parts(start, stop, world_size))[rank]


def even_parts(start: int, stop: int, parts: int) -> Iterator[tuple[int, int]]:
    """Parts whose sizes differ by one at the most, the larger first.

    Parameters
    ----------
    start, stop : int
        What is parted.
    parts : int
        Number of parts, of which some are empty where it is larger than what there is.

    Yields
    ------
    tuple of int
        Where a part begins and ends.

    Examples
    --------
    >>> list(even_parts(0, 5, 3))
    [(0, 2), (2, 4), (4, 5)]
    """
    size, larger = divmod(stop - start, parts)
    for part in range(parts):
        low = start + part * size + min(part, larger)
        yield low, low + size + (part < larger)
