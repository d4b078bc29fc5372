"""Scores of representations: reconstruction, factors by their features, agreement of groups."""

from minsyn.metrics.concentration import average_character_concentration, character_concentration
from minsyn.metrics.factor_stability import (
    FactorMatch,
    Stability,
    congruence,
    match_factors,
    stability,
)
from minsyn.metrics.factors import FactorSummary, summarise_factors
from minsyn.metrics.feature_loadings import Loadings, loadings, sort_loadings
from minsyn.metrics.grouping import GroupAgreement, group_agreement
from minsyn.metrics.n_factors import (
    AveragePartial,
    Scree,
    empirical_kaiser,
    minimum_average_partial,
    parallel_analysis,
)
from minsyn.metrics.reconstruction import cross_entropy, squared_error

__all__ = [
    "AveragePartial",
    "FactorMatch",
    "FactorSummary",
    "GroupAgreement",
    "Loadings",
    "Scree",
    "Stability",
    "average_character_concentration",
    "character_concentration",
    "congruence",
    "cross_entropy",
    "empirical_kaiser",
    "group_agreement",
    "loadings",
    "match_factors",
    "minimum_average_partial",
    "parallel_analysis",
    "sort_loadings",
    "squared_error",
    "stability",
    "summarise_factors",
]
