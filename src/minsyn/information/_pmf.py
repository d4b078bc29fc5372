"""Probability mass functions: checks, marginals, entropies and units."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from minsyn.information._arrays import as_numbers

Unit = Literal["bits", "nats"]

#: Allowed deviation of the total from 1: the rounding of a sum over millions of cells, or of
#: probabilities that were typed in or stored with nine digits.
TOTAL_TOLERANCE = 1e-8
#: NumPy's arrays have at most 64 axes, and some measures need a few more than the pmf.
MOST_AXES = 60


def as_pmf(pmf: Any, *, min_axes: int = 2, name: str = "pmf") -> Float[np.ndarray, "..."]:
    """The argument as a float64 array that sums to 1; a ValueError if it is no pmf."""
    p = as_numbers(pmf, name)
    if p.ndim < min_axes:
        raise ValueError(
            f"{name} must have at least {min_axes} axes"
            + (" (one for each source, then one for the target)" if min_axes == 2 else "")
            + f"; found shape {p.shape}"
        )
    if p.ndim > MOST_AXES:
        raise ValueError(f"{name} must have at most {MOST_AXES} axes; found {p.ndim}")
    if p.size == 0:
        raise ValueError(f"{name} has no cells; found shape {p.shape}")
    total = float(unchecked_sum(p))
    # NaN and infinity fail these comparisons too.
    if not (p.min() >= 0 and abs(total - 1) <= TOTAL_TOLERANCE):
        raise ValueError(_what_is_wrong(p, total, name))
    return p / total


@np.errstate(over="ignore", invalid="ignore")
def unchecked_sum(p: Float[np.ndarray, "..."], axis: int | None = None) -> Any:
    """A sum of what may be no probabilities: NaN or infinite, without a warning."""
    return p.sum(axis)


def _what_is_wrong(p: Float[np.ndarray, "..."], total: float, name: str) -> str:
    n_bad = int((~np.isfinite(p)).sum())
    if n_bad:
        return f"{name} has {n_bad} cells that are NaN or infinite"
    if p.min() < 0:
        return (
            f"{name} has negative cells; the smallest is {p.min():.3g}; if that is rounding, "
            f"np.maximum({name}, 0) removes it"
        )
    return f"{name} must sum to 1, found {total:.10g}; counts become a pmf by {name} / {name}.sum()"


def in_unit(nats: Any, unit: Unit) -> Any:
    """Convert nats to a unit."""
    if unit == "bits":
        return nats / np.log(2)
    if unit == "nats":
        return nats
    raise ValueError(f"unit must be 'bits' or 'nats', found {unit!r}")


def marginal(p: Float[np.ndarray, "..."], axes: Sequence[int]) -> Float[np.ndarray, "..."]:
    """Sum over every axis that is not in ``axes`` (which keep their order in the array)."""
    kept = {a % p.ndim for a in axes}
    kept_alone: np.ndarray = p.sum(axis=tuple(a for a in range(p.ndim) if a not in kept))
    return kept_alone


def entropy_nats(p: Float[np.ndarray, "..."]) -> float:
    """-sum p log p."""
    return float(-xlogy(p, p).sum())


def pointwise_nats(
    joint: Float[np.ndarray, "..."],
    first: Float[np.ndarray, "..."],
    second: Float[np.ndarray, "..."],
) -> Float[np.ndarray, "..."]:
    """Log p(z, x) / p(z) p(x), and 0 where p(z, x) is; p(z) p(x) itself may underflow."""
    positive = joint > 0
    log_joint, log_first, log_second = (
        np.log(np.where(positive, p, 1.0)) for p in (joint, first, second)
    )
    return np.asarray(log_joint - log_first - log_second)


def information_nats(p_zx: Float[np.ndarray, "z x"]) -> float:
    """I(Z; X) of a two-axis pmf, as the relative entropy to the product of its marginals."""
    p_z, p_x = p_zx.sum(1), p_zx.sum(0)
    cell = xlogy(p_zx, p_zx) - xlogy(p_zx, p_z[:, None]) - xlogy(p_zx, p_x)
    return max(float(cell.sum()), 0.0)


def source_marginals(p: Float[np.ndarray, "*sources x"]) -> list[Float[np.ndarray, "_ x"]]:
    """p(z_j, x) for every source j."""
    return [marginal(p, (j, p.ndim - 1)) for j in range(p.ndim - 1)]
