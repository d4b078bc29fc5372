"""Fits of a linear encoder to an array by L-BFGS."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from minsyn.estimators._module import MinSynModule, objective_of
from minsyn.estimators._solver_choice import n_starts
from minsyn.estimators._start import Start
from minsyn.training import TrainingResult, fit_linear_encoder

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["fit_lbfgs"]

#: Random starts: on clusters of features, so many cost about as much as one on all of them.
_STARTS = 6
#: Coordinates of all starts together, which limit them: with hundreds of factors there is little to
#: merge, and each start costs as much as the whole fit.
_SEARCH_NUMBERS = 1 << 18
#: What squared pre-activations of sigmoid latents cost at first (see `fit_linear_encoder`).
_SIGMOID_PENALTIES = (0.05, 0.02, 0.007)


def fit_lbfgs(
    model: "MinSyn",
    module: MinSynModule,
    inputs: Float[np.ndarray, "samples features"],
    targets: Float[np.ndarray, "samples features"],
    start: Start,
) -> TrainingResult:
    """Fit the encoder of a module; parameters as of `fit_adam`.

    Of several random starts the best goes to the end.
    """
    coordinates = module.encoder.out_features * (min(inputs.shape) + 1)
    affordable = max(1, min(_STARTS, _SEARCH_NUMBERS // coordinates))
    starts = [module.encoder.weight.detach().numpy()]
    for _ in range(1, n_starts(model, affordable)):
        weight = torch.empty_like(module.encoder.weight)
        nn.init.normal_(weight, std=model.n_features_in_**-0.5, generator=start.generator)
        starts.append(weight.numpy())
    weights, bias, result = fit_linear_encoder(
        objective_of(model, torch.from_numpy(targets)),
        module.activation,
        inputs,
        starts,
        max_iter=model.max_iter,
        tol=model.tol / model.n_iter_no_change,
        generator=start.generator,
        penalties=_SIGMOID_PENALTIES if model._binary_latents else (),
        on_iteration=start.on_epoch,
    )
    module.encoder.weight.data.copy_(torch.from_numpy(weights))
    module.encoder.bias.data.copy_(torch.from_numpy(bias))
    return result
