"""Linear Gaussian models: fitted from moments, with weights, missing values, in parts."""

import functools
import json
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.optimize import check_grad, minimize

from minsyn.data import as_samples
from minsyn.estimators import Adam, Free
from minsyn.estimators import MinSyn as AnyMinSyn
from minsyn.estimators.covariance import (
    CovarianceSolver,
    _Loss,
    _to_the_last_digits,
    _varimax,
    filled,
)
from minsyn.estimators.features import Features, Rows
from minsyn.information import Moments, PairwiseStatistics
from minsyn.information.ci import gaussian
from minsyn.nn import GaussianDecoder

MinSyn = functools.partial(AnyMinSyn, latents="linear")

LEARNED = ("components_", "intercept_", "encoder_weights_", "encoder_bias_")


def questionnaire(rng, n=600, offset=0.0):
    """Five correlated scales of five items, each item with a sign of its own."""
    scales = rng.normal(size=(n, 5)) @ np.linalg.cholesky(0.2 + 0.8 * np.eye(5)).T
    loadings = rng.uniform(0.5, 0.9, 25) * rng.choice([-1, 1], 25)
    return np.repeat(scales, 5, axis=1) * loadings + 0.7 * rng.normal(size=(n, 25)) + offset


@pytest.fixture(name="X")
def make_x(rng):
    return questionnaire(rng)


def fit(X, k=5, **options):
    return MinSyn(k, **({"random_state": 0} | options)).fit(X)


def assert_same(a, b, rtol=1e-9, atol=1e-9):
    for name in LEARNED:
        x, y = getattr(a, name), getattr(b, name)
        np.testing.assert_allclose(x, y, rtol, atol * np.abs(y).max(), err_msg=name)


def with_holes(X, rng, share=0.1):
    X = X.copy()
    X[rng.random(X.shape) < share] = np.nan
    return X


# The loss


def test_loss_is_the_decoders(X, rng):
    """From moments as from the samples, encoded and decoded."""
    features, weights = Features.of(Moments.of(X)), rng.normal(size=(4, 25))
    loss, _ = _Loss(features.basis, features.variance)(features.coordinates(weights))
    z = X @ weights.T
    decoder = GaussianDecoder(4, 25).double()
    z, x = torch.from_numpy(z), torch.from_numpy(X)
    assert float(loss) == pytest.approx(float(decoder.loss(z, x)), rel=1e-12)
    decoder.eval().running.update(PairwiseStatistics.of(z, x))
    assert float(loss) == pytest.approx(float(((decoder(z) - x) ** 2).sum(dim=1).mean()), rel=1e-6)


