"""Adam as a solver, on the whole data or on mini-batches, as in the paper."""

from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from minsyn.estimators.feed import ArrayFeed, BatchLoss, Feed, StreamFeed, start_decoder
from minsyn.estimators.module import MinSynModule, Steps
from minsyn.estimators.problem import ArrayProblem, Problem, Scaling, StreamProblem
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import OnEpoch, Start, best_of_starts
from minsyn.training import TrainingResult, train
from minsyn.training.worker import worker_of

__all__ = ["Adam"]

#: Default batch size for data that are read by blocks.
_STREAM_BATCH = 512


class Adam(BaseEstimator):
    """Adam as the solver of a `MinSyn` fit.

    It trains any encoder and decoder on any data, in mini-batches or as a whole. Training stops
    when the mean loss over ``n_iter_no_change`` epochs is not lower, by more than the fraction
    ``tol``, than the mean loss over the same number of preceding epochs.

    Parameters
    ----------
    learning_rate : float or "auto", default="auto"
        Step size for features scaled to mean square 1. "auto" is 2 divided by the largest number of
        inputs of a layer, at most 0.05 for a linear encoder and 0.01 for an MLP. A step then
        changes the latents by a similar amount for any number of features. For a custom module,
        "auto" is 0.001.
    batch_size : int or None, default=None
        Maximum number of samples per step, at least 2 (one sample has no statistics). None uses all
        samples in each step, or 512 if the data are read by blocks.
    statistics : {"exact", "running"}, default="exact"
        Statistics from which the final decoder is computed: those of the whole training set, or the
        moving average over the training steps, as in the paper (Sec. III).
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    n_iter_no_change : int, default=50
        Length of the windows that ``tol`` compares, in epochs. If the data are read by blocks, it
        is a number of training steps instead, rounded up to whole epochs.
    run : Run or None, default=None
        Device, precision, checkpoints and loggers; None is ``Run()``.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn import MinSyn
    >>> X = np.repeat(np.random.default_rng(0).exponential(size=(100, 2)), 4, axis=1)
    >>> model = MinSyn(2, solver=Adam(batch_size=25), max_iter=50, random_state=0).fit(X)
    >>> model.components_.shape
    (2, 8)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "learning_rate": [Interval(Real, 0, 1e30, closed="right"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left"), None],
        "statistics": [StrOptions({"exact", "running"})],
        "momentum": [Interval(Real, 0, 1, closed="right")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "run": [Run, None],
    }

    def __init__(
        self,
        learning_rate: float | Literal["auto"] = "auto",
        batch_size: int | None = None,
        statistics: Literal["exact", "running"] = "exact",
        momentum: float = 0.1,
        n_iter_no_change: int = 50,
        run: Run | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.statistics = statistics
        self.momentum = momentum
        self.n_iter_no_change = n_iter_no_change
        self.run = run

    def check(self, problem: Problem) -> None:
        """Raise a ValueError if a parameter is invalid, or incompatible with the problem."""
        self._validate_params()
        if problem.decoder.trained and self.statistics != "exact":
            raise ValueError(
                "statistics='running' has no effect on a trained decoder: leave it at 'exact'"
            )

    def fit(self, problem: Problem, start: Start) -> Solution:
        """Fit encoder and decoder from ``start.n_init`` random starts, and keep the best fit.

        Parameters
        ----------
        problem : Problem
            Samples and model to fit.
        start : Start
            Seeds and limits.
        """
        self.check(problem)
        start = replace(start, configuration={**start.configuration, **self._configuration()})
        run = self.run or Run()
        fabric = run.launch()
        worker = worker_of(fabric)
        shown = worker.rank == 0
        with start.stage("means of the features", shown):
            scaling = problem.scaling(worker)
        batch_size, n_steps = self._batches(problem)
        whole = batch_size is None or batch_size >= problem.n_samples

        def fit_once(
            generator: torch.Generator, on_epoch: OnEpoch, settings: dict[str, Any]
        ) -> tuple[MinSynModule, TrainingResult]:
            module = problem.module(generator, scaling, self.steps(problem, whole_batches=whole))
            feed = _feed(problem, scaling, batch_size, fabric)
            loss = BatchLoss(
                module,
                feed,
                by_hand=worker.world_size == 1 and worker.precision == "32-true",
                running=self.statistics == "running",
            )
            with problem.encoder.randomness(generator):
                start_decoder(module, feed, batch_size, worker)
                return module, train(
                    module,
                    loss,
                    feed.samples,
                    learning_rate=self.step_size(problem),
                    batch_size=batch_size,
                    max_epochs=start.max_iter,
                    tol=start.tol,
                    patience=-(-self.n_iter_no_change // n_steps),
                    generator=generator,
                    on_epoch=on_epoch,
                    **settings,
                )

        module, result = best_of_starts(
            fit_once, start, start.number(1), run, fabric, worker, problem.unit(scaling)
        )
        with start.stage("statistics of all samples", shown):
            return problem.solution(module, result, scaling, worker, self.statistics == "running")

    def step_size(self, problem: Problem) -> float:
        """Step size of the encoder."""
        if self.learning_rate == "auto":
            return problem.encoder.step_size(problem.n_features)
        return float(self.learning_rate)

    def steps(self, problem: Problem, *, whole_batches: bool) -> Steps:
        """Settings of the training of encoder and decoder."""
        return Steps(
            encoder=self.step_size(problem),
            decoder=None if self.learning_rate == "auto" else float(self.learning_rate),
            whole_batches=whole_batches,
            momentum=self.momentum,
        )

    def _configuration(self) -> dict[str, Any]:
        """Parameters that determine the results, in addition to those that `train` knows."""
        if self.statistics == "exact":  # momentum has no effect
            return {"statistics": "exact"}
        return {"statistics": "running", "momentum": float(self.momentum)}

    def _batches(self, problem: Problem) -> tuple[int | None, int]:
        """Batch size, and number of ``n_iter_no_change`` steps in an epoch."""
        if isinstance(problem, ArrayProblem):
            return self.batch_size, 1
        batch_size = _STREAM_BATCH if self.batch_size is None else self.batch_size
        return batch_size, -(-problem.n_samples // batch_size)


def _feed(problem: Problem, scaling: Scaling, batch_size: int | None, fabric: Any) -> Feed:
    if isinstance(problem, ArrayProblem):
        return ArrayFeed(problem, scaling, batch_size, fabric)
    assert isinstance(problem, StreamProblem)
    return StreamFeed(problem.samples, problem, scaling)
