import hashlib
import json
import random
import time

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.exceptions import NotFittedError

from minsyn.estimators import AutoEncoder, MinSyn, ModelFormatError, VectorMinSyn, persistence
from programs import script, started


@pytest.fixture(scope="module")
def data():
    return pd.DataFrame(np.random.default_rng(0).random((30, 4)), columns=list("abcd"))


@pytest.fixture(scope="module")
def fitted(data):
    return MinSyn(2, decoder="bernoulli", solver="lbfgs", random_state=np.int64(3)).fit(data)


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    return fitted, tmp_path / "model"


@pytest.mark.parametrize("make", [MinSyn, AutoEncoder])
def test_a_loaded_model_is_the_saved_one(make, data, tmp_path):
    model = make(2, max_iter=20, tol=1.0, random_state=0).fit(data)
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


def arrays_of(folder):
    (file,) = folder.glob("arrays-*.safetensors")
    return file


def change_record(folder, change):
    """As an attacker does, who corrects the checksum."""
    file = folder / "model.json"
    record = json.loads(file.read_text())
    record |= change
    record["sha256"] = persistence._digest(record)
    file.write_text(json.dumps(record))


def change_arrays(folder, change):
    file = arrays_of(folder)
    content = save_tensors(load_tensors(file.read_bytes()) | change)
    digest = hashlib.sha256(content).hexdigest()
    file.unlink()
    (folder / f"arrays-{digest[:16]}.safetensors").write_bytes(content)
    change_record(folder, {"arrays_sha256": digest})


def test_every_single_changed_character_is_noticed_or_harmless(saved, data):
    """Whatever is changed, the model is the same or loading is a clear error."""
    model, folder = saved
    expected = model.transform(data), model.reconstruct(data)
    for file in (folder / "model.json", arrays_of(folder)):
        content = file.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 25)):
            for flip in (1, 16):  # 0 becomes 1, or a space
                changed = content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
                file.write_bytes(changed)
                try:
                    loaded = MinSyn.load(folder)
                except ModelFormatError:
                    continue
                assert file.name == "model.json"
                assert json.loads(changed) == json.loads(content)
                assert np.array_equal(loaded.transform(data), expected[0])
                assert np.array_equal(loaded.reconstruct(data), expected[1])
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "format version 99 .*: update minsyn"),
        ({"format_version": 3}, "format version 3 .*: fit the model again"),
        ({"format": "another"}, "is not the record of a model"),
        ({"class": "AutoEncoder"}, "'AutoEncoder', not a MinSyn"),
        ({"class": "os.system"}, "not a MinSyn"),
        ({"class": ["MinSyn"]}, "not a MinSyn"),
        ({"latents": "tanh"}, "tanh"),
        ({"parameters": {"unknown": 1}}, "unknown"),
        ({"parameters": {"tol": -1.0}}, "'tol' parameter of MinSyn"),
        ({"parameters": {"decoder": "poisson"}}, "poisson"),
        ({"parameters": {"decoder": {"decoder": "os.system", "options": {}}}}, "not in the reg"),
        ({"parameters": {"solver": {"object": "Adam", "parameters": {"momentum": 7}}}}, "momentum"),
        ({"parameters": [1]}, "not a valid saved MinSyn"),
        ({"state": {}}, "decoder"),
        ({"state": None}, "not a valid saved MinSyn"),
        ({"feature_names": ["a"]}, "1 feature names, not 4"),
        ({"feature_names": ["a"] * 4}, "4 feature names, not 4 different ones"),
        ({"feature_names": [1, 2, 3, 4]}, "feature names"),
        ({"hidden": [1_000_000_000_000]}, "2 arrays of an encoder"),
        ({"hidden": [0.5]}, "hidden"),
        ({"observations": {"name": "categorical", "sizes": [10**12]}}, "sizes .* must be 4"),
        ({"loss_curve": ["x"]}, "loss_curve"),
        ({"converged": 1}, "converged"),
        ({"statistics_weight": float("nan")}, "statistics_weight"),
        ({"arrays_sha256": "0"}, "does not match its own checksum"),
        ({"arrays_sha256": "../../secret"}, "does not match its own checksum"),
    ],
)
def test_records_that_do_not_fit(saved, change, message):
    _, folder = saved
    change_record(folder, change)
    with pytest.raises(ModelFormatError, match=message):
        MinSyn.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"components": np.zeros((2, 5))}, "intercept has shape"),
        ({"components": np.zeros((2, 4), np.float32)[:, :, None]}, "components has shape"),
        ({"components": np.full((2, 4), np.nan)}, "components holds values that are not finite"),
        ({"encoder.0.weight": np.full((2, 4), np.inf)}, "0.weight holds values that are not"),
        ({"encoder.0.weight": np.zeros((4, 2))}, "0.weight has shape"),
        ({"encoder.0.bias": np.zeros(2, int)}, "0.bias has shape .* type int64"),
        ({"encoder.2.bias": np.zeros(2)}, "arrays of an encoder"),
        ({"statistics.cov_zx": np.zeros((2, 3))}, "statistics.cov_zx has shape"),
    ],
)
def test_arrays_that_do_not_fit(saved, change, message):
    _, folder = saved
    change_arrays(folder, change)
    with pytest.raises(ModelFormatError, match=message):
        MinSyn.load(folder)


