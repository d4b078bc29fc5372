"""Kinds of observations: losses are those of their distributions, and divergences what is lost."""

import pytest
import torch

from minsyn.information.ci.categorical import Categories
from minsyn.nn.observations import BINARY, BOUNDED, REAL, Categorical

KINDS = [REAL, BINARY, BOUNDED, Categorical(Categories((2, 3)))]


@pytest.fixture
def naturals():
    return torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_divergence_is_the_loss_of_another_parameter_less_that_of_the_own(kind, naturals):
    """In expectation; all losses here are linear in x, or vanish at the mean."""
    own, other = naturals
    mean = kind.mean(own)
    expected = kind.losses(other, mean) - kind.losses(own, mean)
    torch.testing.assert_close(kind.divergences(own, other), expected)
    assert (expected > 0).all() and not kind.divergences(own, own).any()


def test_losses_are_squared_errors_or_minus_log_probabilities(naturals):
    own, other = naturals
    x = (other > 0).double()
    for kind in (REAL, BOUNDED):
        expected = (kind.mean(own) - x).square().sum(dim=1)
        torch.testing.assert_close(kind.losses(own, x), expected)
    bits = torch.distributions.Bernoulli(logits=own).log_prob(x).sum(dim=1)
    torch.testing.assert_close(BINARY.losses(own, x), -bits)
    one_hot = torch.tensor([[1.0, 0, 0, 0, 1]]).double().expand(4, 5)
    first, second = own.split([2, 3], dim=1)
    log_p = first.log_softmax(dim=1)[:, 0] + second.log_softmax(dim=1)[:, 2]
    torch.testing.assert_close(KINDS[-1].losses(own, one_hot), -log_p)
