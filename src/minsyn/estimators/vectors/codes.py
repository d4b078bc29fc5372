"""Codes that summarise correlated features."""

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import beta

__all__ = ["find_codes", "squared_correlations"]

#: Number of codes that summarise many features; few, so that each is a mean of many noisy ones.
_CODES = 60
#: Most features that are clustered by all their correlations; others join the nearest code.
_CLUSTERED = 3000
#: Family-wise error of the correlations that make a code.
_LEVEL = 0.05


def find_codes(
    standard: Float[np.ndarray, "samples features"],
) -> tuple[Float[np.ndarray, "samples codes"], Int[np.ndarray, " features"]]:
    """Summarise features by the first principal components of clusters of correlated ones.

    A few features are codes themselves. Features that correlate with no other one make no code:
    each would be a group of its own.

    Parameters
    ----------
    standard : ndarray of shape (n_samples, n_features)
        Standardised features.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_codes)
        Standardised; no codes where no two features are significantly correlated.
    nearest : ndarray of shape (n_features,)
        The code that each feature correlates with most; -1 where no correlation is significant.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pair = np.repeat(rng.normal(size=(200, 1)), 2, axis=1) + 0.1 * rng.normal(size=(200, 2))
    >>> X = np.column_stack([pair, rng.normal(size=200)])
    >>> codes, nearest = find_codes((X - X.mean(axis=0)) / X.std(axis=0))
    >>> codes.shape, nearest
    ((200, 2), array([ 0,  1, -1]))
    """
    n_samples, n_features = standard.shape
    # Evenly spread over the columns, as neighbours are often alike.
    sample = np.unique(np.linspace(0, n_features - 1, min(n_features, _CLUSTERED)).astype(int))
    squares = squared_correlations(standard[:, sample])
    np.fill_diagonal(squares, 0.0)
    n_pairs = len(sample) * (len(sample) - 1) / 2
    correlated = squares.max(axis=1) > _largest_by_chance(n_samples, n_pairs)
    sample, squares = sample[correlated], squares[np.ix_(correlated, correlated)]
    if len(sample) <= 2 * _CODES:
        codes = standard[:, sample]
    else:
        distances = np.sqrt(2 * np.maximum(1 - np.sqrt(squares), 0.0))
        np.fill_diagonal(distances, 0.0)
        tree = linkage(squareform(distances, checks=False), "ward")
        clusters = fcluster(tree, _CODES, "maxclust")
        codes = np.stack(
            [_first_component(standard[:, sample[clusters == c]]) for c in np.unique(clusters)],
            axis=1,
        )
    if codes.shape[1] == 0:
        return codes, np.full(n_features, -1)
    explained = np.square(codes.T @ standard / n_samples)
    nearest = explained.argmax(axis=0)
    significant = explained.max(axis=0) > _largest_by_chance(n_samples, n_features * codes.shape[1])
    return codes, np.where(significant, nearest, -1)


def squared_correlations(
    standard: Float[np.ndarray, "samples k"],
) -> Float[np.ndarray, "k k"]:
    """Squared correlations of standardised variables.

    Parameters
    ----------
    standard : ndarray of shape (n_samples, k)
        Variables of mean 0 and variance 1.
    """
    return np.square(standard.T @ standard / len(standard))


def _largest_by_chance(n_samples: int, n_tests: float) -> float:
    """Squared correlation that the largest of many exceeds by chance in 5 % of cases."""
    return float(beta.isf(_LEVEL / max(n_tests, 1), 0.5, (n_samples - 2) / 2))


def _first_component(
    standard: Float[np.ndarray, "samples k"],
) -> Float[np.ndarray, " samples"]:
    """Standardised scores of the first principal component."""
    return np.linalg.svd(standard, full_matrices=False)[0][:, 0] * np.sqrt(len(standard))
