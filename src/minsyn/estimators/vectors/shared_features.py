"""Features with several parents or of no group: a decoder from the latents of their parents."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from minsyn.estimators.vectors.group_fit import DECODER_PENALTY, LEAST_VARIANCE, log_odds
from minsyn.training.batched_lbfgs import minimise_batch

__all__ = ["decode_shared"]

#: Most evaluations of the decoder's loss, and the relative fall of the loss that ends them.
_MAX_EVALUATIONS, _TOL = 500, 1e-6


def decode_shared(
    Z: Float[np.ndarray, "samples latents"],
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    mask: Bool[np.ndarray, "latents features"],
    *,
    logistic: bool,
    penalty: float,
) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
    r"""Fit a decoder of features from the latents of all their parents.

    Over :math:`D, c`, with :math:`v` the features' total variance,

    .. math::

        \frac1v \sum_s w_s \lVert x_s - f(z_s D + c) \rVert^2
        + \frac{100 \lambda}{p u^2} \lVert D \rVert^2,

    where f is the logistic function and :math:`u = 1`, or f is the identity and :math:`u` the unit
    :math:`\sqrt{v / p}` of the features. This is the decoder's part of the loss of
    `minsyn.estimators.vectors.group_fit.fit_group` and
    `minsyn.estimators.vectors.linear_fit.fit_linear_group`; of the latter it is in closed form.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_latents)
        Latents.
    X : ndarray of shape (n_samples, n_features)
        Features to decode.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.
    mask : ndarray of bool, shape (n_latents, n_features)
        Which latents belong to a parent of each feature.
    logistic : bool
        Whether f is the logistic function.
    penalty : float
        :math:`\lambda`.

    Returns
    -------
    components : ndarray of shape (n_latents, n_features)
        D, which is 0 outside the mask.
    intercept : ndarray of shape (n_features,)
        c.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(200, 2))
    >>> X, mask = Z @ np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1, 1], [1, 0]], dtype=bool)
    >>> D, c = decode_shared(Z, X, np.ones(200), mask, logistic=False, penalty=0.0)
    >>> D.round(1) + 0.0
    array([[1., 2.],
           [3., 0.]])
    """
    n_latents, n_features = mask.shape
    weight = (sample_weight / sample_weight.sum())[:, np.newaxis]
    mean = np.sum(weight * X, axis=0)
    scale = max(float(np.sum(weight * (X - mean) ** 2)), LEAST_VARIANCE)
    if not logistic:
        # In units of the features: scale * 100 / (p u^2) = 100.
        components = _ridge(Z, X - mean, weight, mask, penalty * DECODER_PENALTY)
        return components, mean - np.sum(weight * Z, axis=0) @ components
    cost = penalty * DECODER_PENALTY / n_features

    def evaluate(x: Any) -> tuple[Any, Any]:
        d, c = x[:, : n_latents * n_features], x[:, n_latents * n_features :]
        d = d.reshape(n_latents, n_features) * mask
        x_hat = expit(Z @ d + c)
        slope = x_hat * (1 - x_hat)
        error = x_hat - X
        loss = np.sum(weight * error**2) / scale + cost * np.sum(d**2)
        d_out = 2 / scale * weight * error * slope
        gradient = np.concatenate(
            [((Z.T @ d_out + 2 * cost * d) * mask).ravel(), d_out.sum(axis=0)]
        )
        return np.array([loss]), gradient[np.newaxis]

    start = np.concatenate([np.zeros(mask.size), log_odds(mean)])
    x, _, _ = minimise_batch(evaluate, start[np.newaxis], _MAX_EVALUATIONS, _TOL, lambda loss: None)
    d, c = x[0, : mask.size], x[0, mask.size :]
    return d.reshape(mask.shape) * mask, c


def _ridge(
    Z: Float[np.ndarray, "samples latents"],
    dX: Float[np.ndarray, "samples features"],
    weight: Float[np.ndarray, "samples 1"],
    mask: Bool[np.ndarray, "latents features"],
    cost: float,
) -> Float[np.ndarray, "latents features"]:
    """Ridge regression of each feature on the latents of its mask."""
    dZ = Z - np.sum(weight * Z, axis=0)
    cov_zz, cov_zx = (weight * dZ).T @ dZ, (weight * dZ).T @ dX
    components = np.zeros(mask.shape)
    for pattern in np.unique(mask, axis=1).T:
        features = np.flatnonzero(np.all(mask == pattern[:, np.newaxis], axis=0))
        latents = np.flatnonzero(pattern)
        square = cov_zz[np.ix_(latents, latents)] + cost * np.eye(len(latents))
        # Latents beyond a group's rank are 0, and without a penalty the matrix is singular.
        solved = np.linalg.lstsq(square, cov_zx[np.ix_(latents, features)], rcond=None)[0]
        components[np.ix_(latents, features)] = solved
    return components
