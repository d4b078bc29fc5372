"""Correlation of normal scores of N samples, by simulation and by the formula.

Run as ``OMP_NUM_THREADS=1 python benchmarks/normal_scores.py``. Printed is a Markdown table of
``N (r - E r_N) / (r sqrt(1 - r^2))``, where r_N is the correlation of the normal scores of N
samples with the correlation r: by simulation (its standard error beside it), and by
`minsyn.information.sampled.normal_scores.expected_correlation`.
"""

import argparse

import numpy as np
from scipy.special import ndtri

from minsyn.information.sampled.normal_scores import expected_correlation

CORRELATIONS = np.array([0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999])


def loss(n_samples, repeats, rng):
    """Mean loss of correlation and its standard error; beside that of the same samples unranked."""
    scores = ndtri(np.arange(1, n_samples + 1) / (n_samples + 1))
    found = np.empty((repeats, len(CORRELATIONS)))
    r = CORRELATIONS[:, None]
    for repeat in range(repeats):
        a, b = rng.normal(size=(2, n_samples))
        ranked = np.empty(n_samples)
        ranked[np.argsort(a)] = scores
        y = r * a + np.sqrt(1 - r * r) * b
        of_ranks = ranked[np.argsort(y, axis=1)] @ scores / (scores @ scores)
        a, y = a - a.mean(), y - y.mean(axis=1, keepdims=True)
        found[repeat] = y @ a / np.sqrt((y * y).sum(axis=1) * (a @ a)) - of_ranks
    return found.mean(axis=0), found.std(axis=0) / np.sqrt(repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[20, 50, 200, 1000, 5000])
    parser.add_argument("--numbers", type=int, default=1_000_000, help="samples for each row")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"| samples | | {' | '.join(f'r = {r:g}' for r in CORRELATIONS)} |")
    print("|--:|:--|" + "--:|" * len(CORRELATIONS))
    for n in arguments.samples:
        unit = n / (CORRELATIONS * np.sqrt(1 - CORRELATIONS**2))
        lost, error = loss(n, max(arguments.numbers // n, 20), rng)
        cells = (f"{v:.2f} ({e:.2f})" for v, e in zip(lost * unit, error * unit, strict=True))
        print(f"| {n} | simulated | {' | '.join(cells)} |", flush=True)
        formula = (CORRELATIONS - expected_correlation(CORRELATIONS, n)) * unit
        print(f"| {n} | formula | {' | '.join(f'{v:.2f}' for v in formula)} |", flush=True)


if __name__ == "__main__":
    main()
