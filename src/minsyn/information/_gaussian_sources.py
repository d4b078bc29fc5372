"""Correlations of Gaussian sources and targets, and the quantities that their measures share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from minsyn.information._whitening import Whitened, as_correlations, whiten
from minsyn.information.ci.gaussian import ci_decoder

#: A correlation whose square is 1 to this many roundings is 1, as in `whiten`, where it is the
#: allowed error of a correlation times (1 + |e_j|_1)^2 = 4.
_ROUNDINGS_OF_ONE = 256


def information(unexplained: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Gaussian mutual information in nats, -1/2 log(1 - R^2); inf where R^2 is 1."""
    left = unexplained > 0
    return np.where(left, -0.5 * np.log(np.where(left, unexplained, 1.0)) + 0.0, np.inf)


@dataclass(frozen=True, eq=False)
class GaussianSources:
    """Gaussian sources about n targets; whitened once for all measures.

    Attributes
    ----------
    sigma : (m, m)
        Correlations of the variables that make up the sources.
    rho : (m, n)
        Correlations of each variable with each target.
    eps : float
        Rounding of the correlations.
    groups : tuple of int arrays, or None
        The variables of each vector source; None where every variable is a source.
    """

    sigma: Float[np.ndarray, "m m"]
    rho: Float[np.ndarray, "m n"]
    eps: float
    groups: tuple[Int[np.ndarray, " _"], ...] | None = None

    @classmethod
    def of(
        cls,
        sigma: ArrayLike,
        rho: ArrayLike,
        groups: tuple[Int[np.ndarray, " _"], ...] | None = None,
    ) -> "GaussianSources":
        """Sources of these correlations, which are checked."""
        return cls(*as_correlations(sigma, rho), groups)

    @cached_property
    def white(self) -> Whitened:
        """All sources whitened together."""
        return whiten(self.sigma, self.rho, self.eps)

    @cached_property
    def parts(self) -> tuple[Whitened, ...]:
        """Each vector source whitened by itself."""
        return tuple(
            whiten(self.sigma[np.ix_(group, group)], self.rho[group], self.eps)
            for group in self.groups or ()
        )

    @cached_property
    def unexplained_alone(self) -> Float[np.ndarray, "sources n"]:
        """1 - R^2 of each source alone; exactly 0 where it determines the target."""
        if self.groups is not None:
            return np.stack([part.unexplained for part in self.parts])
        left = (1 - self.rho) * (1 + self.rho)
        return np.where(left <= _ROUNDINGS_OF_ONE * self.eps, 0.0, left)

    @cached_property
    def unexplained_by_best(self) -> Float[np.ndarray, " n"]:
        """1 - R^2 of the best source; exactly 0 where it determines the target."""
        if self.groups is not None:
            return self.unexplained_alone.min(axis=0)
        return self.white.unexplained_by_best

    @cached_property
    def unexplained(self) -> Float[np.ndarray, " n"]:
        """1 - R^2 of all sources together; exactly 0 where they determine the target."""
        if self.groups is not None:
            return np.minimum(self.white.unexplained, self.unexplained_by_best)
        return self.white.unexplained

    @cached_property
    def best(self) -> Int[np.ndarray, " n"]:
        """Number of the source that tells most about each target."""
        if self.groups is not None:
            return self.unexplained_alone.argmin(axis=0)
        return np.abs(self.rho).argmax(axis=0)

    @property
    def rank(self) -> int:
        """Number of linearly independent variables among all sources."""
        return self.white.rank

    @property
    def ranks(self) -> Int[np.ndarray, " sources"]:
        """Number of linearly independent variables of each source."""
        if self.groups is not None:
            return np.array([part.rank for part in self.parts])
        return np.ones(len(self.rho), dtype=int)

    @cached_property
    def total_correlation(self) -> float:
        """Total correlation of the sources in nats; inf where one depends linearly on others."""
        if self.groups is None:
            return -0.5 * self.white.log_det
        # Each source is whitened by itself first: correlations within a source do not count.
        whitening = np.zeros((int(self.ranks.sum()), len(self.sigma)))
        starts = np.cumsum(self.ranks) - self.ranks
        for group, part, start in zip(self.groups, self.parts, starts, strict=True):
            whitening[start : start + part.rank, group] = np.linalg.pinv(part.factor)
        sigma = whitening @ self.sigma @ whitening.T
        np.fill_diagonal(sigma, 1.0)
        none = np.zeros((len(sigma), 0))
        return -0.5 * whiten((sigma + sigma.T) / 2, none, self.eps).log_det

    @cached_property
    def ci_decoder(self) -> tuple[Float[np.ndarray, "m n"], Float[np.ndarray, " n"]]:
        """Coefficients and variance of the decoder that takes the sources for independent.

        Only a vector source's best linear prediction of the target matters. It has correlation R
        with the target, and Eq. 9 holds with R in place of rho.
        """
        if self.groups is None:
            return ci_decoder(self.rho)
        alone = np.sqrt(1 - self.unexplained_alone)
        coefficients, variance = ci_decoder(alone)
        b = np.zeros_like(self.rho)
        for k, (group, part) in enumerate(zip(self.groups, self.parts, strict=True)):
            regression = np.linalg.pinv(part.factor).T @ part.rho
            b[group] = regression * coefficients[k] / np.where(alone[k] > 0, alone[k], 1.0)
        return b, variance
