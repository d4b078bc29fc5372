"""Interactive pages, in a browser: what moves is what Python computes."""

import json
import re

import numpy as np
import pytest

from browser import visit
from fuzzing import as_users_call
from miniature import TINY_WORDS, finished_cell, tiny_letters  # noqa: F401
from minsyn.benchmark import AffineDecoder, Experiment, summarise
from minsyn.information import gaussian
from minsyn.report import WhatIf, benchmark_page
from minsyn.report.figure1_page import figure1_explorer
from minsyn.report.what_if import what_if_panel

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
  const last = all("#comparison section").at(-1);
  const swap = last.innerText, swapped = pixels(last.querySelector("canvas"));
  find("#scores th:nth-child(2) button").click();
  const sorted = all("#scores tbody th").map((cell) => cell.textContent);
  const svg = find("#scatter svg");
  const key = (name) => svg.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
  key("ArrowRight"); key("ArrowRight");
  const told = find("#scatter output").textContent;
  const labelled = all("canvas").every((canvas) => canvas.getAttribute("aria-label"));
  return { problem, before, after, other, image, swap, swapped, sorted, told, labelled };
"""


#: Move two of the three correlations.
ON_FIGURE_1 = """
  move(find("#rho1"), -0.3);
  move(find("#sigma12"), 0.2);
  const values = all("#values td").map((cell) => Number(cell.textContent));
  move(find("#rho2"), 0.95);
  move(find("#rho1"), 0.95);
  const ends = all("#values td").map((cell) => cell.textContent);
  return { values, ends, sigma: Number(find("#sigma12").value), said: find("#said").textContent };
"""

#: Choose the second factor, and move it to a position that was computed and to one between.
ON_WHAT_IF = """
  const hidden = find("#what-if").hidden;
  const rows = () => all("#what-if tbody tr").map((row) => row.innerText.split("\\t"));
  move(find("#what-if select"), 1);
  move(find("#position"), 2);
  const at = rows();
  move(find("#position"), -0.5);
  return { hidden, at, between: rows() };
