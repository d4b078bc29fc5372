"""No option is ignored: each changes the fit, or what is told of it, or is refused."""

import inspect

import numpy as np
import pytest
import torch

from minsyn.estimators import Adam, AutoEncoder, Free, MinSyn, Run
from minsyn.estimators.solution import Solution
from minsyn.nn import LATENTS, SingleParentDecoder
from minsyn.nn.observations import REAL

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(name="X")
def make_x(rng):
    causes = rng.random((60, 3))
    return 0.8 * np.repeat(causes, 3, axis=1) + 0.2 * rng.random((60, 9))


def minsyn(**options):
    return MinSyn(**({"n_components": 2, "max_iter": 12, "random_state": 0} | options))


def adam(**options):
    return minsyn(solver=Adam(**options))


def autoencoder(**options):
    return AutoEncoder(**({"n_components": 2, "max_iter": 12, "random_state": 0} | options))


#: Class -> option -> another value than the default, and other options under which it counts.
OTHERWISE = {
    MinSyn: (
        minsyn,
        {
            "n_components": (3, {}),
            "decoder": ("bernoulli", {}),
            "latents": ("softplus", {"solver": Adam()}),
            "encoder": ((4,), {"solver": Adam()}),
            "solver": (Adam(), {}),
            "n_init": (5, {"solver": Adam()}),
            "max_iter": (3, {}),
            "tol": (0.5, {"solver": Adam(), "max_iter": 150}),
            "standardize": (True, {}),
            "random_state": (1, {"solver": Adam()}),
        },
    ),
    Adam: (
        adam,
        {
            "learning_rate": (0.001, {}),
            "batch_size": (20, {}),
            "statistics": ("running", {}),
            "momentum": (1.0, {"statistics": "running"}),
            "n_iter_no_change": (1, {"batch_size": 2}),
        },
    ),
    AutoEncoder: (
        autoencoder,
        {
            "n_components": (3, {}),
            "decoder": ("sigmoid", {}),
            "noise_std": (0.5, {}),
            "learning_rate": (0.1, {}),
            "batch_size": (20, {}),
            "max_iter": (3, {}),
            "tol": (0.5, {"max_iter": 150}),
            "n_iter_no_change": (2, {"max_iter": 150, "tol": 0.5}),
            "n_init": (5, {}),
            "random_state": (1, {}),
        },
    ),
}
CASES = [(kind, option) for kind, (_, table) in OTHERWISE.items() for option in table]
#: Shown or kept elsewhere: `test_progress_is_shown_when_asked_for` and the tests of `Run`.
ELSEWHERE = {"verbose", "run"}


@pytest.mark.parametrize(("kind", "option"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_every_option_counts(kind, option, X):
    make, table = OTHERWISE[kind]
    value, others = table[option]
    with np.errstate(all="ignore"):
        one, other = make(**others).fit(X), make(**(others | {option: value})).fit(X)
    assert one.loss_curve_ != other.loss_curve_ or not np.array_equal(
        one.components_, other.components_
    )


@pytest.mark.parametrize("kind", OTHERWISE, ids=lambda kind: kind.__name__)
def test_every_option_is_tried(kind):
    assert set(inspect.signature(kind).parameters) - ELSEWHERE == set(OTHERWISE[kind][1])


@pytest.mark.parametrize("kind", [MinSyn, Adam, Run, AutoEncoder], ids=lambda kind: kind.__name__)
def test_few_options(kind):
    assert len(inspect.signature(kind).parameters) <= 12


def test_options_of_a_run(X, tmp_path, capsys):
    from lightning_fabric.loggers import CSVLogger

    plain = adam().fit(X)
    double = adam(run=Run(precision="64-true")).fit(X)
    assert double.loss_curve_ != plain.loss_curve_
    np.testing.assert_allclose(double.loss_curve_, plain.loss_curve_, rtol=1e-4)
    run = Run(
        device="cpu" if torch.cuda.is_available() else "auto",
        checkpoint_dir=tmp_path / "run",
        checkpoint_every=0,
        loggers=[CSVLogger(tmp_path / "logs")],
    )
    kept = adam(run=run).fit(X)
    assert kept.loss_curve_ == plain.loss_curve_
    assert list((tmp_path / "run" / "start-1").glob("*.json"))
    assert list((tmp_path / "logs").rglob("metrics.csv"))
    seldom = Run(checkpoint_dir=tmp_path / "seldom", checkpoint_every=1e6)
    adam(run=seldom).fit(X)
    assert len(list((tmp_path / "seldom" / "start-1").glob("*.json"))) == 1
    with pytest.raises(ValueError, match="device='mps' is not available"):
        adam(run=Run(device="mps")).fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "lbfgs", "encoder": (4,)}, r"encoder=\(4,\)"),
        ({"solver": "lbfgs", "decoder": Free()}, "a trained decoder"),
        ({"solver": "lbfgs", "decoder": SingleParentDecoder}, "SingleParentDecoder"),
        ({"solver": Adam(statistics="running"), "decoder": Free()}, "statistics='running'"),
        (
            {"latents": "sigmoid"},
            "'sigmoid' are bernoulli, but GaussianDecoder .* 'linear' or 'soft",
        ),
        (
            {"latents": "linear", "decoder": "bernoulli"},
            "'linear' are gaussian, .* choose 'sigmoid'",
        ),
        ({"latents": "tanh"}, "latents"),
        ({"encoder": 3}, "encoder"),
        ({"decoder": 3}, "decoder"),
        ({"decoder": dict}, "decoder"),
    ],
)
def test_what_cannot_count_is_refused(options, message, X):
    with pytest.raises((ValueError, TypeError), match=message):
        minsyn(**options).fit(X)


def test_options_of_the_parts_are_searched(X):
    from sklearn.model_selection import GridSearchCV

    grid = {"solver__batch_size": [10, 20], "decoder__synergy_weight": [0.0, 1.0]}
    model = minsyn(decoder=Free(), solver=Adam(), max_iter=3)
    search = GridSearchCV(model, grid, cv=2).fit(X)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert model.get_params()["solver__run"] is None


def test_half_of_all_numbers_is_not_precise_enough_for_adam():
    with pytest.raises(ValueError, match="'precision' parameter of Run"):
        MinSyn(2, solver=Adam(run=Run(precision="16-true"))).fit(np.eye(4))


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_weights_that_are_not_finite_are_no_model(part):
    """A module that trained itself to NaN is named, even where the loss hides it."""
    modules = {"encoder": torch.nn.Linear(9, 2), "decoder": torch.nn.Linear(2, 9)}
    solution = Solution(
        **modules,
        latents=LATENTS["linear"],
        observations=REAL,
        components=np.ones((2, 9)),
        intercept=np.ones(9),
        loss_curve=[1.0],
        converged=True,
    )
    solution.require_finite()
    torch.nn.init.constant_(modules[part].bias, torch.nan)
    with pytest.raises(FloatingPointError, match=rf"{part}\.bias became NaN"):
        solution.require_finite()
