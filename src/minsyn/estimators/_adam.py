"""Fits to an array by Adam."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from minsyn.estimators._batch_loss import own_randomness
from minsyn.estimators._module import MinSynModule, objective_of
from minsyn.estimators._solver_choice import step_size
from minsyn.estimators._start import Start
from minsyn.training import TrainingResult, train

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["fit_adam"]


def fit_adam(
    model: "MinSyn",
    module: MinSynModule,
    inputs: Float[np.ndarray, "samples features"],
    targets: Float[np.ndarray, "samples features"],
    start: Start,
) -> TrainingResult:
    """Train a module by Adam.

    The decoder is set from each batch, or drawn towards the one that would be; whole batches have
    hand-written gradients where they can.

    Parameters
    ----------
    model : MinSyn
        Its parameters say how.
    module : MinSynModule
        Left with the parameters that were fitted.
    inputs, targets : ndarray of shape (n_samples, n_inputs), (n_samples, n_features)
        What the encoder sees, and what is reconstructed, float32.
    start : Start
        Draws, and where to train.
    """
    with own_randomness(model, start.generator):
        return _train(model, module, inputs, targets, start)


def _train(
    model: "MinSyn",
    module: MinSynModule,
    inputs: Float[np.ndarray, "samples features"],
    targets: Float[np.ndarray, "samples features"],
    start: Start,
) -> TrainingResult:
    samples = start.samples(inputs, targets)
    x = samples.tensors[1]
    whole = model.batch_size is None or model.batch_size >= len(x)
    if module.free is not None:
        with torch.no_grad():
            z = module(torch.from_numpy(inputs))
        module.free.start_from(z, torch.from_numpy(targets))
    by_hand = (
        module.free is None
        and whole
        and model.statistics == "exact"
        and start.alone_in_single_precision
    )
    objective = objective_of(model, x) if by_hand else None

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        z = module(inputs)
        if module.free is not None:
            return module.free.loss(z, targets)
        return module.decoder.loss(z, targets) if objective is None else objective(z)

    return train(
        module,
        loss,
        samples,
        learning_rate=step_size(model),
        batch_size=model.batch_size,
        max_epochs=model.max_iter,
        tol=model.tol,
        patience=model.n_iter_no_change,
        generator=module.generator,
        on_epoch=start.on_epoch,
        **start.settings,
    )
