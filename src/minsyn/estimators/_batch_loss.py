"""The loss of batches of a stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from minsyn.data import SampleStream
from minsyn.estimators._module import MinSynModule
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.objectives import BernoulliObjective, GaussianObjective
from minsyn.training.worker import Worker

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["BatchLoss", "own_randomness", "training_batches"]


def training_batches(
    model: "MinSyn", samples: SampleStream, mean: Float[np.ndarray, " features"], scale: float
) -> SampleStream:
    """A stream whose batches are as `BatchLoss` takes them.

    Real features come centred and scaled, probabilities as they are. A module of the user's own
    sees real features as they were given: then these come before them.
    """
    if model.decoder != "gaussian":
        return samples
    scaled = samples.scaled(mean, scale)
    return scaled.with_unscaled() if isinstance(model.encoder, nn.Module) else scaled


@contextmanager
def own_randomness(model: "MinSyn", generator: torch.Generator) -> Iterator[None]:
    """Seed torch's own generator, which a module of the user's own may draw from, for a while."""
    if not isinstance(model.encoder, nn.Module):
        yield
        return
    with torch.random.fork_rng(devices=[]):
        seed = torch.randint(2**31, (), generator=generator)
        torch.default_generator.manual_seed(int(seed))
        yield


class BatchLoss:
    """Loss of a batch, with hand-written gradients where one process sees all of it.

    Features that are constant in all data are left out; what they add to the Bernoulli decoder's
    loss is a number. Encoders that were made here take features of mean 0: for the Bernoulli
    decoder, whose batches are not centred, the shift goes into the first layer's weights instead,
    which are fewer.

    Parameters
    ----------
    model : MinSyn
        Says whether the encoder is the user's own, and which statistics are wanted.
    module : MinSynModule
        What is trained.
    mean, scale : ndarray of shape (n_features,), float
        The encoder sees ``(X - mean) / scale``.
    varies : ndarray of bool, shape (n_features,)
        Features that are not constant.
    by_hand : bool, default=True
        Whether this process sees all of a batch, in single precision.
    """

    def __init__(
        self,
        model: "MinSyn",
        module: MinSynModule,
        mean: Float[np.ndarray, " features"],
        scale: float,
        varies: Bool[np.ndarray, " features"],
        *,
        by_hand: bool = True,
    ) -> None:
        self._module = module
        self._by_hand = by_hand
        self._running = model.statistics == "running"
        self._own = isinstance(model.encoder, nn.Module)
        self._binary = model._binary_features
        self._columns = None if varies.all() else torch.from_numpy(np.flatnonzero(varies))
        self._shift = torch.from_numpy(mean[varies] / scale).float()
        self._scale = scale
        self._constant = 0.0
        if self._binary and not varies.all():
            constant = torch.from_numpy(mean[~varies]).float()
            self._constant = float(BernoulliObjective(constant[None])(torch.full((1, 1), 0.5)))

    def __call__(self, *batch: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
        """Loss of a batch from `training_batches`."""
        decoder, free, x = self._module.decoder, self._module.free, batch[-1]
        varying = self._varying(x)
        z = self._latents(batch[0], varying)
        if free is not None:
            return free.loss(z, x)
        if not self._by_hand:
            return decoder.loss(z, x)
        if self._running:
            decoder.running.update(PairwiseStatistics.of(z.detach(), x))
        if self._binary:
            return BernoulliObjective(varying, drop_constant=False)(z) + self._constant
        return GaussianObjective(varying, drop_constant=False)(z)

    @torch.no_grad()
    def start_decoder(
        self, samples: SampleStream, batch_size: int | None, worker: Worker | None = None
    ) -> None:
        """Let a decoder that is trained start without CI synergy of the initial latents.

        Parameters
        ----------
        samples : SampleStream
            From `training_batches`.
        batch_size : int or None
            Most samples that are encoded at once, over all processes.
        worker : Worker, optional
            The process, of which each takes its share; None is the only one.
        """
        free = self._module.free
        if free is None or free.follows:
            return
        worker = worker or Worker()

        def of_share() -> PairwiseStatistics:
            batches = samples.batches(batch_size, None, worker.rank, worker.world_size)
            return reduce(PairwiseStatistics.merge, map(self._statistics, batches))

        free.start_at(*free.map_without_synergy(worker.merged(of_share)))

    def _statistics(self, batch: tuple[Tensor, ...]) -> PairwiseStatistics:
        z = self._latents(batch[0], self._varying(batch[-1]))
        return PairwiseStatistics.of(z.double(), batch[-1].double())

    def _varying(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch inputs"]:
        if self._columns is None:
            return x
        self._columns = self._columns.to(x.device)
        return x.index_select(1, self._columns)

    def _latents(
        self, as_given: Float[Tensor, "batch features"], varying: Float[Tensor, "batch inputs"]
    ) -> Float[Tensor, "batch latents"]:
        if self._own:
            return self._module(as_given)
        if not self._binary:
            return self._module(varying)
        first, *rest = self._module.layers
        self._shift = self._shift.to(first.weight)
        bias = first.bias - first.weight @ self._shift
        activation = F.linear(varying, first.weight / self._scale, bias)
        for layer in rest:
            activation = layer(activation)
        return self._module.activation(activation)
