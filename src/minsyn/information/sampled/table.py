"""Tables of samples of named variables, from arrays, lists, Series and DataFrames."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from minsyn._warnings import warn
from minsyn.information._arrays import as_array
from minsyn.information._magnitude import check_magnitude

__all__ = ["Codes", "ManyCategoriesWarning", "Table", "aligned", "as_codes", "as_table"]

#: More different values than this, and than half of the samples, are too many for categories.
_FEW_VALUES = 10
#: Types of columns that are categories as they stand: bool, integers, text and objects.
_CATEGORICAL = "biuOUST"


class ManyCategoriesWarning(UserWarning):
    """Categories that hardly any two samples share, from which nothing can be estimated."""


@dataclass(frozen=True)
class Table:
    """Named columns of samples.

    Attributes
    ----------
    argument : str
        Name of the table in messages: "Z" or "X".
    names : tuple of str
    columns : tuple of ndarray, each (n_samples,)
    array : ndarray or None
        The columns side by side, if they came as one array.
    """

    argument: str
    names: tuple[str, ...]
    columns: tuple[Shaped[np.ndarray, " samples"], ...]
    array: Shaped[np.ndarray, "samples k"] | None = None

    @property
    def n_samples(self) -> int:
        """Rows."""
        return len(self.columns[0])

    def numbers(self) -> Float[np.ndarray, "samples k"]:
        """The columns in float64; a ValueError names a column that does not hold numbers."""
        for name, column in zip(self.names, self.columns, strict=True):
            if column.dtype.kind not in "fiub":
                raise ValueError(
                    f"{self.argument}[{name!r}] does not hold numbers but {column.dtype}; "
                    "categories need model='discrete'"
                )
        array = np.stack(self.columns, axis=1) if self.array is None else self.array
        array = array.astype(np.float64, copy=False)
        check_magnitude(array, lambda j: f"{self.argument}[{self.names[j]!r}]")
        return array


def default_names(letter: str, k: int) -> tuple[str, ...]:
    """Names of k variables that came without any: the letter, numbered if there are several."""
    return (letter,) if k == 1 else tuple(f"{letter}{j}" for j in range(k))


def as_table(data: Any, argument: str) -> Table:
    """Columns of an array, a Series or a DataFrame; a ValueError says what is wrong with it."""
    if hasattr(data, "to_frame") and hasattr(data, "name"):  # a pandas Series
        data = data.to_frame(data.name if data.name is not None else argument.lower())
    array = None
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        names = tuple(str(name) for name in data.columns)
        columns = tuple(_of_series(data.iloc[:, j]) for j in range(data.shape[1]))
    elif type(data).__module__.partition(".")[0] in ("polars", "pyarrow"):
        names, columns = _of_columnar(data, argument)
    else:
        array = as_array(data, argument)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise ValueError(
                f"{argument} must have shape (n_samples,) or (n_samples, n_variables); "
                f"found {array.shape}"
            )
        names = default_names(argument.lower(), array.shape[1])
        columns = tuple(array[:, j] for j in range(array.shape[1]))
    if not columns or len(columns[0]) == 0:
        found = f"{len(columns[0]) if columns else 0} samples of {len(columns)} variables"
        raise ValueError(f"{argument} is empty: found {found}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{argument} has several columns named {twice!r}; rename them")
    for name, column in zip(names, columns, strict=True):
        _check_complete(column, f"{argument}[{name!r}]")
    if any(column.dtype.kind == "O" for column in columns):
        columns, array = tuple(map(_numbers_if_all, columns)), None
        for name, column in zip(names, columns, strict=True):
            _check_complete(column, f"{argument}[{name!r}]")
    return Table(argument, names, columns, array)


def _numbers_if_all(column: Shaped[np.ndarray, " samples"]) -> Shaped[np.ndarray, " samples"]:
    """A column of objects as numbers, if all of them are: arrays of mixed columns have objects."""
    if column.dtype.kind != "O" or not all(isinstance(value, Real | Decimal) for value in column):
        return column
    values = [value if isinstance(value, Integral) else float(value) for value in column]
    found = np.asarray(values)
    return found if found.dtype.kind in "fiub" else column  # integers beyond 64 bits


def _of_series(series: Any) -> Shaped[np.ndarray, " samples"]:
    """Values of a pandas column; nullable types become NumPy's where nothing is missing."""
    if series.isna().any():
        missing = int(series.isna().sum())
        raise ValueError(f"column {series.name!r} has {missing} missing values; {_CURE}")
    values: Any = series.to_numpy()
    if values.dtype.kind == "O" and series.dtype.kind in "fiub":
        values = series.to_numpy(
            dtype=series.dtype.kind + "8" if series.dtype.kind != "b" else bool
        )
    return np.asarray(values)


