"""Groups of features are those of the causes."""

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from minsyn import VectorMinSyn
from minsyn.datasets import make_word_images
from minsyn.estimators.vectors import coupling as coupling_module
from minsyn.estimators.vectors import grouping as grouping_module
from minsyn.estimators.vectors.correlations import Correlations
from minsyn.estimators.vectors.grouping import (
    Grouping,
    _settled_unless_blurred,
    coupling_by_falls,
    coupling_of,
    find_groups,
    given_groups,
    with_decoded_features,
)
from minsyn.metrics import group_agreement
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


@pytest.mark.parametrize("sizes", [[30], [10, 10, 10], [3, 5, 20, 40], [4] * 12])
def test_finds_columns_of_tables(sizes, rng):
    X, truth = grouped_table(sizes, 400, 0.5, rng)
    found = find_groups(X)
    assert found.groups.tolist() == truth.tolist()
    np.testing.assert_array_equal(found.parents, np.equal.outer(np.arange(len(sizes)), truth))


@pytest.mark.parametrize("scale", [1e-4, 1e6])
def test_the_unit_of_a_feature_does_not_matter(scale, rng):
    X, truth = grouped_table([4, 6], 400, 0.5, rng)
    X[:, 2] *= scale
    assert find_groups(1e3 + X).groups.tolist() == truth.tolist()


@pytest.mark.parametrize("n_samples", [400, 2000])
def test_the_number_of_groups_does_not_fall_with_more_samples(n_samples, rng):
    X, truth = grouped_table([8] * 5, n_samples, 1.0, rng)
    X += 0.5 * rng.normal(size=(n_samples, 1))  # causes correlated .2
    assert find_groups(X).groups.tolist() == truth.tolist()


def test_one_group_of_several_causes_is_one(rng):
    X = rng.normal(size=(400, 4)) @ rng.normal(size=(4, 30)) + rng.normal(size=(400, 30))
    with pytest.warns(UserWarning, match="one group by default: the 4 factors"):
        found = find_groups(X)
    assert found.groups.tolist() == [0] * 30
    assert found.clarity == pytest.approx(1 - found.eigenvalues[1])


def test_a_single_cause_is_one_group_without_doubt(rng):
    X, _ = grouped_table([20], 200, 1.0, rng)
    found = find_groups(X)  # warnings are errors
    assert found.n_groups == 1 and found.clarity > 0.9


def test_columns_with_two_parents_do_not_tie_groups_together(rng):
    X, truth = grouped_table([10] * 4, 400, 0.8, rng)
    X[:, ::4] += np.roll(X[:, 1::4], 3, axis=1)[:, : X[:, ::4].shape[1]] * 0.7
    assert find_groups(X).n_groups == 4
    assert np.mean(find_groups(X).groups == truth) > 0.9


def test_a_small_group_beside_many_features(rng):
    """Four features' cause stands out from the noise of all; three features' among the rest."""
    for size in (4, 3):
        X, truth = grouped_table([300, 60, size], 300, 1.3, rng)
        assert find_groups(X).groups.tolist() == truth.tolist()


