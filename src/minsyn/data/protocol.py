"""What the engine asks of training data, wherever they are."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

__all__ = ["Samples"]


@runtime_checkable
class Samples(Protocol):
    """Training data that are passed over again and again, in batches.

    `train` hands every tuple of tensors that `batches` yields to the loss as its arguments; the
    first dimension of each tensor counts samples.
    """

    @property
    def n_samples(self) -> int:
        """Number of samples in an epoch, over all ranks."""

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[Tensor, ...]]:
        """One epoch: every sample once over all ranks, in the same number of batches on each.

        Parameters
        ----------
        batch_size : int or None
            Most samples a batch, over all ranks together; None takes all of them at once.
        generator : torch.Generator or None
            Shuffles; None keeps the order. Every rank gives one in the same state, and leaves it
            in the same state: what an epoch draws from it depends on neither rank nor share.
        rank, world_size : int
            Whose share is wanted. With ``world_size`` ranks each batch is parted among them, in
            shares as even as can be and none of them empty.

        Yields
        ------
        tuple of Tensor
            The rank's share of a batch. It may be a buffer that the next batch overwrites.
        """

    def fingerprint(self) -> str:
        """A short text that other data would not give, for checkpoints to know their data by.

        It need not read all of them: a file's size and time of change, beside shapes, will do.
        """
