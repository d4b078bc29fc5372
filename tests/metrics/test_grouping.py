import itertools

import numpy as np
import pytest

from minsyn.metrics import group_agreement


def fewest_wrong(found, truth):
    """Every renaming of the groups found, tried."""
    n = max(found.max(), truth.max()) + 1
    renamings = (np.array([*names, -1]) for names in itertools.permutations(range(n)))
    return min(int(np.sum(names[found] != truth)) for names in renamings)


@pytest.mark.parametrize("seed", range(5))
def test_wrong_features_are_those_of_the_best_renaming(seed):
    rng = np.random.default_rng(seed)
    truth, found = rng.integers(-1, 3, 30), rng.integers(-1, 4, 30)
    assert group_agreement(found, truth).wrong_features == fewest_wrong(found, truth)


def test_a_split_and_a_merged_group():
    truth = np.repeat([0, 1, 2], [6, 4, 2])
    split = group_agreement(np.repeat([0, 1, 2, 3], [3, 3, 4, 2]), truth)
    merged = group_agreement(np.repeat([0, 1], [6, 6]), truth)
    assert (split.n_groups, split.wrong_features) == (4, 3)
    assert (merged.n_groups, merged.wrong_features) == (2, 2)
    assert 0 < split.adjusted_rand < 1 and 0 < merged.adjusted_rand < 1


def test_the_same_partition_and_chance(rng):
    truth = rng.integers(-1, 4, 4000)
    same = group_agreement(np.array([3, 0, 2, 1, -1])[truth], truth)
    assert (same.n_groups, same.adjusted_rand, same.wrong_features) == (4, 1.0, 0)
    chance = group_agreement(rng.permutation(truth), truth)
    assert chance.adjusted_rand == pytest.approx(0, abs=0.01)


def test_all_flagged_has_no_groups():
    agreement = group_agreement([-1, -1, -1], [0, 1, -1])
    assert (agreement.n_groups, agreement.wrong_features) == (0, 2)


@pytest.mark.parametrize(
    ("found", "truth", "message"),
    [
        ([0, 1], [0, 1, 1], "2 and 3"),
        ([], [], "found: expected an integer for each feature"),
        ([0.5, 1], [0, 1], "found: expected an integer"),
        ([0, 1], [[0, 1]], "truth: expected an integer"),
    ],
)
def test_errors(found, truth, message):
    with pytest.raises(ValueError, match=message):
        group_agreement(found, truth)