@pytest.mark.parametrize("n_groups", [2, 5])
def test_a_minor_factor_of_two_features_is_no_group(n_groups, rng):
    causes = rng.normal(size=(600, n_groups))
    X = np.repeat(causes, 8, axis=1)
    second = np.arange(0, X.shape[1], 4)  # a quarter of the features has two parents
    X[:, second] = 0.8 * X[:, second] + 0.6 * causes[:, (second // 8 + 1) % n_groups]
    X += 0.7 * rng.normal(size=X.shape)
    X[:, [3, -3]] += 1.5 * rng.normal(size=(600, 1))
    found = find_groups(X)
    assert found.n_groups == n_groups
    assert np.mean(found.groups == np.repeat(np.arange(n_groups), 8)) > 0.9


def test_more_features_than_samples(rng):
    X, truth = grouped_table([100, 400, 200], 150, 0.5, rng)
    assert find_groups(X).groups.tolist() == truth.tolist()


@pytest.mark.parametrize("n_causes", [3, 4])
def test_groups_of_several_causes(n_causes, rng):
    """The first has two causes, the second one or two."""
    causes = rng.normal(size=(400, n_causes))
    maps = np.zeros((n_causes, 40))
    maps[:2, :20] = rng.normal(size=(2, 20))
    maps[2:, 20:] = 1.0 if n_causes == 3 else rng.normal(size=(2, 20))
    X = causes @ maps + 0.5 * rng.normal(size=(400, 40))
    truth = np.repeat([0, 1], 20)
    assert find_groups(X).groups.tolist() == truth.tolist()


def test_as_many_groups_as_asked_for(rng):
    X, truth = grouped_table([5, 5, 5], 400, 0.5, rng)
    assert find_groups(X, n_groups=1).groups.tolist() == [0] * 15
    found = find_groups(X, n_groups=2)
    assert found.n_groups == 2
    assert all(len(set(found.groups[truth == k])) == 1 for k in range(3))
    with pytest.warns(UserWarning, match="show 3 groups, but n_components=2 allows only 2"):
        assert find_groups(X, max_groups=2).n_groups == 2


@pytest.mark.parametrize("sizes", [[8], [8, 8]])
def test_noise_belongs_to_no_group(sizes, rng):
    X, truth = grouped_table(sizes, 300, 0.5, rng)
    X = np.column_stack([np.full(300, 0.1), X, rng.normal(size=(300, 20))])
    groups = find_groups(X).groups
    assert groups[: len(truth) + 1].tolist() == [-1, *truth]
    assert np.mean(groups[len(truth) + 1 :] == -1) > 0.9


def test_columns_without_a_variance_are_left_out(rng):
    """The variance of a constant is rounding, and that of very small values is 0."""
    X = np.column_stack([np.full(20, 0.1), 1e-200 * rng.normal(size=20), rng.normal(size=20)])
    assert X[:, 0].var() > 0 == X[:, 1].var()
    assert find_groups(X).groups.tolist() == [-1, -1, 0]  # warnings are errors


def test_features_of_a_rare_value_that_never_occurs_alone_do_not_represent_a_group():
    """Both groups predict them, and no latent is fitted to them."""
    rng = np.random.default_rng(1)
    values = rng.random((5, 30)), rng.random((4, 30))
    values[0][:4, 25:] = values[1][:3, 25:] = 0
    first = np.repeat(np.arange(5), [5, 5, 5, 5, 2])
    second = np.append(np.arange(20) % 3, [3, 3])
    X = np.column_stack([values[0][first], values[1][second]])
    found = find_groups(X)
    assert np.flatnonzero(~found.core).tolist() == [*range(25, 30), *range(55, 60)]
    assert found.groups[found.core].tolist() == [0] * 25 + [1] * 25
    assert found.parents.sum(axis=0).tolist() == [1] * 60
    model = VectorMinSyn(4, max_iter=2, random_state=0).fit(X)
    np.testing.assert_array_equal(model.encoder_weights_.any(axis=0), found.core)
    assert model.components_.any(axis=0).all()


def test_groups_that_resemble_each_other_as_a_whole_keep_their_features(rng):
    X, truth = grouped_table([150, 150], 500, 0.2, rng)
    X += 7 * X[:, :1]  # causes correlated .98
    found = find_groups(X, n_groups=2)
    assert found.groups.tolist() == truth.tolist() and found.core.all()


def test_items_that_load_a_little_on_other_factors(rng, monkeypatch):
    """Eigenvalues fall gradually; the modules are clear."""
    truth = np.repeat(np.arange(5), 5)
    loadings = np.eye(5)[truth] + 0.27 * rng.normal(size=(25, 5))
    X = rng.normal(size=(400, 5)) @ loadings.T + rng.normal(size=(400, 25))
    correlations = Correlations(X)
    assert coupling_by_falls(correlations)[1] == 1 and coupling_of(correlations)[1] == 5
    found = find_groups(X)
    assert np.mean(found.groups == truth) > 0.9
    # Of many factors, the first eigenvalues are computed where the last of them is small.
    monkeypatch.setattr(coupling_module, "_SMALL", 1.0)
    for first, n_groups in ((3, None), (5, None), (5, 5)):
        monkeypatch.setattr(coupling_module, "_FIRST_EIGENVALUES", first)
        again = find_groups(X, n_groups=n_groups)
        assert again.groups.tolist() == found.groups.tolist()
        assert again.clarity == pytest.approx(found.clarity)


def test_more_groups_than_there_are_factors_cannot_be_told_apart(rng, monkeypatch):
    X = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 20)) + 0.1 * rng.normal(size=(50, 20))
    with pytest.raises(ValueError, match="only 4 can be told apart by the common factors"):
        find_groups(X, n_groups=8)
    # Nor can more than the features that factors couple.
    graph = SimpleNamespace(axes=np.zeros((8, 20)), eigenvalues=np.ones(3))
    monkeypatch.setattr(grouping_module, "coupling_of", lambda correlations, n: (graph, n))
    with pytest.raises(ValueError, match="only 3 can be told apart by the common factors"):
        find_groups(X, n_groups=4)


