"""Correlations of Gaussian sources and targets, and the quantities that their measures share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from minsyn.information._whitening import Whitened, as_correlations, whiten, whiten_stack
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

    With a leading axis ``b``, as many of them, such as resamples; so have all results.

    Attributes
    ----------
    sigma : (m, m) or (b, m, m)
        Correlations of the variables that make up the sources.
    rho : (m, n) or (b, m, n)
        Correlations of each variable with each target.
    eps : float
        Rounding of the correlations.
    groups : tuple of int arrays, or None
        The variables of each vector source; None where every variable is a source.
    """

    sigma: Float[np.ndarray, "*b m m"]
    rho: Float[np.ndarray, "*b m n"]
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

    @classmethod
    def stack(
        cls,
        sigma: Float[np.ndarray, "b m m"],
        rho: Float[np.ndarray, "b m n"],
        groups: tuple[Int[np.ndarray, " _"], ...] | None = None,
    ) -> "GaussianSources":
        """Many sources at once; their correlations are those of samples, and not checked."""
        return cls(sigma, rho, float(np.finfo(np.float64).eps), groups)

    @cached_property
    def white(self) -> Whitened:
        """All sources whitened together."""
        return self._whiten(self.sigma, self.rho)

    @cached_property
    def parts(self) -> tuple[Whitened, ...]:
        """Each vector source whitened by itself."""
        return tuple(
            self._whiten(self.sigma[..., group[:, None], group], self.rho[..., group, :])
            for group in self.groups or ()
        )

    def _whiten(self, sigma: Any, rho: Any) -> Whitened:
        return (whiten if self.sigma.ndim == 2 else whiten_stack)(sigma, rho, self.eps)

    @cached_property
    def unexplained_alone(self) -> Float[np.ndarray, "*b sources n"]:
        """1 - R^2 of each source alone; exactly 0 where it determines the target."""
        if self.groups is not None:
            return np.stack([part.unexplained for part in self.parts], axis=-2)
        left = (1 - self.rho) * (1 + self.rho)
        return np.where(left <= _ROUNDINGS_OF_ONE * self.eps, 0.0, left)

    @cached_property
    def unexplained_by_best(self) -> Float[np.ndarray, "*b n"]:
        """1 - R^2 of the best source; exactly 0 where it determines the target."""
        grouped = self.groups is not None
        of_best: np.ndarray = (
            self.unexplained_alone.min(axis=-2) if grouped else self.white.unexplained_by_best
        )
        return of_best

    @cached_property
    def unexplained(self) -> Float[np.ndarray, "*b n"]:
        """1 - R^2 of all sources together; exactly 0 where they determine the target."""
        of_all: np.ndarray = self.white.unexplained
        return of_all if self.groups is None else np.minimum(of_all, self.unexplained_by_best)

    @cached_property
    def best(self) -> Int[np.ndarray, "*b n"]:
        """Number of the source that tells most about each target."""
        if self.groups is not None:
            best: np.ndarray = self.unexplained_alone.argmin(axis=-2)
            return best
        largest: np.ndarray = np.abs(self.rho).argmax(axis=-2)
        return largest

    @property
    def rank(self) -> int:
        """Number of linearly independent variables among all sources."""
        return self.white.rank

    @property
    def ranks(self) -> Int[np.ndarray, " sources"]:
        """Number of linearly independent variables of each source."""
        if self.groups is not None:
            return np.array([part.rank for part in self.parts])
        return np.ones(self.rho.shape[-2], dtype=int)

    @cached_property
    def total_correlation(self) -> Float[np.ndarray, "*b 1"]:
        """Total correlation of the sources in nats; inf where one depends linearly on others."""
        if self.groups is None:
            return -0.5 * np.asarray(self.white.log_det)[..., None]
        if self.sigma.ndim == 2:
            return np.array([self._total_correlation_of_vectors()])
        whole = np.asarray(self.white.log_det)
        parts = np.stack([np.asarray(part.log_det) for part in self.parts]).sum(axis=0)
        regular = np.isfinite(whole)
        found = np.where(regular, 0.5 * (parts - np.where(regular, whole, 0.0)), np.nan)
        for b in np.flatnonzero(~regular):
            one = GaussianSources(self.sigma[b], self.rho[b], self.eps, self.groups)
            found[b] = one._total_correlation_of_vectors()
        return found[:, None]

    def _total_correlation_of_vectors(self) -> float:
        # Each source is whitened by itself first: correlations within a source do not count.
        whitening = np.zeros((int(self.ranks.sum()), len(self.sigma)))
        starts = np.cumsum(self.ranks) - self.ranks
        for group, part, start in zip(self.groups or (), self.parts, starts, strict=True):
            whitening[start : start + part.rank, group] = np.linalg.pinv(part.factor)
        sigma = whitening @ self.sigma @ whitening.T
        np.fill_diagonal(sigma, 1.0)
        none = np.zeros((len(sigma), 0))
        return -0.5 * float(whiten((sigma + sigma.T) / 2, none, self.eps).log_det)

    @cached_property
    def o_information(self) -> Float[np.ndarray, "*b n"]:
        """O-information of the sources and each target in nats; of singular ones, the limit.

        With k sources, Omega(Z, X) = Omega(Z) + (1 - k) I(Z; X) + sum_j I(Z without j; X) (Rosas,
        Mediano, Gastpar, Jensen 2019).
        """
        m, n = self.rho.shape[-2:]
        sigma, rho = self.sigma.reshape(-1, m, m), self.rho.reshape(-1, m, n)
        left = self.unexplained.reshape(-1, n)
        regular = np.isfinite(np.reshape(self.white.log_det, -1))
        sigma_or_1 = np.where(regular[:, None, None], sigma, np.eye(m))
        inverse = np.linalg.inv(sigma_or_1)
        coefficients = inverse @ rho
        known = regular[:, None] & (left > 0)
        v = np.where(known, left, 1.0)
        blocks = self.groups or tuple(np.arange(m)[:, None])
        omega = (len(blocks) - 1) * 0.5 * np.log(v) - _log_det(sigma_or_1)[:, None]
        for block in blocks:
            inner, b = inverse[:, block[:, None], block], coefficients[:, block]
            omega += 0.5 * _log_det(sigma_or_1[:, block[:, None], block])[:, None]
            omega -= 0.5 * _log_det(inner)[:, None]
            # What all but this source leave: more by what it explains of the rest.
            v_without = v + np.einsum("bin,bin->bn", b, np.linalg.solve(inner, b))
            omega -= 0.5 * np.log(v_without)
        for i, j in zip(*np.nonzero(~known), strict=True):
            joint = np.block([[sigma[i], rho[i, :, [j]].T], [rho[i, :, [j]], np.ones((1, 1))]])
            omega[i, j] = o_information_limit(joint, (*blocks, np.array([m])), self.eps)
        nats: np.ndarray = omega.reshape(*self.rho.shape[:-2], n)
        return nats

    @cached_property
    def ci_decoder(self) -> tuple[Float[np.ndarray, "*b m n"], Float[np.ndarray, "*b n"]]:
        """Coefficients and variance of the decoder that takes the sources for independent.

        Only a vector source's best linear prediction of the target matters. It has correlation R
        with the target, and Eq. 9 holds with R in place of rho.
        """
        if self.groups is None:
            return _ci_decoder(self.rho)
        alone = np.sqrt(1 - self.unexplained_alone)
        coefficients, variance = _ci_decoder(alone)
        b = np.zeros_like(self.rho)
        for k, (group, part) in enumerate(zip(self.groups, self.parts, strict=True)):
            regression = np.swapaxes(np.linalg.pinv(part.factor), -1, -2) @ part.rho
            share = coefficients[..., k, :] / np.where(alone[..., k, :] > 0, alone[..., k, :], 1.0)
            b[..., group, :] = regression * share[..., None, :]
        return b, variance


