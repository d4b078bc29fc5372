"""Tables whose columns have known causes."""

import numpy as np


def grouped_table(sizes, n_samples, noise, rng):
    """Columns in groups of given sizes with one cause each, and the group of each column."""
    causes = np.repeat(rng.normal(size=(n_samples, len(sizes))), sizes, axis=1)
    return causes + noise * rng.normal(size=causes.shape), np.repeat(np.arange(len(sizes)), sizes)


def shared_table(n_shared, rng):
    """Two groups of ten columns with one cause each, and columns that have both causes."""
    causes = rng.normal(size=(500, 2))
    maps = np.repeat([[1.0, 0.0, 1.0], [0.0, 1.0, 0.8]], [10, 10, n_shared], axis=1)
    return causes @ maps + 0.3 * rng.normal(size=(500, 20 + n_shared))