def test_warns_of_features_that_depend_only_all_together(rng):
    X, truth = grouped_table([6, 6], 200, 0.5, rng)
    coins = rng.integers(2, size=(200, 3))
    coins[:, 2] = coins[:, 0] != coins[:, 1]
    X = np.column_stack([X, coins])
    with pytest.warns(UserWarning, match="features 12, 13 and 14 depend on each other only"):
        found = find_groups(X)
    assert found.groups.tolist() == [*truth, -1, -1, -1]
    with pytest.warns(UserWarning) as caught:
        find_groups(coins.astype(float))
    assert ["no two features" in str(w.message) for w in caught] == [True, False]


def test_one_group_where_there_is_nothing_to_group(rng):
    for X in (rng.normal(size=(3, 5)), rng.normal(size=(20, 1))):
        assert find_groups(X).groups.tolist() == [0] * X.shape[1]
        with pytest.raises(ValueError, match="only 1 can be told apart in"):
            find_groups(X, n_groups=2)
    constant = find_groups(np.ones((20, 2)))
    assert constant.groups.tolist() == [-1, -1] and constant.n_groups == 1
    for n_samples in (4, 50):
        with pytest.warns(UserWarning, match="no two features"):
            assert find_groups(rng.normal(size=(n_samples, 6))).groups.tolist() == [0] * 6


def test_a_factor_that_no_feature_clearly_loads_on_has_no_groups(monkeypatch):
    """One direction spread over very many features, of few samples."""
    correlations, axis = Correlations(np.ones((6, 200))), np.full((1, 200), 200**-0.5)
    monkeypatch.setattr(
        correlations, "significant_components", lambda features: (np.array([1.5]), axis, 1)
    )
    assert coupling_of(correlations) == coupling_of(correlations, 2) == (None, 1)


def test_given_groups_are_numbered_in_the_order_of_labels():
    labels, varies = np.array([9, 4, -3, 4, 6]), np.array([True] * 4 + [False])
    found = given_groups(labels, varies)
    assert found.groups.tolist() == [1, 0, -1, 0, -1]
    assert found.n_groups == 2 and found.clarity is None
    np.testing.assert_array_equal(found.parents, Grouping.of(found.groups).parents)
    none = given_groups(labels, np.zeros(5, bool))
    assert none.groups.tolist() == [-1] * 5 and none.n_groups == 1


def test_features_of_no_group_are_decoded_from_the_one_that_tells_most(rng):
    X, _ = grouped_table([5, 5], 300, 0.5, rng)
    X = np.column_stack([X, X[:, 7] + 3 * rng.normal(size=300), np.ones(300)])
    labels = np.repeat([0, 1, -1], [5, 5, 2])
    found = with_decoded_features(X, Grouping.of(labels))
    assert found.groups.tolist() == labels.tolist()
    assert found.parents[:, 10].tolist() == [False, True] and not found.parents[:, 11].any()


def test_clarity_is_that_of_the_least_clear_choice(rng, monkeypatch):
    """Of the groups, and of those among features that none of them tells about."""
    X = np.repeat(rng.normal(size=(300, 3)), 8, axis=1) + rng.normal(size=(300, 24))
    clear = find_groups(X).clarity
    monkeypatch.setattr(
        "minsyn.estimators.vectors.grouping._with_groups_of_the_rest",
        lambda correlations, found, max_groups: (found, 0.25),
    )
    assert find_groups(X).clarity == 0.25 < clear


def test_letters_that_overlap_are_not_settled_into_each_other():
    """Pixels with two parents carry both letters: settled, two letters would be one group."""
    words = make_word_images(overlap=0.25, random_state=1)
    alone = (words.parents.sum(axis=0) == 1) & (words.train.std(axis=0) > 0)
    grouping = find_groups(words.train.astype(float))
    assert grouping.n_groups == 3
    truth = words.parents.argmax(axis=0)[alone]
    assert group_agreement(grouping.groups[alone], truth).adjusted_rand > 0.98


