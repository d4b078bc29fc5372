"""Arrays in files, of which any range of rows can be read."""

import numpy as np
import pytest

from forms import K, collect, npy, npz, seeded
from minsyn.data import as_samples


def test_a_sorted_file_is_mixed_from_all_over(tmp_path, small_blocks):
    x = np.repeat(np.arange(4000.0, dtype=np.float32)[:, None], K, axis=1)
    (batch, *_) = collect(as_samples(npy(x, tmp_path)), 16, seeded())
    assert np.ptp(batch[:, 0]) > 1000  # of 16 neighbours it would be 15


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros(3), ValueError, r"must have shape \(n_samples, n_features\); found \(3,\)"),
        (np.zeros((2, 3, 4)), ValueError, "must have shape"),
        (np.zeros((0, 3)), ValueError, "is empty"),
        (np.zeros((3, 0)), ValueError, "is empty"),
        (np.zeros((3, 2), complex), TypeError, "real numbers; found complex128"),
        (np.zeros((3, 2), "datetime64[s]"), TypeError, "real numbers; found datetime64"),
        (np.zeros((3, 2), "U3"), TypeError, "real numbers; found <U3"),
        (np.zeros((3, 2), [("a", "f4")]), TypeError, "real numbers; found"),
    ],
)
def test_arrays_that_are_no_samples(tmp_path, array, error, message):
    for data in (array, npy(array, tmp_path), npz(array, tmp_path)):
        with pytest.raises(error, match=message):
            as_samples(data)


def test_a_small_file_in_fortran_order_is_read_whole(x, tmp_path):
    samples = as_samples(npy(np.asfortranarray(x), tmp_path))
    np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), x)


def test_damaged_and_unfit_npy_files(x, tmp_path, small_blocks):
    path = npy(x, tmp_path)
    whole = path.read_bytes()
    for content, message in [
        (whole[:-1], "is truncated: 103 x 5 numbers of float32 end at byte 2188, the file at 2187"),
        (whole[:70], "is not a .npy file of numbers, or is damaged"),
        (b"", "is not a .npy file"),
        (b"a,b\n1,2\n", "is not a .npy file"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            as_samples(path)
    np.save(path, np.asfortranarray(x))
    with pytest.raises(ValueError, match=r"Fortran order.*ascontiguousarray"):
        as_samples(path)
    np.save(path, np.array([[{}]]), allow_pickle=True)
    with pytest.raises(TypeError, match="found object"):
        as_samples(path)


def test_a_file_that_is_shortened_meanwhile(x, tmp_path, small_blocks):
    path = npy(x, tmp_path)
    samples = as_samples(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="was shortened while it was read"):
        collect(samples, 10)


def test_npz_files_that_will_not_do(x, tmp_path):
    np.savez(tmp_path / "two.npz", a=x, b=x)
    with pytest.raises(ValueError, match=r"holds 2 arrays \(a, b\)"):
        as_samples(tmp_path / "two.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"is not an \.npz file, or is damaged"):
        as_samples(tmp_path / "bad.npz")
