"""Columns that tell when or in which order rows came: dates, years and trial numbers."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from minsyn.data.identifiers import words_of

__all__ = ["find_counters"]

_NAMES = frozenset(["date", "datetime", "time", "timestamp", "year", "trial", "epoch"])
_NUMBER = frozenset(["nr", "no", "num", "number", "idx", "index", "count", "id"])
#: Fewest rows of which equal steps say anything.
_FEWEST = 20
#: Differences of steps, as a share of the mean step, that rounding may cause.
_ROUNDING = 0.05


def find_counters(
    names: Sequence[str], values: Float[np.ndarray, "rows features"]
) -> tuple[str, ...]:
    """Columns of numbers that look like dates or counters.

    These are named so (date, time, year, trial, epoch), rise from row to row in equal steps, or
    hold dates as whole numbers, such as 20240131.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    values : ndarray of shape (n_rows, n_columns)
        Their first rows, in the order of the table. NaN are missing values.

    Examples
    --------
    >>> values = np.array([[1999.0, 1, 20240131], [2001, 3, 20240201]])
    >>> find_counters(["Year", "dose", "when"], values)
    ('Year', 'when')
    """
    if len(values) == 0:
        return ()
    found = [_is_named(name) for name in names] | _equal_steps(values) | _are_dates(values)
    return tuple(name for name, is_one in zip(names, found, strict=True) if is_one)


def _is_named(name: str) -> bool:
    words = words_of(name)
    return len(set(words) & _NAMES) == 1 and set(words) <= _NAMES | _NUMBER


def _equal_steps(values: Float[np.ndarray, "rows features"]) -> Bool[np.ndarray, " features"]:
    if len(values) < _FEWEST:
        return np.zeros(values.shape[1], bool)
    steps = np.diff(values, axis=0)
    low, high = steps.min(axis=0), steps.max(axis=0)  # NaN where a value is missing
    return (low > 0) & (high - low <= _ROUNDING * (low + high) / 2)


def _are_dates(values: Float[np.ndarray, "rows features"]) -> Bool[np.ndarray, " features"]:
    day, month, year = values % 100, values // 100 % 100, values // 10_000
    is_date = (values == np.floor(values)) & (day >= 1) & (day <= 31) & (month >= 1)
    is_date &= (month <= 12) & (year >= 1900) & (year <= 2100)
    missing = np.isnan(values)
    return np.asarray((is_date | missing).all(axis=0) & ~missing.all(axis=0))
