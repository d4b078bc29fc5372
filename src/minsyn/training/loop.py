"""Adam on whole or shuffled batches, until the loss of the training data stops falling."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["TrainingResult", "train"]

#: Loss of a batch of inputs and the targets to be reconstructed from them, a mean over samples.
Loss = Callable[[Float[Tensor, "batch features"], Float[Tensor, "batch outputs"]], Tensor]


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
    loss: Loss,
    inputs: Float[Tensor, "samples features"],
    targets: Float[Tensor, "samples outputs"],
    *,
    learning_rate: float,
    batch_size: int | None,
    max_epochs: int,
    tol: float,
    patience: int,
    generator: torch.Generator,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> TrainingResult:
    """Fit a module's parameters with Adam.

    Two neighbouring windows of ``patience`` epochs are compared: training has converged when the
    mean loss of the later is not lower by more than ``tol`` times that of the earlier. With whole
    batches the state of the lowest loss is kept, parameters and buffers; with mini-batches, whose
    losses are not comparable one by one, the last.

    Parameters
    ----------
    module : nn.Module
        Holds the parameters and buffers; left with the fitted ones, in training mode.
    loss : callable
        Loss of a batch, a mean over its samples, from its inputs and targets.
    inputs : Tensor of shape (n_samples, n_features)
        What the module sees.
    targets : Tensor of shape (n_samples, n_outputs)
        What the loss compares its output with.
    learning_rate : float
        Adam's step size.
    batch_size : int or None
        Most samples a step, shuffled every epoch; None takes all of them at once. Batches differ
        by at most one sample: a remainder of a few would count as much as a full batch.
    max_epochs : int
        Most passes over the data.
    tol : float
        Least relative fall of the loss between two windows.
    patience : int
        Length of a window in epochs.
    generator : torch.Generator
        Shuffles the mini-batches.
    on_epoch : callable, optional
        Told of each epoch's number, from 1, and mean loss.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    """
    n_samples = len(inputs)
    n_batches = 1 if batch_size is None else -(-n_samples // batch_size)
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    module.train()
    history: list[float] = []
    best_loss = float("inf")
    best: dict[str, Tensor] = {}
    converged = False
    while len(history) < max_epochs and not converged:
        if n_batches == 1:
            epoch_loss = _backward(optimizer, loss, inputs, targets)
            if epoch_loss < best_loss:
                best_loss = epoch_loss
                best = {name: tensor.clone() for name, tensor in module.state_dict().items()}
            optimizer.step()
        else:
            order = torch.randperm(n_samples, generator=generator)
            total = 0.0
            for rows in order.tensor_split(n_batches):
                total += _backward(optimizer, loss, inputs[rows], targets[rows]) * len(rows)
                optimizer.step()
            epoch_loss = best_loss = total / n_samples
        history.append(epoch_loss)
        on_epoch(len(history), epoch_loss)
        converged = len(history) % patience == 0 and _stopped_falling(history, patience, tol)
    if best:
        module.load_state_dict(best)
    return TrainingResult(best_loss, history, converged)


def _backward(
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    inputs: Float[Tensor, "batch features"],
    targets: Float[Tensor, "batch outputs"],
) -> float:
    """Loss of a batch, its gradients left with the parameters."""
    optimizer.zero_grad()
    value = loss(inputs, targets)
    if not torch.isfinite(value):
        raise FloatingPointError(
            f"the training loss became {value.item()}: lower the learning rate, or scale the data"
        )
    value.backward()
    return value.item()


def _stopped_falling(history: list[float], patience: int, tol: float) -> bool:
    if len(history) < 2 * patience:
        return False
    before = sum(history[-2 * patience : -patience]) / patience
    now = sum(history[-patience:]) / patience
    return before - now <= tol * abs(before)
