"""The interface between the training loop and its data."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

__all__ = ["Samples"]


@runtime_checkable
class Samples(Protocol):
    """Training data that can be iterated over in mini-batches, any number of times.

    `train` passes each tuple of tensors that `batches` yields to the loss as its arguments; the
    first dimension of every tensor counts samples.
    """

    @property
    def n_samples(self) -> int:
        """Number of samples in an epoch, over all processes."""

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[Tensor, ...]]:
        """One epoch: each sample once, split as by `minsyn.data.batch_bounds`.

        Parameters
        ----------
        batch_size : int or None
            Largest number of samples in a batch, over all processes; None puts all into one batch.
        generator : torch.Generator or None
            Shuffles the samples; None keeps their order. All processes pass generators in the same
            state, and an epoch draws the same numbers from each of them.
        rank, world_size : int
            Number of this process, from 0, and of all processes. All get the same number of
            batches, and a share of each batch, which is never empty.

        Yields
        ------
        tuple of Tensor
            This process's share of a batch. The next batch may overwrite it.
        """

    def fingerprint(self) -> str:
        """A short text by which a checkpoint recognises its data.

        It need not depend on every value: the size and modification time of a file will do.
        """