def test_gradient_is_that_of_autograd(rng):
    rho = torch.from_numpy(rng.uniform(-0.7, 0.7, (2, 4, 9))).requires_grad_()
    sigma = torch.from_numpy(rng.uniform(-0.5, 0.5, (2, 4, 4)))
    sigma = (sigma + sigma.mT).requires_grad_()
    v = torch.from_numpy(rng.random(9))
    u = gaussian.ci_decoder(rho.movedim(0, -1).reshape(4, -1)).coefficients
    u = u.reshape(4, 9, 2).movedim(-1, 0)
    expected = ((1 - 2 * (u * rho).sum(dim=1) + (u * (sigma @ u)).sum(dim=1)) * v).sum(dim=1)
    loss, d_rho, d_sigma = gaussian.squared_error(rho.detach(), sigma.detach(), v)
    torch.testing.assert_close(loss, expected.detach())
    for found, of in zip(
        (d_rho, d_sigma), torch.autograd.grad(expected.sum(), (rho, sigma)), strict=True
    ):
        torch.testing.assert_close(found, of, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("rows", [False, True])
def test_gradient_is_that_of_finite_differences(X, rng, rows, monkeypatch):
    monkeypatch.setattr("minsyn.estimators.covariance._BLOCK", 30)  # several blocks of features
    X = np.hstack([X, X[:, :3] @ rng.normal(size=(3, 80)) + rng.normal(size=(600, 80))])
    features = Features.of(Rows(X[:20]) if rows else Moments.of(X))
    loss = _Loss(features.basis, features.variance)
    a = rng.normal(size=(3, len(features.basis))) * [[1], [10], [0.1]]

    def value(flat):
        return float(loss(flat.reshape(a.shape))[0])

    def gradient(flat):
        return loss(flat.reshape(a.shape))[1].ravel()

    size = np.linalg.norm(gradient(a.ravel()))
    assert check_grad(value, gradient, a.ravel()) < 1e-5 * max(1, size)
    both, gradients = loss(np.stack([a, 2 * a]))
    assert both[0] == pytest.approx(both[1]) == pytest.approx(value(a.ravel()))
    np.testing.assert_allclose(gradients[0], 2 * gradients[1])


def test_correlations_of_one_stay_finite(X):
    twin = np.column_stack([X, X[:, 0], 2 * X[:, 1] + 3])
    model = fit(twin, 3)
    assert np.isfinite(model.components_).all()
    same = fit(np.repeat(X[:, :1], 4, axis=1), 1)
    assert -same.score(np.repeat(X[:, :1], 4, axis=1)) == pytest.approx(0, abs=1e-9)


def test_varimax_is_a_rotation_to_simple_structure(rng):
    simple = np.repeat(np.eye(3), 6, axis=1) + 0.05 * rng.normal(size=(3, 18))
    mixed = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ simple
    rotation = _varimax(mixed)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    squares = np.sort((rotation.T @ mixed) ** 2, axis=0)
    assert squares[:2].max() < 0.1 and squares[2].min() > 0.5


# What is found


def test_scales_are_found(X):
    model = fit(X)
    assert model.converged_
    strongest = np.abs(model.statistics_.rho).argmax(axis=0).reshape(5, 5)
    assert np.all(strongest == strongest[:, :1]) and len(set(strongest[:, 0])) == 5


@pytest.mark.parametrize("make", ["questionnaire", "clusters", "wide"])
def test_as_good_as_softplus(make, rng):
    X = {
        "questionnaire": lambda: questionnaire(rng),
        "clusters": lambda: (
            0.45 * np.repeat(rng.normal(size=(50, 6)), 8, axis=1) + 0.9 * rng.normal(size=(50, 48))
        ),
        "wide": lambda: (
            rng.normal(size=(60, 5)) @ rng.normal(size=(5, 700)) + 2 * rng.normal(size=(60, 700))
        ),
    }[make]()
    linear, softplus = fit(X), fit(X, latents="softplus", tol=1e-4)
    assert linear.loss_curve_[-1] <= 1.001 * softplus.loss_curve_[-1]
    assert -linear.score(X) == pytest.approx(linear.loss_curve_[-1], rel=1e-8)


def test_latents_are_standardised_and_in_order(X):
    X = X * np.linspace(0.5, 2, 25) + 7
    model = fit(X)
    Z = model.transform(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-10)
    strongest = np.abs(model.components_).argmax(axis=1)
    assert (model.components_[np.arange(5), strongest] > 0).all()
    explained = model.statistics_.rho**2 @ X.var(axis=0)
    assert (np.diff(explained) < 0).all()
    exact = PairwiseStatistics.of(Z, X)
    for name in ("mean_x", "cov_zz", "cov_zx", "var_x"):
        found = getattr(model.statistics_, name)
        np.testing.assert_allclose(found, getattr(exact, name), atol=1e-9)


def test_the_seed_does_not_change_the_model(X):
    models = [fit(X, random_state=seed) for seed in range(4)]
    for model in models[1:]:
        assert_same(model, models[0])
    alone = fit(X, n_init=1)  # the principal components, rotated
    assert_same(alone, models[0])
    flipped = fit(X[::-1, ::-1])
    np.testing.assert_allclose(flipped.components_[:, ::-1], models[0].components_, atol=1e-9)
    looser = fit(X, tol=1e-2)
    assert_same(looser, models[0])


def test_random_starts_count():
    """Where optima differ, more starts find a better one."""
    X = np.random.default_rng(1).normal(size=(30, 40))
    losses = {n: fit(X, 12, n_init=n).loss_curve_[-1] for n in (1, 2, 40)}
    assert losses[40] < losses[2] * (1 - 1e-4) < losses[1] * (1 - 2e-4)


def test_options_of_the_fit(X, capsys):
    with pytest.warns(Warning, match="max_iter=2"):
        short = fit(X, max_iter=2)
    assert short.n_iter_ == 2 and not short.converged_
    assert fit(X, tol=100.0).n_iter_ < fit(X, tol=1e-6).n_iter_
    fit(X, verbose=1)
    assert "MinSyn" in "".join(capsys.readouterr())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_far_from_the_origin(rng, dtype):
    near = np.round(questionnaire(rng) * 2**8) / 2**8
    offset = 1e8 if dtype == np.float64 else 1e4
    a, b = fit(near.astype(dtype)), fit((near + offset).astype(dtype))
    np.testing.assert_allclose(a.components_, b.components_, atol=1e-5)
    assert b.transform((near + offset).astype(dtype)).dtype == dtype


def test_constants_and_few_dimensions(rng):
    X = questionnaire(rng)[:, :6]
    X[:, 2] = 0.1
    model = fit(X, 2)
    assert np.all(model.components_[:, 2] == 0) and np.all(model.encoder_weights_[:, 2] == 0)
    np.testing.assert_allclose(model.reconstruct(X)[:, 2], 0.1)
    nothing = fit(np.full((5, 3), 2.0), 2)
    np.testing.assert_array_equal(nothing.transform(np.full((5, 3), 2.0)), np.zeros((5, 2)))
    plane = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 8))  # more factors than dimensions
    over = fit(plane, 4)
    assert np.isfinite(over.components_).all()
    assert -over.score(plane) == pytest.approx(over.loss_curve_[-1], rel=1e-6)
    assert fit(X[:2], 1).transform(X[:2]).shape == (2, 1)


