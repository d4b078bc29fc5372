"""Resamples of small data in batches, against the same resamples one by one.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/resampling.py``. Both sides draw
the same rows from the same seed and compute all Gaussian measures; their values agree to rounding,
which is checked. Printed is a Markdown table of microseconds a resample, the best of several turns.
"""

import argparse
import time

import numpy as np

from minsyn.information.measures import MEASURES, names_of
from minsyn.information.sampled.gaussian import GaussianModel

NAMES = names_of("gaussian")


def one_by_one(model, n, rng):
    """The bootstrap as it is written in a textbook: one set of samples after the other."""
    n_samples = len(model.z)
    values = {name: [] for name in NAMES}
    for _ in range(n):
        rows = rng.integers(n_samples, size=n_samples)
        drawn = GaussianModel(model.z[rows], model.x[rows], NAMES, None, model.ranked)
        for name in NAMES:
            values[name].append(MEASURES[name].of(drawn.moments.sources))
    return {name: np.stack(v) for name, v in values.items()}


def best_of(run, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        found = run()
        times.append(time.process_time() - start)
    return min(times), found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| samples | sources | targets | model | one by one | in batches | ratio |")
    print("|--:|--:|--:|:--|--:|--:|--:|")
    for n_samples, m, n_targets in (
        (50, 2, 1),
        (50, 6, 1),
        (200, 2, 1),
        (200, 6, 10),
        (1000, 3, 1),
    ):
        z = rng.normal(size=(n_samples, m))
        x = z[:, :1] + rng.normal(size=(n_samples, n_targets))
        for ranked in (False, True):
            model = GaussianModel(z, x, NAMES, None, ranked)
            n = arguments.resamples
            slow, expected = best_of(
                lambda m=model, n=n: one_by_one(m, n, np.random.default_rng(1)), arguments.repeats
            )
            fast, found = best_of(
                lambda m=model, n=n: m.bootstrap(n, np.random.default_rng(1)), arguments.repeats
            )
            for name in NAMES:
                np.testing.assert_allclose(found[name], expected[name], rtol=1e-8, atol=1e-10)
            print(
                f"| {n_samples} | {m} | {n_targets} | {'copula' if ranked else 'gaussian'} | "
                f"{slow / n * 1e6:.0f} | {fast / n * 1e6:.0f} | {slow / fast:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
