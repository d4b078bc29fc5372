"""TC and O-information of all triplets: ours, thoi and hoi on the same samples, and brute force.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/multiplets.py``. Peers join
where they can be imported (``pip install thoi hoi``). Every time is the median over repeats after
one call to warm up (hoi compiles), from samples to values; errors are in nats, against
log determinants of each set's covariance. thoi is given the covariance, since from samples it
takes normal scores and corrects bias. hoi's ``gauss`` does not centre data: it is timed on
centred samples, and its error on samples that are not is shown as well.
"""

import contextlib
import io
from itertools import combinations

import numpy as np

from minsyn.information.gaussian import multiplet_information
from timing import median_seconds

N_SAMPLES, N_VARIABLES, ORDER = 1_000, 50, 3


def brute_force(data):
    """O-information of every set, in nats, from slogdet of each set and its parts."""
    covariance = np.cov(data, rowvar=False)
    half = lambda members: 0.5 * np.linalg.slogdet(covariance[np.ix_(members, members)])[1]  # noqa: E731
    values = []
    for members in combinations(range(N_VARIABLES), ORDER):
        rest = sum(half([j for j in members if j != i]) for i in members)
        single = sum(half([i]) for i in members)
        values.append(single - rest + (ORDER - 2) * half(list(members)))
    return np.array(values)


def ours(data):
    return multiplet_information(np.cov(data, rowvar=False), ORDER, unit="nats").o_information


def by_thoi(data):
    from thoi.measures.gaussian_copula import multi_order_measures

    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        frame = multi_order_measures(
            np.cov(data, rowvar=False), ORDER, ORDER, covmat_precomputed=True
        )
    present = frame[[f"var_{i}" for i in range(N_VARIABLES)]].to_numpy(dtype=bool)
    order = np.lexsort([np.nonzero(present)[1].reshape(-1, ORDER)[:, k] for k in (2, 1, 0)])
    return frame["o"].to_numpy()[order]


def by_hoi(data):
    from hoi.metrics import Oinfo

    with contextlib.redirect_stdout(io.StringIO()):
        bits = Oinfo(data, verbose=False).fit(minsize=ORDER, maxsize=ORDER, method="gauss")
    return np.asarray(bits)[:, 0] * np.log(2)


def main():
    rng = np.random.default_rng(0)
    mixing = np.eye(N_VARIABLES) + 0.3 * rng.normal(size=(N_VARIABLES, N_VARIABLES))
    data = rng.normal(size=(N_SAMPLES, N_VARIABLES)) @ mixing
    shifted, exact = data + 1, brute_force(data)
    data = data - data.mean(axis=0)
    sides = {"minsyn": (ours, 20), "thoi": (by_thoi, 3), "hoi": (by_hoi, 3)}
    first = None
    for name, (function, repeats) in sides.items():
        try:
            error = np.abs(function(data) - exact).max()
        except ImportError as missing:
            print(f"{name:8s} not here: {missing}")
            continue
        off = np.abs(function(shifted) - exact).max()
        seconds = median_seconds(lambda f=function: f(data), repeats)
        first = first or seconds
        print(
            f"{name:8s}{1e3 * seconds:10.1f} ms {seconds / first:8.1f} x   largest error "
            f"{error:.1e} nats, with means of 1 {off:.1e}"
        )


if __name__ == "__main__":
    main()
