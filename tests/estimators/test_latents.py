"""Kinds of latents: what they make of pre-activations, and which decoders they suit."""

import numpy as np
import pytest

from minsyn.estimators import Adam, Free, MinSyn
from minsyn.nn import GaussianCategoricalDecoder

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(name="X")
def make_x(rng):
    return np.repeat(rng.random((60, 2)), 4, axis=1) * 0.8 + 0.2 * rng.random((60, 8))


def fitted(X, **options):
    return MinSyn(**({"n_components": 2, "max_iter": 20, "random_state": 0} | options)).fit(X)


@pytest.mark.parametrize("solver", ["lbfgs", Adam()], ids=["lbfgs", "adam"])
def test_linear_latents_are_the_pre_activations(X, solver, tmp_path):
    model = fitted(X, latents="linear", solver=solver)
    expected = X @ model.encoder_weights_.T + model.encoder_bias_
    np.testing.assert_allclose(model.transform(X), expected, rtol=1e-10)
    assert -model.score(X) < 0.9 * X.var(axis=0).sum()
    np.testing.assert_allclose(expected.mean(axis=0), 0, atol=1e-6)  # no shift is learned
    model.save(tmp_path)
    np.testing.assert_array_equal(MinSyn.load(tmp_path).transform(X), model.transform(X))


@pytest.mark.parametrize(
    "options",
    [
        {"decoder": "single-parent"},
        {"decoder": "gaussian-bernoulli"},
        {"decoder": Free()},
    ],
    ids=str,
)
def test_linear_latents_of_other_models(X, options):
    model = fitted(X, latents="linear", **options)
    Z = model.transform(X)
    assert (Z < 0).any()
    assert np.isfinite(model.components_).all()
    assert (fitted(X, latents="auto", **options).transform(X) > 0).all(), (
        "they have latents of their own"
    )


def test_latents_of_the_gaussian_decoder_are_linear_by_default(X):
    model = fitted(X, encoder=(4,), solver=Adam())
    assert model.latents_.name == "linear" and (model.transform(X) < 0).any()
    assert fitted(X, latents="softplus").latents_.name == "softplus"


@pytest.mark.parametrize("decoder", ["bernoulli", "bernoulli-gaussian", Free("bernoulli")], ids=str)
def test_what_does_not_suit_the_decoder(X, decoder):
    for latents in ("linear", "softplus"):
        with pytest.raises(ValueError, match=f"latents='{latents}' are gaussian, but .*'sigmoid'"):
            fitted(X, decoder=decoder, latents=latents)
    fitted(X, decoder=decoder, latents="sigmoid")


def test_kind_of_a_decoder_with_options(X):
    from functools import partial

    decoder = partial(GaussianCategoricalDecoder, sizes=[4, 4])
    one_hot = np.zeros_like(X)
    one_hot[np.arange(60), X[:, :4].argmax(axis=1)] = 1
    one_hot[np.arange(60), 4 + X[:, 4:].argmax(axis=1)] = 1
    assert (fitted(one_hot, decoder=decoder, latents="linear").transform(one_hot) < 0).any()


def test_partial_fit_keeps_the_kind(X):
    model = fitted(X, latents="softplus", solver=Adam())
    with pytest.raises(ValueError, match=r"latents are linear here.*set latents='softplus'"):
        model.set_params(latents="linear").partial_fit(X)
