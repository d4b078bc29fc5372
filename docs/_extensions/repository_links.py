"""Pages that also stand in the repository: links to its code, which is no page, become text."""

import re

from sphinx.application import Sphinx


def _resolve(app: Sphinx, docname: str, source: list[str]) -> None:
    code = r"(?:\.\./)+(?:src|benchmarks|studies|tests|examples)/[^)]+"
    source[0] = re.sub(rf"\[([^\]]+)\]\({code}\)", r"\1", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite links as each page is read."""
    app.connect("source-read", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
