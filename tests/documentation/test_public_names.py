"""Every public name says what it takes, and shows it."""

import ast
import importlib
import inspect
import re
from dataclasses import is_dataclass

import pytest

PACKAGES = [
    "minsyn",
    "minsyn.estimators",
    "minsyn.information",
    "minsyn.information.discrete",
    "minsyn.information.examples",
    "minsyn.information.gaussian",
    "minsyn.information.gaussian_groups",
    "minsyn.information.sampled",
    "minsyn.information.single_parent",
    "minsyn.nn",
    "minsyn.metrics",
    "minsyn.datasets",
    "minsyn.data",
    "minsyn.training",
]


def public_objects(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            yield f"{package}.{name}", value


def is_result(value):
    """A class whose objects functions return: their examples show it."""
    return is_dataclass(value) or hasattr(value, "_fields") or getattr(value, "_is_protocol", False)


def with_methods(package):
    for name, value in public_objects(package):
        yield name, value
        if inspect.isclass(value):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                if not method.startswith("_") and function.__module__.startswith("minsyn."):
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("package", PACKAGES)
def test_documented_defaults_are_those_of_the_code(package):
    faults = {}
    for name, value in with_methods(package):
        text = inspect.getdoc(value) or ""
        for parameter, told in re.findall(r"^ *(\w+) : .*\bdefault=(.+)$", text, re.MULTILINE):
            default = inspect.signature(value).parameters[parameter].default
            if told != repr(default) and ast.literal_eval(told) != default:
                faults[f"{name}({parameter}=)"] = f"{told} in its docstring, {default!r} in code"
    assert not faults


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_documented(package):
    faults = {}
    for name, value in public_objects(package):
        text = inspect.getdoc(value) or ""
        if inspect.isclass(value) and issubclass(value, BaseException):
            faults |= {} if text else {name: "no docstring"}
            continue
        try:
            parameters = list(inspect.signature(value).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        missing = [p for p in named if not re.search(rf"(?<!\w){re.escape(p)}(?!\w)", text)]
        if missing:
            faults[name] = f"does not say what {', '.join(missing)} is"
        elif ">>>" not in text and not is_result(value):
            faults[name] = "has no example"
    assert not faults
