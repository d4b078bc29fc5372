"""Standardised features as vectors, from their moments or from few samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import eigvalsh, lapack, solve_triangular
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.utils.extmath import randomized_svd

from minsyn._warnings import warn
from minsyn.information.statistics import Moments, PairwiseStatistics

__all__ = ["RANK_TOLERANCE", "Features", "Rows"]

#: Directions of a variance below this share of a standardised feature's are rounding.
RANK_TOLERANCE = 1e-10
#: The least square root of a pivot with which Cholesky's factor is exact enough.
_SMALLEST_PIVOT = 1e-4
#: Up to so many dimensions all eigenvectors are found, of more the first alone, at random.
_FEW_DIMENSIONS = 500
#: Up to so many dimensions all eigenvalues are found, of more the first alone.
_ALL_EIGENVALUES = 2500


@dataclass(frozen=True)
class Rows:
    """Samples in memory with their weights, mergeable: what is small where features are many.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The samples.
    sample_weight : ndarray of shape (n_samples,) or None
        Their weights; None where all count alike.
    """

    X: Float[np.ndarray, "samples features"]
    sample_weight: Float[np.ndarray, " samples"] | None = None

    @classmethod
    def together(cls, parts: Sequence["Rows"]) -> "Rows":
        """Samples of all parts."""
        weights = [part.sample_weight for part in parts if part.sample_weight is not None]
        return cls(
            np.concatenate([part.X for part in parts]),
            np.concatenate(weights) if len(weights) == len(parts) else None,
        )

    def merge(self, other: "Rows") -> "Rows":
        """Both sets of samples."""
        return Rows.together([self, other])

    def moments(self) -> Moments:
        """Mean and covariance of the features."""
        return Moments.of(self.X, self.sample_weight)


@dataclass(frozen=True)
class Features:
    """Standardised features as vectors: ``basis.T @ basis`` are their correlations.

    A latent's coordinates are a vector in the same space, whose products with the features are its
    covariances with them, and whose square length is its variance.

    Attributes
    ----------
    weight : float
        Number of samples, or their weight.
    mean, std : ndarray of shape (n_features,)
        Of all features; the std of constant ones is 0.
    varies : ndarray of bool, shape (n_features,)
        Features that are not constant.
    basis : ndarray of shape (rank, n_varying)
        The features that vary, each a column of unit length.
    triangular : bool
        Whether the basis is square and upper triangular.
    moments : Moments or None
        The moments that they came from; None where they came from samples.
    missing : float
        Share of the values that were missing.
    n_pairs : float
        Number of samples behind a correlation, in the mean.
    """

    weight: float
    mean: Float[np.ndarray, " features"]
    std: Float[np.ndarray, " features"]
    varies: Bool[np.ndarray, " features"]
    basis: Float[np.ndarray, "rank varying"]
    triangular: bool = False
    moments: Moments | None = None
    missing: float = 0.0
    n_pairs: float = 0.0

    @classmethod
    def of(cls, found: Moments | Rows, names: Any = None) -> "Features":
        """From moments, or from samples that are fewer than their features."""
        if isinstance(found, Moments):
            return cls._of_moments(found, names)
        if np.isnan(found.X).any():
            return replace(cls._of_moments(found.moments(), names), moments=None)
        return cls._of_rows(found)

    @classmethod
    def _of_rows(cls, rows: Rows) -> "Features":
        X, n = rows.X, len(rows.X)
        weights = np.ones(n) if rows.sample_weight is None else rows.sample_weight
        total = float(weights.sum())
        first = X[0].astype(np.float64)
        basis = X - first  # of constants, exactly 0
        rest = weights @ basis / total
        basis -= rest
        basis *= np.sqrt(weights / total)[:, np.newaxis]
        variance = np.einsum("ni,ni->i", basis, basis)
        # The rule for constants is that of the moments.
        std = PairwiseStatistics(
            total, rest[:0], first + rest, basis[:0, :0], basis[:0], variance
        ).std_x
        varies = std > 0
        basis = basis / std if varies.all() else basis[:, varies] / std[varies]
        return cls(total, first + rest, std, varies, basis, n_pairs=total)

    @classmethod
    def _of_moments(cls, moments: Moments, names: Any) -> "Features":
        moments.require_pairs(names)
        std = moments.std
        varies = std > 0
        covariance = moments.covariance
        if not varies.all():
            covariance = covariance[np.ix_(varies, varies)]
        per_std = 1 / std[varies]
        correlation = covariance * per_std
        correlation *= per_std[:, np.newaxis]
        pairs = moments.pair_weight
        if pairs is not None:
            pairs = pairs[np.ix_(varies, varies)]
        of = cls(
            moments.weight,
            moments.mean,
            std,
            varies,
            correlation,
            moments=moments,
            missing=moments.missing,
            n_pairs=moments.weight if pairs is None or not pairs.size else float(pairs.mean()),
        )
        factor, failed = lapack.dpotrf(correlation, lower=0, clean=1)
        if not failed and len(factor) and np.diagonal(factor).min() > _SMALLEST_PIVOT:
            return replace(of, basis=factor, triangular=True)
        eigenvalues, vectors = np.linalg.eigh(correlation)
        lowest = eigenvalues.min(initial=0.0)
        if moments.pair_weight is not None and lowest < -RANK_TOLERANCE * len(eigenvalues):
            warn(
                "covariances of pairs with missing values are inconsistent (their correlations "
                f"have the eigenvalue {lowest:.2g}): similar, consistent ones are used instead"
            )
        kept = eigenvalues > RANK_TOLERANCE * len(eigenvalues)
        basis = np.sqrt(eigenvalues[kept])[:, np.newaxis] * vectors[:, kept].T
        basis /= np.sqrt(np.einsum("ri,ri->i", basis, basis))
        return replace(of, basis=basis)

    @property
    def variance(self) -> Float[np.ndarray, " varying"]:
        """Variance of each feature that varies."""
        return self.std[self.varies] ** 2

    def correlation(self) -> Float[np.ndarray, "varying varying"]:
        """Correlations of the features that vary."""
        correlation = self.basis.T @ self.basis
        np.fill_diagonal(correlation, 1.0)
        return correlation

    def leading_eigenvalues(self, number: int) -> Float[np.ndarray, " k"]:
        """At least so many of the largest eigenvalues of the correlations, in descending order."""
        rank, n_varying = self.basis.shape
        size = min(rank, n_varying)
        if size <= max(_ALL_EIGENVALUES, 4 * number):
            wide = self.basis @ self.basis.T if rank <= n_varying else self.correlation()
            return np.clip(eigvalsh(wide)[::-1][:size], 0.0, None)
        covariance: Any = LinearOperator(
            (rank, rank), matvec=lambda v: self.basis @ (self.basis.T @ v), dtype=np.float64
        )
        start: Any = np.random.default_rng(0).normal(size=rank)
        found: Any = eigsh(covariance, number, v0=start, return_eigenvectors=False)
        return found[::-1]

    def principal_components(
        self,
        number: int,
        variance: Float[np.ndarray, " varying"],
        rng: np.random.Generator,
    ) -> tuple[Float[np.ndarray, "components rank"], Float[np.ndarray, " components"]]:
        """Unit coordinates of the first principal components, and their variances.

        The components are those of features with the given variances.
        """
        scaled = self.basis * np.sqrt(variance)
        if min(scaled.shape) <= max(_FEW_DIMENSIONS, 2 * number):
            eigenvalues, vectors = np.linalg.eigh(scaled @ scaled.T)
            components = vectors[:, ::-1][:, :number].T
            variances = np.clip(eigenvalues[::-1][:number], 0, None)
        else:
            seed = int(rng.integers(2**31))
            vectors, singular, _ = randomized_svd(scaled, number, n_iter=3, random_state=seed)
            components, variances = vectors.T, singular**2
        # Signs that do not depend on the coordinates, or rounding would choose the starts.
        loadings = components @ scaled
        strongest = np.abs(loadings).argmax(axis=1)
        signs = np.where(loadings[np.arange(len(loadings)), strongest] < 0, -1.0, 1.0)
        return components * signs[:, np.newaxis], variances

    def coordinates(
        self, weights: Float[np.ndarray, "latents features"]
    ) -> Float[np.ndarray, "latents rank"]:
        """Coordinates of the latents of an encoder."""
        return (weights * self.std)[:, self.varies] @ self.basis.T

    def weights(
        self, coordinates: Float[np.ndarray, "latents rank"]
    ) -> Float[np.ndarray, "latents features"]:
        """The smallest encoder, for features as they were given, with these coordinates."""
        if self.triangular:
            standardised = solve_triangular(self.basis, coordinates.T).T
        else:
            eigenvalues, vectors = np.linalg.eigh(self.basis @ self.basis.T)
            kept = eigenvalues > RANK_TOLERANCE * self.basis.shape[1]
            vectors = vectors[:, kept]
            standardised = (coordinates @ vectors / eigenvalues[kept]) @ vectors.T @ self.basis
        weights = np.zeros((len(coordinates), len(self.std)))
        weights[:, self.varies] = standardised / self.std[self.varies]
        return weights
