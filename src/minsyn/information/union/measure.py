"""Union information and synergy of Griffith and Koch, with a certificate of accuracy.

``U(Z_1:m; X) = min_q I_q(Z_1:m; X)`` over all q with the pairwise marginals of p (Eq. 2 of
Ver Steeg et al. 2017). For any functions f_j,

    sum_j E_p f_j(Z_j, X) - log max_z sum_x p(x) exp sum_j f_j(z_j, x)  <=  U  <=  I_q(Z; X),

with equality on the left for the best f and on the right for the best q. Every answer here carries
both bounds, so its error is known even if the solver stopped early.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from typing import SupportsIndex

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from minsyn._warnings import warn
from minsyn.information._arrays import as_array, as_numbers
from minsyn.information._options import number, whole_number
from minsyn.information._pmf import (
    MOST_AXES,
    TOTAL_TOLERANCE,
    Unit,
    as_pmf,
    in_unit,
    information_nats,
    pointwise_nats,
    unchecked_sum,
)
from minsyn.information.union.solve import (
    CERTIFIED_GAP,
    TARGET_GAP,
    Interrupted,
    Solved,
    Stop,
    batch_size,
    solve,
)

__all__ = [
    "UncertifiedWarning",
    "UnionInformation",
    "UnionInformationBatch",
    "UnionInformationInterrupt",
    "gk_synergy",
    "union_information",
    "union_information_batch",
]


#: Gaps in bits at which resamples stop, and that will do where the fast methods stop before.
ROUGH_GAP, ROUGH_ENOUGH = 1e-7, 1e-4
#: Part of its value to which the union information of a large pmf is found by default.
LARGE_GAP = 1e-6


class UncertifiedWarning(UserWarning):
    """A result whose interval is wider than asked for, by default than 1e-9 bit."""


class UnionInformationInterrupt(KeyboardInterrupt):
    """The keyboard stopped `union_information`: ``result`` holds the bounds so far.

    It is a KeyboardInterrupt, so that a loop or a script stops as with any other.

    Attributes
    ----------
    result : UnionInformation
        The tightest bounds that were found, as true as those of a finished run.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.random.default_rng(0).dirichlet(np.ones(27)).reshape(3, 3, 3)
    >>> def press_ctrl_c(n_iter, lower, upper):
    ...     raise KeyboardInterrupt
    >>> try:
    ...     union_information(p, callback=press_ctrl_c)
    ... except UnionInformationInterrupt as stopped:
    ...     stopped.result.lower < 0.254104 < stopped.result.upper
    True
    """

    def __init__(self, result: "UnionInformation") -> None:
        super().__init__(
            f"stopped after {result.n_iter} Newton steps: the union information is between "
            f"{result.lower:.9g} and {result.upper:.9g} {result.unit}; see the attribute result"
        )
        self.result = result


@dataclass(frozen=True, repr=False)
class UnionInformation:
    """Union information of one pmf, with its certificate.

    Attributes
    ----------
    value : float
        ``upper``: the information of ``distribution``, in ``unit``.
    lower, upper : float
        An interval that holds the exact value, to the rounding of double precision (1e-14).
    distribution : ndarray, shape of the pmf
        A minimiser q: nonnegative, its pairwise marginals q(z_j, x) equal p(z_j, x) to 1e-12.
    potentials : tuple of ndarray, each (|Z_j|, |X|)
        Optimal f_j of the dual bound: the derivative of the union information with respect to
        p(z_j, x), along changes that keep p a pmf and its zeros; one of the subgradients where U
        has a kink (as XOR has). -inf where p(z_j, x) = 0. Adding c_j(x) with sum_j c_j = 0
        changes nothing; here E_p[f_j | x] is the same for every j.
    certified : bool
        Whether ``upper - lower`` is as small as asked for: by default at most 1e-9 bit, of large
        pmfs 1e-6 of the value, see ``tol`` of `union_information`.
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
    the shape of the pmfs, each of ``potentials`` (n, |Z_j|, |X|). ``batch[i]`` is one result, and
    ``unit`` that of all.
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
        gap: np.ndarray = self.upper - self.lower
        return gap

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, i: SupportsIndex) -> UnionInformation:
        i = index(i)
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


