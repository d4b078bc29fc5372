"""Errors of every command: exit codes and one line on stderr."""

import subprocess
import warnings

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from miniature import finished_cell
from minsyn import MinSyn
from minsyn.benchmark import Experiment, Store, find_methods
from minsyn.cli import app
from minsyn.commands._errors import in_options
from minsyn.commands._options import choose_columns
from minsyn.datasets import load_letters
from minsyn.training import CheckpointError
from programs import started

#: Words of each command that work, and a function that the command calls.
WORKING = {
    "benchmark": (["--methods", "pca", "--draws", "1"], "minsyn.datasets.load_letters"),
    "figure1": ([], "minsyn.report.figure1.figure1"),
    "fit": (
        ["x.csv", "--n-components", "1", "--output", "m", "--max-iter", "5", "-q"],
        "minsyn.MinSyn.fit",
    ),
    "inspect": (["model"], "minsyn.metrics.summarise_factors"),
    "report": (["words"], "minsyn.report.benchmark_page"),
    "synergy": (["x.csv", "--sources", "a", "b"], "minsyn.information.synergy"),
    "transform": (["model", "x.csv", "--output", "z.csv"], "minsyn.estimators.load_model"),
}

COMMANDS = sorted(WORKING)

#: What a user may get wrong, with a part of the message.
MISTAKES = {
    "ragged table": {
        "benchmark": None,
        "figure1": None,
        "fit": (["ragged.csv", "--n-components", "1", "--output", "m"], "ragged.csv: line 3 has 1"),
        "inspect": (["model", "--data", "ragged.csv"], "ragged.csv"),
        "report": None,  # reads no table
        "synergy": (["semicolons.csv", "--sources", "a"], "1 samples of 0 sources seem"),
        "transform": (["model", "ragged.csv", "--output", "z.csv"], "ragged.csv: line 3 has 1"),
    },
    "output is the input": {
        "benchmark": None,
        "figure1": None,
        "fit": None,  # writes a folder
        "inspect": (["model", "--data", "x.csv", "--output", "x.csv"], "the file that is read"),
        "report": None,  # reads a folder
        "synergy": (["x.csv", "--sources", "a", "--output", "x.csv"], "the file that is read"),
        "transform": (["model", "x.csv", "--output", "x.csv"], "the file that is read"),
    },
    "missing file": {
        "benchmark": (["--letters", "absent.npz"], "absent.npz"),
        "figure1": None,  # reads no file
        "fit": (["absent.csv", "--n-components", "1", "--output", "m"], "absent.csv: no such file"),
        "inspect": (["absent"], "absent: no such folder"),
        "report": (["absent"], "absent holds no results of `minsyn benchmark`"),
        "synergy": (["absent.csv", "--sources", "a"], "absent.csv: no such file"),
        "transform": (["model", "absent.csv", "--output", "z.csv"], "absent.csv: no such file"),
    },
    "damaged file": {
        "benchmark": (["--letters", "damaged.npz"], "damaged.npz"),
        "figure1": None,
        "fit": (["damaged.npy", "--n-components", "1", "--output", "m"], "damaged.npy"),
        "inspect": (["damaged"], "damaged"),
        "report": (["damaged-words"], "experiment.json is damaged"),
        "synergy": (["damaged.csv", "--sources", "a"], "damaged.csv"),
        "transform": (["damaged", "x.csv", "--output", "z.csv"], "damaged"),
    },
    "damaged table": {
        "benchmark": None,
        "figure1": None,
        "fit": (["damaged.csv", "--n-components", "1", "--output", "m"], "damaged.csv"),
        "inspect": (["model", "--data", "damaged.npz"], "damaged.npz"),
        "report": None,
        "synergy": (["binary.csv", "--sources", "a"], "binary.csv"),
        "transform": (["model", "damaged.csv", "--output", "z.csv"], "damaged.csv"),
    },
    "wrong value": {
        "benchmark": (["--resample", "maybe"], "resample: 'maybe' is not one of"),
        "figure1": (["--output", "figure.docx"], "--output figure.docx: expected a name ending in"),
        "fit": (
            ["x.csv", "--n-components", "1", "--output", "m", "--scale", "log"],
            "--scale log: expected one of auto, standard, none, range",
        ),
        "inspect": (
            ["model", "--figure", "f.png", "--image-shape", "3"],
            "--image-shape 3: expected HEIGHTxWIDTH",
        ),
        "report": (["model", "--letters", "emnist"], "--letters has no effect on model"),
        "synergy": (
            ["x.csv", "--sources", "a", "--bootstrap", "9", "--confidence", "2"],
            "confidence must be between 0 and 1",
        ),
        "transform": (["model", "x.csv", "--output", "z.xlsx"], "--output z.xlsx: expected a name"),
    },
    "unwritable output": {
        "benchmark": (["--methods", "pca", "--output", "x.csv"], "x.csv"),
        "figure1": (["--output", "x.csv/f.png"], "x.csv is a file"),
        "fit": (["x.csv", "--n-components", "1", "--output", "x.csv/m"], "x.csv is a file"),
        "inspect": (["model", "--output", "x.csv/f.csv"], "x.csv is a file"),
        "report": (["words", "--output", "x.csv/p.html"], "x.csv is a file"),
        "synergy": (["x.csv", "--sources", "a", "--output", "x.csv/y.csv"], "x.csv is a file"),
        "transform": (["model", "x.csv", "--output", "folder.csv"], "this is a folder"),
    },
}


