"""A linear MinSyn costs a few times scikit-learn's PCA, whatever the shape of the data.

    python benchmarks/covariance_fit.py [--shapes 10000x500x20 ...] [--repeats 3] [--rivals]

One thread, time of the processor. PCA and MinSyn are timed alternately, whole fits with all their
starts; the ratio is that of the best times. ``--rivals`` adds scikit-learn's FactorAnalysis with
varimax and, if it is installed (``pip install linearcorex``), LinearCorex, which are fitted once,
each in a process of its own; their time is divided by MinSyn's. Rivals that need more than
``--limit`` seconds are stopped.
"""

import argparse
import contextlib
import io
import multiprocessing
import resource
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA, FactorAnalysis
from threadpoolctl import threadpool_limits

from minsyn import MinSyn

#: Samples x features x factors, and the most that a fit may cost beside PCA's.
SHAPES = {
    "1000000x50x5": 3,
    "100000x200x10": 3,
    "10000x500x20": 4,
    "10000x2000x50": 4,
    "100x20000x10": 4,
    "4000x2100x10": 4,
}


def factors(n_samples, n_features, n_factors, seed=0):
    """Data of overlapping factors, each of a fifth of the features, and noise."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_factors, n_features))
    loadings *= rng.random(loadings.shape) < 0.2
    X = rng.normal(size=(n_samples, n_features))
    for rows in range(0, n_samples, 10_000):
        part = X[rows : rows + 10_000]
        part += rng.normal(size=(len(part), n_factors)) @ loadings
    return X


def seconds_of(function):
    """Seconds of the processor that a call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


def fastest(functions, repeats):
    """Least seconds of each of several calls, taken in turns."""
    times = [[seconds_of(function) for function in functions] for _ in range(repeats)]
    return np.min(times, axis=0)


def varimax_factors(X, k):
    FactorAnalysis(k, rotation="varimax").fit(X)


def linear_corex(X, k):
    with contextlib.redirect_stdout(io.StringIO()):  # it asks for cudamat
        from linearcorex import Corex

        Corex(n_hidden=k, seed=0).fit(X)


def rival_seconds(fit, X, k, limit):
    """As text; a fit that fails, or takes too long, says so."""

    def run(answers):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            with threadpool_limits(1):
                answers.send(seconds_of(lambda: fit(X, k)))
        except ImportError:
            answers.send("not installed")
        except Exception as error:
            answers.send(f"{type(error).__name__}: {error}")

    mine, others = multiprocessing.Pipe(duplex=False)
    # A forked process has the data without a copy.
    process = multiprocessing.get_context("fork").Process(target=run, args=(others,))
    process.start()
    others.close()
    try:
        return mine.recv()
    except EOFError:  # stopped
        return float("inf")
    finally:
        process.join()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--limit", type=int, default=300, help="seconds of a rival's fit")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rivals = {}
    if arguments.rivals:
        rivals = {"varimax FA / MinSyn": varimax_factors, "LinearCorex / MinSyn": linear_corex}
    print(
        "| samples x features, factors | PCA, s | MinSyn, s | MinSyn / PCA | wanted |"
        + "".join(f" {name} |" for name in rivals)
    )
    print("|:--|" + "--:|" * (4 + len(rivals)))
    for shape in arguments.shapes:
        n_samples, n_features, k = map(int, shape.split("x"))
        X = factors(n_samples, n_features, k)
        sides = [
            lambda X=X, k=k: PCA(k, random_state=0).fit(X),
            lambda X=X, k=k: MinSyn(k, random_state=0).fit(X),
        ]
        pca, ours = fastest(sides, arguments.repeats)
        wanted = f"<= {SHAPES[shape]}" if shape in SHAPES else ""
        row = f"| {n_samples:,} x {n_features:,}, {k} | {pca:.3f} | {ours:.3f} | {ours / pca:.1f}"
        print(f"{row} | {wanted} |", end="", flush=True)
        for fit in rivals.values():
            seconds = rival_seconds(fit, X, k, arguments.limit)
            if seconds == float("inf"):
                seconds = f"> {arguments.limit / ours:.0f}"
            print(
                f" {seconds} |" if isinstance(seconds, str) else f" {seconds / ours:.1f} |",
                end="",
                flush=True,
            )
        print(flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
