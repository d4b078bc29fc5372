"""Griffith and Koch's union information of pmfs, with a certificate."""

from minsyn.information.union.measure import (
    UncertifiedWarning,
    UnionInformation,
    UnionInformationBatch,
    gk_synergy,
    union_information,
    union_information_batch,
)

__all__ = [
    "UncertifiedWarning",
    "UnionInformation",
    "UnionInformationBatch",
    "gk_synergy",
    "union_information",
    "union_information_batch",
]
