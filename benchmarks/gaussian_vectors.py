"""Does the union information of Gaussian vectors keep its promise, and how long does it take?

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gaussian_vectors.py``
(minutes). The first rows have sources and a target of 1 to 20 dimensions each, with gains that
are standard normal over the root of the dimension, times 2: time, interval, and what the best
source alone would leave out. The others are hard: nearly equal sources, sources that share some
readings exactly, gains from 1e-3 to 1e4. ``off`` is the error of ``upper`` against log
determinants of the returned covariance in 50 digits. If gpid (Venkatesh et al. 2023,
https://github.com/praveenv253/gpid) is installed, its union information is compared, too.
"""

import argparse
import time
from itertools import pairwise

import mpmath
import numpy as np

from minsyn.information import gaussian_vectors

try:
    from gpid.tilde_pid import exact_gauss_tilde_pid
except ImportError:
    exact_gauss_tilde_pid = None


def covariance(channels):
    """Of all sources' readings H_j x + noise and of x."""
    gain = np.vstack(channels)
    return np.block([[gain @ gain.T + np.eye(len(gain)), gain], [gain.T, np.eye(gain.shape[1])]])


def groups(channels):
    ends = np.cumsum([0, *map(len, channels)])
    target = range(ends[-1], ends[-1] + channels[0].shape[1])
    return [range(a, b) for a, b in pairwise(ends)], target


def exact_information(sigma, n_target):
    """Information in bits between the last variables and all others, in 50 digits."""
    sigma = mpmath.matrix(sigma.tolist())
    n, p = sigma.rows - n_target, sigma.rows
    whole, sources, target = sigma, sigma[:n, :n], sigma[n:p, n:p]
    dets = [mpmath.log(mpmath.det(m)) for m in (sources, target, whole)]
    return (dets[0] + dets[1] - dets[2]) / (2 * mpmath.log(2))


def nearly_equal(rng, d, n_sources):
    first, size = rng.normal(size=(d, d)), 10.0 ** rng.uniform(-10, -1)
    return [first, *(first + size * rng.normal(size=(d, d)) for _ in range(n_sources - 1))]


def sharing(rng, d, n_sources):
    common = rng.normal(size=(max(d // 2, 1), d))
    return [np.vstack([common, rng.normal(size=(d - len(common), d))]) for _ in range(n_sources)]


def many_scales(rng, d, n_sources):
    return [
        10.0 ** rng.uniform(-3, 4, size=(d, 1)) * rng.normal(size=(d, d)) for _ in range(n_sources)
    ]


def tall_and_wide(rng, d, n_sources):
    return [rng.normal(size=(rng.integers(1, 2 * d), d)) for _ in range(n_sources)]


def one_dimensional(rng, d, n_sources):
    return [rng.normal(size=(1, d)) for _ in range(n_sources * 2)]


KINDS = {
    "nearly equal": nearly_equal,
    "shared readings": sharing,
    "gains 1e-3 to 1e4": many_scales,
    "other dimensions": tall_and_wide,
    "many scalars": one_dimensional,
}


def normal(rng, d, n_sources):
    return [2 * rng.normal(size=(d, d)) / np.sqrt(d) for _ in range(n_sources)]


def measure(draws, exact):
    gaps, times, excess, together, steps, off = [], [], [], [], [], np.nan
    for i, channels in enumerate(draws):
        sigma, (sources, target) = covariance(channels), groups(channels)
        start = time.process_time()
        result = gaussian_vectors.union_information(sigma, sources, target)
        times.append(time.process_time() - start)
        gaps.append(result.gap)
        steps.append(result.n_iter)
        alone = gaussian_vectors.source_informations(sigma, sources, target)
        excess.append(result.value - alone.max())
        together.append(gaussian_vectors.mutual_information(sigma, sources, target))
        if i < exact:
            # Where the minimiser is singular its determinants are rounding.
            spread = np.sqrt(np.diag(result.covariance))
            correlation = result.covariance / spread / spread[:, None]
            if np.linalg.eigvalsh(correlation)[0] > 1e-8:
                found = exact_information(result.covariance, len(target))
                off = np.fmax(off, abs(float(found - result.upper)))
    return gaps, times, excess, together, steps, off


def row(name, n_sources, measured):
    gaps, times, excess, together, steps, off = measured
    shown = "-" if np.isnan(off) else f"{off:.0e}"
    certified = sum(gap <= gaussian_vectors.CERTIFIED_GAP for gap in gaps)
    print(
        f"| {name} | {n_sources} | {certified} of {len(gaps)} | {max(gaps):.1e} | {shown} | "
        f"{np.median(steps):.0f} | {np.median(times):.3f} | {np.mean(together):.2f} | "
        f"{np.mean(excess):.2f} | {max(excess):.2f} |",
        flush=True,
    )


HEAD = (
    "| dimensions | sources | certified | widest gap (bit) | off (bit) | steps | CPU seconds "
    "| I (bit) | U less the best source, mean | most |\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def against_gpid(rng, d, repeats):
    differences, theirs, ours = [], 0.0, 0.0
    for _ in range(repeats):
        channels = normal(rng, d, 2)
        sigma, (sources, target) = covariance(channels), groups(channels)
        start = time.process_time()
        value = gaussian_vectors.union_information(sigma, sources, target).value
        ours += time.process_time() - start
        order = [*target, *sources[0], *sources[1]]
        start = time.process_time()
        found = exact_gauss_tilde_pid(sigma[np.ix_(order, order)], d, d, d)
        theirs += time.process_time() - start
        differences.append(found[2] - found[-1] - value)
    print(
        f"| {d} | {min(differences):.1e} | {max(differences):.1e} | {theirs / ours:.2f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="draws of each row")
    parser.add_argument("--exact", type=int, default=3, help="of these, checked in 50 digits")
    arguments = parser.parse_args()
    mpmath.mp.dps = 50
    rng = np.random.default_rng(1)
    print(HEAD)
    for d, n_sources in [*((d, 2) for d in (1, 2, 3, 5, 10, 20)), (5, 3), (10, 3), (3, 6)]:
        repeats = max(3, arguments.repeats // (1 + d * n_sources // 20))
        draws = [normal(rng, d, n_sources) for _ in range(repeats)]
        row(f"{d}", n_sources, measure(draws, arguments.exact))
    for name, kind in KINDS.items():
        for d, n_sources in ((4, 2), (8, 2), (4, 3)):
            draws = [kind(rng, d, n_sources) for _ in range(arguments.repeats)]
            row(f"{name}, {d}", n_sources, measure(draws, arguments.exact))
    if exact_gauss_tilde_pid is not None:
        print("\n| dimensions | gpid less ours, least (bit) | most | gpid's time / ours |")
        print("|--:|--:|--:|--:|")
        for d in (2, 3, 5, 10, 20):
            against_gpid(rng, d, 3 if d == 20 else 10)


if __name__ == "__main__":
    main()
