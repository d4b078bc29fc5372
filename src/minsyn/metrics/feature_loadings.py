"""Loadings of features on factors, in an order and with signs that do not depend on a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from minsyn.information.statistics import PairwiseStatistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["Loadings", "loadings", "sort_loadings"]

#: Roundings of a correlation, for each factor, below which a factor is a combination of others.
_ROUNDINGS = 64
#: Loadings that differ by less than this share are equally strong: the first then decides a sign.
_EQUAL = 1e-6
#: Features that `str` lists, and the longest name that it gives in full.
_LISTED, _LONGEST_NAME = 60, 24


@dataclass(frozen=True, eq=False)
class Loadings:
    r"""Correlations of features and factors, with what they say of both.

    From `loadings`, factors come in descending order of the variance that each explains alone, and
    with signs by which the strongest loading of each is positive. From ``model.describe()``, they
    are in the order of the model. Shares of variance count all features alike, whatever their
    units; features that do not vary have loadings and communalities of 0.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_factors)
        Correlation of each feature with each factor: the structure matrix of factor analysis, which
        is also the pattern matrix where factors are uncorrelated.
    communality : ndarray of shape (n_features,)
        Share of each feature's variance that all factors explain together,
        :math:`\rho_i^\top \Sigma^{-1} \rho_i`; for uncorrelated factors, the sum of its squared
        loadings.
    explained_alone : ndarray of shape (n_factors,)
        Share of the features' variance that each factor explains alone: the mean of its squared
        loadings.
    explained_together : ndarray of shape (n_factors,)
        Share that each factor and those before it explain together. The last is the mean
        communality.
    factor_correlation : ndarray of shape (n_factors, n_factors)
        Correlations of the factors, :math:`\Sigma`.
    permutation : integer array of shape (n_factors,)
        Place of each factor in the statistics, from 0.
    signs : ndarray of shape (n_factors,)
        1 or -1, by which each factor was multiplied.
    feature_names, factor_names : tuple of str
        Names of features and factors.
    """

    values: Float[np.ndarray, "features factors"]
    communality: Float[np.ndarray, " features"]
    explained_alone: Float[np.ndarray, " factors"]
    explained_together: Float[np.ndarray, " factors"]
    factor_correlation: Float[np.ndarray, "factors factors"]
    permutation: Int[np.ndarray, " factors"]
    signs: Float[np.ndarray, " factors"]
    feature_names: tuple[str, ...]
    factor_names: tuple[str, ...]

    @property
    def uniqueness(self) -> Float[np.ndarray, " features"]:
        """Share of each feature's variance that the factors leave unexplained."""
        return 1 - self.communality

    @property
    def complexity(self) -> Float[np.ndarray, " features"]:
        r"""Number of factors behind each feature, in effect.

        Hofmann's index :math:`(\sum_j \rho_{ij}^2)^2 / \sum_j \rho_{ij}^4`: 1 for a feature with
        one factor, the number of factors where all are equally strong, 0 for a feature with none
        (Hofmann, "Complexity and simplicity as objective indices descriptive of factor solutions",
        Multivariate Behavioral Research 13, 1978).
        """
        squares = self.values**2
        fourth = np.sum(squares**2, axis=1)
        return np.sum(squares, axis=1) ** 2 / np.where(fourth > 0, fourth, 1.0)

    def to_frame(self, *, sort: bool = True) -> "DataFrame":
        """One row for each feature.

        Parameters
        ----------
        sort : bool, default=True
            Whether rows are in the order of `sort_loadings`; otherwise as the features were given.

        Returns
        -------
        DataFrame
            A column for each factor, then communality, uniqueness and complexity.
        """
        from pandas import DataFrame

        table = sort_loadings(self) if sort else self
        frame = DataFrame(
            table.values, index=list(table.feature_names), columns=list(table.factor_names)
        )
        frame["communality"] = table.communality
        frame["uniqueness"] = table.uniqueness
        frame["complexity"] = table.complexity
        return frame

    def variance_to_frame(self) -> "DataFrame":
        """Variance that factors explain, one column for each.

        Returns
        -------
        DataFrame
            Rows "sum of squares" (of the loadings), "alone" and "together", the latter two as
            shares of the features' variance.
        """
        from pandas import DataFrame

        rows = {
            "sum of squares": np.sum(self.values**2, axis=0),
            "alone": self.explained_alone,
            "together": self.explained_together,
        }
        return DataFrame.from_dict(rows, orient="index", columns=list(self.factor_names))

    def to_string(
        self, *, hide_below: float = 0.0, sort: bool = True, max_features: int = _LISTED
    ) -> str:
        """A table to be read.

        Parameters
        ----------
        hide_below : float, default=0.0
            Loadings smaller than this in magnitude are left blank; 0.3 is a habit.
        sort : bool, default=True
            Whether rows are in the order of `sort_loadings`.
        max_features : int, default=60
            The most features to list.

        Returns
        -------
        str
            Loadings of each feature, the variance that factors explain, and their correlations.
        """
        table = sort_loadings(self) if sort else self
        names = [_short(name) for name in table.factor_names]
        rows = [["", *names, "commun.", "unique", "complex."]]
        for i in range(min(len(table.values), max_features)):
            cells = ["" if abs(v) < hide_below else _two_digits(v) for v in table.values[i]]
            shares = (table.communality[i], table.uniqueness[i], table.complexity[i])
            rows.append([_short(table.feature_names[i]), *cells, *(_two_digits(v) for v in shares)])
        n_listed, width = len(rows), len(rows[0])
        blank = [""] * (width - 1 - len(names))
        for label, shares_of in (
            ("explained alone", table.explained_alone),
            ("with those before", table.explained_together),
        ):
            rows.append([label, *(f"{share:.1%}" for share in shares_of), *blank])
        n_variances = len(rows)
        if len(names) > 1:
            rows += [
                [name, *map(_two_digits, correlations), *blank]
                for name, correlations in zip(names, table.factor_correlation, strict=True)
            ]
        widths = [max(len(row[c]) for row in rows) for c in range(width)]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0])]
                + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
            ).rstrip()
            for row in rows
        ]
        hidden = len(table.values) - (n_listed - 1)
        more = [f"... and {hidden} more features; see to_frame()"] if hidden else []
        parts = lines[:n_listed] + more + [""] + lines[n_listed:n_variances]
        if len(names) > 1:
            parts += ["", "correlations of the factors", *lines[n_variances:]]
        return "\n".join(parts)

    def plot(self, *, hide_below: float = 0.3, sort: bool = True) -> "Figure":
        """Draw the loadings as a heat map.

        Red features rise with a factor, blue ones fall. Bars at the right are communalities: the
        share of a feature's variance that all factors explain together. Bars above are the shares
        of the variance that each factor explains alone.

        Parameters
        ----------
        hide_below : float, default=0.3
            Loadings smaller than this in magnitude have no number.
        sort : bool, default=True
            Whether rows are in the order of `sort_loadings`.

        Returns
        -------
        matplotlib.figure.Figure
            Not registered with pyplot: save it by ``figure.savefig(...)``; a notebook shows it.

        Examples
        --------
        >>> from minsyn.information import PairwiseStatistics
        >>> from minsyn.metrics import loadings
        >>> z = np.random.default_rng(0).normal(size=(50, 2))
        >>> figure = loadings(PairwiseStatistics.of(z, z[:, [0, 1, 1]])).plot()
        >>> [text.get_text() for text in figure.axes[1].get_yticklabels()]
        ['x1', 'x2', 'x0']
        """
        from minsyn.metrics.loadings_plot import plot_loadings

        table = sort_loadings(self) if sort else self
        return plot_loadings(table, hide_below=hide_below, parted=sort)

    def plot_paths(
        self, *, hide_below: float = 0.3, names: dict[str, str] | None = None
    ) -> "Figure":
        """Draw factors as ellipses, features as boxes, and an arrow for each strong loading.

        Arrows are the wider the stronger a loading is: red for positive ones, blue and dashed for
        negative ones. Each feature stands with its strongest factor, and the number on that arrow
        is the loading; arrows from other factors are paler. Features that load on no factor have a
        box without an arrow. Arcs at the left are correlations of the factors.

        Parameters
        ----------
        hide_below : float, default=0.3
            Loadings and correlations of factors smaller than this in magnitude are not drawn.
        names : dict of str to str, optional
            What to call factors in the figure, by their names.

        Returns
        -------
        matplotlib.figure.Figure
            For up to some fifty features.

        Raises
        ------
        ValueError
            If a name is given for a factor that there is not.

        Examples
        --------
        >>> from minsyn.information import PairwiseStatistics
        >>> from minsyn.metrics import loadings
        >>> z = np.random.default_rng(0).normal(size=(50, 2))
        >>> table = loadings(PairwiseStatistics.of(z, z[:, [0, 1, 1]]))
        >>> figure = table.plot_paths(names={"F1": "mood"})
        >>> [text.get_text() for text in figure.axes[0].texts if text.get_text() in ("mood", "F2")]
        ['mood', 'F2']
        """
        from minsyn.metrics.loadings_plot import plot_paths

        return plot_paths(sort_loadings(self), hide_below=hide_below, names=names)

    def __str__(self) -> str:
        return self.to_string()


