"""Decoders without synergy: pairwise statistics in, p(x | z) out."""

from abc import ABC, abstractmethod
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.latents import Latents
from minsyn.nn.objective import Objective
from minsyn.nn.observations import Observations
from minsyn.nn.penalties import ci_synergy_penalty
from minsyn.nn.precision import at_least_single, without_autocast
from minsyn.nn.ranks import statistics_over_ranks, world_size
from minsyn.nn.statistics import RunningStatistics

__all__ = ["DECODERS", "Decoder", "find_decoder"]

#: Decoders by name. A subclass of `Decoder` enters itself: ``class Mine(Decoder, name="mine")``.
DECODERS: dict[str, type["Decoder"]] = {}


class Decoder(nn.Module, ABC):
    """A decoder that has no trained parameters: its map follows from pairwise statistics.

    A subclass says what its ``latents`` and ``observations`` are and gives the map. With
    ``class MyDecoder(Decoder, name="my-decoder")`` it enters the registry `DECODERS`, and so is
    known by that name to `minsyn.MinSyn`, to the command line and to saved models.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.

    Attributes
    ----------
    name : str or None
        Name in the registry.
    latents : Latents
        Kind of latents; an instance may have another kind of the same family.
    observations : Observations
        Kind of observations.
    running : RunningStatistics
        Moving average of the statistics.
    """

    name: ClassVar[str | None] = None
    latents: Latents
    observations: Observations

    def __init_subclass__(cls, *, name: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.name = name
        if {"linear_map", "loss"} & set(vars(cls)) and "objective" not in vars(cls):
            # An inherited objective is that of the inherited map.
            cls.objective = classmethod(Decoder.objective.__func__)  # type: ignore[attr-defined,assignment]
        if name is None:
            return
        known = DECODERS.get(name)
        # A module that is loaded again defines the same class again.
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise ValueError(f"name={name!r} is that of {known.__name__} already: choose another")
        DECODERS[name] = cls

    def __init__(self, n_latents: int, n_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.running = RunningStatistics(n_latents, n_features, momentum)

    @classmethod
    def build(cls, n_latents: int, n_features: int, **options: Any) -> "Decoder":
        """A decoder for data of so many features; options are those of the class."""
        return cls(n_latents, n_features, **options)

    @classmethod
    def objective(
        cls, x: Float[Tensor, "samples features"], *, drop_constant: bool = True, **options: Any
    ) -> Objective | None:
        """Training loss of these observations with a hand-written gradient, where there is one.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            The observations that set the decoder and are reconstructed.
        drop_constant : bool, default=True
            Whether to leave out features that never vary; this takes a copy.
        **options
            Options of the class, but for ``momentum``.
        """
        return None

    @abstractmethod
    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the natural parameter, set from the statistics."""

    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """Expected observation given the natural parameter."""
        return self.observations.mean(natural)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss, summed over the features and averaged over the batch.

        Over several ranks in training, the average of the ranks' losses is that of the whole batch.
        """
        statistics = self.statistics(z, x)
        natural, x = at_least_single(self._natural(z, statistics), x)
        total = self.observations.losses(natural, x).sum()
        return self._mean_over_samples(total, statistics, len(x))

    def synergy_penalty(
        self,
        z: Float[Tensor, "batch latents"],
        x: Float[Tensor, "batch features"],
        weight: Float[Tensor, "latents features"],
        bias: Float[Tensor, " features"],
    ) -> Float[Tensor, ""]:
        """Synergy of a decoder that is trained freely: its divergence from this decoder.

        Parameters
        ----------
        z, x : Tensor of shape (batch, n_latents), (batch, n_features)
            Latents and observations.
        weight, bias : Tensor of shape (n_latents, n_features), (n_features,)
            The free decoder.

        Raises
        ------
        ValueError
            If there is no penalty for these observations.
        """
        observed: Any = self.observations.family
        hidden: Any = self.latents.family
        return ci_synergy_penalty(z, x, weight, bias, observations=observed, latents=hidden)

    def statistics(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None
    ) -> PairwiseStatistics:
        """The batch's statistics in training (the average is updated), else the average.

        Where `torch.distributed` is in use, the batch is that of all ranks together, and gradients
        reach the samples of all (see `minsyn.nn.ranks`).

        Raises
        ------
        ValueError
            In training, without ``x`` or with a batch of a single sample.
        RuntimeError
            In evaluation, if no batch has been seen.
        """
        if not self.training:
            return self.running.statistics()
        if x is None:
            raise ValueError(
                "in training a decoder sets itself from the batch and needs x beside z: call "
                "decoder(z, x), or decoder.eval() to use the running statistics"
            )
        with without_autocast(z):
            batch = statistics_over_ranks(*at_least_single(z, x))
        if batch.weight < 2:
            raise ValueError(
                "in training a decoder sets itself from the batch, and one sample has no "
                "correlations: pass at least 2, or call decoder.eval() to use the running "
                "statistics"
            )
        self.running.update(batch)
        return batch

    def forward(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None = None
    ) -> Float[Tensor, "batch features"]:
        """Expected observations given latents.

        Parameters
        ----------
        z : Tensor of shape (batch, n_latents)
            Latents.
        x : Tensor of shape (batch, n_features), optional
            The observations behind ``z``; needed in training, not used in evaluation.
        """
        return self.mean(self._natural(z, self.statistics(z, x)))

    def _natural(
        self, z: Float[Tensor, "batch latents"], statistics: PairwiseStatistics
    ) -> Float[Tensor, "batch features"]:
        with without_autocast(z):
            weights, intercept = self.linear_map(statistics)
        return torch.addmm(intercept.to(z.dtype), z, weights.to(z.dtype))

    def _mean_over_samples(
        self, total: Float[Tensor, ""], statistics: PairwiseStatistics, n_samples: int
    ) -> Float[Tensor, ""]:
        """Mean of a loss that was summed over samples.

        In training, one whose average over the ranks is the mean over the whole batch.
        """
        return total * (world_size() / statistics.weight if self.training else 1 / n_samples)


def find_decoder(decoder: Any) -> "partial[Decoder]":
    """A decoder's class and options from its name, its class, or a `functools.partial` of it.

    Parameters
    ----------
    decoder : str, type or partial
        A name in `DECODERS`, a subclass of `Decoder`, or a partial of one with keywords.

    Returns
    -------
    functools.partial
        Its ``func`` is the class, its ``keywords`` are the options.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is none of these.

    Examples
    --------
    >>> find_decoder("gaussian").func.__name__
    'GaussianDecoder'
    """
    if isinstance(decoder, str):
        if decoder not in DECODERS:
            raise ValueError(
                f"decoder={decoder!r} is unknown: choose one of {', '.join(map(repr, DECODERS))}, "
                "or pass a subclass of minsyn.nn.Decoder"
            )
        return partial(DECODERS[decoder])
    found: Any = decoder if isinstance(decoder, partial) else partial(lambda: None)
    if isinstance(decoder, type):
        found = partial(decoder)
    if found.args or not (isinstance(found.func, type) and issubclass(found.func, Decoder)):
        raise TypeError(
            f"decoder={decoder!r} must be a name, a subclass of minsyn.nn.Decoder, or a "
            "functools.partial of one with keyword arguments"
        )
    return found
