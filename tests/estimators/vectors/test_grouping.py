"""Groups of features are those of the causes."""

import numpy as np
import pytest

from minsyn.datasets import make_word_images
from minsyn.estimators.vectors.grouping import Grouping, find_groups, given_groups
from vector_factors import grouped_table


@pytest.mark.parametrize("noise", [0.1, 0.25, 0.5])
def test_finds_the_characters_of_noisy_words(noise, rng):
    words = make_word_images(random_state=3)
    X = np.clip(words.train + noise * rng.normal(size=words.train.shape), 0, 1)
    found = find_groups(X)
    assert found.n_groups == 3
    member = found.groups >= 0
    shares = [np.bincount(words.groups[found.groups == g]).max() for g in range(3)]
    assert sum(shares) > 0.95 * member.sum() > 300


@pytest.mark.parametrize("sizes", [[30], [10, 10, 10], [3, 5, 20, 40], [2, 2, 2], [4] * 12])
def test_finds_columns_of_tables(sizes, rng):
    X, truth = grouped_table(sizes, 400, 0.5, rng)
    found = find_groups(X)
    assert found.groups.tolist() == truth.tolist()
    np.testing.assert_array_equal(found.parents, np.equal.outer(np.arange(len(sizes)), truth))


def test_units_of_features_do_not_matter(rng):
    X, truth = grouped_table([4, 6], 400, 0.5, rng)
    groups = find_groups(1e3 + X * rng.uniform(0.5, 2, 10)).groups
    assert groups.tolist() == truth.tolist()


def test_more_features_than_samples(rng):
    X, truth = grouped_table([100, 400, 200], 150, 0.5, rng)
    assert find_groups(X).groups.tolist() == truth.tolist()


def test_features_move_to_the_group_that_tells_most(rng):
    """By correlation, features stay with their code, and without one they belong to none."""
    causes = rng.normal(size=(400, 4))
    maps = np.zeros((4, 40))
    maps[:2, :20], maps[2:, 20:] = rng.normal(size=(2, 2, 20))
    X = causes @ maps + 0.5 * rng.normal(size=(400, 40))
    truth = np.repeat([0, 1], 20)
    assert find_groups(X).groups.tolist() == truth.tolist()
    assert np.any(find_groups(X, by="correlation").groups == -1)


def test_as_many_groups_as_asked_for(rng):
    X, truth = grouped_table([5, 5, 5], 400, 0.5, rng)
    found = find_groups(X, n_groups=2)
    assert found.n_groups == 2
    assert all(len(set(found.groups[truth == k])) == 1 for k in range(3))
    assert find_groups(X, max_groups=2).n_groups <= 2


def test_noise_belongs_to_no_group(rng):
    X, truth = grouped_table([8, 8], 300, 0.5, rng)
    X = np.column_stack([np.full(300, 0.1), X, rng.normal(size=(300, 20))])
    groups = find_groups(X).groups
    assert groups[:17].tolist() == [-1, *truth]
    assert np.mean(groups[17:] == -1) > 0.9


def test_one_group_where_there_is_nothing_to_group(rng):
    for X in (rng.normal(size=(3, 5)), rng.normal(size=(20, 1))):
        assert find_groups(X).groups.tolist() == [0] * X.shape[1]
    constant = find_groups(np.ones((20, 2)))
    assert constant.groups.tolist() == [-1, -1] and constant.n_groups == 1
    with pytest.warns(UserWarning, match="no two features"):
        assert find_groups(rng.normal(size=(50, 6))).groups.tolist() == [0] * 6


def test_given_groups_are_numbered_in_the_order_of_labels():
    labels, varies = np.array([9, 4, -3, 4, 6]), np.array([True] * 4 + [False])
    found = given_groups(labels, varies)
    assert found.groups.tolist() == [1, 0, -1, 0, -1]
    assert found.n_groups == 2 and found.graph is None
    np.testing.assert_array_equal(found.parents, Grouping.of(found.groups).parents)
    none = given_groups(labels, np.zeros(5, bool))
    assert none.groups.tolist() == [-1] * 5 and none.n_groups == 1
