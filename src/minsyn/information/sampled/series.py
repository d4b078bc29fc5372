"""Time series that are resampled: blocks for intervals, surrogates for null hypotheses."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from minsyn.information._bias import N_GROUPS
from minsyn.information.sampled.autocorrelation import (
    block_length,
    decorrelation,
    effective_number,
)

__all__ = ["Series"]

#: Share of rows that a shift may leave near their old place, and tries to find such a shift.
_NEAR, _TRIES = 0.1, 50
#: Trials from which on their order gives surrogates enough.
_MANY_TRIALS = 20
#: Most of a series that shifts near 0 may be, which are left out.
_MOST_GAP = 0.05
#: Products of sources and targets that the length of blocks is found from.
_MOST_PRODUCTS = 100
#: Fewest groups of the jackknife.
_FEWEST_GROUPS = 5


@dataclass(frozen=True, eq=False)
class Series:
    """Trials of time series, one after the other.

    Attributes
    ----------
    lengths : int array of shape (n_trials,)
        Number of rows of each trial.
    block_length : float
        Mean length of the blocks of `resampled`.
    gap : int
        Steps after which a row has little to do with what it was.
    n_effective : ndarray of shape (n_targets,)
        Number of independent samples in which correlations would spread as much.

    Examples
    --------
    >>> walk = np.random.default_rng(0).normal(size=(300, 2)).cumsum(axis=0)
    >>> series = Series.of(walk[:, :1], walk[:, 1:], np.array([300]))
    >>> series.block_length > 5, series.gap > 5, bool(series.n_effective[0] < 50)
    (True, True, True)
    """

    lengths: Int[np.ndarray, " trials"]
    block_length: float
    gap: int
    n_effective: Float[np.ndarray, " n"]

    @classmethod
    def of(
        cls,
        z: Float[np.ndarray, "samples sources"],
        x: Float[np.ndarray, "samples n"],
        lengths: Int[np.ndarray, " trials"],
        length: int | float | None = None,
    ) -> "Series":
        """Series of sources and targets; the length of blocks is found where it is None."""
        if length is None:
            # A block that is longer than its trial would say the same again.
            length = min(block_length(_products(z, x), lengths), float(lengths.mean()))
        gap = decorrelation(np.concatenate([z, x], axis=1), lengths)
        gap = min(gap, max(int(_MOST_GAP * len(z)), 1))
        return cls(lengths, float(length), gap, effective_number(z, x, lengths))

    @cached_property
    def _trial(self) -> Int[np.ndarray, " samples"]:
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def _starts(self) -> Int[np.ndarray, " trials"]:
        return np.asarray(np.cumsum(self.lengths) - self.lengths)

    @property
    def n_samples(self) -> int:
        """Rows."""
        return len(self._trial)

    def resampled(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "b samples"]:
        """Rows of ``count`` sets of samples of a stationary bootstrap (Politis and Romano 1994).

        Blocks start anywhere, have geometrical lengths, and go on at the start of their trial
        where this ends.
        """
        n = self.n_samples
        uniform = rng.random((count, n, 2))
        begins = uniform[:, :, 0] < 1 / self.block_length
        begins[:, 0] = True
        at = np.arange(n)
        since = np.maximum.accumulate(np.where(begins, at, 0), axis=1)
        starts = np.take_along_axis((uniform[:, :, 1] * n).astype(np.int64), since, axis=1)
        trial = self._trial[starts]
        begin = self._starts[trial]
        rows: np.ndarray = begin + (starts - begin + at - since) % self.lengths[trial]
        return rows

    def uniform(self, count: int, k: int, rng: np.random.Generator) -> Float[np.ndarray, "b k _"]:
        """Uniform numbers that stay the same for blocks of random lengths."""
        drawn = rng.random((count, k, self.n_samples, 2))
        begins = drawn[..., 0] < 1 / self.block_length
        since = np.maximum.accumulate(np.where(begins, np.arange(self.n_samples), 0), axis=-1)
        return np.take_along_axis(drawn[..., 1], since, axis=-1)

    def shifted(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "b samples"]:
        """Rows of ``count`` shifts of all series against others.

        Many trials take the rows of each other, from the start of a trial and over again where it
        is too short. Fewer are laid in a circle, in a random order, and the circle is turned;
        shifts that leave more than a tenth of the rows near their old place are drawn anew.
        """
        shift = self._exchange if len(self.lengths) >= _MANY_TRIALS else self._shift
        rows = np.empty((count, self.n_samples), dtype=np.int64)  # of constant sources, count is 0
        for row in rows:
            row[:] = shift(rng)
        return rows

    def _exchange(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        giver = rng.permutation(len(self.lengths))[self._trial]
        since = np.arange(self.n_samples) - self._starts[self._trial]
        return np.asarray(self._starts[giver] + since % self.lengths[giver])

    def _shift(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        n, trials = self.n_samples, len(self.lengths)
        at = np.arange(n)
        if n < 2:
            return at
        if trials == 1:
            return np.asarray((at + rng.integers(self.gap, n - self.gap + 1)) % n)
        best, least = at, 1.0
        for _ in range(_TRIES):
            order = rng.permutation(trials)
            rows = np.concatenate([at[self._starts[k] :][: self.lengths[k]] for k in order])
            rows = np.roll(rows, rng.integers(n))
            near = (np.abs(rows - at) < self.gap) & (self._trial[rows] == self._trial)
            if (share := float(near.mean())) < least:
                best, least = rows, share
            if least <= _NEAR:
                break
        return np.asarray(best)

    def draw(
        self, count: int, k: int, rng: np.random.Generator
    ) -> Float[np.ndarray, "b k _"] | Int[np.ndarray, "b k samples"]:
        """What `surrogates` of k sets of series depend on: their phases, or orders of trials."""
        if len(self.lengths) >= _MANY_TRIALS:
            return self.shifted(count * k, rng).reshape(count, k, self.n_samples)
        return rng.random((count, k, int((self.lengths // 2 + 1).sum())))

    def surrogates(
        self,
        a: Float[np.ndarray, "samples c"],
        drawn: Float[np.ndarray, "b _"] | Int[np.ndarray, "b samples"],
    ) -> Float[np.ndarray, "b samples c"]:
        """Series with the autocorrelation of ``a``, and its columns' dependence on each other.

        Of a few trials, the Fourier transform of each gets random phases, the same for all columns
        (Theiler et al. 1992; Prichard and Theiler 1994), or a random sign where it is real. Many
        trials take each other's place.
        """
        if drawn.dtype.kind != "f":
            surrogate: np.ndarray = a[drawn]
            return surrogate
        parts, first = [], 0
        for start, length in zip(self._starts, self.lengths, strict=True):
            transform = np.fft.rfft(a[start : start + length], axis=0)
            uniform = drawn[:, first : first + len(transform)]
            phases = np.exp(2j * np.pi * uniform)
            real = [0, -1] if length % 2 == 0 else [0]
            phases[:, real] = np.where(uniform[:, real] < 0.5, -1.0, 1.0)
            parts.append(np.fft.irfft(transform * phases[:, :, None], int(length), axis=1))
            first += len(transform)
        return np.concatenate(parts, axis=1)

    def jackknife_groups(self) -> Iterator[Int[np.ndarray, " _"]]:
        """Groups of neighbours for the jackknife, longer than blocks where there are enough."""
        n = self.n_samples
        groups = int(np.clip(n / (2 * self.block_length), _FEWEST_GROUPS, N_GROUPS))
        yield from np.array_split(np.arange(n), min(groups, n))


def _products(
    z: Float[np.ndarray, "samples sources"], x: Float[np.ndarray, "samples n"]
) -> Float[np.ndarray, "samples k"]:
    """Products of deviations of sources and targets: correlations are their means."""
    z, x = z - z.mean(axis=0), x - x.mean(axis=0)
    m, n = z.shape[1], x.shape[1]
    pairs = np.arange(0, m * n, 1 + m * n // _MOST_PRODUCTS)
    products: np.ndarray = z[:, pairs // n] * x[:, pairs % n]
    return products
