"""What importing the measures costs."""

import subprocess
import sys

SCRIPT = """
import sys
import minsyn.information
from minsyn.information import discrete, examples, pid, union_information, williams_beer_lattice
union_information(examples.and_gate())
loaded = {"torch", "matplotlib", "pandas", "sklearn"} & set(sys.modules)
assert not loaded, loaded
"""


def test_needs_neither_torch_nor_matplotlib():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
