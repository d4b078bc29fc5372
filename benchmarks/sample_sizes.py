"""The error on new data does not rise with the number of samples, whatever the estimator.

    python benchmarks/sample_sizes.py [--sizes 300 1000 5000 40000]

Ten causes of twenty columns each, half of whose variance is noise; for models of data between 0 and
1, its logistic function. One row for each estimator: squared error on 1,000 new samples as a share
of their variance. With the causes themselves it would be .5.
"""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from minsyn import Adam, AutoEncoder, InfoMax, MinSyn, VectorMinSyn
from minsyn.metrics import squared_error

N_CAUSES, N_COLUMNS, N_TEST = 10, 20, 1000
#: The most by which an error may be above that with fewer samples.
LIMIT = 1.02
MODELS = {
    "MinSyn, covariance": (MinSyn(N_CAUSES), False),
    "MinSyn, softplus, L-BFGS": (MinSyn(N_CAUSES, latents="softplus", max_iter=300), False),
    "MinSyn, Adam": (MinSyn(N_CAUSES, solver=Adam(batch_size=500), max_iter=50), False),
    "MinSyn, Bernoulli": (MinSyn(N_CAUSES, decoder="bernoulli", max_iter=300), True),
    "VectorMinSyn": (VectorMinSyn(), False),
    "VectorMinSyn, balanced": (VectorMinSyn(balance=True), False),
    "VectorMinSyn, logistic": (VectorMinSyn(), True),
    "InfoMax": (InfoMax(N_CAUSES), False),
    "AutoEncoder": (AutoEncoder(N_CAUSES, batch_size=500, max_iter=100), False),
}


def table(n_samples):
    """Test samples, and training samples after them."""
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(N_TEST + n_samples, N_CAUSES))
    X = np.repeat(causes, N_COLUMNS, axis=1) + rng.normal(size=(len(causes), N_CAUSES * N_COLUMNS))
    return X[:N_TEST], X[N_TEST:]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=[300, 1000, 5000, 40_000])
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    test, train = table(sizes[-1])
    print(f"{'':>26}" + "".join(f"{size:>9,}" for size in sizes))
    risen = []
    for name, (model, bounded) in MODELS.items():
        new, known = ((1 / (1 + np.exp(-X)) if bounded else X) for X in (test, train))
        shares = []
        print(f"{name:>26}", end="", flush=True)
        for size in sizes:
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.set_params(random_state=0).fit(known[:size])
            error = squared_error(new, model.inverse_transform(model.transform(new)))
            shares.append(error / new.var(axis=0).sum())
            print(f"{shares[-1]:9.3f}", end="", flush=True)
        print()
        if np.any(np.array(shares[1:]) > LIMIT * np.minimum.accumulate(shares)[:-1]):
            risen.append(name)
    assert not risen, f"errors rise with the number of samples: {', '.join(risen)}"


if __name__ == "__main__":
    main()
