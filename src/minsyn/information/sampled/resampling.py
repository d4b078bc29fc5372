"""Intervals and p-values from resampled values."""

import numpy as np
from jaxtyping import Float
from scipy.stats import false_discovery_control


def basic_interval(
    value: Float[np.ndarray, " n"],
    replicates: Float[np.ndarray, "b n"],
    confidence: float,
    floor: float,
) -> Float[np.ndarray, "n 2"]:
    """Basic (pivotal) bootstrap interval.

    [2 v - q_high, 2 v - q_low] with the quantiles q of the replicates (Davison and Hinkley 1997,
    Sec. 5.2). Replicates exceed the value by about the bias with which the value exceeds the truth,
    so that the interval is centred on a bias-corrected value. Where the value is infinite, so is
    the interval.
    """
    tail = (1 - confidence) / 2
    # Order statistics, not means of two: with infinite replicates those would be NaN.
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0, method="inverted_cdf")
    finite = np.isfinite(value)
    twice = np.where(finite, 2 * np.where(finite, value, 0.0), np.inf)
    interval = np.stack(
        [
            np.where(finite, twice - np.where(finite, high, 0.0), value),
            np.where(finite, twice - np.where(finite, low, 0.0), value),
        ],
        axis=1,
    )
    return np.maximum(interval, floor)


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
    return (1 + reached.sum(axis=0)) / (1 + len(null))


def false_discovery_rate(p_values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Benjamini and Hochberg's adjusted p-values over the targets."""
    return np.asarray(false_discovery_control(p_values, method="bh"))
