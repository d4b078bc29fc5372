"""Griffith and Koch's union information: what the sources tell apart, with a certificate.

``U(Z_1:m; X) = min_q I_q(Z_1:m; X)`` over all q with the pairwise marginals of p (Eq. 2 of
Ver Steeg et al. 2017). For any functions f_j,

    sum_j E_p f_j(Z_j, X) - log max_z sum_x p(x) exp sum_j f_j(z_j, x)  <=  U  <=  I_q(Z; X),

with equality on the left for the best f and on the right for the best q. Every answer here carries
both, so its error is known whatever happened on the way.
"""

import os
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from minsyn.information import _certificate as certificate
from minsyn.information import _interior_point as interior
from minsyn.information import _null_space as null_space
from minsyn.information._marginals import MarginalMap, marginal_map
from minsyn.information._pmf import (
    Unit,
    as_pmf,
    in_unit,
    information_nats,
)

#: The gap that certifies an answer, and the gap at which the iteration stops, in bits. The
#: second is smaller because the last step usually gains two digits.
CERTIFIED_GAP = 1e-9
TARGET_GAP = 1e-10
#: A certificate is tried when the nominal gap sum q s (nats) falls below the first; below the
#: second nothing is left to gain in double precision.
TRY_BELOW, GIVE_UP_BELOW = 1e-10, 1e-16
#: Marginals off by this are off by rounding only; what is off by more than the second, a tenth of
#: what is promised, is not taken for a distribution with the marginals asked for.
ROUNDING_ONLY, FEASIBLE = 1e-15, 1e-13


class UncertifiedWarning(UserWarning):
    """An answer whose interval is wider than the certificate asks for."""


@dataclass(frozen=True)
class _Attempt:
    """One way of running the interior-point method."""

    elimination: interior.Elimination | None
    sigma_min: float
    refinements: int
    max_iter: int
    power: float = interior.START_POWER


#: Fast first; then ever more careful ways for the few that remain. ``None`` takes whichever of
#: the two eliminations is smaller.
_ATTEMPTS = (
    _Attempt(None, 0.05, 1, 40),
    _Attempt("saddle", 0.05, 2, 60),
    _Attempt("potentials", 0.1, 3, 80, 0.2),
    _Attempt("saddle", 0.2, 3, 120, 0.2),
    _Attempt("states", 0.2, 3, 120, 1.0),
)
#: The saddle system is dense: beyond this size its memory and time are out of proportion.
_MAX_SADDLE = 3000


@dataclass(frozen=True, repr=False)
class UnionInformation:
    """Union information of one pmf, with its certificate.

    Attributes
    ----------
    value : float
        ``upper``: the information of ``distribution``, in ``unit``.
    lower, upper : float
        An interval that holds the exact value.
    distribution : ndarray, shape of the pmf
        A minimiser q: nonnegative, its pairwise marginals q(z_j, x) equal p(z_j, x) to 1e-12.
    potentials : tuple of ndarray, each (|Z_j|, |X|)
        Optimal f_j of the dual bound: the derivative of the union information with respect to
        p(z_j, x), along changes that keep p a pmf. -inf where p(z_j, x) = 0. Adding c_j(x) with
        sum_j c_j = 0 changes nothing; here E_p[f_j | x] is the same for every j.
    certified : bool
        Whether ``upper - lower`` is at most 1e-9 bit.
    n_iter : int
        Newton steps, over all attempts; 0 where a closed form is exact.
    unit : str
        "bits" or "nats".
    """

    value: float
    lower: float
    upper: float
    distribution: Float[np.ndarray, "*sources x"]
    potentials: tuple[Float[np.ndarray, "_ x"], ...]
    certified: bool
    n_iter: int
    unit: str

    @property
    def gap(self) -> float:
        """``upper - lower``."""
        return self.upper - self.lower

    def __repr__(self) -> str:
        mark = "certified" if self.certified else "NOT CERTIFIED"
        return (
            f"UnionInformation({self.value:.9g} {self.unit}, {mark} to {self.gap:.1e}, "
            f"{len(self.potentials)} sources, {self.n_iter} iterations)"
        )