def union_information(
    pmf: ArrayLike,
    *,
    unit: Unit = "bits",
    tol: float | None = None,
    max_iter: int | None = None,
    callback: Callable[[int, float, float], None] | None = None,
) -> UnionInformation:
    """Union information of any number of sources (Griffith and Koch 2014; Eq. 2).

    U(Z_1:m; X) = min over q with q(z_j, x) = p(z_j, x) of I_q(Z_1:m; X)

    Parameters
    ----------
    pmf : array_like, shape (|Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last.
    unit : {"bits", "nats"}
        Unit of the value, its bounds, the potentials and ``tol``.
    tol : float, optional
        Width of the interval that is asked for, in ``unit``. By default 1e-9 bit, and 1e-6 of the
        value where |X| sum_j |Z_j| is above 4,500. Less than 1e-10 is seldom reached: that is the
        rounding of the sums.
    max_iter : int, optional
        Maximum number of Newton steps. By default as many as lead on.
    callback : callable, optional
        Called after every Newton step as ``callback(n_iter, lower, upper)``, the bounds in
        ``unit``. A StopIteration that it raises ends the search, and the bounds so far are
        returned, as in `scipy.optimize.minimize`. It makes small pmfs slower, whose bounds are
        otherwise worked out at the end.

    Returns
    -------
    UnionInformation
        The value between certified bounds, a minimising distribution, and the potentials.

    Raises
    ------
    ValueError
        If ``pmf`` is not a pmf or has one axis only, an option is out of range, or more memory is
        needed than is free.
    UnionInformationInterrupt
        If the keyboard (Ctrl-C) stops it: a KeyboardInterrupt whose ``result`` holds the bounds so
        far.

    Warns
    -----
    UncertifiedWarning
        If the interval is wider than ``tol``; the result then says ``certified=False``.

    Notes
    -----
    Values of a source with the same p(x|z_j) are merged first, which changes nothing: of many
    categories and few samples, few values remain. Where channels turn the best source j into every
    other one, U = I(Z_j; X) in closed form. Elsewhere a primal-dual interior-point method on the
    dual problem (see ``minsyn.information.union.geometric``), which is a geometric programme. A
    step costs the cube of |X| sum_j |Z_j|; above 4,500, its system is solved by conjugate
    gradients, at the cost of some hundred passes over the cells. A million cells take about a
    minute.

    References
    ----------
    Griffith, Koch (2014), "Quantifying synergistic mutual information", arXiv:1205.4265.
    For two sources: Bertschinger, Rauh, Olbrich, Jost, Ay (2014), "Quantifying unique
    information", arXiv:1311.2852.

    Examples
    --------
    AND of two fair coins: each coin has the union information, and half a bit is synergy.

    >>> import numpy as np
    >>> p = np.zeros((2, 2, 2))
    >>> p[0, 0, 0] = p[0, 1, 0] = p[1, 0, 0] = p[1, 1, 1] = 1 / 4
    >>> result = union_information(p)
    >>> round(result.value, 6), result.certified
    (0.311278, True)
    """
    p = as_pmf(pmf)
    one = float(in_unit(1.0, unit))
    _check_options(tol, max_iter)
    if p.ndim == 2:
        return _one_source(p, unit)
    asked = CERTIFIED_GAP if tol is None else float(in_unit(tol / one, "bits"))
    relative = LARGE_GAP if tol is None else 0.0
    # The last step usually gains two digits.
    target = TARGET_GAP if tol is None else asked

    def watch(n_iter: int, lower: float, upper: float) -> None:
        if callback is not None:
            callback(n_iter, lower * one, upper * one)

    stop = Stop(target, asked, relative, max_iter, None if callback is None else watch)
    try:
        result = _as_batch(solve(p[None], stop), unit, stop)[0]
    except Interrupted as stopped:
        result = _as_batch(stopped.solved, unit, stop)[0]
        raise UnionInformationInterrupt(result) from None
    if not result.certified:
        _warn(1, 1, result.gap, unit, asked)
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
    p = as_array(pmfs, "pmfs")
    in_unit(0.0, unit)
    if p.ndim < 3:
        raise ValueError(
            "pmfs must have at least 3 axes (the pmfs, one for each source, the target); "
            f"found shape {p.shape}"
        )
    if len(p) == 0:
        raise ValueError(f"pmfs holds no pmf; found shape {p.shape}")
    p = as_numbers(p, "pmfs")
    totals = unchecked_sum(p.reshape(len(p), -1), 1)
    fits = p.ndim <= MOST_AXES and p.size > 0
    if fits and (np.abs(totals - 1) <= TOTAL_TOLERANCE).all() and (p >= 0).all():
        p = p / totals.reshape(-1, *(1,) * (p.ndim - 1))
    else:
        p = np.stack([as_pmf(one, name=f"pmfs[{i}]") for i, one in enumerate(p)])
    # Chunks keep the working arrays in cache and in memory.
    size, stop = batch_size(p.shape[1:]), Stop(relative=LARGE_GAP)
    try:
        parts = [solve(p[i : i + size], stop) for i in range(0, len(p), size)]
    except Interrupted:
        raise KeyboardInterrupt from None
    solved = _as_batch(Solved.join(parts), unit, stop)
    failed = ~solved.certified
    if failed.any():
        _warn(int(failed.sum()), len(p), float(solved.gap[failed].max()), unit)
    return solved


