"""Samples of a torch `Dataset` or `DataLoader`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, SequentialSampler

from minsyn.data.blocks import gathered, trimmed
from minsyn.data.stream import Block, SampleStream

__all__ = ["DatasetSamples", "LoaderSamples"]


class DatasetSamples(SampleStream):
    """A torch Dataset whose items are samples, or tuples that begin with one.

    Samples of several dimensions, such as images, are flattened. The items of a map-style dataset
    are shuffled all together, those of an iterable one within a block. An iterable dataset must
    give the same samples every time; one pass at the start counts them.

    Parameters
    ----------
    dataset : Dataset
        With ``__getitem__`` and ``__len__``, or an IterableDataset.

    Raises
    ------
    ValueError
        If the dataset is empty.
    TypeError
        If its items are not arrays of real numbers.

    Examples
    --------
    >>> from torch.utils.data import TensorDataset
    >>> samples = DatasetSamples(TensorDataset(torch.zeros(7, 2, 3), torch.zeros(7)))
    >>> samples
    <TensorDataset: 7 samples of 6 features>
    >>> [len(x) for (x,) in samples.batches(4)]
    [4, 3]
    """

    def __init__(self, dataset: Dataset) -> None:
        name = type(dataset).__name__
        self._dataset = dataset
        self._iterable = isinstance(dataset, IterableDataset)
        items: Any = dataset
        n_samples = sum(1 for _ in items) if self._iterable else len(items)
        if n_samples == 0:
            raise ValueError(f"{name} is empty")
        first = next(self._items(range(1)), None)
        if first is None:
            raise ValueError(f"{name} gave no samples in this pass, but {n_samples} before")
        sample = _array(first, name)
        super().__init__(name, (n_samples, sample.size), sample.dtype)

    def _items(self, order: Any) -> Iterator[Any]:
        items: Any = self._dataset
        return iter(items) if self._iterable else (items[i] for i in order)

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        samples = self._samples(range(start, stop))
        if self._iterable:  # to its end, to notice more samples than before
            samples = trimmed(samples, start, None if stop == self.n_samples else stop)
        return gathered(samples, self, np.arange(start, stop))

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        if self._iterable:
            return self._read_range(0, self.n_samples)
        order = torch.randperm(self.n_samples, generator=generator).numpy()
        return gathered(self._samples(order.tolist()), self, order)

    def _samples(self, order: Any) -> Iterator[Shaped[np.ndarray, "1 features"]]:
        return (_array(item, self.name).reshape(1, -1) for item in self._items(order))


class LoaderSamples(SampleStream):
    """The samples of a DataLoader, in batches of any size.

    The loader's sampler orders the samples and its workers load them; in addition, samples are
    shuffled within blocks of about 32 MB. If their number is unknown (an iterable dataset, a batch
    sampler of the user's own), one pass at the start counts them.

    Parameters
    ----------
    loader : DataLoader
        Its batches are arrays, or tuples that begin with one.

    Raises
    ------
    ValueError
        If the loader gives no samples.
    TypeError
        If its batches are not arrays of real numbers.

    Examples
    --------
    >>> from torch.utils.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(torch.zeros(7, 3)), batch_size=2)
    >>> [len(x) for (x,) in LoaderSamples(loader).batches(4)]
    [4, 3]
    """

    def __init__(self, loader: DataLoader) -> None:
        self.name = f"DataLoader of {type(loader.dataset).__name__}"
        self._loader = loader
        n_samples = self._count()
        if n_samples == 0:
            raise ValueError(f"{self.name} gives no samples")
        first = self._batch(next(iter(loader)))
        super().__init__(self.name, (n_samples, first.shape[1]), first.dtype)

    def _count(self) -> int:
        loader: Any = self._loader
        if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
            return sum(len(self._batch(batch)) for batch in loader)
        n_samples = len(loader.sampler)
        return n_samples - (n_samples % loader.batch_size if loader.drop_last else 0)

    def _batch(self, batch: Any) -> Shaped[np.ndarray, "rows features"]:
        array = _array(batch, self.name)
        if self._loader.batch_size is None and self._loader.batch_sampler is None:
            return array.reshape(1, -1)  # one sample at a time
        return array.reshape(len(array), -1)

    def batches(
        self,
        batch_size: int | None,
        generator: torch.Generator | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[torch.Tensor, ...]]:
        """One epoch, see `SampleStream.batches`.

        Raises
        ------
        ValueError
            Also if several processes would share a loader that may shuffle, since it would shuffle
            differently in each of them.
        """
        self._check_shared(world_size)
        return super().batches(batch_size, generator, rank, world_size)

    def blocks(
        self, rank: int = 0, world_size: int = 1, *, missing: bool = False
    ) -> Iterator[Float[np.ndarray, "rows features"]]:
        """All samples or a share of them, see `SampleStream.blocks`.

        Raises
        ------
        ValueError
            Also if several processes would share a loader that may shuffle.
        """
        self._check_shared(world_size)
        return super().blocks(rank, world_size, missing=missing)

    @property
    def ordered(self) -> bool:  # type: ignore[override]
        """Whether the loader gives its samples in the same order each time."""
        # The batch sampler of a loader without automatic batching is None.
        batches = self._loader.batch_sampler
        sampler = getattr(batches, "sampler", self._loader.sampler)
        return type(batches) in (BatchSampler, type(None)) and (
            isinstance(sampler, SequentialSampler)
            or isinstance(self._loader.dataset, IterableDataset)
        )

    def _check_shared(self, world_size: int) -> None:
        if world_size > 1 and not self.ordered:
            raise ValueError(
                f"{self.name} may shuffle differently in every process: pass its dataset instead, "
                "which is shuffled alike in all of them"
            )

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        batches = (self._batch(batch) for batch in self._loader)
        # To its end, to notice more samples than before.
        parts = trimmed(batches, start, None if stop == self.n_samples else stop)
        return gathered(parts, self, np.arange(start, stop))

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        return self._read_range(0, self.n_samples)


def _array(item: Any, name: str) -> Shaped[np.ndarray, "..."]:
    """The numbers of an item, or of the first element of a tuple."""
    x = item[0] if isinstance(item, tuple | list) and len(item) else item
    if isinstance(x, torch.Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(
            f"{name}: items must be arrays of real numbers, or tuples that begin with one; found "
            f"{type(item).__name__}"
        )
    return x
