"""Data sets of which any range of samples can be read."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Shaped

from minsyn.data.stream import Block, SampleStream

__all__ = ["RowStream"]

#: Bytes that are read in one piece when samples are shuffled. A block gathers many such pieces from
#: all over the data, so that a file that is sorted by class or by subject does not train on one of
#: them at a time.
PIECE_BYTES = 2**20


class RowStream(SampleStream):
    """A data set of which any range of samples can be read.

    A pass in order reads one block after another. A shuffled pass cuts the data into pieces of
    about 1 MB, takes them in random order, and fills each block with as many as it holds. All
    blocks of a pass use the same memory. (Reading the next block in a thread was tried: while the
    file is cached and the cores are busy, it gains nothing.)
    """

    @abstractmethod
    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        """Read samples from ``start`` up to ``stop`` into ``out``."""

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        buffer = np.empty((min(self._block_rows, stop - start), self.n_features), self.dtype)
        for first in range(start, stop, self._block_rows):
            n = min(self._block_rows, stop - first)
            self._fill(first, first + n, buffer[:n])
            yield Block(np.arange(first, first + n), buffer[:n])

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        block_rows = self._block_rows
        piece_rows = min(block_rows, max(1, PIECE_BYTES // self._row_bytes))
        pieces = np.arange(0, self.n_samples, piece_rows)
        pieces = pieces[torch.randperm(len(pieces), generator=generator).numpy()]
        buffer = np.empty((block_rows, self.n_features), self.dtype)
        per_block = block_rows // piece_rows
        for first in range(0, len(pieces), per_block):
            rows, filled = [], 0
            for start in pieces[first : first + per_block].tolist():
                stop = min(start + piece_rows, self.n_samples)
                self._fill(start, stop, buffer[filled : filled + stop - start])
                rows.append(np.arange(start, stop))
                filled += stop - start
            yield Block(np.concatenate(rows), buffer[:filled])
