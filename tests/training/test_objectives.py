"""The hand-written losses and gradients against the decoders and autograd."""

import pytest
import torch

from minsyn.nn import BernoulliDecoder, GaussianDecoder
from minsyn.training.objectives import (
    BernoulliObjective,
    GaussianObjective,
    _softplus_of_log_odds,
)

PAIRS = [(GaussianObjective, GaussianDecoder), (BernoulliObjective, BernoulliDecoder)]


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
    monkeypatch.setattr("minsyn.training.objectives._BLOCK", 1)
    value, gradient = BernoulliObjective(x).value_and_gradient(z)
    torch.testing.assert_close((value, gradient), (whole, whole_gradient), rtol=1e-12, atol=1e-15)


def test_saturated_log_odds_have_the_softplus_of_torch():
    z, w = torch.ones(1, 1), torch.linspace(-200, 200, 101)[None]
    total, *_ = _softplus_of_log_odds(z, w, torch.zeros(101))
    torch.testing.assert_close(total, torch.nn.functional.softplus(w).sum())
    z = torch.randn(37, 1)
    total, *_ = _softplus_of_log_odds(z, w, torch.zeros(101))
    torch.testing.assert_close(total, torch.nn.functional.softplus(z @ w).sum())


def test_a_constant_far_from_the_origin_does_not_vary():
    x = torch.rand(30, 3)
    x[:, 1] = 12345.678
    z = torch.rand(30, 2)
    value, gradient = GaussianObjective(x, drop_constant=False).value_and_gradient(z)
    without, without_gradient = GaussianObjective(x[:, [0, 2]]).value_and_gradient(z)
    torch.testing.assert_close((value, gradient), (without, without_gradient), rtol=1e-4, atol=1e-7)
