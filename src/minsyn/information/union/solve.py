"""Solver of union information: attempts of growing care, until the bounds certify (nats)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information._pmf import in_unit, pointwise_nats
from minsyn.information.union import certificate, geometric, null_space, potential_system
from minsyn.information.union import interior_point as interior
from minsyn.information.union.equivalent_values import Merged
from minsyn.information.union.free_memory import available_bytes
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


#: For batches, the fast one first; then for the few pmfs that remain one by one, more careful ones.
#: ``None`` takes the smaller of the two eliminations.
_ATTEMPTS = (
    _Attempt(None, 0.05, 1, 40),
    _Attempt("saddle", 0.05, 2, 60),
    _Attempt("potentials", 0.1, 3, 80, 0.2),
    _Attempt("saddle", 0.2, 3, 120, 0.2),
    _Attempt("states", 0.2, 3, 120, 1.0),
)
#: The saddle system is dense: beyond this size its memory and time are out of proportion.
_MAX_SADDLE = 3000
#: Numbers that a careful attempt may hold: beyond, a single pmf has the geometric programme only.
_MAX_CAREFUL = 100_000_000
#: Bytes that need no look at what is free.
_NO_MATTER = 2.0**24
#: Cells from which on values that tell the same are looked for.
_MERGE_FROM = 64
#: Newton steps of the geometric programme at most: where other methods are at hand, of pmfs up to
#: so many cells and of larger ones; and where there are none.
_FIRST_STEPS, _SMALL, _MORE_STEPS, _ALL_STEPS = 30, 2000, 80, 300
#: Numbers that a step of the general method holds, up to which a batch is faster than one by one.
_MAX_TOGETHER = 40_000


def _share_gauge(
    marginals: MarginalMap, b: Float[np.ndarray, "n x k"], f: Float[np.ndarray, "n x k"]
) -> Float[np.ndarray, "n x k"]:
    """Give every source the same E_p[f_j | x] without changing sum_j f_j."""
    p_x = b[..., marginals.blocks[0]].sum(-1, keepdims=True)
    means = (b * np.where(b > 0, f, 0.0)) @ marginals.source_of / np.where(p_x > 0, p_x, 1.0)
    centred: np.ndarray = f - (means - means.mean(-1, keepdims=True)) @ marginals.source_of.T
    return centred


@dataclass
class Solved:
    """Bounds (nats), distributions and potentials of a batch.

    Of ``large`` pmfs the Newton system was solved iteratively.
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    distribution: Float[np.ndarray, "n *sources x"]
    potentials: list[Float[np.ndarray, "n _ x"]]
    n_iter: Int[np.ndarray, " n"]
    large: bool = False

    @classmethod
    def join(cls, parts: list["Solved"]) -> "Solved":
        """Concatenate the results of several batches."""
        return cls(
            np.concatenate([s.lower for s in parts]),
            np.concatenate([s.upper for s in parts]),
            np.concatenate([s.distribution for s in parts]),
            [np.concatenate(f) for f in zip(*(s.potentials for s in parts), strict=True)],
            np.concatenate([s.n_iter for s in parts]),
            any(s.large for s in parts),
        )


