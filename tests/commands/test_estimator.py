"""Options of ``minsyn fit``: each reaches the estimator, or is refused by name."""

import inspect
import itertools
from dataclasses import fields
from functools import partial

import pytest

from minsyn import Adam, Free, MinSyn, Run, VectorMinSyn
from minsyn.commands._estimator import ModelOptions, build_estimator, reads_blocks
from minsyn.commands.fit import fit
from minsyn.nn import DECODERS

#: Values of each option that are not its default, and the parameter that must have them.
OPTIONS = {
    "n_components": (["2"], "n_components"),
    "decoder": (["bernoulli", "gaussian-categorical"], "decoder"),
    "latents": (["softplus"], "latents"),
    "sizes": ([[2, 3]], "sizes"),
    "synergy_weight": ([1.5], "decoder__synergy_weight"),
    "groups": (["auto", "3"], "n_groups"),
    "solver": (["auto", "adam", "covariance", "lbfgs"], "solver"),
    "learning_rate": ([0.25], "solver__learning_rate"),
    "batch_size": ([16], "solver__batch_size"),
    "n_iter_no_change": ([7], "solver__n_iter_no_change"),
    "device": (["cuda"], "solver__run__device"),
}
SHARED = {"n_init": 3, "max_iter": 9, "tol": 0.5}


def combinations():
    choices = [[None, *values] for values, _ in OPTIONS.values()]
    for values in itertools.product(*choices):
        yield {n: v for n, v in zip(OPTIONS, values, strict=True) if v is not None}


def found(model, option):
    """Value of an option in an estimator."""
    parameters = model.get_params()
    decoder = parameters.get("decoder__decoder", parameters.get("decoder"))
    if option == "decoder":
        return decoder.func.name if isinstance(decoder, partial) else decoder
    if option == "sizes":
        return decoder.keywords["sizes"] if isinstance(decoder, partial) else None
    if option == "solver":
        solver = parameters["solver"]
        return "adam" if isinstance(solver, Adam) else solver
    if option == "groups":
        return str(parameters["n_groups"])
    if option == "n_components":
        return str(parameters["n_components"])
    return parameters[OPTIONS[option][1]]


def test_all_combinations_of_options():
    taken, refused = set(), set()
    for given in combinations():
        try:
            model = build_estimator(ModelOptions(**given))
        except ValueError as error:
            named = str(error).split()[0].rstrip(":").removeprefix("--").replace("-", "_")
            assert named in given or "needs --sizes" in str(error), given
            refused.add(named)
            continue
        assert isinstance(model, VectorMinSyn if "groups" in given else MinSyn)
        for option, value in given.items():
            if (option, value) == ("solver", "auto") and {"learning_rate", "batch_size"} & {*given}:
                continue  # Adam, which is what auto takes with these options
            if (option, value) == ("solver", "auto") and "n_iter_no_change" in given:
                continue
            assert found(model, option) == value, given
            taken.add(option)
    assert taken == set(OPTIONS)  # each has an effect on some model
    always = {"n_components", "groups", "decoder"}
    assert refused >= set(OPTIONS) - always  # and is refused where it has none


def test_options_of_all_estimators():
    for more in ({"n_components": "2"}, {"groups": "auto"}):
        model = build_estimator(ModelOptions(**more, **SHARED, seed=4, verbose=1))
        parameters = model.get_params()
        assert {name: parameters[name] for name in SHARED} == SHARED
        assert (parameters["random_state"], parameters["verbose"]) == (4, 1)


def test_the_number_of_factors_is_found_unless_it_is_given():
    for text in (None, "auto", "empirical-kaiser", "minimum-average-partial", "3"):
        found = build_estimator(ModelOptions(n_components=text)).n_components
        assert found == (3 if text == "3" else text or "auto")
    for text in (None, "auto"):
        assert build_estimator(ModelOptions(n_components=text, groups="2")).n_components is None
    assert build_estimator(ModelOptions(n_components="4", groups="2")).n_components == 4