def run(*words):
    return CliRunner().invoke(app, list(words))


def assert_one_line(result, message, code=1):
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr
    assert message in result.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.random((30, 3)), columns=list("abc"))
    x.to_csv(folder / "x.csv", index=False)
    model = MinSyn(1, max_iter=5, random_state=0).fit(x)
    model.save(folder / "model")
    model.save(folder / "damaged")
    for file in (folder / "damaged").iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    np.save(folder / "x.npy", x)
    (folder / "damaged.npy").write_bytes((folder / "x.npy").read_bytes()[:200])
    np.savez(folder / "x.npz", x)
    (folder / "damaged.npz").write_bytes((folder / "x.npz").read_bytes()[:200])
    (folder / "ragged.csv").write_text("a,b,c\n1,2,3\n4\n")
    (folder / "semicolons.csv").write_text("a;b\n1,5;2,1\n")
    (folder / "damaged.csv").write_text('a,b,c\n1,2,3\n4,5,6,7,8\n"')
    (folder / "binary.csv").write_bytes(bytes(range(256)))
    (folder / "folder.csv").mkdir()
    experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]))
    Store(folder / "words", experiment).add(finished_cell())
    (folder / "damaged-words").mkdir()
    (folder / "damaged-words" / "experiment.json").write_text('{"letters"')
    return folder


@pytest.fixture(autouse=True)
def _in_that_folder(files, monkeypatch):
    monkeypatch.chdir(files)


OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("n_components", "max_iter", "tol", "solver", "sizes", "n_init", "model")
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("n_components=99 must be 3, not 1", "--n-components 99 must be 3, not 1"),
        ("raise max_iter, or tol=1e-05.", "raise --max-iter, or --tol 1e-05."),
        ("needs solver='adam'; pass sizes= (a hold", "needs --solver adam; pass --sizes (a hold"),
        ("The 'n_init' parameter of MinSyn must be", "--n-init must be"),
        ("Z['y 0'] is continuous", "column 'y 0' is continuous"),
        # Names of columns and words of English stay.
        ("column 'max_iter' lacks x=1, f(tol=3)", "column 'max_iter' lacks x=1, f(tol=3)"),
        ("the model of columns", "the model of columns"),
        ("(--encoding latin-1, or TableFormat(encoding='latin-1'))", "(--encoding latin-1)"),
    ],
)
def test_messages_in_options(said, shown):
    assert in_options(said, OPTIONS) == shown


