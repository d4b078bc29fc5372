"""Fitted estimators on disk: numbers as safetensors, everything else as JSON, no pickle."""

import copy
import hashlib
import json
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.utils.validation import check_is_fitted
from torch import nn

from minsyn._atomic import write_atomically
from minsyn._version import __version__
from minsyn.estimators._encoders import mlp
from minsyn.information.graph import SynergyGraph
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["ModelFormatError", "load_model", "save_model"]

#: Raised by one whenever a reader of the older form could misread the newer.
_FORMAT_VERSION = 1
_MODEL, _ARRAYS = "model.json", "arrays.safetensors"
_MOMENTS = tuple(field.name for field in fields(PairwiseStatistics) if field.name != "weight")
_DECODER = ("components_", "intercept_")
_ALL_LINEAR = ("encoder_weights_", "encoder_bias_", *_DECODER)
#: Before the names of the state of an encoder that is a module.
_ENCODER = "encoder."
_GROUPS = ("groups_", "parents_", "latent_groups_")
_GRAPH = ("synergy", "eigenvalues", "labels")
#: Where a run was kept and reported is no part of the model.
_OF_THE_RUN = ("checkpoint_dir", "loggers")
_PLAIN = ("n_features_in_", "n_iter_", "converged_", "loss_curve_")


class ModelFormatError(ValueError):
    """A saved model is damaged, was changed, or is of a kind that this version cannot read."""


def save_model(model: Any, path: str | Path) -> None:
    """Write a fitted `MinSyn` or `AutoEncoder` into a folder.

    Parameters
    ----------
    model : FactorModel
        Fitted estimator.
    path : str or Path
        Folder; made where it is missing. A model that stands there is replaced.

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
    parameters = {
        name: _as_json(name, value)
        for name, value in model.get_params().items()
        if name not in _OF_THE_RUN and not isinstance(value, nn.Module)
    }
    if hasattr(model, "encoder_"):
        state = model.encoder_.state_dict()
        arrays = {f"{_ENCODER}{name}": value.cpu().numpy().copy() for name, value in state.items()}
        arrays |= {name: np.ascontiguousarray(getattr(model, name)) for name in _DECODER}
    else:
        arrays = {name: np.ascontiguousarray(getattr(model, name)) for name in _ALL_LINEAR}
    record: dict[str, Any] = {
        "format": "minsyn model",
        "format_version": _FORMAT_VERSION,
        "minsyn_version": __version__,
        "class": type(model).__name__,
        "parameters": parameters,
        "fitted": {name: _as_json(name, getattr(model, name)) for name in _PLAIN},
    }
    if isinstance(model.get_params().get("encoder"), nn.Module):
        record["own_encoder"] = type(model.encoder_).__qualname__
    if hasattr(model, "feature_names_in_"):
        record["feature_names"] = [str(name) for name in model.feature_names_in_]
    if hasattr(model, "statistics_"):
        record["statistics_weight"] = float(model.statistics_.weight)
        for name in _MOMENTS:
            arrays[f"statistics.{name}"] = np.ascontiguousarray(getattr(model.statistics_, name))
    if hasattr(model, "groups_"):
        arrays |= {name: np.ascontiguousarray(getattr(model, name)) for name in _GROUPS}
        record["single_parent"] = {
            "link": model.link_,
            "has_graph": model.synergy_graph_ is not None,
        }
        if model.synergy_graph_ is not None:
            for name in _GRAPH:
                array = np.ascontiguousarray(getattr(model.synergy_graph_, name))
                arrays[f"synergy_graph.{name}"] = array
    content = save_tensors(arrays)
    record["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    # The record comes last and names the arrays' checksum: of a save that was interrupted in
    # between, old record and new arrays are seen not to belong together.
    write_atomically(folder / _ARRAYS, content)
    write_atomically(folder / _MODEL, json.dumps(record, indent=1) + "\n")


def load_model(model_class: type, path: str | Path, encoder: nn.Module | None = None) -> Any:
    """Read a model that `save_model` wrote. Nothing in the files is executed.

    Parameters
    ----------
    model_class : type
        Class that is expected.
    path : str or Path
        The model's folder.
    encoder : nn.Module, optional
        Takes the weights of an encoder of the user's own; copied.

    Returns
    -------
    FactorModel
        The fitted estimator.

    Raises
    ------
    FileNotFoundError
        If there is no model in the folder.
    ModelFormatError
        If the files are damaged, were changed, belong to another class, or are of a newer format,
        or the weights do not fit ``encoder``.
    ValueError
        If ``encoder`` is missing where it is needed, or given where it is not.
    """
    folder = Path(path)
    for name in (_MODEL, _ARRAYS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no saved model: {name} is missing")
    record = _read_record(folder / _MODEL)
    if record.get("class") != model_class.__name__:
        raise ModelFormatError(
            f"{folder} holds a {record.get('class')!r}, not a {model_class.__name__}; load it with "
            "its own class"
        )
    own = record.get("own_encoder")
    if (own is None) != (encoder is None):
        raise ValueError(
            f"{folder} holds no encoder of your own: load it without encoder="
            if own is None
            else f"{folder} holds the weights of an encoder of your own ({own}), but not its code: "
            f"load it with encoder= such a module, built as it was for fit"
        )
    content = (folder / _ARRAYS).read_bytes()
    if hashlib.sha256(content).hexdigest() != record.get("arrays_sha256"):
        raise ModelFormatError(
            f"{folder / _ARRAYS} is not the file that {_MODEL} was written with: it was damaged or "
            "changed; save the model anew"
        )
    try:
        given = {} if encoder is None else {"encoder": encoder}
        parameters = {k: _infinity_or(v) for k, v in record["parameters"].items()}
        model = model_class(**parameters, **given)
        arrays = load_tensors(content)
        is_network = any(name.startswith(_ENCODER) for name in arrays)
        for name in _DECODER if is_network else _ALL_LINEAR:
            setattr(model, name, arrays[name])
        if is_network:
            _set_network(model, encoder, arrays)
        for name in _PLAIN:
            setattr(model, name, record["fitted"][name])
        if "feature_names" in record:
            model.feature_names_in_ = np.array(record["feature_names"], dtype=object)
        if "statistics_weight" in record:
            moments = {name: arrays[f"statistics.{name}"] for name in _MOMENTS}
            model.statistics_ = PairwiseStatistics(record["statistics_weight"], **moments)
        if "single_parent" in record:
            _set_groups(model, record["single_parent"], arrays)
        _check_shapes(model)
    except (KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelFormatError(
            f"{folder} does not hold what a saved {model_class.__name__} holds: "
            f"{type(error).__name__}: {error}"
        ) from error
    return model


def _set_network(model: Any, own: nn.Module | None, arrays: dict[str, Any]) -> None:
    """The encoder as a module: the user's own, or an MLP of the saved sizes."""
    n_components, n_features = arrays["components_"].shape
    if own is None:
        encoder: nn.Module = mlp(n_features, model.encoder, n_components).double()
    else:
        encoder = copy.deepcopy(own).cpu().float()
    state = {
        name.removeprefix(_ENCODER): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(_ENCODER)
    }
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        what = "the saved sizes" if own is None else "encoder"
        raise ModelFormatError(f"the saved weights do not fit {what}: {error}") from error
    model.encoder_ = encoder.eval()