def test_more_features_than_samples(rng):
    """Samples in memory, or their covariance: the same model."""
    X = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 520)) + rng.normal(size=(40, 520)) + 5
    X[:, 7] = 3.3
    rows, moments = fit(X, 3, n_init=1), MinSyn(3, n_init=1).fit_covariance(Moments.of(X))
    assert rows._moments is None and moments._moments is not None
    np.testing.assert_allclose(rows.components_, moments.components_, atol=1e-6)
    np.testing.assert_allclose(rows.transform(X), moments.transform(X), atol=1e-5)
    assert np.all(rows.components_[:, 7] == 0)
    weights = rng.integers(0, 3, 40)
    repeated = fit(np.repeat(X, weights, axis=0), 3, n_init=1)
    weighted = MinSyn(3, n_init=1).fit(X, sample_weight=weights)
    np.testing.assert_allclose(weighted.components_, repeated.components_, atol=1e-6)


# Weights


def test_whole_weights_are_repeated_rows(X, rng, monkeypatch):
    weights = rng.integers(0, 4, len(X))
    weighted = MinSyn(5, random_state=0).fit(X, sample_weight=weights)
    assert_same(weighted, fit(np.repeat(X, weights, axis=0)))
    assert weighted.statistics_.weight == weights.sum()
    monkeypatch.setattr("minsyn.data.stream.BLOCK_BYTES", 25 * 8 * 70)
    streamed = MinSyn(5, random_state=0).fit(sparse.csr_array(X), sample_weight=weights)
    assert_same(streamed, weighted)
    assert np.abs(weighted.components_ - fit(X).components_).max() > 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {"decoder": "bernoulli", "latents": "auto"},
        {"latents": "softplus"},
        {"solver": Adam()},
        {"solver": "lbfgs"},
        {"encoder": (4,)},
        {"decoder": Free()},
    ],
    ids=str,
)
def test_what_takes_no_weights(options, rng):
    X = rng.random((30, 4))
    message = "sample_weight is for linear latents, a linear encoder and decoder='gaussian'"
    with pytest.raises(ValueError, match=message):
        MinSyn(2, **options).fit(X, sample_weight=np.ones(30))
    with pytest.raises(ValueError, match="fit_covariance is for linear latents"):
        MinSyn(2, **options).fit_covariance(np.eye(4))
    with pytest.raises(ValueError, match=r"(?i)nan"):
        MinSyn(2, **options).fit(with_holes(X, rng))
    assert not MinSyn(2, **options).__sklearn_tags__().input_tags.allow_nan
    assert MinSyn(2).__sklearn_tags__().input_tags.allow_nan


def test_solver_by_name(X):
    assert_same(fit(X, solver="covariance"), fit(X))
    with pytest.raises(ValueError, match=r"found sigmoid latents, BernoulliDecoder"):
        fit(np.abs(X) / 100, solver="covariance", decoder="bernoulli", latents="auto")


