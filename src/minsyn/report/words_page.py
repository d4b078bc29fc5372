"""Page of the words benchmark: scores to sort, and representations to play with."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from minsyn.benchmark import (
    SCORES,
    CellResult,
    Experiment,
    MethodSummary,
    Score,
    best,
    caption,
    paper_texts,
    table_notes,
)
from minsyn.datasets import WordImages
from minsyn.report.style import appearance
from minsyn.report.web import in_base64, packed, web_page

__all__ = ["benchmark_page"]

_SCRIPTS = ("page.js", "drawing.js", "words_page.js")
_HEADS = ("Train loss", "Test loss", "ACC")
#: Black marks, which would not be seen on a dark page, have the colour of its text.
_BLACK = {"#000000": "var(--black)"}
_INTERACTIVE = """
<h2>What each factor does</h2>
<p class="caption">The change of the image when a factor goes from low to high (the 5 % and 95 %
quantiles of its values over all words) and the others stay at their means. One scale for all
methods: the change of a pixel's ink. Latents may have either sign.</p>
<p class="scale"><span>-1</span><i></i><span>+1</span></p>
<div id="maps" class="maps"></div>
<h2>Move the factors</h2>
<p class="caption">The decoder of a method runs in this page. Below each factor stands the letter
that it changes most, with its share of the squared change.</p>
<div id="traversal"></div>
<h2>Two methods side by side</h2>
<div id="comparison"></div>
"""


def benchmark_page(
    experiment: Experiment, results: Sequence[CellResult], rows: Sequence[MethodSummary]
) -> str:
    """Write the results of a benchmark as one interactive page of HTML.

    A table that can be sorted, beside the paper's values; loss against ACC of every draw; what
    each factor of each method does, on one scale; and, for the methods whose decoder the cells
    keep (`CellResult.weights`), words decoded in the browser: a latent traversal, the code and the
    reconstruction of a word, and a letter swapped between two words.

    Parameters
    ----------
    experiment : Experiment
        Experiment of the results, which draws the images of the words.
    results : sequence of CellResult
        Finished cells.
    rows : sequence of MethodSummary
        The methods to show, in order.

    Returns
    -------
    str
        HTML that needs no other file and no network.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> page = benchmark_page(Experiment(load_letters("typewriter")), [], [])
    >>> "<h1>The words benchmark</h1>" in page
    True
    """
    cells = {(cell.method, cell.draw): cell for cell in results}
    kept = [(row, cell) for row in rows if (cell := _kept(results, row.key)) is not None]
    images = experiment.data(kept[0][1].draw if kept else 0)
    words, first = _first_rows(images)
    n_images = len(images.train) + len(images.test)
    data: dict[str, Any] = {
        "length": experiment.vocabulary.length,
        "scores": [_scores(row, cells) for row in rows],
        "methods": [_method(row, cell, first) for row, cell in kept if _length(cell) == n_images],
        "words": words,
        **_of_images(images, first),
    }
    shown = {method["key"] for method in data["methods"]}
    missing = [row.label for row in rows if row.key not in shown]
    body = [
        "<h1>The words benchmark</h1>",
        f'<p class="lead">{escape(caption(rows, experiment))}</p>',
        "<h2>Scores</h2>",
        '<div id="scores" class="wide" tabindex="0" role="region" aria-label="Scores">'
        f"{_table(rows)}</div>",
        *(f'<p class="caption">{escape(note)}</p>' for note in table_notes(rows)),
        "<h2>Loss against concentration</h2>",
        '<p class="caption">Low and to the left is good: few errors, and factors that mean one '
        "letter each.</p>",
        '<div id="scatter" class="plot"></div>',
    ]
    if data["methods"]:
        body.append(_INTERACTIVE)
    if missing:
        body.append(
            f'<p class="note">Not to be played with: {escape(", ".join(missing))}. Draw 1 has no '
            "cell of them that keeps its decoder, because it was not run, failed, was made by an "
            "earlier version, or has a decoder that is not affine.</p>"
        )
    return web_page("The words benchmark", "\n".join(body), data, _SCRIPTS)


def _kept(results: Sequence[CellResult], key: str) -> CellResult | None:
    kept = (cell for cell in results if cell.method == key and cell.weights is not None)
    return min(kept, key=lambda cell: cell.draw, default=None)


def _length(cell: CellResult) -> int:
    return 0 if cell.latents is None else len(cell.latents)


def _scores(row: MethodSummary, cells: dict[tuple[str, int], CellResult]) -> dict[str, Any]:
    colour = appearance(row.key).colour
    draws = sorted(draw for key, draw in cells if key == row.key)
    return {
        "key": row.key,
        "label": row.label,
        "colour": _BLACK.get(colour, colour),
        "draws": [
            {
                "draw": draw,
                **{name: _number(getattr(cells[row.key, draw], name)) for name in SCORES},
            }
            for draw in draws
        ],
    }


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _method(row: MethodSummary, cell: CellResult, rows: Int[np.ndarray, " words"]) -> dict:
    assert cell.weights is not None and cell.bias is not None and cell.latents is not None
    return {
        "key": row.key,
        "label": row.label,
        "logistic": cell.logistic,
        "weights": packed(cell.weights),
        "bias": packed(cell.bias),
        "codes": in_base64(cell.latents[rows].astype(np.float32)),
    }


def _of_images(images: WordImages, rows: Int[np.ndarray, " words"]) -> dict[str, Any]:
    """Images of the words in these rows, each letter's image once."""
    pixels = np.concatenate([images.train, images.test])[rows]
    tiles, tile_of = _tiles(np.rint(255 * pixels).astype(np.uint8), images)
    return {
        "shape": list(images.image_shape),
        "groups": in_base64(images.groups.astype(np.uint8)),
        "letters": ["".join(letters) for letters in images.vocabulary.letters],
        "n_train": len(set(images.train_words.tolist())),
        "tiles": in_base64(tiles),
        "tile_of": in_base64(tile_of.astype(np.uint16)),
    }