class _Best:
    """Tightest bounds so far of every pmf of a batch, with the q and f that attain them."""

    def __init__(
        self,
        marginals: MarginalMap,
        p: Float[np.ndarray, "n x z"],
        b: Float[np.ndarray, "n x k"],
        stop: "Stop",
    ) -> None:
        self.map, self.b, self.stop = marginals, b, stop
        self.n_iter = np.zeros(len(p), dtype=int)
        self.last: tuple[Any, Any, Any] | None = None
        self.large = False
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
        if (self.gap[index] > self.stop.target).any():
            self._raise(index, certificate.repair(self.map, f, self.log_p_x[index]))

    def offer_distribution(
        self, index: Int[np.ndarray, " i"], q: Float[np.ndarray, "i x z"]
    ) -> None:
        """Round q to feasibility, and keep it where its information is less than before."""
        b = self.b[index]
        off = np.abs(self.map.sums(q) - b).max((1, 2))
        if (off > ROUNDING_ONLY).any():
            q = certificate.round_to_feasible(self.map, b, q)
            off = np.abs(self.map.sums(q) - b).max((1, 2))
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

    @property
    def open(self) -> Int[np.ndarray, " _"]:
        """The pmfs that have not reached the target."""
        return np.flatnonzero(self.gap > self.stop.target)

    def enough(self, i: int) -> float:
        """The gap in nats at which a pmf stops."""
        target: float = self.stop.target * np.log(2)
        return max(target, self.stop.relative * float(self.upper[i])) if self.large else target

    def spent(self, i: int) -> bool:
        """Whether a pmf has taken all steps that it may take."""
        return self.stop.max_iter is not None and int(self.n_iter[i]) >= self.stop.max_iter

    def tell(self, i: int) -> None:
        """Call whoever watches."""
        if self.stop.watch is not None:
            lower = min(max(self.lower[i], 0.0), self.upper[i])
            self.stop.watch(int(self.n_iter[i]), float(lower), float(self.upper[i]))

    def offer_last(self) -> None:
        """Offer the last iterate of a single pmf, if it has not been offered."""
        if self.last is not None:
            self.offer(*self.last)
            self.last = None

    def solved(self, shape: tuple[int, ...], alive: Bool[np.ndarray, " z"]) -> Solved:
        """What is known, with all states."""
        n, n_x = len(self.q), self.q.shape[1]
        q = np.zeros((n, n_x, alive.size))
        q[:, :, alive] = self.q
        shared = _share_gauge(self.map, self.b, self.f)
        # Both ends are right to rounding only, which may cross them, or put the lower below 0.
        return Solved(
            np.clip(self.lower, 0.0, self.upper),
            self.upper,
            q.transpose(0, 2, 1).reshape(shape),
            [shared[..., block].transpose(0, 2, 1) for block in self.map.blocks],
            self.n_iter,
            self.large,
        )


@dataclass(frozen=True)
class Stop:
    """When to stop: gaps in bits, Newton steps, and who watches.

    A pmf stops at a gap of ``target``; one of ``enough`` will do where a method ends before. Where
    the Newton system is solved iteratively, ``relative`` times the value will do as well.
    ``watch`` is called with the number of steps and the bounds in nats, and raises StopIteration to
    stop.
    """

    target: float = TARGET_GAP
    enough: float = CERTIFIED_GAP
    relative: float = 0.0
    max_iter: int | None = None
    watch: Callable[[int, float, float], None] | None = None


class Interrupted(Exception):  # noqa: N818 (the keyboard's doing is no error)
    """The keyboard stopped a solution; ``solved`` are the bounds so far."""

    def __init__(self, solved: Solved) -> None:
        super().__init__()
        self.solved = solved


def solve(p: Float[np.ndarray, "n *sources x"], stop: Stop) -> Solved:
    """Bounds for a batch: all together first, then one by one those that did not certify."""
    if len(p) == 1:
        return _solve_one(p[0], stop)
    n, shape, n_x = len(p), p.shape[1:-1], p.shape[-1]
    marginals = marginal_map(shape)
    flat = np.ascontiguousarray(p.reshape(n, -1, n_x).transpose(0, 2, 1))
    best = _Best(marginals, flat, marginals.sums(flat), stop)
    with np.errstate(all="ignore"):
        # Where one source tells all that the sources tell together, q = p is proven already.
        _offer_channels(best)
        _run_small(shape, best)
        rest = best.open
        if len(rest):
            _run(_ATTEMPTS[0], Problem.of(marginals, best.b[rest]), rest, best)
        for i in np.flatnonzero(best.gap > stop.enough):
            _rescue(best, int(i))
    return best.solved(p.shape, np.ones(flat.shape[2], dtype=bool))