def test_decoders_of_ones_own_are_not_taken_for_eq_9():
    class Half(GaussianDecoder):
        def linear_map(self, statistics):
            weights, _ = super().linear_map(statistics)
            return weights / 2, statistics.mean_x - statistics.mean_z @ weights / 2

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="found Half"):
        fit(rng.normal(size=(20, 3)), 2, decoder=Half, latents="linear", solver="covariance")


# Covariances alone


def test_a_covariance_is_all_that_counts(X):
    X = X + 3
    model = fit(X)
    cov = np.cov(X.T, bias=True)
    known = MinSyn(5, random_state=0).fit_covariance(cov, mean=X.mean(axis=0), n_samples=600)
    assert_same(known, model)
    np.testing.assert_allclose(known.transform(X), model.transform(X), atol=1e-8)
    assert_same(MinSyn(5, random_state=0).fit_covariance(Moments.of(X)), model)
    unbiased = MinSyn(5, random_state=0).fit_covariance(pd.DataFrame(X).cov())
    np.testing.assert_allclose(unbiased.statistics_.rho, model.statistics_.rho, atol=1e-6)
    assert unbiased.statistics_.weight == 1


def test_names_of_a_covariance(X):
    frame = pd.DataFrame(X, columns=[f"item{i}" for i in range(25)])
    model = MinSyn(5).fit_covariance(frame.corr(), mean=frame.mean()[::-1])
    assert list(model.feature_names_in_) == list(frame.columns)
    np.testing.assert_allclose(model.intercept_, X.mean(axis=0))
    assert model.transform(frame).shape == (600, 5)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match=r"rows and columns .* same names"):
        MinSyn(2).fit_covariance(frame.corr().iloc[::-1])
    assert not hasattr(MinSyn(2).fit_covariance(frame.corr().to_numpy()), "feature_names_in_")


def test_a_printed_table(X):
    printed = np.round(np.corrcoef(X.T), 2)
    rounded = MinSyn(5).fit_covariance(printed)
    exact = MinSyn(5).fit_covariance(np.corrcoef(X.T))
    assert np.array_equal(
        np.abs(rounded.components_).argmax(axis=0), np.abs(exact.components_).argmax(axis=0)
    )


@pytest.mark.parametrize(
    ("cov", "options", "message"),
    [
        ([[1, 0.5], [0.4, 1]], {}, "not symmetric"),
        ([[1, 1.2], [1.2, 1]], {}, "not positive semidefinite"),
        ([[1, np.nan], [np.nan, 1]], {}, "finite"),
        (np.zeros((3, 2)), {}, "square"),
        (np.eye(2), {"mean": [1.0]}, "mean must hold 2"),
        (np.eye(2), {"n_samples": -1}, "n_samples"),
        (Moments.of(np.eye(2)), {"n_samples": 3}, "leave out mean and n_samples"),
        (np.eye(2), {"k": 3}, "number of features, 2"),
    ],
)
def test_what_is_no_covariance(cov, options, message):
    k = options.pop("k", 1)
    with pytest.raises(ValueError, match=message):
        MinSyn(k).fit_covariance(np.array(cov) if isinstance(cov, list) else cov, **options)


# Missing values


def test_missing_values(X, rng):
    holes = with_holes(X, rng)
    model = fit(holes)
    assert model.missing_ == pytest.approx(np.isnan(holes).mean())
    complete = fit(X)
    match = np.abs(np.corrcoef(complete.transform(X).T, model.transform(X).T)[:5, 5:])
    assert match.max(axis=1).min() > 0.98
    strongest = np.abs(model.statistics_.rho).argmax(axis=0).reshape(5, 5)
    assert np.all(strongest == strongest[:, :1])
    Z = model.transform(holes)
    assert np.isfinite(Z).all()
    full = ~np.isnan(holes).any(axis=1)
    np.testing.assert_allclose(Z[full], model.transform(X)[full])
    errors = {
        "expected": Z - model.transform(X),
        "mean": model.transform(np.where(np.isnan(holes), np.nanmean(holes, axis=0), holes))
        - model.transform(X),
    }
    assert np.square(errors["expected"]).mean() < 0.8 * np.square(errors["mean"]).mean()
    assert np.isfinite(model.score(holes)) and np.isfinite(model.reconstruct(holes)).all()
    np.testing.assert_allclose(model.transform(np.full((1, 25), np.nan)), 0, atol=1e-9)


