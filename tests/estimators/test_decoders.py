"""Decoders reach the estimator through the registry alone."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone

from minsyn.estimators import Adam, Free, MinSyn, load_model
from minsyn.information.ci import gaussian
from minsyn.nn import (
    DECODERS,
    REAL,
    SOFTPLUS,
    BernoulliDecoder,
    Decoder,
    GaussianCategoricalDecoder,
    GaussianDecoder,
    Latents,
    find_decoder,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SETTINGS = {"max_iter": 60, "random_state": 0}


class Halved(Decoder, name="halved"):
    """Half of what the Gaussian decoder says, and so no hand-written gradient of its."""

    latents = SOFTPLUS
    observations = REAL

    def linear_map(self, statistics):
        weights, intercept = gaussian.ci_linear_map(statistics)
        half = weights / 2
        return half, intercept + statistics.mean_z @ half


@pytest.fixture(name="X")
def make_x(rng):
    causes = rng.random((80, 2))
    return 0.8 * np.repeat(causes, 3, axis=1) + 0.2 * rng.random((80, 6))


def one_hot(rng, n=80):
    first, second = rng.integers(3, size=n), rng.integers(4, size=n)
    return np.column_stack([np.eye(3)[first], np.eye(4)[second]])


PLAIN = [name for name in DECODERS if "categorical" not in name]


@pytest.mark.parametrize("name", PLAIN)
def test_every_decoder_fits_saves_and_continues(name, X, tmp_path):
    model = MinSyn(2, decoder=name, **SETTINGS).fit(X)
    assert -model.score(X) == pytest.approx(min(model.loss_curve_), rel=1e-3)
    mean = MinSyn(1, decoder=name, **SETTINGS).fit(X)
    assert model.score(X) > mean.score(X)
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.reconstruct(X), model.reconstruct(X))
    assert np.isfinite(loaded.partial_fit(X).components_).all()
    trained = MinSyn(2, decoder=Free(name), **SETTINGS).fit(X)
    assert np.isfinite(trained.score(X))


def test_a_class_stands_for_its_name(X, tmp_path):
    by_name = MinSyn(2, decoder="bernoulli", **SETTINGS).fit(X)
    by_class = clone(MinSyn(2, decoder=BernoulliDecoder, **SETTINGS)).fit(X)
    assert np.array_equal(by_class.components_, by_name.components_)
    by_class.save(tmp_path)
    assert MinSyn.load(tmp_path).decoder is BernoulliDecoder


def test_options_of_a_decoder_count(X, tmp_path):
    plain, smoothed = (
        MinSyn(2, decoder=partial(BernoulliDecoder, flip=flip), **SETTINGS).fit(X)
        for flip in (1e-3, 0.1)
    )
    assert np.array_equal(
        plain.components_, MinSyn(2, decoder="bernoulli", **SETTINGS).fit(X).components_
    )
    assert np.abs(smoothed.components_).max() < np.abs(plain.components_).max()
    smoothed.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    assert loaded.decoder.keywords == {"flip": 0.1}
    assert np.array_equal(loaded.partial_fit(X).components_, smoothed.partial_fit(X).components_)


@pytest.mark.parametrize("solver", ["auto", Adam(batch_size=20)])
def test_categories(solver, rng, tmp_path):
    X = one_hot(rng)
    decoder = partial(GaussianCategoricalDecoder, sizes=[3, 4])
    model = MinSyn(2, decoder=decoder, solver=solver, **SETTINGS).fit(X)
    X_hat = model.reconstruct(X)
    np.testing.assert_allclose(X_hat[:, :3].sum(axis=1), 1)
    assert -model.score(X) == pytest.approx(-np.mean(np.sum(X * np.log(X_hat), axis=1)))
    model.save(tmp_path)
    assert np.array_equal(load_model(tmp_path).reconstruct(X), X_hat)
    with pytest.raises(ValueError, match=r"7 in all, found sizes=None: pass decoder=functools"):
        MinSyn(2, decoder="gaussian-categorical").fit(X)
    with pytest.raises(ValueError, match=r"sizes=\[3, 3\]"):
        MinSyn(2, decoder=partial(GaussianCategoricalDecoder, sizes=[3, 3])).fit(X)


def test_an_own_decoder_has_no_inherited_gradient(X):
    assert Halved.objective(torch.from_numpy(X)) is None

    class Steeper(BernoulliDecoder):
        def linear_map(self, statistics):
            weights, intercept = super().linear_map(statistics)
            return 2 * weights, intercept

    class Renamed(BernoulliDecoder):
        pass

    assert Steeper.objective(torch.from_numpy(X)) is None
    assert Renamed.objective(torch.from_numpy(X)) is not None
    assert BernoulliDecoder.objective(torch.from_numpy(X)) is not None
    assert Steeper.name is None and "steeper" not in DECODERS


def test_what_cannot_be_a_decoder(X, tmp_path):
    class Nameless(GaussianDecoder):
        pass

    with pytest.raises(ValueError, match="'poisson' is unknown: choose one of"):
        MinSyn(2, decoder="poisson").fit(X)
    with pytest.raises(TypeError, match="must be a name, a subclass"):
        MinSyn(2, decoder=dict).fit(X)
    with pytest.raises(ValueError, match="is already used by BernoulliDecoder"):

        class Double(Decoder, name="bernoulli"):
            pass

    model = MinSyn(2, decoder=Nameless, max_iter=2).fit(X)
    with pytest.raises(TypeError, match="custom decoder needs a name in the registry"):
        model.save(tmp_path)


def test_sigmoid_latents_are_searched_under_penalties(rng):
    """Averaged over seeds, fits that skip the penalties end higher."""
    from minsyn.datasets import make_word_images

    class Unpenalised(BernoulliDecoder):
        latents = Latents("sigmoid", "bernoulli", torch.sigmoid)
        objective = classmethod(BernoulliDecoder.objective.__func__)

    X = make_word_images(random_state=0).train[:, ::7]
    losses = {
        decoder: np.mean(
            [-MinSyn(9, decoder=decoder, random_state=seed).fit(X).score(X) for seed in range(4)]
        )
        for decoder in (BernoulliDecoder, Unpenalised)
    }
    assert losses[BernoulliDecoder] < losses[Unpenalised]


def test_binary_features_say_so():
    """scikit-learn's checks know no tag for [0, 1]; that for values of at least 0 is set."""
    assert MinSyn(decoder="bernoulli").__sklearn_tags__().input_tags.positive_only
    assert MinSyn(decoder=Free("bernoulli")).__sklearn_tags__().input_tags.positive_only
    assert not MinSyn().__sklearn_tags__().input_tags.positive_only
    assert not MinSyn(decoder=dict).__sklearn_tags__().input_tags.positive_only


