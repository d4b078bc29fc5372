"""Batches of samples for the training of encoder and decoder."""

from abc import ABC, abstractmethod
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from minsyn.data import Samples, SampleStream, TensorSamples
from minsyn.data.arrays import ArraySamples
from minsyn.estimators.module import MinSynModule
from minsyn.estimators.problem import ArrayProblem, Problem, Scaling
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.objective import Objective
from minsyn.training.worker import Worker

__all__ = ["ArrayFeed", "BatchLoss", "Feed", "StreamFeed", "start_decoder"]


class Feed(ABC):
    """Source of batches, with the inputs of the encoder and the targets of the decoder.

    Attributes
    ----------
    samples : Samples
        Batches, as tuples of tensors. The last tensor holds the targets.
    """

    samples: Samples

    @abstractmethod
    def latents(
        self, module: MinSynModule, batch: tuple[Tensor, ...]
    ) -> Float[Tensor, "batch latents"]:
        """Latents of a batch."""

    @abstractmethod
    def objective(self, module: MinSynModule, batch: tuple[Tensor, ...]) -> Objective | None:
        """Training loss of a batch with a hand-written gradient, or None."""

    def constant(self, module: MinSynModule) -> float:
        """Loss of the features that the objective leaves out."""
        return 0.0


class ArrayFeed(Feed):
    """Batches of an array in memory, with separate tensors of inputs and targets.

    Parameters
    ----------
    problem : ArrayProblem
        The samples.
    scaling : Scaling
        Origin and unit of the features.
    batch_size : int or None
        Maximum number of samples in a batch; None is all.
    fabric : Fabric or None
        Fabric of the device. The samples are moved there once, not in every epoch.
    """

    def __init__(
        self, problem: ArrayProblem, scaling: Scaling, batch_size: int | None, fabric: Any = None
    ) -> None:
        tensors = [torch.from_numpy(array) for array in problem.arrays(scaling)]
        if fabric is not None:
            tensors = fabric.to_device(tensors)
        self.samples = TensorSamples(*tensors)
        self._whole = batch_size is None or batch_size >= problem.n_samples
        self._objective: Objective | None = None

    def latents(
        self, module: MinSynModule, batch: tuple[Tensor, ...]
    ) -> Float[Tensor, "batch latents"]:
        """Latents of a batch."""
        return module(batch[0])

    def objective(self, module: MinSynModule, batch: tuple[Tensor, ...]) -> Objective | None:
        """Training loss of a batch. If the batch is the whole data, it is cached."""
        if not self._whole:
            return module.decoder.objective(batch[1], drop_constant=False)
        if self._objective is None:
            self._objective = module.decoder.objective(batch[1])
        return self._objective


