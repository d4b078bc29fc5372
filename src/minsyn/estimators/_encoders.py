"""Encoders of `MinSyn` that are nets: an MLP, or a module of the user's own."""

import copy
import itertools
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

__all__ = [
    "for_data_as_given",
    "for_standardised_data",
    "hidden_sizes",
    "initial_mlp",
    "mlp",
    "own_encoder",
    "pre_activations",
]

#: One over the root mean square of SiLU of a standard normal: keeps the scale through a layer.
_SILU_GAIN = 1.676
#: Samples that are encoded at once.
_BLOCK_ROWS = 1024


def hidden_sizes(encoder: Any) -> tuple[int, ...] | None:
    """Sizes of an MLP's hidden layers; None for the linear encoder or a module.

    Raises
    ------
    ValueError
        If sizes are given that are not positive whole numbers.
    """
    if not isinstance(encoder, list | tuple):
        return None
    sizes = tuple(encoder)
    whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    if not (sizes and whole and min(sizes) >= 1):
        raise ValueError(
            f"encoder={encoder!r} must name the sizes of the hidden layers, at least one positive "
            "whole number, such as (64,); 'linear' is the encoder without any"
        )
    return tuple(int(size) for size in sizes)


def mlp(n_inputs: int, hidden: Sequence[int], n_latents: int) -> nn.Sequential:
    """Linear layers with SiLU in between.

    Examples
    --------
    >>> [type(layer).__name__ for layer in mlp(10, (4,), 2)]
    ['Linear', 'SiLU', 'Linear']
    """
    sizes = [n_inputs, *hidden, n_latents]
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def initial_mlp(
    varies: Bool[np.ndarray, " features"],
    hidden: Sequence[int],
    n_latents: int,
    generator: torch.Generator,
) -> nn.Sequential:
    """An MLP of the features that vary, every layer's outputs of about unit variance."""
    model = mlp(int(varies.sum()), hidden, n_latents)
    first = True
    for layer in model:
        if isinstance(layer, nn.Linear):
            # All features together have mean square 1, of which constant ones have none.
            std = len(varies) ** -0.5 if first else _SILU_GAIN * layer.in_features**-0.5
            nn.init.normal_(layer.weight, std=std, generator=generator)
            nn.init.zeros_(layer.bias)
            first = False
    return model


def for_data_as_given(
    trained: nn.Sequential,
    varies: Bool[np.ndarray, " features"],
    mean: Float[np.ndarray, " features"],
    scale: float,
) -> nn.Sequential:
    """The MLP of X in float64, from one of the varying features of ``(X - mean) / scale``."""
    layers = list(copy.deepcopy(trained))
    first = layers[0]
    assert isinstance(first, nn.Linear)
    whole = nn.Linear(len(varies), first.out_features).double()
    weight = np.zeros((first.out_features, len(varies)))
    weight[:, varies] = first.weight.detach().double().numpy() / scale
    bias = first.bias.detach().double().numpy() - weight @ mean
    with torch.no_grad():
        whole.weight.copy_(torch.from_numpy(weight))
        whole.bias.copy_(torch.from_numpy(bias))
    return nn.Sequential(whole, *layers[1:]).double().eval()


def for_standardised_data(
    fitted: nn.Sequential, mean: Float[np.ndarray, " features"], scale: float
) -> nn.Sequential:
    """The MLP of ``(X - mean) / scale`` in float32, from one of X: to go on training."""
    encoder = copy.deepcopy(fitted)
    first = encoder[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.bias.add_(first.weight @ torch.from_numpy(mean))
        first.weight.mul_(scale)
    return encoder.float()


def own_encoder(
    module: nn.Module, X: Float[np.ndarray, "samples features"], n_components: int
) -> nn.Module:
    """A copy of the user's module, in float32 on the CPU, whose outputs are as they must be.

    Raises
    ------
    ValueError
        If it has nothing to train, or gives anything but one number for each sample and latent.
    """
    encoder = copy.deepcopy(module).cpu().float()
    if not any(parameter.requires_grad for parameter in encoder.parameters()):
        raise ValueError("encoder has no parameters that require gradients: nothing can be trained")
    rows = X[:2].astype(np.float32)
    modes = [(part, part.training) for part in encoder.modules()]
    with torch.no_grad():
        output = encoder.eval()(torch.from_numpy(rows))
    for part, mode in modes:
        part.training = mode
    expected = (len(rows), n_components)
    if not isinstance(output, Tensor) or tuple(output.shape) != expected:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"encoder must give pre-activations of shape (n_samples, n_components), for "
            f"{len(rows)} samples {expected}; found {found}. Change its last layer, or n_components"
        )
    return encoder


def pre_activations(
    encoder: nn.Module, X: Float[np.ndarray, "samples features"]
) -> Float[np.ndarray, "samples latents"]:
    """What a fitted module gives, block by block, as float64."""
    dtype = next(iter(encoder.parameters())).dtype
    with torch.no_grad():
        blocks = [
            encoder(torch.tensor(X[start : start + _BLOCK_ROWS], dtype=dtype)).double()
            for start in range(0, len(X), _BLOCK_ROWS)
        ]
    return torch.cat(blocks).numpy()
