"""A primal-dual interior-point method for union information, over a batch of pmfs of one shape.

The problem, for each pmf, in nats (stored as ``q[x, z]``, the sources' joint state flattened)::

    minimise   sum_{x,z} q log(q / r_z),   r_z = sum_x q(x, z)
    subject to q(z_j, x) = b(z_j, x) for every source j,   q >= 0

Its conditions of optimality, with multipliers y of the marginals and slacks s >= 0 of q >= 0::

    log(q / r) - sum_j y_j(z_j, x) - s = 0,   marginals of q = b,   q s = mu -> 0

A Newton step is ``dq = D (h + A'dy + rho_z)``, where ``D = q / (1 + s)``, A takes the marginals and
``rho_z = dr_z / r_z`` is kept as an unknown of its own. It leaves the saddle system::

    [ A D A'     A D 1 ] [dy ]   [ b - A q - A D h ]
    [ (A D 1)'    -T   ] [rho] = [    - 1'D h      ],   T_z = sum_x D s

whose upper left block falls apart over x. Eliminating rho gives a system in the potentials,
eliminating dy one in the states z: the smaller is taken. Sherman and Morrison's formula for the
Hessian diag(1/q) - 11'/r_z is the first of these. The saddle system itself never divides by T,
which vanishes with mu: it is the slow and accurate way, for the rare pmf that needs it.

The steps correct to second order (Mehrotra) both the product q s and the logarithm; without the
latter the iterates crowd at the boundary.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import lapack

from minsyn.information._marginals import MarginalMap

Elimination = Literal["states", "potentials", "saddle"]

#: Marginals below this are solved as zeros and given back in the rounding: a cell of 1e-15 moves
#: the value by at most about 1e-13 bit, and cells of 1e-200 would overflow the slacks.
NEGLIGIBLE = 1e-15
#: Added to the diagonal of scaled (unit diagonal) matrices: a few units of rounding, so that a
#: factorisation exists where the true matrix is singular. Refinement removes its effect.
RIDGE = 4e-15
#: Iterates stay strictly inside: this fraction of the way to the boundary.
TO_BOUNDARY = 0.995
#: The power of the product distribution that the iteration starts from. Its square root is far
#: from the boundary where the product has cells of 1e-20.
START_POWER = 0.5
#: Second-order corrections larger than this, relative to what they correct, are not trusted.
TRUST = 0.5


@dataclass
class Iterate:
    """The state of every pmf still in work; the first axis runs over them."""

    index: np.ndarray
    q: Float[np.ndarray, "n x z"]
    y: Float[np.ndarray, "n x k"]
    s: Float[np.ndarray, "n x z"]
    gap: Float[np.ndarray, " n"]
    n_iter: int

    def keep(self, chosen: Bool[np.ndarray, " n"]) -> "Iterate":
        return Iterate(
            self.index[chosen],
            self.q[chosen],
            self.y[chosen],
            self.s[chosen],
            self.gap[chosen],
            self.n_iter,
        )


@dataclass(frozen=True)
class Problem:
    """The marginals of a batch, what is allowed to be positive, and one gauge for the multipliers.

    Each source's marginals give p(x) once more, so one constraint for each x and each source
    after the first is redundant; ``free`` leaves out that of the largest marginal.
    """

    map: MarginalMap
    b: Float[np.ndarray, "n x k"]
    mask: Float[np.ndarray, "n x z"]
    free: Float[np.ndarray, "n x k"]

    @classmethod
    def of(cls, marginals: MarginalMap, b: Float[np.ndarray, "n x k"]) -> "Problem":
        b = np.where(b > NEGLIGIBLE, b, 0.0)
        totals = np.stack([b[..., block].sum(-1) for block in marginals.blocks])
        p_x = np.where((totals > 0).all(0), totals[0], 0.0)
        for block, total in zip(marginals.blocks, totals, strict=True):
            b[..., block] *= (p_x / np.where(total > 0, total, 1.0))[..., None]
        mask = marginals.allowed(b > 0).astype(np.float64)
        free = (b > 0).astype(np.float64)
        for block in marginals.blocks[1:]:
            largest = b[..., block].argmax(-1)
            np.put_along_axis(free[..., block], largest[..., None], 0.0, -1)
        return cls(marginals, b, mask, free)

    def keep(self, chosen: Bool[np.ndarray, " n"]) -> "Problem":
        return Problem(self.map, self.b[chosen], self.mask[chosen], self.free[chosen])


class _Linear(Protocol):
    def solve(
        self, to_y: Float[np.ndarray, "n x k"], to_rho: Float[np.ndarray, "n z"]
    ) -> tuple[Float[np.ndarray, "n x k"], Float[np.ndarray, "n z"]]: ...


def _positive_solver(
    matrix: Float[np.ndarray, "n d d"],
) -> Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]]:
    """A solver for symmetric positive definite matrices; the argument is overwritten."""
    d = matrix.shape[-1]
    diagonal = np.einsum("ndd->nd", matrix)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    matrix *= scale[:, :, None]
    matrix *= scale[:, None, :]
    diagonal[...] = 1 + RIDGE
    if len(matrix) == 1:
        ridge = RIDGE
        while True:
            factor, info = lapack.dpotrf(matrix[0], lower=1)
            if info == 0 or ridge > 1e-6:
                break
            ridge *= 100
            diagonal[...] = 1 + ridge
        return lambda v: (
            scale * lapack.dpotrs(factor, (scale * v).reshape(d, 1), lower=1)[0].reshape(1, d)
        )
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        diagonal += 1e-10
        inverse = np.linalg.inv(matrix)
    return lambda v: scale * (inverse @ (scale * v)[..., None])[..., 0]


def _blocks(
    problem: Problem, d: Float[np.ndarray, "n x z"]
) -> tuple[Float[np.ndarray, "n x k z"], Float[np.ndarray, "n x k k"]]:
    """The matrices A D (free constraints only) and A D A' for every x."""
    e = problem.map.one_hot
    v = d[:, :, None, :] * e.T
    v *= problem.free[..., None]
    return v, (v @ e) * problem.free[:, :, None, :]


