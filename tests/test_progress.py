"""Nothing long is silent with verbose=1."""

import numpy as np
import pytest

from minsyn import Adam, InfoMax, MinSyn, VectorMinSyn
from minsyn._progress import stage
from minsyn.information import synergy
from minsyn.metrics import stability
from minsyn.training.progress import training_progress


@pytest.fixture
def shown(monkeypatch, capsys):
    """What was shown, as in a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    return lambda: capsys.readouterr().err


def test_stages_are_shown_in_terminals_only(shown, monkeypatch):
    with stage("reading [x]", shown=True):
        assert "reading [x]" in shown()
    shown()
    with stage("reading", shown=False):
        assert shown() == ""
    monkeypatch.delenv("FORCE_COLOR")
    with stage("reading", shown=True):
        pass
    assert shown() == ""


VERBOSE = {
    "covariance": (
        lambda X: MinSyn(random_state=0, verbose=1).fit(X),
        ["samples and number of factors", "covariance of the features", "iterations, loss"],
    ),
    "matrix": (
        lambda X: MinSyn(1, verbose=1).fit_covariance(np.cov(X.T)),
        ["number of factors", "iterations, loss"],
    ),
    "adam": (
        lambda X: MinSyn(1, solver=Adam(), max_iter=2, verbose=1).fit(X),
        ["means of the features", "2/2", "statistics of all samples"],
    ),
    "linear groups": (
        lambda X: VectorMinSyn(random_state=0, verbose=1).fit(X),
        ["groups of features", "linear maps"],
    ),
    "logistic groups": (
        lambda X: VectorMinSyn(random_state=0, max_iter=3, verbose=1).fit(1 / (1 + np.exp(-X))),
        ["groups of features", " evaluations, loss"],
    ),
    "nets": (
        lambda X: VectorMinSyn(1, encoder=(2,), max_iter=2, random_state=0, verbose=1).fit(X),
        ["groups of features", "linear part", "step size 1"],
    ),
    "stability": (
        lambda X: stability(MinSyn(1), X, 1, verbose=1),
        ["stability: a fit to all samples", "100%"],
    ),
    "synergy": (
        lambda X: synergy(X[:, :2], X[:, 4], n_bootstrap=9, n_permutations=9, verbose=1),
        ["synergy", "bias of the samples", "9 bootstrap samples", "9 permutations"],
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", VERBOSE)
def test_every_part_of_long_work_is_named(name, shown, rng):
    X = np.repeat(rng.normal(size=(60, 2)), 3, axis=1) + 0.3 * rng.normal(size=(60, 6))
    run, parts = VERBOSE[name]
    run(X)
    text = shown()
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(("options", "loss"), [({}, "loss 0.5"), ({"loss_unit": 4.0}, "loss 2")])
def test_the_loss_is_shown_in_the_unit_of_the_data(options, loss, shown):
    with training_progress("MinSyn", 10, verbose=True, **options) as on_epoch:
        on_epoch(3, 0.5)
    assert f"3/3 epochs, {loss} " in shown()


def test_infomax(shown, rng):
    pytest.importorskip("mne")
    InfoMax(2, random_state=0, verbose=1).fit(rng.laplace(size=(50, 3)))
    assert "InfoMax" in shown()
