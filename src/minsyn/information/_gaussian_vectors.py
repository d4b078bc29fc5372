"""Vector sources and a vector target that are jointly Gaussian, in coordinates without units."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from minsyn.information._arrays import as_array, as_numbers, rounding_of
from minsyn.information._least_information import LeastInformation, least_information
from minsyn.information._options import said

#: Roundings allowed in each correlation: those of the sums it was computed by.
_ROUNDINGS = 64
#: Canonical correlations of less tell 5e-17 nat: none.
_LEAST_CORRELATION = 1e-8

Indices = Sequence[SupportsIndex] | SupportsIndex | Int[np.ndarray, " _"]


@dataclass(frozen=True)
class Amount:
    """An information in nats: how many directions are told exactly, and the rest about the others.

    Where ``exact`` is above 0 the information is infinite. Two such amounts about the same
    directions differ by the difference of their rests.
    """

    exact: int
    rest: float

    @property
    def nats(self) -> float:
        return np.inf if self.exact else self.rest

    def less(self, other: "Amount") -> float:
        """Difference to an amount that is not larger, in nats."""
        return np.inf if self.exact > other.exact else max(self.rest - other.rest, 0.0)


@dataclass(frozen=True)
class Channel:
    """What a source tells the undetermined part X of the target.

    Attributes
    ----------
    gain : (k, d)
        H of ``reading @ z = H x + noise`` of covariance I; x is standard normal.
    reading : (k, p)
        Coefficients of the standardised variables of the source.
    """

    gain: Float[np.ndarray, "k d"]
    reading: Float[np.ndarray, "k p"]


@dataclass(frozen=True, eq=False)
class GaussianVectors:
    """Correlations and standard deviations of all variables that are sources or target.

    The variables of the sources come first, one source after another, then those of the target.
    ``eps`` is the rounding of the covariance.
    """

    correlation: Float[np.ndarray, "p p"]
    deviation: Float[np.ndarray, " p"]
    sizes: tuple[int, ...]
    eps: float

    @classmethod
    def of(cls, covariance: ArrayLike, sources: Sequence[Indices], target: Indices) -> Any:
        """Checked vectors; variables that are in no source and not in the target are left out."""
        matrix, eps = _as_covariance(covariance)
        groups = _as_groups(sources, target, len(matrix))
        members = np.concatenate(groups)
        matrix = matrix[np.ix_(members, members)]
        deviation = np.sqrt(np.diag(matrix))
        scale = np.where(deviation > 0, deviation, 1.0)
        correlation = matrix / scale[:, None] / scale
        constant = deviation == 0
        if np.abs(correlation[constant]).max(initial=0.0) > 0:
            raise ValueError("covariance has variables of variance 0 that covary with others")
        tolerance = _ROUNDINGS * eps * len(members)
        least = float(np.linalg.eigvalsh(correlation)[0])
        if least < -tolerance:
            raise ValueError(
                "covariance must be positive semidefinite; as correlations its smallest "
                f"eigenvalue is {least:.3g}"
            )
        return cls(correlation, deviation, tuple(map(len, groups)), eps)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Variables of each source; those of the target last."""
        ends = np.cumsum(self.sizes)
        return tuple(slice(int(b) - size, int(b)) for size, b in zip(self.sizes, ends, strict=True))

    @cached_property
    def whitening(self) -> tuple[Float[np.ndarray, "_ _"], ...]:
        """Coefficients of uncorrelated variables of variance 1 of each block."""
        return tuple(_whitening(self.correlation[b, b], self.eps) for b in self.blocks)

    def _cross(self, j: int) -> Float[np.ndarray, "_ _"]:
        """Correlations of source j, whitened, with the target, whitened."""
        target = self.blocks[-1]
        block = self.correlation[self.blocks[j], target]
        return np.asarray(self.whitening[j] @ block @ self.whitening[-1].T)

    @cached_property
    def _canonical(self) -> tuple[Any, ...]:
        """Of each source, its singular vectors with the target and which of them determine it."""
        found = []
        for j in range(len(self.sizes) - 1):
            left, s, right = np.linalg.svd(self._cross(j), full_matrices=False)
            weights = np.abs(left.T @ self.whitening[j]).sum(axis=1)
            weights = weights + np.abs(right @ self.whitening[-1]).sum(axis=1)
            tolerance = _tolerance(weights, self.eps)
            found.append((right, (1 - s) * (1 + s) <= tolerance, tolerance))
        return tuple(found)

    @cached_property
    def determined(self) -> Float[np.ndarray, "r d"]:
        """Directions of the whitened target that some source alone determines."""
        rows = np.vstack([right[exact] for right, exact, _ in self._canonical])
        _, s, right = np.linalg.svd(rows, full_matrices=False)
        # Squared, an angle of rounding between two of them is below this.
        return np.asarray(right[s > 1e-6])

    @cached_property
    def exact(self) -> tuple[int, ...]:
        """Number of directions that each source determines."""
        return tuple(int(exact.sum()) for _, exact, _ in self._canonical)

    @cached_property
    def left(self) -> Float[np.ndarray, "d _"]:
        """Orthonormal directions of the whitened target that no source determines alone."""
        d, r = len(self.whitening[-1]), len(self.determined)
        basis = np.linalg.svd(self.determined, full_matrices=True)[2] if r else np.eye(d)
        return np.asarray(basis[r:].T)

    @cached_property
    def _readings(self) -> tuple[Float[np.ndarray, "_ _"], ...]:
        """Coefficients that whiten each source given the determined directions."""
        if not len(self.determined):
            return self.whitening[:-1]
        found = []
        for j, (_, exact, tolerance) in enumerate(self._canonical):
            known = self._cross(j) @ self.determined.T
            values, vectors = np.linalg.eigh(np.eye(len(known)) - known @ known.T)
            # What is left of a direction of the source that told the target exactly is rounding.
            kept = values > 16 * tolerance.max(initial=0.0, where=exact) + 1e-12
            found.append((vectors[:, kept] / np.sqrt(values[kept])).T @ self.whitening[j])
        return tuple(found)

    def _told(self, j: int) -> Float[np.ndarray, "_ _"]:
        """Correlations of a source and the target given the determined directions, both white."""
        block = self.correlation[self.blocks[j], self.blocks[-1]]
        return np.asarray(self._readings[j] @ block @ self.whitening[-1].T @ self.left)

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """What each source tells of the undetermined part; no rows where it is nothing."""
        found = []
        for j, readings in enumerate(self._readings):
            left, s, right = np.linalg.svd(self._told(j), full_matrices=False)
            kept = s > _LEAST_CORRELATION
            s = np.minimum(s[kept], 1 - np.finfo(np.float64).eps)
            noise = np.sqrt((1 - s) * (1 + s))
            found.append(
                Channel(
                    (s / noise)[:, None] * right[kept],
                    (left.T[kept] @ readings) / noise[:, None],
                )
            )
        return tuple(found)

    @cached_property
    def alone(self) -> tuple[Amount, ...]:
        """Information of each source."""
        return tuple(
            Amount(exact, 0.5 * float(np.log1p(np.linalg.norm(c.gain, axis=1) ** 2).sum()))
            for exact, c in zip(self.exact, self.channels, strict=True)
        )

    @cached_property
    def together(self) -> Amount:
        """Information of all sources."""
        stacked = np.zeros((sum(map(len, self._readings)), sum(self.sizes[:-1])))
        start = 0
        for block, readings in zip(self.blocks[:-1], self._readings, strict=True):
            stacked[start : start + len(readings), block] = readings
            start += len(readings)
        told = np.vstack([self._told(j) for j in range(len(self._readings))])
        n = stacked.shape[1]
        joint = stacked @ self.correlation[:n, :n] @ stacked.T
        if len(self.determined):
            known = stacked @ self.correlation[:n, n:] @ self.whitening[-1].T @ self.determined.T
            joint -= known @ known.T
        values, vectors = np.linalg.eigh((joint + joint.T) / 2)
        weights = np.abs(vectors.T @ stacked).sum(axis=1)
        kept = values > _tolerance(weights, self.eps)
        root = (vectors[:, kept] / np.sqrt(values[kept])).T
        left, s, right = np.linalg.svd(root @ told, full_matrices=False)
        weights = np.abs(left.T @ root @ stacked).sum(axis=1)
        weights = weights + np.abs(right @ self.left.T @ self.whitening[-1]).sum(axis=1)
        unexplained = (1 - s) * (1 + s)
        regular = unexplained > _tolerance(weights, self.eps)
        rest = 0.0 - 0.5 * float(np.log(unexplained[regular]).sum())
        # Rounding aside, all sources together tell no less than any of them.
        rest = max(rest, *(a.rest for a in self.alone))
        return Amount(len(self.determined) + int((~regular).sum()), rest)

    @cached_property
    def union(self) -> LeastInformation:
        """Least information about the undetermined part under the same source-target pairs."""
        gains = [c.gain for c in self.channels if len(c.gain)]
        if not gains:
            return LeastInformation(0.0, 0.0, np.zeros((0, 0)), 0)
        return least_information(gains)

    @property
    def union_amount(self) -> Amount:
        """`union` together with what is determined."""
        return Amount(len(self.determined), self.union.upper)

    def least_covariance(self) -> Float[np.ndarray, "p p"]:
        """Covariance of all variables where the sources tell no more than `union`."""
        n = sum(self.sizes[:-1])
        cross = self.correlation[:n, n:] @ self.whitening[-1].T
        given = cross @ cross.T
        residual = self.correlation[:n, :n] - given
        reading = np.zeros((len(self.union.noise), n))
        start = 0
        for block, channel in zip(self.blocks[:-1], self.channels, strict=True):
            reading[start : start + len(channel.gain), block] = channel.reading
            start += len(channel.gain)
        found = self.correlation.copy()
        within = np.zeros((n, n), dtype=bool)
        for block in self.blocks[:-1]:
            within[block, block] = True
        # Of each source's noise only what correlates with its reading may be shared.
        shared = np.where(within, residual, 0.0) @ reading.T
        found[:n, :n] = np.where(
            within, self.correlation[:n, :n], given + shared @ self.union.noise @ shared.T
        )
        return np.asarray(found * self.deviation[:, None] * self.deviation)