def _solve_one(p: Float[np.ndarray, "*sources x"], stop: Stop) -> Solved:
    """Bounds for one pmf, its values merged and its impossible states left out."""
    merged = Merged.of(p) if p.size >= _MERGE_FROM else None
    small = p if merged is None else merged.p
    shape, n_x = small.shape[:-1], small.shape[-1]
    marginals = marginal_map(shape)
    flat = np.ascontiguousarray(small.reshape(1, -1, n_x).transpose(0, 2, 1))
    b = marginals.sums(flat)
    # States that no x allows carry no mass and no constraint.
    alive = np.asarray(marginals.allowed(b[0] > 0).any(0))
    if not alive.all():
        marginals = marginals.of_states(alive)
        flat = flat[:, :, alive]
    _check_memory(p.shape, marginals, b[0])
    best = _Best(marginals, flat, b, stop)
    interrupted = False
    with np.errstate(all="ignore"):
        try:
            _offer_channels(best)
            _run_small(shape, best)
            if len(best.open):
                _rescue(best, 0)
        except StopIteration:
            pass
        except KeyboardInterrupt:
            interrupted = True
            best.offer_last()
    solved = best.solved((1, *small.shape), alive)
    if merged is not None:
        solved.distribution = merged.distribution(solved.distribution[0])[None]
        f = [merged.potential(j, f[0])[None] for j, f in enumerate(solved.potentials)]
        solved.potentials = f
    if interrupted:
        raise Interrupted(solved)
    return solved


def _rescue(best: _Best, i: int) -> None:
    """Solve one pmf of a batch by the geometric programme, then by the careful methods."""
    one, items = Problem.of(best.map, best.b[i : i + 1]), np.array([i])
    careful = _work(best.map.shape, one.map.n_states, one.b.shape[1]) <= _MAX_CAREFUL
    if careful and _few_states(best.map, one.b.shape[1]):
        _run(_ATTEMPTS[0], one, items, best)
        if best.gap[i] <= best.stop.enough or best.spent(i):
            return
    few = _FIRST_STEPS if one.mask.size <= _SMALL else _MORE_STEPS
    _run_geometric(one, i, best, few if careful else _ALL_STEPS)
    for attempt in _ATTEMPTS[1:] if careful else ():
        if best.gap[i] <= best.stop.enough or best.spent(i):
            return
        _run(attempt, one, items, best)


def _run_geometric(problem: Problem, i: int, best: _Best, max_iter: int) -> None:
    """Iterate until the pmf is certified or has nothing left to gain."""
    best.large = int(problem.free.sum()) > potential_system.MAX_FACTORISED
    try:
        for at in geometric.iterate(problem, max_iter):
            if not np.isfinite(at.gap):
                break
            best.last = (np.array([i]), at.q[None], at.y[None])
            # Iterative solutions leave errors of the marginals behind, which cost some of the gap.
            near = 3 * best.enough(i) if best.large else best.enough(i)
            if at.gap < near or best.stop.watch is not None:
                best.offer_last()
                best.tell(i)
                if best.upper[i] - best.lower[i] <= best.enough(i):
                    return
            if best.spent(i) or at.gap < GIVE_UP_BELOW:
                break
            best.n_iter[i] += 1
    except np.linalg.LinAlgError:
        pass
    best.offer_last()


def _work(shape: tuple[int, ...], n_states: int, n_x: int) -> float:
    """Numbers that one pmf's step by the general method holds at a time, roughly."""
    k = sum(shape)
    system = min(float(n_states), float(n_x * k))
    return 3.0 * n_states * n_x * k + 3 * system**2 + 3 * n_x * k**2 + n_states * k


def _few_states(marginals: MarginalMap, n_x: int) -> bool:
    """Whether a step over the states costs much less than one over the potentials."""
    n_states, k = float(marginals.n_states), float(sum(marginals.shape))
    return n_x * (k**3 + k**2 * n_states + k * n_states**2) < 0.1 * (n_x * k) ** 3 / 3


