"""`VectorMinSyn`: what it finds on words and tables, and that none of its options is ignored."""

import inspect
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from minsyn import VectorMinSyn
from minsyn.datasets import load_letters, make_word_images
from minsyn.information import synergy
from minsyn.metrics import average_character_concentration, squared_error
from vector_factors import grouped_table, shared_table


@parametrize_with_checks([VectorMinSyn()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def words():
    return make_word_images(random_state=3)


@pytest.fixture(scope="module")
def fitted(words):
    return VectorMinSyn(9, random_state=0).fit(words.train)


def test_separates_the_characters_of_words(words, fitted):
    varies = words.train.min(axis=0) < words.train.max(axis=0)
    groups, positions = fitted.groups_[varies], words.groups[varies]
    assert len(set(zip(groups.tolist(), positions.tolist(), strict=True))) == 3
    assert np.all(fitted.groups_[~varies] == -1)
    assert average_character_concentration(fitted.components_, words.groups) < 1e-12
    # Unseen words are reconstructed as well as seen ones, but for the choice of words.
    train, test = (squared_error(X, fitted.reconstruct(X)) for X in (words.train, words.test))
    assert test < 1.3 * train
    assert fitted.link_ == "logit"


def test_has_little_synergy_between_factors(words, fitted):
    X = words.train[:, words.train.std(axis=0) > 0.1]
    Z = fitted.transform(words.train)
    between_latents, between_factors = (
        synergy(Z, X, measures="gk_synergy", groups=groups).means["gk_synergy"]
        for groups in (None, fitted.latent_groups_)
    )
    assert between_latents > 0.3 and between_factors < 0.2 * between_latents


def test_is_as_good_as_the_oracle_where_the_groups_are_right(words, fitted):
    oracle = VectorMinSyn([3, 3, 3], grouping=words.groups, random_state=0).fit(words.train)
    losses = [squared_error(words.test, m.reconstruct(words.test)) for m in (oracle, fitted)]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)
    assert oracle.eigenvalues_ is None and oracle.clarity_ is None
    np.testing.assert_allclose(fitted.eigenvalues_[:3], 1, atol=0.01)
    assert fitted.clarity_ == pytest.approx(1 - fitted.eigenvalues_[3], abs=0.01)


def test_noise_and_constants_belong_to_none(rng):
    X, truth = grouped_table([8, 8], 300, 0.5, rng)
    X = np.column_stack([X, rng.normal(size=(300, 20)), np.full(300, 0.1)])
    model = VectorMinSyn(random_state=0).fit(X)
    assert model.groups_[:16].tolist() == truth.tolist()
    none = model.groups_ == -1
    assert none[-1] and np.mean(none[16:]) > 0.9
    assert not model.encoder_weights_[:, none].any()
    assert model.parents_.sum(axis=0).tolist() == [1] * 36 + [0]


def test_a_feature_of_no_group_is_not_replaced_by_its_mean(rng):
    X, _ = grouped_table([8, 8], 100, 0.3, rng)
    X = np.column_stack([X, 0.3 * X[:, 9] + rng.normal(size=100)])
    labels = np.repeat([0, 1, -1], [8, 8, 1])
    model = VectorMinSyn(grouping=labels, random_state=0).fit(X)
    assert model.parents_[:, 16].tolist() == [False, True]
    assert np.corrcoef(model.reconstruct(X)[:, 16], X[:, 9])[0, 1] > 0.9


@pytest.mark.parametrize("scale", [1e-6, 1e4, 1e6])
def test_the_unit_of_a_column_changes_no_group(scale, rng):
    X, truth = grouped_table([4, 4], 200, 0.5, rng)
    X[:, 2] *= scale
    model = VectorMinSyn(random_state=0).fit(X)
    assert model.groups_.tolist() == truth.tolist()
    residual = (X - model.reconstruct(X)).var(axis=0)
    assert np.all(residual < 0.5 * X.var(axis=0))


@pytest.mark.parametrize("n_samples", [300, 20_000])
def test_the_error_does_not_rise_with_the_number_of_samples(n_samples):
    rng = np.random.default_rng(0)
    X, _ = grouped_table([10, 10], n_samples + 500, 1.0, rng)
    X, test = X[:-500], X[-500:]
    model = VectorMinSyn(random_state=0).fit(X)
    assert squared_error(test, model.reconstruct(test)) < 1.02 * 18  # all but the two causes


def test_values_of_letters_are_balanced_by_default(words):
    default, on, off = (
        VectorMinSyn(9, balance=balance, max_iter=5, random_state=0).fit(words.train)
        for balance in ("auto", True, False)
    )
    np.testing.assert_array_equal(default.components_, on.components_)
    assert not np.array_equal(default.components_, off.components_)


def test_warns_at_the_callers_line_where_nothing_is_correlated(rng):
    X = rng.normal(size=(50, 6))
    with pytest.warns(UserWarning, match="no two features") as caught:
        model = VectorMinSyn(2, random_state=0).fit(X)
    assert caught[0].filename == __file__
    assert set(model.groups_) == {0} and model.eigenvalues_ is None


def test_warns_at_the_callers_line_where_it_has_not_converged(rng):
    X, _ = grouped_table([3, 3], 60, 0.3, rng)
    X = 1 / (1 + np.exp(-X))
    with pytest.warns(ConvergenceWarning, match="raise max_iter") as caught:
        model = VectorMinSyn(max_iter=3, random_state=0).fit(X)
    assert caught[0].filename == __file__ and not model.converged_


def test_a_linear_group_is_as_good_as_its_principal_components(rng):
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 12)) + 0.3 * rng.normal(size=(200, 12))
    model = VectorMinSyn(2, n_groups=1, balance=False, random_state=0).fit(X)
    left = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[2:] ** 2
    assert left.sum() / 200 < -model.score(X) < 1.02 * left.sum() / 200
    assert model.link_ == "identity"