def _tolerance(weights: Float[np.ndarray, " k"], eps: float) -> Float[np.ndarray, " k"]:
    """Rounding of the variance of a combination with these sums of absolute coefficients."""
    return np.asarray(_ROUNDINGS * eps * weights**2)


def _whitening(sigma: Float[np.ndarray, "p p"], eps: float) -> Float[np.ndarray, "rank p"]:
    values, vectors = np.linalg.eigh(sigma)
    kept = values > _ROUNDINGS * eps * len(sigma)
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T)


def _as_covariance(covariance: ArrayLike) -> tuple[Float[np.ndarray, "p p"], float]:
    """The argument in float64, and the rounding of the type it came in."""
    matrix = as_array(covariance, "covariance")
    eps = rounding_of(matrix)
    matrix = as_numbers(matrix, "covariance")
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1] or len(matrix) == 0:
        raise ValueError(f"covariance must be a square matrix; found shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("covariance holds NaN or infinite entries")
    variances = np.diag(matrix)
    if variances.min() < 0:
        raise ValueError(f"covariance has a negative variance: {variances.min():.3g}")
    deviation = np.sqrt(variances)
    largest = np.maximum(deviation[:, None] * deviation, np.finfo(np.float64).tiny)
    if (np.abs(matrix - matrix.T) > max(1e-8, _ROUNDINGS * eps) * largest).any():
        raise ValueError("covariance must be symmetric")
    return (matrix + matrix.T) / 2, eps


def _as_groups(
    sources: Sequence[Indices], target: Indices, n: int
) -> tuple[Int[np.ndarray, " _"], ...]:
    if not np.iterable(sources):
        raise ValueError(
            f"sources must be a list with a list for each source; found {said(sources)}"
        )
    groups = [_as_indices(source, n, f"sources[{j}]") for j, source in enumerate(sources)]
    if not groups:
        raise ValueError("sources must hold at least one list of variables")
    groups.append(_as_indices(target, n, "target"))
    members, counts = np.unique(np.concatenate(groups), return_counts=True)
    if (counts > 1).any():
        twice = members[counts > 1][0]
        raise ValueError(
            f"sources and target must not share variables; variable {twice} occurs twice"
        )
    return tuple(groups)


def _as_indices(indices: Indices, n: int, name: str) -> Int[np.ndarray, " _"]:
    try:
        listed = [index(i) for i in indices] if np.iterable(indices) else [index(indices)]
    except TypeError:
        raise ValueError(f"{name} must hold numbers of variables; found {said(indices)}") from None
    if not listed:
        raise ValueError(f"{name} holds no variables")
    for i in listed:
        if not 0 <= i < n:
            raise ValueError(f"{name} must hold numbers from 0 to {n - 1}; found {i}")
    return np.array(listed)