def loadings(
    statistics: PairwiseStatistics,
    feature_names: Sequence[str] | np.ndarray | None = None,
    factor_names: Sequence[str] | np.ndarray | None = None,
    *,
    sort_factors: bool = True,
) -> Loadings:
    """Loadings of features on factors, from their pairwise statistics.

    Factors are sorted and their signs are set, so that neither depends on a seed; the result says
    how. They are those of the statistics themselves: for a fitted model (``model.statistics_``),
    the model's own latents.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of factors ``z`` and features ``x``, NumPy arrays.
    feature_names : sequence of str, optional
        Names of the features. Default: x0, x1, ...
    factor_names : sequence of str, optional
        Names of the factors, in the order of the statistics. Default: F1, F2, ... in the order of
        the result.
    sort_factors : bool, default=True
        Whether factors are sorted and their signs are set; otherwise they stay as they are.

    Returns
    -------
    Loadings

    Raises
    ------
    ValueError
        If there are more or fewer names than features or factors.

    See Also
    --------
    summarise_factors : What each factor tells that no other does, and in bits.

    References
    ----------
    Harman, "Modern factor analysis", 3rd ed., University of Chicago Press, 1976, Sec. 2.

    Examples
    --------
    >>> from minsyn.information import PairwiseStatistics
    >>> from minsyn.metrics import loadings
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(1000, 2))
    >>> x = z[:, [0, 1, 1, 1]] * [1, 1, -1, 1] + 0.5 * rng.normal(size=(1000, 4))
    >>> table = loadings(PairwiseStatistics.of(z, x), ["a", "b", "c", "d"])
    >>> table.permutation
    array([1, 0])
    >>> print(table.to_string(hide_below=0.3))
                          F1     F2  commun.  unique  complex.
    b                   0.89            0.80    0.20      1.00
    c                  -0.89            0.80    0.20      1.00
    d                   0.89            0.80    0.20      1.00
    a                          0.90     0.81    0.19      1.00
    <BLANKLINE>
    explained alone    60.0%  20.2%
    with those before  60.0%  80.1%
    <BLANKLINE>
    correlations of the factors
    F1                  1.00  -0.02
    F2                 -0.02   1.00
    """
    rho, sigma = statistics.rho, statistics.sigma
    varies = statistics.std_x > 0
    n_varying = max(int(varies.sum()), 1)
    alone = np.sum(rho**2, axis=1) / n_varying
    order, signs = np.arange(len(rho)), np.ones(len(rho))
    if sort_factors:
        order = np.argsort(-alone, kind="stable")
        strength = np.abs(rho)
        equal = strength >= (1 - _EQUAL) * strength.max(axis=1, keepdims=True)
        strongest = np.argmax(equal, axis=1)
        signs = np.where(rho[np.arange(len(rho)), strongest] < 0, -1.0, 1.0)[order]
    rho = signs[:, np.newaxis] * rho[order]
    sigma = np.outer(signs, signs) * sigma[np.ix_(order, order)]
    added = _added_by_each(sigma, rho)
    return Loadings(
        values=rho.T.copy(),
        communality=np.minimum(added.sum(axis=0), 1.0),
        explained_alone=alone[order],
        explained_together=np.minimum(np.cumsum(added.sum(axis=1)) / n_varying, 1.0),
        factor_correlation=sigma,
        permutation=order,
        signs=signs,
        feature_names=_names(
            [f"x{i}" for i in range(len(varies))] if feature_names is None else feature_names,
            "feature_names",
            np.arange(len(varies)),
        ),
        factor_names=(
            tuple(f"F{j + 1}" for j in range(len(order)))
            if factor_names is None
            else _names(factor_names, "factor_names", order)
        ),
    )


