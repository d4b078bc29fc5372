"""Imports: what they cost, and that every module can be reached by its name."""

import subprocess
import sys

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


SHADOWED = """
import importlib, pkgutil
import minsyn.information

seen = []

def visit(package):
    # Exports first: a lazily loaded function takes the place of a module of its name.
    for name in package.__all__:
        getattr(package, name)
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        assert getattr(package, found.name) is module, module
        seen.append(found.name)
        if found.ispkg:
            visit(module)

visit(minsyn.information)
assert {"graph", "estimation", "solve"} <= set(seen), seen
"""


def test_no_module_is_shadowed():
    subprocess.run([sys.executable, "-c", SHADOWED], check=True)


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
