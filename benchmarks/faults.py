"""What is left after a fault: a process killed or stopped at any moment, a full disk, and more.

    OMP_NUM_THREADS=1 python benchmarks/faults.py [kill stop imports disk folders pairs downloads]
        [--times 20] [--task NAME] [--seed 0]

Every task runs undisturbed first: that gives its duration and its results. Then, for each kind of
fault, `--times` times: its outputs are set back to those of an earlier run, the task is disturbed,
and what it left is looked at; then it runs again, undisturbed. It survives if

- outputs are those of the earlier run or of this one, to the bit, and never a part of either;
- running it again gives the results of the undisturbed run, to the bit, and nothing else is left;
- a command that was stopped (Ctrl-C, sent to all its processes) or met a full disk says one line,
  without a traceback, with exit code 130 or 1; a Python call raises KeyboardInterrupt or OSError.

Tasks are forks of this process, so that moments fall into the work and not into imports; only
`minsyn benchmark` starts anew, and so do the processes of `imports`, which are stopped from the
first line of `minsyn` on. A full disk is a small tmpfs where that can be mounted, else a limit on
the size of files; a read-only folder is on a tmpfs that is mounted so, as the superuser may write
to any other. Prints a line for each task and kind of fault.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd

from minsyn import Adam, AutoEncoder, InfoMax, MinSyn, Run, VectorMinSyn
from minsyn.__main__ import main as command_line
from minsyn.datasets import load_emnist
from minsyn.datasets.emnist import CACHE_FILE, Mirror
from minsyn.datasets.emnist_formats import read_zip
from minsyn.estimators import load_model
from minsyn.information import synergy, union_information
from minsyn.metrics import parallel_analysis, stability

INTERRUPTED, FAILED = 130, 1
EARLIER = "of an earlier run"


@dataclass(frozen=True)
class Task:
    """What runs in a folder, and what it leaves.

    `outputs` are files and folders that it writes; `state` those that let it go on. `command` tells
    a command line from a call in Python.
    """

    name: str
    run: Callable[[Path], None]
    outputs: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    command: bool = False


def table(n_samples=400, n_features=12, n_causes=3):
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n_samples, n_causes))
    X = np.repeat(causes, n_features // n_causes, axis=1) + rng.normal(size=(n_samples, n_features))
    return pd.DataFrame(X.round(6), columns=[f"c{j}" for j in range(n_features)])


def minsyn(*words, anew=False):
    """A task's command, in the folder of the task; ``anew`` in a Python of its own."""

    def run(folder):
        os.chdir(folder)
        if anew:
            code = "from minsyn.__main__ import main; main()"
            os.execv(sys.executable, [sys.executable, "-c", code, *words])
        sys.argv = ["minsyn", *words]
        command_line()

    return run


