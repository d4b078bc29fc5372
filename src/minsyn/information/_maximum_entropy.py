"""Maximum entropy under given marginals, by an interior-point method.

Iterative scaling takes thousands of sweeps where the answer has zeros that the marginals do not
show (AND is the smallest such case); this takes a dozen Newton steps there as elsewhere.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from minsyn.information._pmf import marginal

#: Stop when sum q s, the duality gap in nats, is below the first and no marginal is off by more
#: than the second.
GAP, RESIDUAL = 1e-11, 1e-13
MAX_ITER = 100
#: Keeps the factorisation alive on redundant marginals (all subsets share sums).
RIDGE = 1e-13
TO_BOUNDARY = 0.99
#: Reduction of mu asked of a step.
SIGMA = 0.1


def maximum_entropy(
    p: Float[np.ndarray, "*axes"], subsets: Sequence[tuple[int, ...]]
) -> tuple[Float[np.ndarray, "*axes"], float]:
    """Maximise H(q) over q whose marginals on every subset of axes are those of p.

    Parameters
    ----------
    p : ndarray
        A pmf.
    subsets
        Groups of axes whose joint marginal is kept.

    Returns
    -------
    q : ndarray, shape of ``p``
    error : float
        Bound of the error: duality gap (nats) plus the sum of the marginals' deviations.
    """
    labels = np.indices(p.shape).reshape(p.ndim, -1)
    rows, b = [], []
    for subset in subsets:
        sizes = [p.shape[a] for a in subset]
        cell = np.ravel_multi_index([labels[a] for a in subset], sizes)
        rows.append(np.eye(int(np.prod(sizes)))[:, cell])
        b.append(marginal(p, subset).ravel())
    a, target = np.concatenate(rows), np.concatenate(b)
    # A marginal of 0 decides its cells.
    free = ~(a[target == 0] > 0).any(0)
    a, target = a[target > 0][:, free], target[target > 0]
    q = np.full(a.shape[1], 1 / a.shape[1])
    y = np.zeros(len(target))
    s = np.ones_like(q)
    error = np.inf
    for _ in range(MAX_ITER):
        residual = target - a @ q
        error = float(q @ s + np.abs(residual).sum())
        if q @ s < GAP and np.abs(residual).max() < RESIDUAL:
            break
        # Stationary: log q - A'y - s = 0.
        h = SIGMA * (q @ s / len(q)) / q - np.log(q) + a.T @ y
        d = q / (1 + s)
        schur = (a * d) @ a.T
        scale = 1 / np.sqrt(np.diag(schur))
        schur *= scale[:, None] * scale
        schur[np.diag_indices_from(schur)] = 1 + RIDGE
        factor = cho_factor(schur, lower=True, overwrite_a=True)
        dy = np.zeros_like(y)
        for _ in range(3):
            dq = d * (h + a.T @ dy)
            dy += scale * cho_solve(factor, scale * (residual - a @ dq))
        dq = d * (h + a.T @ dy)
        ds = SIGMA * (q @ s / len(q)) / q - s * (1 + dq / q)
        step = TO_BOUNDARY / max(float((-dq / q).max()), float((-ds / s).max()), TO_BOUNDARY)
        q, s, y = q + step * dq, s + step * ds, y + step * dy
    full = np.zeros(p.size)
    full[free] = q
    return full.reshape(p.shape), error
