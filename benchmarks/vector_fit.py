"""Vector factors cost no more than twenty times scikit-learn's PCA, and errors do not rise with N.

    python benchmarks/vector_fit.py [--shapes 10000x500x20 ...] [--repeats 2] [--logistic]

One thread. Samples x features x groups, one cause each; both sides are timed alternately, groups
are found and fitted. Beside the ratio of the best times stands the error on 500 new samples as a
share of their variance, for both. ``--logistic`` maps the data into (0, 1): iterative fits, which
may cost more, but not more for each number in the data.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from minsyn import VectorMinSyn

SHAPES = (
    "1000x200x10",
    "10000x200x10",
    "40000x200x10",
    "1000x500x20",
    "10000x500x20",
    "200x5000x20",
)
#: The most that a linear fit may cost beside PCA's.
LIMIT = 20
N_TEST = 500


def table(n_samples, n_features, n_groups, logistic):
    """Features with half of their variance from the cause of their group."""
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n_samples + N_TEST, n_groups))
    X = np.repeat(causes, n_features // n_groups, axis=1)
    X += rng.normal(size=X.shape)
    return 1 / (1 + np.exp(-X)) if logistic else X


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", default=SHAPES)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--logistic", action="store_true")
    arguments = parser.parse_args()
    worst = 0.0
    for shape in arguments.shapes:
        n_samples, n_features, n_groups = map(int, shape.split("x"))
        X = table(n_samples, n_features, n_groups, arguments.logistic)
        train, test = X[:n_samples], X[n_samples:]
        total = np.sum((test - train.mean(axis=0)) ** 2)
        models = (VectorMinSyn(random_state=0), PCA(n_groups))
        seconds = [[], []]
        with threadpool_limits(1):
            for _ in range(arguments.repeats):
                for model, times in zip(models, seconds, strict=True):
                    start = time.perf_counter()
                    model.fit(train)
                    times.append(time.perf_counter() - start)
        ours, pca = map(min, seconds)
        errors = [
            np.sum((test - model.inverse_transform(model.transform(test))) ** 2) / total
            for model in models
        ]
        found = models[0].groups_.max() + 1
        worst = max(worst, ours / pca)
        print(
            f"{shape:>14}: {ours:7.2f} s, {ours / pca:6.1f} x PCA; error {errors[0]:.3f}, "
            f"PCA's {errors[1]:.3f}; {found} groups",
            flush=True,
        )
    if not arguments.logistic:
        assert worst <= LIMIT, f"{worst:.1f} x PCA is more than {LIMIT} x"


if __name__ == "__main__":
    main()
