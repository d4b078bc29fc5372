"""Single-parent MinSyn with parts exchanged: each row is the model that it says it is."""

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad
from scipy.special import expit

from minsyn import MinSyn
from minsyn.benchmark import (
    ABLATIONS,
    DECODERS,
    PARTITIONS,
    AblatedMinSyn,
    Ablation,
    ablation_table,
    find_ablation,
    find_methods,
    summarise,
)
from minsyn.benchmark import _ablation_problem as loss
from minsyn.estimators._single_parent_fit import _Problem, balancing_weights
from minsyn.information import PairwiseStatistics
from minsyn.information.gaussian import ci_decoder

LABELS = np.repeat([0, 1], 8)
GROUP = np.equal.outer([0, 1], LABELS)


@pytest.fixture(scope="module", name="X")
def letters_like():
    """Two groups of columns in [0, 1], each with few values of its own, uneven ones, as letters."""
    rng = np.random.default_rng(3)
    values = rng.random((2, 5, 8))
    first, second = (rng.choice(5, size=90, p=[0.5, 0.2, 0.1, 0.1, 0.1]) for _ in range(2))
    return np.hstack([values[0, first], values[1, second]])


def fit(X, **options):
    defaults = {"partition": LABELS, "n_starts": 4, "random_state": 0}
    return AblatedMinSyn(4, **{**defaults, **options}).fit(X)


@pytest.mark.parametrize("balance", [True, False])
def test_single_parent_is_what_minsyn_fits_group_by_group(X, balance):
    """The losses are the same sum, so that both come to the same optimum."""
    options = {"balance": balance, "alpha": 1e-3, "tol": 1e-6, "random_state": 0}
    apart = MinSyn(4, decoder="single-parent", grouping=LABELS, **options).fit(X)
    joint = fit(X, n_starts=12, max_iter=5000, tol=1e-6, alpha=1e-3, balance=balance)
    np.testing.assert_array_equal(joint.latent_groups_, apart.latent_groups_)
    np.testing.assert_array_equal(joint.groups_, apart.groups_)
    X_hat = joint.inverse_transform(joint.transform(X))
    np.testing.assert_allclose(X_hat, apart.reconstruct(X), atol=0.02)


def test_the_loss_is_the_sum_of_the_groups_losses(X):
    weights = [balancing_weights(X[:, GROUP[k]]) for k in range(2)]
    groups = [
        loss.FeatureGroup(np.flatnonzero(GROUP[k]), np.array([2 * k, 2 * k + 1]), weights[k])
        for k in range(2)
    ]
    joint = loss.AblationProblem(X, groups, 4, "single-parent", True)
    starts = joint.starts(2, np.random.RandomState(0))
    found = joint.objective(1e-2)(starts)[0]
    a, b, d, c = joint._split(starts)
    wanted = np.zeros(2)
    rank = 0
    for k, group in enumerate(groups):
        apart = _Problem(X[:, group.features], weights[k], 2, True)
        mine = slice(rank, rank := rank + apart.rank)
        # Principal axes are the same but for their signs.
        scores = joint._scores.numpy()[:, mine]
        order = np.unique(X[:, group.features], axis=0, return_index=True)[1]
        signs = np.sign(np.sum(scores[order] * apart.scores, axis=0))
        np.testing.assert_allclose(scores[order] * signs, apart.scores, atol=1e-3)
        parts = (
            a[:, mine, group.latents] * signs[:, np.newaxis],
            b[:, group.latents],
            d[np.ix_(range(2), group.latents, group.features)],
            c[:, group.features],
        )
        x = np.concatenate([part.reshape(2, -1) for part in parts], axis=1).astype(np.float32)
        share = apart.n_features * apart.variance / joint.loss_unit
        wanted += share * apart.objective(1e-2)(x)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


