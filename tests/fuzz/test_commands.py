"""Commands with words of all kinds: done, or one line of what is wrong; never a traceback."""

import shutil

import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fuzzing import as_users_call, fuzz
from minsyn import MinSyn
from minsyn.cli import app

#: Options of each command with values that may work; the values of others are numbers or texts.
TABLE = {
    "--sep": [",", ";", "\\t", "tab", "", "||", "\n"],
    "--decimal": [".", ",", "x", ""],
    "--encoding": ["utf-8", "latin-1", "utf-16", "no-such", "", "idna", "base64"],
    "--header": ["0", "1", "2", "none", "first", "-1", "99"],
    "--missing": ["-1", "NA", "nan", "1e400", "", "0"],
}
COLUMNS = ["a", "b", "a b", "a,b", "ä", "text", "const", "gaps", "absent", "", ",", "1", "a a"]
FILES = ["x.csv", "x.npy", "x.tsv", "gaps.csv", "absent.csv", "folder", "folder.csv", "model", "."]
FILES += [
    "damaged.npy",
    "empty.csv",
    "words.csv",
    "x",
    "x.csv/x.csv",
    "ä ☃.csv",
    "",
    "a\0b",
    "n" * 300,
]
OUTPUTS = [
    "out.csv",
    "out.npy",
    "out.json",
    "out.png",
    "new/out.csv",
    "out",
    "x.csv/out.csv",
    "folder",
]
OUTPUTS += ["x.csv", "out.html", "", "a\0b.csv", "n" * 300 + ".csv", "ä ☃.csv", ".", "out.parquet"]
NUMBERS = [
    "-1",
    "0",
    "1",
    "2",
    "3",
    "0.5",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e-320",
    "9" * 30,
    "x",
    "",
]
FEW = ["-1", "0", "1", "2", "nan", "x", "", "1.5"]
WORDS = {
    "fit": (
        [FILES],
        {
            **TABLE,
            "--output": OUTPUTS,
            "--overwrite": None,
            "--n-components": ["1", "2", "auto", "empirical-kaiser", *NUMBERS],
            "--decoder": [
                "gaussian",
                "bernoulli",
                "gaussian-categorical",
                "single-parent",
                "x",
                "",
            ],
            "--latents": ["linear", "softplus", "sigmoid", "tanh"],
            "--sizes": ["1", "2 2", "4", "0", "-3", "x"],
            "--synergy-weight": NUMBERS,
            "--groups": ["1", "2", "auto", *NUMBERS],
            "--scale": ["standard", "none", "range", "auto", "log"],
            "--columns": COLUMNS,
            "--drop": COLUMNS,
            "--solver": ["covariance", "lbfgs", "adam", "sgd"],
            "--learning-rate": NUMBERS,
            "--batch-size": NUMBERS,
            "--n-iter-no-change": FEW,
            "--device": ["cpu", "tpu"],
            "--n-init": FEW,
            "--max-iter": FEW,
            "--tol": NUMBERS,
            "--seed": NUMBERS,
            "-q": None,
        },
    ),
    "transform": (
        [["model", "model", "absent", "x.csv", "folder", "damaged", ""], FILES],
        {**TABLE, "--output": OUTPUTS, "--keep": COLUMNS},
    ),
    "inspect": (
        [["model", "model", "absent", "x.csv", "folder", "damaged", ""]],
        {
            **TABLE,
            "--data": FILES,
            "--top": NUMBERS,
            "--hide-below": NUMBERS,
            "--report": OUTPUTS,
            "--figure": OUTPUTS,
            "--image-shape": ["2x2", "1x4", "4x1", "0x4", "-2x-2", "3", "x", "9999999999x1"],
            "--dpi": FEW,
            "--output": OUTPUTS,
        },
    ),
    "synergy": (
        [FILES],
        {
            **TABLE,
            "--sources": COLUMNS,
            "--targets": COLUMNS,
            "--model": ["gaussian", "copula", "discrete", "nearest-neighbors", "x"],
            "--measures": ["gk_synergy", "ci_synergy,gk_synergy", "all", "x", "", ","],
            "--unit": ["bits", "nats", "x"],
            "--bias-correction": ["auto", "none", "x"],
            "--bins": NUMBERS,
            "--binning": ["equal-width", "equal-frequency", "x"],
            "--neighbors": NUMBERS,
            "--lag": NUMBERS,
            "--trials": COLUMNS,
            "--block-length": NUMBERS,
            "--bootstrap": FEW,
            "--confidence": NUMBERS,
            "--permutations": FEW,
            "--seed": NUMBERS,
            "--output": OUTPUTS,
        },
    ),
    "report": (
        [["folder", "absent", "x.csv", "model", ""]],
        {"--letters": FILES, "--output": OUTPUTS},
    ),
    "figure1": ([], {"--dpi": FEW}),
    "benchmark": (
        [],
        {
            "--letters": FILES,
            "--draws": ["-1", "0", "x", ""],
            "--methods": ["pca", "x", "", ",", "pca,pca"],
            "--reference": ["pca", "x", ""],
            "--components": ["-1", "0", "x"],
            "--resample": ["x", ""],
            "--samples-per-word": ["-1", "0", "x"],
            "--jobs": ["x", "0.5"],
            "--seed": ["-1", "x", "9" * 30],
        },
    ),
}


