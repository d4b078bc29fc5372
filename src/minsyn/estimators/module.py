"""What is trained: an encoder, and a decoder that is set in closed form or trained."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.estimators.free import Free
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoder import Decoder, find_decoder
from minsyn.nn.free import FreeDecoder
from minsyn.nn.gaussian import GaussianDecoder
from minsyn.nn.latents import LATENTS, LINEAR, Latents
from minsyn.nn.objective import Objective
from minsyn.nn.observations import Observations

__all__ = [
    "ClosedForm",
    "DecoderChoice",
    "MinSynModule",
    "Steps",
    "find_decoder_choice",
]


@dataclass(frozen=True)
class Steps:
    """How Adam is going to train.

    Attributes
    ----------
    encoder : float
        Step size of the encoder.
    decoder : float or None
        Step size of a trained decoder; None is that of its kind of observations.
    whole_batches : bool
        Whether each step sees all samples.
    momentum : float
        Weight of a new batch in the moving average of the statistics.
    """

    encoder: float
    decoder: float | None
    whole_batches: bool
    momentum: float


class ClosedForm(nn.Module):
    """A decoder that is set in closed form, by its statistics.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    options : dict
        Options that it was built with, but for the momentum.
    """

    def __init__(self, decoder: Decoder, options: dict[str, Any]) -> None:
        super().__init__()
        self.decoder = decoder
        self._options = options

    def objective(
        self, x: Float[Tensor, "samples features"], *, drop_constant: bool = True
    ) -> Objective | None:
        """Training loss of these observations with a hand-written gradient, where there is one."""
        return self.decoder.objective(x, drop_constant=drop_constant, **self._options)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss of a batch, which sets the decoder."""
        return self.decoder.loss(z, x)

    def note(self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]) -> None:
        """Take a batch into the moving average of the statistics."""
        self.decoder.running.update(PairwiseStatistics.of(z.detach(), x))

    @property
    def needs_start(self) -> bool:
        """Whether training must be told where the decoder starts."""
        return False

    def start_from(self, statistics: PairwiseStatistics) -> None:
        """Nothing: each batch sets the decoder anew."""

    def resume(
        self,
        weight: Float[np.ndarray, "latents features"],
        bias: Float[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> None:
        """Nothing: each batch sets the decoder anew."""

    def map_for_data(
        self, statistics: PairwiseStatistics, mean: Float[np.ndarray, " features"], scale: float
    ) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
        """Weights and bias that follow from the final statistics, in float64."""
        weight, bias = self.decoder.linear_map(statistics.map(torch.from_numpy))
        return weight.numpy(), bias.numpy()


class DecoderChoice(Protocol):
    """What the parameter ``decoder`` of `MinSyn` stands for."""

    @property
    def decoder(self) -> "partial[Decoder]":
        """Class and options of the decoder without synergy."""

    @property
    def latents(self) -> Latents:
        """Kind of latents."""

    def build(self, n_latents: int, n_features: int, steps: Steps | None) -> Any:
        """`ClosedForm` or `FreeDecoder`."""

    @property
    def trained(self) -> bool:
        """Whether the decoder has parameters of its own."""


@dataclass(frozen=True)
class _ClosedFormChoice:
    decoder: "partial[Decoder]"
    latents: Latents
    trained = False

    def build(self, n_latents: int, n_features: int, steps: Steps | None) -> ClosedForm:
        momentum = {} if steps is None else {"momentum": steps.momentum}
        options = self.decoder.keywords
        decoder = self.decoder.func.build(n_latents, n_features, **(momentum | options))  # type: ignore[attr-defined]
        decoder.latents = self.latents
        return ClosedForm(decoder, {k: v for k, v in options.items() if k != "momentum"})


@dataclass(frozen=True)
class _TrainedChoice:
    decoder: "partial[Decoder]"
    latents: Latents
    synergy_weight: float
    trained = True

    def build(self, n_latents: int, n_features: int, steps: Steps | None) -> FreeDecoder:
        assert steps is not None  # only Adam trains decoders
        decoder = self.decoder.func.build(n_latents, n_features, **self.decoder.keywords)  # type: ignore[attr-defined]
        decoder.latents = self.latents
        step = steps.decoder
        if step is None:
            step = decoder.observations.natural_step / n_latents
        return FreeDecoder(
            decoder,
            self.synergy_weight,
            relative_step=step / steps.encoder,
            follows=self.synergy_weight > 0 and steps.whole_batches,
        )


def find_decoder_choice(
    decoder: Any, latents: str = "auto", *, linear_encoder: bool = False
) -> DecoderChoice:
    """What the parameters ``decoder`` and ``latents`` of `MinSyn` stand for.

    Parameters
    ----------
    decoder : str, type, partial or Free
        A decoder as `minsyn.nn.find_decoder` takes it, or one that is trained.
    latents : str, default="auto"
        A name in `minsyn.nn.LATENTS`. "auto" is linear for the Gaussian decoder under a linear
        encoder, else the decoder's own kind.
    linear_encoder : bool, default=False
        Whether the encoder is linear.

    Raises
    ------
    ValueError
        If a name is unknown, the latents do not suit the decoder, or the synergy weight is negative
        or not finite.
    TypeError
        If it is nothing of the kind.
    """
    if not isinstance(decoder, Free):
        found = find_decoder(decoder)
        if latents == "auto" and linear_encoder and found.func is GaussianDecoder:
            latents = LINEAR.name
        return _ClosedFormChoice(found, _find_latents(latents, found))
    weight = decoder.synergy_weight
    if not 0 <= weight < np.inf:
        raise ValueError(
            f"synergy_weight={weight} must be at least 0 and finite; decoder={decoder.decoder!r} "
            "itself is the limit of large weights"
        )
    found = find_decoder(decoder.decoder)
    return _TrainedChoice(found, _find_latents(latents, found), float(weight))


def _find_latents(latents: str, decoder: "partial[Decoder]") -> Latents:
    own: Latents = decoder.func.latents  # type: ignore[attr-defined]
    if latents == "auto":
        return own
    if latents not in LATENTS:
        known = ", ".join(map(repr, ("auto", *LATENTS)))
        raise ValueError(f"latents={latents!r} is unknown: choose one of {known}")
    kind = LATENTS[latents]
    if kind.family != own.family:
        suited = " or ".join(repr(k.name) for k in LATENTS.values() if k.family == own.family)
        raise ValueError(
            f"latents={latents!r} are {kind.family}, but {decoder.func.__name__} is made for "
            f"{own.family} latents: choose {suited}, or a decoder of the other family"
        )
    return kind


class MinSynModule(nn.Module):
    """An encoder and a decoder, as they are trained.

    Parameters
    ----------
    encoder : nn.Module
        Gives pre-activations (n_samples, n_latents).
    decoder : ClosedForm or FreeDecoder
        The decoder.
    generator : torch.Generator
        Source of randomness in training.
    """

    def __init__(self, encoder: nn.Module, decoder: Any, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.generator = generator

    @property
    def latents(self) -> Latents:
        """Kind of latents."""
        return self.decoder.decoder.latents

    @property
    def observations(self) -> Observations:
        """Kind of observations."""
        return self.decoder.decoder.observations

    def forward(self, inputs: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch latents"]:
        """Latents of a batch."""
        return self.latents(self.encoder(inputs))
