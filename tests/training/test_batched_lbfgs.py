"""L-BFGS on many starts at once is as good as L-BFGS on each."""

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der

from minsyn.training.batched_lbfgs import minimise_batch


def test_many_starts_are_minimised_at_once(rng):
    def objective(x):
        return np.array([rosen(row) for row in x]), np.array([rosen_der(row) for row in x])

    starts = rng.normal(size=(5, 4))
    _, loss, converged = minimise_batch(objective, starts, 1000, 1e-12, lambda loss: None)
    assert converged
    for start, found in zip(starts, loss, strict=True):
        assert found <= minimize(rosen, start, jac=rosen_der, method="L-BFGS-B").fun + 1e-6
