"""Encoders of `MinSyn`: linear maps, MLPs and custom modules."""

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

#: Gain that keeps the scale through a layer: the inverse root mean square of SiLU of a standard
#: normal variable.
_SILU_GAIN = 1.676
#: Number of samples encoded at once.
_BLOCK_ROWS = 1024
#: Largest change of a pre-activation in one step of Adam. The automatic step size is this divided
#: by the number of inputs, which have mean square 1.
_PRE_ACTIVATION_STEP = 2.0
#: Largest automatic step size of a linear encoder and of an MLP (for all layers), and the step size
#: of a custom module.
_LINEAR_STEP, _MLP_STEP, _OWN_STEP = 0.05, 0.01, 0.001


class Encoder(ABC):
    """A kind of encoder: its construction, inputs and step size.

    Attributes
    ----------
    sees_data_as_given : bool
        Whether the inputs are the original data. Otherwise they are the features that vary, centred
        and scaled to mean square 1.
    linear : bool
        Whether pre-activations are linear in the features.
    """

    sees_data_as_given: bool
    linear: bool

    def structure(self) -> str:
        """Text of the layers, equal for encoders that compute the same from equal weights."""
        return repr(self)

    @abstractmethod
    def build(
        self,
        n_latents: int,
        varies: Bool[np.ndarray, " features"],
        rows: Float[np.ndarray, "rows features"],
        generator: torch.Generator,
    ) -> nn.Module:
        """Build the untrained module, in float32.

        Parameters
        ----------
        n_latents : int
            Number of outputs.
        varies : ndarray of bool, shape (n_features,)
            Whether each feature varies.
        rows : ndarray of shape (n_rows, n_features)
            A few samples of the original data.
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
        scale: float | Float[np.ndarray, " features"],
    ) -> nn.Module:
        """Encoder of the original data, in evaluation mode, from a trained module."""

    @abstractmethod
    def resume(
        self,
        module: nn.Module,
        fitted: nn.Module,
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> None:
        """Load the weights of an encoder from `for_data` into a module with all features."""

    def randomness(self, generator: torch.Generator) -> AbstractContextManager[None]:
        """Context in which the generator determines the random numbers of the encoder."""
        return nullcontext()

    def check_starts(self, n_init: Any) -> None:
        """Raise a ValueError if the encoder does not support several random starts."""
        return


class Net(Encoder):
    """Linear layers with SiLU activations in between; a linear map without hidden layers.

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
        """Build an MLP of the features that vary, with outputs of unit variance in each layer."""
        net = self.layers(int(varies.sum()), n_latents)
        first, *others = (layer for layer in net if isinstance(layer, nn.Linear))
        # The mean square over all features is 1, and that of constant features is 0.
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
        """Layers with torch's default initial weights."""
        sizes = [n_inputs, *self.hidden, n_latents]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.SiLU()]
        return nn.Sequential(*layers[:-1])

    def step_size(self, n_features: int) -> float:
        """Step size with similar changes of pre-activations for any number of features."""
        widest = max(n_features, *self.hidden, 1)
        return min(_LINEAR_STEP if self.linear else _MLP_STEP, _PRE_ACTIVATION_STEP / widest)

    def for_data(
        self,
        trained: nn.Module,
        varies: Bool[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> nn.Module:
        """Net of all features in float64, with weight 0 for constant features."""
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
        scale: float | Float[np.ndarray, " features"],
    ) -> None:
        """Load the weights of a net from `for_data`."""
        assert isinstance(fitted, nn.Sequential)
        # Folding the inverse scaling turns a net of x into a net of (x - mean) / scale.
        scaled = folded(fitted, -mean / scale, 1 / scale)
        module.load_state_dict(scaled.float().state_dict())


class OwnModule(Encoder):
    """Custom module, with the original data in float32 as inputs.

    Parameters
    ----------
    module : nn.Module
        Module that returns pre-activations of shape (n_samples, n_latents). It is copied, and
        training starts from its weights.
    """

    sees_data_as_given = True
    linear = False

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __repr__(self) -> str:
        return f"encoder={type(self.module).__name__}"

    def structure(self) -> str:
        """Layers and their settings, as torch prints them."""
        return " ".join(str(self.module).split())

    def build(
        self,
        n_latents: int,
        varies: Bool[np.ndarray, " features"],
        rows: Float[np.ndarray, "rows features"],
        generator: torch.Generator,
    ) -> nn.Module:
        """Copy the module, and check its outputs on a few rows.

        Raises
        ------
        ValueError
            If the module has no trainable parameters, or its outputs have the wrong shape.
        """
        encoder = copy.deepcopy(self.module).cpu().float()
        if not any(parameter.requires_grad for parameter in encoder.parameters()):
            raise ValueError(
                "encoder has no parameters that require gradients, so it cannot be trained"
            )
        inputs = _as_given(rows[:2], torch.float32)
        modes = [(part, part.training) for part in encoder.modules()]
        try:
            with torch.no_grad():
                output = encoder.eval()(inputs)
        except RuntimeError as error:
            raise ValueError(
                f"encoder cannot take samples of {rows.shape[1]} features: "
                f"{' '.join(str(error).split())}"
            ) from error
        for part, mode in modes:
            part.training = mode
        expected = (len(inputs), n_latents)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                "encoder must return pre-activations of shape (n_samples, n_components), for "
                f"{len(inputs)} samples {expected}; found {found}. Change its last layer, or "
                "n_components"
            )
        return encoder

    def step_size(self, n_features: int) -> float:
        """Adam's customary step size."""
        return _OWN_STEP

    def for_data(
        self,
        trained: nn.Module,
        varies: Bool[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> nn.Module:
        """Copy of the trained module, in float32."""
        return copy.deepcopy(trained).cpu().float().eval()

    def resume(
        self,
        module: nn.Module,
        fitted: nn.Module,
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> None:
        """Load the weights of a fitted module."""
        module.load_state_dict(fitted.state_dict())

    @contextmanager
    def randomness(self, generator: torch.Generator) -> Iterator[None]:
        """Context in which torch's global generator is seeded from the given one."""
        with torch.random.fork_rng(devices=[]):
            seed = torch.randint(2**31, (), generator=generator)
            torch.default_generator.manual_seed(int(seed))
            yield

    def check_starts(self, n_init: Any) -> None:
        """Reject several starts, as all would have the module's weights."""
        if n_init not in ("auto", 1):
            raise ValueError(
                f"n_init={n_init} starts of a custom encoder would all have the same initial "
                "weights: leave n_init at 1"
            )


def find_encoder(encoder: Any) -> Encoder:
    """Find the kind of encoder for a parameter ``encoder``.

    Parameters
    ----------
    encoder : "linear", None, sequence of int or nn.Module
        Parameter of `minsyn.MinSyn`.

    Raises
    ------
    ValueError
        If the sizes of hidden layers are not positive integers.
    """
    if isinstance(encoder, nn.Module):
        return OwnModule(encoder)
    if encoder is None or isinstance(encoder, str):
        return Net()
    sizes = tuple(encoder)
    whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    if not (sizes and whole and min(sizes) >= 1):
        raise ValueError(
            f"encoder={encoder!r} must be the sizes of the hidden layers, as positive integers, "
            "such as (64,); for an encoder without hidden layers, pass 'linear'"
        )
    return Net([int(size) for size in sizes])


def folded(
    net: nn.Sequential,
    mean: Float[np.ndarray, " features"],
    scale: Float[np.ndarray, " features"] | float,
) -> nn.Sequential:
    """Convert a net of ``(x - mean) / scale`` with a linear first layer to a net of ``x``.

    The result is in float64.

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
        first.weight.div_(torch.tensor(scale, dtype=torch.float64))
        first.bias.sub_(first.weight @ torch.tensor(mean, dtype=torch.float64))
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


def _as_given(
    rows: Float[np.ndarray, "samples features"], dtype: torch.dtype
) -> Float[Tensor, "samples features"]:
    """Unscaled samples in the type that an encoder computes with, and in one layout.

    The last digits would depend on the layout, and torch refuses some of them.
    """
    inputs = torch.from_numpy(np.array(rows, order="C")).to(dtype)
    if dtype != torch.float64 and not inputs.isfinite().all():
        raise ValueError(
            f"the encoder takes the data as they are, in {str(dtype).removeprefix('torch.')}, "
            "which they exceed: scale them"
        )
    return inputs


def encode(
    encoder: nn.Module,
    X: Float[np.ndarray, "samples features"],
    latents: Latents | None = None,
) -> Float[np.ndarray, "samples latents"]:
    """Encode samples block by block, in float64; without ``latents``, return pre-activations.

    Far from the origin, the product and the bias of a linear encoder nearly cancel. Therefore
    float64 is needed.
    """
    dtype = next(iter(encoder.parameters())).dtype
    with torch.no_grad():
        blocks = []
        for start in range(0, len(X), _BLOCK_ROWS):
            pre = encoder(_as_given(X[start : start + _BLOCK_ROWS], dtype)).double()
            blocks.append(pre if latents is None else latents(pre))
    return torch.cat(blocks).numpy()