def _infinity_or(value: Any) -> Any:
    """JSON knows no infinity."""
    return float("inf") if value == "inf" else value


def _set_groups(model: Any, record: dict[str, Any], arrays: dict[str, Any]) -> None:
    for name in _GROUPS:
        setattr(model, name, arrays[name])
    model.link_ = record["link"]
    model.synergy_graph_ = None
    if record["has_graph"]:
        graph = {name: arrays[f"synergy_graph.{name}"] for name in _GRAPH}
        model.synergy_graph_ = SynergyGraph(n_groups=int(graph["labels"].max()) + 1, **graph)


def _read_record(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFormatError(
            f"{file} is not JSON: it was damaged or changed ({error})"
        ) from error
    if not isinstance(record, dict) or record.get("format") != "minsyn model":
        raise ModelFormatError(f"{file} does not describe a model that minsyn saved")
    version = record.get("format_version")
    if version != _FORMAT_VERSION:
        raise ModelFormatError(
            f"{file} has format version {version!r} (written by minsyn "
            f"{record.get('minsyn_version')}); this minsyn {__version__} reads version "
            f"{_FORMAT_VERSION}: install the version that wrote it"
        )
    return record


def _check_shapes(model: Any) -> None:
    n_components, n_features = model.components_.shape
    expected: dict[str, tuple[int, ...]] = {"intercept_": (n_features,)}
    if not hasattr(model, "encoder_"):
        expected |= {
            "encoder_weights_": (n_components, n_features),
            "encoder_bias_": (n_components,),
        }
    for name, shape in expected.items():
        if getattr(model, name).shape != shape:
            raise ModelFormatError(f"{name} has shape {getattr(model, name).shape}, not {shape}")
    if model.n_features_in_ != n_features:
        raise ModelFormatError(f"n_features_in_ is {model.n_features_in_}, not {n_features}")


def _as_json(name: str, value: Any) -> Any:
    """Plain Python numbers, strings, None and lists of them."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return "inf" if value == np.inf else float(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_as_json(name, item) for item in value]
    raise TypeError(
        f"{name}={value!r} cannot be saved; give a number or a string, for example an int as "
        "random_state"
    )
