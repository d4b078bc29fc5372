"""Options outside their allowed values are refused, and units mean what they say.

In the tests a type checker refuses wrong literals before the functions see them. So the refusals
are tried in a plain interpreter: this file is run as a script.
"""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import numpy as np

import minsyn.information as information
from minsyn.information import (
    PairwiseStatistics,
    discrete,
    examples,
    gaussian,
    gaussian_vectors,
)

PMF = examples.and_gate()
SIGMA, RHO = np.array([[1.0, 0.2], [0.2, 1.0]]), np.array([[0.5, 0.3], [0.6, -0.1]])
_RNG = np.random.default_rng(0)
Z = _RNG.normal(size=(40, 2))
X = Z @ np.array([[1.0], [0.5]]) + _RNG.normal(size=(40, 1))
COVARIANCE = np.cov(_RNG.normal(size=(5, 9)))

#: Every public function with a unit, and arguments for it.
CALLS = {
    **{getattr(discrete, name): (PMF,) for name in discrete.__all__},
    **{
        getattr(gaussian, name): (SIGMA, RHO)
        for name in (
            "mutual_information",
            "union_information",
            "gk_synergy",
            "ci_synergy",
            "whole_minus_sum",
            "total_correlation",
        )
    },
    **{
        f: (COVARIANCE, [[0, 1], 2], [3, 4])
        for name in gaussian_vectors.__all__
        if inspect.isfunction(f := getattr(gaussian_vectors, name))
    },
    gaussian.source_informations: (RHO,),
    gaussian.multiplet_information: (SIGMA, 2),
    information.dependency_constraint: (PMF,),
    information.union_information_batch: (PMF[None],),
    information.local_values: (PMF,),
    information.shared_exclusions: (PMF,),
    information.williams_beer_lattice: (PMF,),
    information.synergy: (Z, X),
    information.synergy_from_statistics: (PairwiseStatistics.of(Z, X),),
}

#: Other options of `synergy` with a set of allowed values.
UNKNOWN = {
    "null": "null must be 'synergy' or 'independence'",
    "model": "model must be 'gaussian', 'copula', 'discrete' or 'nearest-neighbors'",
    "bias_correction": "must be 'auto' or one of wishart, jackknife, none",
    "binning": "binning must be 'equal-frequency' or 'equal-width'",
    "measures": "measures of model='gaussian' are mutual_information",
}


def public_functions():
    """Functions in ``__all__`` of every public module."""
    found = {}
    for module in pkgutil.walk_packages(information.__path__, "minsyn.information."):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        loaded = importlib.import_module(module.name)
        for name in getattr(loaded, "__all__", ()):
            if inspect.isfunction(member := getattr(loaded, name)):
                found[member] = f"{module.name}.{name}"
    return found


def with_unit():
    return {
        f: at for f, at in public_functions().items() if "unit" in inspect.signature(f).parameters
    }


def test_unit_is_keyword_only():
    assert len(with_unit()) > 20
    for function, name in with_unit().items():
        parameter = inspect.signature(function).parameters["unit"]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
        assert parameter.default == "bits", name


def test_every_function_with_a_unit_is_tried():
    assert set(with_unit()) == set(CALLS)


def numbers(result):
    """All informations in a result."""
    if hasattr(result, "informative"):
        result = result.mean()
    if hasattr(result, "to_frame"):
        return result.to_frame().select_dtypes("number").to_numpy().ravel()
    fields = ("value", "lower", "upper", "total_correlation", "o_information")
    if any(hasattr(result, field) for field in fields):
        return np.concatenate(
            [np.ravel(getattr(result, field)) for field in fields if hasattr(result, field)]
        )
    return np.ravel(result)


def test_nats_are_bits_times_log_2():
    for function, arguments in CALLS.items():
        bits, nats = numbers(function(*arguments)), numbers(function(*arguments, unit="nats"))
        assert np.abs(bits).max() > 1e-3, function
        np.testing.assert_allclose(nats, bits * np.log(2), rtol=1e-9, atol=1e-12)


def test_unknown_values_are_refused():
    subprocess.run([sys.executable, __file__], check=True)


def refused(call, message):
    try:
        call()
    except ValueError as error:
        assert message in str(error), error
    else:
        raise AssertionError(f"not refused: {message}")


if __name__ == "__main__":
    for function, arguments in CALLS.items():
        for unit in ("nat", "hartleys", None):
            refused(
                lambda f=function, a=arguments, u=unit: f(*a, unit=u),
                f"unit must be 'bits' or 'nats', found {unit!r}",
            )
    for option, message in UNKNOWN.items():
        refused(lambda o=option: information.synergy(Z, X, **{o: "other"}), message)
    refused(lambda: information.pid(PMF, "imin"), "measure must be among ('broja', 'williams")
    refused(
        lambda: information.local_values(PMF, "gk_synergy"),
        "measures with local values are mutual_information, ci_synergy",
    )
    refused(
        lambda: information.synergy_from_statistics(
            PairwiseStatistics.of(Z, X), bias_correction="jackknife"
        ),
        "must be 'none' or 'wishart'",
    )
