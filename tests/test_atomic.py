"""Files are there in full or not at all, whoever writes them at the same time."""

import os
import stat
import threading

import numpy as np
import pytest
from matplotlib.figure import Figure

from minsyn._atomic import replacing, write_atomically
from minsyn._locks import FolderInUseError, locked
from minsyn.report.style import save_as
from programs import script, started


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_what_was_there_is_kept_when_writing_ends_early(tmp_path):
    path = tmp_path / "a.npz"
    write_atomically(path, "old")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), replacing(path) as file:
            file.write(b"half")
            raise error
        assert path.read_text() == "old" and names(tmp_path) == ["a.npz"]
    (tmp_path / ".a.npz.part").write_text("x" * 5000)  # left by a killed process
    with replacing(path) as file:
        np.savez(file, x=np.arange(3))  # goes back in the file
    with np.load(path) as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]
    assert names(tmp_path) == ["a.npz"]


def test_links_and_permissions_stay(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_pipes_are_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write_atomically(pipe, "content")
    reader.join(10)
    assert found == ["content"] and pipe.is_fifo()


def test_writers_of_one_file_take_turns(tmp_path):
    """Threads here; processes have the same lock."""
    path, damaged = tmp_path / "file", []

    def write(letter):
        for _ in range(12):
            write_atomically(path, letter * 100_000)
            if len(set(path.read_text())) != 1:
                damaged.append(letter)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert damaged == [] and path.stat().st_size == 100_000 and names(tmp_path) == ["file"]


def test_a_locked_folder_is_free_when_its_process_is_killed(tmp_path):
    keep = script("""
        import sys, time
        from pathlib import Path
        from minsyn._locks import locked
        with locked(Path(sys.argv[1]), cure="wait"):
            print("ready", flush=True)
            time.sleep(60)
    """)
    with started(*keep, tmp_path) as other:
        other.stdout.readline()
        busy = pytest.raises(FolderInUseError, match=r"in use by another run: name another")
        with busy, locked(tmp_path, cure="name another"):
            pass
    with locked(tmp_path, cure="name another"):
        assert names(tmp_path) == [".lock"]
    assert names(tmp_path) == []


def test_figures(tmp_path):
    file = tmp_path / "figure.png"
    save_as(Figure(), file)
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG")
    with pytest.raises(ValueError):
        save_as(Figure(), file, dpi=-1)
    assert file.read_bytes() == content and names(tmp_path) == [file.name]
