"""Data in memory, of whatever library, as an array of numbers and the names of its columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from minsyn.information._arrays import is_tensor, of_tensor

__all__ = ["array_of_numbers", "is_anndata", "named_array", "plain_frame"]

_LEAVE_OUT = "or leave it out"


def named_array(X: Any) -> tuple[Any, tuple[str, ...] | None]:
    """Numbers and names of the columns of data in memory.

    The numbers are not copied if they lie together in memory, as in an array, a Tensor, or a pandas
    DataFrame whose columns have one type. Missing values (pandas' NA, the nulls of polars and
    Arrow, masked numbers) become NaN.

    Parameters
    ----------
    X : object
        One of:

        - an array, a masked array, a list, or a torch Tensor;
        - a DataFrame of pandas or polars, or an Arrow table (or another that narwhals knows);
        - an AnnData, whose ``X`` is taken, or an xarray DataArray of two dimensions, whose second
          coordinate names the columns;
        - anything else, such as a sparse matrix, which is returned as it is.

    Returns
    -------
    values : ndarray or object
        An array of numbers; a sparse matrix from an AnnData that holds one; a list, or what is not
        known here, as it was given.
    names : tuple of str or None
        None if the columns have no names, or names that are not texts.

    Raises
    ------
    ValueError
        If a column does not hold numbers, or two columns have one name.
    TypeError
        If the data are not in memory (a LazyFrame), a Tensor needs gradients, or an array has named
        fields.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2], "b": pd.array([0.5, None], dtype="Float64")})
    >>> values, names = named_array(frame)
    >>> values
    array([[1. , 0.5],
           [2. , nan]])
    >>> names
    ('a', 'b')
    >>> named_array(pd.DataFrame({"a": [1, 2], "day": pd.to_datetime(["2020-01-01"] * 2)}))
    Traceback (most recent call last):
        ...
    ValueError: column 'day' holds dates or times: compute numbers from it, such as days since a \
