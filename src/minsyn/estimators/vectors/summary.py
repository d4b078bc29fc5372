"""Summary of vector factors: their groups, what they explain, and the synergy between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from minsyn.information.statistics import std_beyond_rounding

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["GroupSummary", "summarise_groups"]


@dataclass(frozen=True, repr=False)
class GroupSummary:
    """Groups of features on some data; printed, it is a table.

    Attributes
    ----------
    n_features : ndarray of shape (n_groups,)
        Number of features of each group.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    explained : ndarray of shape (n_groups,)
        Share of the variance of each group's features that is reconstructed.
    n_alone : int
        Number of features that vary and belong to no group.
    n_shared : int
        Number of features with several parents.
    total_explained : float
        Share of the variance of all features that is reconstructed.
    gk_synergy : float
        Gaussian GK synergy between the groups, in bits, averaged over the features by their
        variances; NaN with too few samples.
    """

    n_features: Int[np.ndarray, " groups"]
    n_latents: Int[np.ndarray, " groups"]
    explained: Float[np.ndarray, " groups"]
    n_alone: int
    n_shared: int
    total_explained: float
    gk_synergy: float

    def to_frame(self) -> "DataFrame":
        """Table with a row for each group."""
        from pandas import DataFrame, RangeIndex

        columns = {
            "features": self.n_features,
            "latents": self.n_latents,
            "explained": self.explained,
        }
        return DataFrame(columns, index=RangeIndex(len(self.n_features), name="group"))

    def __str__(self) -> str:
        lines = ["group  features  latents  explained"]
        rows = zip(self.n_features, self.n_latents, self.explained, strict=True)
        for group, (n_features, n_latents, explained) in enumerate(rows):
            lines.append(f"{group:>5}{n_features:>10}{n_latents:>9}{_percent(explained):>11}")
        n_features = int(self.n_features.sum()) + self.n_alone
        total = _percent(self.total_explained)
        lines.append(f"  all{n_features:>10}{int(self.n_latents.sum()):>9}{total:>11}")
        notes = {"of no group": self.n_alone, "with several parents": self.n_shared}
        lines += [f"features {what}: {number}" for what, number in notes.items() if number]
        if np.isfinite(self.gk_synergy):
            lines.append(f"GK synergy between groups: {self.gk_synergy:.3f} bits")
        return "\n".join(lines)

    __repr__ = __str__


def summarise_groups(
    X: Float[np.ndarray, "samples features"],
    reconstruction: Float[np.ndarray, "samples features"],
    groups: Int[np.ndarray, " features"],
    n_latents: Int[np.ndarray, " groups"],
    n_shared: int,
    gk_synergy: float,
) -> GroupSummary:
    """Summarise groups of features on some data.

    Parameters
    ----------
    X, reconstruction : ndarray of shape (n_samples, n_features)
        Data, and what a model makes of them.
    groups : ndarray of shape (n_features,)
        The group of each feature; -1 for those of no group.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    n_shared : int
        Number of features with several parents.
    gk_synergy : float
        Synergy between the groups.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [-1.0, -2.0]])
    >>> summarise_groups(X, X * [1.0, 0.5], np.array([0, 1]), np.array([1, 1]), 0, 0.0)
    group  features  latents  explained
        0         1        1     100.0%
        1         1        1      75.0%
      all         2        2      80.0%
    GK synergy between groups: 0.000 bits
    """
    variance = std_beyond_rounding(X.var(axis=0), X.mean(axis=0)) ** 2
    error = np.mean((X - reconstruction) ** 2, axis=0)
    own = np.equal.outer(np.arange(len(n_latents)), groups)
    with np.errstate(over="ignore"):
        explained = 1 - own @ error / np.where(own @ variance > 0, own @ variance, np.nan)
        total = float(1 - error.sum() / variance.sum()) if variance.any() else np.nan
    return GroupSummary(
        own.sum(axis=1),
        np.asarray(n_latents),
        explained,
        int(np.sum((groups < 0) & (variance > 0))),
        n_shared,
        total,
        gk_synergy,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if np.isfinite(share) else "–"
