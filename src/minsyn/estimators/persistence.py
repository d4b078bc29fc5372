"""Storage of fitted estimators, as safetensors and JSON, without pickle."""

import copy
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, fields
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
from torch import nn

from minsyn._atomic import write_atomically
from minsyn._version import __version__
from minsyn.estimators.adam import Adam
from minsyn.estimators.encoders import Net
from minsyn.estimators.free import Free
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn import DECODERS, LATENTS, Decoder, Observations, observations_of

__all__ = ["ModelFormatError", "SavedModel", "read_model", "write_model"]

#: Incremented whenever an older reader could misread a newer file.
_FORMAT_VERSION = 3
_MODEL, _ARRAYS = "model.json", "arrays.safetensors"
_DECODER = ("components", "intercept")
#: Prefix of the names of the encoder's tensors.
_ENCODER = "encoder."
#: Prefix of the names of the statistics.
_STATISTICS = "statistics."
_MOMENTS = tuple(f.name for f in fields(PairwiseStatistics) if f.name != "weight")
#: Classes of objects that parameters may have as values.
_OBJECTS: dict[str, type[BaseEstimator]] = {kind.__name__: kind for kind in (Adam, Free, Run)}
#: Options of `Run` that are not part of the model.
_OF_THE_RUN = ("checkpoint_dir", "loggers")


class ModelFormatError(ValueError):
    """A saved model is damaged or modified, or this version cannot read it."""