@dataclass(frozen=True, repr=False)
class UnionInformationBatch:
    """Union information of n pmfs of one shape: the fields of `UnionInformation` as arrays.

    ``value``, ``lower``, ``upper``, ``certified`` and ``n_iter`` have shape (n,), ``distribution``
    the shape of the pmfs, each of ``potentials`` (n, |Z_j|, |X|). ``batch[i]`` is one result.
    """

    value: Float[np.ndarray, " n"]
    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    distribution: Float[np.ndarray, "n *sources x"]
    potentials: tuple[Float[np.ndarray, "n _ x"], ...]
    certified: Bool[np.ndarray, " n"]
    n_iter: Int[np.ndarray, " n"]
    unit: str

    @property
    def gap(self) -> Float[np.ndarray, " n"]:
        """``upper - lower``."""
        return self.upper - self.lower

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, i: int) -> UnionInformation:
        return UnionInformation(
            float(self.value[i]),
            float(self.lower[i]),
            float(self.upper[i]),
            self.distribution[i],
            tuple(f[i] for f in self.potentials),
            bool(self.certified[i]),
            int(self.n_iter[i]),
            self.unit,
        )

    def __repr__(self) -> str:
        return (
            f"UnionInformationBatch({len(self)} pmfs, {int(self.certified.sum())} certified, "
            f"widest gap {self.gap.max():.1e} {self.unit})"
        )


def union_information(pmf: ArrayLike, *, unit: Unit = "bits") -> UnionInformation:
    """Union information of any number of sources (Griffith and Koch 2014; Eq. 2).

    U(Z_1:m; X) = min over q with q(z_j, x) = p(z_j, x) of I_q(Z_1:m; X)

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the value, its bounds and the potentials.

    Returns
    -------
    UnionInformation
        The value between certified bounds, a minimising distribution, and the potentials.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf, has one axis only, or needs more memory than the machine has.

    Warns
    -----
    UncertifiedWarning
        If the interval is wider than 1e-9 bit; the result then says ``certified=False``.

    Notes
    -----
    A primal-dual interior-point method (see ``minsyn.information._interior_point``), dense: made
    for pmfs of up to about 10^4 cells.

    References
    ----------
    Griffith, Koch (2014), "Quantifying synergistic mutual information", arXiv:1205.4265.
    For two sources: Bertschinger, Rauh, Olbrich, Jost, Ay (2014), "Quantifying unique
    information", arXiv:1311.2852.

    Examples
    --------
    AND of two fair coins: the union is what either tells, and half a bit is synergy.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 2))
    >>> p[0, 0, 0] = p[0, 1, 0] = p[1, 0, 0] = p[1, 1, 1] = 1 / 4
    >>> result = union_information(p)
    >>> round(result.value, 6), result.certified
    (0.311278, True)
    """
    p = as_pmf(pmf)
    in_unit(0.0, unit)
    if p.ndim == 2:
        return _one_source(p, unit)
    _check_memory(1, p.shape)
    solved = _solve(p[None])
    result = solved.in_unit(unit)[0]
    if not result.certified:
        _warn(1, 1, result.gap, unit)
    return result


def gk_synergy(pmf: ArrayLike, *, unit: Unit = "bits") -> float:
    """Griffith-Koch synergy S = I(Z_1:m; X) - U(Z_1:m; X) (Eq. 3).

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        At least 0. For its certificate see `union_information`, whose warnings and errors apply.

    Examples
    --------
    >>> import numpy as np
    >>> xor = np.zeros((2, 2, 2))
    >>> xor[0, 0, 0] = xor[0, 1, 1] = xor[1, 0, 1] = xor[1, 1, 0] = 1 / 4
    >>> round(gk_synergy(xor), 9)
    1.0
    """
    p = as_pmf(pmf)
    whole = information_nats(p.reshape(-1, p.shape[-1]))
    return max(float(in_unit(whole, unit)) - union_information(p, unit=unit).value, 0.0)