class _States:
    """Eliminate dy: one symmetric positive definite system over the sources' joint states."""

    def __init__(
        self, problem: Problem, d: Float[np.ndarray, "n x z"], t: Float[np.ndarray, "n z"]
    ) -> None:
        n, nx, nz = d.shape
        v, b = _blocks(problem, d)
        k = b.shape[-1]
        diagonal = np.einsum("nxkk->nxk", b)
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        b *= scale[..., None]
        b *= scale[:, :, None, :]
        diagonal[...] = 1 + RIDGE
        inverse = np.linalg.inv(b)
        inverse *= scale[..., None]
        inverse *= scale[:, :, None, :]
        self._inverse, self._v = inverse, v.reshape(n, nx * k, nz)
        matrix = self._v.transpose(0, 2, 1) @ (inverse @ v).reshape(n, nx * k, nz)
        np.einsum("nzz->nz", matrix)[...] += t
        self._solver = _positive_solver(matrix)

    def solve(
        self, to_y: Float[np.ndarray, "n x k"], to_rho: Float[np.ndarray, "n z"]
    ) -> tuple[Float[np.ndarray, "n x k"], Float[np.ndarray, "n z"]]:
        y = (self._inverse @ to_y[..., None]).reshape(len(to_y), 1, -1)
        rho = self._solver((y @ self._v)[:, 0] + to_rho)
        rest = to_y - (self._v @ rho[..., None]).reshape(to_y.shape)
        return (self._inverse @ rest[..., None])[..., 0], rho


class _Potentials:
    """Eliminate rho: one symmetric positive definite system over the multipliers."""

    def __init__(
        self, problem: Problem, d: Float[np.ndarray, "n x z"], t: Float[np.ndarray, "n z"]
    ) -> None:
        n, nx, nz = d.shape
        v, b = _blocks(problem, d)
        k = b.shape[-1]
        self._v, self._t = v.reshape(n, nx * k, nz), t
        weighted = self._v / np.sqrt(t)[:, None, :]
        matrix = weighted @ weighted.transpose(0, 2, 1)
        np.einsum("nxkxl->nxkl", matrix.reshape(n, nx, k, nx, k))[...] += b
        self._solver = _positive_solver(matrix)

    def solve(
        self, to_y: Float[np.ndarray, "n x k"], to_rho: Float[np.ndarray, "n z"]
    ) -> tuple[Float[np.ndarray, "n x k"], Float[np.ndarray, "n z"]]:
        rest = to_y.reshape(len(to_y), -1) - (self._v @ (to_rho / self._t)[..., None])[..., 0]
        y = self._solver(rest)
        rho = ((y[:, None, :] @ self._v)[:, 0] + to_rho) / self._t
        return y.reshape(to_y.shape), rho


