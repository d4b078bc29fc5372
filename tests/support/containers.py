"""Forms of an array: other containers and layouts of the same numbers, and other numbers."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from minsyn.data import as_samples


def as_float16(X):
    with np.errstate(over="ignore"):
        return X.astype(np.float16)


def as_float32(X):
    with np.errstate(over="ignore"):
        return X.astype(np.float32)


def end_of_float32(X):
    """Near its largest number, and beyond what is computed with."""
    largest = max(np.abs(X).max(), 1e-300)
    return (X / largest * (9e37 if X.shape[1] % 2 else 3e38)).astype(np.float32)


def polars(X):
    import polars as pl

    return pl.DataFrame({f"c{j}": X[:, j] for j in range(X.shape[1])})


def arrow(X):
    import pyarrow as pa

    return pa.table({f"c{j}": X[:, j] for j in range(X.shape[1])})


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def strided(X):
    wide = np.full((2 * len(X), 2 * X.shape[1]), np.nan)
    wide[::2, ::2] = X
    return wide[::2, ::2]


def names(X):
    return [f"c{j}" for j in range(X.shape[1])]


#: Forms of the same numbers.
SAME = {
    "Fortran": np.asfortranarray,
    "read-only": read_only,
    "strided": strided,
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "big endian": lambda X: X.astype(">f8"),
    "list": lambda X: X.tolist(),
    "longdouble": lambda X: X.astype(np.longdouble),
    "object": lambda X: X.astype(object),
    "frame": lambda X: pd.DataFrame(X, columns=names(X)),
    "frame of ints": lambda X: pd.DataFrame(X),
    "nullable": lambda X: pd.DataFrame(X, columns=names(X)).astype("Float64"),
    "arrow dtype": lambda X: pd.DataFrame(X, columns=names(X)).astype("float64[pyarrow]"),
    "object frame": lambda X: pd.DataFrame(X, columns=names(X)).astype(object),
    "polars": polars,
    "arrow": arrow,
    "masked": lambda X: np.ma.masked_array(X, np.zeros(X.shape, bool)),
    "tensor": lambda X: torch.from_numpy(X.copy()),
    "subclass": lambda X: X.view(type("Subclass", (np.ndarray,), {})),
}
STREAMS = {
    "stream": as_samples,
    **{
        f"{kind}_{form}": partial(
            lambda X, kind, form: getattr(sparse, f"{kind}_{form}")(X), kind=kind, form=form
        )
        for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
        for form in ("array", "matrix")
    },
    "dataset": lambda X: torch.utils.data.TensorDataset(torch.from_numpy(X.copy())),
}
#: Other types, which hold other numbers.
OTHER = {
    "float16": as_float16,
    "float32": as_float32,
    "end of float32": end_of_float32,
    "int8": lambda X: np.clip(np.round(X), -100, 100).astype(np.int8),
    "int64": lambda X: np.clip(np.nan_to_num(np.round(X)), -1e15, 1e15).astype(np.int64),
    "uint64": lambda X: np.clip(np.round(X), 0, 1e15).astype(np.uint64),
    "bool": lambda X: np.median(X) < X,
    "Int64": lambda X: pd.DataFrame(
        np.clip(np.nan_to_num(np.round(X)), -1e15, 1e15).astype(np.int64), columns=names(X)
    ).astype("Int64"),
    "boolean": lambda X: pd.DataFrame(np.median(X) < X, columns=names(X)).astype("boolean"),
    "complex": lambda X: X.astype(complex),
    "text": lambda X: X.astype(str),
    "bfloat16": lambda X: torch.from_numpy(X.copy()).bfloat16(),
    "half": lambda X: torch.from_numpy(X.copy()).half(),
    "bool tensor": lambda X: torch.from_numpy(np.median(X) < X),
    "3d": lambda X: X[:, :, None],
    "1d": lambda X: X[:, 0],
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "scalar": lambda X: 3.0,
    "none": lambda X: None,
    "dates": lambda X: np.zeros(X.shape, "datetime64[s]"),
    "words": lambda X: [["one"] * X.shape[1]] * len(X),
    "huge ints": lambda X: [[10**400] * X.shape[1]] * len(X),
    "NA": lambda X: np.where(np.arange(X.size).reshape(X.shape) == 1, pd.NA, X.astype(object)),
    "void": lambda X: np.zeros(X.shape, "V8"),
    "set": lambda X: {1, 2},
    "generator": lambda X: (row for row in X),
    "deep": lambda X: [[[1.0], 2.0]],
    "dict": lambda X: {"a": X[:, 0]},
    "ragged": lambda X: [[1.0], [2.0, 3.0]],
}
for package, form in {"polars": "polars", "pyarrow": "arrow"}.items():
    if find_spec(package) is None:
        del SAME[form]
FORMS = {**SAME, **STREAMS, **OTHER, "array": lambda X: X}
