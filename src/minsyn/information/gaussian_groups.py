"""Gaussian information from explained variance, adjusted for the number of samples."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["adjusted_information"]

#: Least share of a target's variance that counts as unexplained. Without it, a few targets that are
#: explained without error would have infinite information and outweigh all others.
_LEAST_UNEXPLAINED = 1e-3


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
