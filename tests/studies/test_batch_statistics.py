import numpy as np
from scipy.special import expit

from minsyn.benchmark import BatchDecodedMinSyn, decoder_maps
from minsyn.estimators import MinSyn
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli


def test_one_batch_of_all_is_the_exact_decoder(rng):
    X = (rng.random((40, 8)) < 0.5).astype(np.float32)
    model = BatchDecodedMinSyn(2, batch_size=40, random_state=3).fit(X)
    exact = MinSyn(2, decoder="bernoulli", batch_size=40, random_state=3).fit(X)
    np.testing.assert_allclose(model.components_, exact.components_, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(X), exact.reconstruct(X), atol=1e-5)


def test_each_batch_is_decoded_by_its_own_statistics(rng):
    X = (rng.random((10, 8)) < 0.5).astype(float)
    model = BatchDecodedMinSyn(2, batch_size=4, random_state=0).fit(X)
    assert decoder_maps(model).shape == (3 * 2, 8)  # batches of 4, 3 and 3
    new = (rng.random((3, 8)) < 0.5).astype(float)  # one batch
    Z = model._model.transform(new)
    weights, bias = bernoulli.ci_linear_map(PairwiseStatistics.of(Z, new))
    np.testing.assert_allclose(model.reconstruct(new), expit(Z @ weights + bias))