def _first_rows(images: WordImages) -> tuple[list[str], Int[np.ndarray, " words"]]:
    """Words, those of training first, and the first row of each."""
    rows: dict[str, int] = {}
    for row, word in enumerate([*images.train_words.tolist(), *images.test_words.tolist()]):
        rows.setdefault(word, row)
    return list(rows), np.array(list(rows.values()), dtype=np.int64)


def _tiles(
    pixels: UInt8[np.ndarray, "words pixels"], images: WordImages
) -> tuple[UInt8[np.ndarray, "tiles pixels_of_tile"], Int[np.ndarray, "words length"]]:
    height, width = images.image_shape
    length = images.vocabulary.length
    cut = pixels.reshape(len(pixels), height, length, width // length).transpose(0, 2, 1, 3)
    flat = cut.reshape(len(pixels) * length, -1)
    tiles, tile_of = np.unique(flat, axis=0, return_inverse=True)
    return tiles, tile_of.reshape(len(pixels), length)


def _table(rows: Sequence[MethodSummary]) -> str:
    heads = ("Method", *_HEADS, "Paper: train", "Paper: test", "Paper: ACC")
    lines = []
    bests = {name: best(rows, name) for name in SCORES}
    for row in rows:
        cells = [f'<th scope="row" data-value="{escape(row.label)}">{escape(row.label)}</th>']
        for name, decimals in SCORES.items():
            score = row.scores[name]
            text = escape(score.text(decimals))
            if row.key in bests[name]:
                text = f"<b>{text}</b>"
            interval = escape(score.interval_text(decimals))
            cells.append(_cell(score, f"{text} <small>{interval}</small>" if interval else text))
        papers = row.paper or (None,) * len(SCORES)
        for value, text in zip(papers, paper_texts(row), strict=True):
            cells.append(_cell(None if value is None else Score(value, None), escape(text)))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(score: Score | None, content: str) -> str:
    value = "" if score is None or np.isnan(score.mean) else repr(float(score.mean))
    return f'<td data-value="{value}">{content}</td>'
