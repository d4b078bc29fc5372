"""Damaged files: an error of our own, or the data as they were; `make fuzz` tries many more."""

import random
import struct
import zipfile
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from fuzzing import n_examples
from minsyn.data import as_samples
from minsyn.data.damage import DamagedFileError, damage_named
from minsyn.data.text_layout import TableError

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
N_CHANGES = n_examples(25)


def npz(kind):
    def write(path):
        array = BytesIO()
        np.save(array, X)
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("x.npy", array.getvalue())

    return write


def frame():
    return pd.DataFrame(X.astype(np.float64), columns=list("abc"))


def h5ad(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, chunks=(20, 3), compression="gzip", fletcher32=True)
        for frame, names in (("var", list("abc")), ("obs", [f"c{i}" for i in range(len(X))])):
            file.create_group(frame).attrs["_index"] = "_index"
            file[frame]["_index"] = np.array(names, dtype=h5py.string_dtype())


def sparse_h5ad(path, kind=sparse.csr_array):
    h5ad(path)
    h5py, matrix = pytest.importorskip("h5py"), kind(X)
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_group("X").attrs.update(
            {"encoding-type": f"{matrix.format}_matrix", "shape": X.shape}
        )
        for part in ("data", "indices", "indptr"):
            file["X"][part] = getattr(matrix, part)


def excel(path):
    pytest.importorskip("openpyxl")
    frame().to_excel(path, index=False)


#: Writers, and whether the file has a checksum of its numbers.
FILES = {
    "x.npy": (lambda path: np.save(path, X), False),
    "stored.npz": (npz(zipfile.ZIP_STORED), True),
    "deflated.npz": (npz(zipfile.ZIP_DEFLATED), True),
    "lzma.npz": (npz(zipfile.ZIP_LZMA), True),
    "bz2.npz": (npz(zipfile.ZIP_BZIP2), True),
    "x.parquet": (lambda path: frame().to_parquet(path, write_page_checksum=True), True),
    "plain.parquet": (lambda path: frame().to_parquet(path), False),
    "x.feather": (lambda path: frame().to_feather(path), False),
    "x.csv.gz": (lambda path: frame().to_csv(path, index=False), True),
    "x.xlsx": (excel, True),
    "x.h5ad": (h5ad, False),
    "csr.h5ad": (sparse_h5ad, False),
    "csc.h5ad": (lambda path: sparse_h5ad(path, sparse.csc_array), False),
}


def read(path):
    return np.concatenate([block.copy() for block in as_samples(path).blocks(missing=True)])


def changed(content, chance):
    """Truncated, with other bytes (mostly in the header), or with some left out."""
    kind, at = chance.random(), chance.randrange(len(content))
    if kind < 0.25:
        return content[:at]
    content = bytearray(content)
    if kind < 0.4:
        del content[at : at + 20]
    else:
        for _ in range(chance.choice([1, 1, 1, 8])):
            end = chance.choice([200, len(content)])
            content[chance.randrange(min(len(content), end))] = chance.randrange(256)
    return bytes(content)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_an_error_of_our_own(name, tmp_path):
    if name.endswith((".parquet", ".feather")):
        pytest.importorskip("pyarrow")
    write, checked = FILES[name]
    write(tmp_path / name)
    content, good = (tmp_path / name).read_bytes(), read(tmp_path / name)
    chance = random.Random(name)
    for number in range(N_CHANGES):
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(changed(content, chance))
        try:
            found = read(path)
        except (DamagedFileError, TableError):
            continue
        except (ValueError, TypeError) as error:  # a sound file, of other data
            assert str(error).startswith(str(path)), repr(error)
            continue
        assert not checked or np.array_equal(found, good), number


def test_headers_that_claim_more_than_there_is(tmp_path):
    """Petabytes are refused before they are asked for."""
    head = BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 1000)}
    np.lib.format.write_array_header_1_0(head, header)
    for content in (head.getvalue(), head.getvalue() + bytes(8)):
        with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", content)
        with pytest.raises(DamagedFileError, match="8000000000000000 bytes, and there are"):
            as_samples(tmp_path / "x.npz")
        (tmp_path / "x.npy").write_bytes(content)
        with pytest.raises(ValueError, match="is truncated"):
            as_samples(tmp_path / "x.npy")


@pytest.mark.parametrize(("at", "value"), [(8, 1), (10, 93)], ids=["encrypted", "unknown packing"])
def test_archives_that_cannot_be_unpacked(at, value, tmp_path):
    npz(zipfile.ZIP_DEFLATED)(tmp_path / "x.npz")
    content = bytearray((tmp_path / "x.npz").read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    struct.pack_into("<H", content, at - 2, value)
    struct.pack_into("<H", content, entry + at, value)
    (tmp_path / "x.npz").write_bytes(bytes(content))
    with pytest.raises(DamagedFileError, match=r"encrypted|not supported"):
        as_samples(tmp_path / "x.npz")


def test_errors_of_the_system_and_of_memory():
    """A file that may not be read is not damaged; one that claims too much memory may be."""
    with pytest.raises(PermissionError), damage_named("x", "a file"):
        raise PermissionError(13, "Permission denied", "x")
    with pytest.raises(ImportError), damage_named("x", "a file"):
        raise ImportError("pip install y")
    damaged = pytest.raises(DamagedFileError, match="x is not a file, or is damaged: MemoryError")
    with damaged, damage_named("x", "a file"):
        raise MemoryError
