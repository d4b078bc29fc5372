"""Sample weights that balance the values of a group of features."""

import numpy as np
from jaxtyping import Float

from minsyn.estimators.vectors.correlations import Correlations

__all__ = ["balancing_weights", "values_repeat"]

#: Variance of the density's kernel, as a share of the mean squared distance.
_KERNEL_VARIANCE = 0.05
#: Most samples that the density is estimated from; of more, an evenly spaced part.
_DENSITY_SAMPLES = 2000
#: Numbers of a block of distances, few enough for a processor's cache.
_BLOCK = 1 << 18
#: Values repeat where each distinct one has so many samples on average.
_REPEATS = 2
#: Directions whose singular value is below this share of the largest are rounding.
_RANK_TOLERANCE = 1e-5


def balancing_weights(X: Float[np.ndarray, "samples features"]) -> Float[np.ndarray, " samples"]:
    r"""Sample weights under which the values of a group of features are evenly spread.

    The inverse of a kernel density estimate,

    .. math:: w_s = 1 / \sum_t e^{-d(s,t)^2 / (2 \cdot 0.05\, \overline{d^2})}

    with distances :math:`d` on the principal components that stand out from noise [1]_; on all
    components, noise would make all samples equally far apart.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features, none of them constant.

    Returns
    -------
    ndarray of shape (n_samples,)
        Weights of mean 1.

    References
    ----------
    .. [1] Gavish and Donoho, "The optimal hard threshold for singular values is 4/sqrt(3)", 2014:
       the threshold for noise of unknown strength.

    Examples
    --------
    A value that two of three samples have gets half the weight:

    >>> balancing_weights(np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])).round(2)
    array([0.75, 0.75, 1.5 ])
    """
    values, index, counts = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    index = index.ravel()
    dX = values - np.average(values, axis=0, weights=counts)
    u, s, _ = np.linalg.svd(np.sqrt(counts)[:, np.newaxis] * dX, full_matrices=False)
    median = np.median(np.append(s, np.zeros(min(X.shape) - len(s))))
    threshold = _hard_threshold(min(X.shape) / max(X.shape)) * median
    kept = int(np.sum(s > np.maximum(threshold, _RANK_TOLERANCE * s[0])))
    _, _, n_significant = Correlations(X).significant_components(np.arange(X.shape[1]))
    kept = min(max(kept, n_significant, 1), len(s))
    scores = (u[:, :kept] * s[:kept]) / np.sqrt(counts)[:, np.newaxis]
    step = -(-len(scores) // _DENSITY_SAMPLES)
    others, their_counts = scores[::step], counts[::step]
    squares = np.sum(scores**2, axis=1)
    mean = float(
        counts @ squares / counts.sum() + their_counts @ squares[::step] / their_counts.sum()
    )
    mean -= float(
        2 * (counts @ scores) @ (their_counts @ others) / (counts.sum() * their_counts.sum())
    )
    if mean <= 0:
        return np.ones(len(X))
    density = np.empty(len(scores))
    rows = max(_BLOCK // len(others), 1)
    # A distance as one product: s't - s's / 2 - t't / 2. Of many samples there are very many.
    unit, half = _KERNEL_VARIANCE * mean, -squares[:, np.newaxis] / 2
    left = np.hstack([scores, half, np.ones_like(half)]) / unit
    right = np.hstack([scores, np.ones_like(half), half])[::step].T
    for top in range(0, len(scores), rows):
        kernel = left[top : top + rows] @ right
        density[top : top + rows] = np.exp(kernel, out=kernel) @ their_counts
    if step > 1:  # a value far from all of the part has itself nearby
        density = np.maximum(density, counts * (their_counts.sum() / counts.sum()))
    weights = (1 / density)[index]
    return np.asarray(weights / weights.mean())


def _hard_threshold(beta: float) -> float:
    """Singular values that stand out, relative to the median of all; of matrices of that shape."""
    return 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43


def values_repeat(X: Float[np.ndarray, "samples features"]) -> bool:
    """Whether most values of a group of features occur in several samples, as letters do.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Examples
    --------
    >>> values_repeat(np.repeat(np.eye(3), 2, axis=0)), values_repeat(np.eye(3))
    (True, False)
    """
    rows = np.ascontiguousarray(X).view(np.dtype((np.void, X.dtype.itemsize * X.shape[1])))
    return bool(len(X) >= _REPEATS * len(np.unique(rows)))
