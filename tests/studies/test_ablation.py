"""MinSyn with parts exchanged: each row is the model that it says it is."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import check_grad
from scipy.special import expit
from typer.testing import CliRunner

from minsyn import MinSyn, VectorMinSyn
from minsyn.benchmark import find_methods, summarise
from minsyn.datasets import load_typewriter
from minsyn.estimators.vectors.balance import balancing_weights
from minsyn.estimators.vectors.group_fit import GroupProblem
from minsyn.information import PairwiseStatistics
from minsyn.information.gaussian import ci_decoder
from studies.ablation import loss, rows
from studies.ablation.__main__ import app
from studies.ablation.model import DECODERS, PARTITIONS, AblatedMinSyn
from studies.ablation.report import ablation_table, figure_of_ablation
from studies.ablation.rows import ABLATIONS, BY_KEY, KNOWN, Ablation

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


@pytest.mark.parametrize("balance", [True])
def test_single_parent_is_what_minsyn_fits_group_by_group(X, balance):
    """The losses are the same sum, so that both have the same optimum."""
    options = {"balance": balance, "alpha": 1e-3, "tol": 1e-6, "random_state": 0}
    apart = VectorMinSyn(4, grouping=LABELS, **options).fit(X)
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
        apart = GroupProblem(X[:, group.features], weights[k], 2)
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


@pytest.mark.parametrize("balance", [True])
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
        ({"decoder": "linear"}, "decoder='linear' is not one of single-parent"),
        ({"partition": "colour"}, "partition='colour' is not one of synergy"),
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
    assert len(BY_KEY) == len(ABLATIONS) == 74
    assert Ablation("none", True, "single-parent", True) not in ABLATIONS
    assert len({row.label for row in ABLATIONS}) == 74
    with pytest.raises(ValueError, match="did you mean 'ablation-none-balanced-free'"):
        find_methods(["ablation-none-balanced-fre"], KNOWN)


@pytest.mark.parametrize(
    "key",
    [
        "ablation-none-balanced-ci",
        "ablation-none-unbalanced-free-linear",
        "ablation-synergy-balanced-single-parent-linear",
        "ablation-synergy-balanced-free-unpenalised",
    ],
)
def test_a_row_is_the_model_that_its_key_names(X, key):
    row = BY_KEY[key]
    made = KNOWN[key].make(4, 7).set_params(n_starts=2, max_iter=30).fit(X)
    alike = AblatedMinSyn(
        4,
        partition=row.partition,
        balance="unbalanced" not in key,
        decoder=row.decoder,
        alpha=0.0 if "unpenalised" in key else 2e-5,
        n_starts=2,
        max_iter=30,
        random_state=7,
    ).fit(X)
    np.testing.assert_array_equal(made.components_, alike.components_)
    # The other choice of each part is another model.
    for part, value in (("balance", not row.balance), ("alpha", 1e-2), ("random_state", 8)):
        other = KNOWN[key].make(4, 7).set_params(n_starts=2, max_iter=30, **{part: value})
        assert not np.array_equal(other.fit(X).components_, made.components_)


KEYS = ["ablation-synergy-balanced-ci", "ablation-none-unbalanced-free-unpenalised", "pca"]


@pytest.fixture
def some(tiny, cell):
    """An experiment of three rows, and its results."""
    experiment = tiny(find_methods(KEYS, KNOWN), draws=2)
    results = [
        cell(key, draw, test_loss=10.0 * i + draw, gk_synergy=0.25, converged=i > 0)
        for i, key in enumerate(KEYS)
        for draw in range(2)
    ]
    return experiment, results


def test_table(some):
    experiment, results = some
    text = ablation_table(summarise(results, experiment.methods), experiment, "the command")
    lines = text.splitlines()
    assert lines[2].startswith("| Synergy | CI | yes | yes | 50.0 ± 0.0 | 0.5 ± 0.7 |")
    assert lines[3].startswith("| None: one group | Free | no | no | 50.0 ± 0.0 | 10.5 ± 0.7 |")
    assert lines[4].startswith("| PCA |  |  |  | 50.0 ± 0.0 | 20.5 ± 0.7 |")
    assert lines[4].endswith("| 0.250 ± 0.000 | – | 2 of 2 |")
    assert lines[2].endswith("| 0 of 2 |")
    assert text.endswith("Made by `the command`.\n")


def test_figure_has_rows_with_the_last_penalty_and_references(some, cell):
    experiment, results = some
    key = "ablation-synergy-unbalanced-ci"
    methods = [*experiment.methods, KNOWN[key]]
    figure = figure_of_ablation([*results, cell(key, 0, test_loss=33.0)], methods)
    loss_axes, _, gk_axes, groups_axes = figure.axes
    labels = [text.get_text() for text in loss_axes.get_yticklabels()]
    assert labels == ["Synergy", "CI", "For comparison", "PCA"]
    marks = loss_axes.collections[1::2]
    means = [tuple(one.get_offsets()[0]) for one in marks]
    assert means == [(0.5, pytest.approx(0.8)), (33.0, pytest.approx(1.2)), (20.5, 3)]
    white = [tuple(one.get_facecolor()[0]) == (1, 1, 1, 1) for one in marks]
    assert white == [False, True, False]  # balanced, not balanced, PCA
    assert [one.get_offsets()[0, 0] for one in gk_axes.collections[1::2]] == [0.25, 0.25]
    assert not groups_axes.collections  # not measured in these cells
    assert [text.get_text() for text in figure.legends[0].texts] == ["balanced", "not balanced"]


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_stopped_run_is_resumed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Short fits: what is told here is where they end up.
    defaults = {"n_starts": 2, "max_iter": 60}
    monkeypatch.setattr(rows, "AblatedMinSyn", partial(AblatedMinSyn, **defaults))
    letters = load_typewriter(size=6)
    np.savez("small.npz", images=letters.images, labels=letters.labels)
    options = ("--letters", "small.npz", "--decoders", "free-linear", "--components", 2)
    options = (*options, "--jobs", 1, "--output", tmp_path)
    one = invoke("--partitions", "none", "--references", "", *options)
    assert one.exit_code == 0, one.output
    more = invoke("--partitions", "synergy,none", "--references", "pca", *options)
    assert more.exit_code == 0, more.output
    assert "2 of 5 cells were finished before" in more.output
    frame = pd.read_csv(tmp_path / "ablation.csv").set_index("method")
    assert len(frame) == 5 and {"ci_synergy", "gk_synergy", "gk_synergy_groups"} < set(frame)
    table = (tmp_path / "ablation.md").read_text()
    test_loss = frame.at["ablation-synergy-balanced-free-linear", "test_loss"]
    (row,) = [
        line
        for line in table.splitlines()
        if line.startswith("| Synergy | Free (linear) | yes | yes")
    ]
    assert f"| {test_loss:.1f} |" in row
    assert (
        "Made by `python -m studies.ablation --letters small.npz --draws 1 --components 2 --seed 0 "
        "--partitions synergy,none --decoders free-linear --references pca`." in table
    )
    summary = pd.read_csv(tmp_path / "summary.csv").set_index(["method", "score"])
    assert summary.at[("pca", "gk_synergy"), "mean"] == frame.at["pca", "gk_synergy"]
    for name in ("ablation.csv", "summary.csv", "ablation.md", "ablation.png", "ablation.pdf"):
        assert (tmp_path / name).exists()
        assert name in more.output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--partitions", "colour"), "partitions: 'colour' is not one of synergy, correlation"),
        (("--decoders", ","), "decoders: ',' is not one of single-parent, free"),
        (("--references", "pcs"), "did you mean 'pca'?"),
        (("--draws", "0"), "draws: 0 must be at least 1"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    result = invoke(*arguments, "--output", tmp_path)
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")
