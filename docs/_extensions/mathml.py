"""Equations as MathML, made when the site is built: nothing is fetched when it is read."""

from docutils.nodes import Element, SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _inline(translator: HTML5Translator, node: Element) -> None:
    translator.body.append(convert(node.astext()))
    raise SkipNode


def _display(translator: HTML5Translator, node: Element) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(convert(_aligned(node.astext()), display="block"))
    translator.body.append("</div>")
    raise SkipNode


def _aligned(latex: str) -> str:
    """Equations of several lines are aligned, as LaTeX's `split` does."""
    if r"\\" in latex and r"\begin" not in latex:
        return rf"\begin{{align*}}{latex}\end{{align*}}"
    return latex


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
