"""Union information of pmfs (Griffith and Koch), with a certificate of accuracy."""

from minsyn.information.union.measure import (
    UncertifiedWarning,
    UnionInformation,
    UnionInformationBatch,
    UnionInformationInterrupt,
    gk_synergy,
    union_information,
    union_information_batch,
)

__all__ = [
    "UncertifiedWarning",
    "UnionInformation",
    "UnionInformationBatch",
    "UnionInformationInterrupt",
    "gk_synergy",
    "union_information",
    "union_information_batch",
]
