"""Targets of which a Gaussian model misses most, found by bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtri

from minsyn._warnings import warn
from minsyn.information.sampled.resampling import permutation_p_value
from minsyn.information.sampled.series import Series

__all__ = ["NonlinearDependenceWarning", "missed_targets", "warn_of_missed"]

#: Samples a cell of the table of all sources and the target, on average.
_SAMPLES_PER_CELL = 4
#: The most bins of a variable: finer ones tell little more.
_MOST_BINS = 4
#: Numbers of samples and targets that are looked at; of more targets, only so many.
_MOST_NUMBERS = 5_000_000
#: Significance of bins' information under independence, and nats by which they must tell more than
#: the Gaussian model beyond what is significant.
_LEVEL, _NATS = 1e-7, 0.05
#: Permutations that confirm, and targets that they are spent on.
_PERMUTATIONS, _CONFIRMED = 99, 10


class NonlinearDependenceWarning(UserWarning):
    """Targets about which bins of the sources tell clearly more than a Gaussian model."""


def warn_of_missed(
    z: Float[np.ndarray, "samples variables"],
    x: Float[np.ndarray, "samples n"],
    nats: Float[np.ndarray, " n"],
    names: Sequence[str],
    series: Series | None = None,
) -> None:
    """Warn of the targets that `missed_targets` finds."""
    missed = missed_targets(z, x, nats, series=series)
    if missed:
        told = ", ".join(
            f"{names[one.target]} (Gaussian {nats[one.target] / np.log(2):.3f} bits, "
            f"bins at least {one.nats / np.log(2):.3f})"
            for one in missed[:3]
        )
        warn(
            "the dependence on the sources is not linear, and the Gaussian model misses most of "
            f"what they tell about {told}{', ...' if len(missed) > 3 else ''}: try "
            f"model='discrete' with bins={missed[0].bins}",
            NonlinearDependenceWarning,
        )


@dataclass(frozen=True)
class Missed:
    """A target that a Gaussian model is blind to: what bins tell about it, at least."""

    target: int
    nats: float
    bins: int


def missed_targets(
    z: Float[np.ndarray, "samples variables"],
    x: Float[np.ndarray, "samples n"],
    nats: Float[np.ndarray, " n"],
    seed: int = 0,
    series: Series | None = None,
) -> list[Missed]:
    """Targets about which bins of the sources tell clearly more than a Gaussian model.

    Of Gaussian variables bins tell less, by the data processing inequality. The bins' information
    less what chance gives must exceed the Gaussian one, and be reached by no permutation of the
    target.

    Parameters
    ----------
    z, x : ndarray
        Sources and targets.
    nats : ndarray of shape (n_targets,)
        Information of all sources about each target in the Gaussian model.
    seed : int
        Seed of the permutations.
    series : Series, optional
        Dependence of the samples on each other: then shifts take the place of permutations.

    Returns
    -------
    list of Missed
        The largest first; empty where there are too few samples for so many sources.
    """
    n_samples, m = z.shape
    bins = int(min(_MOST_BINS, (n_samples / _SAMPLES_PER_CELL) ** (1 / (m + 1)) + 1e-9))
    if bins < 2:
        return []
    chosen = np.arange(0, x.shape[1], 1 + n_samples * x.shape[1] // _MOST_NUMBERS)
    of_source = _binned(z, bins)
    states = of_source @ bins ** np.arange(m)
    states = np.unique(states, return_inverse=True)[1]
    codes = _binned(x[:, chosen], bins)
    found, freedom = _information(states, codes, bins)
    # 2 N I is chi-squared under independence (Wilks 1938).
    n_effective = n_samples if series is None else series.n_effective[chosen]
    least = found - chdtri(np.maximum(freedom, 1), _LEVEL) / (2 * n_effective)
    finite = np.isfinite(nats[chosen])
    more = finite & (least > np.where(finite, nats[chosen], 0.0) + _NATS)
    order = np.argsort(-(least - np.where(finite, nats[chosen], 0.0)), kind="stable")
    candidates = [i for i in order if more[i]][:_CONFIRMED]
    rng = np.random.default_rng(seed)
    missed = []
    for i in candidates:
        if series is None:
            permuted = np.stack(
                [rng.permutation(codes[:, i]) for _ in range(_PERMUTATIONS)], axis=1
            )
        else:
            permuted = codes[series.shifted(_PERMUTATIONS, rng), i].T
        null = _information(states, permuted, bins)[0]
        if permutation_p_value(found[i : i + 1], null[:, None])[0] <= 1 / (1 + _PERMUTATIONS):
            missed.append(Missed(int(chosen[i]), float(least[i]), bins))
    return missed


def _binned(a: Float[np.ndarray, "samples k"], bins: int) -> Int[np.ndarray, "samples k"]:
    edges = np.quantile(a, np.arange(1, bins) / bins, axis=0)
    states: np.ndarray = (a[:, None, :] > edges[None]).sum(axis=1)
    return states


def _information(
    states: Int[np.ndarray, " samples"], codes: Int[np.ndarray, "samples k"], bins: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Information of states about each column in nats, and its degrees of freedom."""
    n_samples, k = codes.shape
    n_states = int(states.max()) + 1
    cells = (states[:, None] + n_states * np.arange(k)) * bins + codes
    counts = np.bincount(cells.ravel(), minlength=n_states * bins * k).reshape(k, n_states, bins)
    p = counts / n_samples
    p_z, p_x = p.sum(axis=2, keepdims=True), p.sum(axis=1, keepdims=True)
    ratio = np.where(p > 0, p / np.where(p > 0, p_z * p_x, 1.0), 1.0)
    freedom = (n_states - 1) * ((p_x > 0).sum(axis=(1, 2)) - 1)
    return (p * np.log(ratio)).sum(axis=(1, 2)), freedom.astype(np.float64)
