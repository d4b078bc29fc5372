"""Random starts and limits of a fit."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from minsyn._progress import stage
from minsyn.estimators.run import Run
from minsyn.training import TrainingResult, training_progress
from minsyn.training.worker import Worker

__all__ = ["OnEpoch", "Start", "best_of_starts", "plain_parameters"]

Module = TypeVar("Module", bound=nn.Module)

_MAX_SEED = np.iinfo(np.int32).max

#: Callback with the number (from 1) and loss of each epoch.
OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True)
class Start:
    """Seeds and limits of a fit, which every solver needs in addition to the problem.

    Attributes
    ----------
    name : str
        Name of the model, for progress bars and checkpoints.
    n_init : int or "auto"
        Number of random starts.
    max_iter : int
        Maximum number of epochs or iterations.
    tol : float
        Relative fall of the loss at which a fit stops.
    random_state : RandomState
        Source of the seeds of all starts.
    verbose : bool
        Whether to show progress.
    configuration : mapping
        Settings that determine the results, as JSON values, for checkpoints.
    """

    name: str
    n_init: Any
    max_iter: int
    tol: float
    random_state: np.random.RandomState
    verbose: bool
    configuration: Mapping[str, Any]

    def number(self, automatic: int) -> int:
        """Number of starts; ``automatic`` is the value of "auto"."""
        return automatic if self.n_init == "auto" else self.n_init

    def generator(self, worker: Worker | None = None) -> torch.Generator:
        """Random generator of the next start, the same on all ranks even without a seed."""
        seed = (worker or Worker()).on_rank_zero(lambda: int(self.random_state.randint(_MAX_SEED)))
        return torch.Generator().manual_seed(seed)

    def stage(self, doing: str, shown: bool = True) -> AbstractContextManager[None]:
        """Sign of life while something is done that has no steps to count."""
        return stage(f"{self.name}: {doing}", shown=self.verbose and shown)

    def progress(
        self, unit: float, steps: str, number: int = 1, n_starts: int = 1, shown: bool = True
    ) -> AbstractContextManager[OnEpoch]:
        """Progress bar of one start; ``steps`` is "epochs" or "iterations"."""
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
    """Fit several random starts, and return the one with the lowest training loss.

    Parameters
    ----------
    fit_once : callable
        Function that fits one start. Its arguments are a generator, a callback for each epoch, and
        keywords of `minsyn.training.train`.
    start : Start
        Seeds and limits.
    n_starts : int
        Number of starts.
    run : Run
        Options of the run, such as checkpoints.
    fabric : Fabric or None
        Result of `Run.launch`.
    worker : Worker
        This process.
    unit : float
        Factor that converts the training loss to the units of the data.

    Returns
    -------
    module : nn.Module
        Module of the best start, on the CPU in float64.
    result : TrainingResult
        Losses of the best start.
    """
    fits = []
    shown = fabric is None or fabric.is_global_zero
    with run.alone(worker):
        for number in range(1, n_starts + 1):
            settings = run.settings(number, n_starts, start.configuration)
            settings |= {"fabric": fabric, "loss_unit": unit}
            with start.progress(unit, "epochs", number, n_starts, shown) as on_epoch:
                fits.append(fit_once(start.generator(worker), on_epoch, settings))
    module, result = min(fits, key=lambda fit: fit[1].loss)
    # Move first, then convert: NumPy lacks bfloat16, and some GPUs lack float64.
    return module.cpu().double(), result


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON values, which are equal where the parameters are.

    Arrays and random states are replaced by digests, values of other types by the types' names.
    """
    return {name: _plain(value) for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, np.random.RandomState):
        state: Any = value.get_state(legacy=False)
        keys = state["state"].pop("key")
        return f"RandomState {_digest(keys, state)}"
    if isinstance(value, np.ndarray):
        return f"array {_digest(value, value.shape)}"
    return type(value).__name__


def _digest(array: np.ndarray, rest: Any) -> str:
    content = np.ascontiguousarray(array).tobytes() + repr(rest).encode()
    return hashlib.sha256(content).hexdigest()[:16]