def _log_det(a: Float[np.ndarray, "b k k"]) -> Float[np.ndarray, " b"]:
    return np.asarray(np.linalg.slogdet(a)[1])


def o_information_limit(
    r: Float[np.ndarray, "k k"], blocks: tuple[Int[np.ndarray, " _"], ...], eps: float
) -> float:
    """O-information of variables that determine each other, in the limit of little noise on each.

    Omega = [sum_v (L_v - L_others) + (k - 2) L_all] / 2 with L = log det. With noise of variance e,
    L is the number of zero eigenvalues times log e plus the log of the product of the others.
    """
    rounding = _ROUNDINGS_OF_ONE * eps * len(r)
    every = np.arange(len(r))
    parts = [(len(blocks) - 2, every)]
    for block in blocks:
        parts += [(1, block), (-1, np.setdiff1d(every, block))]
    zeros, finite = 0, 0.0
    for weight, kept in parts:
        values = np.linalg.eigvalsh(r[np.ix_(kept, kept)])
        zero = values <= rounding
        zeros += weight * int(zero.sum())
        finite += weight * float(np.log(values[~zero]).sum())
    if zeros:
        return -np.inf if zeros > 0 else np.inf
    return 0.5 * finite


def _ci_decoder(
    rho: Float[np.ndarray, "*b sources n"],
) -> tuple[Float[np.ndarray, "*b sources n"], Float[np.ndarray, "*b n"]]:
    """`ci_decoder` with leading axes: they are targets to it."""
    first = np.moveaxis(rho, -2, 0)
    coefficients, variance = ci_decoder(first.reshape(len(first), -1))
    shape = first.shape[1:]
    return np.moveaxis(coefficients.reshape(first.shape), 0, -2), variance.reshape(shape)
