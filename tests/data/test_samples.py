"""Whatever holds the samples, a pass gives each of them once."""

import gc
import tracemalloc

import numpy as np
import pytest
import torch
from scipy import sparse

from forms import EVERYTHING, IN_MEMORY, K, Mapped, N, collect, npy, seeded
from minsyn.data import TensorSamples, as_samples, column_statistics
from minsyn.training import train


@pytest.mark.parametrize("kind", EVERYTHING)
def test_in_order(x, tmp_path, small_blocks, kind):
    samples = as_samples(EVERYTHING[kind](x, tmp_path))
    assert (samples.n_samples, samples.n_features) == (N, K)
    for batch_size in (None, 1, 10, 1000):
        batches = collect(samples, batch_size)
        assert all(b.dtype == np.float32 for b in batches)
        np.testing.assert_array_equal(np.concatenate(batches), x)
        sizes = [len(b) for b in batches]
        assert max(sizes) - min(sizes) <= 1 and max(sizes) <= (batch_size or N)
    blocks = [block.copy() for block in samples.blocks()]
    np.testing.assert_array_equal(np.concatenate(blocks), x)
    assert kind in IN_MEMORY or len(blocks) > 3


@pytest.mark.parametrize("kind", EVERYTHING)
def test_mixed_and_shared(x, tmp_path, small_blocks, kind):
    samples = as_samples(EVERYTHING[kind](x, tmp_path))
    alone = collect(samples, 10, seeded())
    order = np.concatenate(alone)[:, 0].astype(int)
    np.testing.assert_array_equal(np.sort(order), np.arange(N))
    np.testing.assert_array_equal(np.concatenate(alone), x[order])
    assert not np.array_equal(order, np.arange(N))
    again, other = collect(samples, 10, seeded()), collect(samples, 10, seeded(1))
    np.testing.assert_array_equal(np.concatenate(again), np.concatenate(alone))
    assert not np.array_equal(np.concatenate(other), np.concatenate(alone))
    # Three processes together see each batch of one process.
    shares = [collect(samples, 10, seeded(), rank, 3) for rank in range(3)]
    for batch, *parts in zip(alone, *shares, strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), batch)


@pytest.mark.parametrize("dtype", ["bool", "u1", "i2", "i8", "f2", "f8", ">f4", ">i4"])
def test_any_type_of_numbers(tmp_path, small_blocks, rng, dtype):
    x = rng.integers(0, 2, size=(N, K)).astype(dtype)
    for data in (npy(x, tmp_path), x):
        (batch,) = collect(as_samples(data), None)
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, x.astype(np.float32))
        block = next(as_samples(data).blocks())
        assert block.dtype == ("f8" if dtype in ("i8", "f8", ">i4") else "f4")


def test_scaling_keeps_the_digits_of_a_large_mean(tmp_path, small_blocks, rng):
    x = 1e9 + rng.normal(size=(N, K))
    samples = as_samples(npy(x, tmp_path))
    mean, std = x.mean(axis=0), x.std(axis=0)
    expected = ((x - mean) / std).astype(np.float32)
    scaled = samples.scaled(mean, std)
    np.testing.assert_array_equal(np.concatenate(collect(scaled, 10)), expected)
    np.testing.assert_allclose(np.concatenate(list(scaled.blocks())), (x - mean) / std)
    np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), x.astype(np.float32))
    assert scaled.fingerprint() != samples.fingerprint()


@pytest.mark.parametrize("kind", ["npy", "parquet", "csv", "csr", "array", "dataset", "loader"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_found_in_its_row(x, tmp_path, small_blocks, kind, value):
    x[77, 3] = value
    places = {"parquet": "row 77, column 'd' is", "csv": "line 79.*column 'd'"}
    place = places.get(kind, "row 77, column 3 is")
    with pytest.raises(ValueError, match=f"{place}.*fill them in first"):
        collect(as_samples(EVERYTHING[kind](x, tmp_path)), 10, seeded())


def test_what_holds_no_samples(tmp_path, x):
    with pytest.raises(TypeError, match="an iterator allows only a single pass"):
        as_samples(iter(x))
    with pytest.raises(FileNotFoundError, match="no such file"):
        as_samples(tmp_path / "x.npy")
    with pytest.raises(ValueError, match=r"expected a file ending in \.npy, \.npz"):
        as_samples(tmp_path / "x.docx")
    with pytest.raises(ValueError, match="4 processes cannot share batches of 2 samples"):
        collect(as_samples(x), 3, None, 0, 4)


def test_fingerprints_tell_data_apart(x, tmp_path):
    prints = [
        as_samples(data).fingerprint()
        for data in (x, x + 1, x[:50], x.astype("f8"), sparse.csr_array(x), Mapped(x + 2))
    ]
    path = npy(x, tmp_path)
    before = as_samples(path).fingerprint()
    assert as_samples(path).fingerprint() == before
    np.save(path, x + 1)
    prints += [before, as_samples(path).fingerprint()]
    assert len(set(prints)) == len(prints)


def test_memory_does_not_grow_with_the_samples(tmp_path, small_blocks):
    peaks = []
    for n in (300, 1800):
        path = npy(np.ones((n, K), np.float32), tmp_path)
        samples = as_samples(path)
        for _ in samples.batches(10, seeded()):
            pass
        column_statistics(samples)
        gc.collect()
        gc.freeze()  # later collections look at what is new, and are quick
        tracemalloc.start()
        for number, _ in enumerate(samples.batches(10, seeded())):
            if number % 10 == 0:
                gc.collect()  # garbage that waits for a collection says nothing
        column_statistics(samples)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        gc.unfreeze()
    # The order of the pieces is what grows: eight bytes for each.
    assert peaks[1] - peaks[0] < 12_000 < 1500 * K * 4


@pytest.mark.parametrize("kind", ["npy", "parquet", "iterable loader"])
def test_training_from_anywhere_is_training_from_memory(x, tmp_path, small_blocks, kind):
    """Batches in order, so that the same samples make the same steps."""
    x[:, 0] /= N
    losses = []
    for samples in (TensorSamples(torch.from_numpy(x)), as_samples(EVERYTHING[kind](x, tmp_path))):
        line = torch.nn.Linear(K, 1)
        torch.nn.init.ones_(line.weight)
        torch.nn.init.zeros_(line.bias)
        result = train(
            line, lambda x, line=line: line(x).square().mean(), samples, learning_rate=0.01,
            batch_size=None, max_epochs=5, tol=0.0, patience=10, generator=seeded(),
        )  # fmt: skip
        losses.append(result.history)
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_scaled_twice(rng):
    x = rng.normal(5, 2, size=(20, 3))
    samples = as_samples(x).scaled(np.full(3, 5.0), np.array([1.0, 2.0, 4.0]))
    twice = samples.scaled(np.array([1.0, 0.0, -1.0]), 10.0)
    expected = ((x - 5) / [1, 2, 4] - [1, 0, -1]) / 10
    np.testing.assert_allclose(next(twice.blocks()), expected)
    np.testing.assert_allclose(next(twice.batches(None))[0], expected, rtol=1e-5, atol=1e-7)
