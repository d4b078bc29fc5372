"""Tables of a model's factors for a terminal: loadings, correlations, synergy."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from minsyn.information import SynergyResult
from minsyn.metrics import Loadings
from minsyn.report.table_rows import LoadingRows, two_decimals

__all__ = ["correlation_table", "loading_tables", "synergy_table"]

#: Longest name of a feature, and characters between two columns.
_LONGEST_NAME, _BETWEEN = 32, 2
#: Measures in the order of their columns.
_MEASURES = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")
#: The least synergy that is not written as 0.
_LEAST = 0.0005
_SHARES = ("commun.", "unique")


def loading_tables(
    rows: LoadingRows,
    explained: Mapping[str, Sequence[float]],
    *,
    groups: Sequence[str] = (),
    width: int = 100,
) -> list[Table]:
    """Loadings of the features on each factor, and the variance that factors explain.

    Parameters
    ----------
    rows : LoadingRows
        From `minsyn.report.loading_rows`.
    explained : dict of str to sequence of n_factors floats
        Shares of variance below the loadings, by what they are.
    groups : sequence of n_factors str, optional
        Groups of the factors, below their names.
    width : int, default=100
        Characters of a line. Factors that do not fit go into a further table, which lists the
        features that load on them; if not all features are listed, those of these factors.

    Returns
    -------
    list of rich.table.Table
        To be printed by rich.

    Examples
    --------
    >>> from minsyn.information import PairwiseStatistics
    >>> from minsyn.metrics import loadings
    >>> from minsyn.report import loading_rows
    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> rows = loading_rows(loadings(PairwiseStatistics.of(z, z[:, [0, 1, 1]])))
    >>> [table] = loading_tables(rows, {"explained alone": [0.6, 0.3]})
    >>> [column.header for column in table.columns]
    ['', 'F1', 'F2', 'commun.', 'unique']
    """
    table = rows.loadings
    listed = [_short(table.feature_names[i]) for section in rows.sections for i in section]
    first = max(map(len, [*listed, *explained]), default=0)
    heads = [
        name if not groups else f"{name}\n{group}"
        for name, group in zip(table.factor_names, groups or table.factor_names, strict=True)
    ]
    columns = [max(map(len, head.split("\n"))) for head in heads]
    columns = [max(column, 5) + _BETWEEN for column in columns]
    shares = sum(len(name) + _BETWEEN for name in _SHARES)
    parts = _parts(columns, width - first - shares)
    return [_loading_part(rows, explained, heads, part, whole=len(parts) == 1) for part in parts]


def correlation_table(
    loadings: Loadings, *, list_from: float = 0.3, width: int = 100
) -> Table | None:
    """Correlations of the factors: a triangle, or the strong ones where there are many factors.

    Parameters
    ----------
    loadings : Loadings
        From `minsyn.metrics.loadings`.
    list_from : float, default=0.3
        Magnitude from which on correlations are listed, where there is no room for the triangle.
    width : int, default=100
        Characters of a line.

    Returns
    -------
    rich.table.Table or None
        None for a single factor, and where none of many is strong.
    """
    sigma, names = loadings.factor_correlation, loadings.factor_names
    if len(names) == 1:
        return None
    table = _new_table("correlations")
    longest = max(map(len, names))
    if max(longest, len("correlations")) + (len(names) - 1) * (longest + _BETWEEN) <= width:
        for name in names[:-1]:
            table.add_column(escape(name), justify="right", no_wrap=True)
        for j in range(1, len(names)):
            table.add_row(escape(names[j]), *(two_decimals(sigma[j, k]) for k in range(j)))
        return table
    pairs = combinations(range(len(names)), 2)
    strong = [(j, k) for j, k in pairs if abs(sigma[j, k]) >= list_from]
    if not strong:
        return None
    table.add_column("", justify="right", no_wrap=True)
    for j, k in sorted(strong, key=lambda pair: -abs(sigma[pair])):
        table.add_row(escape(f"{names[j]} and {names[k]}"), two_decimals(sigma[j, k]))
    return table


def synergy_table(result: SynergyResult, *, top: int = 5) -> Table:
    """Information of the factors about all features, and about those of most GK synergy.

    Parameters
    ----------
    result : SynergyResult
        With the four measures of `minsyn.information.synergy` that are not signed.
    top : int, default=5
        The most features to list.

    Returns
    -------
    rich.table.Table
        To be printed by rich.
    """
    grouped = any(len(variables) > 1 for variables in result.members)
    one, several = ("group", "groups") if grouped else ("factor", "factors")
    table = _new_table(f"{result.unit} about")
    for heading in (f"all\n{several}", f"best\n{one}", "GK\nsynergy", "CI\nsynergy"):
        table.add_column(heading, justify="right", no_wrap=True)
    values = [result[name] for name in _MEASURES]
    table.add_row("all features", *(_bits(value.sum(), 2) for value in values))
    table.add_section()
    gk = result["gk_synergy"]
    for feature in (-gk).argsort(kind="stable")[:top].tolist():
        if gk[feature] >= _LEAST:
            cells = (_bits(value[feature], 3) for value in values)
            table.add_row(escape(_short(result.targets[feature])), *cells)
    return table


def _new_table(first: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    return table


def _parts(columns: list[int], room: int) -> list[list[int]]:
    """Factors of each table, as many as fit beside each other, one at least."""
    parts: list[list[int]] = [[]]
    used = 0
    for factor, column in enumerate(columns):
        if parts[-1] and used + column > room:
            parts.append([])
            used = 0
        parts[-1].append(factor)
        used += column
    return parts


def _loading_part(
    rows: LoadingRows,
    explained: Mapping[str, Sequence[float]],
    heads: list[str],
    part: list[int],
    *,
    whole: bool,
) -> Table:
    loadings = rows.loadings
    table = _new_table("")
    for factor in part:
        table.add_column(escape(heads[factor]), justify="right", no_wrap=True)
    for name in _SHARES:
        table.add_column(name, justify="right", no_wrap=True, style="dim")
    strongest = np.argmax(np.abs(loadings.values), axis=1)
    for section in rows.sections:
        for i in section.tolist():
            cells = [rows.text(i, factor) for factor in part]
            listed = strongest[i] in part if rows.n_hidden else any(cells)
            if not (whole or listed):
                continue
            cells = [
                f"[bold]{cell}[/bold]" if cell and factor == strongest[i] else cell
                for factor, cell in zip(part, cells, strict=True)
            ]
            shares = (loadings.communality[i], loadings.uniqueness[i])
            table.add_row(
                escape(_short(loadings.feature_names[i])), *cells, *map(two_decimals, shares)
            )
        table.add_section()
    for label, of_factors in explained.items():
        table.add_row(label, *(f"{of_factors[factor]:.1%}" for factor in part), style="dim")
    return table


def _bits(value: float, decimals: int) -> str:
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