def test_groups_of_the_rest_are_as_many_as_allowed(rng, monkeypatch):
    X, truth = grouped_table([8] * 4, 300, 2.0, rng)
    correlations, first = Correlations(X), np.where(truth == 0, 0, -1)
    rest, number = coupling_of(correlations.among(np.flatnonzero(truth)))
    found, clarity = grouping_module._with_groups_of_the_rest(correlations, first, None)
    assert found.tolist() == truth.tolist()
    assert number == 3 and clarity == pytest.approx(rest.falls[2]) and clarity < 1
    for most in (1, 2, 3):
        found, _ = grouping_module._with_groups_of_the_rest(correlations, first, most)
        assert found.max() == most - 1
    # A round that takes no feature out of the rest is the last, and does not count.
    settled = grouping_module._settled
    monkeypatch.setattr(
        grouping_module, "_settled", lambda c, g, n: first if len(g) == 32 else settled(c, g, n)
    )
    found, clarity = grouping_module._with_groups_of_the_rest(correlations, first, None)
    assert found.tolist() == first.tolist() and clarity == 1


def test_two_features_of_the_rest_can_be_a_group(rng):
    X, truth = grouped_table([6, 2], 300, 0.5, rng)
    first = np.where(truth == 0, 0, -1)
    found, _ = grouping_module._with_groups_of_the_rest(Correlations(X), first, None)
    assert found.tolist() == truth.tolist()


def test_all_groups_are_kept_where_so_many_were_asked_for(rng):
    X, truth = grouped_table([6, 6], 300, 1.0, rng)
    wrong = np.where(np.arange(12) == 0, 1, truth)
    for keep_all in (True, False):
        found = grouping_module._settled(Correlations(X), wrong, 2, keep_all)
        assert found.tolist() == truth.tolist()
    one = Correlations(X[:, :6])
    halves = np.repeat([0, 1], 3)
    assert len(set(grouping_module._settled(one, halves, 2, keep_all=True))) == 2
    assert len(set(grouping_module._settled(one, halves, 2))) == 1


def test_groups_that_settling_empties(rng, monkeypatch):
    X, _ = grouped_table([6, 6], 300, 1.0, rng)
    for found in (-1, 0):
        monkeypatch.setattr(
            grouping_module,
            "_settled_unless_blurred",
            lambda c, graph, n, keep_all, found=found: (np.full(12, found), True),
        )
        with pytest.warns(UserWarning, match="one group by default"):
            assert find_groups(X).groups.tolist() == [0] * 12
        with pytest.raises(ValueError, match="as the others tell most about no feature"):
            find_groups(X, n_groups=2)


@pytest.mark.parametrize(
    ("n_groups", "n_factors", "clarity", "max_groups", "message"),
    [
        (1, 1, 0.5, None, None),
        (1, 3, 0.5, 1, None),
        (2, 3, 0.5, None, None),
        (1, 3, 0.5, None, "one group by default: the 3 factors"),
        (2, 3, 0.05, None, "unclear"),
        (2, 3, 0.05, 1, "show 2 groups, but n_components=1"),
    ],
)
def test_doubts_are_told_where_there_are_some(n_groups, n_factors, clarity, max_groups, message):
    grouping = replace(Grouping.of(np.arange(6) % n_groups), clarity=clarity)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grouping_module._warn_of_doubts(grouping, n_factors, n_groups, max_groups)
    assert len(caught) == (message is not None)
    assert message is None or message in str(caught[0].message)


def test_groups_are_settled_unless_that_makes_them_worse_ones_of_the_graph(rng):
    X, truth = grouped_table([6, 6], 300, 1.0, rng)
    wrong, settled = np.where(np.arange(12) == 0, 1, truth), _settled_unless_blurred
    for share, expected in ((0.85, wrong), (0.95, truth)):
        graph = SimpleNamespace(labels=lambda n: wrong)
        graph.association = lambda found, n, share=share: 1.0 if found is wrong else share
        found, blurred = settled(Correlations(X), graph, 2, keep_all=False)
        assert found.tolist() == expected.tolist() and blurred is (share < 0.9)


