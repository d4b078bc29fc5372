"""Correlations of factors with features, and the variance that each factor explains."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.information import gaussian
from minsyn.information._arrays import as_numbers
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["FactorSummary", "summarise_factors"]


@dataclass(frozen=True)
class FactorSummary:
    r"""Correlations of factors with features, and the variance that each factor explains.

    Explained variances are those of the best linear prediction. All values are 0 for features that
    do not vary. Synergy about the features is measured by `minsyn.information.synergy`.

    Attributes
    ----------
    correlation : ndarray of shape (n_factors, n_features)
        Correlation of each factor with each feature.
    information : ndarray of shape (n_factors, n_features)
        Information of each factor alone about each feature, in bits, if they are jointly Gaussian:
        :math:`-\tfrac12 \log_2 (1 - \rho^2)`.
    feature_share : ndarray of shape (n_factors, n_features)
        Share of each feature in the variance that a factor explains alone. A row sums to 1, or is
        0 for a factor that explains nothing.
    explained_alone : ndarray of shape (n_factors,)
        Fraction of the total variance of the features that each factor explains alone.
    explained_only : ndarray of shape (n_factors,)
        Fraction that no other factor explains: the loss if this factor is left out.
    explained : float
        Fraction that all factors explain together.
    """

    correlation: Float[np.ndarray, "factors features"]
    information: Float[np.ndarray, "factors features"]
    feature_share: Float[np.ndarray, "factors features"]
    explained_alone: Float[np.ndarray, " factors"]
    explained_only: Float[np.ndarray, " factors"]
    explained: float

    def top_features(self, factor: int, n: int) -> list[int]:
        """Features most strongly correlated with a factor, the strongest first.

        Parameters
        ----------
        factor : int
            The factor.
        n : int
            The most features to return. Features without any correlation are left out.
        """
        strength = np.abs(self.correlation[factor])
        order = np.argsort(-strength, kind="stable")[:n]
        return [int(i) for i in order if strength[i] > 0]

    def order(self) -> list[int]:
        """Factors by the variance that they explain alone, the largest first."""
        return np.argsort(-self.explained_alone, kind="stable").tolist()


def summarise_factors(
    statistics: PairwiseStatistics, unit: Float[np.ndarray, " features"] | None = None
) -> FactorSummary:
    r"""Describe factors by the pairwise statistics of latents and features.

    A factor alone explains the fraction :math:`\sum_i v_i \rho_{ji}^2 / \sum_i v_i` of the
    variance, where :math:`v_i` is the variance of feature :math:`i`; several explain
    :math:`\sum_i v_i \rho_i^\top \Sigma^{-1} \rho_i / \sum_i v_i`.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of latents ``z`` and features ``x``, NumPy arrays: those of a fitted model
        (``model.statistics_``), or of its latents on other data.
    unit : ndarray of shape (n_features,), optional
        Units of the features, by which their variances are measured. Their standard deviations
        give all features the same weight; by default features have their variances as weights.

    Returns
    -------
    FactorSummary

    Raises
    ------
    ValueError
        If ``unit`` does not hold a positive number for each feature.

    Examples
    --------
    The first factor stands behind two features, the second behind one:

    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(1000, 2))
    >>> summary = summarise_factors(PairwiseStatistics.of(z, z[:, [0, 0, 1]]))
    >>> summary.explained_alone.round(1)
    array([0.7, 0.3])
    >>> summary.top_features(1, 1)
    [2]
    """
    sigma, rho = statistics.sigma, statistics.rho
    variance = statistics.std_x**2
    if unit is not None:
        unit = as_numbers(unit, "unit")
        if unit.shape != variance.shape or not ((unit > 0) & (unit < np.inf)).all():
            raise ValueError(
                f"unit must hold {len(variance)} finite numbers above 0, one for each feature; "
                f"found shape {unit.shape}"
            )
        variance = (statistics.std_x / unit) ** 2
    total = float(variance.sum()) or 1.0

    def explained_by(kept: Int[np.ndarray, " kept"]) -> float:
        if len(kept) == 0:
            return 0.0
        # I = -1/2 log2(1 - rho' Sigma^-1 rho), with the limits of singular Sigma.
        bits = gaussian.mutual_information(sigma[np.ix_(kept, kept)], rho[kept])
        return float(variance @ (1 - 4.0**-bits)) / total

    factors = np.arange(len(sigma))
    explained = explained_by(factors)
    by_feature = variance * rho**2
    by_factor = by_feature.sum(axis=1)
    with np.errstate(divide="ignore"):
        information = -0.5 * np.log2(1 - rho**2)
    return FactorSummary(
        correlation=rho,
        information=information + 0.0,  # no minus zero
        feature_share=by_feature / np.where(by_factor > 0, by_factor, 1.0)[:, np.newaxis],
        explained_alone=by_factor / total,
        explained_only=np.array(
            [max(0.0, explained - explained_by(np.delete(factors, j))) for j in factors]
        ),
        explained=explained,
    )
