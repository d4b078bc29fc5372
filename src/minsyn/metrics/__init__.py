"""Scores of representations: reconstruction, factors by their features, agreement of groups."""

from minsyn.metrics.concentration import average_character_concentration, character_concentration
from minsyn.metrics.factors import FactorSummary, summarise_factors
from minsyn.metrics.grouping import GroupAgreement, group_agreement
from minsyn.metrics.reconstruction import cross_entropy, squared_error

__all__ = [
    "FactorSummary",
    "GroupAgreement",
    "average_character_concentration",
    "character_concentration",
    "cross_entropy",
    "group_agreement",
    "squared_error",
    "summarise_factors",
]
