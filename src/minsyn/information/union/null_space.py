"""Interior-point method in the null space of the marginals, for small pmfs.

A small pmf spends its time in calls, not in arithmetic. Where no marginal is near zero, the
feasible distributions are ``q_0 + N t`` with one basis N for the shape, and the Newton system is
N'HN dt = -N'(gradient): 2 x 2 for two binary sources and a binary target. The start is the
conditionally independent distribution, and every iterate has the right marginals.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import lapack, null_space

from minsyn.information.union.interior_point import TO_BOUNDARY, TRUST
from minsyn.information.union.marginals import marginal_map

#: Two binary sources, a binary target. With more, half of random pmfs have optima on faces where
#: the projected Hessian loses its digits, and the general method has to start over.
MAX_CELLS = 8
#: The smallest cell of the starting distribution; below it the general method starts better.
MIN_START = 1e-9
#: Stop at this nominal gap sum q s, in nats: half of what the certificate aims at.
GAP = 3e-11
LEAST_GAP = 1e-15
MAX_ITER = 30
SIGMA_MIN = 0.005
#: The start's mu as a part of its entropy: few steps, found by trial.
START_MU = 0.03
#: Added to the relative curvature 1 + s of every cell, which 11'/r_z cancels up to s: more than
#: the rounding of that difference.
RIDGE = 1e-13


@dataclass(frozen=True)
class Directions:
    """The constant matrices of one shape; cells are flattened as [x, z].

    ``basis`` (c, d) spans the changes that keep the marginals; ``outer`` and ``row_outer`` turn a
    diagonal Hessian into its d x d form. ``with_rows`` (c, c + n_states) appends r_z to the cells,
    ``moves`` is the basis so extended, and ``difference`` subtracts each cell's row from it.
    ``to_potentials`` (c, n_x k) recovers the multipliers from their sum.
    """

    basis: Float[np.ndarray, "c d"]
    outer: Float[np.ndarray, "c dd"]
    with_rows: Float[np.ndarray, "c cz"]
    moves: Float[np.ndarray, "d cz"]
    difference: Float[np.ndarray, "cz c"]
    row_outer: Float[np.ndarray, "z dd"]
    to_potentials: Float[np.ndarray, "c k"]


@lru_cache(maxsize=64)
def directions(shape: tuple[int, ...], n_x: int) -> Directions | None:
    """The matrices of a shape; None where the general method is to be used."""
    if math.prod(shape) * n_x > MAX_CELLS:
        return None
    one_hot = marginal_map(shape).one_hot
    basis = null_space(np.kron(np.eye(n_x), one_hot.T))
    if basis.shape[1] == 0:
        return None
    rows = np.tile(np.eye(len(one_hot)), (n_x, 1))
    with_rows = np.hstack([np.eye(len(rows)), rows])
    by_row = rows.T @ basis
    return Directions(
        basis,
        np.einsum("ci,cj->cij", basis, basis).reshape(len(basis), -1),
        with_rows,
        basis.T @ with_rows,
        np.vstack([np.eye(len(rows)), -rows.T]),
        np.einsum("zi,zj->zij", by_row, by_row).reshape(len(one_hot), -1),
        np.linalg.pinv(np.kron(np.eye(n_x), one_hot)).T,
    )


def _solver(
    h: Float[np.ndarray, "n d d"],
) -> Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]]:
    """Solve with n small symmetric positive definite matrices."""
    if len(h) == 1:
        factor, info = lapack.dpotrf(h[0], lower=1)
        if info:
            raise np.linalg.LinAlgError("the projected Hessian is not positive definite")
        return lambda v: lapack.dpotrs(factor, v.T, lower=1)[0].T
    # A batch is not to fail for one singular member: that one will not certify.
    diagonal = np.einsum("ndd->nd", h)
    diagonal[~(diagonal > 0)] = 1.0
    try:
        inverse = np.linalg.inv(h)
    except np.linalg.LinAlgError:
        diagonal *= 1 + 1e-8
        inverse = np.linalg.inv(h)
    return lambda v: (inverse @ v[..., None])[..., 0]


def solve(
    constants: Directions, start: Float[np.ndarray, "n c"]
) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n k"], Int[np.ndarray, " n"]]:
    """Minimise sum q log(q/r) from feasible positive starts.

    Returns the last iterates, their multipliers, and the number of steps. Whether they are good
    is for the certificate to say.
    """
    n, c = start.shape
    basis, moves = constants.basis, constants.moves
    with_rows, difference = constants.with_rows, constants.difference
    ones = np.ones((c, 1))
    half_difference = 0.5 * difference
    d = basis.shape[1]
    final_q, final_y = start.copy(), np.zeros((n, constants.to_potentials.shape[1]))
    steps = np.zeros(n, dtype=int)
    active = np.arange(n)
    q = start
    # g = sum_j y_j(z_j, x): the multipliers enter only through it, and it stays such a sum.
    g = np.log(q)
    r = (q @ with_rows)[:, c:]
    mu = -(r * np.log(r)).sum(1, keepdims=True) / c
    s = np.maximum(START_MU * mu, 1e-3) / q
    for it in range(MAX_ITER + 1):
        both = q @ with_rows
        inverse = 1 / both
        theta = np.log(both) @ difference
        total = (q * s) @ ones
        if it == MAX_ITER or total.min() < GAP:
            # Slack that g does not give would have to be charged to the bound.
            lacking = (g - theta).max(1)
            done = (total < GAP)[:, 0] & (lacking < GAP) | (total < LEAST_GAP)[:, 0]
            if it == MAX_ITER:
                done[:] = True
            ended = active[done]
            final_q[ended], steps[ended] = q[done], it
            final_y[ended] = g[done] @ constants.to_potentials
            on = ~done
            if not on.any():
                break
            active, q, s, g = active[on], q[on], s[on], g[on]
            theta, total, inverse = theta[on], total[on], inverse[on]
        w, w_r = inverse[:, :c], inverse[:, c:]
        hessian = (w * (1 + RIDGE) + s * w) @ constants.outer - w_r @ constants.row_outer
        newton = _solver(hessian.reshape(-1, d, d))
        # Predictor: where mu = 0 would lead. ds = -s (1 + dq/q).
        relative = (newton(-theta @ basis) @ moves) * inverse
        cells = relative[:, :c]
        far = np.maximum.reduce(np.abs(cells + 0.5), axis=1, keepdims=True) + 0.5
        a = 1 / np.maximum(far, 1.0)
        mu = total * (np.minimum(np.maximum((1 - a) ** 2, SIGMA_MIN), 0.9) / c)
        relative *= a
        # Second order: of log(q / r), and of q s.
        curvature = (relative * relative) @ half_difference
        second = np.minimum(np.maximum(cells * (cells + a), -TRUST), TRUST)
        target = mu * w + s * second
        h = target - theta + np.minimum(np.maximum(curvature, -TRUST), TRUST)
        relative = (newton(h @ basis) @ moves) * inverse
        cells = relative[:, :c]
        ds = target - s * (1 + cells)
        least = np.minimum.reduce(np.minimum(cells, ds / s), axis=1, keepdims=True)
        a = TO_BOUNDARY / np.maximum(-least, TO_BOUNDARY)
        dg = relative @ difference + s * cells - h - g
        q, s, g = q * (1 + a * cells), s + a * ds, g + a * dg
    return final_q, final_y, steps
