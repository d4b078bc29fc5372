"""Primal-dual interior-point method on the dual problem, a geometric programme, for one pmf.

The dual of the union information, in nats, where y absorbs log p(x)::

    maximise   sum_j sum_{z_j,x} b(z_j, x) y_j(z_j, x)
    subject to F_z(y) = log sum_x exp sum_j y_j(z_j, x) <= 0   for every joint state z

has one inequality for each joint state, where the primal problem has one for each cell. With
multipliers r_z, slacks w_z and rho(x|z) = exp(sum_j y_j(z_j, x) - F_z), an optimum satisfies::

    marginals of q(x, z) = r_z rho(x|z) are b,   F_z + w_z = 0,   r_z w_z = mu -> 0

Eliminating the steps of r and w leaves a positive definite system in the potentials
(`potential_system`), with g = (1 / w - 1) r. Predictor and corrector follow Mehrotra (1992); the
corrector takes in the curvature of F and of q. Gondzio (1996) adds corrections that keep the
products r w alike, where a factorisation costs much more than a solution.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from minsyn.information.union.marginals import MarginalMap, Problem
from minsyn.information.union.potential_system import Plan, Solver

#: Iterates stay strictly inside: this fraction of the way to the boundary.
TO_BOUNDARY = 0.995
#: Slack of the start in nats, and its least multiplier as a part of equal ones.
START_SLACK, LEAST_START = 0.1, 0.01
#: Second-order corrections larger than this, relative to what they correct, are not trusted.
TRUST = 0.5
#: Range of the reduction of mu that a step aims at.
SIGMA_MIN, SIGMA_MAX = 1e-3, 0.9
#: Nats by which F may exceed its linear model: steps are halved until it does not.
MAX_EXCESS, MAX_HALVINGS = 1.0, 40
#: Log of a probability that is none.
NEVER = -1e6
#: Potentials from which on Gondzio's corrections pay, their number at most, the step that they aim
#: at beyond the one at hand, the range of r w relative to mu that they leave, and the least gain.
CORRECT_FROM, CORRECTIONS, FURTHER, ALIKE, LEAST_GAIN = 500, 2, 0.3, 10.0, 0.03
#: Relative residuals of predictor and corrector by conjugate gradients, and their least.
OF_PREDICTOR, OF_CORRECTOR, LEAST_RESIDUAL = 3e-2, 3e-3, 1e-6
#: Gap in nats below which directions are refined against rounding.
REFINE_BELOW = 1e-4
#: Steps shorter than the first lead nowhere; so many in a row end the iteration.
SHORT, MAX_SHORT = 0.01, 5


@dataclass(frozen=True)
class Point:
    """An iterate: q has about the marginals b, and y satisfies about the constraints.

    ``gap`` is sum r w in nats: the duality gap if all residuals were zero.
    """

    q: Float[np.ndarray, "x z"]
    y: Float[np.ndarray, "x k"]
    gap: float
    n_iter: int


@dataclass(slots=True)
class _Direction:
    dy: Float[np.ndarray, "x k"]
    cells: Float[np.ndarray, "x z"]
    mean: Float[np.ndarray, " z"]
    dr: Float[np.ndarray, " z"]
    dw: Float[np.ndarray, " z"]


@dataclass(frozen=True)
class _Space:
    """The cells that may be positive; ``busy`` marks the states that have any."""

    map: MarginalMap
    log_mask: Float[np.ndarray, "x z"] | None
    busy: Bool[np.ndarray, " z"] | None

    @classmethod
    def of(cls, problem: Problem) -> "_Space":
        """Cells of a batch of one."""
        mask = problem.mask[0] > 0
        busy = mask.any(0)
        return cls(
            problem.map,
            None if mask.all() else np.where(mask, 0.0, NEVER),
            None if busy.all() else busy,
        )

    def conditional(
        self, y: Float[np.ndarray, "x k"]
    ) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, "x z"]]:
        """F and rho."""
        rho = self.map.spread(y)
        if self.log_mask is not None:
            rho += self.log_mask
        most = np.maximum.reduce(rho)
        rho -= most
        np.exp(rho, out=rho)
        total = np.add.reduce(rho)
        rho /= total
        f = most + np.log(total)
        if self.busy is not None:
            rho *= self.busy
            f = np.where(self.busy, f, -1.0)
        return f, rho


@dataclass(slots=True)
class _State:
    """y, r and w, with what follows from them."""

    space: _Space
    y: Float[np.ndarray, "x k"]
    r: Float[np.ndarray, " z"]
    w: Float[np.ndarray, " z"]
    f: Float[np.ndarray, " z"]
    rho: Float[np.ndarray, "x z"]

    @classmethod
    def start(cls, problem: Problem, space: _Space) -> "_State":
        """Sources independent given the target, as far as slack allows."""
        b, marginals = problem.b[0], problem.map
        first = marginals.blocks[0]
        p_x, p_z = b[:, first].sum(1, keepdims=True), b.sum(0)
        log_x, log_z, log_b = (np.log(np.where(p > 0, p, 1.0)) for p in (p_x, p_z, b))
        y = np.where(b > 0, log_b - log_x - log_z, 0.0)
        y[:, first] += log_x
        f, rho = space.conditional(y)
        r = marginals.product(p_z) * np.exp(np.minimum(f, 50.0))
        r = np.maximum(r, LEAST_START / len(r))
        shift = float(f.max()) + START_SLACK
        y[:, first] -= shift
        f = f - shift
        return cls(space, y, r / r.sum(), -f, f, rho)

    def moved(self, by: _Direction, of_r: float, of_w: float) -> tuple["_State", float]:
        """The state after steps of these lengths, the second shortened where F is too curved."""
        for _ in range(MAX_HALVINGS):
            y = self.y + of_w * by.dy
            f, rho = self.space.conditional(y)
            if not float(np.maximum.reduce(f - self.f - of_w * by.mean)) > MAX_EXCESS:
                break
            of_w *= 0.5
        r, w = self.r + of_r * by.dr, self.w + of_w * by.dw
        return _State(self.space, y, r, w, f, rho), of_w


def _lengths(at: _State, by: _Direction, fraction: float) -> tuple[float, float]:
    """The longest steps of r and of w, at most 1, that stay inside."""
    of_r = float(np.minimum.reduce(by.dr / at.r))
    of_w = float(np.minimum.reduce(by.dw / at.w))
    return fraction / max(-of_r, fraction), fraction / max(-of_w, fraction)


@dataclass(slots=True)
class _Newton:
    """The linearised conditions at one state: g = (1 / w - 1) r."""

    at: _State
    q: Float[np.ndarray, "x z"]
    ratio: Float[np.ndarray, " z"]
    g: Float[np.ndarray, " z"]
    solver: Solver

    @classmethod
    def of(cls, at: _State, q: Float[np.ndarray, "x z"], plan: Plan) -> "_Newton":
        """Factorise the system at a state."""
        ratio = at.r / at.w
        g = ratio - at.r
        return cls(at, q, ratio, g, plan.solver(at.rho, at.r, g))

    def direction(
        self,
        target: Float[np.ndarray, " z"],
        primal: Float[np.ndarray, "x k"],
        dual: Float[np.ndarray, " z"],
        tolerance: float,
        refinements: int = 0,
    ) -> _Direction:
        """Step that changes r w by target, the marginals by primal, and F + w by dual."""
        at, marginals = self.at, self.at.space.map
        constant = target / at.w - self.ratio * dual
        dy = self.solver(primal - marginals.sums(at.rho * constant), tolerance)
        for done in range(refinements + 1):
            cells = marginals.spread(dy)
            mean = np.einsum("xz,xz->z", at.rho, cells)
            if done < refinements:
                change = self.q * cells + at.rho * (constant + self.g * mean)
                dy = dy + self.solver(primal - marginals.sums(change), tolerance)
        return _Direction(dy, cells, mean, constant + self.ratio * mean, dual - mean)


def iterate(problem: Problem, max_iter: int) -> Generator[Point, None, None]:
    """Yield the iterates, one Newton step after another; the problem is a batch of one."""
    b, sums = problem.b[0], problem.map.sums
    space = _Space.of(problem)
    at, busy = _State.start(problem, space), space.busy
    n_busy = len(at.r) if busy is None else int(busy.sum())
    plan = Plan.of(problem)
    corrections = CORRECTIONS if not plan.iterative and len(plan.free) >= CORRECT_FROM else 0
    residual, n_short = OF_CORRECTOR, 0
    for n_iter in range(max_iter + 1):
        q = at.r * at.rho
        rw = at.r * at.w if busy is None else at.r * at.w * busy
        total = float(rw.sum())
        yield Point(q, at.y, total, n_iter)
        if n_iter == max_iter or n_short == MAX_SHORT or not np.isfinite(total):
            return
        mu = total / n_busy
        refinements = 0 if plan.iterative or total > REFINE_BELOW else 1
        primal, dual = b - sums(q), -(at.f + at.w)
        newton = _Newton.of(at, q, plan)
        # Predictor: where mu = 0 would lead.
        by = newton.direction(-rw, primal, dual, OF_PREDICTOR)
        of_r, of_w = _lengths(at, by, 1.0)
        ahead, of_w = at.moved(by, of_r, of_w)
        sigma = min(max(float(ahead.r @ ahead.w), 0.0) / n_busy / mu, 1.0) ** 2
        sigma = min(max(sigma, SIGMA_MIN), SIGMA_MAX)
        curved_f = ahead.f - at.f - of_w * by.mean
        linear = at.rho * (at.r + of_r * by.dr) + q * (of_w * (by.cells - by.mean))
        curved_q = sums(ahead.r * ahead.rho - linear)
        product = of_r * of_w * by.dr * by.dw
        target = sigma * mu - rw - _trusted(product, np.maximum(rw, sigma * mu))
        primal = primal - _trusted(curved_q, b)
        dual = dual - _trusted(curved_f, at.w)
        by = newton.direction(target, primal, dual, residual, refinements)
        of_r, of_w = _lengths(at, by, TO_BOUNDARY)
        for _ in range(corrections):
            further_r, further_w = min(1.0, of_r + FURTHER), min(1.0, of_w + FURTHER)
            products = (at.r + further_r * by.dr) * (at.w + further_w * by.dw)
            change = np.clip(products, sigma * mu / ALIKE, sigma * mu * ALIKE) - products
            target = target + np.maximum(change, -ALIKE * sigma * mu)
            other = newton.direction(target, primal, dual, residual, refinements)
            other_r, other_w = _lengths(at, other, TO_BOUNDARY)
            if other_r + other_w < of_r + of_w + LEAST_GAIN:
                break
            by, of_r, of_w = other, other_r, other_w
        at, of_w = at.moved(by, of_r, of_w)
        n_short = n_short + 1 if of_r + of_w < SHORT else 0
        if of_r + of_w < 1:
            # A rough solution may be what keeps the steps short.
            residual = max(residual / 3, LEAST_RESIDUAL)


def _trusted(
    correction: Float[np.ndarray, "*n"], of: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    most = TRUST * of
    clipped: np.ndarray = np.minimum(np.maximum(correction, -most), most)
    return clipped
