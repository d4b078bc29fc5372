"""How batches of the samples reach encoder and decoder in training."""

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
    """Batches, and what encoder and decoder see of each.

    Attributes
    ----------
    samples : Samples
        Batches, as tuples of tensors of which the last holds the observations to reconstruct.
    """

    samples: Samples

    @abstractmethod
    def latents(
        self, module: MinSynModule, batch: tuple[Tensor, ...]
    ) -> Float[Tensor, "batch latents"]:
        """Latents of a batch."""

    @abstractmethod
    def objective(self, module: MinSynModule, batch: tuple[Tensor, ...]) -> Objective | None:
        """Training loss of a batch with a hand-written gradient, where there is one."""

    def constant(self, module: MinSynModule) -> float:
        """Loss of the features that the objective leaves out."""
        return 0.0


class ArrayFeed(Feed):
    """Samples in memory: the encoder's inputs beside the observations.

    Parameters
    ----------
    problem : ArrayProblem
        The samples.
    scaling : Scaling
        Origin and unit of the features.
    batch_size : int or None
        Most samples in a batch; None is all.
    fabric : Fabric or None
        Device where the samples are put, so that no epoch moves them again.
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
        """Training loss of a batch; of whole batches it is made once."""
        if not self._whole:
            return module.decoder.objective(batch[1], drop_constant=False)
        if self._objective is None:
            self._objective = module.decoder.objective(batch[1])
        return self._objective


class StreamFeed(Feed):
    """Samples that are read by blocks: the encoder's inputs are made from the observations.

    Real observations come centred and scaled, others as they are. Constant features are left out
    of the objective. Where observations are not centred, the shift goes into the weights of the
    encoder's first layer, which are fewer than the samples.

    Parameters
    ----------
    samples : SampleStream
        The samples, as they were given.
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
        self._shift = (mean[varies] / scaling.scale).float()
        self._scale = scaling.scale
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
        """Loss of the constant features, which no latent changes."""
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
    """Loss of a batch.

    Its gradient is written by hand where the decoder has such an objective and this process sees
    the whole batch in single precision.

    Parameters
    ----------
    module : MinSynModule
        What is trained.
    feed : Feed
        Source of the batches.
    by_hand : bool, default=True
        Whether this process sees all of a batch, in single precision.
    running : bool, default=False
        Whether to keep the moving average of the decoder's statistics.
    """

    def __init__(
        self, module: MinSynModule, feed: Feed, *, by_hand: bool = True, running: bool = False
    ) -> None:
        self._module, self._feed = module, feed
        self._by_hand, self._running = by_hand, running
        self._constant = feed.constant(module) if by_hand else 0.0

    def __call__(self, *batch: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
        """Loss of a batch."""
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
    """Let a trained decoder start as the one without synergy of the initial latents.

    Takes a pass over the data; decoders in closed form need none.

    Parameters
    ----------
    module : MinSynModule
        The module before training.
    feed : Feed
        Source of the batches.
    batch_size : int or None
        Most samples that are encoded at once, over all processes.
    worker : Worker, optional
        Process, of which each takes its share; None is the only one.
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
