"""Gaussian information from explained variance, adjusted for the number of samples."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from minsyn.information._arrays import as_numbers
from minsyn.information._options import number

__all__ = ["adjusted_information"]

#: Least share of a target's variance that counts as unexplained. Without it, a few targets that are
#: explained without error would have infinite information and outweigh all others.
_LEAST_UNEXPLAINED = 1e-3


def adjusted_information(
    explained: int | float | ArrayLike,
    n_samples: float | int,
    n_sources: int | float | ArrayLike,
) -> Float[np.ndarray, "..."]:
    r"""Gaussian mutual information in nats, from a share of explained variance in samples.

    .. math::

        I(R^2, p) = -\tfrac12 \log \mathrm{clip}\Bigl[(1 - R^2) \frac{N - 1}{N - p - 1},
        10^{-3}, 1\Bigr]

    The factor is that of Ezekiel's adjusted :math:`R^2`: sources without any information explain
    ``p / (N - 1)`` of a target by chance.

    Parameters
    ----------
    explained : array_like
        Shares of variance :math:`R^2`, from 0 to 1.
    n_samples : float or int
        Number of samples ``N``, above 1.
    n_sources : array_like of numbers
        Number of sources ``p`` that explain it; with ``N - 1`` or more there is no information.

    Returns
    -------
    ndarray
        Nats, from 0 to 3.45: at least a thousandth of the variance counts as
        unexplained, so that targets that are explained without error do not outweigh all others.
        Where the exact value is asked for, see `minsyn.information.gaussian`.

    Raises
    ------
    ValueError
        If ``explained`` is not between 0 and 1, ``n_samples`` not above 1, ``n_sources`` negative,
        or their shapes do not fit each other.

    Examples
    --------
    >>> adjusted_information(np.array([0.5, 0.02, 1.0]), 101, 2).round(4)
    array([0.3365, 0.    , 3.4539])
    """
    explained = as_numbers(explained, "explained")
    n_sources = as_numbers(n_sources, "n_sources")
    _check(explained, n_samples, n_sources)
    freedom = n_samples - 1 - n_sources
    penalty = np.where(freedom > 0, (n_samples - 1) / np.where(freedom > 0, freedom, 1.0), np.inf)
    # Where all is explained by as many sources as samples, nothing is: 0 * inf.
    left = np.maximum(1 - explained, np.finfo(np.float64).tiny) * penalty
    nats: np.ndarray = 0.5 * np.abs(np.log(np.clip(left, _LEAST_UNEXPLAINED, 1.0)))
    return nats


def _check(
    explained: Float[np.ndarray, "..."],
    n_samples: float | int,
    n_sources: Float[np.ndarray, "..."],
) -> None:
    rounding = 1e-9
    if not ((explained >= -rounding) & (explained <= 1 + rounding)).all():
        raise ValueError("explained must hold shares of variance, from 0 to 1")
    if not 1 < number(n_samples, "n_samples") < np.inf:
        raise ValueError(f"n_samples must be above 1; found {n_samples}")
    if not (n_sources >= 0).all():
        raise ValueError("n_sources must hold numbers of sources, at least 0")
    try:
        np.broadcast_shapes(explained.shape, n_sources.shape)
    except ValueError:
        raise ValueError(
            "explained and n_sources must have shapes that fit each other; "
            f"found {explained.shape} and {n_sources.shape}"
        ) from None
