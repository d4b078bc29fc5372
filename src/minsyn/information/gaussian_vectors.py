r"""Vector sources and a vector target that are jointly Gaussian: measures and decomposition.

Every function is called ``f(covariance, sources, target)``: the covariance of all variables, the
numbers of those that make up each source, and those of the target. Only what the variables tell
counts, not their units or coordinates: any invertible linear map within a source or the target
changes nothing. Of one target variable, `minsyn.information.gaussian` is faster and takes many
targets at once.

The union information is the least information under the given source-target pairs, over **all**
joint distributions. That Gaussian ones are enough was proposed by Venkatesh et al. (2023) without
proof, and shown by Zhao et al. (2025). The argument holds for any number of sources. Let q have
the pairs of the Gaussian p, and g be the Gaussian of q's covariance: g has the same pairs, as these
are fixed by covariances. With A the coefficients of the regression of X on Z,

.. math::

    h_q(X \mid Z) \le h_q(X - A Z) \le \tfrac12 \log\det(2 \pi e\, \mathrm{Cov}(X - A Z))
    = h_g(X \mid Z),

so that g tells no more than q. For one target variable the union information is that of the best
source (Barrett 2015); for more it is not.

Values are of the distribution with this covariance. From samples they are plug-in estimates, which
are too high: a sample covariance of n samples lets p source and d target dimensions that are
independent share about p d / (2 n) nats.

References
----------
Barrett (2015), "Exploration of synergistic and redundant information sharing in static and
dynamical Gaussian systems", arXiv:1411.2832.

Venkatesh, Bennett, Gale, Ramirez, Heller, Durand, Olsen, Mihalas (2023), "Gaussian partial
information decomposition: bias correction and application to high-dimensional data",
arXiv:2307.10515.

Zhao, Balachandran, Tian, Liang (2025), "Partial information decomposition via normalizing
flows in latent Gaussian distributions", arXiv:2510.04417.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn._warnings import warn
from minsyn.information._gaussian_vectors import Amount, GaussianVectors, Indices
from minsyn.information._least_information import triangle
from minsyn.information._pmf import Unit, in_unit
from minsyn.information.decomposition import Decomposition
from minsyn.information.union.measure import UncertifiedWarning

__all__ = [
    "GaussianUnionInformation",
    "ci_synergy",
    "gk_synergy",
    "mutual_information",
    "pid",
    "source_informations",
    "union_information",
]

#: Widest interval, in bits, of a result that counts as certified.
CERTIFIED_GAP = 1e-8


@dataclass(frozen=True, repr=False)
class GaussianUnionInformation:
    """Union information of Gaussian vectors, with its certificate.

    Attributes
    ----------
    value : float
        ``upper``: the information of a Gaussian with ``covariance``, in ``unit``. Infinite where
        a source determines a part of the target.
    lower, upper : float
        An interval that holds the exact value, over all joint distributions with these
        source-target pairs.
    gap : float
        ``upper - lower``; where both are infinite, that of the finite rest.
    covariance : ndarray, shape (p, p)
        Covariance of a minimiser, of the variables of ``sources[0]``, ``sources[1]``, ..., and the
        target in this order. What sources share is new; all else is as it was.
    certified : bool
        Whether ``gap`` is at most 1e-8 bit.
    n_iter : int
        Newton steps; 0 where a closed form is exact.
    unit : str
        "bits" or "nats".
    """

    value: float
    lower: float
    upper: float
    gap: float
    covariance: Float[np.ndarray, "p p"]
    certified: bool
    n_iter: int
    unit: str

    def __repr__(self) -> str:
        mark = "certified" if self.certified else "NOT CERTIFIED"
        return (
            f"GaussianUnionInformation({self.value:.9g} {self.unit}, {mark} to {self.gap:.1e}, "
            f"{self.n_iter} iterations)"
        )


def mutual_information(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> float:
    r"""Mutual information of all sources together and the target.

    .. math:: I(Z; X) = \tfrac12 \log\frac{\det\Sigma_Z \det\Sigma_X}{\det\Sigma_{ZX}}

    Parameters
    ----------
    covariance : array_like, shape (n, n)
        Covariance of all variables. It may be singular.
    sources : sequence of sequences of int
        Variables of each source, counted from 0; one number stands for a source of one variable.
    target : sequence of int
        Variables of the target.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    float
        Infinite where the sources determine a part of the target to rounding.

    Raises
    ------
    ValueError
        If ``covariance`` is no covariance matrix, or the variables are not in it or in several
        groups.

    Examples
    --------
    >>> sigma = [[1, -0.1, 0.5], [-0.1, 1, 0.75], [0.5, 0.75, 1]]
    >>> round(mutual_information(sigma, [[0], [1]], [2]), 6)
    1.635902
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    return float(in_unit(vectors.together.nats, unit))


