import json
import os
import resource
import time

import numpy as np
import pytest

from minsyn.benchmark import SettingsMismatchError, Store
from programs import script, started


def same(one, other):
    for name in one.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_cells_come_back_as_they_were(tmp_path, tiny, cell):
    Store(tmp_path, tiny()).add(cell(acc=float("nan"), n_iter=None, warnings=("a", "b")))
    (back,) = Store(tmp_path, tiny()).results()
    same(back, cell(acc=float("nan"), n_iter=None, warnings=("a", "b")))
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "experiment.json",
        "pca-0.json",
        "pca-0.npz",
    ]


def test_cells_keep_their_decoders(tmp_path, tiny, cell):
    kept = {
        "latents": np.ones((7, 1), np.float32),
        "weights": np.ones((1, 4), np.float32),
        "bias": np.zeros(4, np.float32),
        "logistic": True,
    }
    Store(tmp_path, tiny()).add(cell(**kept))
    (back,) = Store(tmp_path, tiny()).results()
    same(back, cell(**kept))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".json", truncate),
        (".json", lambda path: path.write_bytes(b"")),
        (".json", lambda path: path.write_bytes(b"\xff\xfe")),
        (".json", lambda path: path.write_text("[1, 2]")),
        (".json", lambda path: path.write_text("{}")),
        (".npz", truncate),
        (".npz", flip),
        (".npz", lambda path: path.unlink()),
    ],
)
def test_damaged_cells_do_not_count(tmp_path, tiny, cell, suffix, damage):
    store = Store(tmp_path, tiny())
    store.add(cell(draw=0))
    store.add(cell(draw=1))
    damage(tmp_path / "cells" / f"pca-0{suffix}")
    assert [result.draw for result in store.results()] == [1]
    assert len(store.notes) == 1 and "pca-0.json is damaged" in store.notes[0]


def test_cell_of_another_experiment_does_not_count(tmp_path, tiny, cell):
    Store(tmp_path / "a", tiny(seed=1)).add(cell())
    store = Store(tmp_path / "b", tiny(seed=2))
    for path in (tmp_path / "a" / "cells").iterdir():
        (tmp_path / "b" / "cells" / path.name).write_bytes(path.read_bytes())
    assert store.results() == []
    assert "other settings" in store.notes[0]


def test_half_written_files_do_not_count(tmp_path, tiny, cell):
    store = Store(tmp_path, tiny())
    (tmp_path / "cells" / ".pca-0.json.part").write_text('{"scores"')
    (tmp_path / "cells" / "pca-0.npz").write_bytes(b"arrays without scores")
    assert store.results() == [] and store.notes == []


def test_other_settings_are_refused(tmp_path, tiny, cell):
    Store(tmp_path, tiny(seed=1)).add(cell())
    Store(tmp_path, tiny(["ica"], seed=1, draws=9))  # more methods and draws are welcome
    with pytest.raises(SettingsMismatchError) as caught:
        Store(tmp_path, tiny(seed=2, resample="all"))
    message = str(caught.value)
    assert "seed is 1 there and 2 here" in message and "resample is 'none' there" in message
    assert "another output folder" in message
    assert len(Store(tmp_path, tiny(seed=1)).results()) == 1


def test_overwrite_discards_cells_and_nothing_else(tmp_path, tiny, cell):
    Store(tmp_path, tiny(seed=1)).add(cell())
    (tmp_path / "notes.txt").write_text("mine")
    store = Store(tmp_path, tiny(seed=2), overwrite=True)
    assert store.results() == []
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_changed_letters_are_told_from_renamed_ones(tmp_path, tiny):
    Store(tmp_path, tiny())
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "letters_sha256": "0"}))
    with pytest.raises(SettingsMismatchError, match=r"letters has the same name \('typewriter'\)"):
        Store(tmp_path, tiny())


def test_damaged_settings(tmp_path, tiny):
    Store(tmp_path, tiny())
    (tmp_path / "experiment.json").write_text("{")
    with pytest.raises(ValueError, match=r"experiment\.json is damaged"):
        Store(tmp_path, tiny())


def test_output_that_is_a_file(tmp_path, tiny):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="output: cannot make this folder"):
        Store(tmp_path / "file", tiny())


def test_failure_is_kept_until_the_cell_succeeds(tmp_path, tiny, cell):
    store = Store(tmp_path, tiny())
    path = store.add_failure("pca", 0, "Traceback ...")
    assert path.read_text() == "Traceback ..."
    store.add(cell())
    assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_full_disk_loses_nothing(tmp_path, tiny, cell):
    """A real refusal of the system in the middle of a file: a limit on the size of files."""
    store = Store(tmp_path, tiny())
    store.add(cell(draw=0))
    big = np.random.default_rng(0).normal(size=(1, 20000)).astype(np.float32)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, hard))
    try:
        with pytest.raises(OSError, match=r"cannot write .*The earlier file, if any, is kept"):
            store.add(cell(draw=1, maps=big, train_examples=big, test_examples=big))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [result.draw for result in store.results()] == [0]
    assert not list(tmp_path.rglob("*.part"))


def test_reader_never_sees_half_a_file(tmp_path):
    """Killed at any moment while it writes, a file is the old one or the new one."""
    write = script("""
        import sys
        from pathlib import Path
        from minsyn._atomic import write_atomically
        print("ready", flush=True)
        while True:
            for letter in "ab":
                write_atomically(Path(sys.argv[1]), letter * 1_000_000)
    """)
    path = tmp_path / "file"
    with started(*write, path) as process:
        process.stdout.readline()
        time.sleep(0.02)
    if path.exists():
        content = path.read_text()
        assert len(content) == 1_000_000 and len(set(content)) == 1


def test_cells_from_before_synergies_were_measured_are_read(tmp_path, tiny, cell):
    store = Store(tmp_path, tiny())
    store.add(cell(ci_synergy=0.5))
    path = tmp_path / "cells" / "pca-0.json"
    record = json.loads(path.read_text())
    assert record["scores"].pop("ci_synergy") == 0.5
    del record["scores"]["gk_synergy"], record["scores"]["gk_synergy_groups"]
    path.write_text(json.dumps(record))
    (back,) = store.results()
    assert store.notes == [] and back.train_loss == 50.0
    assert np.isnan([back.ci_synergy, back.gk_synergy, back.gk_synergy_groups]).all()
