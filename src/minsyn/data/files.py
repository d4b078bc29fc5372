"""Arrays in ``.npy`` and ``.npz`` files and memmaps."""

import math
import mmap
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from minsyn.data.arrays import ArraySlices
from minsyn.data.damage import damage_named
from minsyn.data.row_stream import RowStream

#: Archives up to this size are read once more than is needed, to compare their checksum.
_CHECKED_BYTES = 2**28
_CHUNK = 2**20

__all__ = ["ArrayFile", "file_identity", "memmap_stream", "npy_file", "npz_file"]


class ArrayFile(RowStream):
    """An array in C order inside a file, read in blocks.

    The file is read rather than mapped: pages of a mapped file count as memory of the process, and
    a pass over the data touches all of them.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Position of the first number, in bytes.
    shape : tuple of int
        (n_samples, n_features).
    dtype : dtype
        Type of the numbers.
    name : str, optional
        Name of the data in messages; the path by default.

    Raises
    ------
    ValueError
        If the array is empty or not two-dimensional, or the file is too short for it.
    TypeError
        If it does not hold real numbers.
    """

    def __init__(
        self, path: Path, offset: int, shape: tuple[int, ...], dtype: Any, name: str | None = None
    ) -> None:
        super().__init__(name or str(path), shape, dtype)
        self._path, self._offset = path, offset
        self._stored_row_bytes = self.n_features * self.dtype.itemsize
        needed = offset + self.n_samples * self._stored_row_bytes
        found = path.stat().st_size
        if found < needed:
            raise ValueError(
                f"{self.name} is truncated: {self.n_samples} x {self.n_features} numbers of "
                f"{self.dtype} end at byte {needed}, the file at {found}"
            )

    def _identity(self) -> bytes:
        return file_identity(self._path, self._offset)

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        # Unbuffered: one system call fills the array, without a copy in between.
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._offset + start * self._stored_row_bytes)
            view = memoryview(out.data).cast("B")
            while len(view):
                n_read = file.readinto(view)
                if not n_read:
                    raise ValueError(f"{self.name} was shortened while it was read")
                view = view[n_read:]


def npy_file(path: Path, start: int = 0, name: str | None = None) -> ArrayFile | np.ndarray:
    """The array of a ``.npy`` file, or of one that is embedded in another file.

    An array that is stored column by column (in Fortran order, as pandas often does) is read whole
    if it is no larger than a block.

    Parameters
    ----------
    path : Path
        The file.
    start : int, default=0
        Position of the array's header, in bytes.
    name : str, optional
        Name of the data in messages; the path by default.

    Raises
    ------
    ValueError
        If it is no ``.npy`` file, is truncated, is empty or not two-dimensional, or is larger than
        a block and in Fortran order.
    TypeError
        If it does not hold real numbers.
    """
    name = name or str(path)
    with path.open("rb") as file, damage_named(name, "a .npy file of numbers"):
        file.seek(start)
        shape, fortran_order, dtype = _header(file)
        offset = file.tell()
    stream = ArrayFile(path, offset, shape, dtype, name)
    if not fortran_order or 1 in shape:
        return stream
    if stream.n_samples > stream._block_rows:
        raise ValueError(
            f"{name} is stored column by column (Fortran order), so samples cannot be read in "
            "blocks; save np.ascontiguousarray(X) instead"
        )
    columns = np.empty(shape[::-1], stream.dtype)
    with path.open("rb") as file:
        file.seek(offset)
        file.readinto(columns.data)
    return np.ascontiguousarray(columns.T)


def _header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an array; a ValueError if these are impossible."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:  # field names in Unicode: a structured type
        raise ValueError(f"its format {version} is for structured types")
    shape, fortran_order, dtype = read_header(file)
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return shape, fortran_order, dtype


def npz_file(path: Path) -> ArrayFile | np.ndarray:
    """The only array of an ``.npz`` file, read in place, or whole if it is compressed.

    The checksum is compared where the array is compressed or no larger than 256 MiB.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        If it is no ``.npz`` file, or does not hold exactly one array.
    """
    kind = "an .npz file"
    with damage_named(str(path), kind), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) != 1:
        names = ", ".join(m.filename.removesuffix(".npy") for m in members[:10])
        raise ValueError(
            f"{path} holds {len(members)} arrays ({names}); save the data alone, or load "
            "the file and pass one array"
        )
    member = members[0]
    name = f"{path}[{member.filename.removesuffix('.npy')}]"
    if member.compress_type != zipfile.ZIP_STORED:
        with damage_named(str(path), kind), zipfile.ZipFile(path) as archive:
            return _unpacked(archive, member)
    if member.file_size <= _CHECKED_BYTES:
        with damage_named(str(path), kind), zipfile.ZipFile(path) as archive:
            _read_through(archive, member)
    with path.open("rb") as file, damage_named(str(path), kind):
        # The last four of the 30 bytes of the member's header are the lengths of what follows it.
        file.seek(member.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
    return npy_file(path, member.header_offset + 30 + int(lengths.sum()), name)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """A compressed array; nothing is allocated that the archive does not say it holds."""
    with archive.open(member) as file:
        shape, fortran_order, dtype = _header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        n_bytes = math.prod(shape) * dtype.itemsize
        if file.tell() + n_bytes != member.file_size:
            raise ValueError(
                f"{shape} numbers of {dtype} are {n_bytes} bytes, and there are "
                f"{member.file_size - file.tell()}"
            )
        array = np.empty(math.prod(shape), dtype)
        view = memoryview(array.view(np.uint8)) if n_bytes else memoryview(b"")  # type: ignore[arg-type]
        for start in range(0, n_bytes, _CHUNK):
            chunk = file.read(min(_CHUNK, n_bytes - start))
            view[start : start + len(chunk)] = chunk
            if len(chunk) < min(_CHUNK, n_bytes - start):
                raise ValueError("it is truncated")
        if file.read(1):
            raise ValueError("it is longer than its header says")
    return array.reshape(shape, order="F" if fortran_order else "C")


def _read_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read a member to its end, where its checksum is compared."""
    with archive.open(member) as file:
        while file.read(_CHUNK):
            pass


def memmap_stream(array: np.memmap) -> RowStream:
    """The samples of a memmap, read from its file if they are contiguous there.

    Parameters
    ----------
    array : memmap of shape (n_samples, n_features)
        May be a part of a larger memmap.
    """
    name = f"memmap of {array.filename}" if array.filename else "memmap"
    # Changes to a copy-on-write map exist only in memory.
    if array.filename is None or array.mode == "c" or not array.flags.c_contiguous:
        return ArraySlices(array, name)
    array.flush()
    mapped = array._mmap  # type: ignore[attr-defined]
    origin = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    # A map begins at a whole page of the file, and a view keeps the offset of its base array.
    page = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    offset = page + array.__array_interface__["data"][0] - origin
    return ArrayFile(Path(array.filename), offset, array.shape, array.dtype, name)


def file_identity(path: Path, *more: object) -> bytes:
    """What tells a file from others and from itself after a change: path, size, time of change.

    Parameters
    ----------
    path : Path
        The file.
    *more : object
        Whatever else tells the data apart, such as the chosen columns.
    """
    status = path.stat()
    return repr((str(path.resolve()), status.st_size, status.st_mtime_ns, *more)).encode()
