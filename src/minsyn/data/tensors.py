"""Tensors in memory as training data."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from minsyn.data.batches import batch_bounds

__all__ = ["TensorSamples"]


class TensorSamples:
    """Tensors in memory, with one row per sample.

    Parameters
    ----------
    *tensors : Tensor
        Each of shape (n_samples, ...): the arguments of the loss.

    Raises
    ------
    ValueError
        If there is no tensor, or the tensors are empty or differ in their number of rows.

    Examples
    --------
    >>> import torch
    >>> samples = TensorSamples(torch.arange(5), 10 * torch.arange(5))
    >>> [x.tolist() for x, y in samples.batches(3)]
    [[0, 1, 2], [3, 4]]

    Two processes share each batch:

    >>> [x.tolist() for x, y in samples.batches(3, rank=0, world_size=2)]
    [[0, 1], [3]]
    >>> [x.tolist() for x, y in samples.batches(3, rank=1, world_size=2)]
    [[2], [4]]
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(tensor) for tensor in tensors]
        if len(set(lengths)) != 1 or lengths[0] == 0:
            raise ValueError(
                "tensors must hold the same samples, at least one: found "
                f"{' and '.join(map(str, lengths)) or 'no'} rows"
            )
        self.tensors = tensors

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(self.tensors[0])

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[Tensor, ...]]:
        """One epoch, see `minsyn.data.Samples.batches`.

        A single batch of all samples is neither shuffled nor copied.

        Raises
        ------
        ValueError
            If a batch has fewer samples than there are processes.
        """
        order = None
        if generator is not None and batch_size is not None and batch_size < self.n_samples:
            order = torch.randperm(self.n_samples, generator=generator)
        for start, stop in batch_bounds(self.n_samples, batch_size, rank, world_size):
            rows = slice(start, stop) if order is None else order[start:stop]
            yield tuple(tensor[rows] for tensor in self.tensors)

    def fingerprint(self) -> str:
        """Hash of all shapes, types and values."""
        digest = hashlib.sha256()
        for tensor in self.tensors:
            digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
            values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
            digest.update(values.data)
        return digest.hexdigest()
