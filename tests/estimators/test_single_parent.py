"""Vector factors: whom each feature belongs to, and latents that are fitted group by group."""

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize, rosen, rosen_der

from minsyn import MinSyn
from minsyn.datasets import load_letters, make_word_images
from minsyn.estimators import _single_parent_fit as fitting
from minsyn.estimators import _single_parent_groups as grouping
from minsyn.metrics import average_character_concentration, squared_error
from minsyn.training.batched_lbfgs import minimise_batch


def table(sizes, n_samples, noise, rng):
    """Columns in groups, each with a cause of its own, and the group of each column."""
    causes = np.repeat(rng.normal(size=(n_samples, len(sizes))), sizes, axis=1)
    return causes + noise * rng.normal(size=causes.shape), np.repeat(np.arange(len(sizes)), sizes)


def find(X, **options):
    defaults = {"n_groups": None, "max_groups": X.shape[1], "by": "synergy", "max_parents": 1}
    return grouping.find_groups(X, **{**defaults, **options})


@pytest.fixture(scope="module")
def words():
    return make_word_images(random_state=3)


@pytest.fixture(scope="module")
def fitted(words):
    return MinSyn(9, decoder="single-parent", random_state=0).fit(words.train)


def test_separates_the_characters_of_words(words, fitted):
    varies = words.train.min(axis=0) < words.train.max(axis=0)
    groups, positions = fitted.groups_[varies], words.groups[varies]
    assert len(set(zip(groups.tolist(), positions.tolist(), strict=True))) == 3
    assert np.all(fitted.groups_[~varies] == -1)
    assert average_character_concentration(fitted.components_, words.groups) < 1e-12
    # Unseen words are as good as those that were seen, to the choice of words.
    train, test = (squared_error(X, fitted.reconstruct(X)) for X in (words.train, words.test))
    assert test < 1.3 * train
    assert fitted.gk_synergy_.groups < 0.2 * fitted.gk_synergy_.latents


def test_is_the_oracle_where_the_groups_are_right(words, fitted):
    oracle = MinSyn([3, 3, 3], decoder="single-parent", grouping=words.groups, random_state=0)
    losses = [
        squared_error(words.test, m.reconstruct(words.test))
        for m in (oracle.fit(words.train), fitted)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)
    assert oracle.synergy_graph_ is None


@pytest.mark.parametrize("noise", [0.1, 0.25, 0.5])
def test_finds_the_characters_of_noisy_words(words, noise, rng):
    X = np.clip(words.train + noise * rng.normal(size=words.train.shape), 0, 1)
    found = find(X)
    assert found.n_groups == 3
    member = found.groups >= 0
    shares = [np.bincount(words.groups[found.groups == g]).max() for g in range(3)]
    assert sum(shares) > 0.95 * member.sum() > 300


@pytest.mark.parametrize("sizes", [[30], [10, 10, 10], [3, 5, 20, 40], [2, 2, 2], [4] * 12])
def test_finds_columns_of_tables(sizes, rng):
    X, truth = table(sizes, 400, 0.5, rng)
    assert find(X).groups.tolist() == truth.tolist()


def test_more_features_than_samples(rng):
    X, truth = table([100, 400, 200], 150, 0.5, rng)
    assert find(X).groups.tolist() == truth.tolist()


def test_noise_and_constants_belong_to_none(rng):
    X, truth = table([8, 8], 300, 0.5, rng)
    X = np.column_stack([X, rng.normal(size=(300, 20)), np.full(300, 0.1)])
    groups = find(X).groups
    assert groups[:16].tolist() == truth.tolist()
    assert np.mean(groups[16:] == -1) > 0.9 and groups[-1] == -1
    model = MinSyn(decoder="single-parent", random_state=0).fit(X)
    np.testing.assert_allclose(model.reconstruct(X)[:, -1], 0.1)
    assert not model.components_[:, groups == -1].any()
    assert not model.encoder_weights_[:, groups == -1].any()


def test_nothing_but_noise_is_one_group(rng):
    X = rng.normal(size=(50, 6))
    with pytest.warns(UserWarning, match="no two features"):
        model = MinSyn(2, decoder="single-parent", random_state=0).fit(X)
    assert set(model.groups_) == {0} and model.synergy_graph_ is None


