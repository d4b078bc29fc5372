"""Synergy of samples: estimates, corrections of bias, intervals and p-values."""

from minsyn.information.sampled.estimation import (
    ConstantSourceWarning,
    SlowResamplingWarning,
    synergy,
    synergy_from_statistics,
)
from minsyn.information.sampled.lags import Embedding, embed
from minsyn.information.sampled.nonlinear import NonlinearDependenceWarning
from minsyn.information.sampled.result import SynergyResult
from minsyn.information.sampled.table import ManyCategoriesWarning

__all__ = [
    "ConstantSourceWarning",
    "Embedding",
    "ManyCategoriesWarning",
    "NonlinearDependenceWarning",
    "SlowResamplingWarning",
    "SynergyResult",
    "embed",
    "synergy",
    "synergy_from_statistics",
]
