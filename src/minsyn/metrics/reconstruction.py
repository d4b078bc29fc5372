"""Reconstruction losses."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy

from minsyn.information._arrays import as_numbers
from minsyn.information._magnitude import check_magnitude

__all__ = ["cross_entropy", "squared_error"]


def squared_error(X: ArrayLike, X_hat: ArrayLike) -> float:
    r"""Squared error, summed over the features and averaged over the samples.

    :math:`\frac1n \sum_{s} \sum_i (x_{si} - \hat x_{si})^2`, the loss of the paper's table.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data.
    X_hat : array-like of shape (n_samples, n_features)
        Reconstructions.

    Returns
    -------
    float
        Nonnegative, in squared units of ``X``.

    Raises
    ------
    ValueError
        The shapes differ, there are no samples, or a value is NaN, infinite or too large to be
        squared.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Sec. IV-B.2.

    Examples
    --------
    >>> from minsyn.metrics import squared_error
    >>> squared_error([[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 3.0]])
    2.5
    """
    X, X_hat = _pair(X, X_hat, "X_hat")
    with np.errstate(over="ignore"):
        error = float(np.mean(np.sum((X - X_hat) ** 2, axis=1)))
    if error == np.inf:
        check_magnitude(X)
        check_magnitude(X_hat, lambda j: f"X_hat[:, {j}]")
    return error


def cross_entropy(X: ArrayLike, P: ArrayLike) -> float:
    r"""Cross-entropy of binary features, summed over the features, averaged over the samples.

    :math:`-\frac1n \sum_{s} \sum_i x_{si} \log p_{si} + (1 - x_{si}) \log(1 - p_{si})`

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data in [0, 1]; values other than 0 and 1 are probabilities.
    P : array-like of shape (n_samples, n_features)
        Reconstructed probabilities that a feature is 1.

    Returns
    -------
    float
        Nonnegative, in nats; infinite if a probability of 0 or 1 excludes an observed value.

    Raises
    ------
    ValueError
        The shapes differ, there are no samples, a value is NaN, or lies outside [0, 1].

    Examples
    --------
    >>> from minsyn.metrics import cross_entropy
    >>> round(cross_entropy([[1.0, 0.0]], [[0.5, 0.0]]), 4)  # log 2
    0.6931
    """
    X, P = _pair(X, P, "P")
    for name, values in (("X", X), ("P", P)):
        if values.min(initial=0.0) < 0 or values.max(initial=1.0) > 1:
            raise ValueError(
                f"{name}: expected values in [0, 1], found {values.min():.6g} to "
                f"{values.max():.6g}; scale the data, or use squared_error"
            )
    return float(np.mean(np.sum(-xlogy(X, P) - xlog1py(1 - X, -P), axis=1)))


def _pair(
    X: ArrayLike, X_hat: ArrayLike, name: str
) -> tuple[Float[np.ndarray, "samples features"], Float[np.ndarray, "samples features"]]:
    X, X_hat = as_numbers(X, "X"), as_numbers(X_hat, name)
    if X.ndim != 2 or X.shape[0] == 0:
        raise ValueError(
            f"X: expected shape (n_samples, n_features) with at least one sample, found {X.shape}"
        )
    if X.shape != X_hat.shape:
        raise ValueError(f"{name}: expected the shape of X, {X.shape}, found {X_hat.shape}")
    for argument, values in (("X", X), (name, X_hat)):
        if not np.isfinite(values).all():
            raise ValueError(
                f"{argument}: {np.sum(~np.isfinite(values))} of {values.size} values are NaN or "
                "infinite"
            )
    return X, X_hat
