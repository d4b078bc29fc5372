"""The hand-written losses and gradients against the decoders and autograd."""

import pytest
import torch

from minsyn.nn import BernoulliDecoder, BernoulliGaussianDecoder, GaussianDecoder
from minsyn.nn.bernoulli import BernoulliObjective, _softplus_of_log_odds
from minsyn.nn.gaussian import GaussianObjective

PAIRS = [
    (GaussianObjective, GaussianDecoder),
    (BernoulliObjective, BernoulliDecoder),
    (BernoulliGaussianDecoder.objective, BernoulliGaussianDecoder),
]


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(30, 3, generator=generator, dtype=torch.double)
    x = torch.rand(30, 7, generator=generator, dtype=torch.double)
    x[:, 0], x[:, 1], x[:, 2], x[:, 3] = 0.0, 1.0, 0.3, x[:, 4]
    return z, x


@pytest.mark.parametrize("drop_constant", [True, False])
@pytest.mark.parametrize(("objective", "decoder"), PAIRS)
def test_loss_and_gradient_are_the_decoders(objective, decoder, drop_constant, data):
    z, x = data
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    ours = objective(x, drop_constant=drop_constant)(a)
    theirs = decoder(3, 7).double().loss(b, x)
    ours.backward(), theirs.backward()
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("objective", "decoder"), PAIRS)
def test_a_dead_latent_and_a_copied_feature(objective, decoder, data):
    z, x = data
    z = z.clone()
    z[:, 0], x[:, 4] = 0.5, z[:, 1]
    value, gradient = objective(x).value_and_gradient(z)
    torch.testing.assert_close(value, decoder(3, 7).double().loss(z, x), rtol=1e-9, atol=0)
    assert torch.isfinite(gradient).all() and torch.any(gradient != 0)


@pytest.mark.parametrize(("objective", "decoder"), PAIRS)
def test_nothing_varies(objective, decoder):
    value, gradient = objective(torch.full((5, 2), 0.5)).value_and_gradient(torch.rand(5, 2))
    assert torch.isfinite(value) and (gradient == 0).all()


def test_blocks_do_not_show(data, monkeypatch):
    z, x = data
    whole, whole_gradient = BernoulliObjective(x).value_and_gradient(z)
    monkeypatch.setattr("minsyn.nn.bernoulli._BLOCK", 1)
    value, gradient = BernoulliObjective(x).value_and_gradient(z)
    torch.testing.assert_close((value, gradient), (whole, whole_gradient), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("objective", [GaussianObjective, BernoulliObjective])
def test_several_sets_of_latents_at_once(objective, data):
    z, x = data
    loss = objective(x)
    both = torch.stack([z, z.flip(0), z.square()])
    values, gradients = loss.value_and_gradient(both)
    for one, value, gradient in zip(both, values, gradients, strict=True):
        expected = loss.value_and_gradient(one)
        torch.testing.assert_close((value, gradient), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("objective", [GaussianObjective, BernoulliObjective])
def test_merged_copies_lose_nothing(objective, data):
    """Features that are equal are one that counts as often, and what is at stake stays."""
    z, x = data
    x = x[:, [4, 5, 4, 6, 4, 6]]
    clusters = torch.tensor([0, 1, 0, 2, 0, 2]), torch.tensor([3.0, 1, 2]).double()
    loss, rows = objective(x), torch.arange(5, 25)
    merged, part = loss.merged(rows, *clusters), objective(x[rows])
    expected = part.value_and_gradient(z[rows])
    torch.testing.assert_close(merged.value_and_gradient(z[rows]), expected)
    assert merged.features.shape == (20, 3) and merged.at_stake == pytest.approx(part.at_stake)


@pytest.mark.parametrize("objective", [GaussianObjective, BernoulliObjective])
def test_at_stake_is_what_perfect_latents_gain(objective):
    """Binary features that are their own latents lose all but what smoothing leaves."""
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]).double().repeat(5, 1)
    loss = objective(x)
    nothing, _ = loss.value_and_gradient(torch.full((20, 2), 0.5).double())
    everything, _ = loss.value_and_gradient(x)
    assert nothing - everything == pytest.approx(loss.at_stake, rel=0.01)


def test_saturated_log_odds_have_the_softplus_of_torch():
    z, w = torch.ones(1, 1), torch.linspace(-200, 200, 101)[None]
    zeros = torch.zeros(101)
    total, *_ = _softplus_of_log_odds(z, w, zeros, w)
    torch.testing.assert_close(total, torch.nn.functional.softplus(w)[0])
    z = torch.randn(37, 1)
    total, *_ = _softplus_of_log_odds(z, w, zeros, w)
    torch.testing.assert_close(total, torch.nn.functional.softplus(z @ w).sum(dim=0))


def test_a_constant_far_from_the_origin_does_not_vary():
    x = torch.rand(30, 3)
    x[:, 1] = 12345.678
    z = torch.rand(30, 2)
    value, gradient = GaussianObjective(x, drop_constant=False).value_and_gradient(z)
    without, without_gradient = GaussianObjective(x[:, [0, 2]]).value_and_gradient(z)
    torch.testing.assert_close((value, gradient), (without, without_gradient), rtol=1e-4, atol=1e-7)


def test_what_is_at_stake_is_not_negative_in_single_precision():
    x = (0.5 + 1e-5 * torch.randn(2000, 50, generator=torch.Generator().manual_seed(0))).float()
    assert 0 <= BernoulliObjective(x).at_stake < 0.1


@pytest.mark.parametrize("objective", [GaussianObjective, BernoulliObjective])
def test_a_cluster_that_is_constant_in_some_rows_is_kept(objective, data):
    """Clusters keep their places, and what does not vary adds nothing to the gradient."""
    z, x = data
    x = x[:, 4:7].clone()
    x[:20, 1] = 1.0
    rows, clusters = torch.arange(20), (torch.arange(3), torch.tensor([2.0, 5, 1]).double())
    merged = objective(x).merged(rows, *clusters)
    kept = objective(x[:, [0, 2]]).merged(rows, torch.arange(2), clusters[1][[0, 2]])
    gradient, expected = (loss.value_and_gradient(z[:20])[1] for loss in (merged, kept))
    torch.testing.assert_close(gradient, expected)
    assert merged.features.shape == (20, 3) and merged.at_stake == pytest.approx(kept.at_stake)


@pytest.mark.parametrize("decoder", [GaussianDecoder, BernoulliDecoder])
def test_constants_are_left_out_of_objectives_only_where_that_is_asked_for(decoder):
    x = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    assert decoder.objective(x).features.shape == (2, 1)
    assert decoder.objective(x, drop_constant=False).features.shape == (2, 2)


def test_features_far_from_the_origin_keep_their_digits():
    """Each is centred by itself: in single precision, a common origin would leave none."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 6, generator=generator) + torch.logspace(0, 5, 6)
    z = torch.rand(200, 2, generator=generator)
    exact = GaussianObjective(x.double()).value_and_gradient(z.double())
    for ours, expected in zip(GaussianObjective(x).value_and_gradient(z), exact, strict=True):
        error = (ours.double() - expected).abs().max() / expected.abs().max()
        assert error < 1e-4
