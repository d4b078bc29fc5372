"""Features that a table of loadings lists, under the factor that each belongs to."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from minsyn.metrics import Loadings, sort_loadings

__all__ = ["LoadingRows", "loading_rows"]

#: Features up to which all are listed, and the number listed of each factor beyond.
_ALL_LISTED, _OF_EACH = 60, 10


@dataclass(frozen=True, eq=False)
class LoadingRows:
    """Rows of a table of loadings.

    Attributes
    ----------
    loadings : Loadings
        With features in the order of `minsyn.metrics.sort_loadings`.
    hide_below : float
        Magnitude below which a loading is not shown.
    sections : tuple of integer arrays
        Features of each factor that are listed, by their places in ``loadings``, the strongest
        first; then those without a loading that is shown. Without empty sections.
    n_hidden : int
        Number of features that are not listed.
    """

    loadings: Loadings
    hide_below: float
    sections: tuple[Int[np.ndarray, "_"], ...]
    n_hidden: int

    def text(self, feature: int, factor: int) -> str:
        """A loading with two decimals; empty where it is not shown.

        Parameters
        ----------
        feature, factor : int
            Places in ``loadings``.
        """
        value = self.loadings.values[feature, factor]
        return "" if abs(value) < self.hide_below else two_decimals(value)


def loading_rows(
    loadings: Loadings, *, hide_below: float = 0.3, top: int | None = None
) -> LoadingRows:
    """Choose the features that a table lists.

    Parameters
    ----------
    loadings : Loadings
        From `minsyn.metrics.loadings`.
    hide_below : float, default=0.3
        Magnitude below which a loading is not shown.
    top : int, optional
        The most features to list of each factor. Default: all, up to 60 features; 10 beyond.

    Returns
    -------
    LoadingRows

    Examples
    --------
    >>> from minsyn.information import PairwiseStatistics
    >>> from minsyn.metrics import loadings
    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> rows = loading_rows(loadings(PairwiseStatistics.of(z, z[:, [0, 1, 1]])), top=1)
    >>> [rows.loadings.feature_names[i] for section in rows.sections for i in section]
    ['x1', 'x0']
    >>> rows.n_hidden
    1
    """
    table = sort_loadings(loadings)
    strength = np.abs(table.values)
    strongest = np.argmax(strength, axis=1)
    belongs = strength.max(axis=1) >= hide_below
    if top is None and len(strength) > _ALL_LISTED:
        top = _OF_EACH
    sections = [
        np.flatnonzero(belongs & (strongest == factor))[:top] for factor in range(strength.shape[1])
    ]
    if top is None:
        sections.append(np.flatnonzero(~belongs))
    listed = sum(map(len, sections))
    return LoadingRows(
        table, hide_below, tuple(part for part in sections if len(part)), len(strength) - listed
    )


def two_decimals(value: float) -> str:
    """A number with two decimals, never minus zero."""
    return f"{round(float(value), 2) + 0.0:.2f}"
