"""Letters and samples from files that are not what they seem: an error of our own, in one line."""

import os
import pickle
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attempts import attempt
from fuzzing import fuzz
from minsyn import MinSyn
from minsyn.data import as_samples
from minsyn.datasets import Letters, load_letters
from minsyn.estimators import ModelFormatError

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def npy(array, **options):
    file = BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def claiming(shape, kind="|u1", fortran=False):
    file = BytesIO()
    header = {"descr": kind, "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(60)


class Attack:
    def __reduce__(self):
        return (os.mkdir, ("attacked",))


#: What may stand where an array should.
PARTS = [
    npy(IMAGES),
    npy(np.array(list("abc"))),
    npy(np.array([1, 2, 3])),
    npy(np.array([0, 200, 3], np.uint8)),
    npy(IMAGES / 255),
    npy(np.array(["a", None, Attack()], dtype=object), allow_pickle=True),
    pickle.dumps(Attack()),
    npy(np.zeros(3, "V8")),
    npy(np.zeros(3, [("a", "f8")])),
    npy(np.zeros(3, "M8[s]")),
    npy(np.zeros((0, 4, 5), np.uint8)),
    npy(np.array("a")),
    npy(np.array([b"\xff"] * 3)),
    npy(np.array(["ab", "", "c"])),
    claiming((10**12, 28, 28)),
    claiming((-1, 4, 5)),
    claiming((2**40, 0, 5)),
    claiming((3, 4, 5), "<U9999999"),
    claiming((3,), "|O"),
    claiming((3, 4, 5), fortran=True),
    b"",
    b"\x93NUMPY\x09\x00",
    b"PK\x03\x04",
]
NAMES = [
    "images.npy",
    "labels.npy",
    "styles.npy",
    "../images.npy",
    "/images.npy",
    "labels",
    "x.npy",
]


@st.composite
def archives(draw):
    """An .npz file of parts that fit or do not, and perhaps damaged."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4))
    file = BytesIO()
    kind = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name in draw(st.sampled_from([names, ["images.npy", "labels.npy"], ["x.npy"]])):
            archive.writestr(name, draw(st.sampled_from(PARTS)))
    content = bytearray(file.getvalue())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def read(path):
    return np.concatenate([block.copy() for block in as_samples(path).blocks(missing=True)])


@fuzz(8)
@given(content=archives(), parts=st.tuples(*[st.sampled_from(PARTS)] * 2))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_and_arrays(tmp_path_factory, content, parts):
    folder = tmp_path_factory.getbasetemp() / "letters"
    folder.mkdir(exist_ok=True)
    here = Path.cwd()
    os.chdir(folder)
    try:
        (folder / "x.npz").write_bytes(content)
        for name, part in zip(("images", "labels"), parts, strict=True):
            (folder / f"{name}.npy").write_bytes(part)
        for source in (folder / "x.npz", folder):
            found = attempt(load_letters, source)
            assert isinstance(found, Letters) or str(found).startswith(str(source)), found
        for source in (folder / "x.npz", folder / "images.npy"):
            found = attempt(read, source)
            assert isinstance(found, np.ndarray) or str(source) in str(found), found
        assert not (folder / "attacked").exists()
        assert not (folder.parent / "images.npy").exists()
    finally:
        os.chdir(here)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "images.npy")
    with pytest.raises(ValueError, match=r"images\.npy is not a regular file"):
        load_letters(tmp_path)
    (tmp_path / "images.npy").rename(tmp_path / "x.npz")
    with pytest.raises(ValueError, match="not a regular file"):
        load_letters(tmp_path / "x.npz")
    with pytest.raises((ValueError, FileNotFoundError)):
        as_samples(tmp_path / "x.npz")
    (tmp_path / "a").mkdir()
    (tmp_path / "x.npz").rename(tmp_path / "a" / "2.png")
    Image.fromarray(IMAGES[0]).save(tmp_path / "a" / "1.png")
    assert len(load_letters(tmp_path).images) == 1
    MinSyn(1).fit(np.eye(3)).save(tmp_path / "model")
    (arrays,) = (tmp_path / "model").glob("arrays*")
    arrays.unlink()
    (tmp_path / "a" / "2.png").rename(arrays)
    with pytest.raises(ModelFormatError, match="is not a regular file"):
        MinSyn.load(tmp_path / "model")


def test_a_record_of_any_size_is_not_read(tmp_path):
    with (tmp_path / "model.json").open("wb") as file:
        file.truncate(2**31)  # takes no space
    with pytest.raises(ModelFormatError, match="2,147,483,648 bytes, and at most 134,217,728"):
        MinSyn.load(tmp_path)
