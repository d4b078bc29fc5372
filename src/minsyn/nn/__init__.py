"""Synergy-minimal decoders as torch modules: weights that are set from statistics, never trained.

In training a decoder takes ``(z, x)``, sets itself from the statistics of that batch, and keeps a
moving average of them; in evaluation it takes ``z`` and uses the average. Over several processes
the batch is that of all of them together (see `minsyn.nn.ranks`).
"""

from minsyn.nn.decoders import BernoulliDecoder, Decoder, GaussianDecoder
from minsyn.nn.ranks import share_of_batch, statistics_over_ranks
from minsyn.nn.statistics import RunningStatistics

__all__ = [
    "BernoulliDecoder",
    "Decoder",
    "GaussianDecoder",
    "RunningStatistics",
    "share_of_batch",
    "statistics_over_ranks",
]
