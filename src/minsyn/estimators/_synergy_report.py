"""How synergistic the latents of a fitted model are about each feature, as measured on data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from minsyn.information import PairwiseStatistics, synergy_from_statistics

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SynergyReport", "synergy_report"]

_MEASURES = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")
_COLUMNS = ("total_information", "gk_union", "gk_synergy", "ci_synergy")
_TITLES = ("total information", "GK union", "GK synergy", "CI synergy")
#: Share of the total information from which on the bias is pointed out.
_LARGE_BIAS = 0.1
#: Features that are listed, those of most CI synergy.
_LISTED = 5


@dataclass(frozen=True, eq=False)
class SynergyReport:
    r"""Measured information and synergy of latents about each feature, in bits.

    Latents and features are taken as jointly Gaussian: the measures are those of
    `minsyn.information.gaussian`, of the samples' correlations. Constant features have 0
    everywhere; constant latents tell nothing. A feature that the latents determine has infinite
    total information.

    Attributes
    ----------
    total_information : ndarray of shape (n_features,)
        :math:`I(Z; X_i)`, what all latents tell together.
    gk_union : ndarray of shape (n_features,)
        What the best single latent tells (Eq. 14).
    gk_synergy : ndarray of shape (n_features,)
        The rest, which is in the combination (Eq. 3 and 15).
    ci_synergy : ndarray of shape (n_features,)
        What a decoder loses that takes latents for independent given the feature (Eq. 4).
    best_latent : integer array of shape (n_features,)
        The latent that tells most alone; -1 where none tells anything.
    variance : ndarray of shape (n_features,)
        Of the features, by which `mean` weighs them.
    features : tuple of str
        Their names.
    n_samples : int
        Number of samples that were measured.
    bias : float
        What sampling alone adds to each feature's total information on average (exact for
        Gaussian variables); all of it shows as GK synergy, but for ``union_bias``. CI synergy has
        no such formula, but its decoder of all latents is fitted to the noise alike.
    union_bias : float
        The same for one latent alone.
    """

    total_information: Float[np.ndarray, " features"]
    gk_union: Float[np.ndarray, " features"]
    gk_synergy: Float[np.ndarray, " features"]
    ci_synergy: Float[np.ndarray, " features"]
    best_latent: Int[np.ndarray, " features"]
    variance: Float[np.ndarray, " features"]
    features: tuple[str, ...]
    n_samples: int
    bias: float
    union_bias: float

    @property
    def mean(self) -> dict[str, float]:
        """Means over the features by measure, weighted by the features' variances."""
        share = self.variance / (self.variance.sum() or 1.0)
        return {name: float(share @ getattr(self, name)) for name in _COLUMNS}

    @property
    def sum(self) -> dict[str, float]:
        """Plain sums over the features by measure."""
        return {name: float(getattr(self, name).sum()) for name in _COLUMNS}

    def to_frame(self) -> "DataFrame":
        """One row a feature, one column a measure.

        Returns
        -------
        DataFrame
            Indexed by the features' names; totals are `mean` and `sum`.
        """
        import pandas as pd

        columns = {name: getattr(self, name) for name in (*_COLUMNS, "best_latent", "variance")}
        return pd.DataFrame(columns, index=pd.Index(self.features, name="feature"))

    def __str__(self) -> str:
        mean, total = self.mean, self.sum
        lines = [
            f"Synergy of the latents about {len(self.features)} features, in bits "
            f"({self.n_samples} samples)",
            f"{'':18}{'weighted mean':>14}{'sum':>12}",
        ]
        for name, title in zip(_COLUMNS, _TITLES, strict=True):
            lines.append(f"{title:18}{mean[name]:>14.4f}{total[name]:>12.4f}")
        most = np.argsort(-self.ci_synergy, kind="stable")[:_LISTED]
        named = [f"{self.features[i]} ({self.ci_synergy[i]:.4f})" for i in most]
        lines.append("Means weigh features by their variance. Most CI synergy: " + ", ".join(named))
        if self.bias > _LARGE_BIAS * mean["total_information"]:
            lines.append(
                f"Few samples for so many latents: of a feature's information {self.bias:.4f} "
                f"bits are bias, and so are {self.bias - self.union_bias:.4f} of its GK synergy; "
                "CI synergy is too large alike"
            )
        return "\n".join(lines)


def synergy_report(
    Z: Float[np.ndarray, "samples latents"],
    X: Float[np.ndarray, "samples features"],
    features: tuple[str, ...],
) -> SynergyReport:
    """Measure latents against features.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_components)
        Latents.
    X : ndarray of shape (n_samples, n_features)
        Features.
    features : tuple of str
        Names of the features.

    Returns
    -------
    SynergyReport

    Raises
    ------
    ValueError
        If there are no more than n_components + 1 samples, counting latents that vary: then they
        seem to determine every feature.

    Examples
    --------
    Two independent latents and their sum: either alone tells half a bit of it.

    >>> Z = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5, float)
    >>> report = synergy_report(Z, np.column_stack([Z.sum(axis=1), np.ones(20)]), ("sum", "one"))
    >>> report.gk_union, report.gk_synergy
    (array([0.5, 0. ]), array([inf,  0.]))
    """
    Z, X = Z.astype(np.float64, copy=False), X.astype(np.float64, copy=False)
    n_samples = len(X)
    statistics = PairwiseStatistics.of(Z, X)
    n_varying = int((statistics.std_z > 0).sum())
    if n_varying and n_samples <= n_varying + 1:
        raise ValueError(
            f"X has {n_samples} samples, which {n_varying} latents seem to determine: "
            f"measure synergy on at least {n_varying + 2}, and rather on many more"
        )
    result = synergy_from_statistics(statistics, measures=_MEASURES)
    bias = {name: float(v.max()) for name, v in result.sampling_bias.items()}
    return SynergyReport(
        **{column: result[name] for column, name in zip(_COLUMNS, _MEASURES, strict=True)},
        best_latent=result.best_source,
        variance=statistics.std_x**2,
        features=features,
        n_samples=n_samples,
        bias=bias["mutual_information"],
        union_bias=bias["union_information"],
    )
