"""Training data that are in memory."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["TensorSamples"]


class TensorSamples:
    """Tensors in memory, one row a sample.

    Without a generator, and where one batch holds everything, rows keep their order. Batches
    differ by at most one sample: a remainder of a few would count as much as a full batch.

    Parameters
    ----------
    *tensors : Tensor
        Each of shape (n_samples, ...): the arguments of the loss.

    Raises
    ------
    ValueError
        If there is no tensor, or if they have different numbers of rows, or none.

    Examples
    --------
    >>> import torch
    >>> samples = TensorSamples(torch.arange(5), 10 * torch.arange(5))
    >>> [x.tolist() for x, y in samples.batches(3)]
    [[0, 1, 2], [3, 4]]

    Two ranks share each batch:

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

        Raises
        ------
        ValueError
            If a batch has fewer samples than there are ranks.
        """
        n_batches = 1 if batch_size is None else -(-self.n_samples // batch_size)
        if self.n_samples // n_batches < world_size:
            raise ValueError(
                f"{world_size} processes cannot share batches of {self.n_samples // n_batches} "
                "samples: raise batch_size, or start fewer processes"
            )
        if n_batches == 1 and world_size == 1:
            yield self.tensors
        elif n_batches == 1:
            yield tuple(tensor.tensor_split(world_size)[rank] for tensor in self.tensors)
        else:
            order = torch.arange(self.n_samples)
            if generator is not None:
                order = torch.randperm(self.n_samples, generator=generator)
            for batch in order.tensor_split(n_batches):
                rows = batch.tensor_split(world_size)[rank]
                yield tuple(tensor[rows] for tensor in self.tensors)

    def fingerprint(self) -> str:
        """Shapes, types and a hash of all values."""
        digest = hashlib.sha256()
        for tensor in self.tensors:
            digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
            values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
            digest.update(values.data)
        return digest.hexdigest()
