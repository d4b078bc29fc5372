"""Parents of features: when a further one is added, and when not."""

import numpy as np
import pytest
from scipy.stats import f as fdist
from scipy.stats import ncf

from minsyn.datasets import make_word_images
from minsyn.estimators.vectors import parents as parents_module
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.parents import _p_values, add_parents, given_parents
from vector_factors import shared_table


def several_parents(n_samples, correlation, rng):
    """Four groups of eight columns; of every group, two columns have two causes and one three."""
    mixing = np.linalg.cholesky(np.full((4, 4), correlation) + (1 - correlation) * np.eye(4))
    causes = rng.normal(size=(n_samples, 4)) @ mixing.T
    groups = np.repeat(np.arange(4), 8)
    parents = np.equal.outer(np.arange(4), groups)
    for group in range(4):
        parents[(group + 1) % 4, 8 * group + np.array([5, 6, 7])] = True
        parents[(group + 2) % 4, 8 * group + 7] = True
    X = causes @ (parents * rng.uniform(0.6, 1.0, size=parents.shape))
    return X + 0.4 * rng.normal(size=X.shape), Grouping.of(groups), parents


@pytest.mark.parametrize(("n_samples", "correlation"), [(200, 0.0), (5000, 0.0), (20_000, 0.3)])
def test_columns_with_several_causes_have_them_as_parents(n_samples, correlation, rng):
    X, grouping, truth = several_parents(n_samples, correlation, rng)
    found = add_parents(X, grouping)
    np.testing.assert_array_equal(found.groups, grouping.groups)
    assert found.parents[grouping.parents].all()
    missed, wrong = np.sum(truth & ~found.parents), np.sum(found.parents & ~truth)
    assert missed <= 1
    assert wrong <= (1 if correlation else 0)
    assert add_parents(X, grouping, 2).parents.sum(axis=0).max() == 2
    assert add_parents(X, grouping, 1) is grouping


def test_a_small_effect_makes_no_parent_however_many_samples(rng):
    causes = rng.normal(size=(20_000, 2))
    X = np.repeat(causes, 5, axis=1) + 0.01 * rng.normal(size=(20_000, 10))
    noise = rng.normal(size=(20_000, 2))
    # Of what the first parent leaves, the second explains 1 % and 4 %.
    X = np.column_stack([X, causes[:, [0]] + noise + np.sqrt([0.01, 0.04]) * causes[:, [1]]])
    grouping = Grouping.of(np.repeat([0, 1, 0], [5, 5, 2]))
    assert add_parents(X, grouping).parents.sum(axis=0).tolist() == [1] * 11 + [2]
    # And of few samples, neither is clear.
    assert add_parents(X[:60], grouping).parents.sum(axis=0).max() == 1


def test_noise_makes_parents_as_rarely_as_promised(rng):
    n_found = []
    for _ in range(12):
        X = np.repeat(rng.normal(size=(30, 4)), 5, axis=1) + rng.normal(size=(30, 20))
        found = add_parents(X, Grouping.of(np.repeat(np.arange(4), 5)))
        n_found.append(found.parents.sum() - 20)
    assert sum(n_found) <= 1


def test_letters_that_shift_keep_apart_where_they_do_not_overlap():
    words = make_word_images(samples_per_word=2, jitter=1, random_state=3)
    X, parents = words.train[:, ::11].astype(float), words.parents[:, ::11]
    found = add_parents(X, given_parents(X, parents))
    assert np.mean(found.parents == parents) > 0.99


def test_what_the_parents_tell_exactly_needs_no_other(rng):
    causes = rng.normal(size=(50, 2)) @ np.array([[1, 0.5], [0, 1]])
    X = np.repeat(causes, 3, axis=1)
    X[:, 1] *= 1e6
    found = add_parents(X, Grouping.of(np.repeat([0, 1], 3)))
    assert found.parents.sum(axis=0).tolist() == [1] * 6


