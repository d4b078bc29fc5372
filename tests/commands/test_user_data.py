"""What `open_data` finds in a user's file, and says about it."""

import numpy as np
import pandas as pd
import pytest

from minsyn import MinSyn
from minsyn.commands._data import open_data, open_data_for
from minsyn.data import TableFormat

N = 300


@pytest.fixture(scope="module")
def survey():
    rng = np.random.default_rng(0)
    trait = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "id": np.arange(1, N + 1),
            "age": rng.integers(18, 90, N).astype(object),
            "item": np.clip(np.round(3 + trait + rng.normal(size=N)), 1, 5).astype(int),
            "income": (30_000 + 5_000 * trait + 3_000 * rng.normal(size=N)).round(2),
            "target": rng.integers(0, 2, N),
            "one": 1,
            "name": [f"p{i}" for i in range(N)],
            "country": rng.choice(["DE", "NA", "FR"], N),
            "empty": "",
        }
    )
    frame.loc[[3, 200], "age"] = "?"
    frame.loc[[3, 70, 90], "income"] = -999
    return frame


@pytest.fixture
def path(survey, tmp_path):
    survey.to_csv(tmp_path / "x.csv", index=False, sep=";", decimal=",")
    return tmp_path / "x.csv"


def test_everything_is_said(path):
    data = open_data(path)
    assert data.samples.feature_names == ("age", "item", "income", "target", "one")
    assert data.identifiers == ("id", "name") and data.left_out == ("id",)
    assert data.not_numbers == ("name", "country", "empty")
    assert data.carried == ("id", "name", "country", "empty")
    assert data.missing == {"age": 2} and data.missing_marks == {"age": {"?": 2}}
    assert data.statistics.n_missing.tolist() == [2, 0, 0, 0, 0]
    assert data.notes == (
        "values are separated by semicolons",
        "numbers are read with decimal commas",
        "left out, identifiers: id, name; --columns chooses the features",
        "left out, not numeric: country",
        "left out, without values: empty",
        "column target is used as a feature; leave it out with --drop target",
        "missing: 2 of 1,500 values (0.1%), in column age",
        "'?' read as missing in column age (2)",
        "column income holds -999 in 3 rows: if it means a missing value, give --missing -999",
        "constant: one; it is kept as a feature without weight",
    )
    assert data.columns(["id", "country"]).country.isin(["DE", "NA", "FR"]).all()


def test_what_the_user_says(path):
    table = TableFormat(missing=("-999",))
    data = open_data(path, ["id", "income", "age"], table=table)
    assert data.samples.feature_names == ("id", "income", "age")
    assert data.identifiers == ("name",) and data.left_out == ("item", "target", "one")
    assert data.missing == {"income": 3, "age": 2}
    assert "'-999' read as missing in column income (3)" in data.notes
    assert "missing: 5 of 900 values (0.6%), in 2 columns, most in income (3)" in data.notes
    assert "left out, not chosen: item, target, one" in data.notes
    data = open_data(path, drop=["target", "one", "id"])
    assert data.samples.feature_names == ("age", "item", "income")
    assert not any("target" in note and "--drop" in note for note in data.notes)


def test_doubtful_columns_are_decided_upon(survey, tmp_path):
    frame = survey[["age", "item", "income"]].copy()
    frame.loc[10, "age"] = "80+"
    frame["mixed"] = np.where(np.arange(N) % 3 == 0, "none of them", np.arange(N).astype(str))
    frame["price"] = [f"1,{i:03}" for i in range(N)]
    frame.to_csv(tmp_path / "x.csv", index=False)
    for columns in (None, ["age", "item"]):
        with pytest.raises(ValueError, match=r"'age' holds '80\+' in line 12 .*--missing 80\+\)"):
            open_data(tmp_path / "x.csv", columns)
    data = open_data(tmp_path / "x.csv", drop=["age"])
    assert data.samples.feature_names == ("item", "income") and not data.identifiers
    assert any(
        note.startswith("column mixed is left out as text: 100 of 300") for note in data.notes
    )
    assert "column price is left out: '1,000' and the like are not plain numbers" in data.notes
    assert open_data(tmp_path / "x.csv", table=TableFormat(missing=("80+",))).missing["age"] == 3
    (tmp_path / "y.csv").write_text("id,name\n1,a\n2,b\n3,c\n")
    with pytest.raises(ValueError, match=r"no numeric columns left .*; --columns id keeps 'id'"):
        open_data(tmp_path / "y.csv")