class StreamFeed(Feed):
    """Batches of samples that are read by blocks, with inputs computed from the targets.

    Real observations are centred and scaled, others are unchanged. Constant features are left out
    of the objective. If observations are not centred, the first layer of the encoder is shifted
    instead, which is cheaper than shifting the samples.

    Parameters
    ----------
    samples : SampleStream
        The original samples.
    problem : Problem
        Kinds of encoder and decoder.
    scaling : Scaling
        Origin and unit of the features.
    """

    samples: SampleStream

    def __init__(self, samples: SampleStream, problem: Problem, scaling: Scaling) -> None:
        self._as_given = problem.encoder.sees_data_as_given
        self._affine = problem.observations.affine
        if self._affine:
            samples = samples.scaled(scaling.mean, scaling.scale)
            if self._as_given:
                samples = samples.with_unscaled()
        self.samples = samples
        varies = torch.from_numpy(scaling.varies)
        self._columns = None if varies.all() else varies.nonzero()[:, 0]
        mean = torch.from_numpy(scaling.mean).double()
        if not self._affine:
            self._scale = float(scaling.scale)
            self._shift = (mean[varies] / self._scale).float()
        self._constants = None if self._affine or varies.all() else mean[~varies].float()

    @classmethod
    def of_array(cls, problem: ArrayProblem, scaling: Scaling) -> "StreamFeed":
        """A feed of an array in memory."""
        return cls(ArraySamples(problem.X), problem, scaling)

    def latents(
        self, module: MinSynModule, batch: tuple[Tensor, ...]
    ) -> Float[Tensor, "batch latents"]:
        """Latents of a batch."""
        if self._as_given:
            return module(batch[0])
        inputs = self._varying(batch[-1])
        if self._affine:
            return module(inputs)
        net = module.encoder
        assert isinstance(net, nn.Sequential)
        first, *others = net
        assert isinstance(first, nn.Linear)
        self._shift = self._shift.to(first.weight)
        activation = F.linear(
            inputs, first.weight / self._scale, first.bias - first.weight @ self._shift
        )
        for layer in others:
            activation = layer(activation)
        return module.latents(activation)

    def objective(self, module: MinSynModule, batch: tuple[Tensor, ...]) -> Objective | None:
        """Training loss of a batch's varying features."""
        return module.decoder.objective(self._varying(batch[-1]), drop_constant=False)

    def constant(self, module: MinSynModule) -> float:
        """Loss of the constant features, which does not depend on the latents."""
        if self._constants is None:
            return 0.0
        objective = module.decoder.objective(self._constants[None])
        return 0.0 if objective is None else float(objective(torch.full((1, 1), 0.5)))

    def _varying(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch inputs"]:
        if self._columns is None:
            return x
        self._columns = self._columns.to(x.device)
        return x.index_select(1, self._columns)


class BatchLoss:
    """Loss of a batch, as a function of its tensors.

    A hand-written gradient is used if the decoder has one and ``by_hand`` is true.

    Parameters
    ----------
    module : MinSynModule
        Module to train.
    feed : Feed
        Source of the batches.
    by_hand : bool, default=True
        Whether this process has the whole batch, in single precision.
    running : bool, default=False
        Whether to update the moving average of the decoder's statistics.
    """

    def __init__(
        self, module: MinSynModule, feed: Feed, *, by_hand: bool = True, running: bool = False
    ) -> None:
        self._module, self._feed = module, feed
        self._by_hand, self._running = by_hand, running
        self._constant = feed.constant(module) if by_hand else 0.0

    def __call__(self, *batch: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
        """Return the loss of a batch."""
        decoder, x = self._module.decoder, batch[-1]
        z = self._feed.latents(self._module, batch)
        objective = self._feed.objective(self._module, batch) if self._by_hand else None
        if objective is None:
            return decoder.loss(z, x)
        if self._running:
            decoder.note(z, x)
        return objective(z) + self._constant


@torch.no_grad()
def start_decoder(
    module: MinSynModule, feed: Feed, batch_size: int | None, worker: Worker | None = None
) -> None:
    """Initialise a trained decoder with the decoder without synergy of the initial latents.

    This takes one pass over the data. It does nothing for decoders that need no initialisation.

    Parameters
    ----------
    module : MinSynModule
        The module before training.
    feed : Feed
        Source of the batches.
    batch_size : int or None
        Maximum number of samples encoded at once, over all processes.
    worker : Worker, optional
        This process, which reads its share of the samples. None is a single process.
    """
    if not module.decoder.needs_start:
        return
    worker = worker or Worker()
    device = next(module.parameters()).device  # not yet where the samples may lie already

    def of_batch(batch: tuple[Tensor, ...]) -> PairwiseStatistics:
        batch = tuple(tensor.to(device) for tensor in batch)
        z = feed.latents(module, batch)
        return PairwiseStatistics.of(z.double().cpu(), batch[-1].double().cpu())

    def of_share() -> PairwiseStatistics:
        batches = feed.samples.batches(batch_size, None, worker.rank, worker.world_size)
        return reduce(PairwiseStatistics.merge, map(of_batch, batches))

    module.decoder.start_from(worker.merged(of_share))
