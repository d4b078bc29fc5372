"""What importing the measures costs."""

import subprocess
import sys

SCRIPT = """
import sys
import minsyn.information
from minsyn.information import discrete, examples, pid, union_information, williams_beer_lattice
union_information(examples.and_gate())
import numpy as np
from minsyn.information import PairwiseStatistics, gaussian, synergy
z = np.random.default_rng(0).normal(size=(20, 2))
print(synergy(z, z.sum(axis=1), "copula", n_bootstrap=2, n_permutations=2))
loaded = {"torch", "matplotlib", "pandas", "sklearn"} & set(sys.modules)
assert not loaded, loaded
"""


def test_needs_neither_torch_nor_matplotlib():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
