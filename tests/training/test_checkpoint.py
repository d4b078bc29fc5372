"""A run that was interrupted comes to the numbers, to the bit, of one that was not."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from line import Line, fit_line, line_samples
from minsyn.data import as_samples
from minsyn.training import CheckpointError, CheckpointWarning

FOLDER = Path(__file__).parents[1] / "support"
#: By name: the settings of a run, and how many epochs it takes at most.
RUNS = {
    "whole batches, lowest loss early": {"learning_rate": 2.0, "max_epochs": 30},
    "mini-batches": {"batch_size": 8, "max_epochs": 30},
    "converges": {"batch_size": 8, "max_epochs": 3000, "patience": 5, "tol": 0.3},
    "held-out samples": {"batch_size": 8, "max_epochs": 30, "held_out": True},
}


class StoppedError(Exception):
    """What interrupts a run."""


def noisy_line(stop_at=None, held_out=False, **settings):
    """A line with dropout and a buffer, on inputs with noise: all that a checkpoint must hold."""
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(2)
    module = Line()
    module.register_buffer("n_seen", torch.zeros((), dtype=torch.long))

    def loss(x, y):
        module.n_seen += len(x)
        x = nn.functional.dropout(x + 0.1 * torch.randn(x.shape, generator=generator), 0.1)
        return (module(x) - y).square().mean()

    def stop(epoch, loss):
        if epoch == stop_at:
            raise StoppedError

    if held_out:  # lowest on the way
        settings["held_out_loss"] = lambda: abs(module.bias.item() - 0.2)
    _, result = fit_line(module, loss, generator=generator, on_epoch=stop, **settings)
    return {name: tensor.tolist() for name, tensor in module.state_dict().items()}, result


@pytest.mark.parametrize("name", RUNS)
def test_resumed_to_the_bit(name, tmp_path):
    settings = RUNS[name]
    undisturbed = noisy_line(**settings)
    torch.manual_seed(3)
    checkpoints = {"checkpoint_dir": tmp_path, "checkpoint_every": 0}
    for stop_at in (2, 8, 9):
        with pytest.raises(StoppedError):
            noisy_line(stop_at, **settings, **checkpoints)
    with pytest.raises(StoppedError):  # the epoch whose checkpoint was lost, again
        noisy_line(9, **settings, **checkpoints)
    assert noisy_line(**settings, **checkpoints) == undisturbed
    # Complete: the loss is not asked for again.
    assert noisy_line(1, **settings, **checkpoints) == undisturbed


def shuffled_loader(rows):
    return torch.utils.data.DataLoader(torch.from_numpy(rows), batch_size=16, shuffle=True)


@pytest.mark.parametrize("held_by", ["file", "loader"])
def test_streams_are_resumed_to_the_bit_too(held_by, tmp_path):
    """Their order is drawn from the generator, or by the loader from torch's own."""
    inputs, targets = line_samples(100).tensors
    rows = torch.cat([inputs, targets], dim=1).numpy()
    np.save(tmp_path / "rows.npy", rows)

    def fit(max_epochs, seed=0, **settings):
        torch.manual_seed(seed)
        module = Line()
        samples = as_samples(tmp_path / "rows.npy" if held_by == "file" else shuffled_loader(rows))
        _, result = fit_line(
            module,
            lambda x: (module(x[:, :2]) - x[:, 2:]).square().mean(),
            samples,
            batch_size=16,
            max_epochs=max_epochs,
            **settings,
        )
        return module.weight.tolist(), result.history

    undisturbed = fit(9)
    fit(4, checkpoint_dir=tmp_path / "run")
    assert fit(9, seed=3, checkpoint_dir=tmp_path / "run") == undisturbed


def test_more_epochs_are_those_of_a_longer_run(tmp_path):
    longer = noisy_line(batch_size=8, max_epochs=20)
    noisy_line(batch_size=8, max_epochs=12, checkpoint_dir=tmp_path)
    assert noisy_line(batch_size=8, max_epochs=20, checkpoint_dir=tmp_path) == longer
    with pytest.raises(CheckpointError, match="max_epochs, 12, is less than the 20 epochs"):
        noisy_line(batch_size=8, max_epochs=12, checkpoint_dir=tmp_path)


def test_two_are_kept_and_no_more_than_asked_for_are_written(tmp_path):
    fit_line(max_epochs=9, checkpoint_dir=tmp_path / "often", checkpoint_every=0)
    fit_line(max_epochs=9, checkpoint_dir=tmp_path / "seldom", checkpoint_every=3600)
    names = {f.name: sorted(p.stem for p in f.glob("*.json")) for f in tmp_path.iterdir()}
    assert names == {"often": ["epoch-00000008", "epoch-00000009"], "seldom": ["epoch-00000009"]}
    assert sorted(p.suffix for p in (tmp_path / "seldom").iterdir()) == [".json", ".safetensors"]


