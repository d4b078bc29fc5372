"""Device, precision and loggers; several processes are in `test_ranks.py`."""

import csv
from importlib.util import find_spec

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from torch import nn

from line import Line, fit_line, squared_error
from minsyn.estimators import Adam, AutoEncoder, MinSyn, Run
from minsyn.training import launch, n_processes

GPU = torch.cuda.is_available() or torch.backends.mps.is_available()


def test_plain_training_on_the_cpu_needs_no_fabric():
    """Nor its import, which takes longer than many a fit: `killed.py` looks at that."""
    assert launch("cpu") is None


@pytest.mark.skipif(GPU, reason="there is a GPU")
def test_auto_is_the_cpu_where_there_is_no_gpu():
    assert launch("auto") is None
    for device in ("cuda", "mps"):
        with pytest.raises(
            ValueError, match=f"device='{device}' is not available: torch finds 'cpu'"
        ):
            launch(device)


@pytest.mark.parametrize("missing", ["RANK", "WORLD_SIZE", "LOCAL_RANK"])
def test_several_processes_are_those_of_torchrun(missing, monkeypatch):
    """Some clusters set a part of its variables for purposes of their own."""
    for name, value in {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert n_processes() == 4
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(ValueError, match="cannot be shared by 4 processes"):
        launch("mps")
    monkeypatch.delenv(missing)
    assert n_processes() == 1


def test_options_of_fabric_run_go_before_the_arguments(monkeypatch):
    monkeypatch.setenv("LT_CLI_USED", "1")
    monkeypatch.setenv("LT_DEVICES", "1")
    monkeypatch.setenv("LT_NUM_NODES", "1")
    monkeypatch.setenv("LT_PRECISION", "64-true")
    assert launch("cpu").strategy.precision.precision == "64-true"


@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_fabric_on_the_cpu_changes_no_number(batch_size):
    settings = {"batch_size": batch_size, "max_epochs": 30}
    plain, result = fit_line(**settings)
    fabric = Fabric(accelerator="cpu", devices=1)
    module, on_fabric = fit_line(fabric=fabric, **settings)
    assert on_fabric == result and torch.equal(module.weight, plain.weight)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("64-true", torch.double), ("bf16-mixed", torch.float32), ("bf16-true", torch.bfloat16)],
)
def test_precision(precision, dtype):
    seen = set()
    module = Line()

    def loss(x, y):
        seen.add((x.dtype, module(x).dtype))
        return squared_error(module, x, y)

    fit_line(module, loss, max_epochs=300, fabric=launch("cpu", precision))
    product = torch.bfloat16 if "bf16" in precision else dtype
    assert seen == {(dtype, product)} and module.weight.dtype == dtype
    torch.testing.assert_close(
        module.weight.data.float(), torch.tensor([[1.0, -2.0]]), atol=0.1, rtol=0
    )


def test_checkpoints_of_another_precision_are_refused(tmp_path):
    fit_line(max_epochs=2, checkpoint_dir=tmp_path)
    with pytest.raises(ValueError, match="precision was '32-true' and is 'bf16-mixed'"):
        fit_line(max_epochs=2, checkpoint_dir=tmp_path, fabric=launch("cpu", "bf16-mixed"))


def test_the_scale_of_gradients_is_resumed(tmp_path, monkeypatch):
    """That of half precision on GPUs, which has a state; here it is made up."""
    fabric, loaded = launch("cpu", "bf16-mixed"), []
    scaler = fabric.strategy.precision
    monkeypatch.setattr(scaler, "state_dict", lambda: {"scale": 8.0}, raising=False)
    monkeypatch.setattr(scaler, "load_state_dict", loaded.append, raising=False)
    fit_line(max_epochs=2, checkpoint_dir=tmp_path, fabric=fabric)
    assert loaded == []
    fit_line(max_epochs=3, checkpoint_dir=tmp_path, fabric=fabric)
    assert loaded == [{"scale": 8.0}]


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed", "bf16-true"])
def test_minsyn_in_any_precision(decoder, precision, rng):
    X = 0.9 * rng.random((40, 2)).repeat(3, axis=1) + 0.1 * rng.random((40, 6))
    settings = {"decoder": decoder, "max_iter": 60, "random_state": 0}
    single = MinSyn(2, solver=Adam(), **settings).fit(X)
    other = MinSyn(2, solver=Adam(run=Run(precision=precision)), **settings).fit(X)
    assert other.components_.dtype == float
    assert other.score(X) == pytest.approx(single.score(X), rel=0.15)


def test_loggers_are_told_of_every_epoch(tmp_path):
    logger = CSVLogger(tmp_path, name=None, version="")
    _, result = fit_line(
        max_epochs=7, fabric=launch("cpu", loggers=[logger]), name="a ", loss_unit=2
    )
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["a loss"]) for row in rows] == [2 * loss for loss in result.history]
    assert [int(row["step"]) for row in rows] == list(range(1, 8))
    assert {row["a learning_rate"] for row in rows} == {"0.05"}


def test_estimators_log_what_their_loss_curves_hold(tmp_path, rng):
    logger = CSVLogger(tmp_path / "logs", name=None, version="")
    model = AutoEncoder(2, max_iter=5, n_init=2, random_state=0, run=Run(loggers=[logger]))
    model.fit(100 * rng.random((20, 4)))
    with (tmp_path / "logs" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    curves = [
        [float(row[f"start {k}/loss"]) for row in rows if row[f"start {k}/loss"]] for k in (1, 2)
    ]
    assert model.loss_curve_ == min(curves, key=min)
    model.save(tmp_path / "model")
    assert AutoEncoder.load(tmp_path / "model").run.loggers is None


def test_tensorboard_is_named_where_it_is_missing(tmp_path):
    if find_spec("tensorboard") or find_spec("tensorboardX"):
        pytest.skip("it is here")
    with pytest.raises(ModuleNotFoundError, match="tensorboard"):
        TensorBoardLogger(tmp_path)


def test_a_module_without_a_fabric_stays_where_it_is():
    module = nn.Linear(2, 1)
    weight = module.weight
    fit_line(module, max_epochs=2)
    assert module.weight is weight
