"""Primal-dual interior-point method for union information of a batch of pmfs of one shape.

The problem, for each pmf, in nats (stored as ``q[x, z]``, the sources' joint state flattened)::

    minimise   sum_{x,z} q log(q / r_z),   r_z = sum_x q(x, z)
    subject to q(z_j, x) = b(z_j, x) for every source j,   q >= 0

Its conditions of optimality, with multipliers y of the marginals and slacks s >= 0 of q >= 0::

    log(q / r) - sum_j y_j(z_j, x) - s = 0,   marginals of q = b,   q s = mu -> 0

The Newton steps (`newton`) correct to second order (Mehrotra) both the product q s and the
logarithm; without the latter the iterates crowd at the boundary.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from minsyn.information.union.marginals import NEGLIGIBLE, Problem
from minsyn.information.union.newton import Elimination, Newton

#: Iterates stay strictly inside: this fraction of the way to the boundary.
TO_BOUNDARY = 0.995
#: The power of the product distribution that the iteration starts from. Its square root is far
#: from the boundary where the product has cells of 1e-20.
START_POWER = 0.5
#: Second-order corrections larger than this, relative to what they correct, are not trusted.
TRUST = 0.5


@dataclass(frozen=True)
class Iterate:
    """The state of every pmf still in work; the first axis runs over them."""

    index: np.ndarray
    q: Float[np.ndarray, "n x z"]
    y: Float[np.ndarray, "n x k"]
    s: Float[np.ndarray, "n x z"]
    gap: Float[np.ndarray, " n"]
    n_iter: int


def start(problem: Problem, power: float = START_POWER) -> Iterate:
    """A centred start: a power of the conditionally independent distribution, slacks mu / q."""
    b, e = problem.b, problem.map.one_hot
    p_x = b[..., problem.map.blocks[0]].sum(-1, keepdims=True)
    allowed = b > 0
    y = np.where(allowed, np.log(np.where(allowed, b, 1.0) / np.where(p_x > 0, p_x, 1.0)), 0.0)
    y[..., problem.map.blocks[0]] += np.log(np.where(p_x > 0, p_x, 1.0))
    # Cells that are not allowed hold the placeholder q = 1 and weigh nothing (D = 0).
    q = np.where(problem.mask > 0, np.exp(power * (y @ e.T)), 1.0)
    r = (q * problem.mask).sum(1, keepdims=True)
    mass = q * problem.mask * -np.log(np.clip(r, NEGLIGIBLE, 0.99))
    mu = mass.sum((1, 2), keepdims=True) / np.maximum(problem.mask.sum((1, 2), keepdims=True), 1)
    return Iterate(np.arange(len(b)), q, y, mu / q, np.full(len(b), np.inf), 0)


def _longest(
    q: Float[np.ndarray, "n x z"],
    dq: Float[np.ndarray, "n x z"],
    s: Float[np.ndarray, "n x z"],
    ds: Float[np.ndarray, "n x z"],
) -> Float[np.ndarray, "n 1 1"]:
    """The longest common step, at most 1, that keeps q and s nonnegative."""
    far = np.maximum((-dq / q).max((1, 2)), (-ds / s).max((1, 2)))
    damping: np.ndarray = (1 / np.maximum(far, 1.0))[:, None, None]
    return damping


def iterate(
    problem: Problem,
    at: Iterate,
    *,
    elimination: Elimination,
    sigma_min: float,
    refinements: int,
    max_iter: int,
) -> Generator[tuple[Problem, Iterate], Bool[np.ndarray, " n"] | None, None]:
    """Yield the iterates, one Newton step after another.

    ``gap`` of an iterate is sum q s: the duality gap if all residuals were zero. The receiver may
    send back a boolean array of the pmfs to continue with.
    """
    e = problem.map.one_hot
    q, s, y = at.q, at.s, at.y
    index, n_iter = at.index, at.n_iter
    for _ in range(max_iter):
        mask = problem.mask
        idle = (mask.sum(1) == 0).astype(np.float64)
        n_cells = np.maximum(mask.sum((1, 2)), 1.0)
        qm = q * mask
        total = (qm * s).sum((1, 2))
        chosen = yield problem, Iterate(index, q, y, s, total, n_iter)
        if chosen is not None:
            if not chosen.any():
                return
            if not chosen.all():
                problem = problem.keep(chosen)
                q, s, y, index = q[chosen], s[chosen], y[chosen], index[chosen]
                qm, total, idle, mask = qm[chosen], total[chosen], idle[chosen], mask[chosen]
                n_cells = n_cells[chosen]
        mu = (total / n_cells)[:, None, None]
        r = qm.sum(1) + idle
        theta = np.log(q / r[:, None, :]) - y @ e.T
        primal = problem.b - qm @ e
        d = qm / (1 + s)
        t = (d * s).sum(1) + idle
        newton = Newton.at(elimination, problem, primal, d, t)
        # Predictor: where mu = 0 would lead.
        dq, _ = newton.step(-theta, 0)
        ds = -s * (1 + dq / q)
        a = _longest(q, dq, s, ds)
        sigma = np.clip((1 - a) ** 2, sigma_min, 0.9)
        relative, of_row = a * dq / q, a * (dq.sum(1) / r)[:, None, :]
        curvature = np.clip(0.5 * (relative**2 - of_row**2), -TRUST, TRUST)
        target = sigma * mu / q - np.clip(a * relative * ds, -TRUST * s, TRUST * s)
        dq, dy = newton.step(target - theta + curvature, refinements)
        ds = target - s * (1 + dq / q)
        a = _longest(q, dq, s, ds)
        a = np.where(a < 1, TO_BOUNDARY * a, a)
        q, s, y = q + a * dq, s + a * ds, y + a * dy
        n_iter += 1
    yield problem, Iterate(index, q, y, s, (q * problem.mask * s).sum((1, 2)), n_iter)