CATEGORICAL = partial(GaussianCategoricalDecoder, sizes=(3, 4))


@pytest.mark.parametrize(
    "decoder",
    [
        partial(BernoulliDecoder),
        CATEGORICAL,
        Free("bernoulli", synergy_weight=np.float64(1)),
    ],
    ids=str,
)
def test_training_continues_however_a_decoder_was_written(decoder, rng, tmp_path):
    X = one_hot(rng)
    model = MinSyn(2, decoder=decoder, **SETTINGS).fit(X)
    model.save(tmp_path)
    loaded = MinSyn.load(tmp_path).partial_fit(X)
    np.testing.assert_allclose(loaded.components_, model.partial_fit(X).components_, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "decoder", "data"),
    [
        ("flip", partial(BernoulliDecoder, flip=0.2), "X"),
        ("own map", Halved, "X"),
        ("categories", CATEGORICAL, "categories"),
    ],
)
def test_a_trained_decoder_is_drawn_towards_the_one_that_was_chosen(name, decoder, data, X, rng):
    X = X if data == "X" else one_hot(rng)
    near, free = (
        MinSyn(2, decoder=Free(decoder, weight), max_iter=150, random_state=0).fit(X)
        for weight in (1000.0, 0.0)
    )
    closed = find_decoder(decoder)
    chosen = closed.func.build(2, X.shape[1], **closed.keywords)

    def distance(model):
        Z = torch.from_numpy(model.transform(X))
        weight, bias = torch.from_numpy(model.components_), torch.from_numpy(model.intercept_)
        return float(chosen.synergy_penalty(Z, torch.from_numpy(X), weight, bias))

    assert distance(near) < 1e-4 < 0.01 < distance(free)


def test_kinds_that_could_not_be_loaded_are_not_saved(X, tmp_path):
    class Squeezed(Decoder, name="squeezed"):
        latents = Latents("tanh", "gaussian", torch.tanh)
        observations = REAL
        linear_map = Halved.linear_map

    model = MinSyn(2, decoder=Squeezed, **SETTINGS).fit(X)
    with pytest.raises(TypeError, match="latents 'tanh' with observations Real"):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_observations_may_be_those_of_a_decoder_that_was_built(X):
    class Late(Decoder):
        latents = SOFTPLUS
        linear_map = Halved.linear_map

        def __init__(self, n_latents, n_features, momentum=0.1):
            super().__init__(n_latents, n_features, momentum)
            self.observations = REAL

    assert MinSyn(2, decoder=Late, **SETTINGS).fit(X).score(X) < 0
