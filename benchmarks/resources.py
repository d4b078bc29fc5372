"""Memory, open files and threads after 200 fits; time and memory of 20,000 columns.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/resources.py [leaks wide grid]
        [--fits 200] [--samples 500] [--columns 20000]

`leaks`: every estimator is fitted, applied, saved and loaded again and again in one process. Shown
is by how much its resident memory grew for each fit in the second half, and how many more files and
threads were open at the end than at half-time. `wide`: seconds and peak memory, beyond that of the
libraries and of the data, of fits with ten factors, each in a process of its own; PCA and
FactorAnalysis of scikit-learn beside them. `grid`: what a process says on stderr that ran
GridSearchCV with two jobs.
"""

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

N_FACTORS = 10

GRID = """
import numpy as np
from sklearn.model_selection import GridSearchCV
from minsyn import Adam, MinSyn

X = np.random.default_rng(0).normal(size=(200, 3)).repeat(4, axis=1)
X = X + np.random.default_rng(1).normal(size=X.shape)
for model in (MinSyn(random_state=0), MinSyn(solver=Adam(), tol=1.0, random_state=0)):
    GridSearchCV(model, {"n_components": [1, 2]}, n_jobs=2, cv=2).fit(X)
"""


def estimators():
    from minsyn import Adam, AutoEncoder, InfoMax, MinSyn, VectorMinSyn
    from minsyn.estimators import BetaTCVAE, BetaVAE, InformationDropout, LinearCorex

    few = {"max_iter": 3, "random_state": 0}
    return {
        "MinSyn, covariance": MinSyn(2, random_state=0),
        "MinSyn, automatic number": MinSyn(random_state=0),
        "MinSyn, L-BFGS": MinSyn(2, decoder="bernoulli", n_init=2, **few),
        "MinSyn, Adam": MinSyn(2, solver=Adam(batch_size=32), **few),
        "MinSyn, encoder of layers": MinSyn(2, encoder=(4,), **few),
        "VectorMinSyn": VectorMinSyn(**few),
        "VectorMinSyn, nets": VectorMinSyn(encoder=(3,), decoder=(3,), **few),
        "AutoEncoder": AutoEncoder(2, batch_size=32, **few),
        "BetaVAE": BetaVAE(2, batch_size=32, **few),
        "BetaTCVAE": BetaTCVAE(2, batch_size=32, **few),
        "InformationDropout": InformationDropout(2, batch_size=32, **few),
        "LinearCorex": LinearCorex(2, **few),
        "InfoMax": InfoMax(2, **few),
    }


def state():
    """Resident memory in KiB, open files, threads."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    n_files, n_threads = (len([*Path("/proc/self", name).iterdir()]) for name in ("fd", "task"))
    return np.array([pages * resource.getpagesize() / 1024, n_files, n_threads])


def leaks(n_fits):
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = np.repeat(rng.random((60, 2)), 4, axis=1)
    X = 0.8 * X + 0.2 * rng.random(X.shape)
    print(f"| {n_fits} fits, transforms, saves | KiB a fit | files | threads |\n|:--|--:|--:|--:|")
    for name, model in estimators().items():
        with tempfile.TemporaryDirectory() as folder:
            states = []
            for n in range(n_fits + 1):
                model.fit(X).transform(X)
                if hasattr(model, "save"):
                    model.save(folder)
                    type(model).load(folder)
                if n in (n_fits // 2, n_fits):
                    states.append(state())
        memory, files, threads = states[1] - states[0]
        per_fit = memory / (n_fits - n_fits // 2)
        print(f"| {name} | {per_fit:.2f} | {files:+.0f} | {threads:+.0f} |", flush=True)


def wide_data(n_samples, n_columns):
    rng = np.random.default_rng(0)
    causes = rng.standard_normal((n_samples, N_FACTORS), np.float32)
    X = causes.repeat(n_columns // N_FACTORS, axis=1)
    X += rng.standard_normal(X.shape, np.float32)
    return X


def of_wide(way, path):
    """Function of the data in a file, and a function that runs it."""
    X = np.load(path)
    if way in ("PCA", "FactorAnalysis"):
        from sklearn import decomposition

        return lambda: getattr(decomposition, way)(N_FACTORS, random_state=0).fit(X)
    if way == "synergy":
        from minsyn.information import synergy

        return lambda: synergy(X[:, :: X.shape[1] // N_FACTORS], X)
    from minsyn import MinSyn

    if way == "MinSyn, file":
        return lambda: MinSyn(N_FACTORS, random_state=0).fit(path)
    number = "auto" if way == "MinSyn, automatic number" else N_FACTORS
    return lambda: MinSyn(number, random_state=0).fit(X)


WAYS = ("PCA", "FactorAnalysis", "MinSyn", "MinSyn, automatic number", "MinSyn, file", "synergy")


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_way(way, path):
    warnings.simplefilter("ignore")
    run = of_wide(way, path)
    before, start, of_cpu = peak_mb(), time.perf_counter(), time.process_time()
    run()
    print(time.perf_counter() - start, time.process_time() - of_cpu, peak_mb() - before)


def wide(n_samples, n_columns):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.npy")
        np.save(path, wide_data(n_samples, n_columns))
        size = path.stat().st_size / 2**20
        print(f"{n_samples:,} samples of {n_columns:,} columns, {size:.0f} MB")
        print("| | s of the processor | s | peak memory, MB |\n|:--|--:|--:|--:|")
        for way in WAYS:
            words = [sys.executable, __file__, "--way", way, "--path", str(path)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            seconds, of_cpu, peak = map(float, done.stdout.split())
            print(f"| {way} | {of_cpu:.1f} | {seconds:.1f} | {peak:.0f} |", flush=True)
        model, csv = str(Path(folder, "model")), str(Path(folder, "factors.csv"))
        for words in (
            ["fit", str(path), "--n-components", str(N_FACTORS), "--output", model],
            ["inspect", model],
            ["transform", model, str(path), "--output", csv],
        ):
            begun = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "minsyn", *words], check=True, capture_output=True
            )
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            of_cpu = ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
            seconds = time.perf_counter() - start
            print(f"| minsyn {words[0]} | {of_cpu:.1f} | {seconds:.1f} | |", flush=True)


def grid():
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "grid.py")
        script.write_text(GRID)
        words = [sys.executable, "-W", "ignore::UserWarning", str(script)]
        done = subprocess.run(words, capture_output=True, text=True)
    print(f"GridSearchCV(n_jobs=2): exit code {done.returncode}, stderr {done.stderr!r}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=["leaks", "wide", "grid"], metavar="PART")
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--columns", type=int, default=20_000)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        run_way(arguments.way, arguments.path)
        return
    if "leaks" in arguments.parts:
        leaks(arguments.fits)
    if "wide" in arguments.parts:
        wide(arguments.samples, arguments.columns)
    if "grid" in arguments.parts:
        grid()


if __name__ == "__main__":
    main()
