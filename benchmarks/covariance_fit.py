"""A linear MinSyn costs a few times scikit-learn's PCA, whatever the shape of the data.

    python benchmarks/covariance_fit.py [--shapes 10000x500x20 ...] [--repeats 3] [--rivals]

One thread. Both sides are timed alternately, whole fits with all their starts; the ratio is that of
the best times. ``--rivals`` adds FactorAnalysis with varimax.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA, FactorAnalysis
from threadpoolctl import threadpool_limits

from minsyn import MinSyn

#: Samples x features x factors, and the most that a fit may cost beside PCA's.
SHAPES = {
    "1000000x50x5": 3,
    "100000x200x10": 3,
    "10000x500x20": 4,
    "10000x2000x50": 4,
    "100x20000x10": 4,
    "4000x2100x10": 4,
}


def factors(n_samples, n_features, n_factors, seed=0):
    """Data of overlapping factors, each of a fifth of the features, and noise."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_factors, n_features))
    loadings *= rng.random(loadings.shape) < 0.2
    X = rng.normal(size=(n_samples, n_features))
    for rows in range(0, n_samples, 10_000):
        part = X[rows : rows + 10_000]
        part += rng.normal(size=(len(part), n_factors)) @ loadings
    return X


def fastest(functions, repeats):
    """Least seconds of each of several calls, taken in turns."""
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, seconds in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    return [min(seconds) for seconds in times]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rivals", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'shape':16} {'PCA s':>8} {'MinSyn s':>9} {'ratio':>6} {'wanted':>7}", end="")
    print(f" {'varimax FA s':>13}" if arguments.rivals else "")
    for shape in arguments.shapes:
        n_samples, n_features, k = map(int, shape.split("x"))
        X = factors(n_samples, n_features, k)
        sides = [
            lambda X=X, k=k: PCA(k, random_state=0).fit(X),
            lambda X=X, k=k: MinSyn(k, latents="linear", random_state=0).fit(X),
        ]
        pca, ours = fastest(sides, arguments.repeats)
        wanted = f"<= {SHAPES[shape]}" if shape in SHAPES else ""
        print(
            f"{shape:16} {pca:8.3f} {ours:9.3f} {ours / pca:6.1f} {wanted:>7}", end="", flush=True
        )
        if arguments.rivals:
            rival = FactorAnalysis(k, rotation="varimax")
            print(f" {fastest([lambda X=X, m=rival: m.fit(X)], 1)[0]:13.3f}", end="")
        print(flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