def fit(new_model):
    """A fit whose parameters and loss curve are the output, if the folder does not hold them."""

    def run(folder):
        model = new_model(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(table().to_numpy())
        # What `save` writes is another task.
        names = ("components_", "intercept_", "unmixing_", "loss_curve_")
        found = [np.asarray(getattr(model, name)) for name in names if hasattr(model, name)]
        if hasattr(model, "encoder_"):
            found += [p.detach().numpy() for p in model.encoder_.parameters()]
        write(folder / "fit.json", [array.tolist() for array in found])

    return run


def call(function):
    """A function whose value, as text of all digits, is the output."""

    def run(folder):
        write(folder / "value.json", function())

    return run


def write(path, value):
    part = path.with_suffix(".new")
    part.write_text(json.dumps(value))
    part.replace(path)


def save(folder):
    for name in ("one", "other", "one", "other"):
        load_model(folder / name).save(folder / "model")


def numbers_of(result):
    return [np.asarray(result[name]).tolist() for name in result.measures]


def binary(model):
    X = 1 / (1 + np.exp(-table().to_numpy()))
    fitted, model.fit = model.fit, lambda _: fitted(X)
    return model


def checkpoints(folder):
    return Run(checkpoint_dir=folder / "checkpoints", checkpoint_every=0)


TASKS = (
    Task(
        "minsyn fit",
        minsyn("fit", "x.csv", "--n-components", "2", "--output", "model", "--overwrite"),
        outputs=("model",),
        command=True,
    ),
    Task(
        "minsyn fit --solver adam",
        minsyn(
            *("fit", "x.csv", "--n-components", "2", "--output", "model", "--overwrite"),
            *("--solver", "adam", "--max-iter", "80"),
        ),
        outputs=("model",),
        command=True,
    ),
    Task(
        "minsyn transform",
        minsyn("transform", "one", "x.csv", "--output", "z.csv"),
        outputs=("z.csv",),
        command=True,
    ),
    Task(
        "minsyn inspect",
        minsyn(
            *("inspect", "one", "--data", "x.csv", "--output", "i.csv", "--report", "i.html"),
        ),
        outputs=("i.csv", "i.html"),
        command=True,
    ),
    Task(
        "minsyn synergy",
        minsyn(
            *("synergy", "x.csv", "--sources", "c0", "c1", "c4", "--output", "s.csv"),
            *("--bootstrap", "100", "--permutations", "99"),
        ),
        outputs=("s.csv",),
        command=True,
    ),
    Task(
        "minsyn figure1",
        minsyn("figure1", "--output", "f.png"),
        outputs=("f.png",),
        command=True,
    ),
    Task(
        "minsyn report",
        minsyn("report", "words", "--output", "p.html"),
        outputs=("p.html",),
        command=True,
    ),
    Task("save", save, outputs=("model",)),
    Task(
        "MinSyn, Adam, checkpoints",
        fit(
            lambda folder: MinSyn(
                3, solver=Adam(run=checkpoints(folder)), n_init=2, max_iter=20, random_state=0
            )
        ),
        outputs=("fit.json",),
        state=("checkpoints",),
    ),
    Task(
        "AutoEncoder, checkpoints",
        fit(
            lambda folder: AutoEncoder(
                3,
                noise_std=0.1,
                batch_size=64,
                run=checkpoints(folder),
                max_iter=15,
                random_state=0,
            )
        ),
        outputs=("fit.json",),
        state=("checkpoints",),
    ),
    Task(
        "VectorMinSyn, nets, checkpoints",
        fit(
            lambda folder: VectorMinSyn(
                encoder=(8,),
                decoder=(8,),
                solver=Adam(batch_size=64, run=checkpoints(folder)),
                max_iter=15,
                random_state=0,
            )
        ),
        outputs=("fit.json",),
        state=("checkpoints",),
    ),
    Task(
        "MinSyn, L-BFGS",
        fit(lambda folder: binary(MinSyn(3, decoder="bernoulli", random_state=0))),
        outputs=("fit.json",),
    ),
    Task(
        "MinSyn, covariance",
        fit(lambda folder: MinSyn(random_state=0)),
        outputs=("fit.json",),
    ),
    Task(
        "VectorMinSyn, logistic",
        fit(lambda folder: binary(VectorMinSyn(max_iter=300, random_state=0))),
        outputs=("fit.json",),
    ),
    Task("InfoMax", fit(lambda folder: InfoMax(3, random_state=0)), outputs=("fit.json",)),
    Task(
        "synergy",
        call(
            lambda: numbers_of(
                synergy(table().iloc[:, :5], table().iloc[:, 5:], n_bootstrap=200, random_state=0)
            )
        ),
        outputs=("value.json",),
    ),
    Task(
        "stability",
        call(
            lambda: stability(MinSyn(3), table().to_numpy(), 10, random_state=0).congruence.tolist()
        ),
        outputs=("value.json",),
    ),
    Task(
        "union_information",
        call(
            lambda: (
                union_information(
                    np.random.default_rng(0).dirichlet(np.ones(216)).reshape(3, 3, 3, 8)
                ).value
            )
        ),
        outputs=("value.json",),
    ),
    Task(
        "parallel_analysis",
        call(lambda: parallel_analysis(table().corr().to_numpy(), 400).eigenvalues.tolist()),
        outputs=("value.json",),
    ),
    Task(
        "minsyn benchmark --jobs 2",
        minsyn(
            *("benchmark", "--methods", "pca,ica", "--draws", "2", "--jobs", "2", "--output", "w"),
            anew=True,  # its workers are started and ended by what runs at exit
        ),
        outputs=(),
        state=("w",),
        command=True,
    ),
)


class Bench:
    """Folders of a task before it runs and after, and its duration."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder
        before = folder / "before"
        prepare(before, task)
        began = time.monotonic()
        code, said = wait(start(task, copied(before, folder / "work")))
        self.duration = time.monotonic() - began
        if code != 0:
            raise SystemExit(f"{task.name} does not run: {said}")
        self.earlier = contents(before, task.outputs)
        self.results = contents(folder / "work", task.outputs + task.state)
        self.names = names(folder / "work")
        self.models = []
        if "model" in task.outputs:
            # `save` writes both in turn, and a command writes one of its own.
            known = ("before/model", "before/one", "before/other", "work/model")
            self.models = [digest_of_model(folder / name) for name in known]
        #: Of the files that it writes, in bytes.
        self.sizes = [(folder / "work" / file).stat().st_size for file in self.results]

    def fresh(self) -> Path:
        return copied(self.folder / "before", self.folder / "work")

    def flaw(self, work: Path, *, cleared: bool) -> str | None:
        """What a disturbed run left that is neither old nor new, or that is left over."""
        for name in self.task.outputs:
            if name == "model":  # its folder may hold arrays of both, until the next save
                same = digest_of_model(work / name) in self.models
            else:
                same = contents(work, (name,)) in (
                    pick(self.earlier, name),
                    pick(self.results, name),
                )
            if not same:
                return f"{name} is neither the old nor the new one"
        more = {name for name in names(work) - self.names if ".part" in name or ".lock" in name}
        return f"left: {', '.join(sorted(more))}" if cleared and more else None

    def flaw_again(self, work: Path) -> str | None:
        """What differs after the task ran again, undisturbed."""
        code, said = wait(start(self.task, work))
        if code != 0:
            return f"the next run fails: {said}"
        if contents(work, self.task.outputs + self.task.state) != self.results:
            return "other results"
        # A killed command may leave a folder beside its output; it is removed ten minutes later.
        more = {name for name in names(work) - self.names if not name.endswith(".part")}
        return f"left: {', '.join(sorted(more))}" if more else None


def prepare(folder, task):
    folder.mkdir(parents=True)
    for name in ("x.csv", "one", "other", "words"):
        source = SHARED / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for name in task.outputs:
        if name == "model":
            shutil.copytree(folder / "other", folder / name)
        else:
            (folder / name).write_text(EARLIER)


def copied(source, target):
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(source, target))


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def pick(found, name):
    return {path: digest for path, digest in found.items() if path.split("/")[0] == name}


def contents(folder, chosen):
    """Digests of files; of those that say how long something took, without that."""
    found = {}
    for name in chosen:
        path = folder / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path] if path.exists() else []:
            if file.is_file() and not file.name.endswith(".part"):
                found[str(file.relative_to(folder))] = digest(file)
    return found


def digest(file):
    content = file.read_bytes()
    if content == EARLIER.encode():
        return "earlier"
    if file.suffix == ".json":
        document = json.loads(content)
        forget(document)
        content = json.dumps(document).encode()
    elif file.name == "results.csv":
        content = pd.read_csv(file).drop(columns="fit_seconds").to_csv().encode()
    elif file.suffix in (".pdf", ".html") or file.name == "summary.csv":
        # They hold the day or the seconds: that they are whole is enough.
        whole = content.rstrip().endswith((b"%%EOF", b"</html>")) or file.suffix == ".csv"
        content = str(whole).encode()
    return hashlib.sha256(content).hexdigest()


def digest_of_model(folder):
    model = load_model(folder)
    return hashlib.sha256(model.transform(table()).tobytes()).hexdigest()


def forget(document):
    """Take out times, and the checksums over them."""
    if isinstance(document, dict):
        for name in [*document]:
            if "seconds" in name or "sha256" in name or name in ("made", "date", "time"):
                del document[name]
            else:
                forget(document[name])
    elif isinstance(document, list):
        for item in document:
            forget(item)


def start(task, work, before=lambda: None):
    """Fork a process, with a group of its own, that runs a task."""
    sys.stdout.flush()
    log = Path(tempfile.mkstemp(dir=SHARED.parent)[1])
    # Held until the child is within its `try`: else Ctrl-C would send it back into `main`.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        return pid, log
    code = 0
    try:
        os.setpgid(0, 0)
        with log.open("wb") as errors:
            os.dup2(errors.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        before()
        task.run(work)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except SystemExit as end:
        code = end.code or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
        sys.stderr.write("KeyboardInterrupt\n")
    except OSError as error:
        code = FAILED
        sys.stderr.write(f"Error: {' '.join(str(error).split())}\n")
    except BaseException:
        code = 99
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        sys.stdout.flush(), sys.stderr.flush()
    os._exit(code)


def wait(started):
    """Exit code, and what was said on stderr."""
    pid, log = started
    _, status = os.waitpid(pid, 0)
    said = log.read_text()
    log.unlink()
    return os.waitstatus_to_exitcode(status), said


def signal_at(started, seconds, number):
    """Send a signal to all processes of a task, unless it ends before."""
    pid, _ = started
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if info is not None:
            return False
        time.sleep(min(0.005, max(0.0, end - time.monotonic())))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
    return True


def kill(bench, rng):
    """SIGKILL of all processes."""
    work = bench.fresh()
    started = start(bench.task, work)
    signal_at(started, rng.uniform(0, bench.duration), signal.SIGKILL)
    wait(started)
    return bench.flaw(work, cleared=False) or bench.flaw_again(work)


def stop(bench, rng):
    """Ctrl-C."""
    work = bench.fresh()
    started = start(bench.task, work)
    sent = signal_at(started, rng.uniform(0, bench.duration), signal.SIGINT)
    code, said = wait(started)
    wrong = not sent or flaw_of_end(code, said, (0, INTERRUPTED))
    if isinstance(wrong, str):
        return wrong
    return bench.flaw(work, cleared=True) or bench.flaw_again(work)


def flaw_of_end(code, said, codes):
    if code not in codes:
        return f"exit code {code}: {said[-300:]!r}"
    said = "".join(line for line in said.splitlines(True) if not line.startswith("Warning: "))
    if code and (said.count("\n") != 1 or "Traceback" in said):
        return f"not one line: {said[-300:]!r}"
    return None


def disk(bench, rng):
    """No room for all that the task writes."""
    with small_disk() as mounted:
        work = copied(bench.folder / "before", (mounted or bench.folder) / "work")
        if mounted:
            fill(mounted, rng.randrange(0, 2 * sum(bench.sizes)))
            started = start(bench.task, work)
        else:
            limit = rng.randrange(0, max(bench.sizes))
            started = start(
                bench.task, work, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            )
        code, said = wait(started)
        found = flaw_of_end(code, said, (0, FAILED)) or bench.flaw(work, cleared=True)
        if mounted:
            (mounted / "filler").unlink()
        return found or bench.flaw_again(work)


@contextlib.contextmanager
def small_disk():
    """A tmpfs, or None where none can be mounted."""
    with tempfile.TemporaryDirectory() as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", name]
        done = shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0
        try:
            yield Path(name) if done else None
        finally:
            if done:
                subprocess.run(["umount", "-l", name], check=True)


def fill(folder, left):
    """Fill a disk but for some bytes."""
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    size = (folder / "filler").stat().st_size
    os.truncate(folder / "filler", max(0, size - left))


def read_only(bench, rng):
    """A folder on a disk that cannot be written to; no user's rights help there."""
    with small_disk() as mounted:
        if mounted is None:
            return "not tried: no tmpfs could be mounted"
        work = copied(bench.folder / "before", mounted / "work")
        subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
        code, said = wait(start(bench.task, work))
        subprocess.run(["mount", "-o", "remount,rw", str(mounted)], check=True)
        found = flaw_of_end(code, said, (FAILED,)) or bench.flaw(work, cleared=True)
        return found or bench.flaw_again(work)


def file_for_folder(bench, rng):
    """A file where the task makes a folder, or a folder where it writes a file."""
    work, name = bench.fresh(), (bench.task.outputs + bench.task.state)[-1]
    there = work / name
    is_folder = (bench.folder / "work" / name).is_dir()
    is_folder = is_folder or name in ("model", "checkpoints", "w")
    shutil.rmtree(there, ignore_errors=True)
    there.unlink(missing_ok=True)
    there.write_text("a file") if is_folder else there.mkdir()
    code, said = wait(start(bench.task, work))
    kept = there.read_text() == "a file" if is_folder else there.is_dir()
    return flaw_of_end(code, said, (FAILED,)) or (None if kept else f"{name} is lost")


def pair(bench, rng):
    """Two runs on one folder."""
    work = bench.fresh()
    first = start(bench.task, work)
    time.sleep(rng.uniform(0, bench.duration))
    second = start(bench.task, work)
    ends = [wait(first), wait(second)]
    if all(code != 0 for code, _ in ends):
        return f"both fail: {ends[0][1]!r}"
    for code, said in ends:
        found = None if code == 0 else flaw_of_end(code, said.replace("minsyn._locks.", ""), (1,))
        if code == 99 and "FolderInUseError" in said:
            found = None
        if found:
            return found
    if contents(work, bench.task.outputs + bench.task.state) != bench.results:
        return "other results"
    return None


FAULTS = {"kill": kill, "stop": stop, "disk": disk, "pairs": pair}
WRITES = ("minsyn", "save", "checkpoints")


def run_imports(times, rng):
    """Ctrl-C in real processes, from the first line of `minsyn` until the work begins."""
    code = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import minsyn.__main__; os.write(1, b'.'); minsyn.__main__.main()"
    )
    words = ["fit", str(SHARED / "x.csv"), "--output", str(SHARED / "never"), "--quiet"]

    def begin():
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        os.read(process.stdout.fileno(), 1)
        return process

    began = time.monotonic()
    process = begin()
    process.communicate()
    duration = time.monotonic() - began
    shutil.rmtree(SHARED / "never")
    for _ in range(times):
        process = begin()
        time.sleep(rng.uniform(0, duration))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        yield flaw_of_end(process.returncode, said.decode(), (0, INTERRUPTED))
        shutil.rmtree(SHARED / "never", ignore_errors=True)


