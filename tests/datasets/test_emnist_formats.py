import numpy as np
import pytest

from minsyn.datasets.emnist_formats import parse_idx, read_parquet, read_zip


@pytest.fixture
def splits(rng):
    """Upright images of unequal sides, so that a forgotten transposition shows, and labels."""
    return {
        "train_images": rng.integers(0, 256, (6, 4, 3), dtype=np.uint8),
        "train_labels": np.array([0, 25, 3, 7, 7, 1], np.uint8),
        "test_images": rng.integers(0, 256, (2, 4, 3), dtype=np.uint8),
        "test_labels": np.array([25, 0], np.uint8),
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array)
        assert found[key].dtype == np.uint8


def test_zip_is_set_upright_and_counted_from_zero(tmp_path, splits, zip_content):
    (tmp_path / "gzip.zip").write_bytes(zip_content(splits))
    assert_same(read_zip([tmp_path / "gzip.zip"]), splits)


def test_parquet_is_set_upright(tmp_path, splits, parquet_content):
    paths = [tmp_path / "train.parquet", tmp_path / "test.parquet"]
    for split, path in zip(("train", "test"), paths, strict=True):
        content = parquet_content(splits[f"{split}_images"], splits[f"{split}_labels"])
        path.write_bytes(content)
    assert_same(read_parquet(paths), splits)


def test_labels_out_of_range_are_refused(tmp_path, splits, zip_content):
    splits["train_labels"] = splits["train_labels"] + 1
    (tmp_path / "gzip.zip").write_bytes(zip_content(splits))
    with pytest.raises(ValueError, match="expected 0 to 25 for a to z, found 1 to 26"):
        read_zip([tmp_path / "gzip.zip"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: b"", "found b''"),
        (lambda content: b"\x00\x00\x0d" + content[3:], "bytes 0, 0, 8 first"),
        (lambda content: content[:7], "the header is incomplete"),
        (lambda content: content[:-1], r"\(2, 3\) values expected, 5 bytes found"),
        (lambda content: content + b"x", "7 bytes found"),
    ],
)
def test_broken_idx(idx, change, message):
    with pytest.raises(ValueError, match=message):
        parse_idx(change(idx(np.ones((2, 3)))))