def truncate(file):
    file.write_bytes(file.read_bytes()[:100])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def edit_history(file):
    document = json.loads(file.read_text())
    document["state"]["history"][-1] += 1.0
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".safetensors", truncate),
        (".safetensors", flip_a_bit),
        (".safetensors", Path.unlink),
        (".json", truncate),
        (".json", flip_a_bit),
        (".json", edit_history),
        (".json", lambda file: file.write_text("[1]")),
        (".json", lambda file: file.write_bytes(b"\xff\xfe")),
    ],
)
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_used(suffix, damage, tmp_path):
    settings = {"batch_size": 8, "max_epochs": 12}
    undisturbed = noisy_line(**settings)
    with pytest.raises(StoppedError):
        noisy_line(7, **settings, checkpoint_dir=tmp_path, checkpoint_every=0)
    damage(tmp_path / f"epoch-00000006{suffix}")
    told = []
    with pytest.warns(CheckpointWarning, match="epoch-00000006.json is damaged") as caught:
        with pytest.raises(StoppedError):
            noisy_line(6, **settings, checkpoint_dir=tmp_path, checkpoint_every=0)
        told.append(len(caught))
    assert Path(caught[0].filename).name not in {"checkpoint.py", "loop.py", "worker.py"}
    with pytest.warns(CheckpointWarning):
        assert noisy_line(**settings, checkpoint_dir=tmp_path, checkpoint_every=0) == undisturbed
    with warnings.catch_warnings():  # the damaged one is gone, and the two left are good
        warnings.simplefilter("error")
        noisy_line(**settings, checkpoint_dir=tmp_path)
    assert told == [1] and len(list(tmp_path.iterdir())) == 4


def test_nothing_but_damage_starts_anew(tmp_path):
    settings = {"batch_size": 8, "max_epochs": 6}
    undisturbed = noisy_line(**settings, checkpoint_dir=tmp_path, checkpoint_every=0)
    for file in tmp_path.glob("*.safetensors"):
        truncate(file)
    with pytest.warns(CheckpointWarning) as caught:
        assert noisy_line(**settings, checkpoint_dir=tmp_path) == undisturbed
    assert len(caught) == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"learning_rate": 0.1}, "learning_rate was 0.05 and is 0.1"),
        ({"batch_size": 10}, "batch_size was 8 and is 10"),
        ({"batch_size": None}, "batch_size was 8 and is None"),
        ({"tol": 0.5}, "tol was 0.001 and is 0.5"),
        ({"samples": line_samples(41)}, "data was .*; n_samples was 40 and is 41"),
        ({"samples": line_samples(1000)}, "n_samples was 40 and is 1000"),
        ({"configuration": {"seed": 1}}, "seed was 0 and is 1"),
        ({"configuration": {}}, "seed was 0 and is None"),
        ({"module": nn.Linear(2, 1, bias=False)}, "module.bias was 'torch.float32 .1,.' and is No"),
        ({"module": Line().double()}, "module.weight was 'torch.float32 .1, 2.' and is 'torch.flo"),
    ],
)
def test_another_run_is_an_error(change, told, tmp_path):
    settings = {"batch_size": 8, "configuration": {"seed": 0}, "checkpoint_dir": tmp_path}
    fit_line(max_epochs=2, **settings)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(CheckpointError, match=told) as raised:
        fit_line(max_epochs=2, **(settings | change))
    assert "checkpoint_dir" in str(raised.value) and isinstance(raised.value, ValueError)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_newer_format_is_an_error(tmp_path):
    fit_line(max_epochs=2, checkpoint_dir=tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(file.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(CheckpointError, match="format version 2"):
        fit_line(max_epochs=2, checkpoint_dir=tmp_path)


def test_killed_at_any_moment(tmp_path):
    """At most the epoch whose checkpoint was not complete is done again."""
    script = subprocess.run(
        [sys.executable, FOLDER / "killed.py", tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},  # autograd with a GPU cannot fork
    )
    assert script.returncode == 0, script.stderr
    found = json.loads(script.stdout)
    assert found["killed"] >= 2 and found["same"]
    assert set(found["steps"]) <= {0, 1} and found["last"] == 40
    assert not found["fabric"]  # what it needs no part of is not imported
