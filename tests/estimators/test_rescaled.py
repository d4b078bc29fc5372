"""A model of scaled data becomes one of the data."""

import numpy as np
import pytest
from torch import nn

from minsyn.estimators import AutoEncoder, MinSyn, VectorMinSyn
from minsyn.information import PairwiseStatistics


@pytest.fixture(name="X")
def make_x(rng):
    causes = rng.exponential(size=(80, 2))
    return 50 + (np.repeat(causes, 2, axis=1) + 0.3 * rng.random((80, 4))) * [1, 10, 100, 0.1]


@pytest.mark.parametrize(
    "model",
    [
        MinSyn(2, max_iter=30, random_state=0),
        MinSyn(2, encoder=(3,), max_iter=20, random_state=0),
        MinSyn(2, decoder="bernoulli", max_iter=30, random_state=0),
        VectorMinSyn(2, max_iter=50, random_state=0),
        AutoEncoder(2, max_iter=30, random_state=0),
    ],
    ids=str,
)
@pytest.mark.parametrize("standard", [False, True])
def test_latents_stay_and_reconstructions_are_in_the_datas_units(model, standard, X):
    mean, scale = X.min(axis=0), np.ptp(X, axis=0)
    if standard and not (isinstance(model, MinSyn) and model.decoder == "bernoulli"):
        mean, scale = X.mean(axis=0), X.std(axis=0)
    scaled = (X - mean) / scale
    fitted = model.fit(scaled)
    before = fitted.components_.copy()
    unscaled = fitted.rescaled(mean, scale)
    assert np.array_equal(fitted.components_, before)  # the copy alone is another model
    np.testing.assert_allclose(unscaled.transform(X), fitted.transform(scaled), atol=1e-9)
    expected = fitted.reconstruct(scaled)
    if fitted.observations_.affine:
        expected = mean + scale * expected
        if isinstance(model, MinSyn):
            known = PairwiseStatistics.of(unscaled.transform(X), X)
            for name in ("mean_x", "cov_zx", "var_x", "cov_zz"):
                np.testing.assert_allclose(
                    getattr(unscaled.statistics_, name), getattr(known, name), rtol=1e-6, atol=1e-9
                )
    np.testing.assert_allclose(unscaled.reconstruct(X), expected, rtol=1e-9)


def test_a_module_of_ones_own_cannot_be_rescaled(X):
    model = MinSyn(2, encoder=nn.Linear(4, 2), max_iter=2).fit(X)
    with pytest.raises(ValueError, match="a custom encoder cannot be rescaled"):
        model.rescaled(np.zeros(4), np.ones(4))
