"""Readers of EMNIST's file formats, with upright images and labels from 0 (a) to 25 (z)."""

import gzip
import io
import math
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

#: ``train_images``, ``train_labels``, ``test_images``, ``test_labels``, all uint8.
Arrays = dict[str, UInt8[np.ndarray, "..."]]


def read_parquet(paths: Sequence[Path]) -> Arrays:
    """Read the parquet mirror: a training file and a test file of PNG images.

    As in the idx files, the images are transposed. Labels are from 0 to 25, whereas the idx files
    have 1 to 26.

    Parameters
    ----------
    paths : sequence of Path
        The training file, then the test file.

    Returns
    -------
    dict of uint8 arrays
        Images of shape (n, 28, 28) and labels of shape (n,) for each split.

    Examples
    --------
    >>> read_parquet([train, test])["test_images"].shape  # doctest: +SKIP
    (20800, 28, 28)
    """
    import pyarrow.parquet

    arrays: Arrays = {}
    for split, path in zip(("train", "test"), paths, strict=True):
        table = pyarrow.parquet.read_table(path, columns=["image", "label"])
        images = [_png(row["bytes"]) for row in table["image"].to_pylist()]
        arrays[f"{split}_images"] = _upright(np.stack(images))
        arrays[f"{split}_labels"] = _checked(table["label"].to_numpy())
    return arrays


def read_zip(paths: Sequence[Path]) -> Arrays:
    """Read the letters from NIST's archive of gzipped idx files.

    Parameters
    ----------
    paths : sequence of Path
        The archive.

    Returns
    -------
    dict of uint8 arrays
        Images of shape (n, 28, 28) and labels of shape (n,) for each split.

    Examples
    --------
    >>> read_zip([archive])["test_images"].shape  # doctest: +SKIP
    (20800, 28, 28)
    """
    (path,) = paths
    arrays: Arrays = {}
    with zipfile.ZipFile(path) as archive:
        for split in ("train", "test"):
            stem = f"gzip/emnist-letters-{split}"
            images = parse_idx(gzip.decompress(archive.read(f"{stem}-images-idx3-ubyte.gz")))
            labels = parse_idx(gzip.decompress(archive.read(f"{stem}-labels-idx1-ubyte.gz")))
            arrays[f"{split}_images"] = _upright(images)
            arrays[f"{split}_labels"] = _checked(labels - 1)
    return arrays


def parse_idx(content: bytes) -> UInt8[np.ndarray, "..."]:
    """Parse an idx file of unsigned bytes, the format of MNIST.

    The header has four bytes: 0, 0, 8 (unsigned bytes) and the number of dimensions. The size of
    each dimension follows as a big-endian 32-bit integer, then the values in C order.

    Raises
    ------
    ValueError
        If the header is invalid, or does not match the number of values.

    Examples
    --------
    >>> from minsyn.datasets.emnist_formats import parse_idx
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7])).tolist()
    [5, 7]
    """
    if content[:3] != b"\x00\x00\x08" or len(content) < 4:
        raise ValueError(f"idx file: expected the bytes 0, 0, 8 first, found {content[:3]!r}")
    n_dimensions = content[3]
    start = 4 + 4 * n_dimensions
    if len(content) < start:
        raise ValueError("idx file: the header is incomplete")
    shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise ValueError(f"idx file: {shape} values expected, {len(content) - start} bytes found")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _upright(images: UInt8[np.ndarray, "n w h"]) -> UInt8[np.ndarray, "n h w"]:
    """Swap rows and columns, as NIST and all copies store the images by columns."""
    return np.ascontiguousarray(images.transpose(0, 2, 1))


def _png(content: bytes) -> UInt8[np.ndarray, "h w"]:
    with Image.open(io.BytesIO(content)) as image:
        return np.array(image.convert("L"))


def _checked(labels: np.ndarray) -> UInt8[np.ndarray, "n"]:
    if labels.size and not (labels.min() >= 0 and labels.max() <= 25):
        raise ValueError(
            f"EMNIST labels: expected 0 to 25 for a to z, found {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.uint8)
