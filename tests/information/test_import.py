"""Imports: what they cost, and that every module can be reached by its name."""

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import minsyn.information

LIGHT = """
import sys
import minsyn.information
from minsyn.information import discrete, examples, pid, union_information, williams_beer_lattice
union_information(examples.and_gate())
import numpy as np
from minsyn.information import PairwiseStatistics, gaussian, synergy, synergy_graph
z = np.random.default_rng(0).normal(size=(20, 2))
result = synergy(z, z.sum(axis=1), "copula", n_bootstrap=2, n_permutations=2)
print(result)
graph = synergy_graph(z, z)
loaded = {"torch", "matplotlib", "pandas", "sklearn"} & set(sys.modules)
assert not loaded, loaded
result.plot(), graph.plot()
loaded = {name for name in sys.modules if name.startswith("minsyn.")}
others = {name for name in loaded if not name.startswith(("minsyn.information", "minsyn._"))}
assert not others, others
"""


def test_needs_neither_torch_nor_matplotlib_nor_other_packages_of_minsyn():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


MODULES = [
    module.name
    for module in pkgutil.walk_packages(minsyn.information.__path__, "minsyn.information.")
]


def test_walks_all_modules():
    assert {"minsyn.information.graph", "minsyn.information.union.solve"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_shadowed(name):
    """After all exports were loaded, the dotted name is still the module."""
    module = importlib.import_module(name)
    parent_name, _, last = name.rpartition(".")
    parent = importlib.import_module(parent_name)
    for export in getattr(parent, "__all__", ()):
        getattr(parent, export)
    found = getattr(parent, last)
    assert isinstance(found, ModuleType) and found is module


WARNING = """
import warnings
import numpy as np
from minsyn.information import ConstantSourceWarning, synergy
z = np.random.default_rng(0).normal(size=(20, 2))
z[:, 1] = 1
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    synergy(z, z[:, 0] + z[::-1, 0])
assert [w.category for w in caught] == [ConstantSourceWarning], caught
assert caught[0].filename == "<string>" and caught[0].lineno == 9, caught[0]
"""


def test_a_warning_points_at_the_users_line():
    subprocess.run([sys.executable, "-c", WARNING], check=True)