date, or leave it out
    """
    if isinstance(X, np.ndarray):
        return _of_array(X), None
    if isinstance(X, pd.DataFrame):
        return _of_pandas(X), _names(X.columns)
    if is_tensor(X):
        return of_tensor(X, "X"), None
    if is_anndata(X):
        return _of_anndata(X)
    if hasattr(X, "dims") and hasattr(X, "coords") and hasattr(X, "to_numpy"):
        return _of_array(X.to_numpy()), _names_of_coordinate(X)
    if hasattr(X, "dims") and hasattr(X, "data_vars"):
        raise TypeError("an xarray Dataset holds several arrays: choose one, as by X['name']")
    # The columns of a lazy frame cost a pass: only its class is asked.
    if not (hasattr(type(X), "columns") or hasattr(type(X), "column_names")):
        return X, None
    return _through_narwhals(X)


def plain_frame(X: Any) -> Any:
    """Data in memory in a form that scikit-learn's validation takes, with the names of columns.

    Parameters
    ----------
    X : object
        As for `named_array`.

    Returns
    -------
    ndarray, DataFrame or object
        A pandas DataFrame of numbers where the columns have names.

    Raises
    ------
    ValueError, TypeError
        As in `named_array`.

    Examples
    --------
    >>> plain_frame(np.ma.masked_equal([[1.0, -9.0]], -9))
    array([[ 1., nan]])
    """
    values, names = named_array(X)
    values = array_of_numbers(values)
    if isinstance(X, pd.DataFrame):  # with names that are no texts, on which scikit-learn decides
        return X if values is X else pd.DataFrame(values, X.index, X.columns, copy=False)
    if names is None or not isinstance(values, np.ndarray) or values.ndim != 2:
        return values
    return pd.DataFrame(values, columns=list(names), copy=False)


def array_of_numbers(X: Any) -> Any:
    """Numbers of a list, or of an array of Python objects or texts, as an array.

    Parameters
    ----------
    X : object
        A list or array. What has an array of its own, such as a sparse matrix, is returned as it
        is.

    Returns
    -------
    ndarray or object
        None and pandas' NA become NaN.

    Raises
    ------
    TypeError, ValueError
        If the rows of a list differ in length, a value is no number, or the data are neither a list
        nor an array.

    Examples
    --------
    >>> array_of_numbers([[1, None], ["2.5", 3]])
    array([[1. , nan],
           [2.5, 3. ]])
    >>> array_of_numbers([[1, 2], [3]])
    Traceback (most recent call last):
        ...
    ValueError: rows of X must have the same length; row 0 has 2 values, row 1 has 1
    """
    if isinstance(X, np.ndarray):
        array = X
    elif isinstance(X, Sequence) and not isinstance(X, str | bytes):
        array = _of_sequence(X)
    elif any(hasattr(X, name) for name in ("__array__", "__array_interface__", "shape")):
        return X
    else:
        raise TypeError(f"X must be an array, or a list of samples; found {type(X).__name__}")
    if array.dtype.kind in "fiubc":
        return array
    if array.dtype.kind not in "OUST":
        what = "dates or times" if array.dtype.kind in "Mm" else str(array.dtype)
        raise TypeError(f"X must hold real numbers; found {what}: compute numbers from them")
    missing = pd.isna(array)
    objects = np.where(missing, np.nan, array.astype(object))
    for place, value in np.ndenumerate(objects):
        if not _is_number(value):
            kind = ValueError if isinstance(value, str | bytes) else TypeError
            raise kind(
                f"X[{', '.join(map(str, place))}] is {repr(value)[:40]}: each value of the "
                "argument must be a number, or a string that holds a number below 1e308"
            )
    return objects.astype(np.float64)


def _of_sequence(X: Sequence[Any]) -> Any:
    """A list of rows, which must have the same length."""
    try:
        return np.asarray(X)
    except (ValueError, TypeError, OverflowError):
        lengths = [len(row) if hasattr(row, "__len__") else None for row in X]
    other = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    if other is None:
        raise ValueError("X must hold a number for each sample and feature; found longer lists")
    first, found = ("no values" if n is None else n for n in (lengths[0], lengths[other]))
    raise ValueError(
        f"rows of X must have the same length; row 0 has {first}"
        f"{' values' if isinstance(first, int) else ''}, row {other} has {found}"
    )


def is_anndata(X: Any) -> bool:
    """Whether an object is an AnnData, without an import of that package.

    Parameters
    ----------
    X : object
        Data.
    """
    return all(hasattr(X, name) for name in ("X", "var_names", "obs_names"))


def _of_array(X: Any) -> Any:
    if X.dtype.names is not None:
        raise TypeError(
            f"X must hold real numbers; found an array with the fields {', '.join(X.dtype.names)}: "
            "pass pandas.DataFrame(X)"
        )
    if not isinstance(X, np.ma.MaskedArray):
        return X
    masked = np.ma.getmaskarray(X)
    if not masked.any():
        return np.asarray(X)
    values = np.array(X.data, X.dtype if X.dtype.kind == "f" else np.float64)
    values[masked] = np.nan
    return values


def _of_pandas(X: pd.DataFrame) -> Any:
    _require_distinct(list(X.columns))
    dtypes = set(X.dtypes)
    plain = all(isinstance(dtype, np.dtype) and dtype.kind in "fiubc" for dtype in dtypes)
    if plain and (len(dtypes) == 1 or np.dtype(bool) not in dtypes):
        return X.to_numpy()
    if all(isinstance(dtype, pd.SparseDtype) for dtype in dtypes):
        return X.to_numpy()
    numbers = [_pandas_numbers(X.iloc[:, i], name) for i, name in enumerate(X.columns)]
    kind = np.result_type(*{column.dtype for column in numbers}, np.float32)
    return np.column_stack([column.astype(kind, copy=False) for column in numbers])


def _pandas_numbers(column: Any, name: Any) -> Any:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        raise ValueError(
            f"column {name!r} is categorical: make a column of 0 and 1 for each category, as by "
            f"pandas.get_dummies, {_LEAVE_OUT}"
        )
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        raise _dates(name)
    if pd.api.types.is_object_dtype(dtype):
        return _of_objects(column, name)
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        if isinstance(dtype, np.dtype):
            return column.to_numpy()
        few = getattr(dtype, "numpy_dtype", np.dtype(np.float64)) == np.float32
        return column.to_numpy(np.float32 if few else np.float64, na_value=np.nan)
    kind = "text" if pd.api.types.is_string_dtype(dtype) else f"values of type {dtype}"
    raise _no_numbers(name, kind, column)


def _of_objects(column: Any, name: Any) -> Any:
    """A column of Python objects, if they are numbers or missing."""
    missing = column.isna()
    for row, value in zip(column.index[~missing], column[~missing], strict=True):
        if isinstance(value, str) or not _is_number(value):
            raise ValueError(
                f"column {name!r} holds {value!r} in row {row!r}, which is not a number: convert "
                f"the column, as by pandas.to_numeric, {_LEAVE_OUT}"
            )
    return column.where(~missing, np.nan).astype(np.float64).to_numpy()


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _of_anndata(X: Any) -> tuple[Any, tuple[str, ...]]:
    if X.X is None:
        raise ValueError("the AnnData has no X: choose a layer, as by X.layers['counts']")
    names = tuple(map(str, X.var_names))
    if len(set(names)) < len(names):
        twice = pd.Index(names)[pd.Index(names).duplicated()][0]
        raise ValueError(f"two variables are named {twice!r}: call X.var_names_make_unique()")
    values = X.X[:] if type(X.X).__module__.partition(".")[0] in ("h5py", "anndata") else X.X
    return values if hasattr(values, "tocsr") else np.asarray(values), names


def _names_of_coordinate(X: Any) -> tuple[str, ...] | None:
    if len(X.dims) != 2 or X.dims[1] not in X.coords:
        return None
    return _names(X.coords[X.dims[1]].to_numpy().tolist())


def _through_narwhals(X: Any) -> tuple[Any, tuple[str, ...] | None]:
    import narwhals as nw

    if hasattr(X, "column_names"):  # Arrow
        _require_distinct(X.column_names)
    if type(X).__name__ == "RecordBatch":
        import pyarrow as pa

        X = pa.Table.from_batches([X])
    frame: Any = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        cure = "collect" if hasattr(X, "collect") else "compute"
        raise TypeError(f"a lazy {type(X).__name__} holds no data yet: call .{cure}()")
    if not isinstance(frame, nw.DataFrame):
        return X, None
    _require_distinct(frame.columns)
    casts = []
    for name, dtype in frame.schema.items():
        if dtype == nw.Boolean or dtype == nw.Decimal:
            casts.append(nw.col(name).cast(nw.Float64))
        elif not dtype.is_numeric():
            if dtype.is_temporal():
                raise _dates(name)
            if dtype in (nw.Categorical, nw.Enum) or isinstance(dtype, nw.Enum):
                raise ValueError(
                    f"column {name!r} is categorical: make a column of 0 and 1 for each category, "
                    f"as by to_dummies, {_LEAVE_OUT}"
                )
            raise _no_numbers(name, "text" if dtype == nw.String else f"values of type {dtype}")
    values = (frame.with_columns(*casts) if casts else frame).to_numpy()
    return values, _names(frame.columns)


def _names(columns: Any) -> tuple[str, ...] | None:
    names = list(columns)
    _require_distinct(names)
    return tuple(names) if names and all(isinstance(name, str) for name in names) else None


def _require_distinct(names: Sequence[Any]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ValueError(f"two columns are named {twice!r}: rename one")


def _dates(name: Any) -> ValueError:
    return ValueError(
        f"column {name!r} holds dates or times: compute numbers from it, such as days since a date,"
        f" {_LEAVE_OUT}"
    )


def _no_numbers(name: Any, kind: str, column: Any = None) -> ValueError:
    first = how = ""
    if column is not None and column.notna().any():
        first, how = f", such as {column.dropna().iloc[0]!r}", ", as by pandas.to_numeric,"
    return ValueError(
        f"column {name!r} holds {kind}{first}: convert it to numbers{how} {_LEAVE_OUT}"
    )
