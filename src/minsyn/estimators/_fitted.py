"""The fitted attributes of `MinSyn`, for data as they were given, from a trained module."""

import copy
from collections.abc import Callable, Iterable
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float
from torch import nn

from minsyn.estimators._encoders import for_data_as_given, hidden_sizes
from minsyn.estimators._module import MinSynModule
from minsyn.information.ci import bernoulli, gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn import Decoder

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["decode_from", "exact_statistics", "set_encoder", "set_fitted"]


def set_fitted(
    model: "MinSyn",
    module: MinSynModule,
    varies: Bool[np.ndarray, " features"],
    mean: Float[np.ndarray, " features"],
    scale: float,
    exact: Callable[[], PairwiseStatistics],
) -> None:
    """Encoder and decoder of a model, in float64.

    Parameters
    ----------
    model : MinSyn
        Gets them.
    module : MinSynModule
        Trained, and on the CPU.
    varies : ndarray of bool, shape (n_features,)
        Features that its encoder sees, unless it is the user's own.
    mean, scale : ndarray of shape (n_features,), float
        Encoders that were made here saw ``(X - mean) / scale``.
    exact : callable
        Gives the exact statistics of all samples under the fitted encoder.
    """
    set_encoder(model, module, varies, mean, scale)
    running = module.decoder
    decode_from(
        model,
        exact() if model.statistics == "exact" else _running(model, running, mean, scale),
    )
    if module.free is not None:
        ci_map = model.components_, model.intercept_
        model.components_, model.intercept_ = module.free.fitted(ci_map, mean, scale)


def set_encoder(
    model: "MinSyn",
    module: MinSynModule,
    varies: Bool[np.ndarray, " features"],
    mean: Float[np.ndarray, " features"],
    scale: float,
) -> None:
    """The encoder for data as they were given; parameters as of `set_fitted`."""
    if isinstance(model.encoder, nn.Module):
        model.encoder_ = copy.deepcopy(module.encoder).float().eval()
    elif hidden_sizes(model.encoder) is not None:
        model.encoder_ = for_data_as_given(module.encoder, varies, mean, scale)
    else:
        model._set_encoder(*module.encoder_of_all(varies), mean, scale)


def decode_from(model: "MinSyn", statistics: PairwiseStatistics) -> None:
    """The decoder without CI synergy that has these statistics."""
    linear_map = gaussian.ci_linear_map if model.decoder == "gaussian" else bernoulli.ci_linear_map
    model.statistics_ = statistics
    model.components_, model.intercept_ = linear_map(statistics)


def exact_statistics(
    model: "MinSyn", blocks: Iterable[Float[np.ndarray, "rows features"]]
) -> PairwiseStatistics:
    """Statistics of latents and features, in float64, from blocks of samples, at least one."""

    def of(X: Float[np.ndarray, "rows features"]) -> PairwiseStatistics:
        X = X.astype(np.float64, copy=False)
        return PairwiseStatistics.of(model._encode(X), X)

    return reduce(PairwiseStatistics.merge, map(of, blocks))


def _running(
    model: "MinSyn", decoder: Decoder, mean: Float[np.ndarray, " features"], scale: float
) -> PairwiseStatistics:
    """The moving average over the training steps, of data as they were given."""
    running = decoder.running.statistics()
    moments: dict[str, Any] = {
        name: getattr(running, name).double().numpy()
        for name in ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")
    }
    if model.decoder == "gaussian":  # learned on scaled features
        moments["mean_x"] = mean + scale * moments["mean_x"]
        moments["cov_zx"] = scale * moments["cov_zx"]
        moments["var_x"] = scale**2 * moments["var_x"]
    return PairwiseStatistics(running.weight, **moments)
