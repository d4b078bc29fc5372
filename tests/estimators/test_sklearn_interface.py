"""The estimators keep every promise that scikit-learn checks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from minsyn.estimators import (
    Adam,
    AutoEncoder,
    BetaTCVAE,
    BetaVAE,
    Free,
    InfoMax,
    InformationDropout,
    LinearCorex,
    MinSyn,
)


# Few epochs for some: what is checked is the interface. The checks' data do not lie in [0, 1], as
# those of the Bernoulli decoder must: `test_binary_features` covers it.
@parametrize_with_checks(
    [
        MinSyn(),
        MinSyn(solver="lbfgs"),
        MinSyn(decoder=Free(synergy_weight=1.0), max_iter=5),
        MinSyn(1, solver=Adam(statistics="running", batch_size=16), max_iter=5),
        AutoEncoder(max_iter=5),
        AutoEncoder(1, noise_std=0.1, batch_size=16, max_iter=5),
        InfoMax(),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# They share their code with those above: the checks of the interface alone, for time. All pass.
@parametrize_with_checks(
    [
        LinearCorex(n_init=1),
        BetaVAE(max_iter=2),
        BetaTCVAE(max_iter=2),
        InformationDropout(max_iter=2),
    ],
    legacy=False,
)
def test_scikit_learn_checks_of_the_interface(estimator, check):
    check(estimator)


ESTIMATORS = [
    MinSyn(2, max_iter=50, random_state=0),
    MinSyn(2, decoder="bernoulli", max_iter=50, random_state=0),
    MinSyn(2, decoder="single-parent", max_iter=50, random_state=0),
    AutoEncoder(2, decoder="sigmoid", max_iter=50, random_state=0),
    InfoMax(2, random_state=0),
    LinearCorex(2, n_init=1, random_state=0),
    InformationDropout(2, decoder="sigmoid", max_iter=50, random_state=0),
]


@pytest.fixture
def unit_data(rng):
    return pd.DataFrame(rng.random((40, 5)), columns=list("abcde"))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_names_frames_and_pickles(estimator, unit_data):
    fitted = clone(estimator).set_output(transform="pandas").fit(unit_data)
    latents = fitted.transform(unit_data)
    prefix = type(estimator).__name__.lower()
    assert list(latents.columns) == [f"{prefix}0", f"{prefix}1"]
    assert list(fitted.get_feature_names_out()) == list(latents.columns)
    assert fitted.components_.shape == (2, 5)
    restored = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(restored.transform(unit_data), latents)
    assert fitted.inverse_transform(latents).shape == unit_data.shape


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_same_seed_same_bits(estimator, unit_data):
    first, second = clone(estimator).fit(unit_data), clone(estimator).fit(unit_data)
    assert np.array_equal(first.components_, second.components_)
    assert np.array_equal(first.transform(unit_data), second.transform(unit_data))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_pipelines_and_grid_search(estimator, unit_data):
    pipeline = make_pipeline(StandardScaler(), MinMaxScaler(clip=True), clone(estimator))
    name = type(estimator).__name__.lower()
    search = GridSearchCV(pipeline, {f"{name}__n_components": [1, 3]}, cv=2).fit(unit_data)
    assert np.isfinite(search.best_score_)
    assert search.best_estimator_.transform(unit_data).shape[1] in (1, 3)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_score_is_minus_the_loss(estimator, unit_data):
    fitted = clone(estimator).fit(unit_data)
    X, X_hat = unit_data.to_numpy(), fitted.inverse_transform(fitted.transform(unit_data))
    if fitted.get_params().get("decoder") in ("bernoulli", "sigmoid"):
        loss = -(X * np.log(X_hat) + (1 - X) * np.log(1 - X_hat)).sum(axis=1).mean()
    else:
        loss = ((X - X_hat) ** 2).sum(axis=1).mean()
    assert fitted.score(unit_data) == pytest.approx(-loss)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_says_where_it_was_called_that_it_has_not_converged(estimator, unit_data):
    with pytest.warns(ConvergenceWarning, match="raise max_iter") as warned:
        clone(estimator).set_params(max_iter=3).fit(unit_data)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.zeros((5, 3)), r"\(n_samples, 2\)"),
        (np.zeros(2), "2D array"),
        (np.array([[0.0, np.nan]]), "Z contains NaN"),
    ],
)
def test_what_cannot_be_latents(estimator, Z, message, unit_data):
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(unit_data).inverse_transform(Z)


@pytest.mark.parametrize(
    "estimator", [MinSyn(2, max_iter=50), *ESTIMATORS[3:], BetaVAE(2, max_iter=5)], ids=str
)
def test_a_feature_that_was_constant_says_nothing_of_others(estimator, unit_data):
    constant = unit_data.assign(c=1.0)
    fitted = clone(estimator).fit(constant)
    latents, other = (fitted.transform(table) for table in (constant, unit_data.assign(c=0.25)))
    np.testing.assert_array_equal(latents, other)


@pytest.mark.parametrize("estimator", [MinSyn(2, random_state=0), InfoMax(2, random_state=0)])
def test_reconstructions_beyond_float64(estimator, unit_data):
    fitted = clone(estimator).fit(1e3 * unit_data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="reconstructions of sample 1 are not finite"):
            fitted.inverse_transform([[0.0, 0.0], [1e308, -1e308]])


@pytest.mark.parametrize("estimator", [MinSyn(2, random_state=0), InfoMax(2, random_state=0)])
def test_float32_far_from_the_origin(estimator, rng):
    """No precision is lost beyond what float32 data have: 1e4 plus or minus 1 in steps of 1e-3."""
    causes = rng.laplace(size=(2000, 2))
    X = np.repeat(causes, 10, axis=1) + 0.3 * rng.normal(size=(2000, 20))
    far = (X + 1e4).astype(np.float32)
    fitted = clone(estimator).set_params(max_iter=100).fit(far)
    latents = fitted.transform(far)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents, fitted.transform(far.astype(np.float64)), rtol=1e-6)
    assert -fitted.score(far) < 0.2 * X.var(axis=0).sum()