def test_errors_and_warnings_name_options(monkeypatch):
    def fault():
        warnings.warn("n_init=1, or random_state=3", stacklevel=1)
        raise CheckpointError("n_groups=2")

    result = raising(monkeypatch, "fit", fault)
    assert result.stderr == "Warning: --n-init 1, or --seed 3\nError: --groups 2\n"


def test_every_command_is_tried():
    assert sorted(typer.main.get_command(app).commands) == COMMANDS
    for kind, commands in MISTAKES.items():
        assert sorted(commands) == COMMANDS, kind


@pytest.mark.parametrize(
    ("command", "kind"),
    [(c, kind) for kind, cases in MISTAKES.items() for c in sorted(cases) if cases[c] is not None],
)
def test_a_mistake_is_one_line(command, kind):
    words, message = MISTAKES[kind][command]
    assert_one_line(run(command, *words), message)


def raising(monkeypatch, command, fault):
    """Run a command whose inner function fails."""
    words, function = WORKING[command]

    def fail(*_args, **_kwargs):
        fault()

    monkeypatch.setattr(function, fail)
    return run(command, *words)


def raise_(error):
    raise error


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda: raise_(MemoryError()), "Error: out of memory"),
        (lambda: np.empty((10**9, 10**9)), "Error: out of memory (Unable to allocate"),
        (
            lambda: raise_(
                RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
            ),
            "Error: out of memory",
        ),
        (
            lambda: raise_(PermissionError(13, "Permission denied", "secret.csv")),
            "Error: secret.csv: Permission denied",
        ),
        (lambda: raise_(OSError(28, "No space left on device")), "Error: No space left on device"),
        (lambda: raise_(ImportError("pip install 'minsyn[parquet]'")), "minsyn[parquet]"),
        (lambda: MinSyn("three").fit_covariance(np.eye(3)), "components"),
    ],
    ids=["memory", "numpy", "torch", "permission", "disk", "package", "scikit-learn"],
)
def test_errors_of_machine_and_data_are_one_line(monkeypatch, command, fault, message):
    assert_one_line(raising(monkeypatch, command, fault), message)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda: {}["absent"], KeyError),
        (lambda: np.ones(3).reshape(2, 2), ValueError),  # raised by NumPy, about our arrays
        (lambda: len(3), TypeError),
        (lambda: choose_columns(None, ["a"], "--columns"), TypeError),  # in a file of minsyn
        (lambda: raise_(RuntimeError("inconsistent state")), RuntimeError),
        (lambda: __import__("minsyn.absent"), ModuleNotFoundError),
    ],
    ids=["key", "array", "call", "call-in-minsyn", "runtime", "module"],
)
def test_faults_of_minsyn_keep_their_traceback(monkeypatch, command, fault, error):
    result = raising(monkeypatch, command, fault)
    assert type(result.exception) is error
    assert result.exit_code == 1 and "Error: " not in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c(monkeypatch, command):
    result = raising(monkeypatch, command, lambda: raise_(KeyboardInterrupt))
    assert result.exit_code == 130
    assert result.stderr.startswith("Stopped.") and result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_typer_refuses_unknown_options(command):
    result = run(command, *WORKING[command][0], "--no-such-option")
    assert result.exit_code == 2 and "--no-such-option" in result.stderr


def program(*words):
    return started("-m", "minsyn", *words, stderr=subprocess.PIPE, text=True)


def test_as_a_program():
    with program("synergy", "absent.csv", "--sources", "a") as process:
        output, errors = process.communicate()
    assert output == "" and errors == "Error: absent.csv: no such file\n"


@pytest.mark.parametrize("words", [["synergy", "x.csv", "--sources", "a"], ["--help"]])
def test_a_reader_that_leaves_is_no_error(words):
    with program(*words) as process:
        process.stdout.close()  # as `| head` does
        assert process.stderr.read() == ""
