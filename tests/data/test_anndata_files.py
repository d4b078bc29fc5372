"""AnnData files, written as its specification says."""

import numpy as np
import pytest
from scipy import sparse

from forms import collect, seeded
from minsyn.data import as_samples, stream_of_features

h5py = pytest.importorskip("h5py")


def write(path, X, names=tuple("abcde"), nullable=False):
    with h5py.File(path, "w") as file:
        if sparse.issparse(X):
            group = file.create_group("X")
            group.attrs["encoding-type"] = f"{X.format}_matrix"
            group.attrs["shape"] = X.shape
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(X, part)
        else:
            file["X"] = X
        for frame, index in (("var", names), ("obs", [f"c{i}" for i in range(X.shape[0])])):
            group = file.create_group(frame)
            group.attrs["_index"] = "_index"
            place = group.create_group("_index") if nullable else group
            place["values" if nullable else "_index"] = np.array(index, dtype=h5py.string_dtype())
    return path


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_the_matrix_in_blocks(x, tmp_path, small_blocks, kind):
    path = write(tmp_path / "x.h5ad", kind(x), nullable=kind is np.asarray)
    samples = as_samples(path)
    assert samples.feature_names == tuple("abcde")
    np.testing.assert_array_equal(np.concatenate(collect(samples, 10)), x)
    mixed = np.concatenate(collect(samples, 10, seeded()))
    np.testing.assert_array_equal(mixed, x[mixed[:, 0].astype(int)])
    chosen = stream_of_features(path, ["d", "a"], 2)
    np.testing.assert_array_equal(np.concatenate(collect(chosen, 10)), x[:, [3, 0]])
    assert chosen.fingerprint() != samples.fingerprint()


def test_what_is_no_anndata(x, tmp_path):
    path = tmp_path / "x.h5ad"
    write(path, x, ["a", "b", "a", "c", "d"])
    with pytest.raises(
        ValueError, match=r"two variables are named 'a'; call adata\.var_names_make"
    ):
        as_samples(path)
    write(path, x, ["a", "b"])
    with pytest.raises(ValueError, match="X has 5 columns, but there are 2 variables"):
        as_samples(path)
    with pytest.raises(ValueError, match="has no variable 'q'"):
        as_samples(path, ["q"])
    with h5py.File(path, "w") as file:
        file["Y"] = x
    with pytest.raises(ValueError, match="is not an AnnData file: it has no names in 'var'"):
        as_samples(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="is not an HDF5 file, or is damaged"):
        as_samples(path)
