"""Pages of HTML with style, script and data inside, which need no other file.

The JavaScript is our own, in files beside this one, and a page holds about 20 kB of it. Libraries
that draw plots weigh one to five megabytes, and what pages show most, decoded images, none has.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["html_document", "in_base64", "packed", "page_script", "web_page"]

#: Nothing may be fetched: what is missing in the page is missing everywhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
#: The largest integer of 16 bits.
_LARGEST = 32767


def in_base64(values: np.ndarray) -> str:
    """Bytes of an array, the lowest of each number first, as a script reads them.

    Parameters
    ----------
    values : ndarray
        Of any shape.

    Returns
    -------
    str
        In base64.

    Examples
    --------
    >>> in_base64(np.array([1, 2], np.uint16))
    'AQACAA=='
    """
    return b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def packed(values: Float[np.ndarray, "..."]) -> dict[str, Any]:
    """Numbers as integers of 16 bits times a scale: a quarter of float64, errors below 2e-5 of it.

    Parameters
    ----------
    values : ndarray
        Of any shape.

    Returns
    -------
    dict of str to float and str
        The scale and the content.

    Examples
    --------
    >>> packed(np.array([32767.0, -1.0]))
    {'scale': 1.0, 'content': '/3///w=='}
    """
    scale = float(np.abs(values).max(initial=0.0)) / _LARGEST or 1.0
    return {"scale": scale, "content": in_base64(np.rint(values / scale).astype(np.int16))}


def page_script(data: Mapping[str, Any], scripts: Sequence[str]) -> str:
    """Elements that hold data and the scripts that read them.

    Parameters
    ----------
    data : mapping
        Ready for JSON, without NaN.
    scripts : sequence of str
        Names of the package's JavaScript files, which run one after the other in one scope.

    Returns
    -------
    str
    """
    # Within JSON, "<" can only be part of a text; written so, it cannot end the element.
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    lines = "\n".join(_resource(name) for name in scripts)
    return (
        f'<script type="application/json" id="data">{text}</script>\n'
        f'<script>\n"use strict";\n(() => {{\n{lines}\n}})();\n</script>'
    )


def web_page(title: str, body: str, data: Mapping[str, Any], scripts: Sequence[str]) -> str:
    """Write a page of HTML that needs neither other files nor a network.

    Parameters
    ----------
    title : str
        Its title, which its body has to show itself.
    body : str
        HTML.
    data : mapping
        What the scripts read: ready for JSON, without NaN.
    scripts : sequence of str
        Names of the package's JavaScript files.

    Returns
    -------
    str
        The page; the same arguments give the same text.

    Examples
    --------
    >>> text = web_page("Example", "<h1>Example</h1>", {}, ["page.js"])
    >>> text.startswith("<!DOCTYPE html>"), "https://" in text
    (True, False)
    """
    body += (
        "\n<noscript><p class='note'>Only the tables show without JavaScript.</p></noscript>\n"
        f"{page_script(data, scripts)}"
    )
    return html_document(title, body, ["base.css", "page.css"])


def html_document(title: str, body: str, styles: Sequence[str]) -> str:
    """Write a document of HTML with its style inside, which may not fetch anything.

    Parameters
    ----------
    title : str
        Its title, which its body has to show itself.
    body : str
        HTML.
    styles : sequence of str
        Names of the package's CSS files; where two differ, the later one counts.

    Returns
    -------
    str
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{''.join(map(_resource, styles))}</style>\n"
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _resource(name: str) -> str:
    return files("minsyn.report").joinpath(name).read_text(encoding="utf-8")