def test_answers_in_words_are_read_as_numbers(tmp_path):
    rows = [("Yes", "n", "1 - never", "3: now and then", "red"), ("no", "Y", "2", "", "blue")]
    lines = [
        ",".join(("smokes", "tea", "q1", "q2", "colour")),
        *(",".join(rows[i % 2]) for i in range(9)),
    ]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    data = open_data(tmp_path / "x.csv")
    assert data.samples.feature_names == ("smokes", "tea", "q1", "q2")
    (block,) = data.samples.blocks(missing=True)
    np.testing.assert_array_equal(block[:2], [[1, 0, 1, 3], [0, 1, 2, np.nan]])
    assert data.notes[:2] == (
        "answers read as numbers: smokes (yes as 1, no as 0), tea (y as 1, n as 0), "
        "q1 ('1 - never' as 1), q2 ('3: now and then' as 3)",
        "left out, not numeric: colour",
    )
    model = MinSyn(1, random_state=0).fit(pd.DataFrame({"smokes": [1.0, 0, 1], "tea": [0.0, 1, 1]}))
    (tmp_path / "few.csv").write_text("smokes,tea\nno,Y\nno,y\n")
    (block,) = open_data_for(model, tmp_path / "few.csv").samples.blocks()
    assert block.tolist() == [[0, 1], [0, 1]]
    (tmp_path / "text.csv").write_text("mood,tea\ngood,maybe\nbad,y\ngood,n\n")
    message = "mood holds 'good' and 'bad'; tea holds 'maybe' and 'y'. Write what they mean as"
    with pytest.raises(ValueError, match=message):
        open_data(tmp_path / "text.csv")


def test_dates_and_counters_are_pointed_out(tmp_path):
    rng = np.random.default_rng(0)
    day = np.arange(20240101, 20240129)
    frame = pd.DataFrame(rng.normal(size=(28, 2)), columns=["response time", "score"])
    frame.insert(0, "day", rng.permutation(day))
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert open_data(tmp_path / "x.csv").notes == (
        "column day looks like a date or counter and is used as a feature; leave it out with "
        "--drop day",
    )
    frame["Trial"], frame["s (1)"] = rng.integers(1, 9, 28), (np.arange(28) / 30).round(3)
    frame["sorted"] = np.sort(frame.score)
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert open_data(tmp_path / "x.csv").notes == (
        "columns that look like dates or counters are used as features: day, Trial, s (1); leave "
        "them out with --drop day Trial 's (1)'",
    )


def test_one_gross_outlier_is_said(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(170, 8, size=(80, 2)).round(1), columns=["size", "other"])
    frame["rare"], frame["wide"] = 0.0, rng.normal(size=80)  # neither is ordinary
    frame.loc[5, "rare"], frame.loc[[5, 6], "wide"] = 1, [300, 120]
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert open_data(tmp_path / "x.csv").notes == ()
    frame.loc[7, "size"], frame.loc[9, "other"], frame.loc[10, "other"] = 1.72e12, 420, np.nan
    frame.to_csv(tmp_path / "x.csv", index=False)
    (note,) = [note for note in open_data(tmp_path / "x.csv").notes if "robust" in note]
    assert note.startswith("column size holds 1.72e+12 in line 9, ")
    frame["size"] = 1.0
    frame.to_csv(tmp_path / "x.csv", index=False)
    (note,) = [note for note in open_data(tmp_path / "x.csv").notes if "robust" in note]
    assert note.startswith("column other holds 420 in line 11, ")


def test_an_index_is_called_what_it_is(tmp_path):
    for first, note in [("1", "left out: row numbers"), ("r1", "left out, not numeric: the index")]:
        (tmp_path / "x.csv").write_text(f",a,b\n{first},3,4\n2,5,9\n3,1,9\n")
        assert open_data(tmp_path / "x.csv").notes == (note,)


