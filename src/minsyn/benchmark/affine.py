"""Decoders that are a link function of an affine map, written out so that a page can run them."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit

__all__ = ["AffineDecoder", "affine_decoder"]

#: Largest difference from the estimator's own reconstructions, over all of their values: float32
#: has some of it, a decoder of another kind far more.
_TOLERANCE = 1e-3


class AffineDecoder(NamedTuple):
    """Reconstructions ``bias + Z @ weights``, through the logistic function if ``logistic``.

    Attributes
    ----------
    weights : ndarray of shape (n_components, n_features)
        Contribution of each latent.
    bias : ndarray of shape (n_features,)
        Reconstruction when all latents are 0, before the logistic function.
    logistic : bool
        Whether values are probabilities.
    """

    weights: Float[np.ndarray, "components features"]
    bias: Float[np.ndarray, " features"]
    logistic: bool

    def __call__(
        self, Z: Float[np.ndarray, "samples components"]
    ) -> Float[np.ndarray, "samples features"]:
        """Decode latents.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_components)
            Latents.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        natural = self.bias + Z @ self.weights
        return expit(natural) if self.logistic else natural


def affine_decoder(
    estimator: Any,
    weights: Float[np.ndarray, "components features"],
    Z: Float[np.ndarray, "samples components"],
) -> AffineDecoder | None:
    """The decoder of a fitted estimator, if it is a link function of an affine map.

    Parameters
    ----------
    estimator : object
        Fitted, with ``inverse_transform``.
    weights : ndarray of shape (n_components, n_features)
        Its decoder maps (`decoder_maps`).
    Z : ndarray of shape (n_samples, n_components)
        Latents on which the result has to agree with the estimator.

    Returns
    -------
    AffineDecoder or None
        None for decoders of another kind.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> pca = PCA(2).fit(X)
    >>> decoder = affine_decoder(pca, pca.components_, pca.transform(X))
    >>> bool(np.allclose(decoder.bias, X.mean(axis=0))), decoder.logistic
    (True, False)
    """
    if not hasattr(estimator, "inverse_transform") or Z.shape[1:] != weights.shape[:1]:
        return None
    expected = np.asarray(estimator.inverse_transform(Z))
    at_zero = np.asarray(estimator.inverse_transform(np.zeros_like(Z[:1])))[0]
    candidates = [AffineDecoder(weights, at_zero, False)]
    # A probability of 1 in float32 has no logit: the bias is read where the estimator keeps it.
    intercept = np.asarray(getattr(estimator, "intercept_", 0.0))
    if intercept.shape == weights.shape[1:]:
        candidates.append(AffineDecoder(weights, intercept, True))
    return next(
        (
            decoder
            for decoder in candidates
            if np.allclose(decoder(Z), expected, rtol=_TOLERANCE, atol=_TOLERANCE)
        ),
        None,
    )
