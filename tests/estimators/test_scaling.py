import numpy as np
import pytest
from minsyn.estimators._scaling import undo_scaling

from minsyn import MinSyn
from minsyn.information import PairwiseStatistics


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
def test_a_model_of_scaled_data_becomes_one_of_the_data(rng, decoder):
    X = 50 + rng.exponential(size=(80, 4)) * [1, 10, 100, 0.1]
    mean, scale = X.min(axis=0), np.ptp(X, axis=0)
    scaled = (X - mean) / scale
    model = MinSyn(2, decoder=decoder, solver="lbfgs", max_iter=30, random_state=0).fit(scaled)
    latents, reconstruction = model.transform(scaled), model.reconstruct(scaled)
    undo_scaling(model, mean, scale)
    np.testing.assert_allclose(model.transform(X), latents)
    if decoder == "gaussian":
        np.testing.assert_allclose(model.reconstruct(X), mean + scale * reconstruction)
        expected = PairwiseStatistics.of(model.transform(X), X)
        for name in ("mean_x", "cov_zx", "var_x", "cov_zz"):
            np.testing.assert_allclose(getattr(model.statistics_, name), getattr(expected, name))
    else:
        np.testing.assert_allclose(model.reconstruct(X), reconstruction)