def test_expected_values_are_those_of_the_joint_gaussian(rng):
    """Of a factor model, whose covariance is known: the regression on what is observed."""
    m, n = 3, 12
    maps, noise = rng.normal(size=(m, n)), rng.uniform(0.2, 2, n)
    mixing = rng.normal(size=(m, m))
    cov_zz = mixing @ mixing.T
    covariance, mean = maps.T @ cov_zz @ maps + np.diag(noise), rng.normal(size=n)
    statistics = PairwiseStatistics(
        1.0, np.zeros(m), mean, cov_zz, cov_zz @ maps, np.diagonal(covariance)
    )
    X = with_holes(rng.normal(size=(40, n)), rng, 0.5)
    found = filled(X, statistics)
    for x, x_filled in zip(X, found, strict=True):
        there = ~np.isnan(x)
        regression = covariance[~there][:, there] @ np.linalg.inv(covariance[there][:, there])
        np.testing.assert_array_equal(x_filled[there], x[there])
        np.testing.assert_allclose(
            x_filled[~there], mean[~there] + regression @ (x[there] - mean[there]), rtol=1e-6
        )
    assert filled(found, statistics) is found


def test_columns_never_seen_together(X):
    X[:300, 3] = np.nan
    X[300:, 8] = np.nan
    frame = pd.DataFrame(X, columns=[f"item{i}" for i in range(25)])
    with pytest.raises(ValueError, match="'item3' and 'item8' were never seen together"):
        fit(frame)
    with pytest.raises(ValueError, match="'3' and '8' were never seen together"):
        fit(X)


def test_contradictory_pairs(rng):
    """Each pair alone is possible, the three together are not."""
    z = rng.normal(size=300)
    X = np.full((900, 3), np.nan)
    for rows, (i, k, sign) in enumerate([(0, 1, 1), (1, 2, 1), (0, 2, -1)]):
        part = slice(300 * rows, 300 * (rows + 1))
        X[part, i], X[part, k] = z, sign * z + 0.1 * rng.normal(size=300)
    with pytest.warns(UserWarning, match="are inconsistent"):
        model = fit(X, 2)
    assert np.isfinite(model.components_).all()
    assert np.abs(model.statistics_.rho).max() <= 1


def test_streams_with_missing_values(X, rng, tmp_path, monkeypatch):
    X = with_holes(X, rng)
    whole = fit(X)
    monkeypatch.setattr("minsyn.data.stream.BLOCK_BYTES", 25 * 8 * 70)
    np.save(tmp_path / "x.npy", X)
    streamed = fit(tmp_path / "x.npy")
    assert_same(streamed, whole)
    np.testing.assert_allclose(
        streamed.transform(tmp_path / "x.npy"), whole.transform(X), atol=1e-9
    )
    assert streamed.score(tmp_path / "x.npy") == pytest.approx(whole.score(X))
    X[3, 4] = np.inf
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match="row 3, column 4 is inf"):
        fit(tmp_path / "x.npy")


# In parts


@pytest.mark.parametrize("n_features", [25, 700])
def test_streams_are_read_once_and_give_the_same_model(rng, n_features, monkeypatch):
    X = questionnaire(rng, 300, offset=50)
    if n_features > 25:  # more than samples: these are kept
        X = np.hstack([X, rng.normal(size=(300, n_features - 25))])
    whole = fit(X)
    monkeypatch.setattr("minsyn.data.stream.BLOCK_BYTES", n_features * 8 * 70)
    samples = as_samples(X)
    passes = []
    blocks = type(samples).blocks

    def counted(self, *args, **options):
        passes.append(args)
        return blocks(self, *args, **options)

    monkeypatch.setattr(type(samples), "blocks", counted)
    streamed = fit(samples)
    assert len(passes) == 1
    assert_same(streamed, whole)
    np.testing.assert_allclose(streamed.loss_curve_, whole.loss_curve_, rtol=1e-9)
    merged = functools.reduce(Moments.merge, map(Moments.of, np.array_split(X, 7)))
    if n_features == 25:
        assert_same(MinSyn(5, random_state=0).fit_covariance(merged), whole)


