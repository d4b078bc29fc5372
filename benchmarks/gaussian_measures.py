"""The Gaussian measures of many targets against the matrix product they cannot do without.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gaussian_measures.py``. Both
sides run in one process, in turns, and the best of each counts: ``Z' X`` alone, and statistics plus
all six measures from the same data. ``--samples 2000`` for a machine of little memory.
"""

import argparse
import time

import numpy as np

from minsyn.information import PairwiseStatistics, gaussian

MEASURES = (
    gaussian.mutual_information,
    gaussian.union_information,
    gaussian.gk_synergy,
    gaussian.ci_synergy,
    gaussian.whole_minus_sum,
    gaussian.total_correlation,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--sources", type=int, default=64)
    parser.add_argument("--targets", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    z = rng.normal(size=(arguments.samples, arguments.sources))
    x = rng.normal(size=(arguments.samples, arguments.targets))

    def measures(statistics):
        sigma, rho = statistics.sigma, statistics.rho
        return [measure(sigma, rho) for measure in MEASURES]

    steps = {
        "GEMM alone": lambda: z.T @ x,
        "statistics": lambda: PairwiseStatistics.of(z, x),
        "statistics and six measures": lambda: measures(PairwiseStatistics.of(z, x)),
    }
    best = dict.fromkeys(steps, np.inf)
    for _ in range(arguments.repeats):
        for name, step in steps.items():
            start = time.process_time()
            step()
            best[name] = min(best[name], time.process_time() - start)
    print(
        f"m = {arguments.sources}, n = {arguments.targets}, N = {arguments.samples}, float64, "
        "CPU seconds"
    )
    for name, seconds in best.items():
        print(f"{name:30s}{seconds:8.3f} s   {seconds / best['GEMM alone']:5.2f} x GEMM")


if __name__ == "__main__":
    main()
