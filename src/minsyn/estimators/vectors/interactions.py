"""Features that depend on the product of two others, but on neither alone."""

from math import comb

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, rankdata

__all__ = ["find_interaction"]

#: Family-wise error, over all triples.
_LEVEL = 1e-3
#: Most features among which triples are tested, and most samples they are tested on.
_MOST_FEATURES, _MOST_SAMPLES = 40, 5000
#: Fewest samples for the normal approximation.
_LEAST_SAMPLES = 20


def find_interaction(X: Float[np.ndarray, "samples k"]) -> tuple[int, int, int] | None:
    r"""Three features whose product has a mean other than zero, as in an exclusive or.

    Ranks :math:`z` of the features are standardised. With :math:`y = z_i z_j`, both tests of a
    triple must be significant after Bonferroni's correction: that of the mean of :math:`y z_k` and
    that of the correlation of :math:`y` and :math:`z_k`. Of rare values, which occur together in
    one sample or in none, one of both says nothing.

    Parameters
    ----------
    X : ndarray of shape (n_samples, k)
        Features, none of them constant.

    Returns
    -------
    tuple of three ints or None
        The clearest triple; None where there is none, or with fewer than 3 or more than 40
        features, or fewer than 20 samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(2, size=(100, 4)).astype(float)
    >>> X[:, 2] = X[:, 0] != X[:, 3]
    >>> find_interaction(X)
    (0, 2, 3)
    """
    k = X.shape[1]
    if not 3 <= k <= _MOST_FEATURES or len(X) < _LEAST_SAMPLES:
        return None
    z = rankdata(X[:: -(-len(X) // _MOST_SAMPLES)], axis=0)
    z = (z - z.mean(axis=0)) / np.maximum(z.std(axis=0), np.finfo(float).tiny)
    n_samples, squares = len(z), z**2
    limit = norm.isf(_LEVEL / 2 / comb(k, 3))
    best, triple = limit, None
    for i in range(k - 2):
        y = z[:, i, np.newaxis] * z[:, i + 1 :]
        mean = y.T @ z / n_samples
        spread = np.sqrt(np.maximum((y**2).T @ squares / n_samples - mean**2, 1e-12))
        # z has mean 0: the covariance of y and z is the mean of their product.
        correlation = mean / np.maximum(y.std(axis=0), 1e-6)[:, np.newaxis]
        clear = np.sqrt(n_samples) * np.minimum(np.abs(mean / spread), np.abs(correlation))
        clear[np.arange(i + 1, k)[:, np.newaxis] >= np.arange(k)] = 0.0
        j, last = np.unravel_index(clear.argmax(), clear.shape)
        if clear[j, last] > best:
            best, triple = clear[j, last], (i, i + 1 + int(j), int(last))
    return triple