class Server(ThreadingHTTPServer):
    """Serves one archive of letters; `trouble` says how."""

    daemon_threads, trouble, seconds = True, None, 0.0

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.n_requests = content, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def mirror(self):
        host, port = self.server_address
        known = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        return Mirror("server", ((f"http://{host}:{port}/gzip.zip", known),), read_zip)


class Handler(BaseHTTPRequestHandler):
    """Answers of the server."""

    def do_GET(self):
        server = self.server
        server.n_requests += 1
        trouble = server.trouble if server.n_requests == 1 or server.trouble == "slow" else None
        content = server.content
        if trouble == "error 500":
            self.send_error(500)
            return
        if trouble == "closed":
            self.connection.close()
            return
        sent = {
            "truncated": content[:-200],
            "wrong": content[::-1],
            "empty": b"",
            "a page of HTML": b"<html>log in</html>",
        }.get(trouble, content)
        self.send_response(200)
        length = len(content) if trouble in ("truncated", "slow") else len(sent)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        steps = 50 if trouble == "slow" else 1
        with contextlib.suppress(OSError):
            for part in np.array_split(np.frombuffer(sent, np.uint8), steps):
                self.wfile.write(part.tobytes())
                time.sleep(server.seconds / steps if trouble == "slow" else 0)

    def log_message(self, *_):
        pass


