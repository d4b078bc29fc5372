"""The site needs no network: nothing that a page loads may lie on another host."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

_LOADS = re.compile(
    r'<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]+)"'
)
_STYLE = re.compile(r"""url\(\s*["']?((?:https?:)?//[^"')]+)|@import\s+["'](https?:[^"']+)""")


def _check(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != "html":
        return
    logger = logging.getLogger(__name__)
    for pattern, suffix in ((_LOADS, "*.html"), (_STYLE, "*.css")):
        for path in sorted(Path(app.outdir).rglob(suffix)):
            for found in pattern.findall(path.read_text(encoding="utf-8")):
                target = found if isinstance(found, str) else "".join(found)
                name = path.relative_to(app.outdir)
                logger.warning("%s loads %s from another host", name, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look through all pages and styles when they are written."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
