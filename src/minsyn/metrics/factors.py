"""What each factor of a representation is made of, from pairwise statistics alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.information import gaussian
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["FactorSummary", "summarise_factors"]


@dataclass(frozen=True)
class FactorSummary:
    r"""What factors tell about features, as far as their correlations say.

    Informations are those of Gaussian variables of the same correlations, in bits. Explained
    variances are those of the best linear prediction. All are 0 for features that do not vary.

    Attributes
    ----------
    correlation : ndarray of shape (n_factors, n_features)
        Of each factor with each feature.
    information : ndarray of shape (n_factors, n_features)
        What each factor tells alone, :math:`-\tfrac12 \log_2 (1 - \rho^2)`.
    feature_share : ndarray of shape (n_factors, n_features)
        Of the variance that a factor explains alone, the part that lies in each feature; a row
        sums to 1, or is 0 for a factor that explains nothing.
    explained_alone : ndarray of shape (n_factors,)
        Fraction of the total variance of the features that each factor explains alone.
    explained_only : ndarray of shape (n_factors,)
        Fraction that no other factor explains: what is lost without it.
    explained : float
        Fraction that all explain together.
    closest : ndarray of shape (n_factors,)
        Correlation with the factor that each is most correlated with; 0 for a single factor.
    mutual_information, union_information, gk_synergy, ci_synergy : ndarray of shape (n_features,)
        What all factors tell about each feature; what the best of them tells alone; the rest, which
        is only in their combination; and what a decoder loses that takes them for independent
        given the feature.
    """

    correlation: Float[np.ndarray, "factors features"]
    information: Float[np.ndarray, "factors features"]
    feature_share: Float[np.ndarray, "factors features"]
    explained_alone: Float[np.ndarray, " factors"]
    explained_only: Float[np.ndarray, " factors"]
    explained: float
    closest: Float[np.ndarray, " factors"]
    mutual_information: Float[np.ndarray, " features"]
    union_information: Float[np.ndarray, " features"]
    gk_synergy: Float[np.ndarray, " features"]
    ci_synergy: Float[np.ndarray, " features"]

    def top_features(self, factor: int, n: int) -> list[int]:
        """The features that a factor tells most about, at most ``n``; none that it knows not.

        Parameters
        ----------
        factor : int
            The factor.
        n : int
            How many.
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
    """Describe factors by the statistics of a fitted model, or of its latents on other data.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Of latents ``z`` and features ``x``, NumPy arrays.
    unit : ndarray of shape (n_features,), optional
        What features are measured by when their variances are summed: their standard deviations
        let all count alike. By default they count by their variance.

    Returns
    -------
    FactorSummary

    Examples
    --------
    Two features that one factor is behind, and one of another's:

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
        variance = variance / unit**2
    total = float(variance.sum()) or 1.0

    def explained_by(kept: Int[np.ndarray, " kept"]) -> float:
        if len(kept) == 0:
            return 0.0
        bits = gaussian.mutual_information(sigma[np.ix_(kept, kept)], rho[kept])
        return float(variance @ (1 - 4.0**-bits)) / total

    factors = np.arange(len(sigma))
    explained = explained_by(factors)
    by_feature = variance * rho**2
    by_factor = by_feature.sum(axis=1)
    with np.errstate(divide="ignore"):
        information = -0.5 * np.log2(1 - rho**2)
    others = sigma - np.diag(np.diag(sigma))
    return FactorSummary(
        correlation=rho,
        information=information + 0.0,
        feature_share=by_feature / np.where(by_factor > 0, by_factor, 1.0)[:, np.newaxis],
        explained_alone=by_factor / total,
        explained_only=np.array(
            [max(0.0, explained - explained_by(np.delete(factors, j))) for j in factors]
        ),
        explained=explained,
        closest=others[factors, np.abs(others).argmax(axis=1)],
        mutual_information=gaussian.mutual_information(sigma, rho),
        union_information=gaussian.union_information(sigma, rho),
        gk_synergy=gaussian.gk_synergy(sigma, rho),
        ci_synergy=gaussian.ci_synergy(sigma, rho),
    )
