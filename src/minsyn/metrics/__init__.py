"""Scores of representations: reconstruction, factors by their features, agreement of groups."""

from minsyn.metrics.concentration import average_character_concentration, character_concentration
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
    "FactorSummary",
    "GroupAgreement",
    "Loadings",
    "Scree",
    "average_character_concentration",
    "character_concentration",
    "cross_entropy",
    "empirical_kaiser",
    "group_agreement",
    "loadings",
    "minimum_average_partial",
    "parallel_analysis",
    "sort_loadings",
    "squared_error",
    "summarise_factors",
]