def test_standardised_models():
    assert build_estimator(ModelOptions(standardize=True)).standardize is True
    assert build_estimator(ModelOptions()).standardize is False


def test_every_option_of_fit_about_the_model_is_tried():
    known = {field.name for field in fields(ModelOptions)}
    assert known == {*OPTIONS, *SHARED, "seed", "standardize", "verbose"}
    others = {"data", "output", "overwrite", "scale", "columns", "drop", "quiet"}
    others |= {"sep", "decimal", "encoding", "header", "missing"}  # tests of tables
    model = known - {"standardize", "verbose"}
    assert set(inspect.signature(fit).parameters) == model | others


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_every_decoder_of_the_registry(name):
    sizes = [2] if name.endswith("categorical") else None
    model = build_estimator(ModelOptions(n_components="1", decoder=name, sizes=sizes))
    assert found(model, "decoder") == name
    trained = ModelOptions(n_components="1", decoder=name, sizes=sizes, synergy_weight=0.0)
    free = build_estimator(trained).decoder
    assert isinstance(free, Free) and free.synergy_weight == 0
    assert free.decoder == model.decoder or free.decoder.keywords == model.decoder.keywords


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"groups": "auto", "decoder": "bernoulli"},
            r"--decoder cannot be used with vector factors",
        ),
        ({"groups": "auto", "batch_size": 9}, r"--batch-size cannot be used with vector factors"),
        (
            {"n_components": "1", "solver": "lbfgs", "batch_size": 9},
            r"--batch-size .* --solver lbfgs",
        ),
        (
            {"n_components": "1", "solver": "lbfgs", "synergy_weight": 0.0},
            r"--synergy-weight .* --solver lbfgs",
        ),
        ({"n_components": "1", "sizes": [2]}, r"--sizes cannot be used with --decoder gaussian"),
        ({"n_components": "1", "decoder": "gaussian-categorical"}, r"needs --sizes"),
        (
            {"n_components": "1", "decoder": "poisson"},
            r"--decoder poisson: .* gaussian, .*bernoulli",
        ),
        (
            {"n_components": "1", "solver": "sgd"},
            r"--solver sgd: expected one of auto, covariance, lbfgs",
        ),
        ({"groups": "many"}, r"--groups many: expected auto or a number"),
        ({"groups": "0"}, r"--groups 0: expected auto or a number"),
        ({"n_components": "some"}, r"--n-components some: expected a number from 1, or auto or"),
        ({"n_components": "0"}, r"--n-components 0: expected"),
        ({"n_components": "minimum-average-partial", "groups": "2"}, r"--n-components minimum"),
        # An option of the machine does not change the solver, and with it the model.
        ({"device": "cpu"}, r"--device is an option of Adam, .* --solver adam"),
        ({"latents": "tanh"}, r"--latents tanh: expected one of auto, "),
        ({"solver": "covariance", "batch_size": 9}, r"--batch-size .* --solver covariance"),
        ({"solver": "covariance", "decoder": "bernoulli"}, r"--decoder .* --solver covariance"),
        ({"solver": "covariance", "latents": "softplus"}, r"--latents .* --solver covariance"),
    ],
)
def test_messages(given, message):
    with pytest.raises(ValueError, match=message):
        build_estimator(ModelOptions(**given))


def test_large_tables_are_read_by_blocks_unless_the_solver_needs_all():
    assert reads_blocks(MinSyn(2)) and reads_blocks(MinSyn(2, solver=Adam()))
    assert not reads_blocks(MinSyn(2, solver="lbfgs")) and not reads_blocks(VectorMinSyn())


def test_defaults_in_the_help_are_those_of_the_estimators():
    owners = {"n_iter_no_change": Adam, "learning_rate": Adam, "device": Run}
    shown = inspect.signature(fit).parameters
    for name in ("solver", "n_init", "max_iter", "tol", *owners):
        default = inspect.signature(owners.get(name, MinSyn)).parameters[name].default
        assert shown[name].annotation.__metadata__[0].show_default == f"{default}", name
