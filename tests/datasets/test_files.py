import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from minsyn.datasets import load_letters

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_npz_of_strings_and_styles(tmp_path):
    file = save(tmp_path / "own.npz", images=IMAGES, labels=list("αba"), styles=[1, 1, 2])
    letters = load_letters(file)
    np.testing.assert_array_equal(letters.images, IMAGES)
    assert letters.labels.tolist() == ["α", "b", "a"]
    assert letters.styles.tolist() == [1, 1, 2]
    assert letters.name == "own"
    assert load_letters(str(file)).alphabet == letters.alphabet


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 25], "abz"),
        ([1, 2, 26], "abz"),
        (np.array([b"x", b"y", b"z"]), "xyz"),
        (np.array(["0", "1", "2"]), "012"),
    ],
)
def test_labels_of_several_kinds(tmp_path, labels, expected):
    letters = load_letters(save(tmp_path / "a.npz", images=IMAGES, labels=labels))
    assert "".join(letters.labels) == expected


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES}, "labels must be added"),
        ({"labels": ["a"]}, "images must be added"),
        ({"images": IMAGES / 60, "labels": list("abc")}, "expected dtype uint8.*found float64"),
        ({"images": IMAGES * np.nan, "labels": list("abc")}, "NaN or infinite"),
        ({"images": IMAGES, "labels": list("ab")}, "3 images need labels"),
        ({"images": IMAGES, "labels": ["a", "b", "cd"]}, "exactly one character"),
        ({"images": IMAGES, "labels": [0, 1, 26]}, "0 to 25 or from 1 to 26.*found 0 to 26"),
        ({"images": IMAGES, "labels": [-1, 1, 2]}, "found -1 to 2"),
        ({"images": IMAGES, "labels": np.array([b"\xff", b"a", b"b"])}, "decode"),
        ({"images": IMAGES, "labels": "a"}, "3 images need labels"),
        ({"images": IMAGES, "labels": [0.0, 1.0, 2.0]}, "array of strings"),
        ({"images": IMAGES[0], "labels": list("abcd")}, r"shape \(n, h, w\)"),
        ({"images": IMAGES, "labels": np.array(["a", "b", None])}, "not readable NumPy arrays"),
    ],
)
def test_bad_npz_is_named_with_the_cure(tmp_path, arrays, message):
    file = save(tmp_path / "bad.npz", **arrays)
    with pytest.raises((TypeError, ValueError), match=message) as error:
        load_letters(file)
    assert str(error.value).startswith(str(file))


def test_a_file_that_is_no_npz(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    whole = save(tmp_path / "whole.npz", images=IMAGES, labels=list("abc")).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "single.npy", IMAGES)
    (tmp_path / "empty.npz").touch()
    for name in ("text.npz", "cut.npz", "single.npy", "empty.npz"):
        with pytest.raises(ValueError, match="not readable NumPy arrays"):
            load_letters(tmp_path / name)


def test_unknown_source_lists_the_known_ones():
    with pytest.raises(FileNotFoundError, match="'typewriter', 'emnist', or the path"):
        load_letters("typewritter")


def test_folder_of_arrays(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    with pytest.raises(ValueError, match="labels must be added"):
        load_letters(tmp_path)
    np.save(tmp_path / "labels.npy", np.array(list("xyx")))
    assert load_letters(tmp_path).alphabet == ("x", "y")
    (tmp_path / "labels.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="not readable NumPy arrays"):
        load_letters(tmp_path)


def test_folder_of_images(tmp_path):
    for letter, mode, suffix in (("a", "L", "png"), ("b", "RGB", "bmp"), ("é", "RGBA", "png")):
        (tmp_path / letter).mkdir()
        for index, image in enumerate(IMAGES):
            picture = Image.fromarray(image).convert(mode)
            picture.save(tmp_path / letter / f"{index}.{suffix}")
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    (tmp_path / "README.md").write_text("not a letter")
    letters = load_letters(tmp_path)
    np.testing.assert_array_equal(letters.images, np.tile(IMAGES, (3, 1, 1)))
    assert "".join(letters.labels) == "aaabbbééé"
    assert letters.styles is None


def test_bad_folders(tmp_path):
    with pytest.raises(ValueError, match="a folder for each letter"):
        load_letters(tmp_path)
    (tmp_path / "a").mkdir()
    Image.fromarray(IMAGES[0]).save(tmp_path / "a" / "1.png")
    Image.fromarray(IMAGES[0].T).save(tmp_path / "a" / "2.png")
    with pytest.raises(ValueError, match=r"1\.png is \(4, 5\) and a/2\.png is \(5, 4\)"):
        load_letters(tmp_path)
    (tmp_path / "a" / "2.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(ValueError, match=r"a/2\.png cannot be read"):
        load_letters(tmp_path)
    Image.fromarray(IMAGES[0].astype(np.uint16) * 200).save(tmp_path / "a" / "2.png")
    with pytest.raises(ValueError, match="8 bits"):
        load_letters(tmp_path)
    Image.new("L", (3000, 3000)).save(tmp_path / "a" / "2.png")  # a small file, but 9 MB
    with pytest.raises(ValueError, match=r"3000 x 3000 pixels, and at most 4,194,304"):
        load_letters(tmp_path)
    (tmp_path / "a" / "2.png").write_bytes(_claiming_many_pixels(tmp_path / "a" / "1.png"))
    with pytest.raises(ValueError, match=r"a/2\.png cannot be read"):
        load_letters(tmp_path)
    (tmp_path / "a" / "2.png").unlink()
    (tmp_path / "a").rename(tmp_path / "alpha")
    with pytest.raises(ValueError, match="exactly one character, but label 0 is 'alpha'"):
        load_letters(tmp_path)


def _claiming_many_pixels(png):
    """The size stands in the header, with a checksum of its own."""
    content = png.read_bytes()
    header = b"IHDR" + struct.pack(">II", 10**9, 10**9) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def test_arrays_that_claim_too_much(tmp_path, monkeypatch):
    np.savez_compressed(
        tmp_path / "x.npz", images=np.zeros((2, 99, 99), np.uint8), labels=["a"] * 2
    )
    monkeypatch.setattr("minsyn.datasets.files._MOST_BYTES", 10_000)
    with pytest.raises(ValueError, match="at most 10,000 are read"):
        load_letters(tmp_path / "x.npz")


def test_real_handwriting(real_data):
    letters = load_letters(real_data("emnist_letters.npz"))
    assert letters.images.shape == (1040, 28, 28)
    assert "".join(letters.alphabet) == "abcdefghijklmnopqrstuvwxyz"
