"""The matrix of an AnnData file (``.h5ad``), read in blocks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from scipy import sparse

from minsyn.data.damage import DamagedFileError, damage_named
from minsyn.data.files import file_identity
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
    if columns is None:
        return _H5adSamples(path, names, None)
    places = {name: i for i, name in enumerate(names)}
    for column in columns:
        if column not in places:
            raise ValueError(f"{path} has no variable {column!r}")
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if list(columns).count(column) > 1)
        raise ValueError(f"columns names {twice!r} twice")
    if tuple(columns) == names:
        return _H5adSamples(path, names, None)
    return _H5adSamples(path, tuple(columns), [places[column] for column in columns])


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
            frame = file[of]
            # A group of columns; in files of before 2019, an array of records.
            key = frame.attrs.get("_index", "_index") if hasattr(frame, "keys") else "index"
            names_of = frame[key]
            # Texts that may be missing lie beside a mask.
            stored = (names_of["values"] if hasattr(names_of, "keys") else names_of)[:]
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(
                f"{path} is no AnnData file: it has no names in {of!r}"
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
    """

    def __init__(self, path: Path, names: tuple[str, ...], places: list[int] | None) -> None:
        self._path, self._places = path, places
        self._csr: Any = None
        with damage_named(str(path), "an AnnData file"), _opened(path) as file:
            X = file.get("X")
            if X is None:
                raise DamagedFileError(f"{path} has no X, the matrix of an AnnData")
            self._sparse = hasattr(X, "keys")
            shape = (
                X.shape if not self._sparse else X.attrs.get("shape", X.attrs.get("h5sparse_shape"))
            )
            kind = X.dtype if not self._sparse else X["data"].dtype
            if self._sparse:
                encoding = X.attrs.get("encoding-type", X.attrs.get("h5sparse_format", "csr"))
                if "csc" in str(encoding):
                    parts = [X[name][:] for name in ("data", "indices", "indptr")]
                    self._csr = sparse.csc_array(tuple(parts), shape=tuple(shape)).tocsr()
            if shape is None or len(shape) != 2:
                raise DamagedFileError(f"{path}: X has shape {shape}, not two dimensions")
        self._n_stored = int(shape[1])
        if places is None and len(names) != self._n_stored:
            raise ValueError(
                f"{path}: X has {self._n_stored} columns, but there are {len(names)} variables"
            )
        super().__init__(str(path), (int(shape[0]), len(names)), kind, names)

    def _fill(self, start: int, stop: int, out: Shaped[np.ndarray, "rows features"]) -> None:
        with damage_named(str(self._path), "an AnnData file"):
            if self._csr is not None:
                rows = self._csr[start:stop]
            else:
                with _opened(self._path) as file:
                    rows = self._read(file["X"], start, stop)
            if self._places is not None:
                rows = rows[:, self._places]
            if self._sparse:
                rows.toarray(out=out)
            else:
                out[:] = rows

    def _read(self, X: Any, start: int, stop: int) -> Any:
        if not self._sparse:
            return X[start:stop]
        ends = X["indptr"][start : stop + 1]
        parts = (X["data"][ends[0] : ends[-1]], X["indices"][ends[0] : ends[-1]], ends - ends[0])
        return sparse.csr_array(parts, shape=(stop - start, self._n_stored))

    def _identity(self) -> bytes:
        return file_identity(self._path, self.feature_names)


def _opened(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{path}: .h5ad files need pip install 'minsyn[anndata]'") from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DamagedFileError(f"{path} is no HDF5 file, or is damaged: {error}") from error
