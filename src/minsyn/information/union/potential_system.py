"""Newton system of the geometric programme over the potentials: factorised, or iteratively.

The matrix ``A diag(r rho) A' + sum_z g_z (A rho_z)(A rho_z)'`` is a sum over the states of every
pair of sources, so that it is cheap to form and cheaper to apply. Of one source with itself, only
potentials of the same value meet: these blocks precondition the conjugate gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.linalg import lapack

from minsyn.information.union.marginals import MarginalMap, Problem

#: Potentials up to which the matrix is factorised: about a second, and 0.4 GB.
MAX_FACTORISED = 4500
#: Potentials from which on the matrix is formed from sparse ones, if most marginals are zero.
SPARSE_FROM = 400
#: Added to the diagonal of the scaled matrix: rounding, so that a factorisation exists.
RIDGE = 4e-15
#: Numbers up to which the matrix is formed by one product.
ONE_PRODUCT = 3_000_000
#: Steps of the conjugate gradients at most.
MAX_STEPS = 2000

Solver = Callable[[Float[np.ndarray, "x k"], float], Float[np.ndarray, "x k"]]


@dataclass(frozen=True)
class Plan:
    """How the systems of one problem are solved.

    Attributes
    ----------
    free : (d,)
        Numbers of the free potentials.
    cells : (d, n_cells) sparse matrix, or None
        Marks the free potentials of every cell that may be positive, where these are few.
    at : pair of int arrays, each (n_cells,)
        Target value and state of these cells.
    iterative : bool
        Whether by conjugate gradients.
    """

    map: MarginalMap
    free: Int[np.ndarray, " d"]
    shape: tuple[int, int]
    iterative: bool
    cells: Any = None
    at: tuple[Any, ...] = ()

    @classmethod
    def of(cls, problem: Problem) -> "Plan":
        """Plan for a batch of one."""
        allowed = problem.free[0] > 0
        free, shape = np.flatnonzero(allowed), (allowed.shape[0], allowed.shape[1])
        if len(free) > MAX_FACTORISED:
            return cls(problem.map, free, shape, True)
        if allowed.size <= max(SPARSE_FROM, 2 * len(free)):
            return cls(problem.map, free, shape, False)
        at = np.nonzero(problem.mask[0] > 0)
        number = np.full(allowed.shape, -1)
        number.reshape(-1)[free] = np.arange(len(free))
        rows = np.stack(
            [
                number[:, block][at[0], values[at[1]]]
                for block, values in zip(problem.map.blocks, problem.map.values, strict=True)
            ]
        )
        kept = rows >= 0
        columns = np.broadcast_to(np.arange(len(at[0])), rows.shape)[kept]
        ones = np.ones(len(columns))
        cells = sparse.csr_array((ones, (rows[kept], columns)), (len(free), len(at[0])))
        return cls(problem.map, free, shape, False, cells, at)

    def solver(
        self, rho: Float[np.ndarray, "x z"], r: Float[np.ndarray, " z"], g: Float[np.ndarray, " z"]
    ) -> Solver:
        """A solver of the system at one iterate."""
        if self.iterative:
            return _Iterative(self.map, rho, r, g)
        if self.cells is None:
            matrix = _matrix(self.map, rho, r, g)
            if len(self.free) < len(matrix):
                matrix = matrix[self.free[:, None], self.free]
        else:
            of_cells = rho[self.at]
            n_cells, states = len(of_cells), self.at[1]
            by_state = sparse.csr_array(
                (of_cells, (np.arange(n_cells), states)), (n_cells, rho.shape[1])
            )
            v = self.cells @ by_state
            matrix = (v * g[None, :]) @ v.T + (self.cells * (of_cells * r[states])) @ self.cells.T
            matrix = matrix.toarray()
        return _Factorised(matrix, self.free, self.shape)


class _Factorised:
    """The system of the free potentials by Cholesky's factorisation.

    It is solved to rounding, whatever tolerance is asked for.
    """

    def __init__(
        self, matrix: Float[np.ndarray, "d d"], free: Int[np.ndarray, " d"], shape: tuple[int, int]
    ) -> None:
        self._free, self._shape = free, shape
        diagonal = matrix.diagonal()
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        matrix *= scale[:, None]
        matrix *= scale
        self._scale, self._factor = scale, _factor(matrix)

    def __call__(self, v: Float[np.ndarray, "x k"], tolerance: float) -> Float[np.ndarray, "x k"]:
        """Solve for one right-hand side."""
        part = self._scale * v.reshape(-1)[self._free]
        y = np.zeros(v.size)
        y[self._free] = self._scale * lapack.dpotrs(self._factor, part, lower=1)[0]
        return y.reshape(self._shape)


def _factor(matrix: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
    """Cholesky factor of a matrix of unit diagonal, of which the upper triangle is read."""
    diagonal = np.einsum("dd->d", matrix)
    ridge = RIDGE
    while True:
        diagonal[...] = 1 + ridge
        # The transposed array has the order of columns that LAPACK asks for.
        factor, info = lapack.dpotrf(matrix.T, lower=1, clean=0)
        if info == 0:
            return np.asarray(factor)
        ridge *= 100
        if not ridge < 1e-4:
            raise np.linalg.LinAlgError("the Newton system is not positive definite")


def _matrix(
    marginals: MarginalMap,
    rho: Float[np.ndarray, "x z"],
    r: Float[np.ndarray, " z"],
    g: Float[np.ndarray, " z"],
) -> Float[np.ndarray, "d d"]:
    """A diag(r rho) A' + sum_z g_z (A rho_z)(A rho_z)'; of large ones the upper triangle."""
    n_x, n_states = rho.shape
    k = sum(marginals.shape)
    if n_states * (n_x * k) ** 2 <= ONE_PRODUCT:
        e = marginals.one_hot
        v = rho[:, None, :] * e.T
        flat = v.reshape(n_x * k, n_states)
        matrix: np.ndarray = (flat * g) @ flat.T
        np.einsum("xkxl->xkl", matrix.reshape(n_x, k, n_x, k))[...] += (v * r) @ e
        return matrix
    matrix = np.zeros((n_x * k, n_x * k))
    blocks = matrix.reshape(n_x, k, n_x, k)
    for x in range(n_x):
        weights = (g * rho[x]) * rho[x:]
        weights[0] += r * rho[x]
        row = blocks[x, :, x:]
        for j, of_j in enumerate(marginals.blocks):
            np.einsum("kxk->kx", row[of_j, :, of_j])[...] = marginals.sum_of(weights, j).T
            for i, of_i in enumerate(marginals.blocks[:j]):
                both = marginals.pairs(weights, i, j)
                row[of_i, :, of_j] = both.transpose(1, 0, 2)
                row[of_j, :, of_i] = both.transpose(2, 0, 1)
    return matrix


class _Iterative:
    """The system by preconditioned conjugate gradients, which never form the matrix."""

    def __init__(
        self,
        marginals: MarginalMap,
        rho: Float[np.ndarray, "x z"],
        r: Float[np.ndarray, " z"],
        g: Float[np.ndarray, " z"],
    ) -> None:
        self._map, self._rho, self._r, self._g = marginals, rho, r, g
        b = marginals.sums(r * rho)
        # All potentials of positive marginals are free here: the redundant directions do no harm.
        self._used = b > 0
        n_x = len(rho)
        self._inverses = []
        for j, block in enumerate(marginals.blocks):
            inverses = np.empty((marginals.shape[j], n_x, n_x))
            for value, states in enumerate(marginals.states_of(j)):
                part = rho[:, states]
                matrix = (part * g[states]) @ part.T
                diagonal = np.einsum("xx->x", matrix)
                diagonal += b[:, block][:, value]
                diagonal[...] = np.where(diagonal > 0, diagonal * (1 + 1e-12), 1.0)
                inverses[value] = np.linalg.inv(matrix)
            self._inverses.append(inverses)

    def __call__(self, v: Float[np.ndarray, "x k"], tolerance: float) -> Float[np.ndarray, "x k"]:
        """Solve for one right-hand side, until the preconditioned residual is small."""
        residual = v * self._used
        y = np.zeros_like(v)
        z = self._precondition(residual)
        p, size = z, float((residual * z).sum())
        enough = tolerance**2 * size
        for _ in range(MAX_STEPS):
            if not size > enough:
                break
            product = self._product(p)
            a = size / float((p * product).sum())
            y += a * p
            residual -= a * product
            z = self._precondition(residual)
            last, size = size, float((residual * z).sum())
            p = z + size / last * p
        return y

    def _product(self, v: Float[np.ndarray, "x k"]) -> Float[np.ndarray, "x k"]:
        cells = self._map.spread(v)
        mean = np.einsum("xz,xz->z", self._rho, cells)
        cells *= self._r
        cells += self._g * mean
        cells *= self._rho
        return self._map.sums(cells)

    def _precondition(self, v: Float[np.ndarray, "x k"]) -> Float[np.ndarray, "x k"]:
        z = np.empty_like(v)
        for block, inverses in zip(self._map.blocks, self._inverses, strict=True):
            z[:, block] = (inverses @ v[:, block].T[..., None])[..., 0].T
        return z * self._used
