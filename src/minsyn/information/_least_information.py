"""Least information of Gaussian sources about a vector, whatever their noises share (nats).

Sources ``Z_j = H_j X + E_j`` have standard normal X and standard normal noise E_j. How the noises
of different sources correlate is free. With H the H_j in one column and N the covariance of all
noises,

    U = min 1/2 log det(I + H' N^-1 H)  over N >= 0 with N_jj = I,

which is convex in N. For any matrices R (invertible) and T, and any block-diagonal D >= T'T,

    log |det R| + 1/2 [d - |R - T H|^2 - tr D]  <=  U  <=  1/2 log det(I + H' N^-1 H):

the posterior covariance of X is at most that of any linear estimate of X, a concave logarithm is at
most its tangent, and tr(T'T N) <= tr(D N) = tr D for every N allowed. The best R, T and D attain U.

The search is a primal-dual interior-point method for the equivalent determinant problem

    min log det(V^-1 - C)  subject to  [[I - V, H'], [H, N + H H']] >= 0,  N_jj = I,

in coordinates of X in which C plus the prior precision is I; V is the inverse of C plus the
posterior precision. C is a share of the least posterior precision, which is that of the prior plus
H'H / (number of sources). So the objective is convex, and numbers stay near 1 where sources tell X
almost exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_factor, cho_solve, solve_triangular

#: Gaps in nats at which the search ends, and with which it is content where rounding ends it.
GOAL, ENOUGH = 1e-9 * np.log(2), 1e-8 * np.log(2)
#: Most Newton steps, and most of them without a tenth of the gap gained.
MAX_ITER, PATIENCE = 200, 15
#: Free numbers beyond which a Newton step would take gigabytes, and all of them minutes.
MAX_FREE = 4000
#: Shares of the least precision that the sources leave, which are in turn taken for C: rounding
#: that ends one search seldom ends the next.
SHARES = (0.001, 0.1, 0.5)
#: Least ratio of the smallest to the mean eigenvalue of the complementarity product.
CENTRAL = 1e-3
#: Share of the mean product that the next step aims at, by the length of the last step.
CENTRING = ((1.0, 0.02), (0.6, 0.1), (0.25, 0.3), (0.0, 0.8))
#: Ridges that are tried in turn where the Newton matrix is not positive definite to rounding.
RIDGES = (0.0, 1e-14, 1e-12, 1e-10, 1e-8)
#: Rounding of matrices, relative to their size.
EPS = float(np.finfo(np.float64).eps)
#: A channel is degraded if it equals a contraction of another to this share of its size.
DEGRADED = 1e-12

Matrix = Float[np.ndarray, "_ _"]


@dataclass(frozen=True)
class LeastInformation:
    """Bounds of U in nats, and the covariance N of noises that attains ``upper``."""

    lower: float
    upper: float
    noise: Float[np.ndarray, "n n"]
    n_iter: int

    def and_also(self, other: "LeastInformation | None") -> "LeastInformation":
        """What two searches prove together."""
        if other is None:
            return self
        best = min(self, other, key=lambda found: found.upper)
        lower = max(self.lower, other.lower)
        return LeastInformation(lower, best.upper, best.noise, self.n_iter + other.n_iter)


def least_information(channels: Sequence[Float[np.ndarray, "_ d"]]) -> LeastInformation:
    """U of sources with these gains H_j, each at least one row.

    Raises
    ------
    ValueError
        If a Newton step would need more than `MAX_FREE` unknowns.
    """
    closed = _degraded(channels)
    if closed is not None:
        return closed
    problem = _Problem.of(channels)
    found = None
    for share in SHARES:
        found = problem.solve(share).and_also(found)
        if found.upper - found.lower <= ENOUGH:
            break
    assert found is not None
    return found


def information(gain: Float[np.ndarray, "n d"]) -> float:
    """1/2 log det(I + H'H), the information of a channel with standard noise."""
    return 0.5 * float(np.log1p(np.linalg.svd(gain, compute_uv=False) ** 2).sum())


def _degraded(channels: Sequence[Float[np.ndarray, "_ d"]]) -> LeastInformation | None:
    """Closed form where every other channel is the best one with noise added.

    ``H_j = T_j H_best`` with T_j T_j' <= I: then noises E_j = T_j E_best + (independent) add
    nothing to the best source.
    """
    alone = [information(h) for h in channels]
    best = int(np.argmax(alone))
    inverse = np.linalg.pinv(channels[best])
    through = []
    for j, h in enumerate(channels):
        t = np.eye(len(h)) if j == best else h @ inverse
        outside = np.abs(h - t @ channels[best]).max()
        largest = float(np.linalg.norm(t, 2))
        if outside > DEGRADED * max(np.abs(h).max(), 1.0) or largest > 1 + DEGRADED:
            return None
        through.append(t / max(largest, 1.0))
    stacked = np.vstack(through)
    noise = stacked @ stacked.T
    starts = np.cumsum([0, *map(len, channels)])
    for a, b in pairwise(starts.tolist()):
        noise[a:b, a:b] = np.eye(b - a)
    return LeastInformation(alone[best], alone[best], noise, 0)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Gains in one column, and the source that each row belongs to."""

    gain: Float[np.ndarray, "n d"]
    source: Int[np.ndarray, " n"]
    alone: float

    @classmethod
    def of(cls, channels: Sequence[Float[np.ndarray, "_ d"]]) -> "_Problem":
        gain = np.vstack(list(channels))
        if gain.shape[1] > len(gain):  # only H H' matters
            gain = triangle(gain.T).T
        source = np.repeat(np.arange(len(channels)), [len(h) for h in channels])
        problem = cls(gain, source, max(map(information, channels)))
        d = gain.shape[1]
        free = d * (d + 1) // 2 + int((~problem.same).sum()) // 2
        if free > MAX_FREE:
            raise ValueError(
                f"sources and target leave {free} unknowns, of at most {MAX_FREE}: too many "
                "dimensions; project sources and target onto fewer, such as their leading "
                "canonical variables"
            )
        return problem

    @cached_property
    def same(self) -> Bool[np.ndarray, "n n"]:
        """Whether two rows belong to one source."""
        return np.asarray(self.source[:, None] == self.source)

    @cached_property
    def pairs(self) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
        """Rows and columns of the free numbers: all of V, then what sources share in N."""
        d = self.gain.shape[1]
        first, second = np.triu_indices(d)
        rows, columns = np.nonzero(np.triu(~self.same))
        return np.concatenate([first, rows + d]), np.concatenate([second, columns + d])

    def solve(self, share: float) -> LeastInformation:
        """One search, with this share of the least precision for C."""
        n, d = self.gain.shape
        n_sources = int(self.source[-1]) + 1
        # In the new coordinates the precisions are base^-T (.) base^-1.
        base = triangle(
            np.vstack([np.sqrt(1 + share) * np.eye(d), np.sqrt(share / n_sources) * self.gain])
        )
        gain = solve_triangular(base, self.gain.T, trans="T").T
        prior = solve_triangular(base, np.eye(d), trans="T")
        limit = _inverse(np.eye(d) - prior @ prior.T)  # C^-1
        noise = np.eye(n)
        V = 0.5 * np.linalg.inv(np.eye(d) + gain.T @ gain)
        M = np.block([[np.eye(d) - V, gain.T], [gain, noise + gain @ gain.T]])
        inverse = _inverse(M)
        Z = inverse.copy()
        centring, n_iter, idle = 0.2, 0, 0
        best, lower, upper = noise, self.alone, np.inf
        while True:
            gap = upper - lower
            value, R, T = posterior(self.gain, noise)
            if value < upper:
                best, upper = noise, value
            D = np.where(self.same, Z[d:, d:], 0.0)
            lower = max(lower, self.bound(R, T, D), self.dual_bound(V, Z, limit, base))
            idle = 0 if upper - lower < 0.9 * gap else idle + 1
            if upper - lower <= GOAL or n_iter >= MAX_ITER or idle > PATIENCE:
                break
            step = self.direction(V, Z, inverse, limit, centring * float((M * Z).sum()) / (n + d))
            length = 0.0 if step is None else _length(V, M, Z, limit, *step)
            if step is None or length == 0:
                break
            dM, dZ = step
            M, Z, V = M + length * dM, Z + length * dZ, V - length * dM[:d, :d]
            noise, inverse = noise + length * dM[d:, d:], _inverse(M)
            centring = (
                0.02 if length == 1 else 0.1 if length > 0.6 else 0.3 if length > 0.25 else 0.8
            )
            n_iter += 1
        return LeastInformation(min(lower, upper), upper, best, n_iter)

    def direction(
        self, V: Matrix, Z: Matrix, inverse: Matrix, limit: Matrix, target: float
    ) -> tuple[Matrix, Matrix] | None:
        """Step towards M Z = target I (symmetrised by M^-1, as Helmberg, Kojima and Monteiro)."""
        rows, columns = self.pairs
        d = len(V)
        n_v = d * (d + 1) // 2
        of_v, of_limit = _inverse(V), _inverse(limit - V)
        matrix = _both(inverse, Z, rows, columns)
        matrix[:n_v, :n_v] += _both(of_v, of_v, rows[:n_v], columns[:n_v])
        matrix[:n_v, :n_v] -= _both(of_limit, of_limit, rows[:n_v], columns[:n_v])
        gradient = target * inverse
        gradient[:d, :d] -= of_v + of_limit
        # Rows scaled to a diagonal of ones: near the end they differ by many orders.
        scale = 1 / np.sqrt(np.diag(matrix))
        matrix *= scale[:, None]
        matrix *= scale
        for ridge in RIDGES:
            matrix[np.diag_indices(len(matrix))] = 1 + ridge
            try:
                factor = cho_factor(matrix, check_finite=False)
            except np.linalg.LinAlgError:
                continue
            solved = scale * cho_solve(factor, 2 * scale * gradient[rows, columns])
            break
        else:
            return None
        dM = np.zeros_like(Z)
        dM[rows, columns] = solved
        dM += dM.T
        mixed = inverse @ dM @ Z
        return dM, target * inverse - Z - 0.5 * (mixed + mixed.T)

    def dual_bound(self, V: Matrix, Z: Matrix, limit: Matrix, base: Matrix) -> float:
        """`bound` of the R, T and D that belong to the multipliers Z."""
        d = len(V)
        of_v = _inverse(V)
        try:
            root = np.linalg.cholesky(of_v - _inverse(limit)).T
        except np.linalg.LinAlgError:
            return -np.inf
        estimate = np.linalg.solve(Z[:d, :d], -Z[:d, d:])
        T = solve_triangular(root, of_v @ estimate, trans="T")
        return self.bound(root @ base, T, np.where(self.same, Z[d:, d:], 0.0))

    def bound(
        self, R: Float[np.ndarray, "d d"], T: Float[np.ndarray, "d n"], D: Float[np.ndarray, "n n"]
    ) -> float:
        """The lower bound that R (upper triangular), T and D prove, less its rounding."""
        n, d = self.gain.shape
        rest = R - T @ self.gain
        B = T.T @ T
        # Raise or lower D until it is just at least T'T.
        most = np.trace(D) - n * np.linalg.eigvalsh(D - B)[0]
        if self.source[-1] == 1:
            # Of two sources the best D is known: max tr(B N) is by the nuclear norm of B_12.
            cross = B[np.ix_(self.source == 0, self.source == 1)]
            nuclear = float(np.linalg.svd(cross, compute_uv=False).sum())
            most = min(most, np.trace(B) + 2 * nuclear)
        log_det = float(np.log(np.abs(np.diag(R))).sum())
        rounding = (n + 2) * EPS * (np.abs(T) @ np.abs(self.gain) + np.abs(R))
        slack = float((2 * np.abs(rest) * rounding + rounding**2).sum())
        slack += 4 * EPS * (n + d) * (np.sqrt(n) * float((T**2).sum()) + d + abs(log_det))
        value: float = log_det + 0.5 * (d - float((rest**2).sum()) - float(most) - slack)
        return value


def posterior(
    gain: Float[np.ndarray, "n d"], noise: Float[np.ndarray, "n n"]
) -> tuple[float, Float[np.ndarray, "d d"], Float[np.ndarray, "d n"]]:
    """Information of one noise in nats; R with R'R the posterior precision, and T = R A.

    A is the best estimate of X. By QR, not by the precision itself: where sources tell
    some of X almost exactly, its small eigenvalues would be lost.
    """
    lower = np.linalg.cholesky(noise)
    white = solve_triangular(lower, gain, lower=True)
    R = triangle(np.vstack([white, np.eye(gain.shape[1])]))
    weighted = solve_triangular(lower, white, lower=True, trans="T")
    T = solve_triangular(R, weighted.T, trans="T")
    return float(np.log(np.abs(np.diag(R))).sum()), R, T


def triangle(matrix: Float[np.ndarray, "_ d"]) -> Float[np.ndarray, "_ d"]:
    """R of the QR decomposition: R'R = matrix' matrix."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _length(V: Matrix, M: Matrix, Z: Matrix, limit: Matrix, dM: Matrix, dZ: Matrix) -> float:
    """Longest of the step lengths 1, .8, .64, ... that stay inside and near the centre; or 0."""
    d = len(V)
    length = 1.0
    while length > 1e-4:
        try:
            np.linalg.cholesky(V - length * dM[:d, :d])
            np.linalg.cholesky(limit - V + length * dM[:d, :d])
            root = np.linalg.cholesky(M + length * dM)
            products = np.linalg.eigvalsh(root.T @ (Z + length * dZ) @ root)
            if products[0] >= CENTRAL * products.mean() > 0:
                return length
        except np.linalg.LinAlgError:
            pass
        length *= 0.8
    return 0.0


def _both(
    S: Matrix, Q: Matrix, rows: Int[np.ndarray, " k"], columns: Int[np.ndarray, " k"]
) -> Float[np.ndarray, "k k"]:
    """tr(S E_a Q E_b) of all pairs a and b, with E_a = e_i e_j' + e_j e_i'."""
    ii, jj, ij = np.ix_(rows, rows), np.ix_(columns, columns), np.ix_(rows, columns)
    found: np.ndarray = S[ii] * Q[jj]
    found += S[ij] * Q[ij].T
    if S is Q:
        found *= 2
        return found
    found += Q[ii] * S[jj]
    found += Q[ij] * S[ij].T
    return found


def _inverse(matrix: Matrix) -> Matrix:
    """Inverse of a positive definite matrix."""
    root = np.linalg.cholesky((matrix + matrix.T) / 2)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True)
    return np.asarray(inverse.T @ inverse)
