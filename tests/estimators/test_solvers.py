"""The choice of a solver, and what all solvers give: latents in an order that no seed changes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from minsyn import Adam, MinSyn, Run
from minsyn.estimators import adam, lbfgs
from minsyn.estimators.covariance import CovarianceSolver
from minsyn.estimators.feed import BatchLoss
from minsyn.estimators.lbfgs import LBFGS
from minsyn.estimators.solution import Solution
from minsyn.estimators.solvers import choose_solver
from minsyn.estimators.start import plain_parameters
from minsyn.information import PairwiseStatistics
from minsyn.nn.latents import LINEAR, SIGMOID, SOFTPLUS
from minsyn.nn.observations import REAL


@pytest.mark.parametrize(
    ("unsupported", "shape", "expected"),
    [
        ((), (3000, 3000), CovarianceSolver),
        (("covariance",), (2000, 3000), LBFGS),
        (("covariance",), (3000, 2000), LBFGS),
        (("covariance",), (2001, 3000), Adam),
        (("covariance", "lbfgs"), (10, 10), Adam),
    ],
)
def test_the_first_solver_that_supports_the_problem_is_chosen(
    monkeypatch, unsupported, shape, expected
):
    for name, solver in (("covariance", CovarianceSolver), ("lbfgs", LBFGS)):
        obstacles = ["a net"] if name in unsupported else []
        monkeypatch.setattr(solver, "obstacles", lambda self, problem, found=obstacles: found)
    problem = SimpleNamespace(n_samples=shape[0], n_features=shape[1])
    assert type(choose_solver("auto", problem)) is expected
    for name, solver in (("covariance", CovarianceSolver), ("lbfgs", LBFGS)):
        if name in unsupported:
            with pytest.raises(ValueError, match="a net"):
                choose_solver(name, problem)
        else:
            assert type(choose_solver(name, problem)) is solver
    monkeypatch.setattr(Adam, "check", lambda self, problem: None)
    assert choose_solver(adam := Adam(), problem) is adam


@pytest.fixture(params=[LINEAR, SIGMOID, SOFTPLUS], ids=lambda latents: latents.name)
def solution(request, rng):
    """Three latents of four features, and the samples."""
    X = rng.normal(size=(50, 4)) * [1, 2, 3, 1]
    encoder = nn.Sequential(nn.Linear(4, 3)).double()
    with torch.no_grad():
        encoder[0].weight.copy_(torch.from_numpy(-np.eye(3, 4)[[0, 2, 1]]))
    z = request.param(encoder(torch.from_numpy(X))).detach().numpy()
    statistics = PairwiseStatistics.of(z, X)
    components = rng.normal(size=(3, 4))
    return X, Solution(
        encoder, request.param, REAL, components, np.arange(4.0), [], True,
        statistics,
    )  # fmt: skip


def test_an_order_changes_no_reconstruction(solution):
    X, before = solution
    after = before.in_order(np.array([1.0, 4, 9, 1]))

    def latents(one):
        return one.latents(one.encoder(torch.from_numpy(X))).detach().numpy()

    z = latents(after)
    np.testing.assert_allclose(
        z @ after.components + after.intercept,
        latents(before) @ before.components + before.intercept,
    )
    expected = PairwiseStatistics.of(z, X)
    for name in ("mean_z", "cov_zz", "cov_zx"):
        np.testing.assert_allclose(
            getattr(after.statistics, name), getattr(expected, name), rtol=1e-6, atol=1e-12
        )
    rho = after.statistics.rho
    explained = rho**2 @ [1, 4, 9, 1]
    assert (np.diff(explained) <= 0).all()
    if after.latents.reflection is not None:
        assert (np.take_along_axis(rho, np.abs(rho).argmax(axis=1)[:, None], axis=1) > 0).all()
    if after.latents is LINEAR:
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(z.std(axis=0), 1)


def test_parameters_of_a_record_are_json():
    given = {"a": None, "b": 1, "c": 0.5, "d": "x", "e": np.float64(2), "f": Adam()}
    expected = given | {"f": "Adam"}
    assert plain_parameters(given) == expected and type(plain_parameters(given)["e"]) is float


@pytest.mark.parametrize(("precision", "expected"), [("32-true", True), ("bf16-mixed", False)])
def test_gradients_are_by_hand_in_single_precision_only(precision, expected, monkeypatch, rng):
    """Those by hand know no other precision."""
    asked = []

    def loss(module, feed, *, by_hand, running):
        asked.append(by_hand)
        return BatchLoss(module, feed, by_hand=by_hand, running=running)

    monkeypatch.setattr(adam, "BatchLoss", loss)
    solver = Adam(run=Run(precision=precision), n_iter_no_change=1)
    MinSyn(1, solver=solver, max_iter=2, tol=1.0).fit(rng.normal(size=(10, 3)))
    assert asked == [expected]


def test_windows_of_arrays_are_epochs_however_many_steps_these_have(rng):
    solver = Adam(batch_size=10, n_iter_no_change=2)
    assert MinSyn(1, solver=solver, tol=1.0).fit(rng.normal(size=(30, 3))).n_iter_ == 4


@pytest.mark.parametrize(("n_init", "numbers", "expected"), [("auto", 1, 1), (3, 1, 3)])
def test_lbfgs_searches_from_random_weights(n_init, numbers, expected, monkeypatch, rng, capsys):
    """One start where more would not be affordable, and as many as are asked for."""
    seen, fit_linear_encoder = [], lbfgs.fit_linear_encoder

    def fit(objective, latents, inputs, starts, *, on_iteration, **options):
        seen.extend(starts)
        on_iteration(1, 0.5)
        return fit_linear_encoder(objective, latents, inputs, starts[:1], **options)

    monkeypatch.setattr(lbfgs, "fit_linear_encoder", fit)
    monkeypatch.setattr(lbfgs, "_SEARCH_NUMBERS", numbers)
    MinSyn(2, solver="lbfgs", n_init=n_init, max_iter=2, tol=1.0, verbose=1).fit(
        rng.normal(size=(30, 400))
    )
    assert len(seen) == expected and "loss" in capsys.readouterr().err
    # Latents of features of mean square 1 begin with unit variance.
    assert [np.sqrt(np.mean(w**2)) for w in seen[1:]] == pytest.approx(
        [0.05] * (expected - 1), rel=0.1
    )
