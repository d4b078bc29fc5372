"""Models that an attacker has changed, with checksums of his own: refused, or sound."""

import copy
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from attempts import attempt
from fuzzing import fuzz
from minsyn import Adam, MinSyn, VectorMinSyn
from minsyn.estimators import (
    AutoEncoder,
    BetaTCVAE,
    BetaVAE,
    InformationDropout,
    LinearCorex,
    ModelFormatError,
)
from minsyn.estimators.persistence import _arrays_name, _digest

RNG = np.random.default_rng(0)
X = np.clip(RNG.normal(size=(30, 2)) @ RNG.normal(size=(2, 4)) / 6 + 0.5, 0, 1)
X[:, 3] += 0.1 * RNG.random(30)
MODELS = {
    "linear": MinSyn(2, random_state=0),
    "automatic": MinSyn(random_state=0),
    "net": MinSyn(2, encoder=(3,), solver=Adam(batch_size=8), max_iter=2, random_state=0),
    "bernoulli": MinSyn(2, decoder="gaussian-bernoulli", max_iter=2, random_state=0),
    "vectors": VectorMinSyn(2, grouping=[0, 0, 1, 1], max_iter=2, random_state=0),
    "nets": VectorMinSyn(
        2, grouping=[0, 0, 1, 1], encoder=(3,), decoder=(3,), max_iter=1, random_state=0
    ),
    "autoencoder": AutoEncoder(2, max_iter=2, random_state=0),
    "corex": LinearCorex(2, n_init=1, max_iter=3, random_state=0),
    "vae": BetaVAE(2, max_iter=2, random_state=0),
    "tcvae": BetaTCVAE(2, max_iter=2, random_state=0),
    "dropout": InformationDropout(2, decoder="sigmoid", max_iter=2, random_state=0),
}
#: What JSON may hold in the place of a value.
JSON = [None, True, -1, 0, 1, 2, 3, 0.5, 1e308, -1e308, float("nan"), float("inf"), 10**30, "", "x"]
JSON += ["linear", "softplus", "sigmoid", "bernoulli", "\ud800", "../../x", [], [1], [[1]], [10**9]]
JSON += [{}, {"object": "Adam", "parameters": {}}, {"object": "Run", "parameters": {"device": "x"}}]
JSON += [{"decoder": "gaussian", "options": {"x": 1}}, {"decoder": [], "options": {}}, "a" * 9999]
JSON += [{"object": "os.system", "parameters": {"command": "true"}}, {"object": {}}, 1.0, -0.0]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folders = {}
    for name, model in MODELS.items():
        folders[name] = tmp_path_factory.mktemp("models") / name
        data = X[:, :3] if name == "bernoulli" else X
        model.fit(data).save(folders[name])
    return {name: contents(folder) for name, folder in folders.items()}


def contents(folder):
    record = json.loads((folder / "model.json").read_bytes())
    return record, load_tensors((folder / _arrays_name(record)).read_bytes())


def places(value, path=()):
    """Paths to all values within a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else ()
    children = enumerate(value) if isinstance(value, list) else children
    for key, child in children:
        yield from places(child, (*path, key))


@st.composite
def changes(draw, record, arrays):
    """A record and arrays with one to three changes."""
    record, arrays = copy.deepcopy(record), dict(arrays)
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            *path, last = draw(st.sampled_from([*places(record)][1:]))
            inner = record
            for key in path:
                inner = inner[key]
            kind = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
            if kind == "remove":
                del inner[last]
            elif kind == "replace" or isinstance(inner, list):
                inner[last] = copy.deepcopy(draw(st.sampled_from(JSON)))
            else:
                inner["more"] = copy.deepcopy(draw(st.sampled_from(JSON)))
        else:
            name = draw(st.sampled_from([*arrays]))
            arrays[name] = draw(changed(arrays[name]))
            if draw(st.integers(0, 5)) == 0:
                del arrays[name]
    return record, arrays


@st.composite
def changed(draw, array):
    kind = draw(
        st.sampled_from(["value", "value", "all", "shape", "type", "zero", "empty", "more"])
    )
    if array.size and kind in ("value", "all"):
        array = array.copy()
        value = draw(st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1e300, -1e300, 1e-300, 2**31]))
        with np.errstate(all="ignore"):
            value = np.array(value).astype(array.dtype)
        array.flat[slice(None) if kind == "all" else draw(st.integers(0, array.size - 1))] = value
        return array
    if kind == "type":
        other = draw(st.sampled_from(["f4", "f2", "i8", "u1", "?", "i4"]))
        with np.errstate(all="ignore"):
            return array.astype(other)
    if kind == "shape":
        return np.ascontiguousarray(array.T if array.ndim > 1 else array[:, np.newaxis])
    if kind == "more":
        return np.concatenate([array, array])
    return np.zeros_like(array) if kind == "zero" else array[:0]


def write(folder, record, arrays):
    """Files whose checksums are right."""
    content = save_tensors({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    record["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    record["sha256"] = _digest(record)
    for file in folder.iterdir():
        file.unlink()
    (folder / "model.json").write_text(json.dumps(record))
    (folder / _arrays_name(record)).write_bytes(content)


def run(name, record, arrays, folder):
    """Load and use a model; returns what refuses it."""
    write(folder, record, arrays)
    model = attempt(type(MODELS[name]).load, folder)
    if isinstance(model, Exception):
        assert isinstance(model, ModelFormatError), repr(model)
        return model
    data = X[:, : model.n_features_in_] if model.n_features_in_ <= 4 else np.ones((3, 9))
    if hasattr(model, "feature_names_in_"):
        return model
    z = attempt(model.transform, data)
    if not isinstance(z, Exception):
        assert np.isfinite(z).all()
        back = attempt(model.inverse_transform, z)
        assert isinstance(back, Exception) or np.isfinite(back).all()
    attempt(model.score, data)
    attempt(lambda: (repr(model), model.n_components_, list(model.get_feature_names_out())))
    if hasattr(model, "statistics_"):
        attempt(lambda: str(model.describe()))
    if isinstance(model, LinearCorex):
        attempt(lambda: (model.parents_, model.get_covariance(), model.total_correlation_))
    return model


@fuzz(8)
@given(st.data())
def test_changed_models(saved, tmp_path_factory, data):
    name = data.draw(st.sampled_from([*MODELS]))
    folder = tmp_path_factory.getbasetemp() / "changed-model"
    folder.mkdir(exist_ok=True)
    run(name, *data.draw(changes(*saved[name])), folder)