def test_two_parents_where_columns_have_two_causes(rng):
    X = shared_table(3, rng)
    one, two = (VectorMinSyn(2, max_parents=n, random_state=0).fit(X) for n in (1, 2))
    assert np.all(one.parents_.sum(axis=0) == 1)
    assert two.parents_.sum(axis=0).tolist() == [1] * 20 + [2] * 3
    assert two.score(X) > one.score(X) + 1
    # Columns with two causes tell about both.
    assert two.encoder_weights_[:, 20:].all()
    residual = X[:, 20:] - two.reconstruct(X)[:, 20:]
    assert residual.var() < 1.5 * 0.3**2


def test_two_parents_beside_given_labels(rng):
    X = shared_table(3, rng)
    labels = np.repeat([0, 1], [10, 13])
    two = VectorMinSyn(2, grouping=labels, max_parents=2, random_state=0).fit(X)
    assert two.groups_.tolist() == labels.tolist()
    assert two.parents_.sum(axis=0).tolist() == [1] * 20 + [2] * 3
    # The same parents, given.
    told = VectorMinSyn(2, grouping=two.parents_, random_state=0).fit(X)
    assert told.groups_[:20].tolist() == labels[:20].tolist()
    np.testing.assert_array_equal(told.parents_, two.parents_)
    np.testing.assert_allclose(told.components_, two.components_, atol=1e-3)


def test_sums_of_decoders_extrapolate_to_unseen_combinations(rng):
    """Both causes are never high together in training: their shared features follow from each."""
    causes = rng.uniform(-2, 2, size=(300, 2))
    maps = np.array(
        [[2.0] * 4 + [0.0] * 4 + [1.5, 1.0, 2.0], [0.0] * 4 + [2.0] * 4 + [1.0, 2.0, 1.5]]
    )
    X = 1 / (1 + np.exp(1 - causes @ maps))
    both = (causes > 0).all(axis=1)
    parents = maps > 0
    labels = parents.argmax(axis=0)
    one, several = (
        VectorMinSyn([1, 1], grouping=grouping, random_state=0).fit(X[~both])
        for grouping in (labels, parents)
    )
    errors = [np.mean((X - model.reconstruct(X)) ** 2, axis=1) for model in (one, several)]
    assert errors[1][~both].mean() < 0.25 * errors[0][~both].mean()
    assert errors[1][both].mean() < 0.25 * errors[0][both].mean()
    assert several.converged_
    assert several.loss_curve_[-1] < several.loss_curve_[0]


def test_numbers_of_latents(rng):
    X, _ = grouped_table([6, 6, 6], 200, 0.3, rng)
    X[:, 12:] += 2 * rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6))

    def latents(n_components, **options):
        model = VectorMinSyn(n_components, random_state=0, **options).fit(X)
        return np.bincount(model.latent_groups_).tolist()

    assert latents(None) == [1, 1, 2]  # noise in six features could make a third component
    assert latents(5) == [1, 1, 3]
    assert latents([1, 2, 1]) == [1, 2, 1]
    with pytest.warns(UserWarning, match="show 3 groups, but n_components=2"):
        assert latents(2) == [1, 1]
    assert latents([1, 1]) == [1, 1]


