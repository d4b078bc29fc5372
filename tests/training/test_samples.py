"""Whatever holds the samples, a pass gives each of them once."""

import gc
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from minsyn.training import (
    TensorSamples,
    as_samples,
    column_statistics,
    gathered,
    in_memory,
    rows,
    stream,
    tables,
    torch_data,
    train,
)
from minsyn.training.worker import Worker

N, K = 103, 5
MODULES = (gathered, in_memory, rows, stream, tables, torch_data)


@pytest.fixture
def x(rng):
    """Samples that know their number: the first feature. Short decimals hold them exactly."""
    array = (rng.integers(-99, 99, size=(N, K)) / 64).astype(np.float32)
    array[:, 0] = np.arange(N)
    return array


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 samples, read in pieces of 4."""
    for module in MODULES:
        if hasattr(module, "BLOCK_BYTES"):
            monkeypatch.setattr(module, "BLOCK_BYTES", 16 * K * 4)
    monkeypatch.setattr(rows, "PIECE_BYTES", 4 * K * 4)


class Mapped(Dataset):
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i]), i


class Streamed(IterableDataset):
    def __init__(self, x):
        self.x = x

    def __iter__(self):
        return iter(self.x)


class Sliced:
    """What h5py and zarr give: a shape, a dtype, rows by slicing."""

    def __init__(self, x):
        self.x, self.shape, self.dtype = x, x.shape, x.dtype

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return self.x[rows]


def npy(x, folder):
    np.save(folder / "x.npy", x)
    return folder / "x.npy"


def npz(x, folder, save=np.savez):
    save(folder / "x.npz", data=x)
    return folder / "x.npz"


def csv(x, folder):
    pd.DataFrame(x, columns=list("abcde"), dtype=float).to_csv(folder / "x.csv", index=False)
    return folder / "x.csv"


def parquet(x, folder):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(x, columns=list("abcde"))
    frame.to_parquet(folder / "x.parquet", row_group_size=10)
    return folder / "x.parquet"


def memmap(x, folder):
    return np.load(npy(x, folder), mmap_mode="r")


def part_of_memmap(x, folder):
    np.concatenate([x[:7] + 1, x, x[:7]]).tofile(folder / "raw")
    shape = (N + 14, K)
    return np.memmap(folder / "raw", np.float32, "r", 0, shape)[7 : N + 7]


def memmap_at_an_offset(x, folder):
    (folder / "raw").write_bytes(b"\0" * 8200 + x.tobytes())
    return np.memmap(folder / "raw", np.float32, "r", 8200, x.shape)


def strided_memmap(x, folder):
    return np.load(npy(np.repeat(x, 2, axis=0), folder), mmap_mode="r")[::2]


def copy_on_write(x, folder):
    changed = np.load(npy(np.zeros_like(x), folder), mmap_mode="c")
    changed[:] = x
    return changed


IN_MEMORY = {
    "array": lambda x, folder: x,
    "list": lambda x, folder: x.tolist(),
    "frame": lambda x, folder: pd.DataFrame(x),
    "tensor": lambda x, folder: torch.from_numpy(x),
    "Fortran": lambda x, folder: np.asfortranarray(x),
}
BY_BLOCKS = {
    "npy": npy,
    "str": lambda x, folder: str(npy(x, folder)),
    "npz": npz,
    "compressed": lambda x, folder: npz(x, folder, np.savez_compressed),
    "csv": csv,
    "parquet": parquet,
    "memmap": memmap,
    "part": part_of_memmap,
    "offset": memmap_at_an_offset,
    "strided": strided_memmap,
    "changed": copy_on_write,
    "csr": lambda x, folder: sparse.csr_matrix(x),
    "coo": lambda x, folder: sparse.coo_array(x),
    "slices": lambda x, folder: Sliced(x),
    "dataset": lambda x, folder: Mapped(x),
    "images": lambda x, folder: TensorDataset(torch.from_numpy(x).reshape(N, 1, K, 1)),
    "iterable": lambda x, folder: Streamed(x),
    "loader": lambda x, folder: DataLoader(Mapped(x), batch_size=8),
    "iterable loader": lambda x, folder: DataLoader(Streamed(x), batch_size=8),
    "unbatched loader": lambda x, folder: DataLoader(Mapped(x), batch_size=None),
}
EVERYTHING = {**IN_MEMORY, **BY_BLOCKS}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def collect(samples, *args, **kwargs):
    # A batch may lie in a buffer: it is copied before the next one comes.
    return [x.numpy().copy() for (x,) in samples.batches(*args, **kwargs)]


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


@pytest.mark.parametrize("n_ranks", [2, 5, N + 3])
def test_column_statistics_of_shares_are_merged(x, tmp_path, small_blocks, n_ranks):
    """Ranks in turns, in one process."""

    class Turns(Worker):
        world_size = n_ranks

        def on_all_ranks(self, function):
            found = []
            for self.rank in range(n_ranks):
                found.append(function())
            return found

    x[:, 2] = 0.1
    samples = as_samples(npy(x.astype(np.float64) + 1e6, tmp_path))
    shared, alone = column_statistics(samples, Turns()), column_statistics(samples)
    assert shared.n_samples == N
    for name in ("mean", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(shared, name), getattr(alone, name), rtol=1e-15)
    # A mean of 1e6 is known to 1e-10; sums of squares would lose the variance.
    np.testing.assert_allclose(shared.variance, alone.variance, rtol=1e-9)
    assert shared.variance[2] == 0


def test_every_epoch_is_mixed_anew_and_alike_on_all_ranks(x, tmp_path, small_blocks):
    samples, generators = as_samples(npy(x, tmp_path)), [seeded(), seeded()]
    first, second = (
        [collect(samples, 20, g, rank, 2) for rank, g in enumerate(generators)] for _ in range(2)
    )
    assert not np.array_equal(first[0][0], second[0][0])
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


def test_a_sorted_file_is_mixed_from_all_over(tmp_path, small_blocks):
    x = np.repeat(np.arange(4000.0, dtype=np.float32)[:, None], K, axis=1)
    (batch, *_) = collect(as_samples(npy(x, tmp_path)), 16, seeded())
    assert np.ptp(batch[:, 0]) > 1000  # of 16 neighbours it would be 15


@pytest.mark.parametrize("sizes", [(3, 2), (5, 2), (101, 100), (201, 100), (7, 3)])
def test_no_batch_holds_a_single_sample(sizes):
    n, batch_size = sizes
    assert min(len(b) for b in collect(as_samples(np.zeros((n, 2))), batch_size)) >= 2


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


@pytest.mark.parametrize("kind", ["npy", "csr", "csv", "array", "parquet"])
def test_columns_statistics(x, tmp_path, small_blocks, kind):
    x[:, 2], x[:, 3] = 0.75, 1e4 + x[:, 3]
    found = column_statistics(as_samples(EVERYTHING[kind](x, tmp_path)))
    wide = x.astype(np.float64)
    assert found.n_samples == N
    tight = {"rtol": 1e-12}
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), **tight)
    np.testing.assert_allclose(found.std, wide.std(axis=0), **tight)
    assert found.variance[2] == 0 and found.constant.tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(found.minimum, x.min(axis=0), **tight)
    np.testing.assert_allclose(found.maximum, x.max(axis=0), **tight)


@pytest.mark.parametrize("kind", ["npy", "parquet", "csv", "csr", "array", "dataset", "loader"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_found_in_its_row(x, tmp_path, small_blocks, kind, value):
    x[77, 3] = value
    with pytest.raises(ValueError, match=r"77") as error:
        samples = as_samples(EVERYTHING[kind](x, tmp_path))
        collect(samples, 10, seeded())
    column = "'d'" if kind in ("parquet", "csv") else "column 3"
    assert column in str(error.value) and "fill them in" in str(error.value)


def test_too_large_for_training_but_not_for_statistics(tmp_path):
    x = np.ones((4, 2))
    x[2, 1] = 1e100
    samples = as_samples(x)
    with pytest.raises(ValueError, match="row 2, column 1 is inf in float32: scale the data"):
        collect(samples, 2)
    assert column_statistics(samples).maximum[1] == 1e100
    # Large sums of finite numbers are no reason to complain.
    collect(as_samples(np.full((4, 2), 3e38, np.float32)), 2)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros(3), ValueError, r"must have shape \(n_samples, n_features\); found \(3,\)"),
        (np.zeros((2, 3, 4)), ValueError, "must have shape"),
        (np.zeros((0, 3)), ValueError, "is empty"),
        (np.zeros((3, 0)), ValueError, "is empty"),
        (np.zeros((3, 2), complex), TypeError, "real numbers; found complex128"),
        (np.zeros((3, 2), "datetime64[s]"), TypeError, "real numbers; found datetime64"),
        (np.zeros((3, 2), "U3"), TypeError, "real numbers; found <U3"),
        (np.zeros((3, 2), [("a", "f4")]), TypeError, "real numbers; found"),
    ],
)
def test_arrays_that_are_no_samples(tmp_path, array, error, message):
    for data in (array, npy(array, tmp_path), npz(array, tmp_path)):
        with pytest.raises(error, match=message):
            as_samples(data)


def test_a_small_file_in_fortran_order_is_read_whole(x, tmp_path):
    samples = as_samples(npy(np.asfortranarray(x), tmp_path))
    np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), x)


def test_damaged_and_unfit_npy_files(x, tmp_path, small_blocks):
    path = npy(x, tmp_path)
    whole = path.read_bytes()
    for content, message in [
        (whole[:-1], "is truncated: 103 x 5 numbers of float32 end at byte 2188, the file at 2187"),
        (whole[:70], "is no .npy file of numbers"),
        (b"", "is no .npy file"),
        (b"a,b\n1,2\n", "is no .npy file"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            as_samples(path)
    np.save(path, np.asfortranarray(x))
    with pytest.raises(ValueError, match=r"Fortran order.*ascontiguousarray"):
        as_samples(path)
    np.save(path, np.array([[{}]]), allow_pickle=True)
    with pytest.raises(TypeError, match="found object"):
        as_samples(path)


def test_a_file_that_is_shortened_meanwhile(x, tmp_path, small_blocks):
    path = npy(x, tmp_path)
    samples = as_samples(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="was shortened while it was read"):
        collect(samples, 10)


def test_npz_files_that_will_not_do(x, tmp_path):
    np.savez(tmp_path / "two.npz", a=x, b=x)
    with pytest.raises(ValueError, match=r"holds 2 arrays \(a, b\)"):
        as_samples(tmp_path / "two.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"no \.npz file, or is damaged"):
        as_samples(tmp_path / "bad.npz")


def test_tables_choose_columns(x, tmp_path, small_blocks):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(x, columns=list("abcde"))
    frame["text"], frame["flag"], frame["count"] = "t", frame.a > 50, np.arange(N)
    frame.to_csv(tmp_path / "x.csv")
    frame.set_index("b").to_parquet(tmp_path / "x.parquet")
    for path in (tmp_path / "x.csv", tmp_path / "x.parquet"):
        with pytest.raises(ValueError, match=r"'text' does not hold numbers; choose.*columns="):
            as_samples(path)
        samples = as_samples(path, ["count", "flag", "a"])
        assert samples.feature_names == ("count", "flag", "a")
        expected = frame[["count", "flag", "a"]].to_numpy(np.float32)
        np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), expected)
        for columns, message in [(["q"], "no column 'q'"), (["a", "a"], "names 'a' twice")]:
            with pytest.raises(ValueError, match=message):
                as_samples(path, columns)
    with pytest.raises(ValueError, match="pass a path"):
        as_samples(x, ["a"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a header line"),
        ("a,b\n", "holds no samples"),
        ("a;b\n1;2\n", "one column, 'a;b': values must be separated by commas"),
        ("a,b\n1,2\n1,2,3\n", "no table of comma-separated values"),
        ("a,b\n" + "1,2\n" * 1500 + "1,x\n", "row 1500, column 'b' holds 'x', which is no number"),
        ("a,b\n1,2\n1,\n", "column 'b' has missing values, the first in row 1"),
    ],
)
def test_csv_files_that_will_not_do(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        as_samples(tmp_path / "x.csv")


def test_a_parsed_csv_file_leaves_nothing_behind(x, tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    samples = as_samples(csv(x, tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
    del samples
    gc.collect()
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


def test_torch_data_that_will_not_do(x):
    class Uneven(Mapped):
        def __getitem__(self, i):
            return self.x[i][: 5 - (i == 60)]

    class Once(Streamed):
        def __init__(self, x):
            self.x = iter(x)

        def __iter__(self):
            return self.x

    class Text(Mapped):
        def __getitem__(self, i):
            return "text"

    with pytest.raises(ValueError, match="sample 60 has 4 features, the first has 5"):
        collect(as_samples(Uneven(x)), None)
    once = Once(x)
    with pytest.raises(ValueError, match="Once gave no samples in this pass"):
        as_samples(once)
    with pytest.raises(TypeError, match="arrays of real numbers"):
        as_samples(Text(x))
    with pytest.raises(ValueError, match="is empty"):
        as_samples(Mapped(x[:0]))
    loader = as_samples(DataLoader(Mapped(x), batch_size=8, shuffle=True))
    with pytest.raises(ValueError, match="pass its dataset"):
        collect(loader, 10, seeded(), 0, 2)
    with pytest.raises(ValueError, match="pass its dataset"):
        next(loader.blocks(0, 2))
    drops = as_samples(DataLoader(Mapped(x), batch_size=10, drop_last=True))
    assert len(np.concatenate(collect(drops, 20))) == drops.n_samples == 100


def test_what_holds_no_samples(tmp_path, x):
    with pytest.raises(TypeError, match="an iterator can be passed over only once"):
        as_samples(iter(x))
    with pytest.raises(FileNotFoundError, match="no such file"):
        as_samples(tmp_path / "x.npy")
    with pytest.raises(ValueError, match=r"expected a file ending in \.npy, \.npz"):
        as_samples(tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match="cannot be shared by 4"):
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
    for n in (500, 5000):
        path = npy(np.ones((n, K), np.float32), tmp_path)
        samples = as_samples(path)
        for _ in samples.batches(10, seeded()):
            pass
        column_statistics(samples)
        gc.collect()
        tracemalloc.start()
        for number, _ in enumerate(samples.batches(10, seeded())):
            if number % 50 == 0:
                gc.collect()  # garbage that waits for a collection says nothing
        column_statistics(samples)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The order of the pieces is what grows: eight bytes for each.
    assert peaks[1] - peaks[0] < 20_000 < 5000 * K * 4


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
