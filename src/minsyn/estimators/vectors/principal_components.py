"""Principal components of a group of features."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

__all__ = ["leading_components", "variances_along_components"]

#: Directions with less than this share of the first one's variance are rounding.
_RANK_TOLERANCE = 1e-12


def leading_components(
    dX: Float[np.ndarray, "samples k"], depth: int
) -> tuple[Float[np.ndarray, "samples d"], Float[np.ndarray, " d"], Float[np.ndarray, "d k"]]:
    """First terms of the singular value decomposition, from the smaller of the Gram matrices.

    Parameters
    ----------
    dX : ndarray of shape (n_samples, k)
        Centred features.
    depth : int
        Number of components; fewer are returned where the rank is lower, but at least one.

    Returns
    -------
    u : ndarray of shape (n_samples, d)
    s : ndarray of shape (d,)
    vt : ndarray of shape (d, k)

    Examples
    --------
    >>> dX = np.array([[3.0, 4.0], [-3.0, -4.0]])
    >>> u, s, vt = leading_components(dX, 2)
    >>> s.round(6), np.allclose(u * s @ vt, dX)
    (array([7.071068]), True)
    """
    n_samples, n_features = dX.shape
    gram = dX @ dX.T if n_samples <= n_features else dX.T @ dX
    size = len(gram)
    squares, vectors = eigh(gram, subset_by_index=(max(size - depth, 0), size - 1))
    squares, vectors = squares[::-1], vectors[:, ::-1]
    kept = max(int(np.sum(squares > _RANK_TOLERANCE * squares[0])), 1)
    s, vectors = np.sqrt(np.maximum(squares[:kept], np.finfo(float).tiny)), vectors[:, :kept]
    if n_samples <= n_features:
        return vectors, s, (vectors.T @ dX) / s[:, np.newaxis]
    return dX @ vectors / s, s, vectors.T


def variances_along_components(
    X: Float[np.ndarray, "samples features"], sample_weight: Float[np.ndarray, " samples"]
) -> Float[np.ndarray, " components"]:
    """Weighted variances along the principal components, in descending order.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    >>> variances_along_components(X, np.ones(4))
    array([2. , 0.5])
    """
    share = sample_weight / sample_weight.sum()
    dX = np.sqrt(share)[:, np.newaxis] * (X - share @ X)
    gram = dX @ dX.T if len(dX) <= dX.shape[1] else dX.T @ dX
    return np.asarray(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0))
