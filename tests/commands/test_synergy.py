"""The command as a user types it."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from minsyn.cli import app
from minsyn.information import synergy as measure


def run(*words):
    return CliRunner().invoke(app, [str(w) for w in words], env={"COLUMNS": "200"})


@pytest.fixture
def table(rng):
    z = rng.normal(size=(120, 3))
    frame = pd.DataFrame(z, columns=["a", "b", "c"])
    frame["x"] = z.sum(axis=1) + rng.normal(size=120)
    frame["y"] = z[:, 0] + rng.normal(size=120)
    return frame


@pytest.fixture
def csv(table, tmp_path):
    table.to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


def test_as_the_manual_has_it(csv, table, tmp_path):
    output = tmp_path / "new" / "out.csv"
    result = run(
        "synergy", csv, "--sources", "a", "b", "c", "--targets", "x", "y", "--output", output
    )
    assert result.exit_code == 0, result.output
    assert "GK synergy" in result.output and "120 samples, 3 sources: a, b, c" in result.output
    expected = measure(table[["a", "b", "c"]], table[["x", "y"]]).to_frame()
    pd.testing.assert_frame_equal(pd.read_csv(output), expected)


@pytest.mark.parametrize(
    "words",
    [
        ("--sources", "a,b", "--targets", "x"),
        ("--sources=a", "--sources=b", "--targets=x"),
        ("--sources=a", "b", "--targets", "x"),
        ("--targets", "x", "--sources", "a", "b", "a"),
        ("--sources", "a", "--targets", "x", "--sources", "b"),
    ],
)
def test_ways_to_name_columns(csv, words):
    result = run("synergy", csv, *words, "--measures", "gk_synergy", "ci_synergy")
    assert result.exit_code == 0, result.output
    assert "2 sources: a, b" in result.output and "union" not in result.output


def test_atoms_of_each_source(csv, tmp_path):
    words = ["--sources", "a", "b", "--targets", "x", "--measures", "atoms,source_information"]
    result = run("synergy", csv, *words, "--output", tmp_path / "atoms.csv")
    assert result.exit_code == 0, result.output
    assert "redundancy" in result.output and "unique information of b" in result.output
    frame = pd.read_csv(tmp_path / "atoms.csv")
    assert frame.measure.tolist()[-1] == "source_information[b]"


def test_the_file_may_come_last(csv):
    result = run("synergy", "--sources", "a", "b", "--targets", "x", "--unit", "nats", "--", csv)
    assert result.exit_code == 0, result.output
    wrong = run("synergy", "--sources", "a", csv)
    assert wrong.exit_code == 2 and "Missing argument" in wrong.stderr


def test_every_option(csv, table, tmp_path):
    words = "--model discrete --bins 3 --binning equal-width --bootstrap 5 --confidence 0.8"
    words += " --permutations 9 --seed 4 --unit nats --bias-correction shrinkage"
    words += " --measures gk_synergy s_max --output"
    output = tmp_path / "out.json"
    result = run("synergy", csv, "--sources", "a", "b", *words.split(), output)
    assert result.exit_code == 0, result.output
    for said in (
        "equal-width bins",
        "80% interval",
        "9 permutations",
        "no GK synergy",
        "shrinkage",
        "nats",
        " to ",
    ):
        assert said in result.output
    expected = measure(
        table[["a", "b"]], table[["c", "x", "y"]], "discrete", bins=3, binning="equal-width",
        n_bootstrap=5, confidence=0.8, n_permutations=9, random_state=4, unit="nats",
        bias_correction="shrinkage", measures=["gk_synergy", "s_max"],
    ).to_frame()  # fmt: skip
    written = pd.read_json(output)
    pd.testing.assert_frame_equal(written, expected, check_exact=False, rtol=1e-9, atol=1e-12)


def test_many_targets_are_not_all_printed(rng, tmp_path):
    pd.DataFrame(rng.normal(size=(30, 60))).to_csv(tmp_path / "wide.csv", index=False)
    result = run("synergy", tmp_path / "wide.csv", "--sources", 0, 1)
    assert result.exit_code == 0, result.output
    assert "18 more targets" in result.output


def test_text_is_no_target_and_layouts_are_said(table, tmp_path):
    table["name"] = [f"s{i}" for i in range(len(table))]
    table.loc[3, "y"] = -9.0
    table.to_csv(tmp_path / "data.csv", index=False, sep="|")
    words = ("synergy", tmp_path / "data.csv", "--sources", "a", "b", "--sep", "|")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "no targets, as they are not numeric: name" in result.output
    missing = run(*words, "--missing", -9)
    assert missing.exit_code == 0, missing.output
    assert "missing values: the 119 of 120 rows that are complete are used" in missing.output
    assert "119 samples, 2 sources" in missing.output
    wrong = run(*words, "--sep", ";")
    assert wrong.exit_code == 1 and wrong.stderr.count("\n") == 1


def test_holes_in_a_questionnaire(tmp_path):
    rows = ["1,yes,2", "2,no,1", "1,,2", "2,yes,", "2,yes,1", "1,no,1", ",no,1"]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,c", *rows, ""]))
    words = ("--model", "discrete", "--bias-correction", "none")
    result = run("synergy", tmp_path / "x.csv", "--sources", "a", "b", *words)
    assert result.exit_code == 0, result.output + result.stderr
    assert (
        "the 4 of 7 rows that are complete are used; most are missing in column 'a' (1)"
        in result.output
    )
    assert "answers read as numbers: b (yes as 1, no as 0)" in result.output


def test_time_series_of_trials_with_holes(rng, tmp_path):
    a, x = rng.normal(size=(2, 60))
    x[2:] += 2 * a[:-2]  # rows of two subjects in turn: one step of each
    frame = pd.DataFrame({"subject": ["u", "v"] * 30, "a": a, "x": x})
    frame.loc[21, "a"] = None
    frame.to_csv(tmp_path / "data.csv", index=False)
    words = "--sources a --lag 1 --trials subject --bootstrap 5 --permutations 9 --block-length 3"
    output = tmp_path / "out.json"
    result = run("synergy", tmp_path / "data.csv", *words.split(), "--output", output)
    assert result.exit_code == 0, result.output + result.stderr
    # Each of 3 runs loses its first row: u, v before its hole and v behind it.
    assert "56 samples, 1 sources: a(t-1)" in result.output and "9 surrogates" in result.output
    runs = [f"{s}{int(s == 'v' and i > 21)}" for i, s in enumerate(frame.subject) if i != 21]
    rows = frame.dropna()
    expected = measure(
        rows[["a"]], rows[["x"]], lag=1, trials=runs, n_bootstrap=5, n_permutations=9,
        block_length=3, random_state=0,
    ).to_frame()  # fmt: skip
    written = pd.read_json(output)
    pd.testing.assert_frame_equal(written, expected, check_exact=False, rtol=1e-9, atol=1e-12)
    assert expected.value[0] > 0.5
    near = run(
        "synergy", tmp_path / "data.csv", "--sources", "a", "--targets", "x", "--lag", 1, 2,
        "--model", "nearest-neighbors", "--neighbors", 5,
    )  # fmt: skip
    assert near.exit_code == 0 and "a(t-1, t-2)" in near.output, near.output + near.stderr


def test_parquet(table, tmp_path):
    pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    table.to_parquet(tmp_path / "data.parquet")
    output = tmp_path / "out.parquet"
    result = run("synergy", tmp_path / "data.parquet", "--sources", "a", "--output", output)
    assert result.exit_code == 0, result.output
    assert set(pd.read_parquet(output).target) == {"b", "c", "x", "y"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data.csv", "--sources", "a", "q"), "no column 'q'; the columns are a, b, c, x, y"),
        (("data.csv", "--sources", "a", "more.csv"), "the file must stand before the options"),
        (("data.csv", "--sources", "a", "b", "c", "x", "y"), "choose the targets with --targets"),
        (
            ("data.csv", "--sources", "a", "--model", "discrete"),
            "pass --bins (and --binning equal-frequency",
        ),
        (("data.csv", "--sources", "a", "--output", "out.xlsx"), ".csv, .parquet, .json"),
        (("absent.csv", "--sources", "a"), "no such file"),
        (("data.doc", "--sources", "a"), ".parquet"),
        (("empty.csv", "--sources", "a"), "is empty"),
        (("holes.csv", "--sources", "a"), "no row has a value in all columns"),
        (("data.csv", "--sources", "a", "--bins", 3), "bins is for --model discrete"),
        (("text.csv", "--sources", "t"), "'t' is not numeric; categories need --model discrete"),
        (("data.csv", "--sources", "a", "--binning", "equal-width"), "--binning has no effect"),
        (("data.csv", "--sources", "a", "--confidence", 0.9), "--confidence has no effect"),
        (("data.csv", "--sources", "a", "--trials", "b"), "--trials has no effect without --lag"),
        (("data.csv", "--sources", "a", "--lag", 500), "--lag 500 needs trials of more than 500"),
        (("data.csv", "--sources", "a", "--neighbors", 2), "without --model nearest-neighbors"),
        (("data.csv", "--sources", "a", "--seed", 1), "--seed has no effect without --bootstrap"),
    ],
)
def test_errors_are_one_line(csv, monkeypatch, words, message):
    monkeypatch.chdir(csv.parent)
    (csv.parent / "empty.csv").write_text("")
    (csv.parent / "text.csv").write_text("t,b\nu,1\nv,3\n")
    (csv.parent / "holes.csv").write_text("a,b\n1.5,\n,3\n4,\n")
    result = run("synergy", *words)
    assert result.exit_code == 1
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    assert isinstance(result.exception, SystemExit)


def test_figure_1(tmp_path):
    output = tmp_path / "deep" / "figure1.png"
    result = run("figure1", "--output", output, "--dpi", 60)
    assert result.exit_code == 0, result.output
    assert output.read_bytes().startswith(b"\x89PNG")
    page = output.with_suffix(".html")
    assert run("figure1", "--output", page).exit_code == 0
    assert "Synergy of two sources" in page.read_text()


def test_a_full_disk_keeps_the_old_numbers(csv, tmp_path, monkeypatch):
    def full(frame, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    output = tmp_path / "out.csv"
    output.write_text("old")
    monkeypatch.setattr("pandas.DataFrame.to_csv", full)
    result = run("synergy", csv, "--sources", "a", "--targets", "x", "--output", output)
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert "out.csv: cannot write (No space left on device)" in result.output
    assert output.read_text() == "old" and sorted(tmp_path.iterdir()) == [csv, output]
