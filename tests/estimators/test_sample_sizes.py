"""The error on new data does not rise with the number of samples."""

import numpy as np
import pytest

from minsyn import Adam, AutoEncoder, Free, InfoMax, MinSyn, VectorMinSyn
from minsyn.metrics import squared_error
from vector_factors import grouped_table

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SIZES = (200, 2000)
N_TEST = 500


@pytest.fixture(scope="module")
def table():
    X, _ = grouped_table([6, 6], N_TEST + max(SIZES), 1.0, np.random.default_rng(0))
    return X


@pytest.mark.parametrize(
    ("model", "bounded"),
    [
        (MinSyn(2, solver="covariance"), False),
        (MinSyn(2, latents="softplus", solver="lbfgs", max_iter=40), False),
        (MinSyn(2, solver=Adam(0.05, batch_size=200), max_iter=8), False),
        (MinSyn(2, decoder=Free(), max_iter=100), False),
        (MinSyn(2, decoder="bernoulli", solver="lbfgs", max_iter=40), True),
        (VectorMinSyn(), False),
        (VectorMinSyn(max_iter=50), True),
        (InfoMax(2), False),
        (AutoEncoder(2, learning_rate=0.02, max_iter=100), False),
        (AutoEncoder(2, learning_rate=0.02, max_iter=100, decoder="sigmoid"), True),
    ],
    ids=str,
)
def test_the_error_does_not_rise(model, bounded, table):
    X = 1 / (1 + np.exp(-table)) if bounded else table
    test = X[:N_TEST]
    errors = []
    for size in SIZES:
        model.set_params(random_state=0).fit(X[N_TEST : N_TEST + size])
        errors.append(squared_error(test, model.inverse_transform(model.transform(test))))
    assert errors[1] < 1.02 * errors[0] < 0.8 * test.var(axis=0).sum()
