"""Union information against a cone solver: time of both in one process, and their ratio.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/union_information.py``. The cone
side is cvxpy with Clarabel on the same problem. "With modelling" builds the problem and solves it,
as one does for one pmf; "re-solved" keeps one compiled problem per shape, the marginals as
parameters, so that only the solver and cvxpy's overhead count.
Where dit and ecos are installed, dit's BROJA joins for two sources. Then large pmfs, with the time
of the processor, the certified gap and the peak of memory; ``--million`` adds three of a million
cells.
"""

import argparse
import resource
import time

import cvxpy as cp
import numpy as np

from minsyn.information.union.measure import union_information, union_information_batch
from timing import median_seconds


class Cone:
    """min sum q log(q / r) with given pairwise marginals, as cvxpy writes it."""

    def __init__(self, shape):
        n_x = shape[-1]
        states = np.indices(shape[:-1]).reshape(len(shape) - 1, -1)
        self.targets = [cp.Parameter((k, n_x)) for k in shape[:-1]]
        q = cp.Variable((states.shape[1], n_x), nonneg=True)
        rows = cp.reshape(cp.sum(q, axis=1), (states.shape[1], 1), order="C") @ np.ones((1, n_x))
        constraints = [
            np.eye(k)[:, values] @ q == target
            for k, values, target in zip(shape[:-1], states, self.targets, strict=True)
        ]
        self.problem = cp.Problem(cp.Minimize(cp.sum(cp.rel_entr(q, rows))), constraints)

    def __call__(self, p):
        """Solve for one pmf; bits."""
        for j, target in enumerate(self.targets):
            target.value = p.sum(tuple(a for a in range(p.ndim - 1) if a != j))
        nats = self.problem.solve(solver=cp.CLARABEL)
        p_x = p.sum(tuple(range(p.ndim - 1)))
        return (nats - p_x @ np.log(p_x)) / np.log(2)


def random_pmf(rng, shape):
    return rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape)


def against_cone(rng, shape, repeats):
    pmfs = [random_pmf(rng, shape) for _ in range(repeats + 1)]
    queue = iter(pmfs)
    ours = median_seconds(lambda: union_information(next(queue)), repeats)
    cone, queue = Cone(shape), iter(pmfs)
    compiled = median_seconds(lambda: cone(next(queue)), repeats)
    modelling = median_seconds(lambda: Cone(shape)(pmfs[0]), 3)
    off = max(abs(union_information(p).value - cone(p)) for p in pmfs[:3])
    print(
        f"{'x'.join(map(str, shape)):>20}: ours {ours * 1e3:9.2f} ms, cone solver "
        f"{compiled * 1e3:9.2f} ms re-solved, {modelling * 1e3:9.2f} ms with modelling; ratios "
        f"{compiled / ours:6.1f} and {modelling / ours:6.1f}; they differ by {off:.0e} bit"
    )


def batch(rng, n, shape):
    pmfs = np.stack([random_pmf(rng, shape) for _ in range(n)])
    together = median_seconds(lambda: union_information_batch(pmfs), 5)
    one_by_one = median_seconds(lambda: [union_information(p) for p in pmfs], 1)
    failed = int((~union_information_batch(pmfs).certified).sum())
    print(
        f"{n} of {'x'.join(map(str, shape))}: batch {together * 1e3:.1f} ms, one by one "
        f"{one_by_one * 1e3:.0f} ms; ratio {one_by_one / together:.0f}; not certified: {failed}"
    )


def against_dit(rng, shape):
    try:
        import dit
        import ecos  # noqa: F401  (dit's cone solver needs it)
        from dit.pid import PID_BROJA
    except ImportError:
        print("dit with ecos is not installed here: its line is left out")
        return
    p = random_pmf(rng, shape)
    ours = median_seconds(lambda: union_information(p), 3)
    distribution = dit.Distribution.from_ndarray(p)
    start = time.perf_counter()
    PID_BROJA._measure(distribution, ((0,), (1,)), (2,), method="cone")
    theirs = time.perf_counter() - start
    print(
        f"dit BROJA by its cone solver, {'x'.join(map(str, shape))}: ours {ours * 1e3:.1f} ms, "
        f"dit {theirs:.2f} s; ratio {theirs / ours:.0f}"
    )


def counted(rng, shape, n_samples):
    cells = rng.integers(int(np.prod(shape)), size=n_samples)
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape) / n_samples


def large(name, p):
    start = time.process_time()
    found = union_information(p)
    took = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{name:>32}: {p.size:9,} cells, {took:6.2f} s, value {found.value:.3g} bit, gap "
        f"{found.gap:.0e}, {'certified' if found.certified else 'NOT CERTIFIED'}, "
        f"{found.n_iter} steps; peak so far {peak:.2f} GB",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", action="store_true", help="three pmfs of a million cells")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    against_cone(rng, (2, 2, 2), 50)
    against_cone(rng, (3, 3, 3), 20)
    against_cone(rng, (2, 2, 2, 2), 20)
    against_cone(rng, (10, 10, 10), 5)
    nine = random_pmf(rng, (2,) * 10)
    print(f"9 binary sources: {median_seconds(lambda: union_information(nine), 9) * 1e3:.1f} ms")
    batch(rng, 1000, (2, 2, 2))
    batch(rng, 300, (3, 3, 3))
    against_dit(rng, (10, 10, 10))
    for shape in [(100, 100, 3), (200, 200, 3), (10, 10, 10, 10, 10)]:
        large("x".join(map(str, shape)), random_pmf(rng, shape))
    large("393 samples in 40x40x8", counted(rng, (40, 40, 8), 393))
    large("300 samples in 200x200x2", counted(rng, (200, 200, 2), 300))
    if arguments.million:
        for shape in [(100, 100, 100), (200, 200, 25), (500, 500, 4)]:
            large("x".join(map(str, shape)), random_pmf(rng, shape))


if __name__ == "__main__":
    main()
