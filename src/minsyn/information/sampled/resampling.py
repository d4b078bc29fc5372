"""Intervals and p-values from resampled values."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, stdtrit
from scipy.stats import false_discovery_control


def shifted_interval(
    value: Float[np.ndarray, " n"],
    replicates: Float[np.ndarray, "b n"],
    origin: Float[np.ndarray, " n"],
    confidence: float,
    floor: float,
    n_samples: int | Float[np.ndarray, " n"],
    n_fitted: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "n 2"]:
    """Percentile bootstrap interval, shifted to where its centre is the corrected value.

    With the quantiles q and the mean m of the replicates, and the value o of the distribution that
    they are drawn from, [q_low, q_high] - m + value - (m - o): replicates exceed their origin by
    about the bias with which the value exceeds the truth. Unlike a pivotal interval it keeps the
    skew of the replicates, which is the right one of an information: larger values spread more.

    The percentiles are those of Student's t, expanded by the square root of N over the degrees of
    freedom that the fit leaves, since resamples spread less than samples (Hesterberg 2015, "What
    teachers should know about the bootstrap"). Where the value is infinite, so is the interval.
    """
    freedom = np.maximum(n_samples - n_fitted, n_samples / 2)
    tail = ndtr(np.sqrt(n_samples / freedom) * stdtrit(freedom, (1 - confidence) / 2))
    # Order statistics, not means of two: with infinite replicates those would be NaN.
    order, b = np.sort(replicates, axis=0), len(replicates)
    places = np.ceil(b * np.stack([tail, 1 - tail])).astype(int) - 1
    quantiles = np.take_along_axis(order, np.clip(places, 0, b - 1), axis=0)
    finite, mean = np.isfinite(value) & np.isfinite(origin), finite_mean(replicates)
    known = np.where(finite, value, 0.0) + np.where(finite, origin, 0.0)
    interval = np.where(finite, quantiles - 2 * mean + known, value).T
    return np.maximum(interval, floor)


def finite_mean(replicates: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " n"]:
    """Mean of those replicates that are finite; 0 where none is."""
    seen = np.isfinite(replicates)
    mean: np.ndarray = np.where(seen, replicates, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return mean


def hull(
    one: Float[np.ndarray, "n 2"], other: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 2"]:
    """The smallest intervals that hold both."""
    low, high = np.minimum(one[:, 0], other[:, 0]), np.maximum(one[:, 1], other[:, 1])
    return np.stack([low, high], axis=1)


def permutation_p_value(
    value: Float[np.ndarray, " n"], null: Float[np.ndarray, "b n"], rounding: float = 1e-12
) -> Float[np.ndarray, " n"]:
    """Share of permutations, the observed order among them, that reach the value.

    (1 + #{null >= value}) / (1 + b): valid for any b, and never 0 (Phipson and Smyth 2010).
    """
    # Values that differ only by the rounding of sums, or of a solver, count as equal.
    reached = null >= value - rounding * np.maximum(
        np.abs(np.where(np.isfinite(value), value, 0)), 1
    )
    p_values: np.ndarray = (1 + reached.sum(axis=0)) / (1 + len(null))
    return p_values


def false_discovery_rate(p_values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Benjamini and Hochberg's adjusted p-values over the targets."""
    return np.asarray(false_discovery_control(p_values, method="bh"))
