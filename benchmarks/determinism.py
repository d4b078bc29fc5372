"""The same bits for the same seed: over processes, threads, hash seeds and numbers of jobs.

    python benchmarks/determinism.py [--samples 1000] [--features 240] [--case NAME]

Fits every estimator and measures synergy in processes that differ in one thing each: nothing
(twice the same), PYTHONHASHSEED, two threads of BLAS and torch instead of one. Compared are the
SHA-256 of all that was fitted. Where something takes `n_jobs`, it is compared with 1 and 2, and
`minsyn benchmark --jobs 1` with `--jobs 2`, file by file, but for seconds. Prints which were the
same to the bit, and by how much the others differ, relative to the largest number.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

CAUSES = 6
#: Variables of the environment of each process.
PROCESSES = {
    "first": {"PYTHONHASHSEED": "0", "THREADS": "1"},
    "another process": {"PYTHONHASHSEED": "0", "THREADS": "1"},
    "PYTHONHASHSEED": {"PYTHONHASHSEED": "12345", "THREADS": "1"},
    "two threads": {"PYTHONHASHSEED": "0", "THREADS": "2"},
}


def data(n_samples, n_features):
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n_samples, CAUSES))
    return np.repeat(causes, n_features // CAUSES, axis=1) + rng.normal(
        size=(n_samples, n_features // CAUSES * CAUSES)
    )


def fitted(model, X):
    """Everything that was fitted, as one row of numbers."""
    model.fit(X)
    parts = [model.components_, model.transform(X), model.inverse_transform(model.transform(X))]
    parts += [np.array(getattr(model, "loss_curve_", []))]
    return np.concatenate([np.ravel(part).astype(np.float64) for part in parts])


def in_parts(model, X):
    for part in np.array_split(X, 4):
        model.partial_fit(part)
    return model.components_.ravel()


def cases(X):
    """Name -> function of ``n_jobs``, or of nothing."""
    from minsyn import Adam, AutoEncoder, Free, InfoMax, MinSyn, VectorMinSyn
    from minsyn.estimators import BetaTCVAE, BetaVAE, InformationDropout, LinearCorex
    from minsyn.information import synergy, union_information
    from minsyn.metrics import parallel_analysis, stability

    P = 1 / (1 + np.exp(-X))
    Z, Y = X[:, :: X.shape[1] // 4][:, :4], X[:, 1::40]
    seed = {"random_state": 0}

    def of_result(result):
        tables = [result.values, result.intervals, result.p_values]
        return np.concatenate([np.ravel(v) for table in tables for v in table.values()])

    def synergies(model, n, Z=Z, Y=Y):
        return lambda: of_result(synergy(Z, Y, model, n_bootstrap=n, n_permutations=n, **seed))

    return {
        "MinSyn, covariance": lambda: fitted(MinSyn(**seed), X),
        "MinSyn, L-BFGS": lambda: fitted(MinSyn(6, decoder="bernoulli", **seed), P),
        "MinSyn, Adam": lambda: fitted(MinSyn(6, solver=Adam(), max_iter=40, **seed), X),
        "MinSyn, Adam, mini-batches": lambda: fitted(
            MinSyn(6, solver=Adam(batch_size=64, statistics="running"), max_iter=5, **seed), X
        ),
        "MinSyn, encoder of layers": lambda: fitted(
            MinSyn(6, encoder=(32,), max_iter=30, **seed), X
        ),
        "MinSyn, single-parent": lambda: fitted(
            MinSyn(6, decoder="single-parent", max_iter=30, **seed), X
        ),
        "MinSyn, trained decoder": lambda: fitted(
            MinSyn(6, decoder=Free(), max_iter=30, **seed), X
        ),
        "MinSyn, partial_fit": lambda: in_parts(MinSyn(6, **seed), X),
        "MinSyn, partial_fit with Adam": lambda: in_parts(
            MinSyn(6, decoder="bernoulli", **seed), P
        ),
        "VectorMinSyn, linear": lambda: fitted(VectorMinSyn(**seed), X),
        "VectorMinSyn, logistic": lambda: fitted(VectorMinSyn(max_iter=60, **seed), P),
        "VectorMinSyn, several parents": lambda: fitted(VectorMinSyn(max_parents=2, **seed), X),
        "VectorMinSyn, nets": lambda: fitted(
            VectorMinSyn(encoder=(8,), decoder=(8,), max_iter=10, **seed), X
        ),
        "AutoEncoder": lambda: fitted(
            AutoEncoder(6, noise_std=0.1, batch_size=64, max_iter=8, **seed), X
        ),
        "BetaVAE": lambda: fitted(BetaVAE(6, max_iter=8, **seed), X),
        "BetaTCVAE": lambda: fitted(BetaTCVAE(6, max_iter=8, **seed), X),
        "InformationDropout": lambda: fitted(InformationDropout(6, max_iter=8, **seed), P),
        "LinearCorex": lambda: fitted(LinearCorex(6, **seed), X),
        "InfoMax": lambda: fitted(InfoMax(6, max_iter=20, **seed), X),
        "synergy, gaussian": synergies("gaussian", 100),
        "synergy, copula": synergies("copula", 50),
        "synergy, discrete": synergies("discrete", 20, (Z > 0).astype(int), (Y > 0).astype(int)),
        "synergy, nearest-neighbors": lambda: np.concatenate(
            [
                *synergy(
                    Z[:300], Y[:300, :1], "nearest-neighbors", n_permutations=9, **seed
                ).values.values()
            ]
        ),
        "union_information": lambda: np.array(
            union_information(
                np.random.default_rng(0).dirichlet(np.ones(108)).reshape(3, 3, 3, 4)
            ).value
        ),
        "parallel_analysis": lambda: (
            parallel_analysis(np.corrcoef(X.T), len(X), random_state=0).reference
        ),
        "stability, n_jobs": lambda n_jobs=1: (
            stability(MinSyn(6), X, 4, random_state=0, n_jobs=n_jobs).congruence
        ),
    }


def run_one(n_samples, n_features, only, output):
    """In a process of its own: all cases, or those with a text in their names."""
    warnings.simplefilter("ignore")
    X, found = data(n_samples, n_features), {}
    chosen = {name: function for name, function in cases(X).items() if only in name}
    for name, function in chosen.items():
        found[name] = np.ravel(function())
        if "n_jobs" in name:
            found[name.replace("n_jobs", "n_jobs=2")] = np.ravel(function(n_jobs=2))
    np.savez(output, **found)


def compared(found, reference):
    if np.array_equal(found, reference, equal_nan=True):
        return "same"
    if found.shape != reference.shape:
        return "other shape"
    return f"{np.nanmax(np.abs(found - reference)) / np.nanmax(np.abs(reference)):.0e}"


def environment(changes):
    threads = changes.get("THREADS", "1")
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | changes | dict.fromkeys(names, threads)


def benchmarks(folder):
    """Digests of all cells and tables of a benchmark with one job and with two."""
    found = []
    for jobs in ("1", "2"):
        output = folder / f"jobs-{jobs}"
        words = ["benchmark", "--methods", "pca,minsyn-gaussian", "--draws", "2", "--jobs", jobs]
        subprocess.run(
            [sys.executable, "-m", "minsyn", *words, "--output", str(output)],
            env=environment({}),
            check=True,
            capture_output=True,
        )
        digests = {}
        for file in sorted(output.rglob("*.npz")):
            digests[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(output.glob("cells/*.json")):
            scores = json.loads(file.read_text())["scores"]
            digests[file.name] = {k: v for k, v in scores.items() if "seconds" not in k}
        found.append(digests)
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--features", type=int, default=240)
    parser.add_argument("--case", default="", help="only cases with this in their names")
    parser.add_argument("--output", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.output:
        run_one(arguments.samples, arguments.features, arguments.case, arguments.output)
        return
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), {}
        for process, changes in PROCESSES.items():
            output = folder / f"{process.replace(' ', '-')}.npz"
            words = [__file__, "--output", str(output), "--case", arguments.case]
            words += ["--samples", str(arguments.samples), "--features", str(arguments.features)]
            subprocess.run([sys.executable, *words], env=environment(changes), check=True)
            found[process] = dict(np.load(output))
        others = [*PROCESSES][1:]
        print(f"| | {' | '.join(others)} |\n|:--|{':--|' * len(others)}")
        first = found["first"]
        differing = 0
        for case, reference in first.items():
            cells = [compared(found[process][case], reference) for process in others]
            differing += sum(cell != "same" for cell in cells)
            print(f"| {case} | {' | '.join(cells)} |")
        if not arguments.case:
            one, two = first["stability, n_jobs"], first["stability, n_jobs=2"]
            print(f"\nstability, n_jobs=1 and n_jobs=2: {compared(two, one)}")
            cells = benchmarks(folder)
            same = "same" if cells[0] == cells[1] else "differ"
            print(f"minsyn benchmark --jobs 1 and --jobs 2: {same}")
        print(f"{differing} of {len(first) * len(others)} differ")


if __name__ == "__main__":
    main()
