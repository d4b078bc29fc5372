"""The reading of the paper's table by the last batch."""

import numpy as np
import torch

from minsyn.datasets import load_letters
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli
from studies import last_batch


def test_decoder_is_eq_10_where_nothing_is_clipped():
    rng = np.random.default_rng(0)
    z, x = rng.uniform(0.2, 0.8, (60, 2)), rng.uniform(0.2, 0.8, (60, 3))
    weights, bias = bernoulli.ci_linear_map(PairwiseStatistics.of(z, x), flip=0.0)
    statistics = last_batch._statistics(torch.from_numpy(z), torch.from_numpy(x))
    for smoothing, eps in (("clip", 1e-4), ("add", 1e-12)):
        ours, offset = last_batch._decoder(statistics, eps, smoothing)
        np.testing.assert_allclose(ours, weights, rtol=1e-6)
        np.testing.assert_allclose(offset, bias, rtol=1e-6)


def test_a_batch_leaks_into_its_own_reconstruction():
    scores = last_batch.last_batch_scores(load_letters("typewriter"), 0, n_steps=30)
    assert scores.train_loss < 0.7 * scores.train_loss_all
    assert scores.test_loss < 0.7 * scores.test_loss_all
    assert 0 < scores.acc < np.log(3)
