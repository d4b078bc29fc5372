import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from minsyn.estimators import AutoEncoder, MinSyn, ModelFormatError


@pytest.fixture
def data(rng):
    return pd.DataFrame(rng.random((30, 4)), columns=list("abcd"))


@pytest.fixture
def saved(data, tmp_path):
    model = MinSyn(2, decoder="bernoulli", solver="lbfgs", random_state=np.int64(3)).fit(data)
    model.save(tmp_path / "model")
    return model, tmp_path / "model"


@pytest.mark.parametrize("make", [MinSyn, AutoEncoder])
def test_a_loaded_model_is_the_saved_one(make, data, tmp_path):
    model = make(2, max_iter=20, random_state=0).fit(data)
    model.save(tmp_path)
    loaded = make.load(str(tmp_path))
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.transform(data), model.transform(data))
    assert np.array_equal(loaded.reconstruct(data), model.reconstruct(data))
    assert list(loaded.get_feature_names_out()) == list(model.get_feature_names_out())
    assert list(loaded.feature_names_in_) == list("abcd")
    for name in ("n_iter_", "converged_", "loss_curve_"):
        assert getattr(loaded, name) == getattr(model, name)


def test_statistics_are_kept(saved):
    model, folder = saved
    loaded = MinSyn.load(folder)
    np.testing.assert_array_equal(loaded.statistics_.rho, model.statistics_.rho)
    assert loaded.statistics_.weight == 30
    loaded.save(folder)  # and can be saved again
    assert np.array_equal(MinSyn.load(folder).components_, model.components_)


def test_every_single_changed_byte_is_noticed_or_harmless(saved):
    """Whatever byte is flipped, the model is the same or loading is a clear error."""
    model, folder = saved
    for name in ("model.json", "arrays.safetensors"):
        file = folder / name
        content = file.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 60)):
            file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            try:
                loaded = MinSyn.load(folder)
            except ValueError:
                continue
            assert name == "model.json"
            assert np.array_equal(loaded.components_, model.components_)
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "format version 99"),
        ({"format": "another"}, "is not the record of a model"),
        ({"class": "AutoEncoder"}, "'AutoEncoder', not a MinSyn"),
        ({"class": "os.system"}, "not a MinSyn"),
        ({"class": ["MinSyn"]}, "not a MinSyn"),
        ({"latents": "tanh"}, "tanh"),
        ({"parameters": {"unknown": 1}}, "unknown"),
        ({"state": {}}, "decoder"),
        ({"feature_names": ["a"]}, "1 feature names, not 4"),
        ({"arrays_sha256": "0"}, "damaged or modified"),
    ],
)
def test_records_that_do_not_fit(saved, change, message):
    _, folder = saved
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | change))
    with pytest.raises(ModelFormatError, match=message):
        MinSyn.load(folder)


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
@pytest.mark.parametrize("size", [0, 10])
def test_truncated_files(saved, name, size):
    _, folder = saved
    (folder / name).write_bytes((folder / name).read_bytes()[:size])
    with pytest.raises(ModelFormatError):
        MinSyn.load(folder)


def test_no_model_there(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match=r"model\.json is missing"):
        MinSyn.load(tmp_path / "nothing")
    (saved[1] / "arrays.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="arrays"):
        MinSyn.load(saved[1])


def test_what_cannot_be_saved(data, tmp_path):
    with pytest.raises(NotFittedError):
        MinSyn(2).save(tmp_path)
    model = MinSyn(2, max_iter=5, random_state=np.random.RandomState(0)).fit(data)
    with pytest.raises(TypeError, match="random_state"):
        model.save(tmp_path)
