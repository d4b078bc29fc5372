"""Vector factors: what groups of Gaussian variables tell, and the synergy between the groups."""

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import svd

__all__ = ["adjusted_information", "explained_variance", "gk_synergy"]

#: Of a target's variance at least this share counts as unexplained, so that what is explained
#: without error has 5 bits and not infinitely many: a few such targets would outweigh all others.
_LEAST_UNEXPLAINED = 1e-3
#: Directions whose singular value is below this share of the largest are rounding.
_RANK_TOLERANCE = 1e-7


def adjusted_information(
    explained: Float[np.ndarray, "*shape"],
    n_samples: float | int,
    n_sources: int | Float[np.ndarray, "..."] | Int[np.ndarray, "..."],
) -> Float[np.ndarray, "*shape"]:
    r"""Gaussian mutual information in nats, from a share of explained variance in samples.

    .. math::

        I(R^2, p) = -\tfrac12 \log \mathrm{clip}\Bigl[(1 - R^2) \frac{N - 1}{N - p - 1},
        10^{-3}, 1\Bigr]

    The factor is that of Ezekiel's adjusted :math:`R^2`: sources without any information explain
    ``p / (N - 1)`` of a target by chance.

    Parameters
    ----------
    explained : ndarray
        Shares of variance :math:`R^2`, from 0 to 1.
    n_samples : float or int
        Number of samples ``N``.
    n_sources : int or ndarray of ints
        Number of sources ``p`` that explain it; with ``N - 1`` or more there is no information.

    Returns
    -------
    ndarray
        Nats, from 0 to 3.45.

    Examples
    --------
    >>> adjusted_information(np.array([0.5, 0.02, 1.0]), 101, 2).round(4)
    array([0.3365, 0.    , 3.4539])
    """
    freedom = n_samples - 1 - np.asarray(n_sources, dtype=np.float64)
    penalty = np.where(freedom > 0, (n_samples - 1) / np.maximum(freedom, 1e-300), np.inf)
    # Where all is explained by as many sources as samples, nothing is: 0 * inf.
    left = np.maximum(1 - explained, np.finfo(np.float64).tiny) * penalty
    return 0.5 * np.abs(np.log(np.clip(left, _LEAST_UNEXPLAINED, 1.0)))


def explained_variance(
    Z: Float[np.ndarray, "samples m"], X: Float[np.ndarray, "samples n"]
) -> tuple[Float[np.ndarray, " n"], int]:
    """Share of each target's variance that a linear map of the sources explains.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, m)
        Sources.
    X : ndarray of shape (n_samples, n_targets)
        Targets.

    Returns
    -------
    explained : ndarray of shape (n_targets,)
        From 0 to 1; 0 for targets that do not vary.
    rank : int
        Number of linearly independent sources.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(100, 2))
    >>> explained, rank = explained_variance(z[:, [0, 1, 1]], z.sum(axis=1, keepdims=True))
    >>> explained.round(6), rank
    (array([1.]), 2)
    """
    u, s, _ = svd(Z - Z.mean(axis=0), full_matrices=False)
    u = u[:, s > _RANK_TOLERANCE * s.max(initial=0.0)]
    dX = X - X.mean(axis=0)
    total = np.einsum("si,si->i", dX, dX)
    varies = total > 0
    projected = np.square(u.T @ dX).sum(axis=0) / np.where(varies, total, 1.0)
    return np.where(varies, np.minimum(projected, 1.0), 0.0), u.shape[1]


def gk_synergy(
    Z: Float[np.ndarray, "samples m"],
    X: Float[np.ndarray, "samples n"],
    groups: Int[np.ndarray, " m"],
) -> Float[np.ndarray, " n"]:
    r"""Griffith-Koch synergy of vector factors, from samples of Gaussian variables.

    The union information of vector factors about one Gaussian target is that of the best: of each
    factor only its linear combination that predicts the target matters, and for those this is
    Eq. 14. So

    .. math:: S(Z \to X_i) = I(Z; X_i) - \max_k I(Z_k; X_i)

    where :math:`Z_k` are the sources of group :math:`k`. It is zero where every target has one
    parent among the groups, whatever the sources within a group do together.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, m)
        Sources.
    X : ndarray of shape (n_samples, n_targets)
        Targets.
    groups : integer array of shape (m,)
        The factor that each source belongs to.

    Returns
    -------
    ndarray of shape (n_targets,)
        Bits, not negative, corrected for the number of samples.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Eq. 3 and 14.

    Examples
    --------
    The first target needs both sources of one factor, the second one of each:

    >>> z = np.random.default_rng(0).normal(size=(1000, 3))
    >>> x = np.stack([z[:, 0] + z[:, 1], z[:, 1] + z[:, 2]], axis=1)
    >>> gk_synergy(z, x, np.array([0, 0, 1])).round(1)
    array([0. , 4.5])
    >>> gk_synergy(z, x, np.array([0, 1, 2])).round(1)  # of scalar sources
    array([4.5, 4.5])
    """
    n_samples = len(Z)
    explained, rank = explained_variance(Z, X)
    together = adjusted_information(explained, n_samples, rank)
    best = np.zeros_like(together)
    for group in np.unique(groups):
        explained, rank = explained_variance(Z[:, groups == group], X)
        best = np.maximum(best, adjusted_information(explained, n_samples, rank))
    return np.maximum(together - best, 0.0) / np.log(2)