def union_information_batch(pmfs: ArrayLike, *, unit: Unit = "bits") -> UnionInformationBatch:
    """Union information of many pmfs of one shape at once.

    All pmfs take their Newton steps together, each with its own step length, and leave when
    certified; the few that do not certify are solved one by one by the careful methods.

    Parameters
    ----------
    pmfs : array_like, shape (n, |Z_1|, ..., |Z_m|, |X|)
        One joint pmf for every entry of the first axis, each summing to 1.
    unit : {"bits", "nats"}
        Unit of the values, their bounds and the potentials.

    Returns
    -------
    UnionInformationBatch
        The fields of `UnionInformation` as arrays.

    Raises
    ------
    ValueError
        As `union_information`; the message names the entry.

    Warns
    -----
    UncertifiedWarning
        If an interval is wider than 1e-9 bit.

    Examples
    --------
    >>> import numpy as np
    >>> pmfs = np.random.default_rng(0).dirichlet(np.ones(8), size=5).reshape(5, 2, 2, 2)
    >>> batch = union_information_batch(pmfs)
    >>> batch.certified.all(), batch[3].certified
    (np.True_, True)
    """
    p = np.asarray(pmfs)
    in_unit(0.0, unit)
    if p.ndim < 3:
        raise ValueError(
            "pmfs must have at least 3 axes (the pmfs, one for each source, the target); "
            f"found shape {p.shape}"
        )
    if len(p) == 0:
        raise ValueError(f"pmfs holds no pmf; found shape {p.shape}")
    totals = p.reshape(len(p), -1).sum(1)
    if p.dtype.kind == "f" and (np.abs(totals - 1) < 1e-8).all() and (p >= 0).all():
        p = p.astype(np.float64, copy=False) / totals.reshape(-1, *(1,) * (p.ndim - 1))
    else:
        p = np.stack([as_pmf(one, name=f"pmfs[{i}]") for i, one in enumerate(p)])
    # Chunks keep the working arrays in cache and in memory.
    size = max(1, int(2e6 // _work_per_pmf(p.shape[1:])))
    _check_memory(1, p.shape[1:])
    parts = [_solve(p[i : i + size]) for i in range(0, len(p), size)]
    solved = _Solved.join(parts).in_unit(unit)
    failed = ~solved.certified
    if failed.any():
        _warn(int(failed.sum()), len(p), float(solved.gap[failed].max()), unit)
    return solved


def _warn(n_failed: int, n: int, gap: float, unit: str) -> None:
    which = "union information" if n == 1 else f"union information of {n_failed} of {n} pmfs"
    warnings.warn(
        f"{which} is known only to {gap:.1e} {unit}, not to {CERTIFIED_GAP:g} bit; "
        "see lower and upper of the result",
        UncertifiedWarning,
        stacklevel=3,
    )


def _work_per_pmf(shape: tuple[int, ...]) -> float:
    """Numbers that one pmf's iteration holds at a time, roughly."""
    n_states, n_x, k = float(np.prod(shape[:-1], dtype=float)), shape[-1], sum(shape[:-1])
    system = min(n_states, float(n_x * k))
    return 3 * n_states * n_x * k + 3 * system**2 + 3 * n_x * k**2 + n_states * k


def _check_memory(n: int, shape: tuple[int, ...]) -> None:
    needed = 8 * n * _work_per_pmf(shape)
    try:
        available = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):  # systems that do not tell
        available = 8 * 2.0**30
    if needed > available:
        raise ValueError(
            f"pmf of shape {shape} needs about {needed / 2**30:.3g} GiB, this machine has "
            f"{available / 2**30:.3g} GiB; merge values of the sources or the target, or use "
            "fewer sources"
        )


def _one_source(p_zx: Float[np.ndarray, "z x"], unit: Unit) -> UnionInformation:
    """Of one source, U = I(Z; X), q = p and f = log p(x|z)/p(x)."""
    positive = p_zx > 0
    independent = p_zx.sum(1, keepdims=True) * p_zx.sum(0)
    gain = np.log(np.where(positive, p_zx, 1.0) / np.where(positive, independent, 1.0))
    value = float(in_unit(information_nats(p_zx), unit))
    potential = np.asarray(in_unit(np.where(positive, gain, -np.inf), unit))
    return UnionInformation(value, value, value, p_zx, (potential,), True, 0, unit)


def _share_gauge(
    marginals: MarginalMap, b: Float[np.ndarray, "n x k"], f: Float[np.ndarray, "n x k"]
) -> Float[np.ndarray, "n x k"]:
    """Give every source the same E_p[f_j | x] without changing sum_j f_j."""
    p_x = b[..., marginals.blocks[0]].sum(-1, keepdims=True)
    means = (b * np.where(b > 0, f, 0.0)) @ marginals.source_of / np.where(p_x > 0, p_x, 1.0)
    return f - (means - means.mean(-1, keepdims=True)) @ marginals.source_of.T


@dataclass
class _Solved:
    """Bounds (nats), distributions and potentials of a batch while attempts go on."""

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    distribution: Float[np.ndarray, "n *sources x"]
    potentials: list[Float[np.ndarray, "n _ x"]]
    n_iter: Int[np.ndarray, " n"]

    @classmethod
    def join(cls, parts: list["_Solved"]) -> "_Solved":
        return cls(
            np.concatenate([s.lower for s in parts]),
            np.concatenate([s.upper for s in parts]),
            np.concatenate([s.distribution for s in parts]),
            [np.concatenate(f) for f in zip(*(s.potentials for s in parts), strict=True)],
            np.concatenate([s.n_iter for s in parts]),
        )

    def in_unit(self, unit: Unit) -> UnionInformationBatch:
        lower, upper = in_unit(self.lower, unit), in_unit(self.upper, unit)
        return UnionInformationBatch(
            upper,
            lower,
            upper,
            self.distribution,
            tuple(np.asarray(in_unit(f, unit)) for f in self.potentials),
            np.asarray(in_unit(self.upper - self.lower, "bits") <= CERTIFIED_GAP),
            self.n_iter,
            unit,
        )


class _Best:
    """The tightest bounds so far of every pmf of a batch, and what attains them."""

    def __init__(
        self, marginals: MarginalMap, p: Float[np.ndarray, "n x z"], b: Float[np.ndarray, "n x k"]
    ) -> None:
        self.map, self.b = marginals, b
        p_x = b[..., marginals.blocks[0]].sum(-1, keepdims=True)
        self.log_p_x = np.where(p_x > 0, np.log(np.where(p_x > 0, p_x, 1.0)), -1e6)
        self.q = p.copy()
        self.upper = certificate.upper_bound(p)
        self.f, self.lower = self._best_single(p_x)

    def _best_single(
        self, p_x: Float[np.ndarray, "n x 1"]
    ) -> tuple[Float[np.ndarray, "n x k"], Float[np.ndarray, " n"]]:
        """The bound I(Z_j; X) <= U of the best source: f_j = log p(x|z_j)/p(x), the others 0."""
        positive = self.b > 0
        p_z = np.broadcast_to(self.b.sum(1, keepdims=True), self.b.shape)
        ratio = np.where(positive, self.b, 1.0) / np.where(positive, p_z * p_x, 1.0)
        gain = np.log(ratio)
        term = self.b * gain
        each = term.sum(1) @ self.map.source_of
        mine = self.map.source_of.T[each.argmax(1)][:, None, :]
        f = np.where(positive, gain * mine, -np.inf)
        slack = certificate.ROUNDING * (np.abs(term).sum((1, 2)) + 1)
        return f, each.max(1) - slack

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
        """Round an iterate to feasibility on both sides, and keep what is better than before."""
        finite = np.isfinite(q).all((1, 2)) & np.isfinite(y).all((1, 2))
        if not finite.all():
            index, q, y = index[finite], q[finite], y[finite]
        if len(index) == 0:
            return
        b = self.b[index]
        off = np.abs(q @ self.map.one_hot - b).max((1, 2))
        if (off > ROUNDING_ONLY).any():
            q = certificate.round_to_feasible(self.map, b, q)
            off = np.abs(q @ self.map.one_hot - b).max((1, 2))
        upper = certificate.upper_bound(q)
        # The marginals must have been reached: else the bound is nobody's information.
        feasible = off <= FEASIBLE
        better = feasible & (upper < self.upper[index])
        self.upper[index[better]] = upper[better]
        self.q[index[better]] = q[better]
        y = np.where(b > interior.NEGLIGIBLE, y, certificate.NEGLIGIBLE_POTENTIAL)
        f = np.where(b > 0, y, -np.inf)
        f[..., self.map.blocks[0]] -= self.log_p_x[index]
        self._raise(index, f)
        if (self.gap[index] > TARGET_GAP).any():
            self._raise(index, certificate.repair(self.map, f, self.log_p_x[index]))

    @property
    def gap(self) -> Float[np.ndarray, " n"]:
        """Width of the interval in bits."""
        return np.asarray(in_unit(self.upper - self.lower, "bits"))


def _solve(p: Float[np.ndarray, "n *sources x"]) -> _Solved:
    """Bounds for a batch: all together first, then one by one what did not certify."""
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
    best = _Best(marginals, flat, b)
    n_iter = np.zeros(n, dtype=int)
    with np.errstate(all="ignore"):
        # Where one source tells all that the sources tell together, q = p is proven already.
        _run_small(shape, best, n_iter)
        rest = np.flatnonzero(best.gap > TARGET_GAP)
        if len(rest):
            _run(_ATTEMPTS[0], interior.Problem.of(marginals, b[rest]), rest, best, n_iter)
        for attempt in _ATTEMPTS[1:]:
            for i in np.flatnonzero(best.gap > CERTIFIED_GAP):
                one = interior.Problem.of(marginals, b[i : i + 1])
                _run(attempt, one, np.array([i]), best, n_iter)
    q = np.zeros((n, n_x, alive.size))
    q[:, :, alive] = best.q
    distribution = q.transpose(0, 2, 1).reshape(p.shape)
    shared = _share_gauge(marginals, b, best.f)
    f = [shared[..., block].transpose(0, 2, 1) for block in marginals.blocks]
    lower = np.minimum(best.lower, best.upper)
    return _Solved(lower, best.upper, distribution, f, n_iter)


def _run_small(shape: tuple[int, ...], best: _Best, n_iter: Int[np.ndarray, " n"]) -> None:
    """The method for small pmfs whose marginals are all well above zero."""
    n_x, n_states = best.q.shape[1:]
    constants = null_space.directions(shape, n_x)
    if constants is None or n_states < len(marginal_map(shape).one_hot):
        return
    p_x = best.b[..., best.map.blocks[0]].sum(-1, keepdims=True)
    start = best.map.product(best.b / p_x) * p_x
    chosen = np.flatnonzero((best.gap > TARGET_GAP) & (start > null_space.MIN_START).all((1, 2)))
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
    problem: interior.Problem,
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
        ready = np.isfinite(at.gap) & (at.gap < TRY_BELOW)
        if ready.any():
            best.offer(index[ready], at.q[ready] * now.mask[ready], at.y[ready])
            go_on &= ~(best.gap[index] <= TARGET_GAP)
        n_iter[index[go_on]] += 1