@pytest.mark.parametrize("decoder", ["ci", "free", "single-parent"])
@pytest.mark.parametrize("logistic", [True, False])
def test_gradients(X, decoder, logistic, monkeypatch):
    monkeypatch.setattr(loss, "_tensor", lambda values: torch.tensor(np.asarray(values, float)))
    weight = np.random.default_rng(0).random(len(X))
    groups = [
        loss.FeatureGroup(np.arange(8), np.array([0, 1]), weight),
        loss.FeatureGroup(np.arange(8, 16), np.array([2]), weight[::-1].copy()),
    ]
    problem = loss.AblationProblem(X, groups, 3, decoder, logistic and decoder != "ci")
    (start,) = problem.starts(1, np.random.RandomState(0)).astype(float)
    objective = problem.objective(1e-2)
    error = check_grad(
        lambda x: objective(x[np.newaxis])[0][0], lambda x: objective(x[np.newaxis])[1][0], start
    )
    assert error < 1e-5


@pytest.mark.parametrize("balance", [True, False])
def test_ci_decoder_is_that_of_the_latents_weighted_statistics(X, balance):
    model = fit(X, decoder="ci", balance=balance)
    Z = model.transform(X)
    for k in range(2):
        own = GROUP[k]
        w = balancing_weights(X[:, own]) if balance else np.ones(len(X))
        # A sample of weight w is w samples, as far as moments go.
        full = np.cov(np.hstack([Z, X[:, own]]).T, aweights=w, ddof=0)
        std = np.sqrt(np.diag(full))
        rho = (full / np.outer(std, std))[:4, 4:]
        wanted = ci_decoder(rho).coefficients / std[:4, np.newaxis] * std[4:]
        np.testing.assert_allclose(model.components_[:, own], wanted, atol=1e-3)
        mean = np.average(model.inverse_transform(Z)[:, own], axis=0, weights=w)
        np.testing.assert_allclose(mean, np.average(X[:, own], axis=0, weights=w), atol=1e-4)


def test_weighted_statistics_are_those_of_repeated_samples(rng):
    z, x, counts = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), np.arange(1, 10)
    weighted = loss.weighted_statistics(z, x, counts / counts.sum())
    repeated = PairwiseStatistics.of(np.repeat(z, counts, axis=0), np.repeat(x, counts, axis=0))
    for name in ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), atol=1e-12)


@pytest.mark.parametrize("decoder", DECODERS)
def test_masks_and_links(X, decoder):
    model = fit(X, decoder=decoder, max_iter=100)
    other = model.latent_groups_[:, np.newaxis] != LABELS
    assert not model.encoder_weights_[other].any()
    assert model.encoder_weights_[~other].all()
    assert model.components_[other].any() == (not decoder.startswith("single-parent"))
    natural = model.transform(X) @ model.components_ + model.intercept_
    logistic = decoder in ("single-parent", "free")
    np.testing.assert_array_equal(
        model.inverse_transform(model.transform(X)), expit(natural) if logistic else natural
    )


def test_features_of_no_group_are_seen_by_no_latent(X):
    labels = np.where(np.arange(16) == 3, -1, LABELS)
    with_constant = np.hstack([X, np.full((90, 1), 0.25)])
    for decoder, max_iter in (("single-parent", 200), ("free", 20), ("ci", 5)):
        options = {"decoder": decoder, "max_iter": max_iter, "n_starts": 2}
        model = fit(with_constant, partition=np.append(labels, 0), **options)
        assert model.groups_[[3, 16]].tolist() == [-1, -1]
        assert not model.encoder_weights_[:, [3, 16]].any()
        assert not model.components_[:, 16].any()
        assert model.components_[:, 3].any() == (decoder != "single-parent")
        X_hat = model.inverse_transform(model.transform(with_constant))
        np.testing.assert_allclose(X_hat[:, 16], 0.25, atol=1e-5)
        if decoder == "single-parent":
            np.testing.assert_allclose(X_hat[:, 3], X[:, 3].mean(), atol=5e-3)


