"""Nets of groups: the batched program against one net after another."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minsyn.nn.group_nets import GroupDecoder, GroupEncoder, GroupNet

PARENTS = np.array([[1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1, 0]], bool)
N_LATENTS = np.array([1, 3, 2])


def drawn(kind, hidden, straight):
    module = kind(PARENTS, N_LATENTS, hidden, straight=straight).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def one_by_one(net, group, inputs, n_outputs):
    """A net of one group alone, with its inputs in columns."""
    hidden, straight = inputs, net.straight[group][:n_outputs, : inputs.shape[1]]
    last = len(net.weights) - 1
    for number, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        weight, bias = weight[group], bias[group][:, 0]
        if number == 0:
            weight = weight[:, : inputs.shape[1]]
        if number == last:
            weight, bias = weight[:n_outputs], bias[:n_outputs]
        hidden = F.linear(F.silu(hidden) if number else hidden, weight, bias)
    return hidden + inputs @ straight.T if straight.numel() else hidden


@pytest.mark.parametrize(("hidden", "straight"), [((4, 5), True), ((), False)])
def test_encoder_is_one_net_for_each_group(hidden, straight):
    encoder = drawn(GroupEncoder, hidden, straight)
    x = torch.randn(6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    alone = [
        one_by_one(encoder.net, group, x[:, torch.from_numpy(own)], N_LATENTS[group])
        for group, own in enumerate(PARENTS)
    ]
    assert torch.allclose(encoder(x), torch.cat(alone, dim=1))


@pytest.mark.parametrize(("hidden", "straight"), [((4, 5), True), ((), False)])
def test_decoder_adds_up_the_nets_of_the_parents(hidden, straight):
    decoder = drawn(GroupDecoder, hidden, straight)
    z = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = decoder.intercept.expand(6, -1).clone()
    for group, (own, part) in enumerate(zip(PARENTS, z.split([1, 3, 2], dim=1), strict=True)):
        expected[:, own] += one_by_one(decoder.net, group, part, own.sum())
    assert torch.allclose(decoder(z), expected)


def test_a_latent_reaches_the_features_of_its_group_alone():
    decoder = drawn(GroupDecoder, (4,), False)
    slopes = torch.autograd.functional.jacobian(decoder, torch.zeros(1, 6, dtype=torch.float64))
    reached = (slopes[0, :, 0] != 0).numpy()
    assert np.array_equal(reached, np.repeat(PARENTS, N_LATENTS, axis=0).T)


def test_drawn_weights_keep_the_scale_of_the_inputs():
    """Layers begin with outputs of unit variance, also of groups with few inputs."""
    n_inputs = np.array([1, 5, 40])
    net = GroupNet(3, (40, 300, 200), straight=False)
    generator = torch.Generator().manual_seed(0)
    net.draw(generator, n_inputs)
    there = torch.arange(40)[:, None] < torch.from_numpy(n_inputs)[:, None, None]
    inputs = torch.randn(3, 40, 500, generator=generator) * there
    hidden = net.weights[0] @ inputs
    for outputs in (hidden, net(inputs)):
        assert (outputs.square().mean(dim=(1, 2)).sqrt() - 1).abs().max() < 0.15


def test_places_of_features_and_latents_are_no_part_of_the_state():
    """They follow from the groups, which are."""
    for module in (drawn(GroupEncoder, (4,), True), drawn(GroupDecoder, (4,), True)):
        assert not {"features", "kept"} & set(module.state_dict())
