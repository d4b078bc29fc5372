"""Fits of `MinSyn` with the single-parent decoder: vector factors."""

import itertools
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from sklearn.utils import check_random_state

from minsyn.estimators._single_parent import fit_single_parent, measured_synergy
from minsyn.estimators._solver_choice import n_starts
from minsyn.estimators._training_data import check_n_components

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["fit_vector_factors"]


def fit_vector_factors(model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> None:
    """Fit a model with the single-parent decoder to an array."""
    if isinstance(model.n_components, Integral):
        check_n_components(model, *X.shape)
    X = X.astype(np.float64, copy=False)
    model.link_ = "logit" if X.min() >= 0 and X.max() <= 1 else "identity"
    description = f"{type(model).__name__}, single-parent"
    with model._progress(description, 1.0, bool(model.verbose)) as on_epoch:
        evaluations = itertools.count(1)
        fit = fit_single_parent(
            X,
            n_components=model.n_components,
            n_groups=None if model.n_groups == "auto" else model.n_groups,
            grouping=model.grouping,
            max_parents=model.max_parents,
            balance=model.balance,
            logistic=model.link_ == "logit",
            penalty=model.alpha,
            n_init=n_starts(model, 1),
            max_iter=model.max_iter,
            tol=model.tol,
            random_state=check_random_state(model.random_state),
            on_evaluation=lambda loss: on_epoch(next(evaluations), loss),
        )
    model.groups_, model.parents_ = fit.grouping.groups, fit.grouping.parents
    model.latent_groups_, model.synergy_graph_ = fit.latent_groups, fit.grouping.graph
    model.encoder_weights_, model.encoder_bias_ = fit.encoder_weights, fit.encoder_bias
    model.components_, model.intercept_ = fit.components, fit.intercept
    model.loss_curve_, model.n_iter_ = fit.loss_curve, len(fit.loss_curve)
    model.converged_ = fit.converged
    model.gk_synergy_ = measured_synergy(model._encode(X), X, model.latent_groups_)
