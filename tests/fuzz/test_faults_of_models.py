"""Faults of estimators that fuzzing found, each as the smallest call that showed it."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fuzzing import as_users_call
from minsyn import Adam, MinSyn, VectorMinSyn
from minsyn.data import as_samples
from minsyn.estimators import AutoEncoder, BetaTCVAE, InfoMax, LinearCorex

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2)) @ RNG.normal(size=(2, 4)) + 0.3 * RNG.normal(size=(30, 4))


@pytest.fixture(autouse=True)
def _as_a_user():
    with as_users_call(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1.0]}, "X must be an array, or a list of samples; found dict"),
        (None, "found NoneType"),
        ([[1.0], [2.0, 3.0]], "row 0 has 1 values, row 1 has 2"),
        ([[1.0, "one"]], r"X\[0, 1\] is 'one': each value of the argument must be a number"),
        ([[10**400, 1]], r"X\[0, 0\] is 1000000.*below 1e308"),
        (np.zeros((3, 2), "M8[s]"), "X must hold real numbers; found dates or times"),
        (np.zeros((3, 2), "V8"), "X must hold real numbers; found"),
    ],
)
def test_data_that_are_no_numbers(data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        MinSyn(1).fit(data)


def test_lists_may_lack_values():
    assert MinSyn(1).fit([[1, None], [2, "2.5"], [4, pd.NA], [3, 1]]).missing_ == 0.25
    assert np.isnan(next(as_samples([[1, None]]).blocks(missing=True))).sum() == 1


def test_infinite_numbers_of_half_precision():
    with pytest.raises(ValueError, match="infinity"):
        MinSyn(1).fit(np.array([[np.inf], [-np.inf]], np.float16))


def test_layouts_that_torch_refuses():
    model = AutoEncoder(2, max_iter=2, random_state=0).fit(X[::-1, ::-1])
    for part in (X, X[:1]):
        z = model.transform(np.asfortranarray(part))
        np.testing.assert_array_equal(model.transform(part[::-1, ::-1][::-1, ::-1]), z)
    np.testing.assert_array_equal(model.inverse_transform(z[::-1]), model.inverse_transform(z))


def test_missing_values_of_constants():
    model = MinSyn(1).fit([[1.0, np.nan], [1.0, 5.0], [np.nan, 5.0]])
    assert np.all(model.transform([[np.nan, 5.0]]) == 0)


@pytest.mark.parametrize("scale", [1e-160, [1.0, 0.0, 1e-75, 1e-152]])
def test_variances_that_float64_holds_with_few_digits(scale):
    """They count as none."""
    for model in (MinSyn(1), VectorMinSyn(), VectorMinSyn(decoder=(3,), max_iter=1)):
        z = model.fit(X * scale).transform(X * scale)
        assert np.isfinite(z).all() and np.isfinite(model.loss_curve_).all()
    assert str(model.summary(X * scale))


def test_a_loss_that_a_line_search_left_behind():
    x = X[:4, :3] * [1.0, 0.0, 1e-75]
    assert np.isfinite(MinSyn(1, max_iter=10, random_state=0).fit(x).loss_curve_).all()


def test_probabilities_that_vary_by_rounding():
    x = 1e-60 * (1 + 1e-15 * (X > 0))
    assert np.isfinite(
        VectorMinSyn(alpha=0.0, max_iter=3, random_state=0).fit(x).transform(x)
    ).all()


class Own(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.linear = nn.Linear(n_features, 2)

    def forward(self, x):
        return torch.tanh(self.linear(x))


def test_an_encoder_that_cannot_take_the_data():
    with pytest.raises(ValueError, match="encoder cannot take samples of 4 features: mat1"):
        MinSyn(2, encoder=Own(5), max_iter=2).fit(X)
    with pytest.raises(ValueError, match="in float32, which they exceed"):
        MinSyn(2, encoder=Own(4), max_iter=2).fit(X * 1e60)
    model = MinSyn(2, encoder=Own(4), max_iter=2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="in float32, which they exceed"):
        model.transform(X * 1e60)


def test_latents_beyond_float32():
    model = MinSyn(1, random_state=0).fit((X * 1e-30).astype(np.float32))
    with pytest.raises(ValueError, match="latents of sample 0 are not finite in float32"):
        model.transform((X * 1e35).astype(np.float32))


def test_fits_that_diverge_in_their_last_step():
    model = MinSyn(2, random_state=0).fit(X)
    moments = replace(model.statistics_, var_x=np.full(4, np.inf))
    with pytest.raises(FloatingPointError, match="the fit diverged, as var_x became NaN or inf"):
        model._take(replace(model._solution(), statistics=moments))
    with pytest.raises(ValueError, match="learning_rate"):
        MinSyn(2, solver=Adam(learning_rate=1e38), max_iter=1).fit(X)
    with pytest.raises(ValueError, match=r"noise_std=1e\+20 is .* times the standard deviation"):
        AutoEncoder(2, noise_std=1e20).fit(X)


def test_messages_of_long_solvers_are_one_line():
    adam = Adam(batch_size=100, learning_rate=1e-3, n_iter_no_change=1, statistics="running")
    with pytest.raises(ValueError, match="is for nets") as error:
        VectorMinSyn(solver=adam).fit(X)
    assert "\n" not in str(error.value)


def test_summaries_of_named_data():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = VectorMinSyn(grouping=[0, 0, 1, 1], random_state=0).fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.summary(frame)


def test_more_features_than_samples_none_of_which_varies():
    model = LinearCorex(1, random_state=0).fit(np.ones((2, 3)))
    assert model.total_correlation_ == 0 and np.all(model.transform(np.ones((2, 3))) == 0)


def test_latents_that_hold_infinite_information():
    with pytest.raises(FloatingPointError, match="latent_information became NaN or infinite"):
        BetaTCVAE(learning_rate=1e30, batch_size=2, max_iter=1, random_state=0).fit(X[:3, :2])


@pytest.mark.parametrize("criterion", ["auto", "empirical-kaiser"])
def test_weights_that_are_no_number_of_samples(criterion):
    assert MinSyn(criterion).fit(X, sample_weight=np.full(30, 1e30)).n_components_ >= 1


def test_one_sample_after_those_of_little_weight():
    model = MinSyn(2).partial_fit(X[:-1], sample_weight=np.full(29, 1e-30)).partial_fit(X[-1:])
    assert model._moments.weight == 1


def test_saved_deviations_that_no_fit_gives():
    model = LinearCorex(2, max_iter=2, random_state=0).fit(X)
    for deviation in (1e300, -1.0):
        with pytest.raises(ValueError, match="noisy_std must be positive"):
            model._set_state({}, {"noisy_std": np.array([1.0, deviation])})


def test_latents_of_which_the_reconstruction_is_infinite():
    for model in (MinSyn(2), VectorMinSyn(2, grouping=[0, 0, 1, 1]), InfoMax(1)):
        model.fit(X[:, [0, 0, 1, 1]] * 1e10)
        huge = np.full((2, len(model.components_)), 1e305)
        with pytest.raises(ValueError, match="reconstructions of sample 1 are not finite"):
            model.inverse_transform(np.array([[0.0], [1.0]]) * huge)
