"""The matrix of an AnnData file (``.h5ad``), read in blocks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from scipy import sparse

from minsyn.data import stream
from minsyn.data.damage import DamagedFileError, damage_named
from minsyn.data.files import file_identity
from minsyn.data.hdf5_parts import check_chunks, dataset_of, member_of, whole
from minsyn.data.row_stream import RowStream

__all__ = ["h5ad_names", "h5ad_samples"]


def h5ad_samples(path: Path, columns: Sequence[str] | None = None) -> RowStream:
    """``X`` of an AnnData file, whose variables are the features.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str, optional
        Variables that are features, in this order; by default all.

    Returns
    -------
    SampleStream
        Reads rows of a dense or CSR matrix from the file. A CSC matrix is read whole, and kept in
        memory as CSR.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If it is no such file, two variables have one name, or a variable is missing.
    """
    names = h5ad_names(path)
    n_variables = len(names)
    if columns is None:
        return _H5adSamples(path, names, None, n_variables)
    places = {name: i for i, name in enumerate(names)}
    for column in columns:
        if column not in places:
            raise ValueError(f"{path} has no variable {column!r}")
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if list(columns).count(column) > 1)
        raise ValueError(f"columns names {twice!r} twice")
    if tuple(columns) == names:
        return _H5adSamples(path, names, None, n_variables)
    chosen = [places[column] for column in columns]
    return _H5adSamples(path, tuple(columns), chosen, n_variables)


def h5ad_names(path: Path, of: str = "var") -> tuple[str, ...]:
    """Names of the variables of an AnnData file, or of its observations.

    Parameters
    ----------
    path : Path
        The file.
    of : "var" or "obs"
        Which names.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If it is no such file, or two variables have one name.
    """
    with damage_named(str(path), "an AnnData file"), _opened(path) as file:
        try:
            frame = member_of(path, file, of)
            if hasattr(frame, "keys"):
                key = frame.attrs.get("_index", "_index")
                # Texts that may be missing lie beside a mask.
                masked = hasattr(member_of(path, frame, key), "keys")
                stored = whole(path, frame[key], "values") if masked else whole(path, frame, key)
            else:  # in files of before 2019, an array of records
                stored = whole(path, file, of)["index"]
        except DamagedFileError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(
                f"{path} is not an AnnData file: it has no names in {of!r}"
            ) from error
    names = tuple(n.decode() if isinstance(n, bytes) else str(n) for n in stored)
    if of == "var" and len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(
            f"{path}: two variables are named {twice!r}; call adata.var_names_make_unique() and "
            "save it again"
        )
    return names


class _H5adSamples(RowStream):
    """Rows of ``X``, dense or sparse.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str
        Features.
    places : list of int or None
        Their columns; None is all.
    n_variables : int
        Number of all columns.
    """

    def __init__(
        self, path: Path, names: tuple[str, ...], places: list[int] | None, n_variables: int
    ) -> None:
        self._path, self._places = path, places
        self._csr: Any = None
        with damage_named(str(path), "an AnnData file"), _opened(path) as file:
            try:
                X = member_of(path, file, "X")
            except KeyError:
                raise DamagedFileError(f"{path} has no X, the matrix of an AnnData") from None
            self._sparse = hasattr(X, "keys")
            if self._sparse:
                shape = _stated_shape(path, X)
                kind = dataset_of(path, X, "data", 1).dtype
                for name in ("data", "indices", "indptr"):
                    check_chunks(path, dataset_of(path, X, name, 1))
                encoding = X.attrs.get("encoding-type", X.attrs.get("h5sparse_format", "csr"))
                if "csc" in str(encoding):
                    parts = [whole(path, X, name) for name in ("data", "indices", "indptr")]
                    matrix = sparse.csc_array(tuple(parts), shape=shape)
                    matrix.check_format(full_check=True)  # or it would write out of bounds
                    self._csr = matrix.tocsr()
                elif dataset_of(path, X, "indptr", 1).shape != (shape[0] + 1,):
                    raise DamagedFileError(f"{path}: indptr of X is not of {shape[0]} rows")
            else:
                found = dataset_of(path, file, "X", 2)
                check_chunks(path, found)
                shape, kind = found.shape, found.dtype
        self._n_stored = int(shape[1])
        if n_variables != self._n_stored:
            raise ValueError(
                f"{path}: X has {self._n_stored} columns, but there are {n_variables} variables"
            )
        super().__init__(str(path), (int(shape[0]), len(names)), kind, names)

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        if self._csr is not None:
            self._put(self._csr[start:stop], out)
            return
        # All columns are read of the rows, also where few are features.
        n_rows = max(1, stream.BLOCK_BYTES // (self._n_stored * self.dtype.itemsize))
        with damage_named(str(self._path), "an AnnData file"), _opened(self._path) as file:
            X = member_of(self._path, file, "X")
            for first in range(start, stop, n_rows):
                last = min(first + n_rows, stop)
                rows = self._rows(X, first, last) if self._sparse else X[first:last]
                self._put(rows, out[first - start : last - start])

    def _put(self, rows: Any, out: Shaped[np.ndarray, "rows features"]) -> None:
        if self._places is not None:
            rows = rows[:, self._places]
        if self._sparse:
            rows.toarray(out=out)
        else:
            out[:] = rows

    def _rows(self, X: Any, start: int, stop: int) -> Any:
        data, indices, indptr = (
            dataset_of(self._path, X, name, 1) for name in ("data", "indices", "indptr")
        )
        ends = indptr[start : stop + 1]
        first, last = int(ends[0]), int(ends[-1])
        if not 0 <= first <= last <= min(len(data), first + (stop - start) * self._n_stored):
            raise DamagedFileError(
                f"{self._path}: rows {start} to {stop - 1} of X lie at {first} to {last} of "
                f"{len(data)} values"
            )
        parts = (data[first:last], indices[first:last], ends - first)
        rows = sparse.csr_array(parts, shape=(stop - start, self._n_stored))
        rows.check_format(full_check=True)  # or it would write out of bounds
        return rows

    def _identity(self) -> bytes:
        return file_identity(self._path, self.feature_names)


def _stated_shape(path: Path, X: Any) -> tuple[int, int]:
    """Numbers of rows and columns of a sparse matrix."""
    stated = X.attrs.get("shape", X.attrs.get("h5sparse_shape"))
    shape = np.asarray(stated)
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise DamagedFileError(f"{path}: X has shape {stated!r:.80}, not two dimensions")
    return int(shape[0]), int(shape[1])


def _opened(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{path}: .h5ad files need pip install 'minsyn[anndata]'") from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DamagedFileError(f"{path} is not an HDF5 file, or is damaged: {error}") from error