def test_characters_that_overlap_keep_apart(words):
    height, width = words.image_shape
    letters = words.train.reshape(-1, height, 3, 28)
    X = np.zeros((len(letters), height, width - 12), np.float32)
    truth = np.zeros((3, height, width - 12), bool)
    for k in range(3):
        place = slice(22 * k, 22 * k + 28)
        X[:, :, place] = np.maximum(X[:, :, place], letters[:, :, k])
        truth[k, :, place] = True
    truth = truth.reshape(3, -1)
    found = find(X.reshape(len(X), -1).astype(float), max_parents=2)
    assert found.n_groups == 3
    alone = (truth.sum(axis=0) == 1) & (found.groups >= 0)
    shares = [
        np.bincount(truth.argmax(axis=0)[alone & (found.groups == g)]).max() for g in range(3)
    ]
    assert sum(shares) > 0.99 * alone.sum()
    assert np.mean(found.parents[:, alone].sum(axis=0) == 1) > 0.99


def test_two_parents_where_columns_have_two_causes(rng):
    causes = rng.normal(size=(500, 2))
    maps = np.array([[1.0] * 10 + [0.0] * 10 + [1.0] * 3, [0.0] * 10 + [1.0] * 10 + [0.8] * 3])
    X = causes @ maps + 0.3 * rng.normal(size=(500, 23))
    one, two = (
        MinSyn(
            2, decoder="single-parent", grouping="correlation", max_parents=n, random_state=0
        ).fit(X)
        for n in (1, 2)
    )
    assert np.all(one.parents_.sum(axis=0) == 1)
    assert two.parents_.sum(axis=0).tolist() == [1] * 20 + [2] * 3
    assert two.score(X) > one.score(X) + 1
    assert not two.encoder_weights_[:, 20:].any()
    residual = X[:, 20:] - two.reconstruct(X)[:, 20:]
    assert residual.var() < 1.5 * 0.3**2


def test_leaving_a_feature_out_is_a_regression_on_the_others(rng):
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 7)) + rng.normal(size=(60, 7))
    X -= X.mean(axis=0)
    u, s, vt = grouping._components(X, 5)
    explained = grouping._left_out(s, vt, np.sum(X**2, axis=0))
    for i in range(7):
        for d in range(1, 6):
            scores = u[:, :d] * s[:d] - np.outer(X[:, i], vt[:d, i])
            left = X[:, i] - scores @ np.linalg.lstsq(scores, X[:, i], rcond=None)[0]
            assert explained[d - 1, i] == pytest.approx(1 - left @ left / (X[:, i] @ X[:, i]))


@pytest.mark.parametrize("logistic", [True, False])
def test_gradients_of_the_loss(logistic, rng):
    X = rng.random((6, 5))
    problem = fitting._Problem(X, rng.random(6), 2, logistic)
    for name in ("scores", "targets"):
        setattr(problem, name, getattr(problem, name).astype(float))
    objective = problem.objective(1e-2)
    x = problem.starts(3, np.random.RandomState(0)).astype(float)

    def loss(flat):
        return objective(flat[np.newaxis])[0][0]

    def gradient(flat):
        return objective(flat[np.newaxis])[1][0]

    for start in x:
        assert check_grad(loss, gradient, start) < 1e-5


def test_many_starts_are_minimised_at_once(rng):
    def objective(x):
        return np.array([rosen(row) for row in x]), np.array([rosen_der(row) for row in x])

    starts = rng.normal(size=(5, 4))
    _, loss, settled = minimise_batch(objective, starts, 1000, 1e-12, lambda loss: None)
    assert settled
    for start, found in zip(starts, loss, strict=True):
        assert found <= minimize(rosen, start, jac=rosen_der, method="L-BFGS-B").fun + 1e-6


def test_weak_groups_do_not_collapse(rng):
    """Penalties that are more than the data bear bring all weights to 0, a saddle: then less."""
    X = rng.random((150, 60)) < 0.5 + 0.25 * np.tanh(rng.normal(size=(150, 1)))
    fit = fitting.fit_group(
        X.astype(float),
        np.ones(150),
        2,
        logistic=True,
        penalty=2e-5,
        n_init=1,
        max_iter=1000,
        tol=1e-3,
        random_state=np.random.RandomState(0),
        on_evaluation=lambda loss: None,
    )
    assert fit.loss < 0.9 * X.var(axis=0).sum()
    problem = fitting._Problem(X.astype(float), np.ones(150), 2, True)
    starts = problem.starts(3, np.random.RandomState(0))
    a, _, d, _ = problem._parts(starts)
    a[1, :, 0] = d[1, 0] = 0.0
    revived = problem.revived(starts, np.random.RandomState(1))
    a_new, _, d_new, _ = problem._parts(revived)
    assert np.linalg.norm(a_new[1, :, 0]) > 0.1 and np.linalg.norm(d_new[1, 0]) > 0.1
    np.testing.assert_array_equal(revived[[0, 2]], starts[[0, 2]])


