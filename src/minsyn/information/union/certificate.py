"""Certificate of an iterate: a feasible distribution above, a dual bound below (nats)."""

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from minsyn.information.union.marginals import MarginalMap

#: The projection onto the marginals solves one k x k system for each x; beyond this many numbers
#: in all, proportional fitting takes its place.
MAX_PROJECTION = 30_000_000
#: Proportional-fitting sweeps where the projection is too large.
SWEEPS = 20
#: Potential of a negligible cell before the repair, which finds how high it may rise: below the log
#: of any probability that matters.
NEGLIGIBLE_POTENTIAL = -60.0
#: Rounding of a bound: a few units in the last place of every term that is added up.
ROUNDING = 4 * np.finfo(float).eps
#: Errors of marginals that the last shrinking repairs at no cost.
ROUNDING_ONLY = 2e-16


def round_to_feasible(
    marginals: MarginalMap, b: Float[np.ndarray, "n x k"], q: Float[np.ndarray, "n x z"]
) -> Float[np.ndarray, "n x z"]:
    """The distribution near q whose pairwise marginals are b, to rounding.

    First relative changes (a q-weighted projection), which leave small cells small; then the
    rounding of Altschuler, Weed and Rigollet: shrink until no marginal is exceeded, and add the
    missing mass as a product.
    """
    n, n_x, k = b.shape
    small = n * n_x * k * k <= MAX_PROJECTION
    for _ in range(3 if small else 0):
        missing = b - marginals.sums(q)
        if np.abs(missing).max() < ROUNDING_ONLY:
            break
        laplacian = marginals.moments(q)
        diagonal = np.einsum("nxkk->nxk", laplacian)
        scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
        laplacian *= scale[..., None]
        laplacian *= scale[..., None, :]
        # The ridge chooses among the gauges of the multipliers, which all give the same q.
        diagonal[...] = np.where(diagonal > 0, 1 + 1e-14, 1.0)
        change = scale * np.linalg.solve(laplacian, (missing * scale)[..., None])[..., 0]
        q = q * np.clip(1 + marginals.spread(change), 0.1, 10)
    for sweep in range(2 if small else SWEEPS):
        last = sweep == (1 if small else SWEEPS - 1)
        for j, block in enumerate(marginals.blocks):
            found = marginals.sum_of(q, j)
            ratio = np.where(found > 0, b[..., block] / np.where(found > 0, found, 1.0), 0.0)
            q = q * marginals.spread_of(np.minimum(ratio, 1.0) if last else ratio, j)
    missing = np.maximum(b - marginals.sums(q), 0.0)
    totals = np.stack([missing[..., block].sum(-1) for block in marginals.blocks])
    share = missing.copy()
    for block, total in zip(marginals.blocks, totals, strict=True):
        share[..., block] /= np.where(total > 0, total, 1.0)[..., None]
    potentials: np.ndarray = q + totals.max(0)[..., None] * marginals.product(share)
    return potentials


def upper_bound(q: Float[np.ndarray, "n x z"]) -> Float[np.ndarray, " n"]:
    """I_q(Z; X) = sum q log q(x|z)/q(x)."""
    r, p_x = q.sum(1, keepdims=True), q.sum(2, keepdims=True)
    value = (xlogy(q, q) - xlogy(q, r) - xlogy(q, p_x)).sum((1, 2))
    bound: np.ndarray = np.maximum(value, 0.0)
    return bound


def _excess(
    marginals: MarginalMap, f: Float[np.ndarray, "n x k"], log_p_x: Float[np.ndarray, "n x 1"]
) -> Float[np.ndarray, "n z"]:
    """Log sum_x p(x) exp sum_j f_j(z_j, x) for every z; -inf in f counts as such."""
    finite = np.where(np.isneginf(f), -1e6, f)
    terms = log_p_x + marginals.spread(finite)
    most = terms.max(1)
    return np.asarray(most + np.log(np.exp(terms - most[:, None]).sum(1)))


def repair(
    marginals: MarginalMap, f: Float[np.ndarray, "n x k"], log_p_x: Float[np.ndarray, "n x 1"]
) -> Float[np.ndarray, "n x k"]:
    """Raise or lower each f_j(z_j, .) until its tightest constraint is met with equality.

    From potentials that satisfy all constraints this is coordinate ascent on the bound; from
    others, it charges a violation to the value z_j that causes it, not to all.
    """
    f = f.copy()
    for j, block in enumerate(marginals.blocks):
        worst = marginals.largest(_excess(marginals, f, log_p_x), j)
        f[..., block] -= np.where(np.abs(worst) < 1e5, worst, 0.0)[:, None, :]
    return f


def lower_bound(
    marginals: MarginalMap,
    b: Float[np.ndarray, "n x k"],
    f: Float[np.ndarray, "n x k"],
    log_p_x: Float[np.ndarray, "n x 1"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n x k"]]:
    """sum_j E_p f_j - log max_z sum_x p(x) exp sum_j f_j(z_j, x), less its rounding.

    True for any f. Returned with the f that is shifted so that the maximum is 1.
    """
    worst = _excess(marginals, f, log_p_x).max(1)
    f = f.copy()
    f[..., marginals.blocks[0]] -= worst[:, None, None]
    term = b * np.where(b > 0, f, 0.0)
    # Shifting by ``worst`` leaves its rounding behind: it is part of the slack.
    slack = ROUNDING * (np.abs(term).sum((1, 2)) + np.abs(np.where(b > 0, f, 0.0)).max((1, 2)) + 1)
    return np.asarray(term.sum((1, 2)) - slack), f