def one_of(values):
    """One of some values; the first few are the most frequent, as they may work."""
    return st.sampled_from([*values[:3] * (2 + len(values) // 3), *values])


@st.composite
def command_lines(draw, command):
    arguments, options = WORDS[command]
    words = [draw(one_of(values)) for values in arguments]
    if draw(st.integers(0, 15)) == 0:
        words = words[1:]
    must = {"transform": "--output", "synergy": "--sources"}.get(command)
    names = draw(st.lists(st.sampled_from([*options]), max_size=4, unique=True))
    for name in {**dict.fromkeys([must] if must else []), **dict.fromkeys(names)}:
        words.append(name)
        if options[name] is not None:
            value = draw(one_of(options[name]))
            words += value.split(" ") if name in ("--columns", "--sizes", "--sources") else [value]
    if command == "fit" and "--max-iter" not in words:
        words += ["--max-iter", "3"]
    if command in ("benchmark", "figure1"):  # which take long, but for those who cannot write
        words += ["--output", "x.csv/out"]
        words += ["--letters", "absent"] if "--letters" not in words and command[0] == "b" else []
    return words


def written(folder):
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.random((30, 4)), columns=["a", "b", "c", "ä"])
    x.to_csv(folder / "x.csv", index=False)
    x.to_csv(folder / "x.tsv", index=False, sep="\t")
    x.mask(x > 0.8).assign(text="t", const=1.0).to_csv(folder / "gaps.csv", index=False)
    x.round().astype(int).to_csv(folder / "words.csv", index=False)
    np.save(folder / "x.npy", x)
    (folder / "damaged.npy").write_bytes((folder / "x.npy").read_bytes()[:150])
    (folder / "empty.csv").touch()
    (folder / "folder").mkdir()
    (folder / "folder.csv").mkdir()
    model = MinSyn(2, random_state=0).fit(x)
    for name in ("model", "damaged"):
        model.save(folder / name)
    record = folder / "damaged" / "model.json"
    record.write_bytes(record.read_bytes()[:-20])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands") / "files"
    folder.mkdir()
    written(folder)
    return folder


def run(command, words, files, monkeypatch):
    """Run a command in a fresh copy of the files."""
    here = files.with_name("here")
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(files, here)
    monkeypatch.chdir(here)
    with as_users_call():
        result = CliRunner().invoke(app, [command, *words])
    monkeypatch.chdir(files)
    told = (command, words, result.output, repr(result.exception))
    assert result.exit_code in (0, 1, 2), told
    assert result.exception is None or isinstance(result.exception, SystemExit), told
    lines = result.stderr.splitlines()
    if result.exit_code == 1:
        assert lines and lines[-1].startswith("Error: ") and len(lines[-1]) > 12, told
        assert all(line.startswith("Warning: ") for line in lines[:-1]), told
    if result.exit_code == 0:
        assert all(line.startswith("Warning: ") for line in lines), told
    assert "RuntimeWarning" not in result.stderr and "Traceback" not in result.output, told
    return result


def test_every_command_is_fuzzed():
    assert sorted(typer.main.get_command(app).commands) == sorted(WORDS)


@pytest.mark.parametrize("command", WORDS)
@fuzz(1)
@given(st.data())
def test_any_words(command, files, data):
    with pytest.MonkeyPatch.context() as monkeypatch:
        run(command, data.draw(command_lines(command)), files, monkeypatch)
