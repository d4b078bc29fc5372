"""Automatic number of factors, what a fitted model tells of its factors, and standardised units."""

import numpy as np
import pandas as pd
import pytest
from torch import nn

from minsyn.estimators import Adam, AutoEncoder, MinSyn
from minsyn.estimators.features import Features
from minsyn.information import Moments
from minsyn.metrics import parallel_analysis

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(name="X")
def make_x(rng):
    """Three causes of five features each, of falling strength, in units of their own."""
    causes = np.repeat(rng.normal(size=(300, 3)), 5, axis=1) * np.repeat([1.5, -1.2, 0.9], 5)
    units = 10.0 ** rng.integers(-2, 3, 15)
    return (causes + rng.normal(size=(300, 15))) * units


@pytest.mark.parametrize("criterion", ["auto", "empirical-kaiser", "minimum-average-partial"])
def test_number_of_factors_is_found(X, criterion, tmp_path):
    model = MinSyn(criterion, standardize=True, random_state=0).fit(X)
    assert model.components_.shape == (3, 15)
    assert model.scree_.n_factors == 3
    model.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    assert str(loaded.scree_) == str(model.scree_) and loaded.scree_.n_factors == 3
    assert model.plot_scree().axes[0].get_title(loc="left") == "3 factors"


def test_eigenvalues_are_those_of_parallel_analysis(X):
    scree = MinSyn(random_state=0).fit(X).scree_
    expected = parallel_analysis(np.corrcoef(X.T), len(X), random_state=0)
    np.testing.assert_allclose(scree.eigenvalues, expected.eigenvalues)
    np.testing.assert_allclose(scree.reference, expected.reference, rtol=0.05)
    # Of a given number too, where the model keeps a covariance.
    np.testing.assert_allclose(MinSyn(2).fit(X).scree_.eigenvalues, expected.eigenvalues)


def test_other_solvers_and_forms_of_data_find_the_same_number(X):
    scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    assert len(MinSyn(decoder="bernoulli", max_iter=5, random_state=0).fit(scaled).components_) == 3
    model = MinSyn(solver=Adam(), encoder=(4,), max_iter=5, random_state=0).fit(X)
    assert len(model.components_) == 3 and model.scree_.n_factors == 3
    frame = pd.DataFrame(X)
    assert len(MinSyn().fit_covariance(frame.cov(), n_samples=300).components_) == 3
    assert len(MinSyn().partial_fit(X[:100]).partial_fit(X[100:]).components_) == 3


def test_few_samples_of_many_features(rng):
    X = np.repeat(rng.normal(size=(60, 4)), 200, axis=1) + rng.normal(size=(60, 800))
    assert len(MinSyn(random_state=0).fit(X).components_) == 4


def test_leading_eigenvalues_of_many_features(rng, monkeypatch):
    """Of many dimensions only those that are asked for are found."""
    monkeypatch.setattr("minsyn.estimators.features._ALL_EIGENVALUES", 50)
    X = np.repeat(rng.normal(size=(400, 3)), 100, axis=1) + rng.normal(size=(400, 300))
    features = Features.of(Moments.of(X))
    expected = np.linalg.eigvalsh(np.corrcoef(X.T))[::-1][:5]
    np.testing.assert_allclose(features.leading_eigenvalues(5), expected, rtol=1e-9)


def test_no_factor_is_said(rng):
    with pytest.warns(UserWarning, match="no factor stands out from chance by parallel analysis"):
        model = MinSyn(random_state=0).fit(rng.normal(size=(500, 4)))
    assert len(model.components_) == 1 and model.scree_.n_factors == 0
    assert len(MinSyn().fit(np.ones((5, 3))).components_) == 1, "constants"
    with pytest.raises(AttributeError, match="no scree_"):
        _ = MinSyn(1).fit(np.ones((5, 3))).scree_


def test_a_covariance_of_an_unknown_number_of_samples():
    with pytest.raises(ValueError, match="give n_samples of two or more"):
        MinSyn().fit_covariance(np.eye(3))


