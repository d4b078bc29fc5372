"""Which solver fits what is asked for, with which steps and starts, and what none can do."""

from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from minsyn.estimators._encoders import hidden_sizes
from minsyn.estimators._start import engine_settings

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = [
    "by_lbfgs",
    "check_settings",
    "check_whole_data",
    "n_starts",
    "step_size",
    "takes_streams",
]

#: By how much one Adam step may change a latent's pre-activation, for ``learning_rate="auto"``:
#: the step size is this over the number of features, which are scaled to mean square 1.
_PRE_ACTIVATION_STEP = 2.0
#: Adam's step size is not raised further for tables of few features.
_MAX_LEARNING_RATE = 0.05
#: For an MLP, whose step size is that of all layers.
_MAX_MLP_LEARNING_RATE = 0.01
#: Adam's usual one, for an encoder of which nothing is known.
_OWN_LEARNING_RATE = 0.001
#: Dimensions of the samples' span up to which its eigendecomposition is worth its time.
_MAX_SPAN = 2000


def takes_streams(model: "MinSyn") -> bool:
    """Whether the model can be fitted to data that are read by blocks."""
    return model.solver != "lbfgs" and model.decoder != "single-parent"


def by_lbfgs(model: "MinSyn", dimensions: int) -> bool:
    """Whether L-BFGS fits samples that span so many dimensions, else Adam."""
    if model.solver != "auto":
        return model.solver == "lbfgs"
    return dimensions <= _MAX_SPAN and not _only_adam(model)


def n_starts(model: "MinSyn", automatic: int) -> int:
    """Number of random starts, where "auto" is so many."""
    return automatic if model.n_init == "auto" else model.n_init


def step_size(model: "MinSyn") -> float:
    """Adam's step size."""
    if model.learning_rate == "auto":
        if isinstance(model.encoder, nn.Module):
            return _OWN_LEARNING_RATE
        hidden = hidden_sizes(model.encoder)
        if hidden is not None:
            widest = max(model.n_features_in_, *hidden)
            return min(_MAX_MLP_LEARNING_RATE, _PRE_ACTIVATION_STEP / widest)
        return min(_MAX_LEARNING_RATE, _PRE_ACTIVATION_STEP / model.n_features_in_)
    return model.learning_rate


def check_settings(model: "MinSyn") -> None:
    """Refuse encoders and decoders that do not go with each other, whatever the data."""
    asked = _network_settings(model)
    if asked and model.decoder == "single-parent":
        raise ValueError(
            "decoder='single-parent' has a linear encoder and a decoder of its own; found "
            f"{', '.join(asked)}. Use decoder='gaussian' or 'bernoulli' for these"
        )
    if model.synergy_weight < np.inf and model.statistics != "exact":
        raise ValueError(
            f"a decoder that is trained (synergy_weight={model.synergy_weight}) has no "
            "statistics='running'; leave it at 'exact'"
        )
    if isinstance(model.encoder, nn.Module) and model.n_init not in ("auto", 1):
        raise ValueError(
            f"n_init={model.n_init} starts of an encoder of your own would all begin with its "
            "weights: leave n_init at 1"
        )


def check_whole_data(model: "MinSyn") -> None:
    """Refuse what neither L-BFGS nor the single-parent decoder can do with an array."""
    if model.decoder == "single-parent":
        asked = engine_settings(model) + ["batch_size"] * (model.batch_size is not None)
        if asked:
            raise ValueError(
                "decoder='single-parent' is fitted to the whole data, in one process on the "
                f"CPU, in one go; found {', '.join(asked)}"
            )
    elif model.solver == "lbfgs" and _only_adam(model):
        raise ValueError(
            "solver='lbfgs' fits a linear encoder for a decoder in closed form, to the whole "
            "data with exact statistics, in one process on the CPU, in one go; found "
            f"{', '.join(_only_adam(model))}. Use solver='adam' for that"
        )


def _only_adam(model: "MinSyn") -> list[str]:
    """What is asked for that L-BFGS cannot do."""
    asked = engine_settings(model)
    if model.batch_size is not None:
        asked.append(f"batch_size={model.batch_size}")
    if model.statistics != "exact":
        asked.append(f"statistics={model.statistics!r}")
    return asked + _network_settings(model)


def _network_settings(model: "MinSyn") -> list[str]:
    """What is asked for beyond a linear encoder and a decoder in closed form."""
    asked = []
    if isinstance(model.encoder, nn.Module):
        asked.append(f"encoder={type(model.encoder).__name__}")
    elif hidden_sizes(model.encoder) is not None:
        asked.append(f"encoder={model.encoder!r}")
    if model.synergy_weight < np.inf:
        asked.append(f"synergy_weight={model.synergy_weight}")
    return asked
