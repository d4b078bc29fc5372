"""Bias of Gaussian measures by draws of what sampling does to correlations (parametric bootstrap).

The scatter matrix of N Gaussian samples is Wishart with N - 1 degrees of freedom, and a draw of it
takes a triangle of random numbers (Bartlett 1933), whatever N is. The draws are the same in every
call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solve_triangular
from scipy.special import digamma

from minsyn.information._gaussian_sources import GaussianSources, information

#: Numbers in the draws for all targets together, and bounds of the number of draws. The noise that
#: d draws add to a corrected value is its own standard deviation over sqrt(d).
_NUMBERS, _LEAST_DRAWS, _MOST_DRAWS = 2_000_000, 50, 200
#: Numbers in the draws that are held at a time.
_NUMBERS_AT_ONCE = 2_000_000
#: Variance below which a variable is determined by others.
_DETERMINED = 1e-10
#: Sources whose informations are nearer to the largest than this, in standard deviations of the
#: difference times sqrt(2 log m), count as equal to it. Chosen on the grid of
#: ``benchmarks/gk_bias.py``: with 0, half of the bias of ties is left; with 1, sources that differ
#: are taken for tied.
_TIED = 0.6


def information_bias(n_samples: int | float, rank: Any) -> Any:
    """Bias of the information of sources of some rank, [psi(nu/2) - psi((nu - rank)/2)] / 2."""
    nu = n_samples - 1
    return 0.5 * (digamma(nu / 2) - digamma((nu - np.asarray(rank)) / 2))


def varying_sources(
    sources: GaussianSources, varying: Bool[np.ndarray, " variables"]
) -> GaussianSources:
    """Sources of the variables that vary, without sources that are left with none."""
    kept = np.flatnonzero(varying)
    groups = sources.groups
    if groups is not None:
        place = np.cumsum(varying) - 1
        left = (place[group[varying[group]]] for group in groups)
        groups = tuple(group for group in left if len(group))
    sigma, rho = sources.sigma[np.ix_(kept, kept)], sources.rho[kept]
    return GaussianSources(sigma, rho, sources.eps, groups)


def drawn(
    sources: GaussianSources, n_samples: int | float
) -> Iterator[tuple[slice, GaussianSources, GaussianSources]]:
    r"""Draws of the correlations that samples of some sources have, for targets in turn.

    What the sources explain of a target is first reduced to Ezekiel's adjusted R^2, so that chance
    is not taken for information.

    Parameters
    ----------
    sources : GaussianSources
        Correlations as observed, of variables that vary.
    n_samples : float

    Yields
    ------
    targets : slice
    member : GaussianSources
        The distribution that is drawn from.
    draws : GaussianSources
        A stack of its draws.
    """
    m, n_targets = sources.rho.shape
    if n_targets == 0:
        return
    factor, first = _factor(sources.sigma)
    rank = len(first)
    white = solve_triangular(factor[first], sources.rho[first], lower=True)
    explained = np.minimum(np.einsum("ij,ij->j", white, white), 1.0)
    nu = n_samples - 1
    adjusted = np.maximum(1 - (1 - explained) * nu / max(nu - rank, 1), 0.0)
    shrunk = np.sqrt(adjusted / np.where(explained > 0, explained, 1.0))
    n = 2 * (int(np.clip(_NUMBERS // (m * n_targets), _LEAST_DRAWS, _MOST_DRAWS)) // 2)
    rng = np.random.default_rng(0)
    triangle = np.tril(rng.normal(size=(n // 2, rank, rank)), -1)
    triangle[:, range(rank), range(rank)] = np.sqrt(
        rng.chisquare(nu - np.arange(rank), size=(n // 2, rank))
    )
    factor = factor @ triangle
    scatter = factor @ np.swapaxes(factor, 1, 2)
    per_std = 1 / np.sqrt(np.diagonal(scatter, axis1=1, axis2=2))
    sigma = np.clip(scatter * per_std[:, :, None] * per_std[:, None], -1, 1)
    sigma[:, range(m), range(m)] = 1.0
    sigma = np.concatenate([sigma, sigma])
    at_once = max(1, _NUMBERS_AT_ONCE // (n * m))
    for start in range(0, n_targets, at_once):
        targets = slice(start, start + at_once)
        c, left = white[:, targets] * shrunk[targets], 1 - adjusted[targets]
        mean = np.swapaxes(triangle, 1, 2) @ c
        noise = np.sqrt(left) * rng.normal(size=mean.shape)
        rest = left * rng.chisquare(nu - rank, size=(n // 2, c.shape[1]))
        # Both signs of the noise: so the sign of a target makes no difference.
        halves = []
        for u in (mean + noise, mean - noise):
            std = np.sqrt((u * u).sum(axis=1) + rest)[:, None]
            halves.append((factor @ u) * per_std[:, :, None] / std)
        member = GaussianSources(
            sources.sigma, sources.rho[:, targets] * shrunk[targets], sources.eps, sources.groups
        )
        rho = np.clip(np.concatenate(halves), -1, 1)
        yield targets, member, GaussianSources.stack(sigma, rho, sources.groups)


def _factor(
    sigma: Float[np.ndarray, "m m"],
) -> tuple[Float[np.ndarray, "m rank"], list[int]]:
    """Cholesky factor without columns of variables that those before them determine."""
    factor, kept = np.zeros((len(sigma), 0)), []
    for i in range(len(sigma)):
        rest = sigma[:, i] - factor @ factor[i]
        if rest[i] > _DETERMINED:
            kept.append(i)
            rest[:i] = 0.0
            factor = np.column_stack([factor, rest / np.sqrt(rest[i])])
    return factor, kept


def union_bias(
    alone: Float[np.ndarray, "sources n"],
    draws: Float[np.ndarray, "b sources n"],
    bias: Float[np.ndarray, " sources"],
    width: float = _TIED,
) -> Float[np.ndarray, " n"]:
    """Bias of the largest of several informations, the choice of the largest included.

    Where several are about equally large, chance picks one that looks larger than it is. Draws of
    observed informations would find half of this, for what is equal is not observed as equal:
    informations that are not clearly smaller than the largest are taken to be equal to it.

    Parameters
    ----------
    alone : (sources, n)
        Informations as observed.
    draws : (b, sources, n)
        Draws of them, of which only the deviations from their means are taken.
    bias : (sources,)
        Bias of each information by itself.
    width : float
        Standard deviations of a difference, times sqrt(2 log m), below which informations count as
        equal.
    """
    m, n = alone.shape
    corrected, noise = alone - bias[:, None], draws - draws.mean(axis=0)
    best = corrected.argmax(axis=0)
    of_best = np.take_along_axis(noise, best[None, None], axis=1)
    apart = (noise - of_best).std(axis=0)
    largest = corrected[best, np.arange(n)]
    tied = largest - corrected <= width * np.sqrt(2 * np.log(max(m, 2))) * apart
    tied[best, np.arange(n)] = True
    mean = np.where(tied, corrected, 0.0).sum(axis=0) / tied.sum(axis=0)
    level = np.where(tied, mean, corrected)
    found = (level + bias[:, None] + noise).max(axis=1).mean(axis=0)
    return np.asarray(found - level.max(axis=0))


@dataclass(frozen=True)
class Choice:
    """The largest, or the least, of the informations of some sources."""

    sources: tuple[int, ...]
    least: bool = False


def drawn_bias(
    sources: GaussianSources, n_samples: int | float, choices: Sequence[Choice]
) -> list[Float[np.ndarray, " n"]]:
    """Bias of the informations that are chosen, in nats: of the union information from all."""
    alone = sources.unexplained_alone
    bias = information_bias(n_samples, sources.ranks)
    found = []
    for choice in choices:
        of_chosen = alone[list(choice.sources)]
        place = of_chosen.argmax(axis=0) if choice.least else of_chosen.argmin(axis=0)
        found.append(bias[list(choice.sources)][place])
    for targets, _, draws in drawn(sources, n_samples) if choices else ():
        one, many = alone[:, targets], draws.unexplained_alone
        for choice, result in zip(choices, found, strict=True):
            rows = list(choice.sources)
            # A source that determines the target is the best for sure.
            finite = (one[rows] > 0).all(axis=0) & (many[:, rows] > 0).all(axis=(0, 1))
            if finite.any():
                sign = -1 if choice.least else 1
                part = union_bias(
                    sign * information(one[rows][:, finite]),
                    sign * information(many[:, rows][..., finite]),
                    sign * bias[rows],
                )
                result[targets][finite] = sign * part
    return found
