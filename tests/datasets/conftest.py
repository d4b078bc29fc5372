"""EMNIST in miniature, in the file formats that its mirrors serve."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image


def _idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def idx():
    """Content of an idx file with an array of bytes."""
    return _idx


@pytest.fixture
def zip_content():
    """Content of an archive like NIST's: gzipped idx files, transposed, labels from 1."""

    def content(splits):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for split in ("train", "test"):
                stem = f"gzip/emnist-letters-{split}"
                images = _idx(splits[f"{split}_images"].transpose(0, 2, 1))
                labels = _idx(splits[f"{split}_labels"] + 1)
                archive.writestr(f"{stem}-images-idx3-ubyte.gz", gzip.compress(images))
                archive.writestr(f"{stem}-labels-idx1-ubyte.gz", gzip.compress(labels))
            archive.writestr("gzip/emnist-digits-train-labels-idx1-ubyte.gz", b"of no interest")
        return file.getvalue()

    return content


@pytest.fixture
def parquet_content():
    """Content of a parquet file like the mirror's: PNG images, transposed, labels from 0."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    def content(images, labels):
        rows = []
        for image in images:
            png = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(image.T)).save(png, format="PNG")
            rows.append({"bytes": png.getvalue(), "path": None})
        file = io.BytesIO()
        parquet.write_table(pyarrow.table({"image": rows, "label": labels.tolist()}), file)
        return file.getvalue()

    return content
