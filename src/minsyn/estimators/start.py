"""Random starts of a fit, and when each of them ends."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn

from minsyn.estimators.run import Run
from minsyn.training import TrainingResult, training_progress
from minsyn.training.worker import Worker

__all__ = ["OnEpoch", "Start", "best_of_starts", "plain_parameters"]

Module = TypeVar("Module", bound=nn.Module)

_MAX_SEED = np.iinfo(np.int32).max

#: Told of each epoch's number, from 1, and loss.
OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True)
class Start:
    """How a fit starts and when it ends: what every solver is given beside the problem.

    Attributes
    ----------
    name : str
        Name of the model, for progress bars and checkpoints.
    n_init : int or "auto"
        Number of random starts.
    max_iter : int
        Most epochs or iterations.
    tol : float
        Relative fall of the loss at which a fit ends.
    random_state : RandomState
        Source of every start's seed.
    verbose : bool
        Whether to show progress.
    configuration : mapping
        What the numbers follow from, as JSON values, for checkpoints.
    """

    name: str
    n_init: Any
    max_iter: int
    tol: float
    random_state: np.random.RandomState
    verbose: bool
    configuration: Mapping[str, Any]

    @classmethod
    def of(cls, model: Any, **configuration: Any) -> "Start":
        """From an estimator's parameters, which all fits have in common."""
        return cls(
            type(model).__name__,
            model.n_init,
            model.max_iter,
            model.tol,
            check_random_state(model.random_state),
            bool(model.verbose),
            {
                "estimator": type(model).__name__,
                **plain_parameters({"random_state": model.random_state, **configuration}),
            },
        )

    def number(self, automatic: int) -> int:
        """Number of starts, where "auto" is so many."""
        return automatic if self.n_init == "auto" else self.n_init

    def generator(self, worker: Worker | None = None) -> torch.Generator:
        """Source of randomness of the next start, the same on all ranks, even without a seed."""
        seed = (worker or Worker()).on_rank_zero(lambda: int(self.random_state.randint(_MAX_SEED)))
        return torch.Generator().manual_seed(seed)

    def progress(
        self, unit: float, steps: str, number: int = 1, n_starts: int = 1, shown: bool = True
    ) -> AbstractContextManager[OnEpoch]:
        """Progress bar of one start; ``steps`` says what is counted, "epochs" or "iterations"."""
        return training_progress(
            f"{self.name}, start {number} of {n_starts}",
            self.max_iter,
            steps=steps,
            loss_unit=unit,
            verbose=self.verbose and shown,
        )


def best_of_starts(
    fit_once: Callable[[torch.Generator, OnEpoch, dict[str, Any]], tuple[Module, TrainingResult]],
    start: Start,
    n_starts: int,
    run: Run,
    fabric: Any,
    worker: Worker,
    unit: float,
) -> tuple[Module, TrainingResult]:
    """Of several random starts the one with the lowest training loss.

    Parameters
    ----------
    fit_once : callable
        Fits one start, from its generator, what is told of each epoch, and the keywords of
        `minsyn.training.train`.
    start : Start
        Seeds and limits.
    n_starts : int
        Number of starts.
    run : Run
        Checkpoints of each.
    fabric : Fabric or None
        From `Run.launch`.
    worker : Worker
        Its process.
    unit : float
        Loss in the units of the data of a training loss of 1.

    Returns
    -------
    module : nn.Module
        The best one, on the CPU in float64.
    result : TrainingResult
        Its losses.
    """
    fits = []
    shown = fabric is None or fabric.is_global_zero
    for number in range(1, n_starts + 1):
        settings = run.settings(number, n_starts, start.configuration)
        settings |= {"fabric": fabric, "loss_unit": unit}
        with start.progress(unit, "epochs", number, n_starts, shown) as on_epoch:
            fits.append(fit_once(start.generator(worker), on_epoch, settings))
    module, result = min(fits, key=lambda fit: fit[1].loss)
    # NumPy knows no bfloat16, and a GPU may know no double.
    return module.cpu().double(), result


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON values; what is none is told by its type."""
    plain = {}
    for name, value in parameters.items():
        value = value.item() if isinstance(value, np.generic) else value
        known = value is None or isinstance(value, int | float | str)
        plain[name] = value if known else type(value).__name__
    return plain
