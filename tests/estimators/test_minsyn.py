from functools import cache

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from minsyn.datasets import load_letters, load_typewriter, make_word_images
from minsyn.estimators import Adam, Free, MinSyn, Run
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, gaussian

DECODERS = {"gaussian": gaussian, "bernoulli": bernoulli}
SOLVERS = {"adam": Adam(), "lbfgs": "lbfgs", "auto": "auto"}


@pytest.fixture(scope="module")
def words():
    return make_word_images(letters=load_typewriter(size=14), random_state=0)


@pytest.fixture(scope="module")
def fit_once(words):
    """Fits of the whole data, each of which several tests look at."""
    return cache(
        lambda decoder, solver: MinSyn(
            9, decoder=decoder, solver=SOLVERS[solver], random_state=0
        ).fit(words.train)
    )


@pytest.fixture(params=[(d, s) for d in DECODERS for s in ("adam", "lbfgs")], ids="-".join)
def fitted(request, fit_once):
    return fit_once(*request.param)


def test_decoder_is_set_from_the_exact_statistics(fitted, words):
    X = words.train.astype(np.float64)
    statistics = PairwiseStatistics.of(fitted.transform(X), X)
    weights, intercept = DECODERS[fitted.decoder].ci_linear_map(statistics)
    np.testing.assert_allclose(fitted.components_, weights, atol=1e-6)
    np.testing.assert_allclose(fitted.intercept_, intercept, atol=1e-5)


def test_training_loss_is_minus_the_score(fitted, words):
    assert -fitted.score(words.train) == pytest.approx(min(fitted.loss_curve_), rel=1e-5)


def test_loss_falls_and_settles(fitted):
    assert fitted.converged_
    assert fitted.n_iter_ == len(fitted.loss_curve_)
    if fitted.solver == "lbfgs":  # from where the best of several starts has come to
        assert np.all(np.diff(fitted.loss_curve_) <= 0) and len(fitted.loss_curve_) > 1
    else:
        assert min(fitted.loss_curve_[-50:]) < 0.99 * fitted.loss_curve_[0]


def test_does_not_depend_on_origin_and_scale(words):
    """Shifting and scaling the data shifts and scales the reconstruction."""
    X = words.train[:, ::4].astype(np.float64)
    settings = {"solver": Adam(n_iter_no_change=60), "max_iter": 60, "random_state": 0}
    with pytest.warns(ConvergenceWarning):
        plain = MinSyn(3, **settings).fit(X)
        moved = MinSyn(3, **settings).fit(1000 * X + 50)
    np.testing.assert_allclose(
        moved.reconstruct(1000 * X + 50), 1000 * plain.reconstruct(X) + 50, atol=0.5
    )


@pytest.mark.parametrize("decoder", DECODERS)
def test_solvers_agree_on_how_low_the_loss_can_be(decoder, words, fit_once):
    adam, lbfgs = (fit_once(decoder, solver).score(words.train) for solver in ("adam", "lbfgs"))
    assert lbfgs == pytest.approx(adam, rel=0.05)


def test_batches_and_running_statistics_come_close_to_the_whole(words, fit_once):
    whole = fit_once("gaussian", "adam")
    batches = MinSyn(
        9,
        solver=Adam(statistics="running", batch_size=50, momentum=0.1, n_iter_no_change=20),
        random_state=0,
    ).fit(words.train)
    assert batches.score(words.train) > 1.1 * whole.score(words.train)