def _of_columnar(
    data: Any, argument: str
) -> tuple[tuple[str, ...], tuple[Shaped[np.ndarray, " samples"], ...]]:
    """Names and values of the columns of a DataFrame or Series of polars, or of an Arrow table."""
    import narwhals as nw

    try:
        table: Any = nw.from_native(data, eager_only=True, allow_series=True)
    except TypeError:
        raise ValueError(
            f"{argument} is a {type(data).__name__}, which holds no data: pass a DataFrame "
            "(of a LazyFrame, .collect())"
        ) from None
    series = [table[name] for name in table.columns] if hasattr(table, "columns") else [table]
    for one in series:
        missing = int(one.null_count())
        if missing:
            raise ValueError(f"column {one.name!r} has {missing} missing values; {_CURE}")
    names = tuple(str(one.name or argument.lower()) for one in series)
    return names, tuple(np.asarray(one.to_numpy()) for one in series)


_CURE = "drop those rows or fill them in first"


def _check_complete(column: Shaped[np.ndarray, " samples"], name: str) -> None:
    if column.dtype.kind == "f":
        finite = np.isfinite(column)
        if not finite.all():
            raise ValueError(
                f"{name} has {int((~finite).sum())} values that are NaN or infinite; {_CURE}"
            )
    elif column.dtype.kind == "O":
        missing = sum(v is None or (isinstance(v, float) and v != v) for v in column)
        if missing:
            raise ValueError(f"{name} has {missing} missing values; {_CURE}")
    elif column.dtype.kind not in _CATEGORICAL:
        raise ValueError(f"{name} has the unsupported type {column.dtype}")


@dataclass(frozen=True)
class Codes:
    """Categories of every column, numbered from 0.

    Attributes
    ----------
    codes : (n_samples, k)
    sizes : tuple of int
        Number of categories of each column.
    discretisation : str
        How continuous columns were binned; empty if none were.
    categories : str
        Which columns were taken as they are, and the number of their categories.
    """

    codes: Int[np.ndarray, "samples k"]
    sizes: tuple[int, ...]
    discretisation: str
    categories: str

    def combined(self, groups: Sequence[Int[np.ndarray, " _"]]) -> "Codes":
        """A column for each group, with a category for each combination that was seen."""
        columns = [np.unique(self.codes[:, g], axis=0, return_inverse=True)[1] for g in groups]
        codes = np.stack([c.ravel().astype(np.int64) for c in columns], axis=1)
        sizes = tuple(int(c) + 1 for c in codes.max(axis=0))
        return Codes(codes, sizes, self.discretisation, self.categories)


