"""Correlations of features, and principal components of some of them."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh, eigvalsh, lapack

from minsyn.estimators.vectors.dimensions import LEAST_VARIANCE, n_dimensions

__all__ = ["Correlations"]

#: Directions with less than this share of the first one's variance are rounding.
_RANK_TOLERANCE = 1e-12
#: The same, generously and of a feature's variance, where the rank itself is of interest.
_LEAST_SHARE = 1e-9
#: Where the rank is no more than this share of what it could be, there is no noise.
_LOW_RANK = 0.5
#: A feature that varies by less than this share of its size is rounding.
_LEAST_VARIATION = 1e-13


class Correlations:
    """Correlations of features, as a matrix or, of more features than samples, as samples.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features. Constant ones correlate with none.

    Attributes
    ----------
    n_samples, n_features : int
        Shape of the data.
    n_distinct : int
        Number of distinct samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(100, 1)), 3, axis=1) + 0.1 * rng.normal(size=(100, 3))
    >>> correlations = Correlations(X)
    >>> variances, axes = correlations.components(np.arange(3), number=1)
    >>> variances.round(1), axes.shape
    (array([3.]), (1, 3))
    >>> correlations.explained(np.arange(3), variances, axes).round(1)
    array([[1., 1., 1.]])
    """

    def __init__(self, X: Float[np.ndarray, "samples features"]) -> None:
        self.n_samples, self.n_features = X.shape
        rows = np.ascontiguousarray(X).view(np.dtype((np.void, X.itemsize * self.n_features)))
        self.n_distinct = len(np.unique(rows))
        standard = X - X.mean(axis=0)
        std = np.sqrt(np.einsum("si,si->i", standard, standard) / self.n_samples)
        constant = std <= _LEAST_VARIATION * np.abs(X).max(axis=0, initial=0.0)
        std[constant] = np.inf
        standard /= std
        self._wide = self.n_features > self.n_samples
        self._values = standard if self._wide else standard.T @ standard / self.n_samples

    def among(self, features: Int[np.ndarray, " k"]) -> "Correlations":
        """Correlations of some of the features."""
        part = object.__new__(Correlations)
        part.n_samples, part.n_features = self.n_samples, len(features)
        part.n_distinct = self.n_distinct
        part.__dict__["noiseless"] = self.noiseless
        part._wide = self._wide
        part._values = self._values[:, features] if self._wide else self._of(features)[:, features]
        return part

    def components(
        self,
        features: Int[np.ndarray, " k"],
        *,
        number: int | None = None,
        least: float = 0.0,
    ) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d k"]]:
        """First principal components of some features.

        Parameters
        ----------
        features : ndarray of shape (k,)
            The features.
        number : int, optional
            Number of components; fewer are returned where the rank is lower.
        least : float, default=0.0
            Variance that components must exceed, where no number is given.

        Returns
        -------
        variances : ndarray of shape (d,)
            Descending.
        axes : ndarray of shape (d, k)
            Of unit length.
        """
        k = len(features)
        if k == 0:
            return np.zeros(0), np.zeros((0, 0))
        gram, samples = self._gram(features)
        few = len(gram) < k
        size = len(gram)
        if number is None:
            variances, vectors = eigh(gram, subset_by_value=(least, np.inf))
        else:
            first = max(size - number, 0)
            variances, vectors = eigh(gram, subset_by_index=(first, size - 1))
        variances, vectors = variances[::-1], vectors[:, ::-1]
        kept = variances > _RANK_TOLERANCE * variances.max(initial=0.0)
        variances, axes = variances[kept], vectors[:, kept].T
        if few and samples is not None:
            axes = axes @ samples / np.sqrt(variances * self.n_samples)[:, np.newaxis]
        return variances, axes

    @cached_property
    def noiseless(self) -> bool:
        """Whether the rank is much less than the numbers of features and samples."""
        most = int(_LOW_RANK * min(self.n_features, self.n_distinct))
        # So many features that do not determine one another are the usual case, and soon tried.
        some = np.linspace(0, self.n_features - 1, min(most + 1, self.n_features)).astype(int)
        factor, failed = lapack.dpotrf(self._gram(some)[0])
        if not failed and np.diagonal(factor).min(initial=1.0) ** 2 > _LEAST_SHARE:
            return False
        gram, _ = self._gram(np.arange(self.n_features))
        rank = int(np.sum(eigvalsh(gram) > _LEAST_SHARE))
        return 0 < rank <= most

    def significant_components(
        self, features: Int[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d k"], int]:
        """Principal components of some features, and how many of them stand out from noise.

        Parameters
        ----------
        features : ndarray of shape (k,)
            The features.

        Returns
        -------
        variances, axes : ndarray of shape (d,) and (d, k)
            At least the components that stand out.
        number : int
            Of those that do; all where there is no noise.
        """
        if self.noiseless:
            variances, axes = self.components(features, least=_LEAST_SHARE)
            return variances, axes, len(variances)
        variances, axes = self.components(features, least=LEAST_VARIANCE)
        return variances, axes, n_dimensions(variances, axes, self.n_samples)

    def explained(
        self,
        features: Int[np.ndarray, " k"],
        variances: Float[np.ndarray, " d"],
        axes: Float[np.ndarray, "d k"],
    ) -> Float[np.ndarray, "d features"]:
        """Squared correlations of components of some features with all features."""
        per_std = axes / np.sqrt(variances)[:, np.newaxis]
        if not self._wide:
            return np.square(per_std @ self._of(features))
        scores = per_std @ self._values[:, features].T
        return np.square(scores @ self._values / self.n_samples)

    def _gram(
        self, features: Int[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "d d"], Float[np.ndarray, "samples k"] | None]:
        """The smaller matrix of products of some features, and their samples if they are kept."""
        if not self._wide:
            return self._of(features)[:, features], None
        samples = self._values[:, features]
        few = self.n_samples < len(features)
        return (samples @ samples.T if few else samples.T @ samples) / self.n_samples, samples

    def _of(self, features: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k features"]:
        return self._values[features]