def test_running_statistics_are_in_the_datas_units(words):
    model = MinSyn(4, solver=Adam(statistics="running", momentum=1.0), max_iter=30, random_state=0)
    X = 255 * words.train.astype(np.float64)
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    np.testing.assert_allclose(model.statistics_.mean_x, X.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(model.statistics_.std_x, X.std(axis=0), rtol=1e-3, atol=1e-3)


def test_best_of_several_starts_is_kept(words):
    X, seeds = words.train[:, ::4], np.random.RandomState(0)
    settings = {"solver": Adam(n_iter_no_change=10), "max_iter": 20, "tol": 1.0}
    single = [MinSyn(4, random_state=seeds, **settings).fit(X) for _ in range(3)]
    best = min(single, key=lambda model: min(model.loss_curve_))
    assert best is not single[0]  # else keeping the first would do
    several = MinSyn(4, n_init=3, random_state=0, **settings).fit(X)
    assert np.array_equal(several.components_, best.components_)
    assert several.loss_curve_ == best.loss_curve_


def test_bernoulli_has_several_starts_by_default(words, fit_once):
    single = MinSyn(9, decoder="bernoulli", n_init=1, random_state=0).fit(words.train)
    assert fit_once("bernoulli", "auto").score(words.train) > single.score(words.train)
    assert np.array_equal(
        fit_once("bernoulli", "auto").components_, fit_once("bernoulli", "lbfgs").components_
    )


@pytest.mark.parametrize(
    "settings", [{"encoder": (3,)}, {"decoder": Free()}, {"decoder": "single-parent"}]
)
def test_auto_takes_adam_for_what_only_adam_does(settings, words):
    X = words.train[:, ::4]
    with pytest.warns(ConvergenceWarning):
        auto, adam = (
            MinSyn(2, solver=solver, max_iter=3, random_state=0, **settings).fit(X)
            for solver in ("auto", Adam())
        )
    assert np.array_equal(auto.components_, adam.components_)


@pytest.mark.parametrize("solver", [Adam(), "lbfgs"], ids=["adam", "lbfgs"])
@pytest.mark.parametrize("decoder", DECODERS)
def test_degenerate_features(decoder, solver, rng):
    """Constants at 0 and 1, duplicates, a rare event, noise: all stays finite."""
    n = 60
    x = rng.random(n)
    X = np.column_stack(
        [np.zeros(n), np.ones(n), x, x, 1 - x, np.arange(n) == 3, rng.random(n), x > 0.5]
    ).astype(float)
    model = MinSyn(5, decoder=decoder, solver=solver, random_state=0, max_iter=200).fit(X)
    for array in (model.components_, model.intercept_, model.encoder_weights_):
        assert np.isfinite(array).all()
    reconstruction = model.reconstruct(X)
    assert np.isfinite(reconstruction).all()
    np.testing.assert_allclose(reconstruction[:, 0], 0, atol=2e-3)
    np.testing.assert_allclose(reconstruction[:, 1], 1, atol=2e-3)


@pytest.mark.parametrize("solver", [Adam(), "lbfgs"], ids=["adam", "lbfgs"])
@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_varies(decoder, solver):
    X = np.full((500, 3), 0.1)  # whose mean, as summed, is not 0.1
    model = MinSyn(2, decoder=decoder, solver=solver, random_state=0).fit(X)
    np.testing.assert_allclose(model.reconstruct(X), X, atol=2e-3)
    assert np.abs(model.encoder_weights_).max() < 10


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_very_small_and_very_large_values(scale, rng):
    X = scale * rng.normal(size=(50, 6))
    model = MinSyn(2, random_state=0, max_iter=100).fit(X)
    assert 0 < -model.score(X) / scale**2 < 6


@pytest.mark.parametrize(
    ("X", "settings", "message"),
    [
        (np.array([[0.0, np.nan], [1.0, 2.0]]), {"latents": "softplus"}, "NaN"),
        (np.array([[0.0, np.inf], [1.0, 2.0]]), {}, "infinity"),
        (np.ones((1, 3)), {}, "minimum of 2"),
        (np.eye(3) * 2, {"decoder": "bernoulli"}, r"MinMaxScaler"),
        (-np.eye(3), {"decoder": "bernoulli"}, r"\[0, 1\]"),
        (np.eye(3), {"n_components": 4}, "number of features, 3"),
        (np.eye(3), {"decoder": "poisson"}, "'poisson' is unknown: choose one of 'bernoulli'"),
        (np.eye(3), {"solver": Adam(learning_rate=-1.0)}, "learning_rate"),
        (np.eye(3), {"solver": Adam(batch_size=1)}, "batch_size"),
        (np.eye(3), {"solver": Adam(run=Run(device="tpu"))}, "device"),
        (np.eye(3), {"solver": "adam"}, "solver"),
    ],
)
def test_bad_input(X, settings, message):
    with pytest.raises(ValueError, match=message):
        MinSyn(**({"n_components": 1} | settings)).fit(X)


def test_progress_is_shown_when_asked_for(rng, capsys):
    X = rng.random((20, 4))
    MinSyn(2, max_iter=20, random_state=0).fit(X)
    assert capsys.readouterr().err == ""
    model = MinSyn(2, max_iter=20, random_state=0, verbose=1).fit(X)
    output, errors = capsys.readouterr()
    assert output == "" and "MinSyn, start 1 of 1" in errors
    assert f"{model.n_iter_}/{model.n_iter_} " in errors  # not as if it had broken off


@pytest.mark.parametrize(("decoder", "train_loss"), [("gaussian", 65), ("bernoulli", 56)])
def test_separates_handwritten_characters(real_data, decoder, train_loss):
    """A generous version of what the benchmark measures over many draws."""
    words = make_word_images(letters=load_letters(real_data("emnist_letters.npz")), random_state=0)
    model = MinSyn(9, decoder=decoder, random_state=0).fit(words.train)
    error = np.mean(np.sum((model.reconstruct(words.train) - words.train) ** 2, axis=1))
    weights = np.stack([(model.components_[:, words.groups == k] ** 2).sum(1) for k in range(3)])
    share = weights / weights.sum(axis=0)
    assert error < train_loss
    assert np.mean(share.max(axis=0)) > 0.9


def test_nothing_of_an_earlier_fit_is_left(rng):
    X = np.repeat(rng.exponential(size=(60, 2)), 4, axis=1) + 0.1 * rng.normal(size=(60, 8))
    model = MinSyn(2, encoder=(3,), solver=Adam(), max_iter=20, random_state=0).partial_fit(X)
    model.set_params(encoder="linear").fit(X)
    assert model.encoder_weights_.shape == (2, 8)
    with pytest.raises(ValueError, match="n_components=3, but partial_fit continues"):
        model.set_params(n_components=3).partial_fit(X)
    with pytest.raises(ValueError, match=r"continues from a fit with GaussianDecoder\(\)"):
        model.set_params(n_components=2, decoder="bernoulli").partial_fit(X / X.max() * 0.5 + 0.25)
    model.set_params(decoder="gaussian").partial_fit(X)
    assert model.components_.shape == (2, 8)


def test_latents_do_not_saturate_where_float32_shows_no_gain():
    """A cross-entropy of hundreds in which 1e-7 could be gained: rounding must not choose."""
    rng = np.random.default_rng(0)
    causes = np.repeat(rng.normal(size=(2000, 3)), 100, axis=1)
    X = 0.5 + 1e-5 * (causes + 0.3 * rng.normal(size=causes.shape))
    Z = MinSyn(3, decoder="bernoulli", random_state=0).fit(X).transform(X)
    assert np.mean((Z < 1e-6) | (Z > 1 - 1e-6)) < 0.01


def test_lbfgs_ends_when_ten_iterations_lower_the_loss_by_a_fifth_of_tol(words):
    model = MinSyn(5, solver="lbfgs", n_init=1, tol=0.05, random_state=0).fit(words.train[:, ::4])
    curve = np.array(model.loss_curve_)
    falls = (curve[:-10] - curve[10:]) / curve[10:]
    assert np.all(falls[:-1] > 0.01) and falls[-1] <= 0.01 and model.converged_