@dataclass(frozen=True)
class SavedModel:
    """Contents of a saved model.

    Attributes
    ----------
    class_name : str
        Class of the estimator.
    parameters : dict
        Its parameters, without a custom encoder.
    solution : Solution
        Its encoder and decoder.
    feature_names : list of str or None
        Names of the features, if they have any.
    custom_encoder : bool
        Whether the encoder is a module of the user, whose code is not saved.
    state : dict
        Further fitted state of the class, as JSON values.
    arrays : dict
        Further fitted arrays of the class, by name.
    """

    class_name: str
    parameters: dict[str, Any]
    solution: Solution
    feature_names: list[str] | None
    custom_encoder: bool
    state: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_model(saved: SavedModel, path: str | Path) -> None:
    """Write a model to a folder.

    Parameters
    ----------
    saved : SavedModel
        The model.
    path : str or Path
        Folder, created if it does not exist. A model in it is replaced.

    Raises
    ------
    TypeError
        If a parameter cannot be written as JSON, such as a RandomState instance.
    OSError
        If the folder cannot be written.
    """
    solution = saved.solution
    latents, observations = solution.latents, solution.observations
    if LATENTS.get(latents.name) != latents or not _known(observations):
        raise TypeError(
            f"latents {latents.name!r} with observations {observations!r} cannot be saved: a "
            "saved decoder must have those of minsyn.nn, such as SOFTPLUS and REAL; pickle the "
            "model instead"
        )
    arrays = {name: np.ascontiguousarray(array) for name, array in saved.arrays.items()}
    for name in _DECODER:
        arrays[name] = np.ascontiguousarray(getattr(solution, name))
    for name, value in solution.encoder.state_dict().items():
        arrays[f"{_ENCODER}{name}"] = value.cpu().numpy().copy()
    record: dict[str, Any] = {
        "format": "minsyn model",
        "format_version": _FORMAT_VERSION,
        "minsyn_version": __version__,
        "class": saved.class_name,
        "parameters": {name: _as_json(name, value) for name, value in saved.parameters.items()},
        "loss_curve": [float(loss) for loss in solution.loss_curve],
        "converged": bool(solution.converged),
        "latents": latents.name,
        "observations": observations.record(),
        "feature_names": saved.feature_names,
        "state": saved.state,
    }
    if saved.custom_encoder:
        record["custom_encoder"] = type(solution.encoder).__qualname__
    else:
        assert isinstance(solution.encoder, nn.Sequential)
        linear = [layer for layer in solution.encoder if isinstance(layer, nn.Linear)]
        record["hidden"] = [layer.out_features for layer in linear[:-1]]
    if solution.statistics is not None:
        record["statistics_weight"] = float(solution.statistics.weight)
        for name in _MOMENTS:
            moment = getattr(solution.statistics, name)
            arrays[f"{_STATISTICS}{name}"] = np.ascontiguousarray(moment)
    content = save_tensors(arrays)
    record["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    # The record is written last, with a checksum of the arrays. If a save is interrupted between
    # the two writes, the old record does not match the new arrays, and reading fails.
    write_atomically(folder / _ARRAYS, content)
    write_atomically(folder / _MODEL, json.dumps(record, indent=1) + "\n")


def read_model(
    path: str | Path, accepted: Collection[str], encoder: nn.Module | None = None
) -> SavedModel:
    """Read a model written by `write_model`, without executing code from the files.

    Parameters
    ----------
    path : str or Path
        Folder of the model.
    accepted : collection of str
        Names of the accepted classes.
    encoder : nn.Module, optional
        Module for the weights of a custom encoder. It is copied.

    Returns
    -------
    SavedModel

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
    if not isinstance(found, str) or found not in accepted:
        raise ModelFormatError(
            f"{folder} holds a {found!r}, not a {' or '.join(accepted)}; load it with that class"
        )
    custom = record.get("custom_encoder")
    if (custom is None) != (encoder is None):
        raise ValueError(
            f"{folder} has no custom encoder: load it without encoder="
            if custom is None
            else f"{folder} has the weights of a custom encoder ({custom}), but not its code: load "
            f"it with encoder=, a module of the same architecture"
        )
    content = (folder / _ARRAYS).read_bytes()
    if hashlib.sha256(content).hexdigest() != record.get("arrays_sha256"):
        raise ModelFormatError(
            f"{folder / _ARRAYS} does not match the checksum in {_MODEL}: it is damaged or "
            "modified; save the model again"
        )
    try:
        return _saved_model(record, load_tensors(content), encoder)
    except (KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelFormatError(
            f"{folder} is not a valid saved {found}: {type(error).__name__}: {error}"
        ) from error


def _saved_model(
    record: dict[str, Any], arrays: dict[str, np.ndarray], custom: nn.Module | None
) -> SavedModel:
    components, intercept = (arrays.pop(name) for name in _DECODER)
    n_components, n_features = components.shape
    if intercept.shape != (n_features,):
        raise ModelFormatError(f"intercept has shape {intercept.shape}, not {(n_features,)}")
    names = record["feature_names"]
    if names is not None and len(names) != n_features:
        raise ModelFormatError(f"there are {len(names)} feature names, not {n_features}")
    statistics = None
    if "statistics_weight" in record:
        moments = {name: arrays.pop(f"{_STATISTICS}{name}") for name in _MOMENTS}
        statistics = PairwiseStatistics(record["statistics_weight"], **moments)
    if custom is None:
        encoder: nn.Module = Net(record["hidden"]).layers(n_features, n_components).double()
    else:
        encoder = copy.deepcopy(custom).cpu().float()
    weights = [name for name in arrays if name.startswith(_ENCODER)]
    state = {
        name.removeprefix(_ENCODER): torch.from_numpy(arrays.pop(name).copy()) for name in weights
    }
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        what = "the saved sizes" if custom is None else "encoder"
        raise ModelFormatError(f"the saved weights do not fit {what}: {error}") from error
    solution = Solution(
        encoder.eval(),
        LATENTS[record["latents"]],
        observations_of(record["observations"]),
        components,
        intercept,
        record["loss_curve"],
        record["converged"],
        statistics,
    )
    parameters = {name: _from_json(value) for name, value in record["parameters"].items()}
    return SavedModel(
        record["class"], parameters, solution, names, custom is not None, record["state"], arrays
    )


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
