"""Several processes: each reads and takes its share, whatever holds the samples."""

import numpy as np
import pytest
import torch

from forms import EVERYTHING, Mapped, N, collect, npy, seeded
from minsyn.data import as_samples


@pytest.mark.parametrize("kind", EVERYTHING)
def test_shares_of_blocks(x, tmp_path, small_blocks, kind):
    """Shares follow each other, and are all samples together."""
    samples = as_samples(EVERYTHING[kind](x, tmp_path))
    for n_ranks in (3, 8):
        shares = [
            [block.copy() for block in samples.blocks(rank, n_ranks)] for rank in range(n_ranks)
        ]
        np.testing.assert_array_equal(np.concatenate([b for share in shares for b in share]), x)
        sizes = [sum(map(len, share)) for share in shares]
        assert max(sizes) - min(sizes) <= 1
    assert sum(len(list(samples.blocks(rank, N + 2))) for rank in range(N + 2)) == N


@pytest.mark.parametrize("kind", EVERYTHING)
def test_shares_of_the_whole(x, tmp_path, small_blocks, kind):
    samples = as_samples(EVERYTHING[kind](x, tmp_path))
    parts = [collect(samples, None, seeded(), rank, 3) for rank in range(3)]
    assert [len(part) for part in parts] == [1, 1, 1]
    np.testing.assert_array_equal(np.concatenate([x for (x,) in parts]), x)


def test_a_share_is_all_that_is_read(x, tmp_path, small_blocks, monkeypatch):
    samples, read = as_samples(npy(x, tmp_path)), []
    fill = type(samples)._fill

    def counted(self, start, stop, out):
        read.append((start, stop))
        fill(self, start, stop, out)

    monkeypatch.setattr(type(samples), "_fill", counted)
    list(samples.blocks(1, 4))
    assert read == [(26, 42), (42, 52)]
    read.clear()
    list(samples.batches(None, None, 1, 4))
    assert read == [(26, 42), (42, 52)]


def test_shares_of_a_data_set_make_no_other_items(x):
    class Counted(Mapped):
        def __getitem__(self, i):
            made.append(i)
            return super().__getitem__(i)

    made = []
    samples = as_samples(Counted(x))
    made.clear()
    list(samples.blocks(2, 4))
    assert made == list(range(52, 78))


def test_every_epoch_is_mixed_anew_and_alike_on_all_ranks(x, tmp_path, small_blocks):
    samples, generators = as_samples(npy(x, tmp_path)), [seeded(), seeded()]
    first, second = (
        [collect(samples, 20, g, rank, 2) for rank, g in enumerate(generators)] for _ in range(2)
    )
    assert not np.array_equal(first[0][0], second[0][0])
    assert torch.equal(generators[0].get_state(), generators[1].get_state())
