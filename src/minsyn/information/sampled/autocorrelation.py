"""Autocorrelation of series: how long blocks must be, and how much series tell."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["autocovariances", "block_length", "decorrelation", "effective_number"]

#: Autocorrelations that Politis and White take for noise: c sqrt(log10(N) / N) in K_N lags on end.
_NOISE = 2.0
_LAGS_ON_END = 5
#: Share of its correlation with itself below which a series is taken to have forgotten.
_FORGOTTEN = 0.2


def autocovariances(
    a: Float[np.ndarray, "samples k"], lengths: Int[np.ndarray, " trials"], most: int
) -> Float[np.ndarray, "lags k"]:
    """Autocovariances at the lags 0 to ``most``, of pairs within a trial only.

    Parameters
    ----------
    a : ndarray of shape (n_samples, k)
        Trials one after the other.
    lengths : int array of shape (n_trials,)
        Lengths of the trials.
    most : int
        The largest lag.

    Returns
    -------
    ndarray of shape (most + 1, k)
        Sums of products over the number of samples, as is usual: it makes them positive definite.

    Examples
    --------
    >>> a = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    >>> [autocovariances(a, np.array(n), 1).ravel().round(9).tolist() for n in ([4], [2, 2])]
    [[1.0, -0.75], [1.0, -0.5]]
    """
    # Zeros between the trials, so that one transform serves all.
    place = np.arange(len(a)) + most * np.repeat(np.arange(len(lengths)), lengths)
    n = len(a) + most * len(lengths)
    size = 1 << (n - 1).bit_length()
    found = np.empty((most + 1, a.shape[1]))
    for j in range(a.shape[1]):
        padded = np.zeros(size)
        padded[place] = a[:, j] - a[:, j].mean()
        power = np.abs(np.fft.rfft(padded)) ** 2
        found[:, j] = np.fft.irfft(power, size)[: most + 1] / len(a)
    return found


@dataclass(frozen=True)
class _Spectrum:
    """Sums over the lags of one series' autocovariances, with Politis and Romano's weights."""

    variance: float
    long_run: float
    slope: float

    @classmethod
    def of(cls, covariances: Float[np.ndarray, " lags"], n_samples: int) -> "_Spectrum":
        variance = float(covariances[0])
        if variance <= 0:
            return cls(0.0, 0.0, 0.0)
        rho = covariances / variance
        bound = _NOISE * math.sqrt(math.log10(max(n_samples, 10)) / n_samples)
        last = _last_before_noise(np.abs(rho[1:]) < bound, n_samples)
        bandwidth = min(2 * last, len(rho) - 1)
        lags = np.arange(1, bandwidth + 1)
        weights = np.minimum(1.0, 2 * (1 - lags / max(bandwidth, 1)))
        weighted = weights * covariances[1 : bandwidth + 1]
        return cls(
            variance,
            variance + 2 * float(weighted.sum()),
            2 * float((lags * weighted).sum()),
        )


def _last_before_noise(small: Bool[np.ndarray, " lags"], n_samples: int) -> int:
    """The lag after which K_N autocorrelations on end are noise; at least 1."""
    on_end = max(_LAGS_ON_END, math.ceil(math.sqrt(math.log10(max(n_samples, 10)))))
    run = 0
    for lag, is_small in enumerate(small, start=1):
        run = run + 1 if is_small else 0
        if run == on_end:
            return max(lag - on_end, 1)
    large = np.flatnonzero(~small)
    return int(large[-1]) + 1 if len(large) else 1


def block_length(a: Float[np.ndarray, "samples k"], lengths: Int[np.ndarray, " trials"]) -> float:
    """Mean length of the blocks of a stationary bootstrap, by Politis and White's rule.

    For the mean of a series, ``b = (2 g^2 / D)^(1/3) N^(1/3)`` with ``g = sum |k| R(k)`` and
    ``D = 2 (sum R(k))^2``, where sums over the autocovariances R have Politis and Romano's flat-top
    weights.

    Parameters
    ----------
    a : ndarray of shape (n_samples, k)
        Series whose means are resampled, such as products of sources and a target.
    lengths : int array of shape (n_trials,)
        Lengths of the trials, which stand one after the other.

    Returns
    -------
    float
        The mean over the series that vary, at least 1.

    References
    ----------
    Politis, White (2004), Automatic block-length selection for the dependent bootstrap, Econometric
    Reviews 23; with the correction of Patton, Politis, White (2009), Econometric Reviews 28.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(500, 1))
    >>> walk = noise.cumsum(axis=0)
    >>> block_length(noise, np.array([500])) < 4 < block_length(walk, np.array([500]))
    True
    """
    n_samples = len(a)
    covariances = autocovariances(a, lengths, _most(n_samples, lengths))
    longest = math.ceil(min(3 * math.sqrt(n_samples), n_samples / 3))
    found = []
    for one in covariances.T:
        spectrum = _Spectrum.of(one, n_samples)
        if spectrum.variance <= 0:
            continue
        d = 2 * spectrum.long_run**2
        b = (2 * spectrum.slope**2 / d) ** (1 / 3) * n_samples ** (1 / 3) if d > 0 else longest
        found.append(min(b, longest))
    return max(float(np.mean(found)), 1.0) if found else 1.0


def effective_number(
    z: Float[np.ndarray, "samples sources"],
    x: Float[np.ndarray, "samples n"],
    lengths: Int[np.ndarray, " trials"],
) -> Float[np.ndarray, " n"]:
    """Number of independent samples in which correlations would spread as much as in the series.

    ``N / (1 + 2 sum_k rho_z(k) rho_x(k))`` (Bartlett 1935), its mean over the sources.

    Parameters
    ----------
    z, x : ndarray
        Sources and targets, trials one after the other.
    lengths : int array of shape (n_trials,)
        Lengths of the trials.

    Returns
    -------
    ndarray of shape (n_targets,)
        Between 2 and the number of samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise, walk = rng.normal(size=(2, 1000, 1))
    >>> walk = walk.cumsum(axis=0)
    >>> effective_number(noise, noise, np.array([1000])).round()
    array([1000.])
    >>> bool(effective_number(walk, walk + noise, np.array([1000]))[0] < 50)
    True
    """
    n_samples = len(z)
    most = _most(n_samples, lengths)
    of_z, of_x = (autocovariances(a, lengths, most) for a in (z, x))
    of_z, of_x = (c[:, c[0] > 0] / c[0, c[0] > 0] for c in (of_z, of_x))
    found = np.full(x.shape[1], float(n_samples))
    varying = np.flatnonzero(np.ptp(x, axis=0) > 0)
    if of_z.shape[1] == 0 or of_x.shape[1] != len(varying):
        return found
    for i, rho in zip(varying, of_x.T, strict=True):
        spread = [_Spectrum.of(other * rho, n_samples).long_run for other in of_z.T]
        found[i] = n_samples / max(float(np.mean(spread)), 1.0)
    n_effective: np.ndarray = np.maximum(found, 2.0)
    return n_effective


def decorrelation(a: Float[np.ndarray, "samples k"], lengths: Int[np.ndarray, " trials"]) -> int:
    """Number of steps after which no series remembers much of itself.

    The first lag at which the autocorrelation of each is below .2, and a quarter of the longest
    trial at most.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(500, 1))
    >>> decorrelation(noise, np.array([500]))
    1
    """
    most = max(int(lengths.max()) // 4, 1)
    covariances = autocovariances(a, lengths, most)
    varying = covariances[0] > 0
    rho = covariances[1:, varying] / covariances[0, varying]
    remembered = (rho >= _FORGOTTEN).cumprod(axis=0).sum(axis=0)
    return min(int(remembered.max(initial=0)) + 1, most)


def _most(n_samples: int, lengths: Int[np.ndarray, " trials"]) -> int:
    """The largest lag that is looked at: twice sqrt(N) + K_N, within the longest trial."""
    on_end = max(_LAGS_ON_END, math.ceil(math.sqrt(math.log10(max(n_samples, 10)))))
    most = 2 * (math.ceil(math.sqrt(n_samples)) + on_end)
    return max(min(most, int(lengths.max()) - 1), 1)
