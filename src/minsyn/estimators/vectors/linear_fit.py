"""Linear latents of one group of features, from its covariance."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from minsyn.estimators.vectors.group_fit import DECODER_PENALTY

__all__ = ["LinearFit", "fit_linear_group"]

#: Directions with less than this share of the first one's variance are rounding.
_RANK_TOLERANCE = 1e-12


class LinearFit(NamedTuple):
    """Encoder and decoder of one group.

    Attributes
    ----------
    encoder_weights, encoder_bias : ndarray of shape (n_latents, n_features) and (n_latents,)
        Encoder of latents.
    components, intercept : ndarray of shape (n_latents, n_features) and (n_features,)
        Decoder of features.
    loss : float
        Weighted and penalised squared error, summed over the features.
    """

    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss: float


def fit_linear_group(
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    n_latents: int,
    *,
    penalty: float,
) -> LinearFit:
    r"""Fit linear latents and their decoder to the features of one group.

    The minimum over :math:`A` and :math:`D` of

    .. math::

        \sum_s w_s \lVert x_s - \bar x - (x_s - \bar x) A' D \rVert^2
        + \lambda p V \Bigl(p V \lVert A \rVert^2 + \frac{100}{p V} \lVert D \rVert^2\Bigr),

    with :math:`V` the features' mean variance and :math:`p` their number. It is at the principal
    components: of one with variance :math:`\sigma^2`, the share
    :math:`1 - 10 \lambda p V / \sigma^2`, or nothing, is reconstructed [1]_. Latents are given unit
    variance, and a positive weight on the feature on which they depend most.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features of the group.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.
    n_latents : int
        Number of latents. Those beyond the rank are 0.
    penalty : float
        :math:`\lambda`.

    Returns
    -------
    LinearFit

    References
    ----------
    .. [1] Kunin, Bloom, Goeva and Seed, "Loss landscapes of regularized linear autoencoders",
       International Conference on Machine Learning, 2019.

    Examples
    --------
    >>> X = np.repeat(np.random.default_rng(0).normal(size=(100, 1)), 3, axis=1)
    >>> fit = fit_linear_group(X, np.ones(100), 1, penalty=0.0)
    >>> np.allclose(fit.components, X.std(axis=0)), round(fit.loss, 6)
    (True, 0.0)
    """
    n_samples, n_features = X.shape
    share = sample_weight / sample_weight.sum()
    mean = share @ X
    dX = X - mean
    dX *= np.sqrt(share)[:, np.newaxis]
    few = n_samples < n_features
    gram = dX @ dX.T if few else dX.T @ dX
    total = max(float(np.trace(gram)), np.finfo(np.float64).tiny)
    first = max(len(gram) - n_latents, 0)
    variances, vectors = eigh(gram, subset_by_index=(first, len(gram) - 1))
    variances, vectors = variances[::-1], vectors[:, ::-1]
    kept = variances > _RANK_TOLERANCE * max(variances[0], np.finfo(np.float64).tiny)
    variances, std = variances[kept], np.sqrt(variances[kept])[:, np.newaxis]
    axes = vectors[:, kept].T @ dX / std if few else vectors[:, kept].T
    strongest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[np.arange(len(axes)), strongest] < 0, -1.0, 1.0)[:, np.newaxis]

    # Of a weight a of the encoder and d of the decoder with the product g, the penalty is least
    # where both parts are equal: 2 sqrt(100) g.
    cost = penalty * np.sqrt(DECODER_PENALTY) * total
    g = np.maximum(1 - cost / variances, 0.0)
    components = np.zeros((n_latents, n_features))
    encoder_weights = np.zeros((n_latents, n_features))
    components[: len(axes)] = g[:, np.newaxis] * std * axes
    encoder_weights[: len(axes)] = axes / std
    loss = total - float(variances @ (1 - (1 - g) ** 2)) + 2 * cost * float(g.sum())
    return LinearFit(encoder_weights, -encoder_weights @ mean, components, mean, max(loss, 0.0))
