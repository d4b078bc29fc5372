"""The numbers of the page of measures are those that the measures have."""

from pathlib import Path

import pytest

from minsyn.information import discrete, examples

PAGE = Path(__file__).parents[2] / "docs" / "measures" / "index.md"
MEASURES = {
    "I": discrete.mutual_information,
    "U": lambda p: discrete.union_information(p).value,
    "GK": discrete.gk_synergy,
    "CI": discrete.ci_synergy,
    "WMS": discrete.whole_minus_sum,
    "S_max": discrete.s_max,
    "I_min": discrete.imin_redundancy,
    "O": discrete.o_information,
}


def table():
    rows = [
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in PAGE.read_text().split("## Numbers")[1].splitlines()
        if line.startswith("|")
    ]
    return rows[0][1:], {row[0]: row[1:] for row in rows[2:]}


def test_numbers_of_the_page():
    names, rows = table()
    assert len(rows) == 7 and names == list(MEASURES)
    for example, values in rows.items():
        p = examples.EXAMPLES[example]()
        for name, value in zip(names, values, strict=True):
            assert float(value) == pytest.approx(MEASURES[name](p), abs=6e-4), (example, name)
