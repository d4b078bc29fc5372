"""Samples of which any range can be read: arrays on disk, and what is sliced by rows."""

import math
import mmap
import zipfile
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped

from minsyn.data.stream import BLOCK_BYTES, Block, SampleStream, working_dtype

__all__ = ["ArrayFile", "ArraySlices", "RowStream", "npy_file", "npz_file"]

#: What is read in one piece when samples are mixed. A block gathers many such pieces from all over
#: the data, so that a file sorted by class or by subject does not train on one of them at a time.
PIECE_BYTES = 2**20


class RowStream(SampleStream):
    """Samples of which any range can be read.

    A pass in order reads blocks of `BLOCK_BYTES`. A mixed one cuts the data into pieces of
    `PIECE_BYTES`, takes them in random order, and fills each block with as many as it holds. All
    blocks are read into one buffer. (Reading the next in a thread meanwhile was tried: where the
    file is cached and cores are busy it gains nothing.)
    """

    @abstractmethod
    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        """Read samples from ``start`` up to ``stop`` into ``out``."""

    def _read_range(self, start: int, stop: int) -> Iterator[Block]:
        block_rows, _ = self._rows_of_block_and_piece()
        buffer = np.empty((min(block_rows, stop - start), self.n_features), self.dtype)
        for first in range(start, stop, block_rows):
            n = min(block_rows, stop - first)
            self._fill(first, first + n, buffer[:n])
            yield Block(np.arange(first, first + n), buffer[:n])

    def _read_mixed(self, generator: torch.Generator) -> Iterator[Block]:
        block_rows, piece_rows = self._rows_of_block_and_piece()
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

    def _rows_of_block_and_piece(self) -> tuple[int, int]:
        row_bytes = self.n_features * max(self.dtype.itemsize, working_dtype(self.dtype).itemsize)
        block_rows = min(self.n_samples, max(1, BLOCK_BYTES // row_bytes))
        return block_rows, min(block_rows, max(1, PIECE_BYTES // row_bytes))


class ArrayFile(RowStream):
    """An array in C order at some place in a file, read into a reused buffer.

    It is read and not mapped: pages of a mapped file count as memory of the process, and a pass
    over the data touches all of them.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Where the numbers begin, in bytes.
    shape : tuple of int
        (n_samples, n_features).
    dtype : dtype
        Type of the numbers.
    name : str, optional
        What messages call it; the path by default.

    Raises
    ------
    ValueError
        If the array is empty or not two-dimensional, or the file too short for it.
    TypeError
        If it does not hold real numbers.
    """

    def __init__(
        self, path: Path, offset: int, shape: tuple[int, ...], dtype: Any, name: str | None = None
    ) -> None:
        self.name = name or str(path)
        self.n_samples, self.n_features = table_shape(shape, self.name)
        self.dtype = real_dtype(dtype, self.name)
        self._path, self._offset = path, offset
        needed = offset + self.n_samples * self._row_bytes
        found = path.stat().st_size
        if found < needed:
            raise ValueError(
                f"{self.name} is truncated: {self.n_samples} x {self.n_features} numbers of "
                f"{self.dtype} end at byte {needed}, the file at {found}"
            )

    def _identity(self) -> bytes:
        status = self._path.stat()
        return (
            f"{self._path.resolve()} {self._offset} {status.st_size} {status.st_mtime_ns}".encode()
        )

    @property
    def _row_bytes(self) -> int:
        return self.n_features * self.dtype.itemsize

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        # Unbuffered: one system call fills the array, without a copy in between.
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._offset + start * self._row_bytes)
            view = memoryview(out.data).cast("B")
            while len(view):
                n_read = file.readinto(view)
                if not n_read:
                    raise ValueError(f"{self.name} was shortened while it was read")
                view = view[n_read:]


class ArraySlices(RowStream):
    """Whatever has a shape and a dtype and gives rows by slicing: strided memmaps, HDF5, Zarr.

    Parameters
    ----------
    array : array-like
        Of shape (n_samples, n_features); ``array[a:b]`` gives rows.
    name : str
        What messages call it.
    """

    def __init__(self, array: Any, name: str) -> None:
        self.name = name
        self.n_samples, self.n_features = table_shape(array.shape, name)
        self.dtype = real_dtype(array.dtype, name)
        self._array = array

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        out[:] = self._array[start:stop]


def npy_file(path: Path, start: int = 0, name: str | None = None) -> ArrayFile | np.ndarray:
    """The array of a ``.npy`` file, or of one that begins somewhere in another file.

    One that is stored column by column (Fortran order, as a table of pandas' often is) is read
    whole if it is no larger than a block.

    Parameters
    ----------
    path : Path
        The file.
    start : int, default=0
        Where the array's header begins.
    name : str, optional
        What messages call it.

    Raises
    ------
    ValueError
        If it is not such a file, is truncated, does not hold a table, or is large and in Fortran
        order.
    TypeError
        If it does not hold real numbers.
    """
    name = name or str(path)
    with path.open("rb") as file:
        file.seek(start)
        try:
            version = np.lib.format.read_magic(file)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }.get(version)
            if read_header is None:  # field names in Unicode: a structured type
                raise ValueError(f"its format {version} is for structured types")
            shape, fortran_order, dtype = read_header(file)
        except ValueError as error:
            raise ValueError(f"{name} is no .npy file of numbers: {error}") from error
        offset = file.tell()
    stream = ArrayFile(path, offset, shape, dtype, name)
    if not fortran_order or 1 in shape:
        return stream
    if math.prod(shape) * stream.dtype.itemsize > BLOCK_BYTES:
        raise ValueError(
            f"{name} is stored column by column (Fortran order), so no sample can be read alone; "
            "save np.ascontiguousarray(X)"
        )
    columns = np.empty(shape[::-1], stream.dtype)
    with path.open("rb") as file:
        file.seek(offset)
        file.readinto(columns.data)
    return np.ascontiguousarray(columns.T)


def npz_file(path: Path) -> ArrayFile | np.ndarray:
    """The only array of an ``.npz`` file: read in place, or whole where it is compressed.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        If it is no such file, or holds several arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) != 1:
                names = ", ".join(m.filename.removesuffix(".npy") for m in members[:10])
                raise ValueError(
                    f"{path} holds {len(members)} arrays ({names}); save the data alone, or load "
                    "them and pass one"
                )
            member = members[0]
            name = f"{path}[{member.filename.removesuffix('.npy')}]"
            if member.compress_type != zipfile.ZIP_STORED:
                with archive.open(member) as file:
                    return np.lib.format.read_array(file, allow_pickle=False)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no .npz file, or is damaged: {error}") from error
    with path.open("rb") as file:
        # A member's own header: 30 bytes, the last four being the lengths of what follows it.
        file.seek(member.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
    return npy_file(path, member.header_offset + 30 + int(lengths.sum()), name)


def memmap_stream(array: np.memmap) -> RowStream:
    """A memmap's samples, read from its file where they are stored one after another.

    Parameters
    ----------
    array : memmap
        Of shape (n_samples, n_features); a part of a larger one, too.
    """
    name = f"memmap of {array.filename}" if array.filename else "memmap"
    # Changes to a copy-on-write map are in memory only.
    if array.filename is None or array.mode == "c" or not array.flags.c_contiguous:
        return ArraySlices(array, name)
    array.flush()
    mapped = array._mmap  # type: ignore[attr-defined]
    origin = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    # A map begins at a whole page of the file; a view of an array keeps the offset of the array.
    page = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    offset = page + array.__array_interface__["data"][0] - origin
    return ArrayFile(Path(array.filename), offset, array.shape, array.dtype, name)


def table_shape(shape: tuple[int, ...], name: str) -> tuple[int, int]:
    """Samples and features of a shape, or a ValueError."""
    if len(shape) != 2:
        raise ValueError(f"{name} must have shape (n_samples, n_features); found {tuple(shape)}")
    if 0 in shape:
        raise ValueError(f"{name} is empty: its shape is {tuple(shape)}")
    return int(shape[0]), int(shape[1])


def real_dtype(dtype: Any, name: str) -> np.dtype[Any]:
    """A type of real numbers, or a TypeError."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers; found {dtype}")
    return dtype
