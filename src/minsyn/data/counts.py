"""Tables of counts, of which a few are far larger than the others."""

import numpy as np
from jaxtyping import Float

__all__ = ["are_skewed_counts"]

#: Counts up to here are answers, grades or categories.
_LARGE = 20
#: Skewness beyond which the largest values dominate correlations; that of an exponential is 2.
_SKEWED = 1.0


def are_skewed_counts(values: Float[np.ndarray, "rows features"]) -> bool:
    """Whether all values are whole numbers from 0, and most columns are skewed to the right.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        The first rows. NaN are missing values.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts = rng.poisson(rng.lognormal(3, 1, size=(100, 4))).astype(float)
    >>> are_skewed_counts(counts), are_skewed_counts(np.log1p(counts))
    (True, False)
    """
    values = np.asarray(values, np.float64)
    missing = np.isnan(values)
    if missing.all() or values[~missing].min() < 0 or values[~missing].max() <= _LARGE:
        return False
    if not np.array_equal(np.floor(values[~missing]), values[~missing]):
        return False
    n = np.maximum((~missing).sum(axis=0), 1)
    with np.errstate(invalid="ignore", divide="ignore"):  # constants have no skewness
        scaled = np.where(missing, 0.0, values) / values[~missing].max()
        z = np.where(missing, 0.0, scaled - scaled.sum(axis=0) / n)
        skewness = (z**3).sum(axis=0) / n / ((z**2).sum(axis=0) / n) ** 1.5
    varying = skewness[np.isfinite(skewness)]
    return len(varying) > 0 and float(np.median(varying)) > _SKEWED