def as_codes(table: Table, bins: int | None, binning: str) -> Codes:
    """Categories of each column; continuous columns are binned, or raise where ``bins`` is None.

    A column is continuous if it holds floats of which some are not whole numbers, or whole numbers
    that hardly any two samples share, where bins are asked for.
    """
    codes = []
    binned: dict[int, list[str]] = {}
    kept: list[str] = []
    many: list[str] = []
    for name, column in zip(table.names, table.columns, strict=True):
        continuous = column.dtype.kind == "f" and bool((column != np.floor(column)).any())
        if continuous and bins is None:
            raise ValueError(
                f"{table.argument}[{name!r}] is continuous, and model='discrete' needs "
                "categories: pass bins= (and binning='equal-frequency' or 'equal-width'), "
                "or use model='gaussian' or 'copula'"
            )
        found = _category_codes(column)
        n_values = int(found.max()) + 1
        too_many = n_values > max(_FEW_VALUES, len(column) / 2)
        if bins is not None and (continuous or (too_many and column.dtype.kind in "fiu")):
            if bins > table.n_samples:
                raise ValueError(
                    f"bins={bins} must be at most the number of samples, {table.n_samples}"
                )
            numbers = column.astype(np.float64)
            check_magnitude(numbers[:, None], {0: f"{table.argument}[{name!r}]"}.__getitem__)
            found = _category_codes(_bin_numbers(numbers, bins, binning))
            binned.setdefault(int(found.max()) + 1, []).append(name)
        else:
            kept.append(f"{name} ({n_values})")
            many += [f"{table.argument}[{name!r}] ({n_values})"] * too_many
        codes.append(found)
    if many:
        warn(
            f"{listed(many)} have about as many categories as there are samples "
            f"({table.n_samples}), from which no information can be estimated: pass bins= for "
            "numbers, or merge categories",
            ManyCategoriesWarning,
        )
    told = []
    for n_found, names in binned.items():
        asked = f" (asked for {bins}; values are tied, or bins empty)" if n_found != bins else ""
        told.append(f"{listed(names)} in {n_found} {binning} bin{'s' * (n_found != 1)}{asked}")
    sizes = tuple(int(c.max()) + 1 for c in codes)
    return Codes(np.stack(codes, axis=1), sizes, "; ".join(told), listed(kept))


def listed(names: Sequence[str]) -> str:
    """The first five names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _category_codes(column: Shaped[np.ndarray, " samples"]) -> Int[np.ndarray, " samples"]:
    if column.dtype.kind == "O":
        number: dict[Any, int] = {}
        return np.array([number.setdefault(v, len(number)) for v in column], dtype=np.int64)
    return np.unique(column, return_inverse=True)[1].astype(np.int64)


def _bin_numbers(
    column: Float[np.ndarray, " samples"], bins: int, binning: str
) -> Int[np.ndarray, " samples"]:
    if binning == "equal-frequency":
        edges = _equal_frequency_edges(column, bins)
    else:
        edges = np.linspace(column.min(), column.max(), bins + 1)[1:-1]
    return np.searchsorted(edges, column, side="left" if binning == "equal-frequency" else "right")


def _equal_frequency_edges(
    column: Float[np.ndarray, " samples"], bins: int
) -> Float[np.ndarray, " edges"]:
    """Last values of all bins but one: the cuts nearest to equal shares, never within ties.

    Of two cuts that are equally near, the one nearer to the middle; where these are each other's
    mirror images, the one in the wider gap, or both if the gaps are equal. So the bins of z and -z
    are the same.
    """
    values, counts = np.unique(column, return_counts=True)
    below, n, gaps = counts.cumsum()[:-1], len(column), np.diff(values)
    cuts = set()
    bins = min(bins, n)  # of more, each value has a bin of its own as well
    for share in range(1, bins):
        away = np.abs(bins * below - share * n)
        near = np.flatnonzero(away == away.min(initial=away.max(initial=0)))
        middle = np.abs(2 * below[near] - n)
        near = near[middle == middle.min(initial=n)]
        cuts.update(near[gaps[near] == gaps[near].max(initial=0)].tolist())
    return values[sorted(cuts)]


def aligned(Z: Any, X: Any) -> Any:
    """X in the order of the rows of Z, where both have a pandas index.

    Raises
    ------
    ValueError
        If the indices hold different labels, or one twice and not in the same order.
    """
    if not all(hasattr(a, "iloc") and hasattr(a, "index") for a in (Z, X)):
        return X
    if len(Z) != len(X) or Z.index.equals(X.index):
        return X
    if Z.index.is_unique and X.index.is_unique and Z.index.isin(X.index).all():
        return X.loc[Z.index]
    raise ValueError(
        "Z and X have different indices, so that it is not known which rows belong together: give "
        "both the same index, or pair rows by position with X.set_axis(Z.index)"
    )