"""


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def ink(values):
    grey = 255 - np.floor(255 * np.clip(values, 0, 1) + 0.5)
    return np.repeat(grey, 3)


_RNG = np.random.default_rng(0)
CODES = _RNG.random((2, 7, N_FACTORS)).astype(np.float32)
#: The second factor acts on the second letter most, the others on the first.
_ACTS = np.where((np.arange(128) % 16 < 8) == [[True], [False], [True]], 0.4, 0.2)
DECODERS = [
    AffineDecoder(
        (_ACTS * _RNG.normal(size=(N_FACTORS, 128))).astype(np.float32),
        (0.4 * _RNG.normal(size=128)).astype(np.float32),
        logistic,
    )
    for logistic in (False, True)
]
#: At -1, 0 and 2 standard deviations; the second factor moves features of very different units.
EXPECTED = np.array(
    [
        [[1.0, 500.0, 7.0, 0.0], [2.0, 500.0, 7.0, 0.0], [3.0, 500.0, 7.0, 0.0]],
        [[2.0, 400.0, 7.5, 0.0], [2.0, 500.0, 7.0, 0.0], [2.0, 900.0, 6.0, 0.0]],
    ]
)


@pytest.fixture(scope="module")
def experiment(tiny_letters):  # noqa: F811
    return Experiment(tiny_letters, draws=2, n_components=2, vocabulary=TINY_WORDS)


@pytest.fixture(scope="module")
def page(experiment):
    """PCA and a binary MinSyn with decoders, ICA without one."""
    wide = np.zeros((1, 128), np.float32)
    images = {"maps": wide, "train_examples": wide, "test_examples": wide}
    cells = [finished_cell("ica", train_loss=40.0, acc=float("nan"))]
    for key, loss, decoder, z in zip(
        ("pca", "minsyn-bernoulli"), (50.0, 60.0), DECODERS, CODES, strict=True
    ):
        kept = {"latents": z, **decoder._asdict()}
        cells.append(finished_cell(key, 0, train_loss=loss, acc=0.5, **images, **kept))
        cells.append(finished_cell(key, 1, train_loss=loss - 1, acc=0.5))
    return benchmark_page(experiment, cells, summarise(cells))


@pytest.fixture(scope="module")
def seen(tmp_path_factory, page):
    """What is found on all pages, in one start of the browser."""
    panel = what_if_panel(
        WhatIf(
            ["z0", "z1"], ["a", "b & <b>", "c", "constant"], np.array([-1.0, 0.0, 2.0]), EXPECTED,
            np.array([1.0, 200.0, 0.5, 0.0]),
        )
    )  # fmt: skip
    pages = {
        "words": (page, ON_THE_BENCHMARK),
        "figure1": (figure1_explorer(), ON_FIGURE_1),
        "what-if": (f"<!DOCTYPE html><style></style><body>{panel}</body>", ON_WHAT_IF),
    }
    return visit(tmp_path_factory.mktemp("pages"), pages)


@pytest.mark.parametrize("name", ["words", "figure1", "what-if"])
def test_pages_work_without_faults_and_fit_a_phone(seen, name):
    assert seen[name]["faults"] == [] and not seen[name]["wide"]


def test_the_page_decodes_as_python_does(seen, page, experiment):
    found = seen["words"]["found"]
    z = CODES[:, [data_of(page)["words"].index("ot")]].astype(float)
    linear, logistic = DECODERS
    np.testing.assert_allclose(found["before"], ink(logistic(z[1])[0]), atol=1)
    z[1, :, 1] = 0.75
    np.testing.assert_allclose(found["after"], ink(logistic(z[1])[0]), atol=1)
    np.testing.assert_allclose(found["other"], ink(linear(z[0])[0]), atol=1)
    words = experiment.data(0)
    (row,) = np.flatnonzero(words.test_words == "tn")
    np.testing.assert_allclose(found["image"], ink(words.test[row]), atol=1)


def test_a_swap_takes_the_factors_that_act_on_the_letter(seen, page, experiment):
    found, words = seen["words"]["found"], data_of(page)["words"]
    linear, z = DECODERS[0], CODES[0].astype(float)
    groups = experiment.data(0).groups
    letters = []
    for k in range(N_FACTORS):
        ends = np.tile(z.mean(axis=0), (2, 1))
        ends[:, k] = z[:, k].min(), z[:, k].max()  # the 5 and 95 % quantiles of seven words
        change = np.diff(linear(ends), axis=0)[0] ** 2
        letters.append(np.argmax([change[groups == p].sum() for p in range(2)]))
    taken = np.equal(letters, 0)
    assert 0 < taken.sum() < N_FACTORS
    code = np.where(taken, z[words.index("it")], z[words.index("an")])
    np.testing.assert_allclose(found["swapped"], ink(linear(code[None])[0]), atol=1)
    assert f"{taken.sum()} of 3 factors taken" in found["swap"]


def test_the_page_answers_its_reader(seen):
    found = seen["words"]["found"]
    assert "No word “zz” here: words have one of aiot as letter 1, one of nt" in found["problem"]
    assert found["sorted"] == ["ICA", "PCA", "MinSyn (Binary)"] and found["labelled"]
    assert found["told"].startswith("MinSyn (Binary), draw 2: train loss 59.00")


def test_the_explorer_has_the_measures(seen):
    names = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")
    sigma, rho = [[1, 0.2], [0.2, 1]], [[-0.3], [0.75]]
    expected = [getattr(gaussian, name)(sigma, rho)[0] for name in names]
    np.testing.assert_allclose(seen["figure1"]["found"]["values"], expected, atol=6e-4)
    # Two sources so near the target have to agree.
    assert 0.805 < seen["figure1"]["found"]["sigma"] < 0.81
    assert all(re.fullmatch(r"\d+\.\d{3}", text) for text in seen["figure1"]["found"]["ends"])
    assert "Below ρ₁ρ₂ = 0.90" in seen["figure1"]["found"]["said"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": (0.5, 0.96)}, "two numbers from -0.95 to 0.95"),
        ({"rho": (0.5,)}, "two numbers from -0.95 to 0.95"),
        ({"rho": (0.5, np.nan)}, "rho must be a number"),
        ({"sigma12": 1.1}, "from -1 to 1"),
    ],
)
def test_correlations_that_the_explorer_does_not_have(arguments, message):
    with as_users_call(), pytest.raises(ValueError, match=message):
        figure1_explorer(**arguments)


def test_the_explorer_takes_single_precision():
    with as_users_call():
        page = figure1_explorer(np.array([0.5, 0.25], np.float32), np.float32(0.125))
    assert data_of(page) == {"rho": [0.5, 0.25], "sigma12": 0.125}


def test_what_if_is_in_the_units_of_the_features(seen):
    found = seen["what-if"]["found"]
    assert not found["hidden"]
    rows = [[cell.strip() for cell in row] for row in found["at"]]
    assert rows == [["b & <b>", "500", "900", "+400", ""], ["c", "7.000", "6.000", "-1.000", ""]]
    assert [row[2] for row in found["between"]] == ["450", "7.250"]


def test_a_page_needs_nothing_else(page):
    assert not re.search(r"https?:(?!//www.w3.org/2000/svg)|<link|@import|url\(", page)
    assert "Not to be played with: ICA." in page and "default-src 'none'" in page
    assert len(data_of(page)["methods"]) == 2


def test_pages_of_cells_without_decoders(experiment):
    page = benchmark_page(experiment, [finished_cell()], summarise([finished_cell()]))
    assert data_of(page)["methods"] == [] and 'id="traversal"' not in page
