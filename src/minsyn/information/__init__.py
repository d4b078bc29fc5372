"""What synergy is: measures, and the decoders that have none of it. Imports no torch."""

from minsyn.information.statistics import PairwiseStatistics

__all__ = ["PairwiseStatistics"]