def source_informations(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> Float[np.ndarray, " m"]:
    """Mutual information of each source alone and the target.

    Parameters
    ----------
    covariance, sources, target, unit
        As in `mutual_information`.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    ValueError
        As `mutual_information`.

    Examples
    --------
    >>> sigma = [[1, -0.1, 0.5], [-0.1, 1, 0.75], [0.5, 0.75, 1]]
    >>> source_informations(sigma, [[0], [1]], [2]).round(6)
    array([0.207519, 0.596323])
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    return np.array([in_unit(amount.nats, unit) for amount in vectors.alone])


def union_information(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> GaussianUnionInformation:
    r"""Union information (Griffith and Koch) of any number of vector sources.

    The least information over all distributions with the same source-target pairs. Given X, the
    sources' noises :math:`E_j` may share anything: with gains :math:`H`, noises of covariance I
    and X standard,

    .. math:: U(Z; X) = \min_N \tfrac12 \log\det(I + H^\top N^{-1} H), \quad N \succeq 0,
              \; N_{jj} = I,

    which is convex in the covariance N of all noises.

    Parameters
    ----------
    covariance, sources, target, unit
        As in `mutual_information`.

    Returns
    -------
    GaussianUnionInformation
        The value between certified bounds, and the covariance of a minimiser.

    Raises
    ------
    ValueError
        As `mutual_information`; or if there are too many dimensions: more than about 50 each
        of two sources and a target, 33 of three sources.

    Warns
    -----
    UncertifiedWarning
        If the interval is wider than 1e-8 bit.

    Notes
    -----
    Where every other source is the best one with noise added (degraded), U is the information of
    the best source, in closed form. Elsewhere a primal-dual interior-point method; the bounds and
    their derivation are in ``minsyn.information._least_information``. Half a second for two sources
    and a target of 20 dimensions each, 20 seconds for 40 dimensions.

    References
    ----------
    Those of this module, for what is minimised. The minimum is also that over the correlation of
    noises in Sato's bound of the broadcast channel, for a given input: Yu, Cioffi (2004), "Sum
    capacity of Gaussian vector broadcast channels".

    Examples
    --------
    Two sources see different directions of the target, 60 degrees apart. The best one tells half
    a bit; together, without synergy, they tell more.

    >>> import numpy as np
    >>> seen = np.array([[1, 0], [0.5, np.sqrt(0.75)]])
    >>> sigma = np.block([[seen @ seen.T + np.eye(2), seen], [seen.T, np.eye(2)]])
    >>> result = union_information(sigma, [[0], [1]], [2, 3])
    >>> round(result.value, 6), result.certified
    (0.935107, True)
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    in_unit(0.0, unit)
    _warn_of(vectors)
    found = vectors.union
    lower = Amount(len(vectors.determined), found.lower).nats
    gap = found.upper - found.lower
    return GaussianUnionInformation(
        value=float(in_unit(vectors.union_amount.nats, unit)),
        lower=float(in_unit(lower, unit)),
        upper=float(in_unit(vectors.union_amount.nats, unit)),
        gap=float(in_unit(gap, unit)),
        covariance=vectors.least_covariance(),
        certified=bool(in_unit(gap, "bits") <= CERTIFIED_GAP),
        n_iter=found.n_iter,
        unit=unit,
    )


def gk_synergy(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> float:
    """GK synergy S = I(Z; X) - U(Z; X), the mutual minus the union information.

    Parameters
    ----------
    covariance, sources, target, unit
        As in `mutual_information`.

    Returns
    -------
    float
        At least 0. Finite where one source alone determines what all of them determine; infinite
        where only a combination of sources determines a part of the target.

    Raises
    ------
    ValueError
        As `union_information`.

    Warns
    -----
    UncertifiedWarning
        As `union_information`.

    Examples
    --------
    >>> sigma = [[1, -0.1, 0.5], [-0.1, 1, 0.75], [0.5, 0.75, 1]]
    >>> round(gk_synergy(sigma, [[0], [1]], [2]), 6)
    1.03958
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    in_unit(0.0, unit)
    _warn_of(vectors)
    return float(in_unit(vectors.together.less(vectors.union_amount), unit))


def ci_synergy(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> float:
    r"""CI synergy, what a decoder loses that takes the sources for independent given the target.

    .. math:: C(Z; X) = \Bigl\langle \log\frac{p(x \mid z)}{p_{CI}(x \mid z)} \Bigr\rangle,
              \quad p_{CI}(x \mid z) \propto p(x) \prod_j p(z_j \mid x).

    Parameters
    ----------
    covariance, sources, target, unit
        As in `mutual_information`.

    Returns
    -------
    float
        At least 0. Infinite where only a combination of sources determines a part of the target.

    Raises
    ------
    ValueError
        As `mutual_information`; or if several sources determine different parts of the target,
        where it has no limit.

    Examples
    --------
    >>> sigma = [[1, -0.1, 0.5], [-0.1, 1, 0.75], [0.5, 0.75, 1]]
    >>> round(ci_synergy(sigma, [[0], [1]], [2]), 6)
    0.64235
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    in_unit(0.0, unit)
    exact = [r for r in vectors.exact if r]
    r = len(vectors.determined)
    if sum(exact) > r and any(e < r for e in exact):
        raise ValueError(
            "several sources determine parts of the target that overlap but are not the same; CI "
            "synergy has no limit there. A covariance of fewer samples than variables is of this "
            "kind; otherwise add noise to the sources"
        )
    if vectors.together.exact > r:
        return np.inf
    # As of one target: c copies are taken for independent witnesses.
    copies = len(exact) if sum(exact) > r else 1
    nats = r * 0.5 * (copies - 1 - np.log(copies)) + _ci_of_rest(vectors)
    return float(in_unit(max(nats, 0.0), unit))


def _ci_of_rest(vectors: GaussianVectors) -> float:
    """CI synergy in nats about what no source determines."""
    channels = vectors.channels
    gain = np.vstack([c.gain for c in channels])
    n, d = gain.shape
    reading = np.zeros((n, sum(vectors.sizes[:-1])))
    start = 0
    for block, c in zip(vectors.blocks[:-1], channels, strict=True):
        reading[start : start + len(c.gain), block] = c.reading
        start += len(c.gain)
    residual = vectors.correlation[: reading.shape[1], : reading.shape[1]].copy()
    cross = vectors.correlation[: reading.shape[1], reading.shape[1] :] @ vectors.whitening[-1].T
    residual -= cross @ cross.T
    noise = reading @ residual @ reading.T
    # The decoder's posterior precision is R'R, its estimate of X is A z.
    R = triangle(np.vstack([gain, np.eye(d)]))
    weighted = np.linalg.solve(R.T, gain.T)  # R A
    error = np.linalg.inv(R.T)  # R (I - A H)
    spread = float((error**2).sum()) + float(np.trace(weighted @ noise @ weighted.T))
    log_det = 2 * float(np.log(np.abs(np.diag(R))).sum())
    nats: float = vectors.together.rest + 0.5 * (spread - d - log_det)
    return nats


def pid(
    covariance: ArrayLike, sources: Sequence[Indices], target: Indices, *, unit: Unit = "bits"
) -> Decomposition:
    """Partial information decomposition of two Gaussian vector sources.

    Parameters
    ----------
    covariance, sources, target, unit
        As in `mutual_information`; two sources.

    Returns
    -------
    Decomposition
        Rows "broja" (S = I - U, the union information of `union_information`) and "mmi"
        (R = min_j I(Z_j; X); Barrett 2015), which agree for a target of one variable.

    Raises
    ------
    ValueError
        As `union_information`; if there are not two sources; or if both determine a part of the
        target, and not the same: the redundancy is then a difference of infinite numbers.

    Warns
    -----
    UncertifiedWarning
        As `union_information`.

    Examples
    --------
    The first source sees both dimensions of the target, the second one of them.

    >>> import numpy as np
    >>> seen = np.array([[1, 0], [0, 1], [0, 1]])
    >>> sigma = np.block([[seen @ seen.T + np.eye(3), seen], [seen.T, np.eye(2)]])
    >>> pid(sigma, [[0, 1], [2]], [3, 4])
    (bits)                 R       U_1       U_2         S
    BROJA           0.500000  0.500000  0.000000  0.292481
    MMI             0.500000  0.500000  0.000000  0.292481
    """
    vectors = GaussianVectors.of(covariance, sources, target)
    in_unit(0.0, unit)
    if len(vectors.sizes) != 3:
        raise ValueError(
            f"sources must be two for a decomposition; found {len(vectors.sizes) - 1}; "
            "union_information and gk_synergy take any number"
        )
    first, second = vectors.alone
    r = len(vectors.determined)
    if first.exact and second.exact and not first.exact == second.exact == r:
        raise ValueError(
            "both sources determine a part of the target, and not the same: the redundancy is a "
            "difference of infinite numbers. A covariance of fewer samples than variables is of "
            "this kind; otherwise add noise to the sources"
        )
    _warn_of(vectors)
    best = max(first, second, key=lambda a: (a.exact, a.rest))
    rows = [_atoms(first, second, vectors.together, u) for u in (vectors.union_amount, best)]
    return Decomposition.of_two(("broja", "mmi"), in_unit(np.array(rows), unit), unit)


def _atoms(
    first: Amount, second: Amount, together: Amount, union: Amount
) -> tuple[float, float, float, float]:
    unique_1, unique_2 = union.less(second), union.less(first)
    # Of the source that tells less, what is not unique to it.
    lesser, unique = (second, unique_2) if second.exact <= first.exact else (first, unique_1)
    redundancy = np.inf if lesser.exact else lesser.rest - unique
    return redundancy, unique_1, unique_2, together.less(union)


def _warn_of(vectors: GaussianVectors) -> None:
    gap = in_unit(vectors.union.upper - vectors.union.lower, "bits")
    if gap > CERTIFIED_GAP:
        warn(
            f"union information is known only to {gap:.1e} bit, not to {CERTIFIED_GAP:g} bit",
            UncertifiedWarning,
        )
