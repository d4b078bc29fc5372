"""Module of an encoder and a decoder, which is in closed form or trained."""

from dataclasses import dataclass
from functools import partial
from numbers import Real
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
    """Settings of Adam that the construction of a module depends on.

    Attributes
    ----------
    encoder : float
        Step size of the encoder.
    decoder : float or None
        Step size of a trained decoder; None is the default for its kind of observations.
    whole_batches : bool
        Whether each step uses all samples.
    momentum : float
        Weight of a new batch in the moving average of the statistics.
    """

    encoder: float
    decoder: float | None
    whole_batches: bool
    momentum: float


class ClosedForm(nn.Module):
    """A decoder in closed form, computed from statistics.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    options : dict
        Options of the decoder, except the momentum.
    """

    def __init__(self, decoder: Decoder, options: dict[str, Any]) -> None:
        super().__init__()
        self.decoder = decoder
        self._options = options

    def objective(
        self, x: Float[Tensor, "samples features"], *, drop_constant: bool = True
    ) -> Objective | None:
        """Training loss of these observations with a hand-written gradient, or None."""
        return self.decoder.objective(x, drop_constant=drop_constant, **self._options)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss of a batch, with the decoder computed from the same batch."""
        return self.decoder.loss(z, x)

    def note(self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]) -> None:
        """Add a batch to the moving average of the statistics."""
        self.decoder.running.update(PairwiseStatistics.of(z.detach(), x))

    @property
    def needs_start(self) -> bool:
        """Whether the decoder must be initialised before training."""
        return False

    def start_from(self, statistics: PairwiseStatistics) -> None:
        """Do nothing, as the decoder is recomputed from each batch."""

    def resume(
        self,
        weight: Float[np.ndarray, "latents features"],
        bias: Float[np.ndarray, " features"],
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> None:
        """Do nothing, as the decoder is recomputed from each batch."""

    def map_for_data(
        self,
        statistics: PairwiseStatistics,
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
        """Weights and bias computed from the final statistics, in float64."""
        weight, bias = self.decoder.linear_map(statistics.map(torch.from_numpy))
        return weight.numpy(), bias.numpy()


class DecoderChoice(Protocol):
    """Interpretation of the parameter ``decoder`` of `MinSyn`; its repr is unique."""

    @property
    def decoder(self) -> "partial[Decoder]":
        """Class and options of the decoder without synergy."""

    @property
    def latents(self) -> Latents:
        """Kind of latents."""

    def build(self, n_latents: int, n_features: int, steps: Steps | None) -> Any:
        """Build a `ClosedForm` or `FreeDecoder`."""

    @property
    def trained(self) -> bool:
        """Whether the decoder has parameters of its own."""


@dataclass(frozen=True, repr=False)
class _ClosedFormChoice:
    decoder: "partial[Decoder]"
    latents: Latents
    trained = False

    def __repr__(self) -> str:
        return _in_words(self.decoder)

    def build(self, n_latents: int, n_features: int, steps: Steps | None) -> ClosedForm:
        momentum = {} if steps is None else {"momentum": steps.momentum}
        options = self.decoder.keywords
        decoder = self.decoder.func.build(n_latents, n_features, **(momentum | options))  # type: ignore[attr-defined]
        decoder.latents = self.latents
        return ClosedForm(decoder, {k: v for k, v in options.items() if k != "momentum"})


@dataclass(frozen=True, repr=False)
class _TrainedChoice:
    decoder: "partial[Decoder]"
    latents: Latents
    synergy_weight: float
    trained = True

    def __repr__(self) -> str:
        return f"Free({_in_words(self.decoder)}, synergy_weight={self.synergy_weight})"

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


def _in_words(decoder: "partial[Decoder]") -> str:
    """Class and options, the same for all ways to write them: names, tuples, NumPy's numbers."""
    options = (f"{k}={np.asarray(v).tolist()!r}" for k, v in sorted(decoder.keywords.items()))
    return f"{decoder.func.__name__}({', '.join(options)})"


def find_decoder_choice(decoder: Any, latents: str = "auto") -> DecoderChoice:
    """Interpret the parameters ``decoder`` and ``latents`` of `MinSyn`.

    Parameters
    ----------
    decoder : str, type, partial or Free
        An argument of `minsyn.nn.find_decoder`, or a `Free` for a trained decoder.
    latents : str, default="auto"
        A name in `minsyn.nn.LATENTS`. "auto" is linear for the Gaussian decoder in closed form,
        whose fit then follows from a covariance, and the decoder's own kind otherwise.

    Raises
    ------
    ValueError
        If a name is unknown, the latents do not suit the decoder, or the synergy weight is negative
        or not finite.
    TypeError
        If ``decoder`` has another type.
    """
    if not isinstance(decoder, Free):
        found = find_decoder(decoder)
        if latents == "auto" and found.func is GaussianDecoder:
            return _ClosedFormChoice(found, LINEAR)
        return _ClosedFormChoice(found, _find_latents(latents, found))
    weight: Any = decoder.synergy_weight
    if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
        raise ValueError(
            f"synergy_weight={weight!r} must be at least 0 and finite; for the limit of large "
            f"weights, use decoder={decoder.decoder!r} itself"
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
    """An encoder and a decoder in training.

    Parameters
    ----------
    encoder : nn.Module
        Module that returns pre-activations of shape (n_samples, n_latents).
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
