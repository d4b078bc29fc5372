"""Adam on whole or shuffled batches, until the loss of the training data stops falling."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from minsyn.data.protocol import Samples
from minsyn.training.checkpoint import CheckpointError, Checkpoints
from minsyn.training.state import TrainingState
from minsyn.training.worker import Worker, worker_of

__all__ = ["TrainingResult", "train"]


@dataclass(frozen=True)
class TrainingResult:
    """What a training run came to.

    Attributes
    ----------
    loss : float
        Training loss of the parameters that the module was left with.
    history : list of float
        Mean loss of each epoch.
    converged : bool
        Whether the loss stopped falling before the epochs ran out.
    """

    loss: float
    history: list[float]
    converged: bool

    @property
    def n_epochs(self) -> int:
        """Number of passes over the data."""
        return len(self.history)


def train(
    module: nn.Module,
    loss: Callable[..., Tensor],
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int | None,
    max_epochs: int,
    tol: float | int,
    patience: int,
    generator: torch.Generator,
    fabric: Any = None,
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: float | int = 60.0,
    configuration: Mapping[str, Any] | None = None,
    name: str = "",
    loss_unit: float | int = 1.0,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> TrainingResult:
    """Fit a module's parameters with Adam.

    Two neighbouring windows of ``patience`` epochs are compared: training has converged when the
    mean loss of the later is not lower by more than ``tol`` times that of the earlier. With whole
    batches the state of the lowest loss is kept, parameters and buffers; with mini-batches, whose
    losses are not comparable one by one, the last.

    Several processes share each batch and take the step that one would: gradients and losses are
    averaged over the ranks. For that the ranks' losses must be the batch's on average. Those of
    `minsyn.nn` are; a mean over a rank's own samples is to be multiplied with
    `minsyn.nn.share_of_batch`, or is weighed a little wrong where shares are uneven.

    Parameters
    ----------
    module : nn.Module
        Holds the parameters and buffers; left with the fitted ones, in training mode, on the
        device of the Fabric.
    loss : callable
        Loss of a batch, a mean over its samples, from the tensors of the batch.
    samples : Samples
        The data, such as `TensorSamples`.
    learning_rate : float
        Adam's step size.
    batch_size : int or None
        Most samples a step, over all processes; shuffled every epoch. None takes all of them at
        once.
    max_epochs : int
        Most passes over the data.
    tol : float
        Least relative fall of the loss between two windows.
    patience : int
        Length of a window in epochs.
    generator : torch.Generator
        Shuffles the mini-batches. With several processes that of the first shuffles for all, and
        each is seeded anew for what a loss draws from it.
    fabric : Fabric, optional
        From `launch`: device, precision, processes and loggers. None is one process on the CPU.
    checkpoint_dir : str or Path, optional
        Folder for checkpoints. If there are any of the same run, it goes on from the last, to the
        numbers of a run that was never interrupted; one that was complete gives its result at once.
    checkpoint_every : float, default=60.0
        Least seconds between checkpoints, which are written after epochs; 0 writes one after each.
    configuration : mapping, optional
        What else the numbers follow from, such as the seed: JSON values by name. A checkpoint of
        another configuration, model or data is refused; only ``max_epochs`` may have been raised.
    name : str, default=""
        Of the run, before the names of what is logged.
    loss_unit : float, default=1.0
        What a loss of 1 is logged as.
    on_epoch : callable, optional
        Told of each epoch's number, from 1, and mean loss, on the first rank.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    CheckpointError
        If ``checkpoint_dir`` holds the checkpoints of another run.
    ValueError
        If ``samples`` gives no batch.

    Examples
    --------
    >>> import torch
    >>> from minsyn.data import TensorSamples
    >>> x = torch.linspace(0, 1, 20)[:, None]
    >>> line = torch.nn.Linear(1, 1)
    >>> result = train(
    ...     line,
    ...     lambda x, y: (line(x) - y).square().mean(),
    ...     TensorSamples(x, 2 * x),
    ...     learning_rate=0.1,
    ...     batch_size=5,
    ...     max_epochs=100,
    ...     tol=0.0,
    ...     patience=10,
    ...     generator=torch.Generator().manual_seed(0),
    ... )
    >>> round(line(torch.ones(1, 1)).item(), 1)
    2.0
    """
    worker = worker_of(fabric)
    adam = torch.optim.Adam(module.parameters(), lr=learning_rate)
    optimizer = worker.set_up(module, adam)
    module.train()
    state = TrainingState(module, adam, generator, worker)
    checkpoints = None
    if checkpoint_dir is not None:
        described = _described(module, adam, samples, batch_size, tol, patience, worker)
        described |= configuration or {}
        checkpoints = Checkpoints(checkpoint_dir, described, checkpoint_every)
        _resume(state, checkpoints, max_epochs)
    whole = batch_size is None or batch_size >= samples.n_samples
    history = state.history
    saved = len(history)
    while len(history) < max_epochs and not state.converged:
        total, n_seen, value = 0.0, 0, math.nan
        for tensors in samples.batches(batch_size, state.shuffler, worker.rank, worker.world_size):
            optimizer.zero_grad()
            value, n = worker.backward(module, loss, tensors)
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the training loss became {value}: lower the learning rate, or scale the data"
                )
            if whole:
                state.keep_if_best(value)
            optimizer.step()
            total, n_seen = total + value * n, n_seen + n
        if n_seen == 0:
            raise ValueError("samples gave no batch: an epoch must hold at least one")
        history.append(value if whole else total / n_seen)
        epoch = len(history)
        state.converged = epoch % patience == 0 and _stopped_falling(history, patience, tol)
        if worker.rank == 0:
            on_epoch(epoch, history[-1])
        worker.log(
            {f"{name}loss": loss_unit * history[-1], f"{name}learning_rate": learning_rate}, epoch
        )
        if checkpoints is not None and worker.on_rank_zero(checkpoints.due):
            _save(state, checkpoints)
            saved = epoch
    if checkpoints is not None and saved < len(history):
        _save(state, checkpoints)
    worker.finish()
    state.restore_best()
    return TrainingResult(state.best_loss if whole else history[-1], history, state.converged)


def _described(
    module: nn.Module,
    adam: torch.optim.Adam,
    samples: Samples,
    batch_size: int | None,
    tol: float | int,
    patience: int,
    worker: Worker,
) -> dict[str, Any]:
    """What the numbers of a run follow from, as far as the engine knows it."""
    shapes = {
        f"module.{name}": f"{tensor.dtype} {tuple(tensor.shape)}"
        for name, tensor in module.state_dict().items()
    }
    return {
        "learning_rate": adam.defaults["lr"],
        "batch_size": batch_size,
        "tol": tol,
        "patience": patience,
        "n_samples": samples.n_samples,
        "data": _fingerprint(samples),
        "processes": worker.world_size,
        "precision": worker.precision,
        **shapes,
    }


def _fingerprint(samples: Samples) -> str:
    """The data's, from one random state: what shuffles by itself gives the same each time."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(0)
    try:
        return samples.fingerprint()
    finally:
        torch.set_rng_state(before)


def _resume(state: TrainingState, checkpoints: Checkpoints, max_epochs: int) -> None:
    found = state.worker.on_rank_zero(checkpoints.latest)
    if found is None:
        return
    state.restore(*found)
    if len(state.history) > max_epochs:
        raise CheckpointError(
            f"max_epochs={max_epochs} is less than the {len(state.history)} epochs behind the "
            f"checkpoint in {checkpoints.folder}: raise it, or give the run a checkpoint_dir of "
            "its own"
        )


def _save(state: TrainingState, checkpoints: Checkpoints) -> None:
    record, tensors = state.saved()
    state.worker.on_rank_zero(lambda: checkpoints.write(len(state.history), record, tensors))


def _stopped_falling(history: list[float], patience: int, tol: float) -> bool:
    if len(history) < 2 * patience:
        return False
    before = sum(history[-2 * patience : -patience]) / patience
    now = sum(history[-patience:]) / patience
    return before - now <= tol * abs(before)
