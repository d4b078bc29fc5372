"""Encoders of `MinSyn`: linear maps and MLPs made here, and modules of the user's own."""

import copy
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from numbers import Integral
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from minsyn.nn.latents import Latents

__all__ = ["Encoder", "Net", "OwnModule", "encode", "find_encoder", "folded", "linear_encoder"]

#: One over the root mean square of SiLU of a standard normal: keeps the scale through a layer.
_SILU_GAIN = 1.676
#: Samples that are encoded at once.
_BLOCK_ROWS = 1024
#: By how much one step of Adam may change a latent's pre-activation: the automatic step size is
#: this over the number of inputs, which have mean square 1.
_PRE_ACTIVATION_STEP = 2.0
#: Largest automatic step sizes: of a linear encoder, of an MLP (one for all of its layers), and
#: Adam's usual one, for an encoder of which nothing is known.
_LINEAR_STEP, _MLP_STEP, _OWN_STEP = 0.05, 0.01, 0.001


class Encoder(ABC):
    """A kind of encoder: how it is built, what it sees, and how it is kept.

    Attributes
    ----------
    sees_data_as_given : bool
        Whether its inputs are the data as they were given. Otherwise they are the features that
        vary, centred and scaled to mean square 1.
    linear : bool
        Whether pre-activations are linear in the features.
    """

    sees_data_as_given: bool
    linear: bool

    @abstractmethod
    def build(
        self,
        n_latents: int,
        varies: Bool[np.ndarray, " features"],
        rows: Float[np.ndarray, "rows features"],
        generator: torch.Generator,
    ) -> nn.Module:
        """Module before training, in float32.

        Parameters
        ----------
        n_latents : int
            Number of outputs.
        varies : ndarray of bool, shape (n_features,)
            Features that vary.
        rows : ndarray of shape (n_rows, n_features)
            A few samples as they were given.
        generator : torch.Generator
            Source of the initial weights.
        """

    @abstractmethod
    def step_size(self, n_features: int) -> float:
        """Adam's automatic step size."""

    @abstractmethod
    def for_data(
        self,
        trained: nn.Module,
        varies: Bool[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> nn.Module:
        """Encoder of the data as they were given, in evaluation mode, from a trained module."""

    @abstractmethod
    def resume(
        self,
        module: nn.Module,
        fitted: nn.Module,
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> None:
        """Load the weights of an encoder from `for_data` into a module that sees all features."""

    def randomness(self, generator: torch.Generator) -> AbstractContextManager[None]:
        """Context in which everything that the encoder draws follows from the generator."""
        return nullcontext()

    def check_starts(self, n_init: Any) -> None:
        """Raise a ValueError if several random starts make no sense."""
        return


class Net(Encoder):
    """Linear layers with SiLU in between; without hidden layers a linear map.

    Parameters
    ----------
    hidden : sequence of int, default=()
        Sizes of the hidden layers.

    Examples
    --------
    >>> varies, rows = np.array([True, False, True]), np.zeros((2, 3))
    >>> Net((4,)).build(2, varies, rows, torch.Generator())
    Sequential(
      (0): Linear(in_features=2, out_features=4, bias=True)
      (1): SiLU()
      (2): Linear(in_features=4, out_features=2, bias=True)
    )
    """

    sees_data_as_given = False

    def __init__(self, hidden: Sequence[int] = ()) -> None:
        self.hidden = tuple(hidden)
        self.linear = not self.hidden

    def __repr__(self) -> str:
        return "encoder='linear'" if self.linear else f"encoder={self.hidden}"

    def build(
        self,
        n_latents: int,
        varies: Bool[np.ndarray, " features"],
        rows: Float[np.ndarray, "rows features"],
        generator: torch.Generator,
    ) -> nn.Module:
        """MLP of the features that vary, the outputs of every layer of about unit variance."""
        net = self.layers(int(varies.sum()), n_latents)
        first, *others = (layer for layer in net if isinstance(layer, nn.Linear))
        # All features together have mean square 1, of which constant ones have none.
        weight = torch.empty(first.out_features, len(varies))
        nn.init.normal_(weight, std=len(varies) ** -0.5, generator=generator)
        first.weight.data.copy_(weight[:, torch.from_numpy(varies)])
        nn.init.zeros_(first.bias)
        for layer in others:
            std = _SILU_GAIN * layer.in_features**-0.5
            nn.init.normal_(layer.weight, std=std, generator=generator)
            nn.init.zeros_(layer.bias)
        return net

    def layers(self, n_inputs: int, n_latents: int) -> nn.Sequential:
        """Layers with torch's own initial weights."""
        sizes = [n_inputs, *self.hidden, n_latents]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.SiLU()]
        return nn.Sequential(*layers[:-1])

    def step_size(self, n_features: int) -> float:
        """Step that changes pre-activations alike, whatever the number of features."""
        widest = max(n_features, *self.hidden, 1)
        return min(_LINEAR_STEP if self.linear else _MLP_STEP, _PRE_ACTIVATION_STEP / widest)

    def for_data(
        self,
        trained: nn.Module,
        varies: Bool[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> nn.Module:
        """Net of all features in float64, with weight 0 for those that do not vary."""
        assert isinstance(trained, nn.Sequential)
        first, *others = copy.deepcopy(trained).double().cpu()
        assert isinstance(first, nn.Linear)
        whole = nn.Linear(len(varies), first.out_features, dtype=torch.float64)
        with torch.no_grad():
            whole.weight.zero_()[:, torch.from_numpy(varies)] = first.weight
            whole.bias.copy_(first.bias)
        return folded(nn.Sequential(whole, *others), mean, scale)

    def resume(
        self,
        module: nn.Module,
        fitted: nn.Module,
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> None:
        """Load the weights of a net from `for_data`."""
        assert isinstance(fitted, nn.Sequential)
        # The net of (x - mean) / scale is that of x folded with the inverse scaling.
        scaled = folded(fitted, -mean / scale, 1 / scale)
        module.load_state_dict(scaled.float().state_dict())


class OwnModule(Encoder):
    """A module of the user's own, which sees the data as they are given, in float32.

    Parameters
    ----------
    module : nn.Module
        Gives pre-activations (n_samples, n_latents). It is copied, and training starts from its
        weights.
    """

    sees_data_as_given = True
    linear = False

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __repr__(self) -> str:
        return f"encoder={type(self.module).__name__}"

    def build(
        self,
        n_latents: int,
        varies: Bool[np.ndarray, " features"],
        rows: Float[np.ndarray, "rows features"],
        generator: torch.Generator,
    ) -> nn.Module:
        """Copy of the module, tried on a few rows.

        Raises
        ------
        ValueError
            If it has nothing to train, or its outputs are not one number for each sample and
            latent.
        """
        encoder = copy.deepcopy(self.module).cpu().float()
        if not any(parameter.requires_grad for parameter in encoder.parameters()):
            raise ValueError(
                "encoder has no parameters that require gradients: nothing can be trained"
            )
        inputs = torch.from_numpy(rows[:2].astype(np.float32))
        modes = [(part, part.training) for part in encoder.modules()]
        with torch.no_grad():
            output = encoder.eval()(inputs)
        for part, mode in modes:
            part.training = mode
        expected = (len(inputs), n_latents)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                "encoder must give pre-activations of shape (n_samples, n_components), for "
                f"{len(inputs)} samples {expected}; found {found}. Change its last layer, or "
                "n_components"
            )
        return encoder

    def step_size(self, n_features: int) -> float:
        """Adam's usual step size."""
        return _OWN_STEP

    def for_data(
        self,
        trained: nn.Module,
        varies: Bool[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> nn.Module:
        """Copy of the trained module, in float32."""
        return copy.deepcopy(trained).cpu().float().eval()

    def resume(
        self,
        module: nn.Module,
        fitted: nn.Module,
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> None:
        """Load the weights of a fitted module."""
        module.load_state_dict(fitted.state_dict())

    @contextmanager
    def randomness(self, generator: torch.Generator) -> Iterator[None]:
        """Seed torch's own generator, which the module may draw from, for a while."""
        with torch.random.fork_rng(devices=[]):
            seed = torch.randint(2**31, (), generator=generator)
            torch.default_generator.manual_seed(int(seed))
            yield

    def check_starts(self, n_init: Any) -> None:
        """Refuse several starts, which would all begin with the module's weights."""
        if n_init not in ("auto", 1):
            raise ValueError(
                f"n_init={n_init} starts of an encoder of your own would all begin with its "
                "weights: leave n_init at 1"
            )


def find_encoder(encoder: Any) -> Encoder:
    """Kind of encoder that a parameter names.

    Parameters
    ----------
    encoder : "linear", None, sequence of int or nn.Module
        As for `minsyn.MinSyn`.

    Raises
    ------
    ValueError
        If sizes are given that are not positive whole numbers.
    """
    if isinstance(encoder, nn.Module):
        return OwnModule(encoder)
    if encoder is None or isinstance(encoder, str):
        return Net()
    sizes = tuple(encoder)
    whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    if not (sizes and whole and min(sizes) >= 1):
        raise ValueError(
            f"encoder={encoder!r} must name the sizes of the hidden layers, at least one positive "
            "whole number, such as (64,); 'linear' is the encoder without any"
        )
    return Net([int(size) for size in sizes])


def folded(
    net: nn.Sequential,
    mean: Float[np.ndarray, " features"],
    scale: Float[np.ndarray, " features"] | float,
) -> nn.Sequential:
    """Net of ``x`` in float64, from a net of ``(x - mean) / scale`` whose first layer is linear.

    Examples
    --------
    >>> net, x, mean = linear_encoder(np.ones((1, 2)), np.zeros(1)), np.eye(2), np.array([1.0, 2])
    >>> bool(np.allclose(encode(folded(net, mean, 5.0), x), encode(net, (x - mean) / 5)))
    True
    """
    net = copy.deepcopy(net).double().eval()
    first = net[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.weight.div_(torch.as_tensor(scale, dtype=torch.float64))
        first.bias.sub_(first.weight @ torch.as_tensor(mean, dtype=torch.float64))
    return net


def linear_encoder(
    weights: Float[np.ndarray, "latents features"], bias: Float[np.ndarray, " latents"]
) -> nn.Sequential:
    """Linear encoder in float64, as a net without hidden layers."""
    layer = nn.Linear(weights.shape[1], weights.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))
    return nn.Sequential(layer).eval()


def encode(
    encoder: nn.Module,
    X: Float[np.ndarray, "samples features"],
    latents: Latents | None = None,
) -> Float[np.ndarray, "samples latents"]:
    """Latents of samples, block by block, in float64; pre-activations if no kind is given.

    Far from the origin, product and bias of a linear encoder cancel: float64 keeps the digits.
    """
    dtype = next(iter(encoder.parameters())).dtype
    with torch.no_grad():
        blocks = []
        for start in range(0, len(X), _BLOCK_ROWS):
            rows = torch.tensor(X[start : start + _BLOCK_ROWS], dtype=dtype)
            pre = encoder(rows).double()
            blocks.append(pre if latents is None else latents(pre))
    return torch.cat(blocks).numpy()
