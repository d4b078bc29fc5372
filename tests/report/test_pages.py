"""Interactive pages, in a browser: what moves is what Python computes."""

import json
import re

import numpy as np
import pytest

from browser import visit
from miniature import finished_cell, tiny, tiny_letters  # noqa: F401
from minsyn.benchmark import AffineDecoder, summarise
from minsyn.report import benchmark_page

N_FACTORS = 3

#: Start from a word, move a slider, swap a letter, sort, and step through the draws.
ON_THE_BENCHMARK = """
  const start = find("#traversal input[type=text]");
  move(start, "zz");
  const problem = find("#traversal .problem").textContent;
  move(start, "OT");
  const before = pixels(find("#decoded"));
  move(find("#factor-1"), 0.75);
  const after = pixels(find("#decoded"));
  move(find("#traversal select"), 1);
  const other = pixels(find("#decoded"));
  const [word, first, second] = all("#comparison input[type=text]");
  move(word, "tn");
  const image = pixels(find("#comparison canvas"));
  move(first, "an"); move(second, "it");
  const swap = all("#comparison section").at(-1).innerText;
  find("#scores th:nth-child(2) button").click();
  const sorted = all("#scores tbody th").map((cell) => cell.textContent);
  const svg = find("#scatter svg");
  const key = (name) => svg.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
  key("ArrowRight"); key("ArrowRight");
  const told = find("#scatter output").textContent;
  const labelled = all("canvas").every((canvas) => canvas.getAttribute("aria-label"));
  return { problem, before, after, other, image, swap, sorted, told, labelled };
"""


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def ink(values):
    grey = 255 - np.floor(255 * np.clip(values, 0, 1) + 0.5)
    return np.repeat(grey, 3)


@pytest.fixture
def decoders(rng):
    weights = rng.normal(size=(2, N_FACTORS, 128)) * 0.4
    bias = rng.normal(size=(2, 128)) * 0.4
    return [AffineDecoder(weights[i], bias[i], bool(i)) for i in range(2)]


@pytest.fixture
def codes(rng):
    return rng.random((2, 7, N_FACTORS)).astype(np.float32)


@pytest.fixture
def page(tiny, decoders, codes):  # noqa: F811
    """PCA and a binary MinSyn with decoders, ICA without one."""
    cells = [
        finished_cell(
            key, draw, train_loss=loss - draw, acc=0.5, maps=np.zeros((1, 128)),
            train_examples=np.zeros((1, 128)), test_examples=np.zeros((1, 128)),
            **({} if draw else {
                "latents": z, "logistic": decoder.logistic,
                "weights": decoder.weights.astype(np.float32),
                "bias": decoder.bias.astype(np.float32),
            }),
        )
        for (key, loss), decoder, z in zip(
            [("minsyn-bernoulli", 60.0), ("pca", 50.0)], decoders[::-1], codes[::-1], strict=True
        )
        for draw in range(2)
    ]  # fmt: skip
    cells.append(finished_cell("ica", train_loss=40.0, acc=float("nan")))
    return benchmark_page(tiny(), cells, summarise(cells))


def test_the_page_decodes_as_python_does(tmp_path, page, tiny, decoders, codes):  # noqa: F811
    seen = visit(tmp_path, {"page": (page, ON_THE_BENCHMARK)})["page"]
    assert seen["faults"] == [] and not seen["wide"]
    found = seen["found"]
    words = tiny().data(0)
    place = data_of(page)["words"].index("ot")
    z = codes[:, [place]].astype(float)
    np.testing.assert_allclose(found["before"], ink(decoders[1](z[1])[0]), atol=1)
    z[1, :, 1] = 0.75
    np.testing.assert_allclose(found["after"], ink(decoders[1](z[1])[0]), atol=1)
    np.testing.assert_allclose(found["other"], ink(decoders[0](z[0])[0]), atol=1)
    (row,) = np.flatnonzero(words.test_words == "tn")
    np.testing.assert_allclose(found["image"], ink(words.test[row]), atol=1)
    assert "No word “zz” here: words have one of aiot as letter 1, one of nt" in found["problem"]
    assert found["sorted"] == ["ICA", "PCA", "MinSyn (Binary)"] and found["labelled"]
    assert found["told"].startswith("MinSyn (Binary), draw 2: train loss 59.00")
    assert re.search(r"\d of 3 factors taken", found["swap"])


def test_a_page_needs_nothing_else(page):
    assert not re.search(r"https?:(?!//www.w3.org/2000/svg)|<link|@import|url\(", page)
    assert "Not to be played with: ICA." in page and "default-src 'none'" in page
    assert len(data_of(page)["methods"]) == 2


def test_pages_of_cells_without_decoders(tiny):  # noqa: F811
    page = benchmark_page(tiny(), [finished_cell()], summarise([finished_cell()]))
    assert data_of(page)["methods"] == [] and 'id="traversal"' not in page
    assert "</script><b>" not in benchmark_page(tiny(), [], [])
