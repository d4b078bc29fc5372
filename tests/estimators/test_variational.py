import numpy as np
import pytest
import torch

from minsyn.estimators import (
    BetaTCVAE,
    BetaVAE,
    InformationDropout,
    load_model,
)
from minsyn.estimators.baselines import variational
from minsyn.nn.variational import total_correlation

KINDS = [BetaVAE, BetaTCVAE, InformationDropout]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def table():
    """Three causes of different strength in seven features."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(7, 3)))[0].T
    return rng.normal(size=(200, 3)) * [6, 4, 2] @ directions + rng.normal(size=(200, 7)) + 5


@pytest.fixture(scope="module")
def related():
    """Two correlated causes of five features each."""
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(200, 2)) @ np.array([[1, 0.6], [0, 0.8]])
    return np.repeat(causes, 5, axis=1) + 0.3 * rng.normal(size=(200, 10))


@pytest.fixture(scope="module")
def plain(table):
    return BetaVAE(3, beta=1.0, random_state=0).fit(table)


def untrained(model, n_latents, n_features, generator):
    varies = torch.ones(n_features, dtype=torch.bool)
    return model._module(n_latents, varies, variational.REAL, 1.0, generator)


def ppca_log_likelihood(X, k):
    """Mean over the samples at its maximum (Tipping and Bishop 1999, Eq. 4)."""
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    p, noise = len(eigenvalues), eigenvalues[k:].mean()
    log_det = np.log(eigenvalues[:k]).sum() + (p - k) * np.log(noise)
    return -0.5 * (log_det + p * np.log(2 * np.pi) + p)


def test_linear_vae_is_probabilistic_pca(table, plain):
    """The bound is tight at the optimum; trained with noise, it comes near."""
    reached, best = -np.mean(plain.loss_curve_[-50:]), ppca_log_likelihood(table, 3)
    assert best - 0.1 < reached < best + 0.01
    # Codes of latents with this signal and noise.
    variance = np.linalg.eigvalsh(np.cov(table.T, bias=True))[::-1]
    expected = 0.5 * np.log(variance[:3] / variance[3:].mean())
    np.testing.assert_allclose(plain.latent_information_, expected, rtol=0.15)
    residual = ((table - plain.reconstruct(table)) ** 2).sum(axis=1).mean()
    assert variance[3:].sum() < residual < 1.2 * variance[3:].sum()  # not below PCA's


def test_loss_is_that_of_the_data_in_their_units(table):
    model, large = (BetaVAE(3, max_iter=20, random_state=0).fit(f * table) for f in (1, 8))
    np.testing.assert_allclose(
        large.loss_curve_, np.add(model.loss_curve_, 7 * np.log(8)), atol=1e-3
    )
    np.testing.assert_allclose(
        large.reconstruct(8 * table), 8 * model.reconstruct(table), rtol=0.01
    )


def test_beta_turns_off_latents_that_are_worth_less_than_they_cost(table, plain):
    strict = BetaVAE(3, beta=6.0, random_state=0).fit(table)
    assert strict.latent_information_.sum() < 0.7 * plain.latent_information_.sum()
    assert plain.latent_information_.min() > 0.3 > 0.05 > strict.latent_information_.min()
    assert strict.score(table) < plain.score(table)


def test_beta_tcvae_adds_a_multiple_of_the_total_correlation(table):
    x = torch.from_numpy(table).float()

    def losses(kind, beta):
        generator = torch.Generator().manual_seed(0)
        return (
            kind(beta=beta)
            ._module(3, torch.ones(7, dtype=torch.bool), variational.REAL, 1.0, generator)
            .losses(x)
        )

    torch.testing.assert_close(losses(BetaTCVAE, 1.0), losses(BetaVAE, 1.0))
    noise = torch.Generator().manual_seed(0)
    module = BetaVAE(beta=1.0)._module(
        3, torch.ones(7, dtype=torch.bool), variational.REAL, 1.0, noise
    )
    mean, log_variance = module.encoder(x), module.spread(x)
    z = mean + module.noise(mean) * torch.exp(0.5 * log_variance)
    added = losses(BetaTCVAE, 5.0) - losses(BetaTCVAE, 1.0)
    expected = 4 * total_correlation(z, mean, log_variance)
    torch.testing.assert_close(added, expected, atol=1e-3, rtol=1e-3)


def test_one_process_only(monkeypatch, table):
    monkeypatch.setattr(variational, "world_size", lambda: 2)
    with pytest.raises(ValueError, match="trains in one process; found 2"):
        BetaTCVAE(2).fit(table)


def test_information_dropout_of_dead_and_saturated_latents():
    """Pre-activations far from 0 give finite losses and gradients."""
    model = InformationDropout(2, max_iter=1)
    module = model._module(
        2, torch.ones(3, dtype=torch.bool), variational.REAL, 1.0, torch.Generator().manual_seed(0)
    )
    x = torch.tensor([[1.0, 0, 0], [-1, 0, 0]]) * 1e3
    losses = module.losses(x)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert all(p.grad.isfinite().all() for p in module.parameters() if p.grad is not None)


def test_noise_costs_information(related):
    little, much = (
        InformationDropout(2, beta=beta, max_iter=90, random_state=0).fit(related)
        for beta in (0.1, 10.0)
    )
    assert little.latent_information_.sum() > 1.5 * much.latent_information_.sum() > 0
    assert (little.transform(related) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_values_in_the_unit_interval(kind, related, tmp_path):
    X = 1 / (1 + np.exp(-related))
    model = kind(3, decoder="sigmoid", max_iter=15, random_state=0).fit(X)
    assert 0 < model.reconstruct(X).min() < model.reconstruct(X).max() < 1
    assert (np.diff(model.latent_information_) <= 0).all()
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    np.testing.assert_array_equal(loaded.latent_information_, model.latent_information_)
    again = kind(3, decoder="sigmoid", max_iter=15, random_state=0).fit(X)
    np.testing.assert_array_equal(again.components_, model.components_)
    with pytest.raises(ValueError, match="MinMaxScaler"):
        kind(2, decoder="sigmoid").fit(related)
    X[:, 3] = 0.0  # has no logit: its weights must not be driven without end
    model = kind(3, decoder="sigmoid", max_iter=20, random_state=0).fit(X)
    assert (model.components_[:, 3] == 0).all() and (model.components_[:, 4] != 0).all()
