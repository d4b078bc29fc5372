"""`MinSyn` on an array in memory."""

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from minsyn.estimators._adam import fit_adam
from minsyn.estimators._fitted import exact_statistics, set_fitted
from minsyn.estimators._lbfgs import fit_lbfgs
from minsyn.estimators._module import MinSynModule, initial_module
from minsyn.estimators._solver_choice import by_lbfgs, check_whole_data, n_starts
from minsyn.estimators._start import Start, best_start, launched
from minsyn.estimators._training_data import (
    check_n_components,
    origin_and_scale,
    training_data,
)
from minsyn.training import TrainingResult

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["fit_array"]


def fit_array(model: "MinSyn", X: Any) -> None:
    """Fit a model to data that are all there at once, with the solver that suits what is asked."""
    X = training_data(model, X)
    n_components = check_n_components(model, *X.shape)
    check_whole_data(model)
    mean, scale = origin_and_scale(X)
    # For the Gaussian decoder everything is learned on features of mean square 1; the
    # Bernoulli decoder's features keep their range, and only the encoder's input is scaled.
    # The encoder is learned on features that vary: of others it could only take up noise.
    scaled = ((X - mean) / scale).astype(np.float32)
    varies = np.any(scaled != 0, axis=0)
    varies |= not varies.any()  # a layer without inputs would only make trouble
    inputs = X.astype(np.float32) if isinstance(model.encoder, nn.Module) else scaled[:, varies]
    targets = scaled if model.decoder == "gaussian" else X.astype(np.float32)
    lbfgs = by_lbfgs(model, min(inputs.shape))
    solver = fit_lbfgs if lbfgs else fit_adam

    def fit_once(start: Start) -> tuple[MinSynModule, TrainingResult]:
        module = initial_module(
            model,
            n_components,
            varies,
            start.generator,
            X,
            whole_batches=model.batch_size is None or model.batch_size >= len(X),
        )
        return module, solver(model, module, inputs, targets, start)

    # L-BFGS compares its starts itself.
    starts = 1 if lbfgs else n_starts(model, 1)
    module = best_start(model, fit_once, scale, starts, launched(model))
    set_fitted(model, module, varies, mean, scale, lambda: exact_statistics(model, [X]))
