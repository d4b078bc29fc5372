"""Downloads from a server on this machine that misbehaves as real ones do."""

import hashlib
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from minsyn.datasets import load_emnist, load_letters
from minsyn.datasets.emnist import CACHE_FILE, MIRRORS, Mirror
from minsyn.datasets.emnist_formats import read_parquet, read_zip
from programs import script, started

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
SPLITS = {
    "train_images": IMAGES[:3],
    "train_labels": np.array([0, 25, 4], np.uint8),
    "test_images": IMAGES[3:],
    "test_labels": np.array([1, 0], np.uint8),
}


class Server(ThreadingHTTPServer):
    """Serves ``files``; each name's queue of ``troubles`` is worked off first."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.troubles, self.requests = {}, {}, []
        self.goes_on = threading.Event()

    def mirror(self, read, *names, **kwargs):
        host, port = self.server_address
        files = tuple(
            (f"http://{host}:{port}/{name}", "sha256:" + hashlib.sha256(content).hexdigest())
            for name in names
            for content in [self.files.get(name, b"")]
        )
        return Mirror(name=f"mirror of {names[0]}", files=files, read=read, **kwargs)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        trouble = (self.server.troubles.get(name) or [None]).pop(0)
        self.server.requests.append(name)
        content = self.server.files.get(name)
        if content is None or trouble == "missing":
            self.send_error(404)
            return
        sent = {"truncated": content[:-20], "wrong": content[::-1]}.get(trouble, content)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if trouble == "stalled":
            self.wfile.write(sent[: len(sent) // 2])
            self.server.goes_on.wait(60)
        self.wfile.write(sent)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, zip_content):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.files["gzip.zip"] = zip_content(SPLITS)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def parquet_mirror(server, parquet_content):
    for split in ("train", "test"):
        server.files[f"{split}.parquet"] = parquet_content(
            SPLITS[f"{split}_images"], SPLITS[f"{split}_labels"]
        )
    return server.mirror(read_parquet, "train.parquet", "test.parquet", needs="pyarrow")


@pytest.fixture
def zip_mirror(server):
    return server.mirror(read_zip, "gzip.zip")


def assert_is_emnist(letters):
    np.testing.assert_array_equal(letters.images, IMAGES)
    assert "".join(letters.labels) == "azeba"
    assert letters.name == "emnist"


def test_every_mirror_yields_the_same_upright_letters(tmp_path, parquet_mirror, zip_mirror):
    for mirror in (parquet_mirror, zip_mirror):
        assert_is_emnist(load_emnist(cache=tmp_path / mirror.name, mirrors=[mirror], retries=0))


def test_the_download_happens_once_and_leaves_one_file(tmp_path, server, zip_mirror):
    for _ in range(2):
        assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0))
    assert server.requests == ["gzip.zip"]
    assert [file.name for file in tmp_path.iterdir()] == [CACHE_FILE]


@pytest.mark.parametrize(("split", "labels"), [("train", "aze"), ("test", "ba")])
def test_splits(tmp_path, zip_mirror, split, labels):
    for _ in ("downloaded", "from the cache"):
        letters = load_emnist(split, cache=tmp_path, mirrors=[zip_mirror], retries=0)
        assert "".join(letters.labels) == labels
        np.testing.assert_array_equal(letters.images, SPLITS[f"{split}_images"])


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="'validation' is not one of 'train', 'test', 'both'"):
        load_emnist("validation", cache=tmp_path)


def test_the_environment_names_the_cache(tmp_path, monkeypatch, zip_mirror):
    monkeypatch.setenv("MINSYN_CACHE", str(tmp_path / "environment"))
    load_emnist(mirrors=[zip_mirror], retries=0)
    load_emnist(cache=tmp_path / "argument", mirrors=[zip_mirror], retries=0)
    for name in ("environment", "argument"):
        assert (tmp_path / name / CACHE_FILE).exists()
    assert_is_emnist(load_letters("emnist"))


@pytest.mark.parametrize("trouble", ["truncated", "wrong", "missing"])
def test_a_broken_download_is_tried_again(tmp_path, server, zip_mirror, trouble):
    server.troubles["gzip.zip"] = [trouble]
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=1))
    assert server.requests == ["gzip.zip"] * 2


def test_a_killed_download_leaves_nothing_for_long(tmp_path, server, zip_mirror):
    server.troubles["gzip.zip"] = ["stalled"]
    download = script("""
        import sys
        from minsyn.datasets import load_emnist
        from minsyn.datasets.emnist import Mirror
        from minsyn.datasets.emnist_formats import read_zip
        cache, *file = sys.argv[1:]
        load_emnist(cache=cache, mirrors=[Mirror("stalled", (tuple(file),), read_zip)], retries=0)
    """)
    with started(*download, tmp_path, *zip_mirror.files[0], stderr=subprocess.DEVNULL) as process:
        while not (server.requests and any(p.name.startswith("tmp") for p in tmp_path.rglob("*"))):
            assert process.poll() is None
            time.sleep(0.01)
    server.goes_on.set()
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0))
    assert [file.name for file in tmp_path.iterdir()] == [CACHE_FILE]


@pytest.mark.parametrize("trouble", ["truncated", "wrong", "missing"])
def test_the_next_mirror_stands_in(tmp_path, server, parquet_mirror, zip_mirror, trouble):
    server.troubles["test.parquet"] = [trouble]
    mirrors = [parquet_mirror, zip_mirror]
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=mirrors, retries=0))
    assert server.requests == ["train.parquet", "test.parquet", "gzip.zip"]


def test_a_mirror_whose_package_is_missing_is_passed_over(tmp_path, server, zip_mirror):
    other = server.mirror(read_parquet, "train.parquet", needs="no_such_package", cure="do this")
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[other, zip_mirror], retries=0))
    assert server.requests == ["gzip.zip"]
    with pytest.raises(ConnectionError, match=r"needs no_such_package \(do this\)"):
        load_emnist(cache=tmp_path / "other", mirrors=[other], retries=0)


def test_when_all_fail_each_is_named_with_a_way_out(tmp_path, server, zip_mirror):
    server.troubles["gzip.zip"] = ["wrong"]
    gone = server.mirror(read_zip, "gone.zip")
    with pytest.raises(ConnectionError) as error:
        load_emnist(cache=tmp_path, mirrors=[zip_mirror, gone], retries=0)
    message = str(error.value)
    for url in (zip_mirror.files[0][0], gone.files[0][0]):
        assert url in message
    for part in ("does not match the known hash", "404", "letters='typewriter'", ".npz"):
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_host_is_a_clear_error(tmp_path, server, zip_mirror):
    server.server_close()
    with pytest.raises(ConnectionError, match="mirror of gzip"):
        load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0)


def test_one_of_several_processes_downloads(tmp_path, server, zip_mirror):
    """Threads here, to which the lock is the same."""
    with ThreadPoolExecutor(3) as pool:
        loads = [
            pool.submit(load_emnist, cache=tmp_path, mirrors=[zip_mirror], retries=0)
            for _ in range(3)
        ]
    for load in loads:
        assert_is_emnist(load.result())
    assert len(server.requests) == 1
    assert [file.name for file in tmp_path.iterdir()] == [CACHE_FILE]


@pytest.mark.parametrize(
    "damage", ["truncated", "flipped", "not a zip", "empty", "other arrays", "other labels"]
)
def test_a_damaged_cache_is_replaced(tmp_path, zip_mirror, damage):
    load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0)
    file = tmp_path / CACHE_FILE
    content = bytearray(file.read_bytes())
    if damage == "other arrays":
        np.savez(file, something=np.ones(3))
    elif damage == "other labels":
        with np.load(file) as arrays:
            stored = dict(arrays)
        stored["test_labels"] = stored["test_labels"] + np.uint8(200)
        np.savez(file, **stored)
    else:
        content[len(content) // 2] ^= 0xFF
        replaced = {"truncated": content[:-99], "not a zip": b"text", "empty": b""}
        file.write_bytes(replaced.get(damage, content))
    with pytest.warns(UserWarning, match="is damaged"):
        letters = load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0)
    assert_is_emnist(letters)
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[], retries=0))


def test_a_wrong_file_left_in_the_cache_is_replaced(tmp_path, server, zip_mirror):
    (tmp_path / "gzip.zip").write_bytes(server.files["gzip.zip"][:-5])
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0))


def test_a_right_file_left_in_the_cache_is_used(tmp_path, server, zip_mirror):
    (tmp_path / "gzip.zip").write_bytes(server.files["gzip.zip"])
    assert_is_emnist(load_emnist(cache=tmp_path, mirrors=[zip_mirror], retries=0))
    assert server.requests == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path, zip_mirror):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot be written.*MINSYN_CACHE"):
        load_emnist(cache=tmp_path / "file", mirrors=[zip_mirror], retries=0)


def test_the_known_mirrors_are_pinned_by_checksum():
    for mirror in MIRRORS:
        for url, known_hash in mirror.files:
            assert url.startswith("https://")
            algorithm, _, digest = known_hash.partition(":")
            assert len(digest) == 2 * hashlib.new(algorithm).digest_size