def batch_size(shape: tuple[int, ...]) -> int:
    """Pmfs that are solved together; working arrays are to stay in cache."""
    n_states = math.prod(shape[:-1])
    work = _work(shape[:-1], n_states, shape[-1])
    return int(2e6 // work) if work <= _MAX_TOGETHER else 1


def _check_memory(
    shape: tuple[int, ...], marginals: MarginalMap, b: Float[np.ndarray, "x k"]
) -> None:
    """Raise a ValueError if a pmf with marginals b needs more memory than there is."""
    n_x, k = b.shape
    d = int((b > 0).sum())
    system = k * n_x**2 if d > potential_system.MAX_FACTORISED else 2 * min(n_x * k, 2 * d) ** 2
    if _few_states(marginals, n_x):
        system = min(system, int(_work(marginals.shape, marginals.n_states, n_x)))
    projection = min(4 * n_x * k**2, 4 * certificate.MAX_PROJECTION)
    cells = 25 * n_x * marginals.n_states + 2 * math.prod(shape)
    needed = 8.0 * (cells + system + projection)
    if needed < _NO_MATTER:
        return
    available = available_bytes()
    if needed > available:
        raise ValueError(
            f"pmf of shape {shape} needs about {needed / 2**30:.3g} GiB, and "
            f"{available / 2**30:.3g} GiB are free; merge values of the sources or the target, or "
            "use fewer sources"
        )


def _offer_channels(best: _Best) -> None:
    """Offer closed-form answers where channels turn the best source j into every other one.

    Then q = p(z_j, x) prod_i c(z_i|z_j) attains the bound U >= I(Z_j; X): Z_j is above the others
    in Blackwell's order. This covers more than half of random binary pmfs, and most textbook
    examples.
    """
    p_x = best.b[..., best.map.blocks[0]].sum(-1, keepdims=True)
    given_x = best.b / np.where(p_x > 0, p_x, 1.0)
    undecided = best.gap > best.stop.target
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
        channel[..., block] = 0.0
        passed = (channel > -ALMOST_POSITIVE).all((1, 2))
        if passed.any():
            q = p_zx[passed][..., best.map.values[j]]
            for i, of_i in enumerate(best.map.blocks):
                if i != j:
                    of_value = np.maximum(channel[passed][..., of_i], 0.0)
                    q *= of_value[:, best.map.values[j], best.map.values[i]][:, None, :]
            best.offer_distribution(items[passed], q)


def _run_small(shape: tuple[int, ...], best: _Best) -> None:
    """Solve small pmfs whose marginals are all well above zero by the null-space method."""
    n_x, n_states = best.q.shape[1:]
    constants = null_space.directions(shape, n_x)
    if constants is None or n_states < np.prod(shape):
        return
    p_x = best.b[..., best.map.blocks[0]].sum(-1, keepdims=True)
    start = best.map.product(best.b / p_x) * p_x
    chosen = np.flatnonzero(
        (best.gap > best.stop.target) & (start > null_space.MIN_START).all((1, 2))
    )
    if len(chosen) == 0:
        return
    flat = start[chosen].reshape(len(chosen), -1)
    try:
        q, y, best.n_iter[chosen] = null_space.solve(constants, flat)
    except np.linalg.LinAlgError:
        return
    best.offer(chosen, q.reshape(-1, n_x, n_states), y.reshape(len(chosen), n_x, -1))


def _run(
    attempt: _Attempt,
    problem: Problem,
    items: Int[np.ndarray, " i"],
    best: _Best,
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
            best.offer_last()
            return
        index = items[at.index]
        if len(items) == 1:
            best.last = (index, at.q * now.mask, at.y)
            if best.stop.watch is not None:
                best.offer_last()
                best.tell(int(index[0]))
            if best.spent(int(index[0])):
                best.offer_last()
                return
        go_on = np.asarray(np.isfinite(at.gap) & (at.gap > GIVE_UP_BELOW))
        ready = np.isfinite(at.gap) & (at.gap < max(TRY_BELOW, best.stop.target))
        if ready.any():
            best.offer(index[ready], at.q[ready] * now.mask[ready], at.y[ready])
            go_on &= ~(best.gap[index] <= best.stop.target)
        best.n_iter[index[go_on]] += 1
