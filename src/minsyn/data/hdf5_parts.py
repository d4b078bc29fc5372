"""Parts of an HDF5 file that lie in the file itself, and are no larger than it can be meant."""

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from minsyn.data.damage import DamagedFileError

__all__ = ["check_chunks", "dataset_of", "member_of", "whole"]

#: Bytes of one chunk, which is unpacked whole for any number in it.
_MOST_CHUNK = 2**28
#: Bytes that are read whole whatever they take in the file, and times what they take beyond.
_SMALL_BYTES, _MOST_RATIO = 2**24, 100
#: Bytes by which a packed chunk may exceed an unpacked one; that zlib unpacks at once; and how many
#: times the size of what is packed it can give.
_SLACK, _PIECE, _MOST_DEFLATED = 1024, 2**20, 1032
#: Texts that are read at once, each of which may be as long as the file.
_FEW_TEXTS = 64


def member_of(path: Path, group: Any, name: Any) -> Any:
    """A member of a group, which lies in the same file.

    Links to other files would read what the file's sender must not see; links of the file to
    itself may go in circles. AnnData writes neither.

    Parameters
    ----------
    path : Path
        The file, for messages.
    group : h5py.Group
        The group.
    name : str
        Name of the member.

    Raises
    ------
    KeyError
        If there is none.
    DamagedFileError
        If it is a link, or its data lie in another file.
    """
    import h5py

    if not isinstance(name, str) or "/" in name or name == ".":
        raise DamagedFileError(f"{path} has the name {name!r:.80} for a part of {group.name}")
    link = group.get(name, getlink=True)
    if link is None:
        raise KeyError(name)
    if not isinstance(link, h5py.HardLink):
        raise DamagedFileError(
            f"{path}: {name} is a link ({type(link).__name__}), which is not followed: copy into "
            "the file what it points to"
        )
    found = group[name]
    if isinstance(found, h5py.Dataset):
        if found.external or found.is_virtual:
            raise DamagedFileError(
                f"{path}: the data of {name} lie in other files, which are not read: copy them "
                "into it"
            )
        n_bytes = math.prod(found.chunks or (0,)) * found.dtype.itemsize
        if n_bytes > _MOST_CHUNK:
            raise DamagedFileError(
                f"{path}: the chunks of {name} have {n_bytes:,} bytes, and at most {_MOST_CHUNK:,} "
                "are read: write it in smaller chunks"
            )
    return found


def dataset_of(path: Path, group: Any, name: str, n_axes: int) -> Any:
    """A dataset of a group, as `member_of`, of so many axes.

    Raises
    ------
    KeyError
        If there is none.
    DamagedFileError
        Also if it is no such dataset, or holds no data where it should.
    """
    found = member_of(path, group, name)
    shape = getattr(found, "shape", None)
    if shape is None or len(shape) != n_axes:
        raise DamagedFileError(f"{path}: {name} has shape {shape}, not {n_axes} dimensions")
    if found.size and not found.id.get_storage_size():
        raise DamagedFileError(f"{path}: {name} holds no data for its shape {shape}")
    return found


def check_chunks(path: Path, dataset: Any) -> None:
    """Raise an error for a dataset whose chunks unpack to more than they should hold.

    HDF5 unpacks a chunk to its end, whatever its length is said to be.

    Parameters
    ----------
    path : Path
        The file, for messages.
    dataset : h5py.Dataset
        The dataset.

    Raises
    ------
    DamagedFileError
        If there is such a chunk, or chunks are packed more than once.
    """
    import h5py

    create = dataset.id.get_create_plist()
    filters = [create.get_filter(i)[0] for i in range(create.get_nfilters())]
    if dataset.chunks is None or not filters:
        return
    wrong = DamagedFileError(f"{path}: chunks of {dataset.name} unpack to more than their size")
    checksum, shuffle = h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SHUFFLE
    packing = [code for code in filters if code not in (checksum, shuffle)]
    deflated = h5py.h5z.FILTER_DEFLATE in packing
    if len(packing) > 1 or (packing and shuffle in filters[filters.index(packing[0]) :]):
        raise wrong
    n_bytes = math.prod(dataset.chunks) * dataset.dtype.itemsize
    large = []

    def look(chunk: Any) -> None:
        if chunk.size > n_bytes + n_bytes // 8 + _SLACK:
            raise wrong
        if deflated and chunk.size * _MOST_DEFLATED > _MOST_CHUNK:
            large.append(chunk)

    if hasattr(dataset.id, "chunk_iter"):
        dataset.id.chunk_iter(look)
    else:
        for number in range(dataset.id.get_num_chunks()):
            look(dataset.id.get_chunk_info(number))
    for chunk in large:
        stored = dataset.id.read_direct_chunk(chunk.chunk_offset)[1]
        unpacking, n_found = zlib.decompressobj(), 0
        while stored and not unpacking.eof:
            n_found += len(unpacking.decompress(stored, _PIECE))
            stored = unpacking.unconsumed_tail
            if n_found > n_bytes + _SLACK:
                raise wrong


def whole(path: Path, group: Any, name: str) -> Any:
    """All values of a dataset of one axis, where that is not far more than it takes in the file.

    Raises
    ------
    KeyError
        If there is none.
    DamagedFileError
        Also if it unpacks to more than a hundred times its size.
    """
    found = dataset_of(path, group, name, 1)
    check_chunks(path, found)
    n_bytes = found.size * found.dtype.itemsize
    _check_size(path, name, n_bytes, found.id.get_storage_size())
    if found.dtype.kind != "O":
        return found[:]
    # Many texts may lie in one place of the file.
    parts, in_file = [found[:0]], path.stat().st_size
    for start in range(0, found.size, _FEW_TEXTS):
        parts.append(found[start : start + _FEW_TEXTS])
        n_bytes += sum(map(len, parts[-1]))
        _check_size(path, name, n_bytes, in_file)
    return np.concatenate(parts)


def _check_size(path: Path, name: str, n_bytes: int, in_file: int) -> None:
    most = max(_SMALL_BYTES, _MOST_RATIO * in_file)
    if n_bytes > most:
        raise DamagedFileError(
            f"{path}: {name} unpacks to {n_bytes:,} bytes, and at most {most:,} are read (a "
            "hundred times its size)"
        )
