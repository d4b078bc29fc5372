"""Newton system of the interior-point method, with three ways of elimination.

A Newton step is ``dq = D (h + A'dy + rho_z)``, where ``D = q / (1 + s)``, A takes the marginals and
``rho_z = dr_z / r_z`` is kept as an unknown of its own. It leaves the saddle system::

    [ A D A'     A D 1 ] [dy ]   [ b - A q - A D h ]
    [ (A D 1)'    -T   ] [rho] = [    - 1'D h      ],   T_z = sum_x D s

whose upper left block falls apart over x. Eliminating rho gives a system in the potentials,
eliminating dy one in the states z: the smaller is taken. Sherman and Morrison's formula for the
Hessian diag(1/q) - 11'/r_z is the first of these. The saddle system itself never divides by T,
which vanishes with mu: it is slow and accurate, for the rare pmf that needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.linalg import lapack

from minsyn.information.union.marginals import Problem

Elimination = Literal["states", "potentials", "saddle"]

#: Added to the diagonal of scaled (unit diagonal) matrices: a few units of rounding, so that a
#: factorisation exists where the true matrix is singular. Refinement removes its effect.
RIDGE = 4e-15


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


_Eliminated = _States | _Potentials | _Saddle
_ELIMINATIONS: dict[Elimination, type[_Eliminated]] = {
    "states": _States,
    "potentials": _Potentials,
    "saddle": _Saddle,
}


@dataclass(frozen=True)
class Newton:
    """The Newton system at one iterate."""

    problem: Problem
    primal: Float[np.ndarray, "n x k"]
    d: Float[np.ndarray, "n x z"]
    t: Float[np.ndarray, "n z"]
    linear: _Eliminated

    @classmethod
    def at(
        cls,
        elimination: Elimination,
        problem: Problem,
        primal: Float[np.ndarray, "n x k"],
        d: Float[np.ndarray, "n x z"],
        t: Float[np.ndarray, "n z"],
    ) -> "Newton":
        """Factorise the system at an iterate."""
        return cls(problem, primal, d, t, _ELIMINATIONS[elimination](problem, d, t))

    def step(
        self, h: Float[np.ndarray, "n x z"], refinements: int
    ) -> tuple[Float[np.ndarray, "n x z"], Float[np.ndarray, "n x k"]]:
        """Step (dq, dy) for the dual residual h, refined against rounding."""
        e, free, d = self.problem.map.one_hot, self.problem.free, self.d
        dq = d * h
        dy, rho = self.linear.solve((self.primal - dq @ e) * free, dq.sum(1))
        for done in range(refinements + 1):
            u = d * (h + dy @ e.T)
            dq = u + d * rho[:, None, :]
            if done == refinements:
                break
            more_y, more_rho = self.linear.solve(
                (self.primal - dq @ e) * free, u.sum(1) - self.t * rho
            )
            dy = dy + more_y
            rho = rho + more_rho
        return dq, dy
