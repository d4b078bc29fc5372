"""Sources in the past of a target: rows of time series at several lags, within trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from minsyn.information._arrays import as_array
from minsyn.information._options import said
from minsyn.information.sampled.table import Table, aligned, as_table

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Embedding", "embed"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Sources at earlier times, paired with the targets.

    Attributes
    ----------
    Z : DataFrame of shape (n_rows, n_sources * n_lags)
        Columns ``a(t-1)``, ``a(t-2)``, ...: those of one source are neighbours.
    X : DataFrame of shape (n_rows, n_targets)
        The targets at time t.
    groups : tuple of str
        Name of the source of each column of Z.
    trials : int array of shape (n_rows,)
        Number of each row's trial; trials stand one after the other.
    """

    Z: "DataFrame"
    X: "DataFrame"
    groups: tuple[str, ...]
    trials: Int[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class LaggedTables:
    """Tables of sources and targets, of the rows whose whole past is known."""

    sources: Table
    targets: Table
    source_of: Int[np.ndarray, " columns"]
    trials: Int[np.ndarray, " rows"]

    @property
    def lengths(self) -> Int[np.ndarray, " trials"]:
        """Number of rows of each trial."""
        return np.asarray(np.unique(self.trials, return_counts=True)[1])


def embed(
    Z: Any,
    X: Any,
    lag: int | Sequence[int] = 1,
    *,
    trials: Any = None,
) -> Embedding:
    """Sources at earlier times beside the targets of now.

    Row t holds the sources at t - lag, for each lag, and the targets at t. The first rows of each
    trial, whose past is not known, are left out.

    Parameters
    ----------
    Z : array_like or DataFrame, shape (n_samples, n_sources) or (n_samples,)
        The sources, in order of time.
    X : array_like, DataFrame or Series, shape (n_samples, n_targets) or (n_samples,)
        The targets.
    lag : int or sequence of int, default=1
        Steps by which the sources precede the targets, 0 or more.
    trials : array_like or Series of shape (n_samples,), optional
        Labels of the trials, subjects or groups that the rows belong to. Rows of one trial are in
        order of time, and need not stand together. No lag crosses from one trial to another.

    Returns
    -------
    Embedding
        ``Z``, ``X``, ``groups`` and ``trials``.

    Raises
    ------
    ValueError
        If Z and X differ in length, or no trial is longer than the largest lag; if a lag is
        negative, or trials holds NaN or another number of labels than Z has rows.

    See Also
    --------
    synergy : ``synergy(Z, X, lag=...)`` does this, and takes the autocorrelation into account.

    Examples
    --------
    >>> embedding = embed(np.arange(4), np.arange(4) * 10, lag=[1, 2])
    >>> embedding.Z.assign(x=embedding.X)
       z(t-1)  z(t-2)   x
    0       1       0  20
    1       2       1  30
    >>> len(embed(np.arange(4), np.arange(4), trials=["a", "a", "b", "b"]).X)
    2
    """
    from pandas import DataFrame

    sources, targets = as_table(Z, "Z"), as_table(aligned(Z, X), "X")
    found = lagged_tables(sources, targets, lags_of(lag), aligned(Z, trials))
    names = tuple(sources.names[j] for j in found.source_of)
    past, now = (
        DataFrame(dict(zip(table.names, table.columns, strict=True)))
        for table in (found.sources, found.targets)
    )
    return Embedding(past, now, names, found.trials)


def lags_of(lag: Any) -> tuple[int, ...]:
    """Lags in ascending order, each once; a ValueError says what is wrong with them."""
    try:
        lags = sorted({index(one) for one in ([lag] if np.ndim(lag) == 0 else lag)})
    except TypeError:
        lags = []
    if not lags or lags[0] < 0:
        raise ValueError(
            f"lag must be a whole number of steps, 0 or more, or a list of such; found {said(lag)}"
        )
    return tuple(lags)


def lagged_tables(
    sources: Table, targets: Table, lags: tuple[int, ...], trials: Any
) -> LaggedTables:
    """Tables at several lags, of the rows whose whole past is of the same trial."""
    n_samples = sources.n_samples
    if n_samples != targets.n_samples:
        raise ValueError(
            f"Z and X must hold the same samples; found {n_samples} and {targets.n_samples}"
        )
    order, codes = _order(trials, n_samples)
    longest = lags[-1]
    most = int(np.bincount(codes).max())
    if longest >= most:
        raise ValueError(
            f"lag={longest} needs trials of more than {longest} samples; the longest has {most}"
        )
    # A row's past is known where the row `longest` steps before is of the same trial.
    last = np.arange(longest, n_samples)
    last = last[codes[last] == codes[last - longest]]
    names, columns = [], []
    for name, column in zip(sources.names, sources.columns, strict=True):
        for one in lags:
            names.append(f"{name}(t-{one})" if one else f"{name}(t)")
            columns.append(column[order[last - one]])
    now = tuple(column[order[last]] for column in targets.columns)
    return LaggedTables(
        Table("Z", tuple(names), tuple(columns)),
        Table("X", targets.names, now),
        np.repeat(np.arange(len(sources.names)), len(lags)),
        np.unique(codes[last], return_inverse=True)[1].astype(np.int64),
    )


def source_names(names: Sequence[str], lags: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the sources, with their lags: ``a(t-1)``, ``a(t-1, t-2)``."""
    told = ", ".join(f"t-{lag}" if lag else "t" for lag in lags)
    return tuple(f"{name}({told})" for name in names)


def _order(trials: Any, n_samples: int) -> tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]:
    """Rows sorted by trial, and the number of each one's trial, in order of appearance."""
    if trials is None:
        return np.arange(n_samples), np.zeros(n_samples, dtype=np.int64)
    labels = as_array(trials, "trials")
    if labels.shape != (n_samples,):
        raise ValueError(
            f"trials must hold one label for each of the {n_samples} samples; found shape "
            f"{labels.shape}"
        )
    if any(label is None or label != label for label in labels.tolist()):
        raise ValueError("trials holds missing labels; give every sample one")
    number: dict[Any, int] = {}
    codes = np.array([number.setdefault(label, len(number)) for label in labels.tolist()])
    order = np.argsort(codes, kind="stable")
    return order, codes[order].astype(np.int64)
