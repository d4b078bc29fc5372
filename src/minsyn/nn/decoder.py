"""Base class and registry of decoders without synergy."""

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
from minsyn.nn.precision import at_least_single, without_autocast
from minsyn.nn.ranks import statistics_over_ranks, world_size
from minsyn.nn.statistics import RunningStatistics

__all__ = ["DECODERS", "Decoder", "find_decoder"]

#: Registry of decoders by name. ``class Mine(Decoder, name="mine")`` adds a subclass to it.
DECODERS: dict[str, type["Decoder"]] = {}


class Decoder(nn.Module, ABC):
    """Decoder without trained parameters, computed from pairwise statistics.

    A subclass sets ``latents`` and ``observations`` and implements ``linear_map``. The declaration
    ``class MyDecoder(Decoder, name="my-decoder")`` adds it to the registry `DECODERS`. Then
    `minsyn.MinSyn`, the command line and saved models accept that name.

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

    Examples
    --------
    A decoder that ignores the latents:

    >>> import torch
    >>> from minsyn.nn import LINEAR, REAL
    >>> class MeanDecoder(Decoder):
    ...     latents, observations = LINEAR, REAL
    ...
    ...     def linear_map(self, statistics):
    ...         return torch.zeros_like(statistics.cov_zx), statistics.mean_x
    >>> decoder = MeanDecoder(n_latents=2, n_features=1)
    >>> decoder(torch.zeros(2, 2), torch.tensor([[1.0], [3.0]]))
    tensor([[2.],
            [2.]])
    """

    name: ClassVar[str | None] = None
    latents: Latents
    observations: Observations

    def __init_subclass__(cls, *, name: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.name = name
        if {"linear_map", "loss"} & set(vars(cls)) and "objective" not in vars(cls):
            # An inherited objective belongs to the inherited map, not to the new one.
            cls.objective = classmethod(Decoder.objective.__func__)  # type: ignore[attr-defined,assignment]
        if name is None:
            return
        known = DECODERS.get(name)
        # Reloading a module defines the same class again.
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise ValueError(f"name={name!r} is already used by {known.__name__}: choose another")
        DECODERS[name] = cls

    def __init__(self, n_latents: int, n_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.running = RunningStatistics(n_latents, n_features, momentum)

    @classmethod
    def build(cls, n_latents: int, n_features: int, **options: Any) -> "Decoder":
        """Build a decoder for ``n_features`` features; the options are those of the class."""
        return cls(n_latents, n_features, **options)

    @classmethod
    def objective(
        cls, x: Float[Tensor, "samples features"], *, drop_constant: bool = True, **options: Any
    ) -> Objective | None:
        """Training loss of these observations with a hand-written gradient, or None.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            The observations. The decoder is computed from them, and they are its targets.
        drop_constant : bool, default=True
            Whether to leave out constant features; this copies the data.
        **options
            Options of the class, except ``momentum``.
        """
        return None

    @abstractmethod
    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the natural parameter, computed from the statistics."""

    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """Expected observation given the natural parameter."""
        return self.observations.mean(natural)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Reconstruction loss, summed over the features and averaged over the batch.

        With several ranks in training, the average of the ranks' losses is the loss of the whole
        batch.
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
        """Synergy of a freely trained decoder: its divergence from this decoder.

        In units of the reconstruction loss. Over several ranks, the average of the ranks' values is
        that of the whole batch.

        Parameters
        ----------
        z, x : Tensor of shape (batch, n_latents), (batch, n_features)
            Latents and observations.
        weight, bias : Tensor of shape (n_latents, n_features), (n_features,)
            The free decoder.
        """
        with without_autocast(z):
            z, x, weight, bias = at_least_single(z, x, weight, bias)
            statistics = statistics_over_ranks(z, x)
            own_weight, own_bias = self.linear_map(statistics)
            free, own = torch.addmm(bias, z, weight), torch.addmm(own_bias, z, own_weight)
            total = self.observations.divergences(free, own).sum()
            return total * (world_size() / statistics.weight)

    def statistics(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None
    ) -> PairwiseStatistics:
        """Statistics of the batch in training mode, or the moving average in evaluation mode.

        In training mode, the moving average is updated. With `torch.distributed`, the statistics
        are those of the samples of all ranks, and gradients reach all of these samples (see
        `minsyn.nn.ranks`).

        Raises
        ------
        ValueError
            In training mode, if ``x`` is missing or the batch is a single sample.
        RuntimeError
            In evaluation mode, if no batch has been seen.
        """
        if not self.training:
            return self.running.statistics()
        if x is None:
            raise ValueError(
                "in training mode a decoder is computed from the batch and needs z and x: call "
                "decoder(z, x), or decoder.eval() to use the running statistics"
            )
        with without_autocast(z):
            batch = statistics_over_ranks(*at_least_single(z, x))
        if batch.weight < 2:
            raise ValueError(
                "in training mode a decoder is computed from the batch, and one sample has no "
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
            The observations that ``z`` encodes. Required in training mode, unused in evaluation
            mode.
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
        """Mean over the samples, from the sum over the samples.

        In training it is scaled such that the average over the ranks is the mean over the whole
        batch.
        """
        return total * (world_size() / statistics.weight if self.training else 1 / n_samples)


def find_decoder(decoder: Any) -> "partial[Decoder]":
    """Find the class and options of a decoder.

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
        If ``decoder`` has another type.

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
    found: partial[Any] = decoder if isinstance(decoder, partial) else partial(lambda: None)
    if isinstance(decoder, type):
        found = partial(decoder)
    if found.args or not (isinstance(found.func, type) and issubclass(found.func, Decoder)):
        raise TypeError(
            f"decoder={' '.join(repr(decoder).split())} must be a name, a subclass of "
            "minsyn.nn.Decoder, or a functools.partial of one with keyword arguments"
        )
    return found
