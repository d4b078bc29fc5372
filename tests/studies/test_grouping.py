import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from studies import grouping
from studies.grouping import ROWS, app, grouping_table, measure, oracle_labels


@pytest.mark.parametrize(
    "key", ["noise-groups", "two-parents", "binary", "heavy", "genes", "words"]
)
def test_tables_are_what_their_labels_say(key):
    X, groups, n_dimensions = ROWS[key].draw(np.random.default_rng(0))
    assert X.shape[1] == len(groups) and np.isfinite(X).all() and np.all(X.std(axis=0) > 0)
    assert n_dimensions >= groups.max() + 1
    if key == "noise-groups":
        assert np.bincount(groups + 1).tolist() == [9, 12, 12, 12] and n_dimensions == 6
    if key == "binary":
        assert set(np.unique(X)) == {0, 1}


def test_dependent_letters_depend():
    X, groups, _ = ROWS["markov-9"].draw(np.random.default_rng(0))
    codes = [np.unique(X[:, groups == k], axis=0, return_inverse=True)[1].ravel() for k in range(2)]
    pairs = np.unique(np.column_stack(codes), axis=0, return_counts=True)[1]
    assert np.sort(pairs)[::-1][:8].sum() > 0.85 * len(X)


def test_measures_the_product_and_an_oracle():
    scores = measure(ROWS["clusters-50"], 0)
    assert scores["groups"] == scores["true_groups"] == 6
    assert scores["ari"] == scores["oracle"] == 1 and 0 < scores["clarity"] <= 1


def test_an_oracle_of_one_group_has_nothing_to_do():
    (labels,) = oracle_labels(ROWS["one-cause"].draw(np.random.default_rng(0)))
    assert not labels.any()


def test_table_counts_only_kinds_that_were_not_tuned():
    scores = {"groups": 5, "true_groups": 5, "ari": 1.0, "wrong": 0, "clarity": 0.5}
    scores |= {"oracle": 1.0, "seconds": 0.1, "seed": 0}
    frame = pd.DataFrame({"key": key, **scores} for key in ("words", "heavy", "binary"))
    frame.loc[2, "ari"] = 0.5
    text = grouping_table(frame, "the command")
    assert "| 6 causes of 10 columns, heavy tails, N = 300 |  | 5 | 1.00 |" in text
    assert "Of the 2 other kinds, an oracle has an ARI of 0.95 or more on 2; on 1 of these" in text


def test_command(tmp_path, monkeypatch):
    seen = []

    def measured(row, seed):
        if row is ROWS["bfi-300"]:
            raise ImportError("a package is missing")
        seen.append(seed)
        return {"groups": 1, "true_groups": 1, "ari": 1.0, "wrong": 0, "clarity": 1.0} | {
            "oracle": 1.0,
            "seconds": 0.1,
        }

    monkeypatch.setattr(grouping, "measure", measured)
    options = ("--seeds", "2", "--rows", "one-cause,bfi-300,heavy", "--output", str(tmp_path))
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert seen == [0, 1, 2000, 2001]
    assert "bfi-300: left out, as a package is missing" in result.output
    assert len(pd.read_csv(tmp_path / "grouping.csv")) == 4
    assert "one cause, 20 columns" in (tmp_path / "grouping.md").read_text()


def test_compares_rules(tmp_path):
    options = ("--rules", "--seeds", "2", "--rows", "clusters-30,one-group", "--output", tmp_path)
    result = CliRunner().invoke(app, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(tmp_path / "rules.csv")
    right = (frame.groups == frame.true_groups).groupby([frame.key, frame.rule]).mean()
    assert right["one-group"].to_dict() == {
        "present": 1,
        "falls": 1,
        "information": 1,
        "modularity": 0,
        "eigenvalue": 0,
    }
    table = (tmp_path / "rules.md").read_text()
    assert "| one group of 4 causes, 30 columns, N = 500 | tuned | 1.00 (1.00) |" in table
    assert "**all other kinds**" in table and "--seeds 2 --rows clusters-30,one-group --ru" in table


def test_unknown_rows(tmp_path):
    result = CliRunner().invoke(app, ["--rows", "colour", "--output", str(tmp_path)])
    assert result.exit_code == 1 and "'colour' is unknown" in result.output
