"""Solver of union information: attempts of growing care, until the bounds certify (nats)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information._pmf import in_unit, pointwise_nats
from minsyn.information.union import certificate, null_space
from minsyn.information.union import interior_point as interior
from minsyn.information.union.marginals import NEGLIGIBLE, MarginalMap, Problem, marginal_map
from minsyn.information.union.newton import Elimination

#: The gap that certifies an answer, and the gap at which the iteration stops, in bits. The
#: second is smaller because the last step usually gains two digits.
CERTIFIED_GAP = 1e-9
TARGET_GAP = 1e-10
#: A certificate is tried when the nominal gap sum q s (nats) falls below the first; below the
#: second nothing is left to gain in double precision.
TRY_BELOW, GIVE_UP_BELOW = 1e-10, 1e-16
#: Errors of marginals up to the first are rounding. A distribution with errors above the second, a
#: tenth of the promised accuracy, is not accepted.
ROUNDING_ONLY, FEASIBLE = 1e-15, 1e-13
#: Singular values of p(z_j|x) taken for 0, and negative probabilities of a channel taken for
#: rounding. The rounding to feasibility repairs such errors, or the certificate detects them.
RANK, ALMOST_POSITIVE = 1e-12, 1e-12


@dataclass(frozen=True)
class _Attempt:
    """Settings of one run of the interior-point method."""

    elimination: Elimination | None
    sigma_min: float
    refinements: int
    max_iter: int
    power: float = interior.START_POWER


#: The fast one first, then more careful ones for the few pmfs that remain. ``None`` takes the
#: smaller of the two eliminations.
_ATTEMPTS = (
    _Attempt(None, 0.05, 1, 40),
    _Attempt("saddle", 0.05, 2, 60),
    _Attempt("potentials", 0.1, 3, 80, 0.2),
    _Attempt("saddle", 0.2, 3, 120, 0.2),
    _Attempt("states", 0.2, 3, 120, 1.0),
)
#: The saddle system is dense: beyond this size its memory and time are out of proportion.
_MAX_SADDLE = 3000


def _share_gauge(
    marginals: MarginalMap, b: Float[np.ndarray, "n x k"], f: Float[np.ndarray, "n x k"]
) -> Float[np.ndarray, "n x k"]:
    """Give every source the same E_p[f_j | x] without changing sum_j f_j."""
    p_x = b[..., marginals.blocks[0]].sum(-1, keepdims=True)
    means = (b * np.where(b > 0, f, 0.0)) @ marginals.source_of / np.where(p_x > 0, p_x, 1.0)
    return f - (means - means.mean(-1, keepdims=True)) @ marginals.source_of.T


@dataclass
class Solved:
    """Bounds (nats), distributions and potentials of a batch."""

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    distribution: Float[np.ndarray, "n *sources x"]
    potentials: list[Float[np.ndarray, "n _ x"]]
    n_iter: Int[np.ndarray, " n"]

    @classmethod
    def join(cls, parts: list["Solved"]) -> "Solved":
        """Concatenate the results of several batches."""
        return cls(
            np.concatenate([s.lower for s in parts]),
            np.concatenate([s.upper for s in parts]),
            np.concatenate([s.distribution for s in parts]),
            [np.concatenate(f) for f in zip(*(s.potentials for s in parts), strict=True)],
            np.concatenate([s.n_iter for s in parts]),
        )


class _Best:
    """Tightest bounds so far of every pmf of a batch, with the q and f that attain them."""

    def __init__(
        self,
        marginals: MarginalMap,
        p: Float[np.ndarray, "n x z"],
        b: Float[np.ndarray, "n x k"],
        target: float,
    ) -> None:
        self.map, self.b, self.target = marginals, b, target
        p_x = b[..., marginals.blocks[0]].sum(-1, keepdims=True)
        self.log_p_x = np.where(p_x > 0, np.log(np.where(p_x > 0, p_x, 1.0)), -1e6)
        self.q = p.copy()
        self.upper = certificate.upper_bound(p)
        self.source, self.f, self.lower = self._best_single(p_x)

    def _best_single(
        self, p_x: Float[np.ndarray, "n x 1"]
    ) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n x k"], Float[np.ndarray, " n"]]:
        """The bound I(Z_j; X) <= U of the best source: f_j = log p(x|z_j)/p(x), the others 0."""
        gain = pointwise_nats(self.b, self.b.sum(1, keepdims=True), p_x)
        term = self.b * gain
        each = term.sum(1) @ self.map.source_of
        source = each.argmax(1)
        mine = self.map.source_of.T[source][:, None, :]
        f = np.where(self.b > 0, gain * mine, -np.inf)
        slack = certificate.ROUNDING * (np.abs(term).sum((1, 2)) + 1)
        return source, f, each.max(1) - slack

    def _raise(self, index: Int[np.ndarray, " i"], f: Float[np.ndarray, "i x k"]) -> None:
        bound, f = certificate.lower_bound(self.map, self.b[index], f, self.log_p_x[index])
        better = bound > self.lower[index]
        self.lower[index[better]] = bound[better]
        self.f[index[better]] = f[better]

    def offer(
        self,
        index: Int[np.ndarray, " i"],
        q: Float[np.ndarray, "i x z"],
        y: Float[np.ndarray, "i x k"],
    ) -> None:
        """Make an iterate feasible, primal and dual, and keep each bound that is better."""
        finite = np.isfinite(q).all((1, 2)) & np.isfinite(y).all((1, 2))
        if not finite.all():
            index, q, y = index[finite], q[finite], y[finite]
        if len(index) == 0:
            return
        self.offer_distribution(index, q)
        b = self.b[index]
        y = np.where(b > NEGLIGIBLE, y, certificate.NEGLIGIBLE_POTENTIAL)
        f = np.where(b > 0, y, -np.inf)
        f[..., self.map.blocks[0]] -= self.log_p_x[index]
        self._raise(index, f)
        if (self.gap[index] > self.target).any():
            self._raise(index, certificate.repair(self.map, f, self.log_p_x[index]))

    def offer_distribution(
        self, index: Int[np.ndarray, " i"], q: Float[np.ndarray, "i x z"]
    ) -> None:
        """Round q to feasibility, and keep it where its information is less than before."""
        b = self.b[index]
        off = np.abs(q @ self.map.one_hot - b).max((1, 2))
        if (off > ROUNDING_ONLY).any():
            q = certificate.round_to_feasible(self.map, b, q)
            off = np.abs(q @ self.map.one_hot - b).max((1, 2))
        upper = certificate.upper_bound(q)
        # Without the right marginals, its information is no bound.
        feasible = off <= FEASIBLE
        better = feasible & (upper < self.upper[index])
        self.upper[index[better]] = upper[better]
        self.q[index[better]] = q[better]

    @property
    def gap(self) -> Float[np.ndarray, " n"]:
        """Width of the interval in bits."""
        return np.asarray(in_unit(self.upper - self.lower, "bits"))


def solve(
    p: Float[np.ndarray, "n *sources x"],
    target: float = TARGET_GAP,
    certified: float = CERTIFIED_GAP,
) -> Solved:
    """Bounds for a batch: all together first, then one by one those that did not certify.

    Each stops at a gap of ``target`` bits; one of ``certified`` bits will do.
    """
    n, shape, n_x = len(p), p.shape[1:-1], p.shape[-1]
    marginals = marginal_map(shape)
    flat = np.ascontiguousarray(p.reshape(n, -1, n_x).transpose(0, 2, 1))
    b = flat @ marginals.one_hot
    alive = np.ones(flat.shape[2], dtype=bool)
    if n == 1:
        # States that no x allows carry no mass and no constraint.
        alive = np.asarray(marginals.allowed(b[0] > 0).any(0))
    if not alive.all():
        marginals = marginals.of_states(alive)
        flat = flat[:, :, alive]
    best = _Best(marginals, flat, b, target)
    n_iter = np.zeros(n, dtype=int)
    with np.errstate(all="ignore"):
        # Where one source tells all that the sources tell together, q = p is proven already.
        _offer_channels(best)
        _run_small(shape, best, n_iter)
        rest = np.flatnonzero(best.gap > best.target)
        if len(rest):
            _run(_ATTEMPTS[0], Problem.of(marginals, b[rest]), rest, best, n_iter)
        for attempt in _ATTEMPTS[1:]:
            for i in np.flatnonzero(best.gap > certified):
                one = Problem.of(marginals, b[i : i + 1])
                _run(attempt, one, np.array([i]), best, n_iter)
    q = np.zeros((n, n_x, alive.size))
    q[:, :, alive] = best.q
    distribution = q.transpose(0, 2, 1).reshape(p.shape)
    shared = _share_gauge(marginals, b, best.f)
    f = [shared[..., block].transpose(0, 2, 1) for block in marginals.blocks]
    # Both ends are right to rounding only, which may cross them, or put the lower below 0.
    lower = np.clip(best.lower, 0.0, best.upper)
    return Solved(lower, best.upper, distribution, f, n_iter)


def _offer_channels(best: _Best) -> None:
    """Offer closed-form answers where channels turn the best source j into every other one.

    Then q = p(z_j, x) prod_i c(z_i|z_j) attains the bound U >= I(Z_j; X): Z_j is above the others
    in Blackwell's order. This covers more than half of random binary pmfs, and most textbook
    examples.
    """
    p_x = best.b[..., best.map.blocks[0]].sum(-1, keepdims=True)
    given_x = best.b / np.where(p_x > 0, p_x, 1.0)
    undecided = best.gap > best.target
    for j, block in enumerate(best.map.blocks):
        items = np.flatnonzero(undecided & (best.source == j))
        if len(items) == 0:
            continue
        p_zx, given = best.b[items][..., block], given_x[items]
        p_z = p_zx.sum(1)
        backward = (p_zx / np.where(p_z > 0, p_z, 1.0)[:, None, :]).transpose(0, 2, 1)
        # The channel of conditional independence, changed as little as the marginals ask.
        channel = backward @ given
        channel += np.linalg.pinv(given[..., block], RANK) @ (given - given[..., block] @ channel)
        channel[..., block] = np.eye(channel.shape[1])
        passed = (channel > -ALMOST_POSITIVE).all((1, 2))
        if passed.any():
            q = p_zx[passed] @ best.map.product(np.maximum(channel[passed], 0.0))
            best.offer_distribution(items[passed], q)


def _run_small(shape: tuple[int, ...], best: _Best, n_iter: Int[np.ndarray, " n"]) -> None:
    """Solve small pmfs whose marginals are all well above zero by the null-space method."""
    n_x, n_states = best.q.shape[1:]
    constants = null_space.directions(shape, n_x)
    if constants is None or n_states < len(marginal_map(shape).one_hot):
        return
    p_x = best.b[..., best.map.blocks[0]].sum(-1, keepdims=True)
    start = best.map.product(best.b / p_x) * p_x
    chosen = np.flatnonzero((best.gap > best.target) & (start > null_space.MIN_START).all((1, 2)))
    if len(chosen) == 0:
        return
    flat = start[chosen].reshape(len(chosen), -1)
    try:
        q, y, n_iter[chosen] = null_space.solve(constants, flat)
    except np.linalg.LinAlgError:
        return
    best.offer(chosen, q.reshape(-1, n_x, n_states), y.reshape(len(chosen), n_x, -1))


def _run(
    attempt: _Attempt,
    problem: Problem,
    items: Int[np.ndarray, " i"],
    best: _Best,
    n_iter: Int[np.ndarray, " n"],
) -> None:
    """Iterate until every pmf is certified or has nothing left to gain."""
    n_states, n_x, k = *problem.mask.shape[:0:-1], problem.b.shape[2]
    elimination = attempt.elimination
    if elimination == "saddle" and n_states + n_x * k > _MAX_SADDLE:
        elimination = None
    if elimination is None:
        elimination = "states" if n_states <= n_x * k else "potentials"
    steps = interior.iterate(
        problem,
        interior.start(problem, attempt.power),
        elimination=elimination,
        sigma_min=attempt.sigma_min,
        refinements=attempt.refinements,
        max_iter=attempt.max_iter,
    )
    go_on: Bool[np.ndarray, " i"] | None = None
    while True:
        try:
            now, at = steps.send(go_on)
        except (StopIteration, np.linalg.LinAlgError):
            return
        index = items[at.index]
        go_on = np.asarray(np.isfinite(at.gap) & (at.gap > GIVE_UP_BELOW))
        ready = np.isfinite(at.gap) & (at.gap < max(TRY_BELOW, best.target))
        if ready.any():
            best.offer(index[ready], at.q[ready] * now.mask[ready], at.y[ready])
            go_on &= ~(best.gap[index] <= best.target)
        n_iter[index[go_on]] += 1