def test_data_for_a_model(survey, path, tmp_path):
    features = survey[["income", "item"]]
    model = MinSyn(1, standardize=True, random_state=0).fit(features.astype(float))
    data = open_data_for(model, path)
    assert data.samples.feature_names == ("income", "item")
    assert data.carried == ("id", "name", "country", "empty")
    kept = MinSyn(1, random_state=0).fit(survey[["id", "item"]].astype(float))
    assert open_data_for(kept, path).identifiers == ("name",)
    np.save(tmp_path / "x.npy", features.to_numpy())
    assert open_data_for(model, tmp_path / "x.npy").samples.n_samples == N
    with pytest.raises(ValueError, match="an array has no column names"):
        open_data(tmp_path / "x.npy", ["a"])


def test_arrays_are_described(tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[:5, 1], x[7, 2], x[:, 0] = 9999, np.nan, 2
    np.save(tmp_path / "x.npy", x)
    assert open_data(tmp_path / "x.npy").notes == (
        "missing: 1 of 150 values (0.7%), in column x2",
        "column x1 holds 9999 in 5 rows: if it means a missing value, give --missing 9999",
        "constant: x0; it is kept as a feature without weight",
    )
    assert open_data(tmp_path / "x.npy", table=TableFormat(missing=("9999",))).missing["x1"] == 5


def test_codes_of_many_columns_are_one_note(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 12))
    x[:4, :11], x[5:9, 11] = -999, -77
    np.save(tmp_path / "x.npy", x)
    cure = "if it means a missing value, give --missing"
    assert open_data(tmp_path / "x.npy", again=" --overwrite").notes == (
        f"11 columns hold -999 (44 cells): {cure} -999 --overwrite",
        f"column x11 holds -77 in 4 rows: {cure} -77 --overwrite",
    )


def test_variables_of_anndata(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.arange(8.0).reshape(4, 2)
        file["var/_index"] = np.array(["g", "h"], dtype=h5py.string_dtype())
    data = open_data(tmp_path / "x.h5ad", drop=["g"])
    assert data.samples.feature_names == ("h",) and data.notes == ("left out, not chosen: g",)
    model = MinSyn(1, random_state=0).fit(pd.DataFrame({"h": [1.0, 2, 4], "g": [2.0, 5, 1]}))
    assert open_data_for(model, tmp_path / "x.h5ad").samples.feature_names == ("h", "g")


def test_text_of_a_questionnaire_is_pointed_out(tmp_path):
    rng = np.random.default_rng(0)
    scale = ["disagree", "neutral", "agree"]
    frame = pd.DataFrame({f"q{i}": rng.choice(scale, 60) for i in range(3)})
    frame["q2"] = frame["q2"].replace("neutral", "agree")
    frame["age"], frame["town"] = rng.normal(size=60), rng.choice(["Ulm", "Rom"], 60)
    frame.to_csv(tmp_path / "x.csv", index=False)
    (note,) = [note for note in open_data(tmp_path / "x.csv").notes if "answers" in note]
    assert note.startswith("3 of these hold the same answers, such as 'agree' and '")
    notes = open_data(tmp_path / "x.csv", drop=["q0"]).notes
    assert not any("answers" in note for note in notes)


def test_series_and_counts_are_pointed_out(tmp_path):
    rng = np.random.default_rng(0)
    walk = pd.DataFrame(rng.normal(size=(80, 3)).cumsum(axis=0), columns=list("abc"))
    counts = pd.DataFrame(rng.poisson(rng.lognormal(3, 1, (80, 3))), columns=list("abc"))
    for name, frame, said in [
        ("walk", walk, "rows resemble their neighbours"),
        ("shuffled", walk.sample(frac=1, random_state=0), None),
        ("counts", counts, "features are counts"),
        ("logs", np.log1p(counts), None),
    ]:
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        notes = open_data(tmp_path / f"{name}.csv").notes
        assert [note for note in notes if said and note.startswith(said)] or not notes
        assert bool(notes) == (said is not None)