@pytest.mark.parametrize("holes", [False, True])
def test_partial_fit_is_exact(X, rng, holes, tmp_path):
    X = with_holes(X, rng) if holes else X
    model = MinSyn(5, random_state=0)
    for part in (X[:100], X[100:101], X[101:350]):
        model.partial_fit(part)
    model.save(tmp_path)
    models = [model, pickle.loads(pickle.dumps(model)), AnyMinSyn.load(tmp_path)]
    for continued in models:
        continued.partial_fit(X[350:])
        np.testing.assert_allclose(continued._moments.covariance, Moments.of(X).covariance)
        assert_same(continued, fit(X))
    begun = fit(X[:350]).partial_fit(X[350:])
    assert_same(begun, fit(X))
    known = MinSyn(5).fit_covariance(Moments.of(X[:350])).partial_fit(sparse.csr_array(X[350:]))
    assert_same(known, fit(X))


def test_partial_fit_improves_on_an_early_optimum(X, rng):
    """The last solution is one start of several: a poor first part does not hold it back."""
    model = MinSyn(5, random_state=0).partial_fit(rng.normal(size=(40, 25))).partial_fit(1e3 * X)
    whole = fit(np.vstack([rng.normal(size=(40, 25)), 1e3 * X]))
    assert model.loss_curve_[-1] == pytest.approx(whole.loss_curve_[-1], rel=1e-3)


def test_partial_fit_keeps_a_good_optimum():
    X = np.random.default_rng(1).normal(size=(30, 40))
    best = fit(X, 12, n_init=40)
    assert best.loss_curve_[-1] < fit(X, 12, n_init=1).loss_curve_[-1] * (1 - 1e-4)
    continued = best.set_params(n_init=1).partial_fit(X)  # the same covariance
    assert -continued.score(X) == pytest.approx(best.loss_curve_[-1], rel=1e-6)
    assert -continued.score(X) < fit(X, 12, n_init=1).loss_curve_[-1] * (1 - 1e-4)


def test_what_partial_fit_cannot_continue(rng, X):
    with pytest.raises(ValueError, match="minimum of 2"):
        MinSyn(2).partial_fit(X[:1])
    wide = rng.normal(size=(20, 600))
    with pytest.raises(ValueError, match="keeps no covariance"):
        fit(wide, 2).partial_fit(wide)
    scaled = fit(X).rescaled(np.zeros(25), np.full(25, 2.0))
    with pytest.raises(ValueError, match="keeps no covariance"):
        scaled.partial_fit(X)
    with pytest.raises(ValueError, match="n_components=3, but partial_fit continues"):
        fit(X).set_params(n_components=3).partial_fit(X)


def test_a_saved_model_is_the_same(X, rng, tmp_path):
    model = fit(pd.DataFrame(X).add_prefix("f"))
    model.save(tmp_path)
    loaded = AnyMinSyn.load(tmp_path)
    assert_same(loaded, model, 0, 0)
    frame = pd.DataFrame(with_holes(X, rng)).add_prefix("f")
    np.testing.assert_array_equal(loaded.transform(frame), model.transform(frame))
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["latents"] == "linear"


def test_a_problem_of_moments_is_for_no_other_solver():
    from minsyn.estimators.encoders import find_encoder
    from minsyn.estimators.lbfgs import LBFGS
    from minsyn.estimators.module import find_decoder_choice
    from minsyn.estimators.problem import ModelSpec, MomentsProblem

    choice = find_decoder_choice("gaussian", "linear")
    problem = MomentsProblem(
        Moments.of_covariance(np.eye(3)), ModelSpec(1, choice, find_encoder("linear"))
    )
    assert not CovarianceSolver().obstacles(problem)
    assert LBFGS().obstacles(problem)


def test_the_last_digits_of_the_optimum_are_found(rng):
    """Where the loss is flat, the gradient still leads on: to a thousandth of a billionth."""
    basis = rng.normal(size=(5, 8))
    loss = _Loss(basis / np.linalg.norm(basis, axis=0), np.arange(1.0, 9))

    def objective(flat):
        value, gradient = loss(flat.reshape(2, 5))
        return float(value), gradient.ravel()

    near = minimize(objective, rng.normal(size=10), jac=True, method="CG", options={"gtol": 1e-3})
    best = _to_the_last_digits(loss, near.x.reshape(2, 5))
    assert np.linalg.norm(loss(best)[1]) < 1e-12 < 1e-5 < np.linalg.norm(near.jac)
    assert loss(best)[0] <= near.fun
