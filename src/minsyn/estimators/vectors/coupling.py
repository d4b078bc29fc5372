"""Coupling of features by common factors, and its groups."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh, solve_triangular
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.stats import chi2

from minsyn.estimators.vectors.dimensions import errors_of_axes
from minsyn.information.graph import labels_of_vectors

__all__ = ["CoupledFeatures", "couple"]

#: Level, over all components, at which a feature loads on one of them.
_LEVEL = 0.05
#: Features whose coupling is below this share of the median are coupled to none.
_LEAST_COUPLING = 0.05
#: Rounds of leaving these out.
_ROUNDS = 5
#: Eigenvalues that are computed, where the last is small; else, so many beyond the number of
#: factors.
_FIRST_EIGENVALUES, _SMALL, _MORE = 40, 0.5, 2
#: Products of the matrix with a vector in which the spectrum is found, about.
_PRODUCTS = 200
#: Each factor is a group of its own where the fall behind them is so many times as large as any
#: other, and this share of the sum of the two eigenvalues. Where many features have two parents,
#: the groups' eigenvalues are below 1, but there are no further ones.
_STEEPER, _CONTRAST = 1.5, 0.5
#: Least number of features of a factor that is a group of its own.
_LEAST_FEATURES = 3
#: Rounds of moving features to the nearest group of factors.
_MOVES = 5
#: Factors of a group are those of which it has more than this share.
_HALF = 0.5


@dataclass(frozen=True)
class CoupledFeatures:
    r"""Graph of the features that common factors couple.

    Let the loadings of all features on m common factors span the columns of :math:`\Lambda`. The
    projection on this span,

    .. math:: P = \Lambda (\Lambda' \Lambda)^{-1} \Lambda',

    does not change with the basis of the factors, nor with their correlations. It has
    :math:`P_{ij} = 0` for all pairs of features of different groups if and only if each group has
    factors of its own [1]_: no factor of another group then tells anything about a feature that
    those of its own group do not tell, and Griffith and Koch's synergy between the groups' factors
    is zero. The graph's weights are :math:`P_{ij}^2`, estimated from the principal axes of the
    samples less what noise adds on average, and 0 on the diagonal. Its normalised matrix
    :math:`D^{-1/2} W D^{-1/2}` has an eigenvalue of 1 for each group.

    Attributes
    ----------
    features : ndarray of shape (k,)
        Features that are coupled to others.
    variances, axes : ndarray of shape (m,) and (m, n_features)
        Principal components of all features.
    eigenvalues : ndarray of shape (n_eigenvalues,)
        The largest of the normalised graph, in descending order; at least one more than there are
        factors, unless there are fewer features.
    vectors : ndarray of shape (k, n_eigenvalues)
        Their eigenvectors.

    References
    ----------
    .. [1] Costeira and Kanade, "A multibody factorization method for independently moving objects",
       International Journal of Computer Vision 29, 1998.

    Examples
    --------
    >>> from minsyn.estimators.vectors.correlations import Correlations
    >>> rng = np.random.default_rng(0)
    >>> causes = rng.normal(size=(500, 2)) + rng.normal(size=(500, 1))
    >>> X = np.repeat(causes, 4, axis=1) + 0.5 * rng.normal(size=(500, 8))
    >>> variances, axes = Correlations(X).components(np.arange(8), number=2)
    >>> coupled = couple(variances, axes, 500)
    >>> coupled.eigenvalues.round(1)[:3], coupled.n_groups(least=0.9, fall=0.15)
    (array([ 1. ,  1. , -0.3]), 2)
    >>> coupled.labels(2)
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """

    features: Int[np.ndarray, " k"]
    variances: Float[np.ndarray, " m"]
    axes: Float[np.ndarray, "m features"]
    eigenvalues: Float[np.ndarray, " n"]
    vectors: Float[np.ndarray, "k n"]

    @property
    def falls(self) -> Float[np.ndarray, " n"]:
        """What each eigenvalue is above the next, all between 0 and 1."""
        eigenvalues = np.clip(np.append(self.eigenvalues, 0.0), 0.0, 1.0)
        return eigenvalues[:-1] - eigenvalues[1:]  # the negative of np.diff would be -0.0

    def n_groups(self, least: float, fall: float) -> int:
        """Number of groups, at least 1.

        In a group of d causes whose features point in all their directions evenly, the second
        eigenvalue is 2 / (d + 2), at most 1/2; by chance, or where directions are uneven, as those
        of pixels are, it is up to .8.

        Parameters
        ----------
        least : float
            Least eigenvalue of a second group.
        fall : float
            By how much the next eigenvalue is less.
        """
        falls = np.where(self.eigenvalues >= least, self.falls, 0.0)[1:]
        if len(falls) == 0 or falls.max() < fall:
            return 1
        return int(np.argmax(falls)) + 2

    def n_minor_factors(self) -> int:
        """Number of factors that would have few features if each were a group of its own."""
        m = len(self.axes)
        if len(self.eigenvalues) <= m:
            return m
        sizes = np.bincount(labels_of_vectors(self.vectors[:, :m]), minlength=m)
        return int(np.sum(sizes < _LEAST_FEATURES))

    def each_factor_is_a_group(self) -> bool:
        """Whether there are as many groups as factors, and a clear fall behind them."""
        m = len(self.axes)
        eigenvalues = np.clip(np.append(self.eigenvalues, 0.0), 0.0, 1.0)
        last, others = self.falls[m - 1], np.delete(self.falls, m - 1)
        contrast = last / max(eigenvalues[m - 1] + eigenvalues[m], np.finfo(float).tiny)
        return bool(last >= _STEEPER * others.max(initial=0.0) and contrast >= _CONTRAST)

    def labels(self, n_groups: int) -> Int[np.ndarray, " features"]:
        """Groups of all features, -1 for those that are not coupled.

        The factors of a group are combinations of its own features. Each feature takes the group
        whose factors explain most of its variance, until none changes its group.

        Parameters
        ----------
        n_groups : int
            Number of groups, at most that of eigenvalues. Some may remain without features.
        """
        labels = np.full(self.axes.shape[1], -1)
        found = labels_of_vectors(self.vectors[:, :n_groups])
        own = self.axes[:, self.features]
        covariance = self.variances[:, np.newaxis] * own
        for _ in range(_MOVES):
            explained = np.zeros((n_groups, len(found)))
            for group in np.unique(found):
                vectors, s, _ = np.linalg.svd(own[:, found == group], full_matrices=False)
                vectors = vectors[:, : max(int(np.sum(s**2 > _HALF)), 1)]
                root = np.linalg.cholesky(vectors.T @ (self.variances[:, np.newaxis] * vectors))
                explained[group] = np.sum(
                    solve_triangular(root, vectors.T @ covariance, lower=True) ** 2, axis=0
                )
            moved = explained.argmax(axis=0)
            if np.array_equal(moved, found):
                break
            found = moved
        labels[self.features] = found
        return labels

    def association(self, labels: Int[np.ndarray, " features"], n_groups: int) -> float:
        """Share of a group's coupling that is within it, in the mean over groups.

        Parameters
        ----------
        labels : ndarray of shape (n_features,)
            Groups of all features; negative numbers are of none.
        n_groups : int
            Number of groups. Those without features have a share of 0.
        """
        own, groups = self.axes[:, self.features], labels[self.features]
        axes = [own[:, groups == group] for group in np.unique(groups[groups >= 0])]
        squares = [a @ a.T for a in axes]
        every = sum(squares)
        shares = [float(np.sum(square * square) / np.sum(square * every)) for square in squares]
        return sum(shares) / n_groups


def couple(
    variances: Float[np.ndarray, " m"],
    axes: Float[np.ndarray, "m features"],
    n_samples: int,
    n_groups: int = 1,
) -> CoupledFeatures:
    """Graph of the features that principal components couple, with its spectrum.

    Parameters
    ----------
    variances : ndarray of shape (m,)
        Variances along the components that stand out from noise.
    axes : ndarray of shape (m, n_features)
        The components.
    n_samples : int
        Number of samples.
    n_groups : int, default=1
        Number of groups, if it is known: one more eigenvalue is computed at least.
    """
    errors = errors_of_axes(variances, axes, n_samples)
    loads = np.any(axes**2 > chi2.isf(_LEVEL / len(axes), 1) * errors, axis=0)
    features = np.flatnonzero(loads)
    for _ in range(_ROUNDS):
        graph = _Graph(axes[:, features], errors[:, features])
        enough = graph.degrees > _LEAST_COUPLING * np.median(graph.degrees) if len(features) else []
        if np.all(enough):
            break
        features = features[enough]
    if len(features) < 2 or graph.degrees.min() <= 0:
        return CoupledFeatures(features, variances, axes, np.ones(1), np.ones((len(features), 1)))
    return CoupledFeatures(
        features, variances, axes, *graph.spectrum(len(axes) + _MORE, n_groups + 1)
    )


class _Graph:
    """Squared projections less their errors, as a matrix that need not be formed."""

    def __init__(self, axes: Float[np.ndarray, "m k"], errors: Float[np.ndarray, "m k"]) -> None:
        self._axes, self._errors, self._squares = axes, errors, axes**2
        # What would stand on the diagonal: a feature's projection on itself is no evidence.
        self._own = self._squares.sum(axis=0) ** 2
        self._own -= np.sum((2 * self._squares - errors) * errors, axis=0)
        self.degrees = self._product(np.ones(axes.shape[1]))

    def _product(self, x: Any) -> Any:
        """The matrix times a vector."""
        u, e, squares = self._axes, self._errors, self._squares
        projected = np.einsum("mk,mk->k", ((u * x) @ u.T) @ u, u)
        e_x = e @ x
        noise = squares.T @ e_x + e.T @ (squares @ x) - e.T @ e_x
        return projected - noise - self._own * x

    def spectrum(
        self, number: int, least: int
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "k n"]]:
        """Largest eigenvalues and vectors of the normalised matrix."""
        number = min(number, len(self.degrees))
        few = min(number, max(_FIRST_EIGENVALUES, least))
        values, vectors = self._largest(few)
        return self._largest(number) if few < number and values[-1] > _SMALL else (values, vectors)

    def _largest(self, number: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "k n"]]:
        k, root = len(self.degrees), np.sqrt(self.degrees)
        u, e, squares = self._axes, self._errors, self._squares
        if 2 * number >= k or k**2 <= _PRODUCTS * len(u) ** 2:
            noise = squares.T @ e
            matrix = (u.T @ u) ** 2 - noise - noise.T + e.T @ e
            np.fill_diagonal(matrix, 0.0)
            values, vectors = eigh(
                matrix / np.outer(root, root), subset_by_index=(k - number, k - 1)
            )
        else:
            operator = LinearOperator(
                (k, k),
                matvec=lambda x: self._product(x.ravel() / root) / root,
                dtype=np.float64,
            )
            start = np.random.default_rng(0).normal(size=k)
            values, vectors = eigsh(operator, k=number, which="LA", v0=start)
        order = np.argsort(-values, kind="stable")
        return values[order], vectors[:, order]
