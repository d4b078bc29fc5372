"""PCA and factor analysis with Kaiser's varimax rotation, as transformers that decode."""

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.utils.validation import check_is_fitted

__all__ = ["VarimaxFactorAnalysis", "VarimaxPCA", "varimax"]

#: Iterations of the rotation, and the relative rise of its criterion below which it ends.
_MAX_ITER, _TOL = 1000, 1e-12


def varimax(
    loadings: Float[np.ndarray, "features factors"],
) -> Float[np.ndarray, "factors factors"]:
    r"""Orthogonal matrix :math:`R` that makes the columns of the loadings :math:`A R` uneven.

    It maximises :math:`\sum_j \mathrm{Var}_i[(A R)_{ij}^2]`, the raw varimax criterion, by repeated
    polar decompositions.

    Parameters
    ----------
    loadings : ndarray of shape (n_features, n_factors)
        Unrotated.

    Returns
    -------
    ndarray of shape (n_factors, n_factors)

    References
    ----------
    Kaiser, "The varimax criterion for analytic rotation in factor analysis", Psychometrika 23,
    1958.

    Examples
    --------
    >>> simple = np.array([[0.9, 0.0], [0.8, 0.0], [0.0, 0.7], [0.0, 0.6]])
    >>> turned = simple @ np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> loadings = np.abs(turned @ varimax(turned))
    >>> loadings.max(axis=1).round(4).tolist(), float(loadings.min(axis=1).max().round(4))
    ([0.9, 0.8, 0.7, 0.6], 0.0)
    """
    rotation = np.eye(loadings.shape[1])
    reached = 0.0
    for _ in range(_MAX_ITER):
        rotated = loadings @ rotation
        squares = rotated**2
        left, singular, right = np.linalg.svd(
            loadings.T @ (rotated * (squares - squares.mean(axis=0)))
        )
        rotation = left @ right
        if singular.sum() <= reached * (1 + _TOL):
            break
        reached = singular.sum()
    return rotation


class VarimaxPCA(TransformerMixin, BaseEstimator):
    """Principal components with unit variance, rotated so that their loadings are varimax.

    The reconstruction is PCA's.

    Parameters
    ----------
    n_components : int
        Number of components.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Rotated loadings in units of the features, which decode the scores.
    mean_ : ndarray of shape (n_features,)
        Means of the features.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.1 * rng.normal(size=(200, 6))
    >>> model = VarimaxPCA(2).fit(X)
    >>> sorted(np.abs(model.components_).argmin(axis=1) // 3)  # each is weak on the other half
    [np.int64(0), np.int64(1)]
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components

    def fit(self, X: Float[np.ndarray, "samples features"], y: object = None) -> "VarimaxPCA":
        """Find the components and their rotation.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training data.
        y : ignored
            Present for scikit-learn's interface.
        """
        self.pca_ = PCA(self.n_components, svd_solver="full", whiten=True).fit(X)
        loadings = self.pca_.components_.T * np.sqrt(self.pca_.explained_variance_)
        self.rotation_ = varimax(loadings)
        self.components_ = (loadings @ self.rotation_).T
        self.mean_ = self.pca_.mean_
        return self

    def transform(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples components"]:
        """Scores, of mean 0, variance 1 and no correlation over the training data."""
        check_is_fitted(self)
        return np.asarray(self.pca_.transform(X)) @ self.rotation_

    def inverse_transform(
        self, Z: Float[np.ndarray, "samples components"]
    ) -> Float[np.ndarray, "samples features"]:
        """Decode scores."""
        check_is_fitted(self)
        return Z @ self.components_ + self.mean_


class VarimaxFactorAnalysis(FactorAnalysis):
    """scikit-learn's maximum likelihood factor analysis, which also decodes its scores.

    Parameters
    ----------
    n_components : int
        Number of factors.
    random_state : int
        Seed of the randomised singular vectors of each iteration.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + 0.1 * rng.normal(size=(200, 6))
    >>> model = VarimaxFactorAnalysis(2).fit(X)
    >>> bool(np.abs(model.inverse_transform(model.transform(X)) - X).max() < 0.5)
    True
    """

    def __init__(self, n_components: int, *, random_state: int = 0) -> None:
        super().__init__(n_components, rotation="varimax", random_state=random_state)

    def inverse_transform(
        self, Z: Float[np.ndarray, "samples components"]
    ) -> Float[np.ndarray, "samples features"]:
        """Features that are expected of given scores."""
        check_is_fitted(self)
        return Z @ self.components_ + self.mean_
