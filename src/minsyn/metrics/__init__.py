"""Scores of representations: reconstruction, factors, groups, disentanglement."""

from minsyn.metrics.concentration import average_character_concentration, character_concentration
from minsyn.metrics.disentanglement import (
    DCI,
    dci,
    explicitness,
    factor_informations,
    modularity,
    mutual_information_gap,
    separated_attribute_predictability,
)
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
    "DCI",
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
    "dci",
    "empirical_kaiser",
    "explicitness",
    "factor_informations",
    "group_agreement",
    "loadings",
    "match_factors",
    "minimum_average_partial",
    "modularity",
    "mutual_information_gap",
    "parallel_analysis",
    "separated_attribute_predictability",
    "sort_loadings",
    "squared_error",
    "stability",
    "summarise_factors",
]
