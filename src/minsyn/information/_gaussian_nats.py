"""The Gaussian measures in nats, of sources that are whitened once for all of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from minsyn.information._whitening import Whitened, as_correlations, whiten
from minsyn.information.ci.gaussian import ci_decoder

#: A correlation whose square is 1 to this many roundings is 1, as in `whiten`, where it is the
#: allowed error of a correlation times (1 + |e_j|_1)^2 = 4.
_ROUNDINGS_OF_ONE = 256


def information(unexplained: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """-1/2 log of the share of variance that is left; inf where none is."""
    left = unexplained > 0
    return np.where(left, -0.5 * np.log(np.where(left, unexplained, 1.0)) + 0.0, np.inf)


def alone(rho: Float[np.ndarray, "m n"], eps: float) -> Float[np.ndarray, "m n"]:
    return information(np.where(determines(rho, eps), 0.0, (1 - rho) * (1 + rho)))


def determines(rho: Float[np.ndarray, "m n"], eps: float) -> Any:
    """Which correlations are 1 in magnitude, to rounding."""
    return (1 - rho) * (1 + rho) <= _ROUNDINGS_OF_ONE * eps


def mutual_information(white: Whitened) -> Float[np.ndarray, " n"]:
    return information(white.unexplained)


def union_information(white: Whitened) -> Float[np.ndarray, " n"]:
    return information(white.unexplained_by_best)


def gk_synergy(white: Whitened) -> Float[np.ndarray, " n"]:
    best = white.unexplained_by_best
    return information(np.where(best > 0, white.unexplained / np.where(best > 0, best, 1), 1.0))


def whole_minus_sum(
    white: Whitened, rho: Float[np.ndarray, "m n"], eps: float
) -> Float[np.ndarray, " n"]:
    # I - sum_j I_j = (I - max_j I_j) - sum of the others, of which only one can be infinite.
    others = alone(rho, eps)
    best = np.abs(rho).argmax(axis=0)
    others[best, np.arange(rho.shape[1])] = 0.0
    return gk_synergy(white) - others.sum(axis=0)


def ci_synergy(
    white: Whitened, rho: Float[np.ndarray, "m n"], eps: float
) -> Float[np.ndarray, " n"]:
    b, v_q = ci_decoder(None, rho)
    v_p = white.unexplained
    copies = np.where(white.unexplained_by_best > 0, 0, determines(rho, eps).sum(axis=0))
    regular = v_p > 0
    v_p, v_q = np.where(regular, v_p, 1.0), np.where(regular, v_q, 1.0)
    apart = white.rho - white.factor.T @ b  # (a - b)' Sigma (a - b) is its squared length
    excess = (v_p - v_q) / v_q
    nats = 0.5 * (excess - np.log1p(excess) + np.einsum("ij,ij->j", apart, apart) / v_q)
    c = np.maximum(copies, 1)
    return np.where(regular, nats, np.where(copies > 0, 0.5 * (c - 1 - np.log(c)), np.inf))


def total_correlation(white: Whitened) -> Float[np.ndarray, " n"]:
    return information(white.unexplained) - 0.5 * white.log_det


def measures_nats(
    sigma: Float[np.ndarray, "m m"], rho: Float[np.ndarray, "m n"], names: tuple[str, ...]
) -> tuple[dict[str, Float[np.ndarray, " n"]], int]:
    """Several measures from one factorisation, and the rank of sigma."""
    white = whiten(sigma, rho)
    _, rho, eps = as_correlations(sigma, rho)
    return {name: MEASURES[name](white, rho, eps) for name in names}, white.rank


#: Measures by name, as `minsyn.information.synergy` calls them.
MEASURES: dict[str, Callable[[Whitened, Any, float], Any]] = {
    "mutual_information": lambda white, rho, eps: mutual_information(white),
    "union_information": lambda white, rho, eps: union_information(white),
    "gk_synergy": lambda white, rho, eps: gk_synergy(white),
    "ci_synergy": ci_synergy,
    "whole_minus_sum": whole_minus_sum,
    "total_correlation": lambda white, rho, eps: total_correlation(white),
}
