"""The random starts of a fit: what each draws from, where it trains, and which is the best."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from sklearn.utils import check_random_state
from torch import nn

from minsyn.data import TensorSamples
from minsyn.training import TrainingResult, launch, n_processes
from minsyn.training.worker import worker_of

if TYPE_CHECKING:
    from minsyn.estimators._factor_model import FactorModel

__all__ = ["OnEpoch", "Start", "best_start", "engine_settings", "launched"]

Module = TypeVar("Module", bound=nn.Module)

_MAX_SEED = np.iinfo(np.int32).max

#: Parameters that do not change a run's numbers, or that `train` itself notes in its checkpoints.
_NOT_IN_CHECKPOINTS = {
    "batch_size",
    "checkpoint_dir",
    "checkpoint_every",
    "device",
    "learning_rate",
    "loggers",
    "max_iter",
    "n_init",
    "n_iter_no_change",
    "precision",
    "tol",
    "verbose",
}

#: Told of each epoch's number, from 1, and loss.
OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True)
class Start:
    """One of the random starts of a fit.

    Attributes
    ----------
    generator : torch.Generator
        For the initial module, and whatever training draws.
    on_epoch : callable
        Told of each epoch's number, from 1, and loss.
    fabric : Fabric or None
        Where to train.
    settings : dict
        Keywords for `minsyn.training.train`: Fabric, checkpoints, and names for loggers.
    """

    generator: torch.Generator
    on_epoch: OnEpoch
    fabric: Any
    settings: dict[str, Any]

    @property
    def alone_in_single_precision(self) -> bool:
        """Whether one process sees all samples, and products are of float32."""
        return self.fabric is None or (
            self.fabric.world_size == 1 and self.fabric.strategy.precision.precision == "32-true"
        )

    def samples(self, *arrays: Float[np.ndarray, "samples features"]) -> TensorSamples:
        """Training data on the device, so that no epoch moves them again."""
        tensors = [torch.from_numpy(array) for array in arrays]
        return TensorSamples(*(tensors if self.fabric is None else self.fabric.to_device(tensors)))


def launched(model: "FactorModel") -> Any:
    """The Fabric that a model's parameters ask for, or None."""
    return launch(model.device, model.precision, model.loggers or ())


def best_start(
    model: "FactorModel",
    fit_once: Callable[[Start], tuple[Module, TrainingResult]],
    scale: float,
    n_starts: int,
    fabric: Any,
) -> Module:
    """Of several random starts the module with the lowest loss; its course is kept.

    Losses are told in the units of the data, of which real-valued ones were divided by
    ``scale`` for training. ``fabric`` is from `launched`.
    """
    random_state = check_random_state(model.random_state)
    unit = 1.0 if model._binary_features else scale**2
    worker = worker_of(fabric)
    verbose = bool(model.verbose) and (fabric is None or fabric.is_global_zero)
    fits = []
    for number in range(1, n_starts + 1):
        description = f"{type(model).__name__}, start {number} of {n_starts}"
        settings = _train_settings(model, number, n_starts) | {
            "fabric": fabric,
            "loss_unit": unit,
        }
        with model._progress(description, unit, verbose) as on_epoch:
            # All ranks begin alike, even if no seed was given.
            seed = worker.on_rank_zero(lambda: int(random_state.randint(_MAX_SEED)))
            generator = torch.Generator().manual_seed(seed)
            fits.append(fit_once(Start(generator, on_epoch, fabric, settings)))
    module, result = min(fits, key=lambda fit: fit[1].loss)
    module.cpu().double()  # NumPy knows no bfloat16, and a GPU may know no double
    model.loss_curve_ = [unit * loss for loss in result.history]
    model.n_iter_ = result.n_epochs
    model.converged_ = result.converged
    return module


def engine_settings(model: "FactorModel") -> list[str]:
    """What is asked for that only `minsyn.training.train` can do."""
    asked = []
    if model.device in ("cuda", "mps"):
        asked.append(f"device={model.device!r}")
    if model.precision != "32-true":
        asked.append(f"precision={model.precision!r}")
    if model.checkpoint_dir is not None:
        asked.append("checkpoint_dir")
    if model.loggers:
        asked.append("loggers")
    if n_processes() > 1:
        asked.append(f"{n_processes()} processes")
    return asked


def _train_settings(model: "FactorModel", number: int, n_starts: int) -> dict[str, Any]:
    """Checkpoints and logged names of a start, each its own."""
    configuration: dict[str, Any] = {"estimator": type(model).__name__, "start": number}
    for name, value in model.get_params(deep=False).items():
        if name in _NOT_IN_CHECKPOINTS:
            continue
        value = value.item() if isinstance(value, np.generic) else value
        plain = value is None or isinstance(value, int | float | str)
        configuration[name] = value if plain else type(value).__name__
    folder = model.checkpoint_dir
    return {
        "checkpoint_dir": None if folder is None else Path(folder, f"start-{number}"),
        "checkpoint_every": model.checkpoint_every,
        "configuration": configuration,
        "name": f"start {number}/" if n_starts > 1 else "",
    }
