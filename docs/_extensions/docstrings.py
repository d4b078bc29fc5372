"""Docstrings for Sphinx: which members a page shows, and plain text that looks like markup."""

import re

from sphinx.application import Sphinx

#: Literals, math and roles stay as they are.
PARTS = re.compile(r"(``.*?``|:\w+:`[^`]*`|`[^`]*`)")


def _escape(text: str) -> str:
    """|Z| is a number of states and names_ an attribute: neither is markup."""
    parts = PARTS.split(text)
    parts[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def _process(app, what, name, obj, options, lines: list[str]) -> None:
    in_math = False
    for i, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith(".. math::"):
            in_math = True
        elif in_math and stripped and not line.startswith(" "):
            in_math = False
        if not in_math and not stripped.startswith(("+", "|", ">>>", "...")):
            lines[i] = _escape(line)


def _skip(app, what, name, obj, skip, options) -> bool | None:
    """What scikit-learn adds to every estimator is in its own documentation."""
    foreign = (getattr(obj, "__module__", None) or "").startswith("sklearn")
    routing = name.startswith("set_") and name.endswith("_request")
    return True if foreign or routing or name == "get_metadata_routing" else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Process docstrings after numpydoc has made their sections."""
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-docstring", _process, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
