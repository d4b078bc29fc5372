"""fit, transform and inspect on a user's own files, as they are typed."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from minsyn import MinSyn
from minsyn.cli import app
from minsyn.information import PairwiseStatistics
from minsyn.metrics import summarise_factors

FEATURES = ["a", "b", "c", "d", "e, f"]
QUICK = ("--solver", "lbfgs", "--max-iter", 8)


def run(*words):
    return CliRunner().invoke(app, [str(w) for w in words], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    causes = rng.exponential(size=(150, 2))
    x = causes[:, [0, 0, 1, 1, 1]] * [1, 20, 3, 400, 1] + 0.2 * rng.normal(size=(150, 5))
    frame = pd.DataFrame(x, columns=FEATURES)
    frame.insert(0, "name", [f"sample {i}" for i in range(150)])
    frame["count"] = np.arange(150)
    return frame


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    """The table in every kind of file, and a model of it."""
    folder = tmp_path_factory.mktemp("own")
    table.to_csv(folder / "x.csv", index=False)
    np.save(folder / "x.npy", table[FEATURES].to_numpy())  # in Fortran order
    np.savez(folder / "x.npz", np.ascontiguousarray(table[FEATURES]))
    words = ("--n-components", 2, "--scale", "standard", "--drop", "count", *QUICK)
    result = run("fit", folder / "x.csv", "--output", folder / "model", *words)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def model(folder):
    return MinSyn.load(folder / "model")


def test_fit_says_what_it_does(folder, tmp_path):
    result = run("fit", folder / "x.csv", "--n-components", 2, "--output", tmp_path / "m", *QUICK)
    assert result.exit_code == 0, result.output
    for said in (
        "150 samples of 6 features",
        "not numbers, left out: name",
        "--scale standard lets them count alike",
        "2 factors explain",
        f"minsyn inspect {tmp_path / 'm'}",
    ):
        assert said in result.output
    quiet = run(
        "fit", folder / "x.csv", "--n-components", 2, "--output", tmp_path / "m", *QUICK, "-q"
    )  # again, into the same folder
    assert quiet.exit_code == 0 and quiet.stdout == ""


def test_a_large_table_is_passed_over_by_blocks(folder, tmp_path, monkeypatch):
    words = ("--n-components", 2, "--scale", "standard", "--drop", "count", "--max-iter", 8)
    words += ("--solver", "adam")
    for model in ("whole", "blocks"):
        result = run("fit", folder / "x.csv", "--output", tmp_path / model, *words)
        assert result.exit_code == 0, result.output
        monkeypatch.setattr("minsyn.commands.fit._WHOLE_BYTES", 0)
    whole, blocks = MinSyn.load(tmp_path / "whole"), MinSyn.load(tmp_path / "blocks")
    np.testing.assert_allclose(blocks.components_, whole.components_, rtol=1e-3, atol=1e-4)
    assert list(blocks.feature_names_in_) == list(whole.feature_names_in_) == FEATURES


def test_a_missing_header_is_noticed(tmp_path):
    np.savetxt(tmp_path / "x.csv", np.random.default_rng(0).random((20, 3)), delimiter=",")
    result = run("fit", tmp_path / "x.csv", "--n-components", 1, "--output", tmp_path / "m", *QUICK)
    assert result.exit_code == 0 and "is the header missing?" in result.output


def test_the_model_takes_the_data_as_they_are(model, table):
    X = table[FEATURES]
    standard = (X - X.mean()) / X.std(ddof=0)
    expected = MinSyn(2, solver="lbfgs", max_iter=8, random_state=0).fit(standard)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(model.transform(X), expected.transform(standard), rtol=1e-5)
    again = (model.reconstruct(X) - X.mean().to_numpy()) / X.std(ddof=0).to_numpy()
    np.testing.assert_allclose(again, expected.reconstruct(standard), atol=1e-4)
    assert list(model.feature_names_in_) == FEATURES


@pytest.mark.parametrize("kind", ["csv", "npy", "npz", "parquet"])
def test_any_file_gives_the_same_model_and_the_same_latents(folder, table, model, tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        table.to_parquet(tmp_path / "x.parquet")
    data = (tmp_path if kind == "parquet" else folder) / f"x.{kind}"
    words = ["--n-components", 2, "--scale", "standard", *QUICK, "-q"]
    if kind in ("csv", "parquet"):
        words += ["--columns", "a", "b", "c", "d", "e, f"]
    result = run("fit", data, "--output", tmp_path / "model", *words)
    assert result.exit_code == 0, result.output
    again = MinSyn.load(tmp_path / "model")
    np.testing.assert_allclose(again.components_, model.components_, rtol=1e-5)
    output = tmp_path / "new" / f"z.{kind}"
    result = run("transform", folder / "model", data, "--output", output)
    assert result.exit_code == 0, result.output
    assert "150 samples, 2 factors" in result.output
    expected = model.transform(table[FEATURES])
    if kind == "npy":
        found = np.load(output)
    elif kind == "npz":
        found = np.load(output)["factors"]
        assert np.load(output)["names"].tolist() == ["minsyn0", "minsyn1"]
    else:
        frame = pd.read_csv(output) if kind == "csv" else pd.read_parquet(output)
        assert list(frame.columns) == ["name", "minsyn0", "minsyn1"]
        assert frame.name.tolist() == table.name.tolist()
        found = frame[["minsyn0", "minsyn1"]].to_numpy()
    np.testing.assert_allclose(found, expected)


def test_other_data_of_the_same_features(folder, table, model, tmp_path):
    other = table.iloc[:20][["d", "count", "a", "e, f", "c", "b", "name"]]  # in another order
    other.to_csv(tmp_path / "y.csv")  # with an index
    output = tmp_path / "z.csv"
    result = run("transform", folder / "model", tmp_path / "y.csv", "--output", output)
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(output)
    assert list(frame.columns) == ["index", "name", "minsyn0", "minsyn1"]
    np.testing.assert_allclose(frame.minsyn1, model.transform(table[FEATURES])[:20, 1])
    for keep, columns in [(["count", "a"], ["count", "a"]), (["none"], [])]:
        words = ("--output", output, "--keep", *keep)
        assert run("transform", folder / "model", tmp_path / "y.csv", *words).exit_code == 0
        assert list(pd.read_csv(output).columns) == [*columns, "minsyn0", "minsyn1"]


def test_text_does_not_go_into_npy_but_into_npz(folder, table, tmp_path):
    npy = run("transform", folder / "model", folder / "x.csv", "--output", tmp_path / "z.npy")
    assert npy.exit_code == 0 and "not written: name" in npy.output
    npz = run("transform", folder / "model", folder / "x.csv", "--output", tmp_path / "z.npz")
    assert npz.exit_code == 0
    assert np.load(tmp_path / "z.npz")["name"].tolist() == table.name.tolist()  # without pickle


def test_inspect(folder, model, table, tmp_path):
    figure, numbers = tmp_path / "deep" / "f.png", tmp_path / "f.csv"
    words = ("--top", 3, "--figure", figure, "--dpi", 50, "--output", numbers)
    result = run("inspect", folder / "model", *words)
    assert result.exit_code == 0, result.output
    unit = table[FEATURES].std(ddof=0).to_numpy()
    summary = summarise_factors(model.statistics_, unit)
    for said in (
        "features count alike",
        f"2 factors explain {summary.explained:.1%} of the variance of 5 features",
        f"explains {summary.explained_alone[0]:.1%}, of which {summary.explained_only[0]:.1%}",
        f"{summary.gk_synergy.sum():.2f}",
    ):
        assert said in result.output
    assert figure.read_bytes().startswith(b"\x89PNG")
    frame = pd.read_csv(numbers)
    assert len(frame) == 10
    np.testing.assert_allclose(frame.correlation, summary.correlation.ravel())
    np.testing.assert_allclose(frame.component, model.components_.ravel())


def test_inspect_on_other_data(folder, model, table, tmp_path):
    table.iloc[:30].to_csv(tmp_path / "y.csv", index=False)
    numbers = tmp_path / "f.csv"
    words = ("--data", tmp_path / "y.csv", "--output", numbers)
    result = run("inspect", folder / "model", *words)
    assert result.exit_code == 0, result.output
    x = table[FEATURES].iloc[:30]
    expected = summarise_factors(PairwiseStatistics.of(model.transform(x), x.to_numpy()))
    frame = pd.read_csv(numbers)
    np.testing.assert_allclose(frame.correlation, expected.correlation.ravel())
    np.testing.assert_allclose(frame.gk_synergy_bits[:5], expected.gk_synergy)


def test_bernoulli(folder, table, tmp_path):
    words = ("--n-components", 2, "--decoder", "bernoulli", "--drop", "count", *QUICK)
    plain = run("fit", folder / "x.csv", "--output", tmp_path / "m", *words)
    assert plain.exit_code == 1
    assert "outside the [0, 1] of --decoder bernoulli: take --scale range" in plain.stderr
    ranged = run("fit", folder / "x.csv", "--output", tmp_path / "m", *words, "--scale", "range")
    assert ranged.exit_code == 0, ranged.output
    Z = MinSyn.load(tmp_path / "m").transform(table[FEATURES])
    assert 0 <= Z.min() < 0.5 < Z.max() <= 1
    shown = run("inspect", tmp_path / "m")
    assert shown.exit_code == 0 and "log odds" in shown.output


def test_pixels(rng, tmp_path):
    np.save(tmp_path / "x.npy", rng.random((40, 12)))
    words = ("--n-components", 2, *QUICK, "-q")
    assert run("fit", tmp_path / "x.npy", "--output", tmp_path / "m", *words).exit_code == 0
    words = ("--figure", tmp_path / "f.pdf", "--image-shape")
    shown = run("inspect", tmp_path / "m", *words, "3x4")
    assert shown.exit_code == 0 and (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    assert "features count by their variance" in shown.output
    wrong = run("inspect", tmp_path / "m", *words, "3x5")
    assert wrong.exit_code == 1 and "15 pixels" in wrong.stderr
    worse = run("inspect", tmp_path / "m", *words, "3")
    assert worse.exit_code == 1 and "HEIGHTxWIDTH" in worse.stderr


def test_a_model_that_has_not_settled_is_saved_with_a_warning(folder, tmp_path):
    words = ("--n-components", 2, "--max-iter", 1, "--solver", "lbfgs", "-q")
    result = run("fit", folder / "x.npy", "--output", tmp_path / "m", *words)
    assert result.exit_code == 0
    assert "Warning: MinSyn stopped at max_iter=1" in result.stderr
    MinSyn.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "absent.csv"), "no such file"),
        (("fit", "x.txt"), "expected a file ending in .npy, .npz, .parquet, .csv"),
        (("fit", "holes.csv"), "column 'b' has missing values, the first in row 1"),
        (("fit", "text.csv"), "no column of numbers left"),
        (("fit", "empty.csv"), "is empty"),
        (("fit", "nan.npy"), "row 3, column 1 is nan"),
        (("fit", "complex.npy"), "real numbers; found complex128"),
        (("fit", "x.csv", "--columns", "q"), "--columns: no column 'q'; there are name, a, b"),
        (("fit", "x.csv", "--columns", "name"), "'name' does not hold numbers"),
        (("fit", "x.csv", "--drop", "q"), "--drop: no column 'q'"),
        (("fit", "x.npy", "--columns", "a"), "only .csv and .parquet files have columns"),
        (("fit", "x.csv", "--decoder", "poisson"), "expected gaussian or bernoulli"),
        (("fit", "x.csv", "--scale", "log"), "expected none, standard, range"),
        (("fit", "x.csv", "--scale", "standard", "--decoder", "bernoulli"), "take --scale range"),
        (("fit", "x.csv", "--n-components", "9"), "must be at most the number of features"),
        (("fit", "x.csv", "--solver", "sgd"), "solver"),
        (("fit", "x.csv", "--output", "x.npy"), "a model is a folder, and this is a file"),
        (("fit", "x.csv", "--output", "."), "holds other things than a model"),
        (("transform", "model", "x.csv", "--output", "z.xlsx"), "expected a name ending in .csv"),
        (("transform", "absent", "x.csv", "--output", "z.csv"), "holds no saved model"),
        (("transform", "model", "narrow.csv", "--output", "z.csv"), "lacks columns that the model"),
        (("transform", "model", "narrow.npy", "--output", "z.csv"), "has 2 features, the model"),
        (("transform", "model", "x.csv", "--output", "z.csv", "--keep", "q"), "--keep: no column"),
        (("inspect", "absent"), "holds no saved model"),
        (("inspect", "model", "--figure", "f.docx"), "docx"),
        (("inspect", "model", "--output", "f.txt"), "ending in .csv"),
        (("inspect", "damaged"), "fit.json is damaged"),
    ],
)
def test_errors_are_one_line(folder, monkeypatch, words, message):
    monkeypatch.chdir(folder)
    (folder / "empty.csv").write_text("")
    (folder / "text.csv").write_text("a,b\nx,y\n")
    (folder / "narrow.csv").write_text("a,b\n1,2\n3,4\n")
    (folder / "holes.csv").write_text("a,b\n1.5,2\n3,\n4,5\n")
    (folder / "x.txt").write_text("1 2\n")
    hole = np.ones((9, 5))
    hole[3, 1] = np.nan
    np.save("nan.npy", hole)
    np.save("complex.npy", np.ones((3, 2), complex))
    np.save("narrow.npy", np.ones((3, 2)))
    MinSyn.load("model").save("damaged")
    (folder / "damaged" / "fit.json").write_text("{")
    more = []
    if words[0] == "fit":
        more += ["--n-components", "2"] * ("--n-components" not in words)
        more += ["--output", "m"] * ("--output" not in words)
    result = run(*words, *more)
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Error: ")
    assert isinstance(result.exception, SystemExit)


def test_ctrl_c(folder, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(MinSyn, "fit", interrupted)
    result = run("fit", folder / "x.npy", "--n-components", 2, "--output", tmp_path / "m", "-q")
    assert result.exit_code == 130 and result.stderr == "Stopped.\n"
    assert not (tmp_path / "m").exists()


def test_as_a_program(table, tmp_path):
    table.to_csv(tmp_path / "x.csv", index=False)

    words = ["fit", "x.csv", "--n-components", 2, "--output", "m", *QUICK]
    words = [sys.executable, "-m", "minsyn", *map(str, words)]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 factors explain" in done.stdout
    assert MinSyn.load(tmp_path / "m").n_features_in_ == 6


def test_help_loads_no_torch():
    code = (
        "import sys\nfrom minsyn.cli import app\n"
        "try:\n    app(['fit', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'torch', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--n-components" in done.stdout
