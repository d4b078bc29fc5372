"""Everything that may hold samples, for tests that run over all of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

N, K = 103, 5


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
