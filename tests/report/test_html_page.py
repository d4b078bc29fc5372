"""Tables of factors for the terminal, and the report: one page without network."""

import io
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from minsyn.information import PairwiseStatistics, synergy_from_statistics
from minsyn.metrics import loadings, parallel_analysis
from minsyn.report import (
    FactorReport,
    correlation_table,
    factor_page,
    loading_rows,
    loading_tables,
    synergy_table,
)

MEASURES = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")


def statistics_of(n_factors, n_features, seed=0):
    """Each feature has one factor; the last none."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(200, n_factors))
    signs = np.where(np.arange(n_features) % 3 == 1, -2.0, 2.0)
    x = z[:, np.arange(n_features) % n_factors] * signs + rng.normal(size=(200, n_features))
    x[:, -1] = rng.normal(size=200)
    return PairwiseStatistics.of(z, x)


def report_of(n_factors=3, n_features=9, names=None, **more):
    statistics = statistics_of(n_factors, n_features)
    table = loadings(statistics, names)
    synergy = synergy_from_statistics(statistics, targets=names, measures=MEASURES)
    return FactorReport(
        title="Factors of a & b.csv",
        lead="lead",
        rows=loading_rows(table),
        explained={"explained alone": table.explained_alone.tolist()},
        synergy=synergy,
        facts={"data": "a & b.csv"},
        **more,
    )


def printed(table, width=200):
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(table)
    return console.file.getvalue()


class Page(HTMLParser):
    """Rows of cells of each table, and where pictures come from."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.sources, self.open = [], [], []
        self.feed(text)
        assert not self.open, "tags that are not closed"

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "img":
            self.sources.append(dict(attributes)["src"])
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and {"td", "th"} & {*self.open}:
            self.tables[-1][-1][-1] += data


def test_features_are_listed_under_their_factor_and_weak_ones_last():
    rows = loading_rows(loadings(statistics_of(3, 9)))
    names = [[rows.loadings.feature_names[i] for i in section] for section in rows.sections]
    assert [len(section) for section in names] == [3, 3, 2, 1] and names[-1] == ["x8"]
    assert rows.text(int(rows.sections[-1][0]), 0) == "" and rows.n_hidden == 0
    some = loading_rows(loadings(statistics_of(3, 9)), top=2)
    assert [len(section) for section in some.sections] == [2, 2, 2] and some.n_hidden == 3
    many = loading_rows(loadings(statistics_of(2, 90)))
    assert sum(map(len, many.sections)) == 20 and many.n_hidden == 70


def test_tables_of_the_terminal_hold_every_loading_once_whatever_the_width():
    table = loadings(statistics_of(5, 20))
    rows = loading_rows(table)
    strong = sorted(f"{v:.2f}" for v in table.values.ravel() if abs(v) >= 0.3)
    for width in (30, 60, 200):
        parts = loading_tables(
            rows, {"explained alone": table.explained_alone.tolist()}, width=width
        )
        text = [printed(part, width=200) for part in parts]
        assert len(parts) == {30: 5, 60: 2, 200: 1}[width]
        found = re.findall(
            r"-?\d\.\d\d", "".join(line for t in text for line in t.splitlines(True))
        )
        cells = [c for part in parts for column in part.columns[1:-2] for c in column.cells]
        values = [re.sub(r"\[/?bold\]", "", c) for c in cells if c and "%" not in c]
        assert sorted(values) == strong and set(values) <= set(found)
        assert max(len(line) for t in text for line in t.splitlines()) <= max(width, 60)
    assert all(f"{share:.1%}" in text[0] for share in table.explained_alone)


def test_correlations_are_a_triangle_or_the_strong_ones():
    table = loadings(statistics_of(4, 20))
    assert printed(correlation_table(table)).count("0.") == 6
    assert correlation_table(table, width=20) is None
    listed = printed(correlation_table(table, width=20, list_from=0.0))
    assert listed.count(" and ") == 6
    assert correlation_table(loadings(statistics_of(1, 4))) is None


def test_synergy_table_lists_the_features_of_most():
    report = report_of()
    lines = printed(synergy_table(report.synergy, top=2)).split("\n")
    best = np.argsort(-report.synergy["gk_synergy"])[:2]
    shown = [line.split()[0] for line in lines if re.match(r"x\d", line)]
    assert shown == [report.synergy.targets[i] for i in best]


def test_the_page_is_whole_and_needs_nothing_else():
    names = ["<b>", '"quoted"', "a & b", "d", "e", "f", "g", "h", "x" * 99]
    scree = parallel_analysis(np.eye(9), 200, random_state=0)
    report = report_of(names=names, scree=scree, notes=["<i>"], about_synergy=["5 < 6"])
    text = factor_page(report)
    page = Page(text)
    loading, correlation, synergy, facts = page.tables
    assert {row[0] for row in loading[1:-1]} == {*names}
    assert len(correlation) == 3 and facts == [["data", "a & b.csv"]]
    assert synergy[1][0] == "all features"
    assert not re.search(r"https?:|<script|<link|@import|url\(", text)
    assert "default-src 'none'" in text
    assert len(page.sources) == 2  # paths, scree
    for source in page.sources:
        kind, content = source.split(",", 1)
        assert kind == "data:image/svg+xml;base64" and b"<svg" in b64decode(content)
    assert "<i>" not in text and "&lt;i&gt;" in text
    assert factor_page(report) == text


def test_letters_that_the_font_lacks_are_left_to_the_reader(recwarn):
    page = Page(factor_page(report_of(names=[*"abcdefgh", "日本語"])))
    assert "日本語".encode() in b64decode(page.sources[0].split(",")[1])
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 2), (9, 81)])
def test_pages_of_other_sizes(n_factors, n_features):
    groups = [f"group {j % 2}" for j in range(n_factors)] if n_factors > 1 else []
    page = Page(factor_page(report_of(n_factors, n_features, groups=groups)))
    heads = page.tables[0][0]
    assert len(heads) == n_factors + 3 and all(len(row) == len(heads) for row in page.tables[0])
    assert len(page.tables) == (4 if n_factors > 1 else 3)
    assert ("group 1" in "".join(heads)) == bool(groups)
