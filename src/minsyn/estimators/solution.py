"""What a solver found: encoder and decoder for the data as they were given."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import nn

from minsyn.information.statistics import Moments, PairwiseStatistics
from minsyn.nn.latents import Latents
from minsyn.nn.observations import Observations

__all__ = ["Solution"]


@dataclass(frozen=True)
class Solution:
    """A fitted encoder and decoder.

    Attributes
    ----------
    encoder : nn.Module
        Gives pre-activations of the data as they were given; in evaluation mode, on the CPU.
    latents : Latents
        Kind of latents.
    observations : Observations
        Kind of observations.
    components : ndarray of shape (n_components, n_features)
        Weights of the natural parameter.
    intercept : ndarray of shape (n_features,)
        Natural parameter where all latents are 0.
    loss_curve : list of float
        Training loss of each epoch or iteration, in the units of the data.
    converged : bool
        Whether the loss had converged.
    statistics : PairwiseStatistics or None
        Statistics of latents and features that the decoder was set from, if any.
    moments : Moments or None
        Mean and covariance of the features, where the fit followed from these.
    """

    encoder: nn.Module
    latents: Latents
    observations: Observations
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss_curve: list[float]
    converged: bool
    statistics: PairwiseStatistics | None = None
    moments: Moments | None = None
