"""fit, transform and inspect on a user's own files, as they are typed."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from minsyn import AutoEncoder, MinSyn, VectorMinSyn
from minsyn.cli import app
from minsyn.commands._description import Description
from minsyn.data import TableFormat
from minsyn.estimators import load_model
from minsyn.information import PairwiseStatistics
from minsyn.metrics import summarise_factors
from minsyn.nn import DECODERS, GaussianDecoder

FEATURES = ["a", "b", "c", "d", "e, f"]
MEASURES = ("mutual_information", "union_information", "gk_synergy")
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
        "150 samples of 5 features",
        "left out, identifiers: name, count; --columns chooses the features",
        "standardised: all features count alike (--scale none: by their variance)",
        "2 factors explain",
        f"minsyn inspect {tmp_path / 'm'}",
    ):
        assert said in result.output
    assert "MinSyn, start" not in result.output + result.stderr  # in a terminal only
    quiet = run(
        "fit", folder / "x.csv", "--n-components", 2, "--output", tmp_path / "m", *QUICK, "-q",
        "--overwrite",
    )  # fmt: skip
    assert quiet.exit_code == 0 and quiet.stdout == ""
    held = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    kinds = sorted(Path(name).stem.split("-")[0] + Path(name).suffix for name in held)
    assert kinds == ["arrays.safetensors", "fit.json", "fit.safetensors", "model.json"]


def test_a_large_table_is_passed_over_by_blocks(folder, tmp_path, monkeypatch):
    words = ("--n-components", 2, "--scale", "standard", "--drop", "count", "--max-iter", 8)
    words += ("--solver", "adam", "--batch-size", 50)
    for model in ("whole", "blocks"):
        result = run("fit", folder / "x.csv", "--output", tmp_path / model, *words)
        assert result.exit_code == 0, result.output
        monkeypatch.setattr("minsyn.commands.fit._WHOLE_BYTES", 0)
    whole, blocks = MinSyn.load(tmp_path / "whole"), MinSyn.load(tmp_path / "blocks")
    np.testing.assert_allclose(blocks.components_, whole.components_, rtol=1e-3, atol=1e-4)
    assert list(blocks.feature_names_in_) == list(whole.feature_names_in_) == FEATURES


def test_without_a_header_no_sample_is_lost(tmp_path):
    np.savetxt(tmp_path / "x.csv", np.random.default_rng(0).random((20, 3)), delimiter=",")
    result = run("fit", tmp_path / "x.csv", "--n-components", 1, "--output", tmp_path / "m", *QUICK)
    assert result.exit_code == 0 and "20 samples of 3 features" in result.output


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
        assert list(frame.columns) == ["name", "count", "minsyn0", "minsyn1"]
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
    assert list(frame.columns) == ["count", "name", "index", "minsyn0", "minsyn1"]
    np.testing.assert_allclose(frame.minsyn1, model.transform(table[FEATURES])[:20, 1])
    for keep, columns in [(["count", "a"], ["count", "a"]), (["none"], [])]:
        words = ("--output", output, "--keep", *keep)
        assert run("transform", folder / "model", tmp_path / "y.csv", *words).exit_code == 0
        assert list(pd.read_csv(output).columns) == [*columns, "minsyn0", "minsyn1"]


def test_text_does_not_go_into_npy_but_into_npz(folder, table, tmp_path):
    npy = run("transform", folder / "model", folder / "x.csv", "--output", tmp_path / "z.npy")
    assert npy.exit_code == 0 and "numbers only: name" in npy.output
    npz = run("transform", folder / "model", folder / "x.csv", "--output", tmp_path / "z.npz")
    assert npz.exit_code == 0
    assert np.load(tmp_path / "z.npz")["name"].tolist() == table.name.tolist()  # without pickle


def test_inspect(folder, model, table, tmp_path):
    figure, numbers = tmp_path / "deep" / "f.png", tmp_path / "f.csv"
    words = ("--top", 3, "--figure", figure, "--dpi", 50, "--output", numbers)
    result = run("inspect", folder / "model", *words)
    assert result.exit_code == 0, result.output
    x = table[FEATURES]
    statistics = PairwiseStatistics.of(model.transform(x), x.to_numpy())
    summary = summarise_factors(statistics, statistics.std_x)
    synergy = model.synergy(x, bias_correction="none")
    bias = synergy.sampling_bias["mutual_information"].max()
    for said in (
        "2 factors of 5 features, fitted to 150 samples from ",
        "Features count alike.",
        *(f"{share:.1%}" for share in (*summary.explained_alone, *summary.explained_only)),
        f"{summary.explained:.1%}",
        *(f"{value:.2f}" for value in summary.correlation.ravel() if abs(value) >= 0.3),
        f"{synergy.sums['gk_synergy']:.2f}",
        "Gaussian model, 150 samples, bias correction: none",
        f"(the bias of all factors is {bias:.2g} bits per feature",
    ):
        assert said in result.output
    assert Image.open(figure).width > 200
    frame = pd.read_csv(numbers)
    assert len(frame) == 10
    np.testing.assert_allclose(frame.correlation, summary.correlation.ravel(), atol=1e-6)
    np.testing.assert_allclose(frame.component, model.components_.ravel())
    for measure in ("mutual_information", "union_information", "gk_synergy", "ci_synergy"):
        np.testing.assert_allclose(frame[f"{measure}_bits"][:5], synergy[measure], rtol=1e-4)


def test_inspect_on_other_data(folder, model, table, tmp_path):
    table.iloc[:30].to_csv(tmp_path / "y.csv", index=False)
    numbers = tmp_path / "f.csv"
    words = ("--data", tmp_path / "y.csv", "--output", numbers)
    result = run("inspect", folder / "model", *words)
    assert result.exit_code == 0, result.output
    assert " 30 samples" in result.output
    x = table[FEATURES].iloc[:30]
    expected = summarise_factors(PairwiseStatistics.of(model.transform(x), x.to_numpy()))
    frame = pd.read_csv(numbers)
    np.testing.assert_allclose(frame.correlation, expected.correlation.ravel())
    synergy = model.synergy(x, bias_correction="none")
    np.testing.assert_allclose(frame.gk_synergy_bits[:5], synergy["gk_synergy"])


def test_models_saved_from_python(table, tmp_path):
    x = table[FEATURES]
    x.to_csv(tmp_path / "x.csv", index=False)
    MinSyn(2, max_iter=8, random_state=0).fit(x).save(tmp_path / "minsyn")
    AutoEncoder(2, max_iter=8, random_state=0).fit(x).save(tmp_path / "autoencoder")
    assert "By their variances, as in the fit" in run("inspect", tmp_path / "minsyn").output
    unknown = run("inspect", tmp_path / "autoencoder")
    assert unknown.exit_code == 1 and "saved without statistics; give data" in unknown.stderr
    known = run("inspect", tmp_path / "autoencoder", "--data", tmp_path / "x.csv")
    assert known.exit_code == 0 and "autoencoder1" in known.output


def test_a_scaled_model_keeps_the_loss_of_its_fit(folder, model, table):
    """`--scale` is undone in encoder, decoder and statistics alike."""
    x = table[FEATURES]
    statistics = PairwiseStatistics.of(model.transform(x), x.to_numpy())
    np.testing.assert_allclose(model.statistics_.cov_zx, statistics.cov_zx, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.statistics_.mean_x, statistics.mean_x)


def test_bernoulli(folder, table, tmp_path):
    words = ("--n-components", 2, "--decoder", "bernoulli", "--drop", "count", *QUICK)
    plain = run("fit", folder / "x.csv", "--output", tmp_path / "m", *words)
    assert plain.exit_code == 1
    assert "outside the [0, 1] of --decoder bernoulli: use --scale range" in plain.stderr
    ranged = run("fit", folder / "x.csv", "--output", tmp_path / "m", *words, "--scale", "range")
    assert ranged.exit_code == 0, ranged.output
    Z = load_model(tmp_path / "m").transform(table[FEATURES])
    assert 0 <= Z.min() < 0.5 < Z.max() <= 1
    shown = run("inspect", tmp_path / "m")
    assert shown.exit_code == 0 and "minsyn1" in shown.output


class _Mine(GaussianDecoder):
    """Entered into the registry by the test below."""


def kinds():
    """Options of every kind of model that `minsyn fit` makes, with the scale that it needs."""
    for name in sorted(DECODERS):
        categorical = name.endswith("categorical")
        scale = "none" if categorical else ("range" if name.endswith("bernoulli") else "standard")
        options = ("--decoder", name, *(("--sizes", 2, 3) if categorical else ()))
        yield scale, ("--n-components", 2, *options)
        if not categorical:
            yield scale, ("--n-components", 2, *options, "--synergy-weight", 0.5)
    for scale in ("none", "standard", "range"):
        yield scale, ("--groups", 2)
    yield "standard", ("--groups", "auto", "--n-components", 3, "--n-init", 1)
    yield "standard", ("--n-components", 2, "--decoder", "mine")


@pytest.mark.parametrize(
    ("scale", "options"),
    list(kinds()),
    ids=lambda v: v if isinstance(v, str) else " ".join(map(str, v)),
)
def test_every_model_that_fit_makes(table, tmp_path, monkeypatch, scale, options):
    """fit, inspect and transform agree with the loaded model, whatever the options."""
    monkeypatch.setitem(DECODERS, "mine", _Mine)
    monkeypatch.setattr(_Mine, "name", "mine")
    x = table[FEATURES]
    if "--sizes" in options:  # two variables, of two and three categories
        low, high = x.a < x.a.median(), x.c.rank(pct=True)
        coded = [low, ~low, high < 0.3, (high >= 0.3) & (high < 0.6), high >= 0.6]
        x = pd.DataFrame(np.column_stack(coded).astype(float), columns=FEATURES)
    x.to_csv(tmp_path / "x.csv", index=False)
    words = (*options, "--scale", scale, "--max-iter", 10, "--output", tmp_path / "m")
    fitted = run("fit", tmp_path / "x.csv", *words)
    assert fitted.exit_code == 0, fitted.output + fitted.stderr
    assert "factors" in fitted.output and "of the variance" in fitted.output
    model = load_model(tmp_path / "m")
    assert type(model) is (VectorMinSyn if "--groups" in options else MinSyn)
    Z = model.transform(x)
    output = tmp_path / "z.csv"
    made = run("transform", tmp_path / "m", tmp_path / "x.csv", "--output", output)
    assert made.exit_code == 0, made.output
    np.testing.assert_allclose(pd.read_csv(output).to_numpy(), Z, rtol=1e-6)
    shown = run("inspect", tmp_path / "m", "--output", tmp_path / "f.csv")
    assert shown.exit_code == 0, shown.output + shown.stderr
    again = run(
        "inspect", tmp_path / "m", "--data", tmp_path / "x.csv", "--output", tmp_path / "g.csv"
    )
    assert again.exit_code == 0
    frame = pd.read_csv(tmp_path / "f.csv")
    pd.testing.assert_frame_equal(frame, pd.read_csv(tmp_path / "g.csv"), rtol=1e-5, atol=1e-9)
    groups = getattr(model, "latent_groups_", None)
    measured = model.synergy(x, groups=groups, bias_correction="none")
    p = np.where(x.isin([0, 1]).all(), x.mean(), np.nan)
    entropy = np.nan_to_num(-p * np.log2(p) - (1 - p) * np.log2(1 - p), nan=np.inf)
    whole, best, gk = (np.minimum(measured[name], entropy) for name in MEASURES)
    expected = np.where(whole < measured["mutual_information"], whole - best, gk)
    np.testing.assert_allclose(frame.gk_synergy_bits[:5], expected, atol=1e-5)
    assert_what_if(model, tmp_path / "m", x, scale)
    if "--groups" in options:
        assert frame.group.tolist() == np.repeat(groups, 5).tolist()
        assert f"in {groups.max() + 1} group" in fitted.output
        assert all(f"group {group}" in shown.output for group in groups)


def assert_what_if(model, folder, x, scale):
    """A page moves factors as the model does, in the units of the table."""
    what_if = Description.of(model, folder, None, TableFormat()).what_if()
    z = model.transform(x)
    moved = z.mean(axis=0)
    moved[1] += what_if.positions[13] * z[:, 1].std()
    if model.latents_.name == "sigmoid":
        moved = moved.clip(0, 1)
    expected = model.inverse_transform(moved[None])[0]
    if scale == "range" and not model.observations_.affine:
        expected = x.min() + expected * np.ptp(x, axis=0)
    np.testing.assert_allclose(what_if.expected[1, 13], expected, rtol=1e-4, atol=1e-6)


def test_scales_that_do_not_suit_a_decoder(folder, tmp_path):
    words = ("--n-components", 1, "--output", tmp_path / "m", "--decoder", "gaussian-bernoulli")
    result = run("fit", folder / "x.csv", *words, "--scale", "standard")
    assert result.exit_code == 1
    assert "gaussian-bernoulli needs features in [0, 1]; use --scale range" in result.stderr


def test_pixels(rng, tmp_path):
    np.save(tmp_path / "x.npy", rng.random((40, 12)))
    words = ("--n-components", 2, *QUICK, "-q")
    assert run("fit", tmp_path / "x.npy", "--output", tmp_path / "m", *words).exit_code == 0
    words = ("--figure", tmp_path / "f.pdf", "--image-shape")
    shown = run("inspect", tmp_path / "m", *words, "3x4")
    assert shown.exit_code == 0 and (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    assert "By their variances, as in the fit" in shown.output
    assert "x11" in run("inspect", tmp_path / "m", "--top", 12).output
    wrong = run("inspect", tmp_path / "m", *words, "3x5")
    assert wrong.exit_code == 1 and "15 pixels" in wrong.stderr
    worse = run("inspect", tmp_path / "m", *words, "3")
    assert worse.exit_code == 1 and "HEIGHTxWIDTH" in worse.stderr


def test_a_model_that_has_not_converged_is_saved_with_a_warning(folder, tmp_path):
    words = ("--n-components", 2, "--max-iter", 1, "--solver", "lbfgs", "-q")
    words += ("--scale", "standard")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = run("fit", folder / "x.npy", "--output", tmp_path / "m", *words)
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: MinSyn stopped at --max-iter 1")
    assert result.stderr.count("\n") == 1
    MinSyn.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "x.doc"), "x.doc: expected a file ending in .npy, .npz"),
        (("fit", "holes.csv", "--latents", "softplus"), "column 'b' has 1 missing value; this"),
        (("fit", "holes.csv", "--groups", "1"), "column 'b' has 1 missing value; this"),
        (("fit", "text.csv"), "no numeric columns left"),
        (("fit", "empty.csv"), "is empty"),
        (
            ("fit", "nan.npy", "--solver", "lbfgs"),
            "nan.npy: column 1 has 1 missing value; this model",
        ),
        (
            ("fit", "x.csv", "--output", "model"),
            "model holds a model already: --overwrite replaces",
        ),
        (("fit", "x.csv", "--overwrite", "--output", "notes"), "holds files other than a model"),
        (("fit", "x.csv", "--decimal", ";"), "--decimal ; must be '.' or ','"),
        (("inspect", "model", "--missing", "-9"), "--missing has no effect without --data"),
        (("inspect", "model", "--report", "r.pdf"), "--report r.pdf: expected a name ending in .h"),
        (
            ("transform", "softplus", "hole.csv", "--output", "z.csv"),
            "'a' has 1 missing value; this model",
        ),
        (("inspect", "softplus", "--data", "hole.csv"), "column 'a' has 1 missing value; this"),
        (("fit", "complex.npy"), "real numbers; found complex128"),
        (("fit", "x.csv", "--columns", "q"), "--columns: no column 'q'; the columns are name, a"),
        (("fit", "x.csv", "--columns", "a", "name"), "x.csv: column 'name' is not numeric"),
        (("fit", "x.csv", "--drop", "q"), "--drop: no column 'q'"),
        (("fit", "x.npy", "--columns", "a"), "an array has no column names"),
        (("fit", "x.csv", "--decoder", "poisson"), "--decoder poisson: expected one of b"),
        (("fit", "x.csv", "--n-components", "9"), "must be at most the number of features"),
        (
            ("fit", "x.csv", "--solver", "sgd"),
            "--solver sgd: expected one of auto, covariance, lbf",
        ),
        (("fit", "x.csv", "--groups", "9"), "groups"),
        (
            (
                "fit",
                "x.csv",
                "--drop",
                "count",
                "--decoder",
                "gaussian-categorical",
                "--sizes",
                "4",
            ),
            "--sizes 4: the sum must be the number of features, 5",
        ),
        (("fit", "x.csv", "--output", "x.npy"), "a model is a folder, and this is a file"),
        (("fit", "x.csv", "--output", "."), "holds files other than a model"),
        (("transform", "model", "words.csv", "--output", "z.csv"), "column 'c' is not numeric"),
        (("transform", "model", "narrow.csv", "--output", "z.csv"), "lacks columns that the model"),
        (("transform", "model", "narrow.npy", "--output", "z.csv"), "has 2 features, the model"),
        (("transform", "model", "x.csv", "--output", "z.csv", "--keep", "q"), "--keep: no column"),
        (("transform", "model", "x.csv", "--output", "z.npy", "--keep", "name"), "--keep has no"),
        (("inspect", "model", "--figure", "f.docx"), "--figure f.docx: expected a name ending in"),
        (("inspect", "model", "--output", "f.txt"), "ending in .csv"),
        (("inspect", "model", "--dpi", "99"), "--dpi has no effect without --figure"),
        (("inspect", "model", "--image-shape", "1x5"), "--image-shape has no effect without"),
        (
            ("inspect", "damaged"),
            ".safetensors is damaged (its checksum does not match); pass --data",
        ),
    ],
)
def test_errors_are_one_line(folder, monkeypatch, words, message):
    monkeypatch.chdir(folder)
    (folder / "empty.csv").write_text("")
    (folder / "text.csv").write_text("a,b\nx,y\n")
    (folder / "narrow.csv").write_text("a,b\n1,2\n3,4\n")
    (folder / "holes.csv").write_text("a,b\n1.5,2\n3,\n4,5\n")
    (folder / "words.csv").write_text('a,b,c,d,"e, f"\n1,2,many,4,5\n')
    (folder / "x.doc").write_text("1 2\n")
    (folder / "notes").mkdir(exist_ok=True)
    (folder / "notes" / "notes.txt").write_text("mine")
    (folder / "hole.csv").write_text('a,b,c,d,"e, f"\n,2,3,4,5\n1,2,3,4,5\n')
    hole = np.arange(45.0).reshape(9, 5)
    hole[3, 1] = np.nan
    np.save("nan.npy", hole)
    np.save("complex.npy", np.ones((3, 2), complex))
    np.save("narrow.npy", np.ones((3, 2)))
    shutil.copytree("model", "damaged", dirs_exist_ok=True)
    next(Path("damaged").glob("fit-*.safetensors")).write_bytes(b"PK")
    x = pd.read_csv("x.csv", nrows=9)[FEATURES]
    MinSyn(1, latents="softplus", max_iter=2, standardize=True).fit(x).save("softplus")
    more = []
    if words[0] == "fit":
        more += ["--n-components", "2"] * ("--n-components" not in words)
        more += ["--output", "m"] * ("--output" not in words)
    result = run(*words, *more)
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Error: ")
    assert isinstance(result.exception, SystemExit)


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """A table of two causes in columns of different units, with identifiers and holes."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(200, 2))
    x = z[:, [0, 0, 0, 1, 1, 1]] * [1, 50, 1, 1, 1, 1e3] + rng.normal(size=(200, 6)) * [
        0.5, 20, 0.5, 0.5, 0.5, 500,
    ]  # fmt: skip
    table = pd.DataFrame(x.round(3), columns=["mood", "income", "sleep", "noise", "heat", "rent"])
    table.insert(0, "person", [f"P{i:03d}" for i in range(200)])
    table["yes"] = (z[:, 0] > 0).astype(int) + 1
    table.loc[::17, "sleep"] = np.nan
    table.loc[3, "rent"] = -999
    table.to_csv(tmp_path / "answers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return table


def test_one_command_is_enough(answers, tmp_path):
    fitted = run("fit", "answers.csv", "--missing", -999)
    assert fitted.exit_code == 0, fitted.output
    for said in (
        "200 samples of 7 features",
        "left out, identifiers: person",
        "missing: 13 of 1,400 values (0.9%)",
        "standardised: all features count alike",
        "2 factors by parallel analysis explain",
        "answers-model    next: minsyn inspect answers-model",
    ):
        assert said in fitted.output
    assert "epoch" not in fitted.output and fitted.stderr == ""
    model = load_model("answers-model")
    x = answers[model.feature_names_in_].replace(-999, np.nan)
    expected = MinSyn(standardize=True, random_state=0).fit(x)
    np.testing.assert_allclose(model.components_, expected.components_, rtol=1e-6)

    before = {path: path.read_bytes() for path in (tmp_path / "answers-model").iterdir()}
    again = run("fit", "answers.csv")
    assert again.exit_code == 1 and "answers-model holds a model already" in again.stderr
    assert {path: path.read_bytes() for path in before} == before
    replaced = run("fit", "answers.csv", "--overwrite", "--n-components", 3, "-q")
    assert replaced.exit_code == 0 and len(load_model("answers-model").components_) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answers-model", "answers.csv"]


def test_missing_values_are_those_of_the_fit_in_other_commands_too(answers, tmp_path):
    assert run("fit", "answers.csv", "--missing", -999, "-q").exit_code == 0
    made = run("transform", "answers-model", "answers.csv", "--output", "z.csv")
    assert made.exit_code == 0, made.output
    assert "200 samples, 2 factors; 0.9% of the values are missing" in made.output
    z = pd.read_csv("z.csv")
    assert list(z) == ["person", "minsyn0", "minsyn1"]
    model = load_model("answers-model")
    x = answers[model.feature_names_in_].replace(-999, np.nan)
    np.testing.assert_allclose(z[["minsyn0", "minsyn1"]], model.transform(x))
    shown = run("inspect", "answers-model", "--output", "own.csv")
    on_file = run("inspect", "answers-model", "--data", "answers.csv", "--output", "file.csv")
    assert "0.9% of the values missing" in shown.output
    assert "described on 200 samples from answers.csv" in on_file.output
    pd.testing.assert_frame_equal(pd.read_csv("own.csv"), pd.read_csv("file.csv"), rtol=1e-6)
    assert "yes has two values: bits are capped" in shown.output
    assert (pd.read_csv("own.csv").query("feature == 'yes'").mutual_information_bits <= 1).all()


def test_arrays_are_not_scaled_and_two_factors_that_are_one_are_named(answers, tmp_path):
    x = answers.drop(columns=["person", "sleep"]).to_numpy()
    np.save("x.npy", x)
    fitted = run("fit", "x.npy", "--n-components", 2, "--latents", "softplus", "--max-iter", 30)
    assert fitted.exit_code == 0, fitted.output
    assert "not scaled: features count by their variance, and standard" in fitted.output
    expected = MinSyn(2, latents="softplus", max_iter=30, random_state=0).fit(x)
    np.testing.assert_allclose(load_model("x-model").components_, expected.components_, rtol=1e-4)
    same = np.repeat(x[:, :1], 3, axis=1) + 1e-3 * np.random.default_rng(0).normal(size=(200, 3))
    np.save("same.npy", np.hstack([same, x[:, 1:2] * 1e-4]))
    twice = run("fit", "same.npy", "--n-components", 2, "--output", "twice", "--solver", "lbfgs")
    assert twice.exit_code == 0, twice.output
    said = "Nearly the same factor twice, by their correlations: minsyn0 and minsyn1 ("
    assert f"Warning: {said}" in twice.stderr and "fit fewer factors" in twice.stderr
    assert said in run("inspect", "twice").output


def test_report(answers, tmp_path):
    assert run("fit", "answers.csv", "-q").exit_code == 0
    shown = run("inspect", "answers-model", "--report", "new/report.html", "--hide-below", 0.5)
    assert shown.exit_code == 0, shown.output
    page = (tmp_path / "new" / "report.html").read_text()
    for said in ("Factors of answers.csv", "those below 0.5 are left out", "0.9%", "rent"):
        assert said in page
    for said in ("by parallel analysis", "standardised", "random_state=0", "data:image/svg"):
        assert said in page
    assert "http:" not in page and "https:" not in page
    again = run("report", "answers-model")
    assert again.exit_code == 0, again.output
    own = (tmp_path / "answers-model.html").read_text()
    assert "those below 0.3 are left out" in own and "Factors of answers.csv" in own
    assert "answers-model.html" in again.output


def test_a_model_that_appears_during_the_fit_is_not_lost(answers, tmp_path, monkeypatch):
    plain = MinSyn.fit

    def fit_beside_another(self, X, y=None, **more):
        MinSyn(1).fit_covariance(np.eye(2)).save("answers-model")
        return plain(self, X, y, **more)

    monkeypatch.setattr(MinSyn, "fit", fit_beside_another)
    late = run("fit", "answers.csv", "-q")
    assert late.exit_code == 1 and "this one is in answers-model-2" in late.stderr
    assert load_model("answers-model").n_features_in_ == 2
    assert load_model("answers-model-2").n_features_in_ == 7


def test_a_save_that_fails_leaves_nothing(answers, tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minsyn.commands._provenance.Provenance.save", full)
    failed = run("fit", "answers.csv", "-q")
    assert failed.exit_code == 1 and "No space left" in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


def test_an_overwrite_that_ends_early_keeps_the_old_model(folder, tmp_path, monkeypatch):
    """Whichever file comes last, the folder holds a model with the record of its own fit."""
    words = ("fit", folder / "x.csv", "--output", tmp_path / "m", *QUICK, "-q")
    assert run(*words, "--n-components", 1).exit_code == 0
    replace, moved = Path.replace, []

    def until(self, target):
        if self.parent.name.endswith(".part") and self.parent != target.parent:
            if len(moved) == allowed:
                raise KeyboardInterrupt
            moved.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", until)
    abandoned = tmp_path / ".m.99.part"
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    for allowed in (1, 3, 4):  # of four files
        moved.clear()
        result = run(*words, "--n-components", 2, "--overwrite")
        assert result.exit_code == (130 if allowed < 4 else 0), result.output
        n_factors = len(load_model(tmp_path / "m").components_)
        assert n_factors == (1 if allowed < 4 else 2)
        shown = run("inspect", tmp_path / "m").stdout
        assert f"{n_factors} factor" in shown and "150" in shown
    assert len(list((tmp_path / "m").iterdir())) == 4 and len(list(tmp_path.iterdir())) == 1


def test_ctrl_c_leaves_no_model(folder, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(MinSyn, "fit", interrupted)
    result = run("fit", folder / "x.npy", "--n-components", 2, "--output", tmp_path / "m", "-q")
    assert result.exit_code == 130 and not (tmp_path / "m").exists()


def test_as_a_program(table, tmp_path):
    table.to_csv(tmp_path / "x.csv", index=False)

    words = ["fit", "x.csv", "--n-components", 2, "--output", "m", *QUICK]
    words = [sys.executable, "-m", "minsyn", *map(str, words)]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 factors explain" in done.stdout
    assert MinSyn.load(tmp_path / "m").n_features_in_ == 5  # without the row number
