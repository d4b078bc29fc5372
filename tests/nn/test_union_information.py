"""Gradients of union information: against finite differences of the certified solver."""

import numpy as np
import pytest
import torch

from minsyn.information import discrete
from minsyn.information import union_information as certified
from minsyn.nn.union_information import gk_synergy, union_information


@pytest.fixture
def pmfs(rng):
    return torch.from_numpy(rng.dirichlet(np.full(12, 2.0), size=3).reshape(3, 2, 3, 2))


@pytest.mark.parametrize("function", [union_information, gk_synergy])
def test_gradcheck_of_a_batch(pmfs, function):
    of_batch = torch.autograd.gradcheck(
        lambda p: function(p, batch_dims=1), (pmfs.requires_grad_(),), eps=1e-4, atol=1e-4
    )
    assert of_batch
    one = function(pmfs[1], unit="nats")
    assert one.item() == pytest.approx(function(pmfs, batch_dims=1)[1].item() * np.log(2))


def test_values_are_the_certified_ones(pmfs):
    for i, value in enumerate(union_information(pmfs, batch_dims=1)):
        assert value.item() == pytest.approx(certified(pmfs[i].numpy()).value, abs=1e-9)
        synergy = gk_synergy(7 * pmfs[i]).item()  # the sum does not matter
        assert synergy == pytest.approx(discrete.gk_synergy(pmfs[i].numpy()), abs=1e-9)


def test_along_changes_that_keep_the_zeros(rng):
    p = np.zeros((2, 2, 2))  # AND of unequal coins: that of fair ones has a kink
    p[0, 0, 0], p[0, 1, 0], p[1, 0, 0], p[1, 1, 1] = 0.4, 0.2, 0.1, 0.3
    tensor = torch.from_numpy(p).requires_grad_()
    union_information(tensor).backward()
    change = np.where(p > 0, rng.normal(size=p.shape), 0.0)
    change[p > 0] -= change.sum() / 4
    change *= 1e-4
    up, down = (certified(p + sign * change).value for sign in (1, -1))
    assert (tensor.grad.numpy() * change).sum() == pytest.approx((up - down) / 2, rel=1e-4)
    assert tensor.grad.isfinite().all()


def test_one_source_has_the_gradient_of_mutual_information(pmfs):
    p = (pmfs[0].reshape(6, 2) / pmfs[0].sum()).requires_grad_()
    union_information(p, unit="nats").backward()
    pointwise = (p / (p.sum(1, keepdim=True) * p.sum(0))).log().detach()
    expected = pointwise - (p * pointwise).sum()
    torch.testing.assert_close(p.grad, expected.detach())
    assert gk_synergy(p).item() == pytest.approx(0, abs=1e-12)


def test_types_are_kept(pmfs):
    p = pmfs.float().requires_grad_()
    value = gk_synergy(p, batch_dims=1)
    value.sum().backward()
    assert value.dtype == p.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("pmf", "batch_dims", "message"),
    [
        (torch.full((2, 2), torch.nan), 0, "numbers of 0 or more"),
        (torch.tensor([[0.5, -0.5], [0.5, 0.5]]), 0, "numbers of 0 or more"),
        (torch.zeros(2, 2, 2), 1, "not all 0"),
        (torch.ones(2), 0, "axis for each source"),
        (torch.ones(2, 2, 2), 2, "batch_dims=2"),
        (torch.ones(0, 2, 2), 1, "empty"),
    ],
)
def test_bad_input(pmf, batch_dims, message):
    with pytest.raises(ValueError, match=message):
        union_information(pmf, batch_dims=batch_dims)
