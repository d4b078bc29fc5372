"""Measures of many discrete distributions of one shape at once: one axis more than a pmf.

Each is the sum in the function of the same name of `minsyn.information.discrete`, in nats; tested
to be equal.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from minsyn.information.union.face import union_information_batch

Batch = Float[np.ndarray, "n *sources x"]


def _marginal(p: Batch, *kept: int) -> Float[np.ndarray, "n *kept"]:
    """Sum over the variables not in ``kept`` (0, ..., m; the target is m)."""
    return p.sum(axis=tuple(a + 1 for a in range(p.ndim - 1) if a not in kept))


def _entropy(p: Float[np.ndarray, "n *cells"]) -> Float[np.ndarray, " n"]:
    return -xlogy(p, p).reshape(len(p), -1).sum(axis=1)


def _local(p_zx: Float[np.ndarray, "n z x"]) -> Float[np.ndarray, "n x"]:
    """Sum over z of p(z, x) log p(z, x) / p(z) p(x): p(x) times the specific information."""
    return (
        xlogy(p_zx, p_zx).sum(axis=1)
        - xlogy(p_zx, p_zx.sum(axis=2, keepdims=True)).sum(axis=1)
        - xlogy(p_zx.sum(axis=1), p_zx.sum(axis=1))
    )


def _source_locals(p: Batch) -> Float[np.ndarray, "m n x"]:
    m = p.ndim - 2
    return np.stack([_local(_marginal(p, j, m)) for j in range(m)])


def mutual_information(p: Batch) -> Float[np.ndarray, " n"]:
    flat = p.reshape(len(p), -1, p.shape[-1])
    return np.maximum(_local(flat).sum(axis=1), 0.0)


def whole_minus_sum(p: Batch) -> Float[np.ndarray, " n"]:
    return mutual_information(p) - _source_locals(p).sum(axis=(0, 2))


def union_information(p: Batch) -> Float[np.ndarray, " n"]:
    return union_information_batch(p, unit="nats").value


def gk_synergy(p: Batch) -> Float[np.ndarray, " n"]:
    return np.maximum(mutual_information(p) - union_information(p), 0.0)


def ci_synergy(p: Batch) -> Float[np.ndarray, " n"]:
    m = p.ndim - 2
    p_x = _marginal(p, m)
    seen = np.where(p_x > 0, p_x, 1.0)
    joint = np.ones(())  # p(x) prod_j p(z_j | x)
    for j in range(m):
        given = _marginal(p, j, m) / seen[:, None, :]
        shape = [len(p)] + [p.shape[a + 1] if a in (j, m) else 1 for a in range(m + 1)]
        joint = joint * given.reshape(shape)
    joint = joint * p_x.reshape(len(p), *(1,) * m, -1)
    return np.maximum(
        (
            xlogy(p, p)
            - xlogy(p, p.sum(axis=-1, keepdims=True))
            - xlogy(p, np.where(p > 0, joint, 1.0))
            + xlogy(p, joint.sum(axis=-1, keepdims=True))
        )
        .reshape(len(p), -1)
        .sum(axis=1),
        0.0,
    )


def total_correlation(p: Batch) -> Float[np.ndarray, " n"]:
    singles = [_entropy(_marginal(p, v)) for v in range(p.ndim - 1)]
    return np.maximum(np.sum(singles, axis=0) - _entropy(p), 0.0)


def imin_redundancy(p: Batch) -> Float[np.ndarray, " n"]:
    return _source_locals(p).min(axis=0).sum(axis=1)


def s_max(p: Batch) -> Float[np.ndarray, " n"]:
    return mutual_information(p) - _source_locals(p).max(axis=0).sum(axis=1)


MEASURES: dict[str, Callable[[Batch], Float[np.ndarray, " n"]]] = {
    "mutual_information": mutual_information,
    "union_information": union_information,
    "gk_synergy": gk_synergy,
    "ci_synergy": ci_synergy,
    "whole_minus_sum": whole_minus_sum,
    "total_correlation": total_correlation,
    "imin_redundancy": imin_redundancy,
    "s_max": s_max,
}


def measures_nats(p: Batch, names: tuple[str, ...]) -> dict[str, Float[np.ndarray, " n"]]:
    """Several measures; the union is solved for once."""
    values = {name: MEASURES[name](p) for name in names if name != "gk_synergy"}
    if "gk_synergy" in names:
        union = values.get("union_information")
        union = union_information(p) if union is None else union
        values["gk_synergy"] = np.maximum(mutual_information(p) - union, 0.0)
    return {name: values[name] for name in names}