def test_balance_is_the_samples_weights(X, monkeypatch):
    seen, make = [], loss.AblationProblem

    def record(X, groups, *rest):
        seen.append([group.weight for group in groups])
        return make(X, groups, *rest)

    monkeypatch.setattr(loss, "AblationProblem", record)
    for balance in (True, False):
        fit(X, balance=balance, max_iter=1)
    wanted = [balancing_weights(X[:, GROUP[k]]) for k in range(2)]
    np.testing.assert_allclose(seen[0][:2], wanted)
    np.testing.assert_array_equal(seen[1], np.ones((3, 90)))


def test_partitions(X):
    found = {key: fit(X, partition=key, max_iter=1, decoder="ci") for key in PARTITIONS}
    assert np.array_equal(found["synergy"].groups_, LABELS)
    assert not found["none"].groups_.any()
    np.testing.assert_array_equal(
        np.bincount(found["random"].groups_), np.bincount(found["synergy"].groups_)
    )
    assert not np.array_equal(found["random"].groups_, LABELS)
    gaussian = MinSyn(4, random_state=np.random.RandomState(0)).fit(X)
    rho = np.corrcoef(np.hstack([gaussian.transform(X), X]).T)[:4, 4:]
    nearest = np.abs(rho).argmax(axis=0)
    together = found["latents"].groups_[:, np.newaxis] == found["latents"].groups_
    np.testing.assert_array_equal(together, nearest[:, np.newaxis] == nearest)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decoder": "linear"}, "decoder='linear' is none of single-parent"),
        ({"partition": "colour"}, "partition='colour' is none of synergy"),
        ({"partition": [0, 1]}, "an integer for each of 16 features"),
    ],
)
def test_errors_name_the_cure(X, options, message):
    with pytest.raises(ValueError, match=message):
        fit(X, **options)


def test_logistic_decoders_want_probabilities(X):
    with pytest.raises(ValueError, match="Take 'free-linear'"):
        fit(X + 1, decoder="free")
    fit(X + 1, decoder="free-linear", max_iter=5)


def test_rows_are_all_that_differ():
    assert len({row.key for row in ABLATIONS}) == len(ABLATIONS) == 74
    assert Ablation("none", True, "single-parent", True) not in ABLATIONS
    for row in ABLATIONS:
        assert find_ablation(row.key) == row
        (method,) = find_methods([row.key])
        estimator = method.make(5, 7)
        assert (estimator.partition, estimator.balance, estimator.decoder) == row[:3]
        assert estimator.alpha == (MinSyn().alpha if row.penalty else 0)
        assert (estimator.n_components, estimator.random_state) == (5, 7)
    with pytest.raises(ValueError, match="did you mean 'ablation-none-balanced-free'"):
        find_methods(["ablation-none-balanced-fre"])


def test_table(tiny, cell):
    keys = ["ablation-synergy-balanced-ci", "ablation-none-unbalanced-free-unpenalised", "pca"]
    experiment = tiny(keys, draws=2)
    results = [
        cell(key, draw, test_loss=10.0 * i + draw, gk_synergy=0.25, converged=i > 0)
        for i, key in enumerate(keys)
        for draw in range(2)
    ]
    text = ablation_table(summarise(results, experiment.methods), experiment, "minsyn ablation")
    lines = text.splitlines()
    assert lines[2].startswith("| Synergy | CI | yes | yes | 50.0 ± 0.0 | 0.5 ± 0.7 |")
    assert lines[3].startswith("| None: one group | Free | no | no | 50.0 ± 0.0 | 10.5 ± 0.7 |")
    assert lines[4].startswith("| PCA |  |  |  | 50.0 ± 0.0 | 20.5 ± 0.7 |")
    assert lines[4].endswith("| 0.250 ± 0.000 | – | 2 of 2 |")
    assert lines[2].endswith("| 0 of 2 |")
    assert text.endswith("Made by `minsyn ablation`.\n")
