"""Architecture of CONTRIBUTING.md: who imports whom, no circles, no shadowed modules."""

import ast
import importlib
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "minsyn"

MODULES = {
    ".".join(("minsyn", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


def statements(node):
    """All statements, but for those that only type checkers see."""
    for blocks in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, blocks, ()):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            yield child
            yield from statements(child)


def imported(name, file):
    """Modules of the package that a file imports, at its top or when a function runs."""
    found = set()
    for node in statements(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return {module for module in found if module in MODULES and module != name}


IMPORTS = {name: imported(name, file) for name, file in MODULES.items()}


def table():
    """Folder -> folders that it may import, as CONTRIBUTING.md says."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    allowed = {}
    for folders, may in rows:
        for folder in re.findall(r"`([a-z_]+)(?:/|\.py)`", folders):
            allowed[folder] = set(re.findall(r"`([a-z_]+)`", may))
    return allowed


def floor(module):
    return module.split(".")[1] if module.count(".") else ""


def test_every_folder_has_its_row():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(table())


@pytest.mark.parametrize("name", [n for n in MODULES if floor(n) and not floor(n).startswith("_")])
def test_imports_go_downwards(name):
    """The version, atomic writing, progress, threads, warnings and figures' style serve all."""
    shared = {"_atomic", "_locks", "_progress", "_style", "_threads", "_version", "_warnings"}
    allowed = table()[floor(name)] | {floor(name)} | shared
    upwards = {other for other in IMPORTS[name] if floor(other) and floor(other) not in allowed}
    assert not upwards


def test_the_rows_of_the_table_are_no_circle():
    rows = {folder: may - {folder} for folder, may in table().items()}
    tuple(TopologicalSorter(rows).static_order())


def test_no_circle_of_files():
    """Not even of imports that wait for a function to run."""
    tuple(TopologicalSorter(IMPORTS).static_order())


def test_no_module_is_shadowed():
    """`import minsyn.a.b as m` gives a module."""
    shadowed = []
    for name in MODULES:
        package, _, last = name.rpartition(".")
        if package and not last.startswith("__"):
            module = importlib.import_module(name)
            value = getattr(importlib.import_module(package), last, module)
            if type(value).__name__ != "module":
                shadowed.append(name)
    assert not shadowed


ESTIMATORS = [name for name in MODULES if floor(name) == "estimators"]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_only_an_estimator_sets_its_attributes(name):
    """No function takes an estimator; fitted attributes are set by methods alone."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    estimators = {"MinSyn", "VectorMinSyn", "AutoEncoder", "InfoMax", "LinearCorex", "FactorModel"}
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for argument in (*function.args.args, *function.args.kwonlyargs):
            annotation = ast.unparse(argument.annotation) if argument.annotation else ""
            assert not estimators & set(re.findall(r"\w+", annotation)), function.name
            assert argument.arg not in ("model", "estimator"), function.name
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                assert not node.attr.endswith("_"), (function.name, node.attr)
            assert not (isinstance(node, ast.Name) and node.id == "setattr"), function.name
