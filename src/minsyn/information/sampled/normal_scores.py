"""Normal scores of ranks, and what their correlations lose to those of Gaussian variables.

Ranks are noisy: the scores of N samples correlate less than the Gaussian variables whose ranks they
are. The loss is of order log(N) / N. It is small where the variables correlate little, but near 1
it is large beside 1 - r^2, on which information depends: of r = .95 and 50 samples, 1 - r^2 comes
out a fifth too large.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["RankedDraws", "expected_correlation", "mostly_tied", "normal_scores"]

#: Of ``expected_correlation``: fitted to simulated samples, see ``benchmarks/normal_scores.py``.
_CONSTANT, _OF_LOG, _OF_S, _OF_S2 = 1.23, 0.288, -2.0, 0.8
#: 1 - r^2 below which r is 1 to rounding.
_ROUNDING = 1e-13
#: Share of different values below which a variable is tied too often to have noisy ranks.
_LEAST_DIFFERENT = 0.5


def normal_scores(x: Float[np.ndarray, "samples k"]) -> Float[np.ndarray, "samples k"]:
    """Normal quantiles of the ranks, Phi^-1(rank / (N + 1)); ties share their mean rank."""
    return ndtri(rankdata(x, axis=0) / (len(x) + 1))


def expected_correlation(
    r: Float[np.ndarray, "*shape"], n_samples: int
) -> Float[np.ndarray, "*shape"]:
    """Correlation that the normal scores of Gaussian samples have on average.

    r (1 - s (a + b log N - 2 s + .8 s^2) / N) with s = sqrt(1 - r^2): the form is that of the
    variance of the difference of two empirical distributions, which is arccos(r) / pi of that of
    one at the median; the constants are fitted to simulated samples.

    Examples
    --------
    >>> expected_correlation(np.array([0.0, 0.5, 0.95, 1.0]), 50).round(3)
    array([0.   , 0.489, 0.939, 1.   ])
    """
    left = 1 - r * r
    s = np.sqrt(np.where(left > _ROUNDING, left, 0.0))
    of_n = _CONSTANT + _OF_LOG * np.log(n_samples)
    return np.asarray(r * (1 - s * (of_n + _OF_S * s + _OF_S2 * s * s) / n_samples))


def mostly_tied(x: Float[np.ndarray, "samples k"]) -> Bool[np.ndarray, " k"]:
    """Variables with few different values, whose ranks say no more than these.

    Examples
    --------
    >>> mostly_tied(np.array([[0.1, 1.0], [0.3, 1.0], [0.2, 1.0], [0.4, 0.0], [0.7, 0.0]]))
    array([False,  True])
    """
    ordered = np.sort(x, axis=0)
    different = 1 + (ordered[1:] > ordered[:-1]).sum(axis=0)
    return np.asarray(different < _LEAST_DIFFERENT * len(x))


@dataclass(frozen=True, eq=False)
class RankedDraws:
    """Normal scores of samples that are drawn by rows, from counts of their sorted values."""

    codes: Int[np.ndarray, "samples k"]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, a: Float[np.ndarray, "samples k"]) -> "RankedDraws":
        """Draws of these samples."""
        codes = np.stack([np.unique(c, return_inverse=True)[1] for c in a.T], axis=1)
        return cls(codes, tuple(int(c.max()) + 1 for c in codes.T))

    def __call__(
        self, rows: Int[np.ndarray, "b drawn"], columns: slice
    ) -> Float[np.ndarray, "b drawn _"]:
        """Scores of b sets of samples, each ranked by itself."""
        count, n_drawn = rows.shape
        # Twice the mean rank of tied values is a whole number.
        table = ndtri(np.arange(1, 2 * n_drawn + 1) / 2 / (n_drawn + 1))
        chosen: list[Any] = list(zip(self.codes.T[columns], self.sizes[columns], strict=True))
        scores = np.empty((count, n_drawn, len(chosen)))
        for j, (codes, size) in enumerate(chosen):
            drawn = codes[rows] + size * np.arange(count)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
            twice = 2 * counts.cumsum(axis=1) - counts + 1
            scores[:, :, j] = table[twice.ravel()[drawn] - 1]
        return scores