TROUBLES = ("truncated", "wrong", "empty", "a page of HTML", "error 500", "closed")


def archive():
    """Letters in miniature, as NIST packs them."""
    import gzip
    import struct
    import zipfile

    def idx(array):
        return (
            bytes([0, 0, 8, array.ndim])
            + struct.pack(f">{array.ndim}I", *array.shape)
            + (array.astype(np.uint8).tobytes())
        )

    rng, file = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for split in ("train", "test"):
            images, labels = rng.integers(0, 256, (60, 28, 28)), np.arange(60) % 26 + 1
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                name = f"gzip/emnist-letters-{split}-{kind}-ubyte.gz"
                packed.writestr(name, gzip.compress(idx(array)))
    return file.getvalue()


def run_downloads(times, rng):
    """Names of faults, and what is wrong after each."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    content = archive()

    def letters(server, cache):
        with contextlib.redirect_stderr(io.StringIO()):
            return load_emnist(cache=cache, mirrors=[server.mirror()], retries=1)

    reference = None
    for trouble in (None, *TROUBLES):
        for _ in range(times if trouble else 1):
            server = Server(content)
            server.trouble = trouble
            with tempfile.TemporaryDirectory() as cache:
                found = letters(server, cache).images
                reference = found if reference is None else reference
                left = sorted(path.name for path in Path(cache).iterdir())
                wrong = "other letters" if not np.array_equal(found, reference) else None
                if left != [CACHE_FILE]:
                    wrong = f"left: {left}"
                if trouble:
                    yield f"download: {trouble}", wrong
            server.shutdown()
    for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGINT)):
        for _ in range(times):
            server = Server(content)
            server.trouble, server.seconds = "slow", 0.4
            with tempfile.TemporaryDirectory() as cache:
                task = Task(name, lambda work, s=server, c=cache: letters(s, c) and None)
                started = start(task, Path(cache))
                signal_at(started, rng.uniform(0, 0.6), number)
                code, said = wait(started)
                wrong = None if number == signal.SIGKILL else flaw_of_end(code, said, (0, 130))
                server.trouble = None
                same = np.array_equal(letters(server, cache).images, reference)
                left = sorted(path.name for path in Path(cache).iterdir())
                if left != [CACHE_FILE]:
                    wrong = wrong or f"left: {left}"
                yield f"download: slow, {name}", wrong or (None if same else "other letters")
            server.shutdown()
    for _ in range(times):
        server = Server(content)
        server.trouble, server.seconds = "slow", 0.2
        with tempfile.TemporaryDirectory() as cache:
            task = Task("one", lambda work, s=server, c=cache: letters(s, c) and None)
            ends = [wait(s) for s in [start(task, Path(cache)) for _ in range(4)]]
            left = sorted(path.name for path in Path(cache).iterdir())
            wrong = next((said for code, said in ends if code != 0), None)
            yield "download: four at once", wrong or (f"left: {left}" if len(left) > 1 else None)
        server.shutdown()


def tell(fault, name, flaws, seconds):
    """A row of the table, and below it what was wrong."""
    survived = sum(flaw is None for flaw in flaws)
    print(f"| {fault} | {name} | {survived} of {len(flaws)} | {seconds:.0f} s |", flush=True)
    for flaw in dict.fromkeys(flaw for flaw in flaws if flaw):
        print(f"    {flaws.count(flaw)} times: {flaw}", flush=True)


def main():
    global SHARED
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = [*FAULTS, "imports", "folders", "downloads"]
    parser.add_argument("kinds", nargs="*", default=kinds, metavar="KIND")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--task", help="only tasks with one of these in their names: a|b|c")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        SHARED = Path(name, "shared")
        SHARED.mkdir()
        table().to_csv(SHARED / "x.csv", index=False)
        MinSyn(2, random_state=1).fit(table()).save(SHARED / "one")
        MinSyn(4, random_state=2).fit(table()).save(SHARED / "other")
        words = ("benchmark", "--methods", "pca", "--draws", "1", "--jobs", "1")
        made = Task("words", minsyn(*words, "--output", str(SHARED / "words")))
        (Path(name) / "first").mkdir()
        wait(start(made, Path(name, "first")))
        print("| fault | task | survived | time |\n|:--|:--|--:|--:|")
        if "imports" in arguments.kinds and not arguments.task:
            began = time.monotonic()
            flaws = list(run_imports(arguments.times, rng))
            tell("Ctrl-C", "minsyn fit, with its imports", flaws, time.monotonic() - began)
        if "downloads" in arguments.kinds and not arguments.task:
            found: dict[str, list[str | None]] = {}
            began = time.monotonic()
            for fault, flaw in run_downloads(arguments.times, rng):
                found.setdefault(fault, []).append(flaw)
            for fault, flaws in found.items():
                tell(fault, "load_emnist", flaws, time.monotonic() - began)
        for number, task in enumerate(TASKS if {*FAULTS, "folders"} & {*arguments.kinds} else ()):
            if arguments.task and not any(t in task.name for t in arguments.task.split("|")):
                continue
            bench = Bench(task, Path(name, str(number)))
            writes = any(word in task.name for word in WRITES)
            for kind in arguments.kinds:
                began = time.monotonic()
                if kind in FAULTS and (writes or kind in ("kill", "stop")):
                    flaws = [FAULTS[kind](bench, rng) for _ in range(arguments.times)]
                    label = {"kill": "SIGKILL", "stop": "Ctrl-C", "disk": "full disk"}
                    tell(label.get(kind, "two runs"), task.name, flaws, time.monotonic() - began)
                elif kind == "folders" and writes:
                    tell("read-only folder", task.name, [read_only(bench, rng)], 0)
                    tell("file for a folder", task.name, [file_for_folder(bench, rng)], 0)
            shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