def test_labels_are_numbered_in_their_order(rng):
    X, truth = grouped_table([3, 4], 60, 0.3, rng)
    model = VectorMinSyn([1, 2], grouping=7 - truth, random_state=0).fit(X)
    assert model.groups_.tolist() == (1 - truth).tolist()
    assert model.latent_groups_.tolist() == [0, 1, 1]


# Every option, with values that must change the result. In the table there are three groups and two
# columns with two parents.
LABELS = np.repeat([0, 1, 2, 1], [6, 6, 4, 4])
OPTIONS = {
    "n_components": (7, [1, 2, 1, 1]),
    "n_groups": (2,),
    "grouping": (LABELS,),
    "max_parents": (2,),
    "balance": (True,),
    "alpha": (1e-2,),
    "n_init": (2,),
    "max_iter": (22,),
    "tol": (1e-1,),
    "random_state": (1,),
}
SINGLE = [{name: value} for name, values in OPTIONS.items() for value in values]
PAIRS = [a | b for a, b in combinations(SINGLE, 2) if a.keys() != b.keys()]
#: Four numbers of latents, three labels, two groups.
CONTRADICTIONS = [
    {"n_components": [1, 2, 1, 1], "n_groups": 2},
    {"n_components": [1, 2, 1, 1], "grouping": LABELS},
    {"n_groups": 2, "grouping": LABELS},
]


@pytest.fixture(scope="module", name="X")
def table_for_options():
    rng = np.random.default_rng(8)
    maps = np.zeros((5, 20))
    maps[:2, :6], maps[2:4, 6:12], maps[4, 12:18] = *rng.normal(size=(2, 2, 6)), 1.0
    maps[4, 18:], maps[2, 18], maps[0, 19] = 0.5, 0.35, 0.35
    table = rng.normal(size=(40, 5)) @ maps + 0.3 * rng.normal(size=(40, 20))
    return 1 / (1 + np.exp(-table))


@pytest.fixture(scope="module")
def decoder(X):
    """The decoder that options lead to; each set of options is fitted once."""
    known = {}

    def fitted_with(options):
        if repr(options) not in known:
            model = VectorMinSyn(**{"max_iter": 30, "random_state": 0} | options).fit(X)
            known[repr(options)] = model.components_
        return known[repr(options)]

    return fitted_with


def test_the_table_of_options_is_complete():
    of_nets = {"encoder", "decoder", "solver"}  # tests/estimators/vectors/test_net_fit.py
    assert {*OPTIONS, *of_nets, "verbose"} == set(inspect.signature(VectorMinSyn).parameters)


@pytest.mark.parametrize("option", SINGLE, ids=str)
def test_every_option_changes_the_result(option, decoder):
    assert not np.array_equal(decoder(option), decoder({}))


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_no_option_is_ignored_beside_another(pair, decoder):
    if repr(pair) in map(repr, CONTRADICTIONS):
        with pytest.raises(ValueError, match="number of groups is contradictory"):
            decoder(pair)
        return
    for name in pair:
        without = {other: value for other, value in pair.items() if other != name}
        assert not np.array_equal(decoder(pair), decoder(without)), f"{name} is ignored"