@pytest.mark.parametrize(("n_alone", "expected"), [(3, 3), (2, 4)])
def test_features_with_one_parent_represent_their_group_where_these_are_three(
    n_alone, expected, rng, monkeypatch
):
    """First half of a group's features do, which is four of seven, then those."""
    grouping, sizes = Grouping.of(np.repeat([0, 1], [7, 8])), []
    parents = grouping.parents.copy()
    parents[1, n_alone:7] = True
    components = parents_module.leading_components

    def leading_components(dX, depth):
        sizes.append(dX.shape[1])
        return components(dX, depth)

    monkeypatch.setattr(parents_module, "leading_components", leading_components)
    monkeypatch.setattr(parents_module, "_searched", lambda *arguments: parents)
    add_parents(rng.normal(size=(20, 15)), grouping)
    assert sizes == [4, 4, expected, 8]


def test_edges(rng):
    grouping = Grouping.of(np.zeros(4, int))
    assert add_parents(rng.normal(size=(20, 4)), grouping) is grouping
    two = Grouping.of(np.array([0, 0, 1, 1, -1]))
    X = rng.normal(size=(3, 5))
    X[:, 0] = 1.0  # in a group by mistake: constant
    np.testing.assert_array_equal(add_parents(X, two).parents, two.parents)
    X = shared_table(3, rng)
    labels = np.repeat([0, 1], [10, 13])
    labels[0] = -1
    found = add_parents(X, Grouping.of(labels)).parents.sum(axis=0)
    assert found.tolist() == [0] + [1] * 19 + [2] * 3


def test_given_parents(rng):
    X = shared_table(3, rng)
    parents = np.zeros((2, 23), bool)
    parents[0, :10] = parents[1, 10:20] = parents[:, 20:] = True
    X[:, 0] = 2.0
    X[:, 22] = 3 * X[:, 3] + X[:, 13]
    found = given_parents(X, parents)
    assert found.groups[:20].tolist() == [-1] + [0] * 9 + [1] * 10
    assert found.groups[22] == 0
    assert not found.parents[:, 0].any()
    np.testing.assert_array_equal(found.parents[:, 1:], parents[:, 1:])
    parents[1, :20] = True
    parents[0, 10:] = True
    with pytest.raises(ValueError, match="group 0 is the only parent of no feature"):
        given_parents(X, parents)
    parents[1, 1:10] = False
    parents[0, 1:10] = True
    with pytest.raises(ValueError, match="group 1 is the only parent of no feature"):
        given_parents(X, parents)


@pytest.mark.parametrize("n", [7, 60])
def test_p_values_are_those_of_the_minimum_effect_test(n, rng):
    """By regressions on the parent, and on it and the other group; once with one left over."""
    noise = rng.normal(size=(n, 4))
    scores = [np.linalg.qr(rng.normal(size=(n, d)))[0] for d in (2, 3)]
    scores = [s - s.mean(axis=0) for s in scores]
    dX = 5 * scores[0][:, :1] + 4 * scores[1][:, :1] * [0, 1, 2, 4] + 0.5 * noise
    dX -= dX.mean(axis=0)
    parents = np.array([[True] * 4, [False] * 4])
    found = _p_values(dX, scores, parents)
    assert (found[0] == 1).all()

    def left(design):
        return np.sum((dX - design @ np.linalg.lstsq(design, dX, rcond=None)[0]) ** 2, axis=0)

    v, rest, freedom = left(scores[0]), left(np.hstack(scores)), n - 1 - 2 - 3
    f = (v - rest) / 3 / (rest / freedom)
    expected = ncf.sf(f, 3, freedom, n * 0.02)
    of_no_effect = fdist.sf(f, 3, freedom)
    significant = of_no_effect <= 0.05
    assert (significant.any() and expected.min() < 1e-3) or n == 7
    np.testing.assert_allclose(found[1, significant], expected[significant], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found[1, ~significant], of_no_effect[~significant], rtol=1e-6)
