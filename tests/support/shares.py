"""Gradients of decoders and penalties on the share of a batch that a process has."""

import torch
import torch.distributed as dist
from torch import nn

from minsyn.nn import BernoulliDecoder, GaussianDecoder, ci_synergy_penalty, share_of_batch

#: Samples of each of the two ranks.
SHARES = {"equal": (10, 10), "unequal": (13, 7), "one sample": (19, 1), "empty": (20, 0)}
#: By decoder, what is added to data in [0, 1]; where the mean is large, sums of squares lose all.
DECODERS = {"gaussian": (GaussianDecoder, 1e6), "bernoulli": (BernoulliDecoder, 0.0)}
LOSSES = {
    "decoder's": lambda decoder, z, x: decoder.loss(z, x),
    "own": lambda decoder, z, x: (
        (decoder(z, x) - x).abs().sum() / max(len(x), 1) * share_of_batch(z)
    ),
    "penalty": lambda decoder, z, x: ci_synergy_penalty(
        z,
        x,
        torch.ones(3, 5),
        torch.full((5,), 1e6 if isinstance(decoder, GaussianDecoder) else 0.0),
        observations="gaussian" if isinstance(decoder, GaussianDecoder) else "bernoulli",
    ),
}


def data():
    x = torch.rand(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[:, 1] = 0.3
    return x


def gradients(x):
    """By decoder and loss: gradients averaged over ranks as DDP does, the running statistics."""
    found = {}
    for name, (decoder_class, offset) in DECODERS.items():
        for loss_name, loss in LOSSES.items():
            torch.manual_seed(1)
            encoder = nn.Sequential(nn.Linear(5, 3), nn.Sigmoid()).double()
            decoder = decoder_class(3, 5).double()
            loss(decoder, encoder(x), x + offset).backward()
            gradient = torch.cat([p.grad.ravel() for p in encoder.parameters()])
            if dist.is_initialized():
                dist.all_reduce(gradient)
                gradient /= dist.get_world_size()
            found[name, loss_name] = gradient, decoder.running.state_dict()
    return found


def on_shares():
    """By kind of share, what `gradients` finds on it."""
    rank = dist.get_rank()
    found = {name: gradients(data().split(shares)[rank]) for name, shares in SHARES.items()}
    try:
        GaussianDecoder(3, 5)(torch.zeros(1 - rank, 3), torch.zeros(1 - rank, 5))
    except ValueError as error:
        found["one sample in all"] = str(error)
    return found
