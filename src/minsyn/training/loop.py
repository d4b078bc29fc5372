"""Training loop of Adam, on the whole data or on mini-batches, until convergence."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from minsyn._threads import one_thread_if_small
from minsyn.data.protocol import Samples
from minsyn.training.checkpoint import CheckpointError, Checkpoints
from minsyn.training.state import TrainingState
from minsyn.training.worker import Worker, worker_of

__all__ = ["TrainingResult", "train"]


@dataclass(frozen=True)
class TrainingResult:
    """Losses of a training run.

    Attributes
    ----------
    loss : float
        Training loss of the final parameters.
    history : list of float
        Mean loss of each epoch.
    converged : bool
        Whether the loss converged within the maximum number of epochs.
    held_out : list of float
        Loss of held-out samples before the first epoch and after each, if there are any.
    """

    loss: float
    history: list[float]
    converged: bool
    held_out: list[float] = field(default_factory=list)

    @property
    def n_epochs(self) -> int:
        """Number of passes over the data."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """Number of passes before the lowest loss of held-out samples; all without these."""
        return min(range(len(self.held_out)), key=self.held_out.__getitem__, default=self.n_epochs)


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
    held_out_loss: Callable[[], float] | None = None,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> TrainingResult:
    """Fit a module's parameters with Adam.

    Convergence is checked on two adjacent windows of ``patience`` epochs: training stops when the
    mean loss of the later window is not lower than that of the earlier one by more than the
    fraction ``tol``. When each step uses all samples, the final parameters and buffers are those
    with the lowest loss. With mini-batches they are the last ones, as losses of different batches
    are not comparable.

    Several processes share each batch and take the same step as a single process would: gradients
    and losses are averaged over the ranks. This requires that the average of the ranks' losses is
    the loss of the batch. Losses of `minsyn.nn` satisfy this. A mean over a rank's own samples
    must be multiplied by `minsyn.nn.share_of_batch`, unless all shares are equal.

    Parameters
    ----------
    module : nn.Module
        Module to train. It is fitted in place, and left in training mode on the device of the
        Fabric.
    loss : callable
        Returns the loss of a batch, a mean over its samples, from the tensors of the batch.
    samples : Samples
        The data, such as `TensorSamples`.
    learning_rate : float
        Adam's step size.
    batch_size : int or None
        Maximum number of samples per step, over all processes. Mini-batches are shuffled every
        epoch. None uses all samples in each step.
    max_epochs : int
        Maximum number of passes over the data.
    tol : float
        Relative fall of the loss between two windows at which training stops.
    patience : int
        Length of a window in epochs.
    generator : torch.Generator
        Source of randomness of mini-batches and losses. With several processes, the generator of
        the first rank shuffles the mini-batches for all of them, and each rank's generator gets a
        new seed for the random numbers of its loss.
    fabric : Fabric, optional
        Result of `launch`, with device, precision, processes and loggers. None is a single process
        on the CPU.
    checkpoint_dir : str or Path, optional
        Folder for checkpoints. If it holds checkpoints of the same run, training resumes from the
        last one, with the same results as without interruption. If that run was complete, its
        result is returned at once.
    checkpoint_every : float, default=60.0
        Minimum number of seconds between checkpoints, which are written at the end of epochs. 0
        writes one after every epoch.
    configuration : mapping, optional
        Further settings that determine the results, such as the seed, as JSON values. Checkpoints
        with another configuration, model or data are rejected. Only ``max_epochs`` may be raised.
    name : str, default=""
        Prefix of logged names.
    loss_unit : float, default=1.0
        Factor that converts the training loss to the logged loss.
    held_out_loss : callable, optional
        Returns the loss of held-out samples. It is called on the first rank before the first epoch
        and after each. Convergence is then judged on it, and the final parameters and buffers are
        those with the lowest.
    on_epoch : callable, optional
        Called on the first rank with the number (from 1) and mean loss of each epoch.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    CheckpointError
        If ``checkpoint_dir`` holds the checkpoints of another run.
    ValueError
        If ``samples`` yields no batch.

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
    n_together = samples.n_samples if batch_size is None else min(batch_size, samples.n_samples)
    ranks = worker.rank, worker.world_size
    history, held_out = state.history, state.held_out
    saved = len(history)
    if held_out_loss is not None and not held_out:
        held_out.append(worker.on_rank_zero(held_out_loss))
        state.keep_if_best(held_out[-1])
    with one_thread_if_small(n_together * sum(p.numel() for p in module.parameters())):
        while len(history) < max_epochs and not state.converged:
            total, n_seen, value = 0.0, 0, math.nan
            for tensors in samples.batches(batch_size, state.shuffler, *ranks):
                optimizer.zero_grad()
                value, n = worker.backward(module, loss, tensors)
                if not math.isfinite(value):
                    raise FloatingPointError(
                        f"the training loss became {value}: lower the learning rate, or scale the "
                        "data"
                    )
                if whole and held_out_loss is None:
                    state.keep_if_best(value)
                optimizer.step()
                total, n_seen = total + value * n, n_seen + n
            if n_seen == 0:
                raise ValueError("samples yielded no batch: an epoch needs at least one")
            history.append(value if whole else total / n_seen)
            epoch = len(history)
            if held_out_loss is not None:
                held_out.append(worker.on_rank_zero(held_out_loss))
                state.keep_if_best(held_out[-1])
            judged = history if held_out_loss is None else held_out
            state.converged = epoch % patience == 0 and _stopped_falling(judged, patience, tol)
            if worker.rank == 0:
                on_epoch(epoch, history[-1])
            logged = {"loss": loss_unit * history[-1], "learning_rate": learning_rate}
            worker.log({f"{name}{key}": value for key, value in logged.items()}, epoch)
            if checkpoints is not None and worker.on_rank_zero(checkpoints.due):
                _save(state, checkpoints)
                saved = epoch
    if checkpoints is not None and saved < len(history):
        _save(state, checkpoints)
    worker.finish()
    state.restore_best()
    kept_best = whole or held_out_loss is not None
    loss_of_best = state.best_loss if kept_best else history[-1]
    return TrainingResult(loss_of_best, history, state.converged, held_out)


def _described(
    module: nn.Module,
    adam: torch.optim.Adam,
    samples: Samples,
    batch_size: int | None,
    tol: float | int,
    patience: int,
    worker: Worker,
) -> dict[str, Any]:
    """Settings that determine the results of a run, as far as `train` knows them."""
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
    """Fingerprint of the data, with torch's seed fixed in case the samples shuffle themselves."""
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
            f"max_iter or max_epochs, {max_epochs}, is less than the "
            f"{len(state.history)} epochs of the "
            f"checkpoint in {checkpoints.folder}: raise it, or give the run its own checkpoint_dir"
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
