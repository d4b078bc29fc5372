"""Result of a solver: encoder and decoder for the original data."""

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
        Encoder in evaluation mode, on the CPU. It returns pre-activations of the original data.
    latents : Latents
        Kind of latents.
    observations : Observations
        Kind of observations.
    components : ndarray of shape (n_components, n_features)
        Weights of the natural parameter.
    intercept : ndarray of shape (n_features,)
        Natural parameter when all latents are 0.
    loss_curve : list of float
        Training loss of each epoch or iteration, in the units of the data.
    converged : bool
        Whether the fit converged.
    statistics : PairwiseStatistics or None
        Statistics of latents and features from which the decoder was computed, if any.
    moments : Moments or None
        Mean and covariance of the features, if the fit followed from them.
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