def test_state_that_does_not_fit(data, tmp_path):
    groups = [0, 0, 1, 1]
    VectorMinSyn(2, grouping=groups, max_iter=5, tol=1.0, random_state=0).fit(data).save(tmp_path)
    content = {file: file.read_bytes() for file in tmp_path.iterdir()}
    for change in (
        {"groups_": np.array([0, 1, 2, 0])},
        {"groups_": np.zeros(4)},
        {"latent_groups_": np.array([0, -1])},
        {"parents_": np.ones((2, 5), bool)},
    ):
        change_arrays(tmp_path, change)
        with pytest.raises(ModelFormatError, match=r"groups|parents"):
            VectorMinSyn.load(tmp_path)
        arrays_of(tmp_path).unlink()
        for file, old in content.items():
            file.write_bytes(old)
    change_record(tmp_path, {"state": {"link": "probit", "clarity": None}})
    with pytest.raises(ModelFormatError, match="probit"):
        VectorMinSyn.load(tmp_path)


def test_deep_json(saved):
    _, folder = saved
    for content in ('{"a":' * 100_000, "[" * 100_000):
        (folder / "model.json").write_text(content)
        with pytest.raises(ModelFormatError):
            MinSyn.load(folder)


@pytest.mark.parametrize("size", [0, 10])
def test_truncated_files(saved, size):
    _, folder = saved
    for file in (arrays_of(folder), folder / "model.json"):
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(ModelFormatError):
            MinSyn.load(folder)


def test_no_model_there(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match=r"nothing: no such folder"):
        MinSyn.load(tmp_path / "nothing")
    arrays_of(saved[1]).unlink()
    with pytest.raises(FileNotFoundError, match="arrays-"):
        MinSyn.load(saved[1])


@pytest.fixture(scope="module")
def two_models(data):
    return [MinSyn(n, random_state=0).fit(data) for n in (1, 2)]


def test_a_save_that_ends_early_keeps_the_old_model(two_models, data, tmp_path, monkeypatch):
    old, new = two_models
    old.save(tmp_path)
    write, written = persistence.write_atomically, []
    for allowed in (0, 1, 2):

        def until(path, content, allowed=allowed):
            if len(written) == allowed:
                raise KeyboardInterrupt
            written.append(path)
            write(path, content)

        written.clear()
        monkeypatch.setattr(persistence, "write_atomically", until)
        if allowed < 2:
            with pytest.raises(KeyboardInterrupt):
                new.save(tmp_path)
        else:
            new.save(tmp_path)
        found = MinSyn.load(tmp_path).transform(data)
        assert np.array_equal(found, (old if allowed < 2 else new).transform(data))
    assert len(list(tmp_path.iterdir())) == 2  # what was left over is removed


def test_a_save_that_is_killed_keeps_a_model(two_models, data, tmp_path):
    saving = script("""
        import sys
        from minsyn import MinSyn
        models = [MinSyn.load(folder) for folder in sys.argv[2:]]
        while True:
            for model in models:
                model.save(sys.argv[1])
                print("saved", flush=True)
    """)
    folders = [tmp_path / name for name in ("model", "old", "new")]
    for model, folder in zip(two_models, folders[1:], strict=True):
        model.save(folder)
    expected = [model.transform(data) for model in two_models]
    moment = random.Random(0)
    for _ in range(2):
        with started(*saving, *folders) as process:
            assert process.stdout.readline() == b"saved\n"
            time.sleep(moment.uniform(0.0, 0.04))
        found = MinSyn.load(folders[0]).transform(data)
        assert any(np.array_equal(found, z) for z in expected)
    two_models[1].save(folders[0])
    assert len(list(folders[0].iterdir())) == 2


def test_what_cannot_be_saved(data, tmp_path):
    with pytest.raises(NotFittedError):
        MinSyn(2).save(tmp_path)
    model = MinSyn(2, max_iter=5, random_state=np.random.RandomState(0)).fit(data)
    with pytest.raises(TypeError, match="random_state"):
        model.save(tmp_path)
    model.set_params(random_state=0, tol=-1.0)
    with pytest.raises(ValueError, match="'tol' parameter"):
        model.save(tmp_path)
    model.set_params(tol=1e-3).components_[0, 0] = np.inf
    with pytest.raises(ValueError, match=r"components of .* not finite"):
        model.save(tmp_path)