def rough_union_information(pmfs: Float[np.ndarray, "n *sources x"]) -> Float[np.ndarray, " n"]:
    """Union information of many pmfs in nats, to `ROUGH_GAP` bits where the fast methods do.

    For resamples, whose noise is far larger; a value is never too small by more than its gap.
    """
    if pmfs.ndim == 3:
        return np.array([information_nats(p) for p in pmfs])
    size, stop = batch_size(pmfs.shape[1:]), Stop(ROUGH_GAP, ROUGH_ENOUGH, LARGE_GAP)
    parts = (pmfs[i : i + size] for i in range(0, len(pmfs), size))
    try:
        return np.concatenate([solve(p, stop).upper for p in parts])
    except Interrupted:
        raise KeyboardInterrupt from None


def _warn(n_failed: int, n: int, gap: float, unit: str, asked: float = CERTIFIED_GAP) -> None:
    which = "union information" if n == 1 else f"union information of {n_failed} of {n} pmfs"
    warn(
        f"{which} is known only to {gap:.1e} {unit}, not to {asked:.3g} bit; "
        "see lower and upper of the result",
        UncertifiedWarning,
    )


def _check_options(tol: float | None, max_iter: int | None) -> None:
    if tol is not None and not 0 < number(tol, "tol") < np.inf:
        raise ValueError(f"tol must be positive; found {tol}")
    if max_iter is not None:
        whole_number(max_iter, "max_iter", 1)


def _one_source(p_zx: Float[np.ndarray, "z x"], unit: Unit) -> UnionInformation:
    """Union information of one source: U = I(Z; X), q = p and f = log p(x|z)/p(x)."""
    gain = pointwise_nats(p_zx, p_zx.sum(1, keepdims=True), p_zx.sum(0))
    value = float(in_unit(information_nats(p_zx), unit))
    potential = np.asarray(in_unit(np.where(p_zx > 0, gain, -np.inf), unit))
    return UnionInformation(value, value, value, p_zx, (potential,), True, 0, unit)


def _as_batch(solved: Solved, unit: Unit, stop: Stop) -> UnionInformationBatch:
    lower, upper = in_unit(solved.lower, unit), in_unit(solved.upper, unit)
    enough = np.full(len(solved.upper), stop.enough)
    if solved.large:
        enough = np.maximum(enough, in_unit(stop.relative * solved.upper, "bits"))
    return UnionInformationBatch(
        upper,
        lower,
        upper,
        solved.distribution,
        tuple(np.asarray(in_unit(f, unit)) for f in solved.potentials),
        np.asarray(in_unit(solved.upper - solved.lower, "bits") <= enough),
        solved.n_iter,
        unit,
    )