def test_loadings_are_correlations_with_what_transform_returns(X):
    names = [f"item {i}" for i in range(15)]
    frame = pd.DataFrame(X, columns=names)
    model = MinSyn(3, standardize=True, random_state=0).fit(frame)
    Z = model.transform(frame)
    expected = np.corrcoef(np.hstack([X, Z]).T)[:15, 15:]
    np.testing.assert_allclose(model.loadings_, expected, atol=1e-9)
    assert list(model.loadings_.index) == names
    assert list(model.loadings_.columns) == list(model.get_feature_names_out())
    np.testing.assert_allclose(model.factor_correlation_, np.corrcoef(Z.T), atol=1e-9)
    error = X - model.inverse_transform(Z)
    regression = np.linalg.lstsq(Z - Z.mean(axis=0), X - X.mean(axis=0), rcond=None)[1]
    np.testing.assert_allclose(model.communality_, 1 - regression / 300 / X.var(axis=0), atol=1e-9)
    assert np.all(error.var(axis=0) < X.var(axis=0))
    table = model.describe()
    np.testing.assert_allclose(table.values, expected, atol=1e-9)
    assert table.factor_names == tuple(model.get_feature_names_out())
    assert model.plot_loadings().axes and model.plot_paths().axes


def test_models_without_statistics_have_no_loadings(X):
    model = AutoEncoder(2, max_iter=3).fit(X)
    assert not hasattr(model, "loadings_")
    with pytest.raises(AttributeError, match="keeps no statistics, so it has no loadings"):
        model.describe()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "lbfgs"},
        {"latents": "softplus"},
        {"decoder": "gaussian-bernoulli", "max_iter": 100},
        {"decoder": "bernoulli", "max_iter": 100},
        {"solver": Adam(), "encoder": (6,), "max_iter": 100},
    ],
    ids=str,
)
def test_order_and_signs(X, options):
    X = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    model = MinSyn(3, random_state=1, **options).fit(X)
    rho = model.statistics_.rho
    explained = rho**2 @ X.var(axis=0)
    assert np.all(np.diff(explained) <= 0)
    if options.get("latents") != "softplus" and "gaussian-b" not in options.get("decoder", ""):
        assert np.all(rho[np.arange(3), np.abs(rho).argmax(axis=1)] > 0)
    # The decoder, the encoder and the statistics still belong together.
    np.testing.assert_allclose(model.statistics_.mean_z, model.transform(X).mean(axis=0), atol=1e-9)
    assert model.score(X) == pytest.approx(-model.loss_curve_[-1], rel=0.02)


@pytest.mark.parametrize(
    "options",
    [{}, {"latents": "softplus"}, {"solver": Adam(), "encoder": (6,), "max_iter": 30}],
    ids=str,
)
def test_standardised_features_have_no_unit(X, options, tmp_path):
    """The same model of whatever units, as of z-scores without the option."""
    units, origin = 10.0 ** np.arange(-7, 8), np.arange(15.0)
    one = MinSyn(3, standardize=True, random_state=0, **options).fit(X)
    other = MinSyn(3, standardize=True, random_state=0, **options).fit(X * units + origin * units)
    scores = (X - X.mean(axis=0)) / X.std(axis=0)
    plain = MinSyn(3, random_state=0, **options).fit(scores)
    np.testing.assert_allclose(other.transform(X * units + origin * units), one.transform(X), 1e-3)
    np.testing.assert_allclose(one.transform(X), plain.transform(scores), rtol=1e-3, atol=1e-4)
    assert one.score(X) == pytest.approx(plain.score(scores), rel=1e-6)
    np.testing.assert_allclose(
        (one.inverse_transform(one.transform(X)) - X.mean(axis=0)) / X.std(axis=0),
        plain.inverse_transform(plain.transform(scores)),
        atol=1e-3,
    )
    one.save(tmp_path)
    assert MinSyn.load(tmp_path).score(X) == one.score(X)


def test_standardised_streams_and_batches(X, tmp_path):
    np.save(tmp_path / "x.npy", X)
    whole = MinSyn(3, standardize=True, random_state=0).fit(X)
    streamed = MinSyn(3, standardize=True, random_state=0).fit(tmp_path / "x.npy")
    np.testing.assert_allclose(streamed.components_, whole.components_, rtol=1e-9, atol=1e-9)
    adam = MinSyn(3, standardize=True, solver=Adam(), max_iter=40, random_state=0)
    assert adam.fit(tmp_path / "x.npy").score(X) > -14
    for _ in range(60):
        adam.partial_fit(X)
    assert adam.score(X) > -9


def test_standardising_is_for_real_values(X):
    with pytest.raises(ValueError, match="standardize=True is for decoders of real values"):
        MinSyn(2, decoder="bernoulli", standardize=True).fit(np.abs(X) / np.abs(X).max())


def test_uneven_units_are_said(X, rng):
    with pytest.warns(UserWarning, match="set standardize=True if their units differ"):
        MinSyn(2).fit(pd.DataFrame(X * 10.0 ** np.arange(15)).add_prefix("v"))
    pixels = rng.random((100, 20)) * np.append(np.full(4, 1e-3), np.ones(16))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MinSyn(2).fit(pixels)


