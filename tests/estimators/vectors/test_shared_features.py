"""Second parents, and features that are decoded from both."""

import numpy as np
import pytest
from scipy.special import expit

from minsyn.datasets import make_word_images
from minsyn.estimators.vectors.grouping import Grouping, find_groups
from minsyn.estimators.vectors.shared_features import add_second_parents, decode_shared
from vector_factors import shared_table


def test_characters_that_overlap_keep_apart():
    words = make_word_images(random_state=3)
    height, width = words.image_shape
    letters = words.train.reshape(-1, height, 3, 28)
    X = np.zeros((len(letters), height, width - 12), np.float32)
    truth = np.zeros((3, height, width - 12), bool)
    for k in range(3):
        place = slice(22 * k, 22 * k + 28)
        X[:, :, place] = np.maximum(X[:, :, place], letters[:, :, k])
        truth[k, :, place] = True
    X, truth = X.reshape(len(X), -1).astype(float), truth.reshape(3, -1)
    found = add_second_parents(X, find_groups(X))
    assert found.n_groups == 3
    alone = (truth.sum(axis=0) == 1) & (found.groups >= 0)
    shares = [
        np.bincount(truth.argmax(axis=0)[alone & (found.groups == g)]).max() for g in range(3)
    ]
    assert sum(shares) > 0.98 * alone.sum()
    assert np.mean(found.parents[:, alone].sum(axis=0) == 1) > 0.98


def test_columns_with_two_causes_have_two_parents(rng):
    X, grouping = shared_table(3, rng), Grouping.of(np.repeat([0, 1], [10, 13]))
    found = add_second_parents(X, grouping)
    assert found.parents.sum(axis=0).tolist() == [1] * 20 + [2] * 3
    np.testing.assert_array_equal(found.groups, grouping.groups)
    assert found.parents[grouping.parents].all()


def test_a_second_parent_explains_a_tenth_of_the_variance(rng):
    causes = rng.normal(size=(2000, 2))
    X = np.repeat(causes, 5, axis=1)
    weak, strong = (
        np.sqrt(1 - share) * causes[:, :1] + np.sqrt(share) * causes[:, 1:]
        for share in (0.07, 0.13)
    )
    X = np.column_stack([X, weak, strong]) + 0.01 * rng.normal(size=(2000, 12))
    found = add_second_parents(X, Grouping.of(np.repeat([0, 1, 0], [5, 5, 2])))
    assert found.parents.sum(axis=0).tolist() == [1] * 11 + [2]


def test_one_group_has_no_second_parents(rng):
    grouping = Grouping.of(np.zeros(4, int))
    assert add_second_parents(rng.normal(size=(20, 4)), grouping) is grouping


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 1e-1])
def test_a_linear_decoder_is_a_ridge_regression(penalty, rng):
    Z, weight = rng.normal(size=(80, 3)), rng.uniform(1, 3, 80)
    X = Z @ rng.normal(size=(3, 4)) + rng.normal(size=(80, 4))
    mask = np.array([[1, 1, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1]], bool)
    D, c = decode_shared(Z, X, weight, mask, logistic=False, penalty=penalty)
    share = weight / weight.sum()
    dZ, dX = Z - share @ Z, X - share @ X
    ridge = 100 * penalty * np.eye(3)  # of errors that are divided by the total variance
    for i, own in enumerate(mask.T):
        gram = (share[:, np.newaxis] * dZ[:, own]).T
        expected = np.linalg.solve(gram @ dZ[:, own] + ridge[np.ix_(own, own)], gram @ dX[:, i])
        np.testing.assert_allclose(D[own, i], expected, atol=1e-10)
        assert not D[~own, i].any()
    np.testing.assert_allclose(c, share @ (X - Z @ D), atol=1e-10)


def test_a_logistic_decoder_stays_finite_where_latents_tell_all(rng):
    """Without a penalty the weights of separable features would grow for ever."""
    Z = rng.normal(size=(100, 2))
    X = (Z > 0).astype(float)
    mask = np.ones((2, 2), bool)
    sizes = []
    for penalty in (1e-6, 1e-4, 1e-2):
        D, c = decode_shared(Z, X, np.ones(100), mask, logistic=True, penalty=penalty)
        sizes.append(np.linalg.norm(D))
        error = expit(Z @ D + c) - X
        # A stationary point: the slope of the error balances that of the penalty.
        scale = np.sum(X.var(axis=0))
        slope = expit(Z @ D + c) * (1 - expit(Z @ D + c))
        gradient = Z.T @ (error * slope) / 100 / scale + 100 * penalty / 2 * D
        assert np.abs(gradient).max() < 1e-3 * max(1.0, 100 * penalty * np.abs(D).max())
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]
