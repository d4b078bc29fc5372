"""Union information and synergy of Griffith and Koch, with a certificate of accuracy.

``U(Z_1:m; X) = min_q I_q(Z_1:m; X)`` over all q with the pairwise marginals of p (Eq. 2 of
Ver Steeg et al. 2017). For any functions f_j,

    sum_j E_p f_j(Z_j, X) - log max_z sum_x p(x) exp sum_j f_j(z_j, x)  <=  U  <=  I_q(Z; X),

with equality on the left for the best f and on the right for the best q. Every answer here carries
both bounds, so its error is known even if the solver stopped early.
"""

import os
from dataclasses import dataclass
from operator import index
from typing import SupportsIndex

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from minsyn._warnings import warn
from minsyn.information._pmf import (
    TOTAL_TOLERANCE,
    Unit,
    as_pmf,
    in_unit,
    information_nats,
    pointwise_nats,
)
from minsyn.information.union.solve import CERTIFIED_GAP, Solved, solve

__all__ = [
    "UncertifiedWarning",
    "UnionInformation",
    "UnionInformationBatch",
    "gk_synergy",
    "union_information",
    "union_information_batch",
]


#: Gaps in bits at which resamples stop, and that will do where the fast methods stop before.
ROUGH_GAP, ROUGH_ENOUGH = 1e-7, 1e-4


class UncertifiedWarning(UserWarning):
    """A result whose interval is wider than 1e-9 bit."""


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
        return self.upper - self.lower

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
    Where channels turn the best source j into every other one, U = I(Z_j; X) in closed form.
    Elsewhere a primal-dual interior-point method (see ``minsyn.information.union.interior_point``),
    dense: made for pmfs of up to about 10^4 cells. Its time grows with the cube of the smaller of
    prod_j |Z_j| and |X| sum_j |Z_j|.

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
    in_unit(0.0, unit)
    if p.ndim == 2:
        return _one_source(p, unit)
    _check_memory(p.shape)
    result = _as_batch(solve(p[None]), unit)[0]
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
    if p.dtype.kind == "f" and (np.abs(totals - 1) <= TOTAL_TOLERANCE).all() and (p >= 0).all():
        p = p.astype(np.float64, copy=False) / totals.reshape(-1, *(1,) * (p.ndim - 1))
    else:
        p = np.stack([as_pmf(one, name=f"pmfs[{i}]") for i, one in enumerate(p)])
    # Chunks keep the working arrays in cache and in memory.
    size = max(1, int(2e6 // _work_per_pmf(p.shape[1:])))
    _check_memory(p.shape[1:])
    parts = [solve(p[i : i + size]) for i in range(0, len(p), size)]
    solved = _as_batch(Solved.join(parts), unit)
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
    size = max(1, int(2e6 // _work_per_pmf(pmfs.shape[1:])))
    parts = (pmfs[i : i + size] for i in range(0, len(pmfs), size))
    return np.concatenate([solve(p, ROUGH_GAP, ROUGH_ENOUGH).upper for p in parts])


def _warn(n_failed: int, n: int, gap: float, unit: str) -> None:
    which = "union information" if n == 1 else f"union information of {n_failed} of {n} pmfs"
    warn(
        f"{which} is known only to {gap:.1e} {unit}, not to {CERTIFIED_GAP:g} bit; "
        "see lower and upper of the result",
        UncertifiedWarning,
    )


def _work_per_pmf(shape: tuple[int, ...]) -> float:
    """Numbers that one pmf's iteration holds at a time, roughly."""
    n_states, n_x, k = float(np.prod(shape[:-1], dtype=float)), shape[-1], sum(shape[:-1])
    system = min(n_states, float(n_x * k))
    return 3 * n_states * n_x * k + 3 * system**2 + 3 * n_x * k**2 + n_states * k


def _check_memory(shape: tuple[int, ...]) -> None:
    needed = 8 * _work_per_pmf(shape)
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
    """Union information of one source: U = I(Z; X), q = p and f = log p(x|z)/p(x)."""
    gain = pointwise_nats(p_zx, p_zx.sum(1, keepdims=True), p_zx.sum(0))
    value = float(in_unit(information_nats(p_zx), unit))
    potential = np.asarray(in_unit(np.where(p_zx > 0, gain, -np.inf), unit))
    return UnionInformation(value, value, value, p_zx, (potential,), True, 0, unit)


def _as_batch(solved: Solved, unit: Unit) -> UnionInformationBatch:
    lower, upper = in_unit(solved.lower, unit), in_unit(solved.upper, unit)
    return UnionInformationBatch(
        upper,
        lower,
        upper,
        solved.distribution,
        tuple(np.asarray(in_unit(f, unit)) for f in solved.potentials),
        np.asarray(in_unit(solved.upper - solved.lower, "bits") <= CERTIFIED_GAP),
        solved.n_iter,
        unit,
    )