def test_unclear_features_move_only_where_another_group_tells_clearly_more(rng, monkeypatch):
    causes = rng.normal(size=(400, 2))
    of_both = causes @ [[1.0, 0.2], [1.0, 1.0]] + 0.1 * rng.normal(size=(400, 2))
    X = np.column_stack([np.repeat(causes, 6, axis=1) + 0.5 * rng.normal(size=(400, 12)), of_both])
    correlations, clear = Correlations(X), np.arange(14) < 12
    for tie, own in ((0.2, [0, 1]), (0.0, [0, 1]), (0.2, [1, 0]), (0.0, [1, 0])):
        monkeypatch.setattr(grouping_module, "_TIE", tie)
        groups = np.append(np.repeat([0, 1], 6), own)
        moved = grouping_module._moved_to_cores(correlations, groups, clear, 2)
        assert moved[:12].tolist() == groups[:12].tolist() and moved[13] == 1
        assert tie == 0.0 or moved[12] == own[0]


@pytest.mark.parametrize(("n_clear", "expected"), [(2, 6), (3, 3)])
def test_a_group_of_which_less_than_half_is_clear_is_so_as_a_whole(n_clear, expected, monkeypatch):
    own, rival = np.full(6, 0.5), np.where(np.arange(6) < n_clear, 0.2, 0.49)
    nats = -0.5 * np.log(1 - np.block([[own, np.zeros(6)], [rival, own]]))
    for name, value in (("group_dimensions", None), ("group_information", nats)):
        monkeypatch.setattr(
            grouping_module, name, lambda *arguments, value=value: SimpleNamespace(nats=value)
        )
    clear = grouping_module._clear_features(None, np.repeat([0, 1], 6), 2)
    assert clear.tolist() == [True] * expected + [False] * (6 - expected) + [True] * 6


def test_all_features_of_a_single_group_are_clear():
    """Also one that the others tell nothing about."""
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    correlations, groups = Correlations(corners[:, [0, 0, 0, 1]]), np.zeros(4, int)
    _, clear = grouping_module._with_cores(correlations, groups)
    assert clear.all()


@pytest.mark.parametrize(
    ("numbers", "falls", "expected"),
    [
        ((1, 2, 2), (0.9, 0.30, 0.35), 6),  # no groups of all; not 1.25 times as clear
        ((1, 2, 2), (0.9, 0.30, 0.40), 4),
        ((2, 4, 2), (0.3, 0.90, 0.35), 8),  # more than one group for two factors
        ((2, 5, 2), (0.3, 0.90, 0.40), 4),
        ((5, 4, 3), (0.3, 0.90, 0.90), 8),
        ((1, 4, 3), (0.9, 0.90, 0.90), None),
        ((8, 1, 1), (0.3, 0.90, 0.90), 8),
    ],
)
def test_the_first_factors_are_taken_where_they_show_groups_clearly(numbers, falls, expected):
    """Of eight, six and four factors."""
    graphs = {}
    for m, number, fall in zip((8, 6, 4), numbers, falls, strict=True):
        graph = SimpleNamespace(n_groups=lambda *least, number=number: number, m=m)
        graph.falls = np.where(np.arange(m) == number - 1, fall, 0.01)
        graphs[m] = graph
    found = grouping_module._clearest(lambda m: graphs.pop(m), 8)
    assert (found and (found[0].m, found[1])) == (
        expected and (expected, dict(zip((8, 6, 4), numbers, strict=True))[expected])
    )


def test_a_given_number_of_groups_is_sought_in_the_factors_that_show_it(rng):
    """Two groups of two causes each; six pairs of features have small ones of their own."""
    causes, maps = rng.normal(size=(400, 4)), np.zeros((4, 24))
    maps[:2, :12], maps[2:, 12:] = rng.normal(size=(2, 2, 12))
    X = causes @ maps + 0.3 * rng.normal(size=(400, 24))
    for i in range(0, 24, 4):
        X[:, [i, (i + 13) % 24]] += 1.2 * rng.normal(size=(400, 1))
    coupled, _ = coupling_by_falls(Correlations(X), n_groups=2)
    assert len(coupled.axes) == 4 and coupled.falls[1] > 0.2
    assert np.mean(coupled.labels(2) == np.repeat([0, 1], 12)) > 0.95
