"""Numbers that are too large to be computed with."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Shaped

__all__ = ["LARGEST", "check_magnitude"]

#: Largest number of data. Products of four of them, as of two covariances, are finite in float64.
LARGEST = 1e75
#: Largest number of data in float32: the difference of two of them is finite.
_LARGEST_SINGLE = 1e38


def check_magnitude(
    X: Shaped[np.ndarray, "samples features"], name: Callable[[int], Any] = lambda j: f"X[:, {j}]"
) -> None:
    """Raise a ValueError, with the cure, for numbers whose squares float64 cannot hold.

    In float32, it is raised for numbers whose differences float32 cannot hold.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Real numbers; NaN are let through.
    name : callable
        Name of a feature in the message, from its index.

    Examples
    --------
    >>> check_magnitude(np.array([[1.0, -1e200]]))
    Traceback (most recent call last):
        ...
    ValueError: X[:, 1] reaches -1e+200, and numbers beyond 1e+75 cannot be squared in float64: ...
    """
    if X.dtype.kind != "f" or X.dtype.itemsize < 4 or X.size == 0:
        return
    single = X.dtype.itemsize == 4
    largest = _LARGEST_SINGLE if single else LARGEST
    # Unlike maxima, these pass over NaN, without a copy.
    if max(np.fmax.reduce(X, axis=None), -np.fmin.reduce(X, axis=None)) <= largest:
        return
    beyond = np.argwhere(np.abs(X) > largest)
    if len(beyond) == 0:
        return
    row, j = beyond[0]
    found = f"{name(int(j))} reaches {X[row, j]:.3g}, and numbers beyond {largest:g} cannot be "
    if single:
        raise ValueError(
            f"{found}subtracted in float32: convert the data to float64, and mark as NaN what "
            "stands for missing values"
        )
    raise ValueError(
        f"{found}squared in float64: divide the data by a constant, such as their largest value"
    )
