"""Run as a script: what imports cost in a new process, from the lightest to all of the package.

Tells by name what was found, where it is not what it should be.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import traceback
import warnings
from contextlib import redirect_stdout
from io import StringIO


def refuse(*names):
    loaded = set(names) & set(sys.modules)
    assert not loaded, loaded


def help_of_commands():
    from minsyn.cli import app

    shown = StringIO()
    with redirect_stdout(shown):
        for words in (["--help"], *([name, "--help"] for name in sys.argv[1:])):
            try:
                app(words)
            except SystemExit as end:
                assert not end.code
    assert shown.getvalue().count("Usage:") == len(sys.argv)
    refuse("torch", "matplotlib", "sklearn", "pandas", "scipy")


def modules_of_minsyn():
    return {name for name in sys.modules if name.startswith("minsyn.")}


def refuse_other_parts(before):
    new = modules_of_minsyn() - before
    others = {name for name in new if not name.startswith(("minsyn.information", "minsyn._"))}
    assert not others, others


def information():
    before = modules_of_minsyn()
    from minsyn.information import discrete, examples, pid, union_information, williams_beer_lattice

    union_information(examples.and_gate())
    from minsyn.information import PairwiseStatistics, gaussian

    assert all((PairwiseStatistics, discrete, gaussian, pid, williams_beer_lattice))
    for result in measured():
        str(result)
    refuse("torch", "matplotlib", "pandas", "sklearn")
    refuse_other_parts(before)


def measured():
    import numpy as np

    from minsyn.information import synergy, synergy_graph

    z = np.random.default_rng(0).normal(size=(20, 2))
    options = {"n_bootstrap": 2, "n_permutations": 2}
    return synergy(z, z.sum(axis=1), "copula", **options), synergy_graph(z, z)


def datasets():
    import minsyn.datasets

    assert minsyn.datasets.make_word_images
    refuse("torch", "matplotlib", "requests", "sklearn")


def tables():
    import minsyn.data

    assert minsyn.data.read_table
    refuse("torch")


def plots():
    before = modules_of_minsyn()
    for result in measured():
        result.plot()
    refuse("torch", "sklearn", "matplotlib.pyplot")
    refuse_other_parts(before)


def no_module_is_shadowed():
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


def a_warning_points_at_the_users_line():
    import numpy as np

    from minsyn.information import ConstantSourceWarning, synergy

    z = np.random.default_rng(0).normal(size=(20, 2))
    z[:, 1] = 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        synergy(z, z[:, 0] + z[::-1, 0])
        line = inspect.currentframe().f_lineno - 1
    assert [w.category for w in caught] == [ConstantSourceWarning], caught
    assert (caught[0].filename, caught[0].lineno) == (__file__, line), caught[0]


def figures():
    from minsyn.report.figure1 import figure1

    assert figure1
    refuse("torch", "sklearn")
    import minsyn.report

    assert minsyn.report.figure_of_maps
    refuse("matplotlib.pyplot")


STAGES = (
    help_of_commands,
    information,
    datasets,
    tables,
    plots,
    no_module_is_shadowed,
    a_warning_points_at_the_users_line,
    figures,
)


def main():
    faults = {}
    for stage in STAGES:
        try:
            stage()
        except Exception:
            faults[stage.__name__] = traceback.format_exc()
    print(json.dumps(faults))


if __name__ == "__main__":
    main()
