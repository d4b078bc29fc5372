"""Splitting of epochs into batches and among processes, whatever holds the samples."""

import numpy as np
import pytest
import torch

from forms import EVERYTHING, Mapped, N, collect, npy, seeded
from minsyn.data import TensorSamples, as_samples, batch_bounds
from minsyn.data.arrays import ArraySamples

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 20, 101, 102]
BATCH_SIZES = [None, 1, 2, 3, 4, 5, 7, 8, 50, 100, 101, 1000]


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("n", SIZES)
def test_sizes_of_batches(n, batch_size):
    """As few batches as possible, even ones, and none of a single sample or of too many."""
    bounds = list(batch_bounds(n, batch_size))
    sizes = [stop - start for start, stop in bounds]
    starts, stops = map(list, zip(*bounds, strict=True))
    assert starts == [0, *stops[:-1]]
    left_out = n % 2 if batch_size == 2 and n > 2 else 0
    assert stops[-1] == n - left_out
    largest = n if batch_size is None else batch_size
    assert len(sizes) == -(-(n - left_out) // largest)
    assert max(sizes) <= largest and max(sizes) - min(sizes) <= 1
    assert min(sizes) > 1 or 1 in (n, batch_size)


@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("shuffled", [False, True])
def test_all_samples_are_split_alike(batch_size, world_size, shuffled):
    """Tensors and streams give each process as many samples of each batch, or the same error."""
    for n in SIZES:
        x = torch.arange(float(n))[:, None]
        for rank in range(world_size):
            split, messages = [], []
            for samples in (TensorSamples(x), ArraySamples(x.numpy())):
                generator = seeded() if shuffled else None
                try:
                    found = collect(samples, batch_size, generator, rank, world_size)
                    split.append([len(part) for part in found])
                except ValueError as error:
                    messages.append(str(error))
            assert len(set(messages)) <= 1 and len(messages) in (0, 2)
            if split:
                bounds = batch_bounds(n, batch_size, rank, world_size)
                assert split[0] == split[1] == [stop - start for start, stop in bounds]
                assert min(split[0]) >= 1


@pytest.mark.parametrize("kind", [TensorSamples, lambda x: ArraySamples(x.numpy())])
def test_another_sample_is_left_out_of_each_shuffled_epoch(kind):
    samples, generator = kind(torch.arange(5.0)[:, None]), seeded()
    epochs = [np.concatenate(collect(samples, 2, generator)).ravel() for _ in range(20)]
    assert all(len(set(epoch)) == 4 for epoch in epochs)
    assert {10 - sum(epoch) for epoch in epochs} == {0, 1, 2, 3, 4}
    assert np.concatenate(collect(samples, 2)).ravel().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "no samples to train on"),
        ((5, 0), "batch_size=0 must be at least 1"),
        ((10, 3, 0, 4), "4 processes cannot share batches of 2 samples: raise batch_size"),
        ((3, None, 0, 4), "4 processes cannot share batches of 3 samples"),
    ],
)
def test_splits_that_are_impossible(arguments, message):
    with pytest.raises(ValueError, match=message):
        list(batch_bounds(*arguments))


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