def test_verbose_shows_progress(X, capsys):
    VectorMinSyn(max_iter=5, verbose=1).fit(X)
    output, errors = capsys.readouterr()
    assert not output and "VectorMinSyn" in errors
    VectorMinSyn(max_iter=5).fit(X)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": [1, 0]}, "list of positive ints"),
        ({"n_components": [[1, 1]]}, "list of positive ints"),
        ({"n_components": [1.0, 1.0]}, "list of positive ints"),
        ({"n_components": 13}, "at most the number of features, 12"),
        ({"n_components": [6, 6, 1]}, "at most the number of features, 12, in total"),
        ({"n_components": 2, "n_groups": 3}, "n_components=2 leaves some of the 3 groups"),
        ({"n_components": 1, "grouping": np.arange(12)}, "leaves some of the 12 groups"),
        (
            {"n_components": [1, 1], "n_groups": 3},
            r"n_groups=3 asks for 3 and n_components=\[1, 1\] asks for 2",
        ),
        ({"n_components": [1, 1], "grouping": [0, 1, 2] * 4}, r"\[1, 1\] asks for 2 and grouping"),
        ({"n_groups": 2, "grouping": [0, 1, 2] * 4}, "n_groups=2 asks for 2 and grouping"),
        ({"n_groups": 2, "grouping": [0] * 12}, r"grouping \(without .*\) asks for 1"),
        ({"n_groups": 13}, "only 3 can be told apart"),
        ({"grouping": [0, 1]}, "an integer label for each of 12"),
        ({"grouping": [0.5] * 12}, "an integer label for each of 12"),
        ({"grouping": "covariance"}, "'grouping' parameter"),
        ({"max_parents": 0}, "'max_parents' parameter"),
        ({"grouping": np.ones((2, 12), bool)}, "group 0 is the only parent of no feature"),
        ({"grouping": np.ones((2, 4), bool)}, r"bool array of shape \(n_groups, 12\)"),
        ({"max_parents": 2, "n_groups": 1}, "max_parents=2 needs two groups"),
        ({"max_parents": 2, "n_components": 1}, "max_parents=2 needs two groups"),
        ({"max_parents": 2, "n_components": [2]}, "max_parents=2 needs two groups"),
        ({"max_parents": 2, "grouping": [0] * 12}, "max_parents=2 needs two groups"),
    ],
    ids=str,
)
def test_what_cannot_be(options, message, rng):
    X, _ = grouped_table([4, 4, 4], 100, 0.3, rng)
    with pytest.raises(ValueError, match=message):
        VectorMinSyn(**options).fit(X)


@pytest.mark.parametrize("n_components", [None, [1, 1, 1]])
def test_groups_that_the_data_do_not_show(n_components, rng):
    options = {"n_components": n_components, "n_groups": 3}
    twins = np.repeat(rng.normal(size=(100, 2)), 2, axis=1)
    for X in (rng.normal(size=(100, 6)), np.ones((100, 4)), twins[:3], twins):
        with pytest.raises(ValueError, match=r"3 groups were asked for, but only [12] can be told"):
            VectorMinSyn(**options).fit(X)


def test_constant_features_do_not_make_a_group(rng):
    X, labels = grouped_table([3, 3], 60, 0.3, rng)
    X[:, 3:] = 1.0
    assert VectorMinSyn(grouping=labels, n_groups=1).fit(X).groups_.tolist() == [0] * 3 + [-1] * 3
    with pytest.raises(ValueError, match=r"n_groups=2 asks for 2 and grouping .* asks for 1"):
        VectorMinSyn(grouping=labels, n_groups=2).fit(X)


@pytest.mark.parametrize("data", [sparse.csr_array(np.eye(4)), "data.csv"])
def test_needs_an_array_in_memory(data):
    with pytest.raises(TypeError, match="needs an array in memory"):
        VectorMinSyn().fit(data)
    assert not hasattr(VectorMinSyn(), "partial_fit")


def test_takes_an_array_that_is_mapped_into_memory(tmp_path, rng):
    X, _ = grouped_table([3, 3], 60, 0.3, rng)
    np.save(tmp_path / "X.npy", X)
    model = VectorMinSyn(random_state=0)
    mapped = clone(model).fit(np.load(tmp_path / "X.npy", mmap_mode="r"))
    np.testing.assert_array_equal(mapped.components_, model.fit(X).components_)


def test_nothing_of_an_earlier_fit_is_left(X):
    model = VectorMinSyn(max_iter=20, random_state=0).fit(X)
    assert model.clarity_ is not None
    model.set_params(grouping=LABELS).fit(10 * X)
    assert model.eigenvalues_ is None and model.clarity_ is None and model.link_ == "identity"
    assert model.groups_.tolist() == LABELS.tolist()


def test_saves_its_groups(tmp_path, fitted, words):
    fitted.save(tmp_path)
    loaded = VectorMinSyn.load(tmp_path)
    for name in ("groups_", "parents_", "latent_groups_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
    np.testing.assert_array_equal(loaded.eigenvalues_, fitted.eigenvalues_)
    assert loaded.clarity_ == fitted.clarity_
    np.testing.assert_array_equal(loaded.reconstruct(words.test), fitted.reconstruct(words.test))


def test_real_letters(real_data):
    letters = load_letters(real_data("emnist_letters.npz"))
    words = make_word_images(letters=letters, random_state=17)
    model = VectorMinSyn(9, random_state=0).fit(words.train)
    assert average_character_concentration(model.components_, words.groups) < 1e-12
    assert squared_error(words.test, model.reconstruct(words.test)) < 30  # PCA's is 85
