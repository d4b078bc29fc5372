"""Storage of fitted estimators, as safetensors and JSON, without pickle."""

import copy
import hashlib
import itertools
import json
import re
from collections.abc import Collection, Mapping
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
from minsyn._locks import locked
from minsyn._version import __version__
from minsyn.estimators.adam import Adam
from minsyn.estimators.encoders import Net
from minsyn.estimators.free import Free
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.information._magnitude import LARGEST
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn import DECODERS, LATENTS, Decoder, Observations, observations_of
from minsyn.nn.group_nets import GroupDecoder, GroupEncoder

__all__ = [
    "ModelFormatError",
    "SavedModel",
    "model_digest",
    "read_model",
    "remove_other_arrays",
    "require_array",
    "write_model",
]

#: Incremented whenever an older reader could misread a newer file.
_FORMAT_VERSION = 4
_MODEL = "model.json"
#: Arrays are in a file that is named after their checksum, so that those of an earlier model stay
#: until the new record is there.
_ARRAYS_OF_ANY = "arrays*.safetensors"
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Most bytes of a record that are read: what they say takes about twenty times as much memory.
_MOST_JSON = 2**27
#: What a damaged record or damaged arrays may raise.
_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    SafetensorError,
)
_DECODER = ("components", "intercept")
#: Prefixes of the names of the tensors of encoder and decoder.
_ENCODER, _NET_DECODER = "encoder.", "decoder."
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
    ValueError
        If the model has weights that are not finite.
    OSError
        If the folder cannot be written. A model in it is then still there.
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
    if solution.decoder is not None:
        for name, value in solution.decoder.state_dict().items():
            arrays[f"{_NET_DECODER}{name}"] = value.cpu().numpy().copy()
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
    elif isinstance(solution.encoder, GroupEncoder):
        assert isinstance(solution.decoder, GroupDecoder)
        record["hidden"] = list(solution.encoder.hidden)
        record["decoder_hidden"] = list(solution.decoder.hidden)
    else:
        assert isinstance(solution.encoder, nn.Sequential)
        linear = [layer for layer in solution.encoder if isinstance(layer, nn.Linear)]
        record["hidden"] = [layer.out_features for layer in linear[:-1]]
    if solution.statistics is not None:
        record["statistics_weight"] = float(solution.statistics.weight)
        for name in _MOMENTS:
            moment = getattr(solution.statistics, name)
            arrays[f"{_STATISTICS}{name}"] = np.ascontiguousarray(moment)
    _require_finite(arrays, custom=saved.custom_encoder)
    content = save_tensors(arrays)
    record["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    record["sha256"] = _digest(record)
    folder = Path(path)
    with locked(folder, wait=True, cure="wait for it"):
        # The record is written last. Until then, it is the old one, whose arrays are still there.
        write_atomically(folder / _arrays_name(record), content)
        write_atomically(folder / _MODEL, json.dumps(record, indent=1) + "\n")
        remove_other_arrays(folder)


def remove_other_arrays(folder: Path) -> None:
    """Remove the arrays of earlier models, and what killed processes left of them.

    Parameters
    ----------
    folder : Path
        Folder of a model, locked by this process.
    """
    kept = folder / _arrays_name(_read_record(folder))
    for pattern in (_ARRAYS_OF_ANY, f".{_ARRAYS_OF_ANY}.part"):
        for file in folder.glob(pattern):
            if file != kept:
                file.unlink(missing_ok=True)


def model_digest(path: str | Path) -> str:
    """Checksum of a saved model, which tells it from every other one.

    Parameters
    ----------
    path : str or Path
        Folder of the model.

    Raises
    ------
    FileNotFoundError
        If there is no model in the folder.
    ModelFormatError
        If its record is damaged or modified, or has another format version.
    """
    return str(_read_record(Path(path))["sha256"])


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
    record = _read_record(folder)
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
    file = folder / _arrays_name(record)
    try:
        if file.exists() and not file.is_file():  # a pipe would be waited for
            raise ModelFormatError(f"{file} is not a regular file")
        content = file.read_bytes()
    except FileNotFoundError:
        if _read_record(folder)["sha256"] != record["sha256"]:  # saved again in the meantime
            return read_model(path, accepted, encoder)
        raise FileNotFoundError(f"{folder} holds no saved model: {file.name} is missing") from None
    if hashlib.sha256(content).hexdigest() != record["arrays_sha256"]:
        raise ModelFormatError(
            f"{file} does not match the checksum in {_MODEL}: it is damaged or modified; save the "
            "model again"
        )
    try:
        return _saved_model(record, load_tensors(content), encoder)
    except ModelFormatError:
        raise
    except _DAMAGE as error:
        raise ModelFormatError(
            f"{folder} is not a valid saved {found}: {type(error).__name__}: "
            f"{' '.join(str(error).split())}"
        ) from error


def require_array(
    arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | None, ...], kinds: str = "f"
) -> np.ndarray:
    """One of a saved model's arrays, of a shape and type that the model can have.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays by name.
    name : str
        Name of the array.
    shape : tuple of int or None
        Its shape; None stands for any length.
    kinds : str, default="f"
        Codes of the allowed kinds of types, as in `numpy.dtype.kind`.

    Raises
    ------
    ModelFormatError
        If the array is missing, has another shape or type, or is not finite.

    Examples
    --------
    >>> require_array({"mean": np.zeros(3)}, "mean", (3,))
    array([0., 0., 0.])
    """
    if name not in arrays:
        raise ModelFormatError(f"the array {name!r} is missing")
    array = arrays[name]
    fits = len(array.shape) == len(shape) and all(
        n in (None, found) for n, found in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in kinds:
        wanted = tuple("any" if n is None else n for n in shape)
        raise ModelFormatError(
            f"{name} has shape {array.shape} and type {array.dtype}, not {wanted} and "
            f"{' or '.join(_KINDS[kind] for kind in kinds)}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelFormatError(f"{name} holds values that are not finite")
    return array


_KINDS = {"f": "real", "i": "integer", "b": "boolean"}


def _saved_model(
    record: dict[str, Any], arrays: dict[str, np.ndarray], custom: nn.Module | None
) -> SavedModel:
    components = require_array(arrays, "components", (None, None))
    n_components, n_features = components.shape
    intercept = require_array(arrays, "intercept", (n_features,))
    if n_components == 0 or n_features == 0:
        raise ModelFormatError(f"components have shape {components.shape}")
    names = record["feature_names"]
    if names is not None and (
        not _is_list_of(names, str) or len(set(names)) != len(names) or len(names) != n_features
    ):
        n_names = len(names) if isinstance(names, list) else names
        raise ModelFormatError(
            f"there are {n_names} feature names, not {n_features} different ones"
        )
    statistics = None
    if "statistics_weight" in record:
        shapes: dict[str, tuple[int, ...]] = {
            "mean_z": (n_components,),
            "mean_x": (n_features,),
            "cov_zz": (n_components, n_components),
            "cov_zx": (n_components, n_features),
            "var_x": (n_features,),
        }
        moments = {name: require_array(arrays, _STATISTICS + name, shapes[name]) for name in shapes}
        if any(float(np.abs(moment).max()) > LARGEST**2 for moment in moments.values()):
            raise ModelFormatError("moments of latents and features are too large for any data")
        weight = _number(record, "statistics_weight", at_least=0.0)
        statistics = PairwiseStatistics(weight, **moments)
    weights, of_decoder = (
        {name.removeprefix(p): array for name, array in arrays.items() if name.startswith(p)}
        for p in (_ENCODER, _NET_DECODER)
    )
    encoder: nn.Module
    decoder = None
    if custom is None and "decoder_hidden" in record:
        sizes_of = (n_features, n_components)
        encoder = _group_net(GroupEncoder, record["hidden"], weights, *sizes_of)
        decoder = _group_net(GroupDecoder, record["decoder_hidden"], of_decoder, *sizes_of).eval()
    elif custom is None:
        encoder = _net(record["hidden"], weights, n_features, n_components)
    else:
        encoder = copy.deepcopy(custom).cpu().float()
        _load_weights(encoder, weights, "encoder")
    observations = record["observations"]
    sizes = observations.get("sizes", [n_features])
    if not _is_list_of(sizes, int) or sum(sizes) != n_features:
        raise ModelFormatError(f"sizes {sizes!r:.80} must be {n_features} in total")
    curve, converged = record["loss_curve"], record["converged"]
    numbers = _is_list_of(curve, int, float) and all(abs(loss) < float("inf") for loss in curve)
    if not numbers or not isinstance(converged, bool):
        raise ModelFormatError("loss_curve must hold numbers, and converged be true or false")
    solution = Solution(
        encoder.eval(),
        LATENTS[record["latents"]],
        observations_of(observations),
        components,
        intercept,
        curve,
        converged,
        statistics,
        decoder=decoder,
    )
    parameters = {name: _from_json(value) for name, value in record["parameters"].items()}
    for value in parameters.values():
        if isinstance(value, Adam | Run):
            value._validate_params()
    known = {*_DECODER, *(f"{_STATISTICS}{name}" for name in _MOMENTS)}
    further = {
        name: array
        for name, array in arrays.items()
        if name not in known and not name.startswith((_ENCODER, _NET_DECODER))
    }
    return SavedModel(
        record["class"],
        parameters,
        solution,
        names,
        custom is not None,
        dict(record["state"]),
        further,
    )


def _net(
    hidden: Any, weights: dict[str, np.ndarray], n_features: int, n_components: int
) -> nn.Sequential:
    """The encoder of saved weights, for which nothing is allocated that they do not hold."""
    if not _is_list_of(hidden, int) or min(hidden, default=1) < 1:
        raise ModelFormatError(f"hidden={hidden!r:.80} must hold the sizes of hidden layers")
    sizes = [n_features, *hidden, n_components]
    if len(weights) != 2 * (len(sizes) - 1):
        raise ModelFormatError(f"there are {len(weights)} arrays of an encoder with {len(sizes)}")
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        # Between two linear layers lies an activation.
        require_array(weights, f"{2 * layer}.weight", (n_out, n_in))
        require_array(weights, f"{2 * layer}.bias", (n_out,))
    net = Net(hidden).layers(n_features, n_components).double()
    _load_weights(net, weights, "the saved sizes")
    return net


def _group_net(
    kind: type[GroupEncoder] | type[GroupDecoder],
    hidden: Any,
    weights: dict[str, np.ndarray],
    n_features: int,
    n_components: int,
) -> GroupEncoder | GroupDecoder:
    """Encoder or decoder of groups, for which nothing is allocated that the arrays do not hold."""
    if not _is_list_of(hidden, int) or min(hidden, default=1) < 1:
        raise ModelFormatError(f"hidden={hidden!r:.80} must hold the sizes of hidden layers")
    n_latents = require_array(weights, "n_latents", (None,), "i")
    of_features = require_array(weights, kind.mask, (len(n_latents), n_features), "b")
    if min(n_latents, default=0) < 1 or n_latents.sum() != n_components:
        raise ModelFormatError(f"n_latents must be positive, and {n_components} in total")
    for name, (n, length) in {
        "feature": (n_features, "features"),
        "latent": (n_components, "latents"),
    }.items():
        require_array(weights, f"{name}_mean", (n,))
        if require_array(weights, f"{name}_unit", (n,)).min() <= 0:
            raise ModelFormatError(f"the units of the {length} must be positive")
    sizes = kind.sizes(of_features, n_latents, hidden)
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        require_array(weights, f"net.weights.{layer}", (len(n_latents), n_out, n_in))
        require_array(weights, f"net.biases.{layer}", (len(n_latents), n_out, 1))
    straight = require_array(weights, "net.straight", (len(n_latents), sizes[-1], None))
    if straight.shape[2] not in (0, sizes[0]):
        raise ModelFormatError(f"net.straight has shape {straight.shape}")
    module = kind(of_features, n_latents, hidden, straight=straight.shape[2] > 0).double()
    _load_weights(module, weights, "the saved sizes")
    return module


def _load_weights(encoder: nn.Module, weights: dict[str, np.ndarray], what: str) -> None:
    try:
        encoder.load_state_dict(
            {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        )
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise ModelFormatError(f"the saved weights do not fit {what}: {said}") from error


def _require_finite(arrays: dict[str, np.ndarray], *, custom: bool) -> None:
    """Raise an error for a model that could not be loaded again."""
    checked = (*_DECODER, _STATISTICS, *(() if custom else (_ENCODER, _NET_DECODER)))
    for name, array in arrays.items():
        if name.startswith(checked) and not np.isfinite(array).all():
            raise ValueError(
                f"{name} of the model holds values that are not finite, so that it cannot be "
                "saved: fit it to data of moderate size, such as standardised ones"
            )


def _is_list_of(value: Any, *kinds: type) -> bool:
    return isinstance(value, list) and all(type(item) in kinds for item in value)


def _number(record: dict[str, Any], name: str, at_least: float) -> float:
    value = record[name]
    if type(value) not in (int, float) or not at_least <= value < float("inf"):
        raise ModelFormatError(f"{name}={value!r:.80} must be a number of at least {at_least:g}")
    return float(value)


def _known(observations: Observations) -> bool:
    try:
        return type(observations_of(observations.record())) is type(observations)
    except KeyError:
        return False


def _read_record(folder: Path) -> dict[str, Any]:
    file = folder / _MODEL
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file; a saved model is a folder")
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not file.is_file():
        raise FileNotFoundError(f"{folder} holds no saved model: {_MODEL} is missing")
    if file.stat().st_size > _MOST_JSON:
        raise ModelFormatError(
            f"{file} has {file.stat().st_size:,} bytes, and at most {_MOST_JSON:,} are read"
        )
    try:
        record = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(
            f"{file} is not JSON: it is damaged or modified ({error})"
        ) from error
    if not isinstance(record, dict) or record.get("format") != "minsyn model":
        raise ModelFormatError(f"{file} is not the record of a model saved by minsyn")
    version = record.get("format_version")
    if version != _FORMAT_VERSION:
        newer = isinstance(version, int) and version > _FORMAT_VERSION
        cure = "update minsyn" if newer else "fit the model again"
        raise ModelFormatError(
            f"{file} has format version {version!r:.20} (written by minsyn "
            f"{record.get('minsyn_version')!s:.20}); this minsyn {__version__} reads version "
            f"{_FORMAT_VERSION}: {cure}, or install the version that wrote it"
        )
    try:
        intact = record.get("sha256") == _digest(record)
    except RecursionError:
        intact = False
    if not intact or not _SHA256.fullmatch(str(record.get("arrays_sha256"))):
        raise ModelFormatError(
            f"{file} does not match its own checksum: it is damaged or modified; save the model "
            "again"
        )
    return record


def _digest(record: Mapping[str, Any]) -> str:
    """Checksum of a record, however it is laid out."""
    content = {name: value for name, value in record.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _arrays_name(record: Mapping[str, Any]) -> str:
    return f"arrays-{record['arrays_sha256'][:16]}.safetensors"


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