def test_a_given_module_keeps_its_outputs(X):
    """Nothing is known of what it makes of its weights; its number of outputs is given."""
    X = (X - X.mean(axis=0)) / X.std(axis=0)

    class Residual(nn.Sequential):
        def forward(self, x):
            return super().forward(x) + x[:, :2]

    for module in (
        nn.Sequential(nn.Linear(15, 2, bias=False)),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(15, 2))),
        Residual(nn.Linear(15, 2)),
    ):
        solver = Adam(learning_rate=0.01)
        model = MinSyn(2, encoder=module, solver=solver, max_iter=15, random_state=0).fit(X)
        assert model.score(X) == pytest.approx(-model.loss_curve_[-1], rel=0.05)
    with pytest.raises(ValueError, match="cannot be used with an encoder module"):
        MinSyn(encoder=module, solver=Adam()).fit(X)


def test_missing_values_count_in_the_number_of_samples(rng):
    """Where features are more than 500 and more than samples, too."""
    noise = rng.normal(size=(500, 510))
    noise[rng.random(noise.shape) < 0.4] = np.nan
    with pytest.warns(UserWarning, match="no factor stands out"):
        model = MinSyn(max_iter=3, n_init=1).fit(noise)
    assert model.scree_.n_factors == 0 and model.missing_ == pytest.approx(0.4, abs=0.01)


def test_share_of_missing_values_is_kept(X, tmp_path):
    X[::4, 3] = np.nan
    model = MinSyn(2, standardize=True).fit(X)
    model.save(tmp_path)
    assert MinSyn.load(tmp_path).missing_ == model.missing_ == pytest.approx(0.25 / 15)


def test_number_does_not_change_with_the_seed_or_stay_from_an_earlier_fit(X, rng):
    noise = rng.normal(size=(100, 8))
    assert len({MinSyn(max_iter=3).fit(noise).scree_.n_factors for _ in range(6)}) == 1
    model = MinSyn(max_iter=3).fit(noise)
    model.set_params(n_components=2, decoder="single-parent").fit(noise)
    assert not hasattr(model, "scree_")


def test_eigenvalues_are_doubled_until_one_is_below(rng):
    X = np.repeat(rng.normal(size=(600, 30)), 8, axis=1) + 0.5 * rng.normal(size=(600, 240))
    scree = MinSyn(max_iter=2, n_init=1, random_state=0).fit(X).scree_
    assert scree.n_factors == 30 and len(scree.eigenvalues) == 40


def test_weights_that_sum_to_less_than_two_samples(X):
    weights = np.full(300, 1 / 300)
    for fit in (MinSyn().fit, MinSyn().partial_fit):
        with pytest.raises(ValueError, match="sample_weight must sum to that number"):
            fit(X, sample_weight=weights)
    assert len(MinSyn(2).partial_fit(X, sample_weight=weights).components_) == 2


def test_standardising_is_what_the_fit_did(X):
    model = MinSyn(2, standardize=True, solver=Adam(), random_state=0).partial_fit(X)
    before = model.score(X)
    assert model.set_params(standardize=False).score(X) == before
    assert model.partial_fit(X).score(X) < before  # in the data's units, with steps begun anew


def test_a_feature_that_varies_later_gets_its_unit(X):
    late = X.copy()
    late[:, 5] = X[:, 5].mean()
    solver = Adam(learning_rate=0.02)
    models = [MinSyn(2, standardize=True, solver=solver, random_state=0) for _ in range(2)]
    models[0].partial_fit(late)
    models[1].partial_fit(X)
    for model in models:
        for _ in range(60):
            model.partial_fit(X)
    assert models[0].score(X) == pytest.approx(models[1].score(X), rel=0.05)
    assert models[0].score(X) == pytest.approx(-models[0].loss_curve_[-1], rel=0.05)


@pytest.mark.parametrize("solver", ["lbfgs", Adam()], ids=str)
def test_linear_latents_of_any_solver_have_unit_variance(X, solver):
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = MinSyn(2, solver=solver, max_iter=30, random_state=0).fit(X).transform(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-9)


def test_features_that_are_constant_to_rounding(X):
    X[:, 5] = 1e9 + np.arange(300) % 2 * 2.4e-7
    model = MinSyn(2, standardize=True, solver="lbfgs", random_state=0).fit(X)
    assert model.score(X) == pytest.approx(-model.loss_curve_[-1], rel=1e-3)
