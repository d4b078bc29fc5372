"""Rows that resemble their neighbours, as steps of a time series do."""

import numpy as np
from jaxtyping import Float

__all__ = ["correlation_of_neighbours"]

#: Fewest rows whose order says anything.
_FEWEST = 50


def correlation_of_neighbours(values: Float[np.ndarray, "rows features"]) -> float:
    """Median correlation of the columns with themselves, one row later.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The first rows, in the order of the table. NaN are missing values.

    Returns
    -------
    float
        0 for fewer than 50 rows, and if no column varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> steps = rng.normal(size=(200, 5))
    >>> correlation_of_neighbours(steps) < 0.2 < 0.9 < correlation_of_neighbours(steps.cumsum(0))
    True
    """
    if len(values) < _FEWEST:
        return 0.0
    missing = np.isnan(values)
    n = np.maximum((~missing).sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):  # huge numbers have no correlation here
        z = values - np.where(missing, 0.0, values).sum(axis=0) / n
        z[missing] = 0.0
        z /= np.abs(z).max(axis=0, initial=0.0)
        variance = (z**2).sum(axis=0)
        correlation = (z[1:] * z[:-1]).sum(axis=0) / variance
    varying = correlation[np.isfinite(correlation)]
    return float(np.median(varying)) if len(varying) else 0.0
