"""Fits of estimators that are interrupted and called again."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from minsyn._locks import locked
from minsyn.estimators import (
    Adam,
    AutoEncoder,
    InformationDropout,
    MinSyn,
    Run,
    VectorMinSyn,
)
from minsyn.estimators.start import Start
from minsyn.training import CheckpointError


class StoppedError(Exception):
    pass


MODELS = {
    "MinSyn": lambda run=None, **settings: MinSyn(2, solver=Adam(run=run), **settings),
    "MinSyn, running": lambda run=None, **settings: MinSyn(
        2,
        decoder="bernoulli",
        solver=Adam(statistics="running", batch_size=8, run=run),
        **settings,
    ),
    "AutoEncoder": lambda run=None, **settings: AutoEncoder(
        2, noise_std=0.1, batch_size=8, run=run, **settings
    ),
    "InformationDropout": lambda run=None, **settings: InformationDropout(2, run=run, **settings),
}


def stop_at(epoch, monkeypatch):
    """Let the second start of a fit be interrupted."""

    @contextmanager
    def progress(start, unit, steps, number=1, n_starts=1, shown=True):
        def interrupt(at, loss):
            if number == 2 and at == epoch:
                raise StoppedError

        yield interrupt

    monkeypatch.setattr(Start, "progress", progress)


@pytest.mark.parametrize("name", MODELS)
def test_resumed_to_the_bit(name, rng, tmp_path, monkeypatch):
    X = rng.random((30, 5))
    settings = {"n_init": 2, "max_iter": 12, "random_state": 0}
    undisturbed = MODELS[name](**settings).fit(X)
    model = MODELS[name](run=Run(checkpoint_dir=tmp_path, checkpoint_every=0), **settings)
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        stop_at(7, patch)
        model.fit(X)
    assert {folder.name for folder in tmp_path.iterdir()} == {"start-1", "start-2"}
    model.fit(X)
    for attribute in ("components_", "intercept_", "encoder_weights_", "loss_curve_"):
        assert np.array_equal(getattr(model, attribute), getattr(undisturbed, attribute))


def test_an_unseeded_fit_goes_on_too(rng, tmp_path):
    X = rng.random((30, 5))
    first = AutoEncoder(2, max_iter=3, run=Run(checkpoint_dir=tmp_path)).fit(X)
    second = AutoEncoder(2, max_iter=6, run=Run(checkpoint_dir=str(tmp_path))).fit(X)
    assert second.loss_curve_[:3] == first.loss_curve_ and second.n_iter_ == 6


@pytest.mark.parametrize(
    "change", [{"noise_std": 0.2}, {"random_state": 1}, {"decoder": "sigmoid"}]
)
def test_other_parameters_are_another_run(change, rng, tmp_path):
    X = rng.random((30, 5))
    settings = {"max_iter": 3, "random_state": 0, "run": Run(checkpoint_dir=tmp_path)}
    AutoEncoder(2, **settings).fit(X)
    with pytest.raises(CheckpointError, match=f"{next(iter(change))} was"):
        AutoEncoder(2, **(settings | change)).fit(X)
    with pytest.raises(CheckpointError, match="data was"):
        AutoEncoder(2, **settings).fit(X + 0.001 * X**2)


def _linear():
    torch.manual_seed(0)
    return nn.Linear(5, 2)


#: Pairs of models that differ in what neither the loss curve's settings nor shapes show.
OTHERS = {
    "momentum": [
        lambda run, m=m: MinSyn(
            2, solver=Adam(batch_size=8, statistics="running", momentum=m, run=run), random_state=0
        )
        for m in (0.1, 0.5)
    ],
    "statistics": [
        lambda run, s=s: MinSyn(2, solver=Adam(batch_size=8, statistics=s, run=run), random_state=0)
        for s in ("exact", "running")
    ],
    "encoder": [
        lambda run, bend=bend: MinSyn(
            2, encoder=nn.Sequential(_linear(), bend), solver=Adam(run=run), random_state=0
        )
        for bend in (nn.Tanh(), nn.ReLU())
    ],
    "random_state": [
        lambda run, seed=seed: AutoEncoder(2, run=run, random_state=np.random.RandomState(seed))
        for seed in (0, 1)
    ],
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", OTHERS)
def test_what_changes_the_result_is_another_run(name, rng, tmp_path):
    X = rng.random((30, 5))
    one, again, other = (
        make(Run(checkpoint_dir=tmp_path)).set_params(max_iter=3)
        for make in (OTHERS[name][0], *OTHERS[name])
    )
    assert one.fit(X).loss_curve_ == again.fit(X).loss_curve_
    with pytest.raises(CheckpointError, match=f"{name} was"):
        other.fit(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_label_of_many_counts(rng, tmp_path):
    """The text of an array leaves out the middle of more than a thousand labels."""
    labels = np.repeat([0, 1], 600)
    X = rng.normal(size=(30, 2))[:, labels] + rng.normal(size=(30, 1200))
    run = Run(checkpoint_dir=tmp_path)
    settings = {"encoder": (2,), "solver": Adam(run=run), "max_parents": 1, "random_state": 0}
    VectorMinSyn([1, 1], grouping=labels, max_iter=2, **settings).fit(X)
    labels[[400, 800]] = 1, 0
    with pytest.raises(CheckpointError, match="grouping was"):
        VectorMinSyn([1, 1], grouping=labels, max_iter=2, **settings).fit(X)


def test_two_runs_in_one_folder(rng, tmp_path):
    X = rng.random((30, 5))
    run = Run(checkpoint_dir=tmp_path / "run")
    models = [
        AutoEncoder(2, max_iter=3, run=run),
        MinSyn(2, solver=Adam(run=run), max_iter=3),
        VectorMinSyn(2, grouping=[0, 0, 0, 1, 1], encoder=(2,), solver=Adam(run=run), max_iter=3),
    ]
    with locked(tmp_path / "run", cure="wait"):  # as another fit does
        for model in models:
            with pytest.raises(ValueError, match=r"run is in use by another run: give this run"):
                model.fit(X)
    models[0].fit(X)
    assert not (tmp_path / "run" / ".lock").exists()


def test_checkpoints_are_no_part_of_a_saved_model(rng, tmp_path):
    run = Run(checkpoint_dir=tmp_path / "run", checkpoint_every=5.0)
    model = AutoEncoder(2, max_iter=3, run=run)
    model.fit(rng.random((30, 5))).save(tmp_path / "model")
    loaded = AutoEncoder.load(tmp_path / "model")
    assert loaded.run.checkpoint_dir is None and loaded.run.checkpoint_every == 5.0
