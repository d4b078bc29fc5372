"""Fits on one thread against all threads, on idle and on busy processors, as ratios in one run.

    python benchmarks/threads.py [--repeats 5] [--busy]

Ratios above 1 mean that more threads are slower. minsyn takes one thread up to two million
multiplications a step (samples x features x factors). ``--busy`` starts another process for each
processor, which computes all the time, as other programs do; only small fits are tried then.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from minsyn import Adam, AutoEncoder, MinSyn

#: Samples, features and factors.
SHAPES = [(200, 30, 4), (400, 120, 6), (1000, 240, 6), (2000, 500, 10), (10_000, 1000, 20)]
#: Values that are passed over in a fit, which bound its number of steps.
VALUES = 20_000_000


def data(n_samples, n_features, n_factors):
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n_samples, n_factors))
    X = np.repeat(causes, -(-n_features // n_factors), axis=1)[:, :n_features]
    return (X + rng.normal(size=(n_samples, n_features))).astype(np.float32)


def fits(shape):
    """Name of a fit -> function that runs it."""
    X, k = data(*shape), shape[2]
    P = 1 / (1 + np.exp(-X))
    steps = int(np.clip(VALUES / X.size, 3, 60))
    options = {"max_iter": steps, "random_state": 0}
    return {
        "L-BFGS": lambda: MinSyn(k, decoder="bernoulli", **options).fit(P),
        "Adam": lambda: MinSyn(k, solver=Adam(), **options).fit(X),
        "autoencoder, batches of 64": lambda: AutoEncoder(
            k, batch_size=64, max_iter=3, random_state=0
        ).fit(X),
    }


def seconds(fit, n_threads):
    before = torch.get_num_threads()
    with threadpool_limits(n_threads):
        torch.set_num_threads(n_threads)
        start = time.perf_counter()
        fit()
        taken = time.perf_counter() - start
        torch.set_num_threads(before)
    return taken


def ratio(fit, n_threads, repeats):
    """Median seconds with several threads over those with one, taken in turns."""
    seconds(fit, 1)
    pairs = [(seconds(fit, n_threads), seconds(fit, 1)) for _ in range(repeats)]
    several, one = np.median(pairs, axis=0)
    return several / one


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--busy", action="store_true", help="other processes compute as well")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    n_threads = os.cpu_count() or 1
    with ExitStack() as stack:
        if arguments.busy:
            for _ in range(n_threads):
                other = stack.enter_context(
                    subprocess.Popen([sys.executable, "-c", "while True: pass"])
                )
                stack.callback(other.kill)
        stack.enter_context(patch("minsyn._threads._SMALL", -1))
        print(f"{n_threads} threads over one, {'busy' if arguments.busy else 'idle'}\n")
        print("| samples x features, factors | multiplications a step | fit | ratio |")
        print("|:--|--:|:--|--:|")
        for shape in SHAPES[: 2 if arguments.busy else None]:
            n_samples, n_features, n_factors = shape
            label = f"{n_samples:,} x {n_features:,}, {n_factors}"
            for name, fit in fits(shape).items():
                step = (64 if "64" in name else n_samples) * n_features * n_factors
                found = ratio(fit, n_threads, arguments.repeats)
                print(f"| {label} | {step / 1e6:.2g} million | {name} | {found:.2g} |", flush=True)


if __name__ == "__main__":
    main()
