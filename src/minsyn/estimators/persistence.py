"""Storage of fitted estimators, as safetensors and JSON, without pickle."""

import copy
import hashlib
import json
from collections.abc import Mapping
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from minsyn._atomic import write_atomically
from minsyn._version import __version__
from minsyn.estimators.adam import Adam
from minsyn.estimators.encoders import Net
from minsyn.estimators.free import Free
from minsyn.estimators.run import Run
from minsyn.nn import DECODERS, LATENTS, Decoder, Observations, observations_of

__all__ = ["ModelFormatError", "read_model", "save_model"]

#: Incremented whenever an older reader could misread a newer file.
_FORMAT_VERSION = 2
_MODEL, _ARRAYS = "model.json", "arrays.safetensors"
_DECODER = ("components_", "intercept_")
#: Prefix of the names of the encoder's tensors.
_ENCODER = "encoder."
_PLAIN = ("n_features_in_", "n_iter_", "converged_", "loss_curve_")
#: Classes of objects that parameters may have as values.
_OBJECTS: dict[str, type[BaseEstimator]] = {kind.__name__: kind for kind in (Adam, Free, Run)}
#: Options of `Run` that are not part of the model.
_OF_THE_RUN = ("checkpoint_dir", "loggers")


class ModelFormatError(ValueError):
    """A saved model is damaged or modified, or this version cannot read it."""