def test_balancing_weights_even_out_values(rng):
    X = np.repeat(rng.normal(size=(3, 9)), [30, 9, 1], axis=0)
    weights = fitting.balancing_weights(X)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(
        [weights[:30].sum(), weights[30:39].sum(), weights[39]], 40 / 3, rtol=0.02
    )


def test_equal_samples_are_one_with_their_weights(rng):
    X, weight = rng.random((8, 5)), np.arange(1, 9)
    options = {"logistic": True, "penalty": 1e-3, "n_init": 1, "max_iter": 200, "tol": 1e-4}
    once, repeated = (
        fitting.fit_group(
            x,
            w,
            2,
            random_state=np.random.RandomState(0),
            on_evaluation=lambda loss: None,
            **options,
        )
        for x, w in ((X, weight.astype(float)), (np.repeat(X, weight, axis=0), np.ones(36)))
    )
    np.testing.assert_allclose(once.components, repeated.components, rtol=1e-3, atol=1e-3)


def test_a_linear_group_is_as_good_as_its_principal_components(rng):
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 12)) + 0.3 * rng.normal(size=(200, 12))
    model = MinSyn(2, decoder="single-parent", n_groups=1, balance=False, random_state=0).fit(X)
    left = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[2:] ** 2
    assert -model.score(X) < 1.02 * left.sum() / 200
    assert model.link_ == "identity"


def test_numbers_of_latents(rng):
    X, _ = table([6, 6, 6], 200, 0.3, rng)
    X[:, 12:] += 2 * rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6))

    def latents(n_components, **options):
        model = MinSyn(n_components, decoder="single-parent", random_state=0, **options)
        return np.bincount(model.fit(X).latent_groups_).tolist()

    assert latents(None) == [1, 1, 2]  # of six features, noise could make the third
    assert latents(5) == [1, 1, 3]
    assert latents([1, 2, 1]) == [1, 2, 1]
    assert len(latents(2)) <= 2
    assert latents([1, 1]) == [1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 2, "n_groups": 3}, "n_groups=3 is more than can be told apart"),
        ({"n_components": [1, 0]}, "positive int or a list"),
        ({"n_components": [1, 1], "n_groups": 3}, "2 numbers, but there are 3 groups"),
        ({"grouping": [0, 1]}, "an integer for each of 12"),
        ({"n_components": 1, "grouping": np.arange(12)}, "leaves some of the 12 groups"),
        ({"n_components": [1], "decoder": "gaussian"}, "must be one number"),
        ({"batch_size": 16, "precision": "64-true"}, "found precision='64-true', batch_size"),
    ],
)
def test_what_cannot_be(options, message, rng):
    X, _ = table([4, 4, 4], 100, 0.3, rng)
    with pytest.raises(ValueError, match=message):
        MinSyn(**{"decoder": "single-parent", **options}).fit(X)


def test_saves_its_groups(tmp_path, fitted, words):
    fitted.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    for name in ("groups_", "parents_", "latent_groups_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
    assert loaded.gk_synergy_ == fitted.gk_synergy_
    np.testing.assert_array_equal(loaded.synergy_graph_.synergy, fitted.synergy_graph_.synergy)
    np.testing.assert_array_equal(loaded.reconstruct(words.test), fitted.reconstruct(words.test))
    assert len(loaded.synergy_graph_.plot().axes) == 3


def test_real_letters(real_data):
    letters = load_letters(real_data("emnist_letters.npz"))
    words = make_word_images(letters=letters, random_state=17)
    model = MinSyn(9, decoder="single-parent", random_state=0).fit(words.train)
    assert average_character_concentration(model.components_, words.groups) < 1e-12
    assert squared_error(words.test, model.reconstruct(words.test)) < 30  # PCA's is 85