def sort_loadings(table: Loadings) -> Loadings:
    """Features by their strongest factor, and by the strength of its loading among them.

    The order of ``fa.sort`` in the R package psych: the features of the first factor come first,
    the strongest before the others.

    Parameters
    ----------
    table : Loadings
        From `loadings`.

    Returns
    -------
    Loadings
        The same with features in another order.

    Examples
    --------
    >>> from minsyn.information import PairwiseStatistics
    >>> from minsyn.metrics import loadings, sort_loadings
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(1000, 2))
    >>> x = z[:, [0, 1, 0, 0]] + [0.9, 0.2, 0.2, 0.4] * rng.normal(size=(1000, 4))
    >>> sort_loadings(loadings(PairwiseStatistics.of(z, x))).feature_names
    ('x2', 'x3', 'x0', 'x1')
    """
    strength = np.abs(table.values)
    order = np.lexsort((-strength.max(axis=1), np.argmax(strength, axis=1)))
    return replace(
        table,
        values=table.values[order],
        communality=table.communality[order],
        feature_names=tuple(table.feature_names[i] for i in order),
    )


def _added_by_each(
    sigma: Float[np.ndarray, "m m"], rho: Float[np.ndarray, "m n"]
) -> Float[np.ndarray, "m n"]:
    """Share of each feature's variance that a factor adds to that of the factors before it.

    Each factor in turn is taken out of those after it. Where nothing of a factor is left, it is a
    combination of those before it, and adds nothing.
    """
    sigma, rho = sigma.copy(), rho.copy()
    added = np.zeros_like(rho)
    nothing = _ROUNDINGS * len(sigma) * np.finfo(rho.dtype).eps
    for j in range(len(sigma)):
        left = sigma[j, j]
        if left <= nothing:
            continue
        added[j] = rho[j] ** 2 / left
        weights = sigma[j + 1 :, j] / left
        rho[j + 1 :] -= np.outer(weights, rho[j])
        sigma[j + 1 :] -= np.outer(weights, sigma[j])
    return added


def _names(
    given: Sequence[str] | np.ndarray, argument: str, order: Int[np.ndarray, " k"]
) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) or not np.iterable(given) else list(given)
    if len(listed) != len(order):
        raise ValueError(f"{argument}: expected {len(order)} names, found {len(listed)}")
    return tuple(str(listed[i]) for i in order)


def _two_digits(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:.2f}"  # no minus zero


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
