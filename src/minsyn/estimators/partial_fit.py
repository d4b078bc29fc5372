"""Incremental training on successive batches."""

import numpy as np
import torch
from jaxtyping import Float

from minsyn.data.arrays import ArraySamples
from minsyn.estimators.adam import Adam
from minsyn.estimators.feed import BatchLoss, StreamFeed, start_decoder
from minsyn.estimators.problem import ArrayProblem, Scaling, scale_of
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.information.statistics import std_beyond_rounding
from minsyn.nn.statistics import RunningStatistics
from minsyn.training.worker import Worker

__all__ = ["PartialFit", "check_one_step"]


class PartialFit:
    """State of `MinSyn.partial_fit` between calls, in addition to the solution.

    Features are centred and scaled, for conditioning only, by the mean and scale of the first
    batch. In a linear encoder or MLP, a feature has zero weight until it varies, but is an input
    from the start: the first batch in which it varies gives it a gradient. The initial weights of a
    trained decoder are those of the decoder without synergy, computed from the initial latents and
    the first batch, or those of the fit that is continued.

    Parameters
    ----------
    problem : ArrayProblem
        The first batch, and the model.
    adam : Adam
        Step size, batch size and momentum.
    generator : torch.Generator
        Source of the initial weights.
    known : Solution, optional
        A fit to continue from.

    Raises
    ------
    ValueError
        If the solver has options that need a complete run, or ``known`` has another encoder.
    """

    def __init__(
        self,
        problem: ArrayProblem,
        adam: Adam,
        generator: torch.Generator,
        known: Solution | None = None,
    ) -> None:
        self.adam = adam
        everything = np.ones(problem.n_features, dtype=bool)
        if known is None:
            first = problem.scaling()
            mean, scale = first.mean.astype(np.float64), first.scale
        else:
            assert known.statistics is not None
            mean = known.statistics.mean_x
            scale = scale_of(known.statistics.std_x**2, mean, problem.standardize)
        self.scaling = Scaling(mean, scale, everything)
        self._without_unit = np.zeros(problem.n_features, dtype=bool)
        if problem.standardize:
            variance = np.var(problem.X, axis=0, dtype=np.float64)
            if known is not None and known.statistics is not None:
                variance = known.statistics.std_x**2
            self._without_unit = std_beyond_rounding(variance, mean) == 0
        steps = adam.steps(problem, whole_batches=False)
        self.module = problem.module(generator, self.scaling, steps)
        self.module.train()
        self.running = RunningStatistics(
            problem.n_components, problem.n_features, adam.momentum
        ).double()
        self.losses = [] if known is None else list(known.loss_curve)
        if known is None:
            self._start(problem)
        else:
            self._resume(problem, known)
        parameters = self.module.parameters()
        self.optimizer = torch.optim.Adam(parameters, lr=adam.step_size(problem))

    @np.errstate(all="ignore")  # a solution that is not finite is refused as a whole
    def step(self, problem: ArrayProblem) -> Solution:
        """Take a step on each batch of the samples.

        Parameters
        ----------
        problem : ArrayProblem
            New samples, with the same model as in the first call.

        Raises
        ------
        FloatingPointError
            If the loss becomes NaN or infinite.
        """
        if problem.standardize:
            self._give_units(problem.X)
        feed = StreamFeed.of_array(problem, self.scaling)
        loss, total = BatchLoss(self.module, feed), 0.0
        with problem.encoder.randomness(self.module.generator):
            for batch in feed.samples.batches(self.adam.batch_size):
                self.optimizer.zero_grad()
                value = loss(*batch)
                if not torch.isfinite(value):
                    raise FloatingPointError(
                        f"the training loss became {value.item()}: lower the learning rate, or "
                        "scale the data"
                    )
                value.backward()
                self.optimizer.step()
                total += value.item() * len(batch[-1])
        unit, scaling = problem.unit(self.scaling), self.scaling
        self.losses.append(unit * total / problem.n_samples)
        encoder = problem.encoder.for_data(
            self.module.encoder, scaling.varies, scaling.mean, scaling.scale
        )
        batch_statistics = problem.statistics(encoder, self.module.latents)
        self.running.update(batch_statistics.map(torch.from_numpy))
        average = self.running.statistics().map(lambda moment: moment.numpy())
        components, intercept = self.module.decoder.map_for_data(
            average, scaling.mean, scaling.scale
        )
        return Solution(
            encoder,
            self.module.latents,
            self.module.observations,
            components,
            intercept,
            list(self.losses),
            converged=False,
            statistics=average,
        )

    def _give_units(self, X: Float[np.ndarray, "samples features"]) -> None:
        """Scale features that vary for the first time; until then, their weights are zero."""
        mean = X.mean(axis=0, dtype=np.float64)
        std = std_beyond_rounding(np.var(X, axis=0, dtype=np.float64), mean)
        new = self._without_unit & (std > 0)
        self.scaling.scale[new] = std[new]  # type: ignore[index]
        self._without_unit &= ~new

    def _start(self, problem: ArrayProblem) -> None:
        """Initialise encoder and decoder from the first batch."""
        X = problem.X
        varies = torch.from_numpy(X.min(axis=0) < X.max(axis=0))
        # If no feature varies, keep the weights: with zero weights all latents would stay equal.
        if varies.any() and not problem.encoder.sees_data_as_given:
            self.module.encoder[0].weight.data *= varies  # type: ignore[index]
        feed = StreamFeed(ArraySamples(X), problem, self.scaling)
        with problem.encoder.randomness(self.module.generator):
            start_decoder(self.module, feed, self.adam.batch_size, Worker())

    def _resume(self, problem: ArrayProblem, known: Solution) -> None:
        """Continue from the encoder, the statistics and the decoder of a fit."""
        mean, scale = self.scaling.mean, self.scaling.scale
        try:
            problem.encoder.resume(self.module.encoder, known.encoder, mean, scale)
        except (AttributeError, AssertionError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"the model was fitted with another encoder than {problem.encoder!r}, so "
                "partial_fit cannot continue from it: set encoder back, or start with a clone"
            ) from error
        assert known.statistics is not None
        self.running.load(known.statistics.map(torch.from_numpy))
        self.module.decoder.resume(known.components, known.intercept, mean, scale)


def check_one_step(adam: Adam) -> None:
    """Raise a ValueError if a solver has options that need a complete run."""
    asked = (adam.run or Run()).beyond_one_step()
    if asked:
        raise ValueError(
            "partial_fit takes single steps, in one process on the CPU, and does not support "
            f"{', '.join(asked)}. Use fit instead"
        )
