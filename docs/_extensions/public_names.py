"""Pages of the reference, written from ``__all__``: no public name can be missing."""

import importlib
import inspect
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

#: Packages in the order in which a reader meets them.
PACKAGES = (
    "minsyn",
    "minsyn.estimators",
    "minsyn.information",
    "minsyn.nn",
    "minsyn.metrics",
    "minsyn.datasets",
    "minsyn.data",
    "minsyn.training",
    "minsyn.benchmark",
    "minsyn.report",
)
HEADER = "..\n   Written from the names in __all__ when the site is built.\n\n"


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def _introduction(module: ModuleType) -> str:
    return f".. automodule:: {module.__name__}\n   :no-members:\n\n"


def _summary(name: str) -> str:
    """First paragraph of a package's docstring, in a line."""
    return " ".join((inspect.getdoc(importlib.import_module(name)) or "").split("\n\n")[0].split())


def _table(module: ModuleType, names: list[str]) -> str:
    rows = "".join(f"   {name}\n" for name in names)
    return (
        f".. currentmodule:: {module.__name__}\n\n"
        f".. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{rows}\n"
    )


def _constants(module: ModuleType, names: list[str]) -> str:
    listed = ", ".join(f"``{name}``" for name in names)
    return f"Constants: {listed}.\n\n" if names else ""


def public_names(module: ModuleType) -> tuple[list[str], list[str], list[ModuleType]]:
    """Classes and functions, constants, and public submodules of a package."""
    objects, constants, modules = [], [], []
    for name in sorted(module.__all__, key=str.lower):
        value = getattr(module, name)
        if inspect.ismodule(value):
            modules.append(value)
        elif inspect.isclass(value) or inspect.isroutine(value):
            objects.append(name)
        elif not name.startswith("_"):
            constants.append(name)
    return objects, constants, modules


def _page(name: str, seen: set[int]) -> str:
    module = importlib.import_module(name)
    objects, constants, modules = public_names(module)
    text = HEADER + _title(name, "=") + _introduction(module)
    text += _section(module, objects, constants, seen)
    if name != "minsyn":  # its modules have pages of their own
        for submodule in modules:
            parts = public_names(submodule) if hasattr(submodule, "__all__") else ([], [], [])
            body = _section(submodule, parts[0], parts[1], seen)
            if body:
                text += _title(submodule.__name__, "-") + _introduction(submodule) + body
    return text


def _section(module: ModuleType, objects: list[str], constants: list[str], seen: set[int]) -> str:
    new = [name for name in objects if id(getattr(module, name)) not in seen]
    seen |= {id(getattr(module, name)) for name in new}
    return (_table(module, new) if new else "") + _constants(module, constants)


def write_reference(app: Sphinx, config: object = None) -> None:
    """Write a page for each package, where it differs from what is there."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    seen: set[int] = set()
    pages = {f"{name}.rst": _page(name, seen) for name in PACKAGES}
    entries = "".join(f"   {name}\n" for name in PACKAGES)
    described = "".join(f":doc:`{name}`\n    {_summary(name)}\n\n" for name in PACKAGES)
    pages["index.rst"] = (
        HEADER
        + _title("Reference", "=")
        + "Every public name, by the package that holds it.\n\n"
        + described
        + f".. toctree::\n   :hidden:\n\n{entries}"
    )
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("config-inited", write_reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