def save_model(model: Any, path: str | Path) -> None:
    """Save a fitted `FactorModel` to a folder.

    Parameters
    ----------
    model : FactorModel
        Fitted estimator.
    path : str or Path
        Folder, created if it does not exist. A model in it is replaced.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If a parameter cannot be written as JSON, such as a RandomState instance.
    OSError
        If the folder cannot be written.
    """
    check_is_fitted(model)
    parameters = model.get_params(deep=False)
    own_encoder = isinstance(parameters.get("encoder"), nn.Module)
    if own_encoder:
        del parameters["encoder"]
    latents, observations = model.latents_, model.observations_
    if LATENTS.get(latents.name) != latents or not _known(observations):
        raise TypeError(
            f"latents {latents.name!r} with observations {observations!r} cannot be saved: a "
            "saved decoder must have those of minsyn.nn, such as SOFTPLUS and REAL; pickle the "
            "model instead"
        )
    state, arrays = model._state()
    for name in _DECODER:
        arrays[name] = np.ascontiguousarray(getattr(model, name))
    for name, value in model.encoder_.state_dict().items():
        arrays[f"{_ENCODER}{name}"] = value.cpu().numpy().copy()
    record: dict[str, Any] = {
        "format": "minsyn model",
        "format_version": _FORMAT_VERSION,
        "minsyn_version": __version__,
        "class": type(model).__name__,
        "parameters": {name: _as_json(name, value) for name, value in parameters.items()},
        "fitted": {name: _as_json(name, getattr(model, name)) for name in _PLAIN},
        "latents": latents.name,
        "observations": observations.record(),
        "state": state,
    }
    if own_encoder:
        record["own_encoder"] = type(model.encoder_).__qualname__
    else:
        linear = [layer for layer in model.encoder_ if isinstance(layer, nn.Linear)]
        record["hidden"] = [layer.out_features for layer in linear[:-1]]
    if hasattr(model, "feature_names_in_"):
        record["feature_names"] = [str(name) for name in model.feature_names_in_]
    content = save_tensors(arrays)
    record["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    # The record is written last, with a checksum of the arrays. If a save is interrupted between
    # the two writes, the old record does not match the new arrays, and reading fails.
    write_atomically(folder / _ARRAYS, content)
    write_atomically(folder / _MODEL, json.dumps(record, indent=1) + "\n")


def read_model(
    path: str | Path, classes: Mapping[str, type], encoder: nn.Module | None = None
) -> Any:
    """Read a model saved by `save_model`, without executing code from the files.

    Parameters
    ----------
    path : str or Path
        Folder of the model.
    classes : mapping
        Accepted classes, by name.
    encoder : nn.Module, optional
        Module for the weights of a custom encoder. It is copied.

    Returns
    -------
    FactorModel
        The fitted estimator.

    Raises
    ------
    FileNotFoundError
        If there is no model in the folder.
    ModelFormatError
        If the files are damaged or modified, hold another class, or have a newer format; or if the
        weights do not fit ``encoder``.
    ValueError
        If ``encoder`` is required but missing, or given but not required.
    """
    folder = Path(path)
    for name in (_MODEL, _ARRAYS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no saved model: {name} is missing")
    record = _read_record(folder / _MODEL)
    found = record.get("class")
    if not isinstance(found, str) or found not in classes:
        raise ModelFormatError(
            f"{folder} holds a {found!r}, not a {' or '.join(classes)}; load it with that class"
        )
    own = record.get("own_encoder")
    if (own is None) != (encoder is None):
        raise ValueError(
            f"{folder} has no custom encoder: load it without encoder="
            if own is None
            else f"{folder} has the weights of a custom encoder ({own}), but not its code: load it "
            f"with encoder=, a module of the same architecture"
        )
    content = (folder / _ARRAYS).read_bytes()
    if hashlib.sha256(content).hexdigest() != record.get("arrays_sha256"):
        raise ModelFormatError(
            f"{folder / _ARRAYS} does not match the checksum in {_MODEL}: it is damaged or "
            "modified; save the model again"
        )
    try:
        return _model(classes[found], record, load_tensors(content), encoder)
    except (KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelFormatError(
            f"{folder} is not a valid saved {found}: {type(error).__name__}: {error}"
        ) from error


def _model(
    model_class: type,
    record: dict[str, Any],
    arrays: dict[str, np.ndarray],
    own_encoder: nn.Module | None,
) -> Any:
    given = {} if own_encoder is None else {"encoder": own_encoder}
    parameters = {name: _from_json(value) for name, value in record["parameters"].items()}
    model = model_class(**parameters, **given)
    for name in _DECODER:
        setattr(model, name, arrays[name])
    for name in _PLAIN:
        setattr(model, name, record["fitted"][name])
    if "feature_names" in record:
        model.feature_names_in_ = np.array(record["feature_names"], dtype=object)
    model.latents_ = LATENTS[record["latents"]]
    model.observations_ = observations_of(record["observations"])
    n_components, n_features = model.components_.shape
    if model.intercept_.shape != (n_features,):
        raise ModelFormatError(
            f"intercept_ has shape {model.intercept_.shape}, not {(n_features,)}"
        )
    if model.n_features_in_ != n_features:
        raise ModelFormatError(f"n_features_in_ is {model.n_features_in_}, not {n_features}")
    if own_encoder is None:
        encoder: nn.Module = Net(record["hidden"]).layers(n_features, n_components).double()
    else:
        encoder = copy.deepcopy(own_encoder).cpu().float()
    state = {
        name.removeprefix(_ENCODER): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(_ENCODER)
    }
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        what = "the saved sizes" if own_encoder is None else "encoder"
        raise ModelFormatError(f"the saved weights do not fit {what}: {error}") from error
    model.encoder_ = encoder.eval()
    model._set_state(record["state"], arrays)
    return model


def _known(observations: Observations) -> bool:
    try:
        return type(observations_of(observations.record())) is type(observations)
    except KeyError:
        return False


def _read_record(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFormatError(
            f"{file} is not JSON: it is damaged or modified ({error})"
        ) from error
    if not isinstance(record, dict) or record.get("format") != "minsyn model":
        raise ModelFormatError(f"{file} is not the record of a model saved by minsyn")
    version = record.get("format_version")
    if version != _FORMAT_VERSION:
        raise ModelFormatError(
            f"{file} has format version {version!r} (written by minsyn "
            f"{record.get('minsyn_version')}); this minsyn {__version__} reads version "
            f"{_FORMAT_VERSION}: install the version that wrote it"
        )
    return record


def _as_json(name: str, value: Any) -> Any:
    """Convert a parameter to JSON values: numbers, strings, None, lists, and known objects."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_as_json(name, item) for item in value]
    if type(value) in _OBJECTS.values():
        parameters = value.get_params(deep=False)
        kept = {k: _as_json(k, v) for k, v in parameters.items() if k not in _OF_THE_RUN}
        return {"object": type(value).__name__, "parameters": kept}
    if isinstance(value, type) and issubclass(value, Decoder):
        value = partial(value)
    if isinstance(value, partial) and DECODERS.get(value.func.name) is value.func:  # type: ignore[attr-defined]
        options = {k: _as_json(k, v) for k, v in value.keywords.items()}
        return {"decoder": value.func.name, "options": options}
    raise TypeError(
        f"{name}={value!r} cannot be saved; use a number or a string, for example an int as "
        "random_state; a custom decoder needs a name in the registry "
        '(class MyDecoder(Decoder, name="my-decoder"))'
    )


def _from_json(value: Any) -> Any:
    """Inverse of `_as_json`."""
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "decoder" in value:
        decoder = DECODERS.get(value["decoder"])
        if decoder is None:
            raise ModelFormatError(
                f"the model has the decoder {value['decoder']!r}, which is not in the registry: "
                "import the module that defines it first"
            )
        options = {k: _from_json(v) for k, v in value["options"].items()}
        return partial(decoder, **options) if options else decoder
    parameters = {k: _from_json(v) for k, v in value["parameters"].items()}
    return _OBJECTS[value["object"]](**parameters)