class _Saddle:
    """The whole system by LU: dearer, and accurate where the other two lose digits."""

    def __init__(
        self, problem: Problem, d: Float[np.ndarray, "n x z"], t: Float[np.ndarray, "n z"]
    ) -> None:
        n, nx, nz = d.shape
        v, b = _blocks(problem, d)
        k = b.shape[-1]
        size = nx * k
        matrix = np.zeros((n, size + nz, size + nz))
        np.einsum("nxkxl->nxkl", matrix[:, :size, :size].reshape(n, nx, k, nx, k))[...] = b
        flat = v.reshape(n, size, nz)
        matrix[:, :size, size:] = flat
        matrix[:, size:, :size] = flat.transpose(0, 2, 1)
        np.einsum("nzz->nz", matrix[:, size:, size:])[...] = -t
        scale_y = np.einsum("nxkk->nxk", b).reshape(n, size)
        scale_rho = d.sum(1)
        scale = np.concatenate([scale_y, scale_rho], 1)
        self._scale = 1 / np.sqrt(np.where(scale > 0, scale, 1.0))
        matrix *= self._scale[:, :, None]
        matrix *= self._scale[:, None, :]
        diagonal = np.einsum("ndd->nd", matrix)
        diagonal[:, :size] = 1 + RIDGE
        diagonal[:, size:] -= RIDGE
        self._factors = [lapack.dgetrf(a)[:2] for a in matrix]
        self._size = size

    def solve(
        self, to_y: Float[np.ndarray, "n x k"], to_rho: Float[np.ndarray, "n z"]
    ) -> tuple[Float[np.ndarray, "n x k"], Float[np.ndarray, "n z"]]:
        right = self._scale * np.concatenate([to_y.reshape(len(to_y), -1), -to_rho], 1)
        found = np.stack(
            [lapack.dgetrs(*f, v)[0] for f, v in zip(self._factors, right, strict=True)]
        )
        found *= self._scale
        return found[:, : self._size].reshape(to_y.shape), found[:, self._size :]


_ELIMINATIONS: dict[str, Callable[..., _Linear]] = {
    "states": _States,
    "potentials": _Potentials,
    "saddle": _Saddle,
}


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

    ``gap`` of an iterate is sum q s: what the gap would be were all residuals zero. The receiver
    may send back a boolean array of the pmfs to go on with.
    """
    e = problem.map.one_hot
    make = _ELIMINATIONS[elimination]
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
        linear = make(problem, d, t)

        def newton(h, refinements, d=d, t=t, primal=primal, linear=linear, free=problem.free):  # type: ignore[no-untyped-def]
            """Step (dq, dy) for the dual residual h, refined against rounding."""
            dq = d * h
            dy, rho = linear.solve((primal - dq @ e) * free, dq.sum(1))
            for step in range(refinements + 1):
                u = d * (h + dy @ e.T)
                dq = u + d * rho[:, None, :]
                if step == refinements:
                    break
                more_y, more_rho = linear.solve((primal - dq @ e) * free, u.sum(1) - t * rho)
                dy = dy + more_y
                rho = rho + more_rho
            return dq, dy

        def length(dq, ds, q=q, s=s):  # type: ignore[no-untyped-def]
            """The longest common step, at most 1, that keeps q and s nonnegative."""
            far = np.maximum((-dq / q).max((1, 2)), (-ds / s).max((1, 2)))
            return (1 / np.maximum(far, 1.0))[:, None, None]

        dq, _ = newton(-theta, 0)
        ds = -s * (1 + dq / q)
        a = length(dq, ds)
        sigma = np.clip((1 - a) ** 2, sigma_min, 0.9)
        relative, of_row = a * dq / q, a * (dq.sum(1) / r)[:, None, :]
        curvature = np.clip(0.5 * (relative**2 - of_row**2), -TRUST, TRUST)
        target = sigma * mu / q - np.clip(a * relative * ds, -TRUST * s, TRUST * s)
        dq, dy = newton(target - theta + curvature, refinements)
        ds = target - s * (1 + dq / q)
        a = length(dq, ds)
        a = np.where(a < 1, TO_BOUNDARY * a, a)
        q, s, y = q + a * dq, s + a * ds, y + a * dy
        n_iter += 1
    yield problem, Iterate(index, q, y, s, (q * problem.mask * s).sum((1, 2)), n_iter)
