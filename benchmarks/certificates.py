"""Does union information keep its promise? Thousands of nasty pmfs, and a proof in 50 digits.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/certificates.py`` (minutes).
The pmfs are those of the tests, of more shapes and many more of each kind: for each kind, how many
intervals are certified, and the widest. For the first of each kind everything that the result
claims is worked out again with mpmath: that ``distribution`` has the marginals of the pmf, that
``upper`` is its information, and that ``lower`` does not exceed the dual bound

    sum_j E_p f_j - log max_z sum_x p(x) exp sum_j f_j(z_j, x)

of the potentials that it returns, but for the rounding of these potentials themselves.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

import mpmath
import numpy as np

from minsyn.information import union_information

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from zoo import KINDS, SHAPES

MORE_SHAPES = [(2,) * 8, (8, 8, 8), (20, 3, 5), (3, 20, 5), (4, 4, 4, 4), (2, 2, 100)]
LARGE_SHAPES = [(10, 10, 10, 10), (22, 22, 20), (2,) * 13, (100, 10, 10)]


def exact_information(q):
    """I(Z; X) of a float array, in bits."""
    q = np.vectorize(mpmath.mpf, otypes=[object])(q.reshape(-1, q.shape[-1]))
    rows, columns = q.sum(axis=1), q.sum(axis=0)
    cells = (
        q[z, x] * mpmath.log(q[z, x] / (rows[z] * columns[x]))
        for z, x in product(*map(range, q.shape))
        if q[z, x] > 0
    )
    return mpmath.fsum(cells) / mpmath.log(2)


def exact_dual(p, potentials):
    """The bound from below that these potentials prove, in bits."""
    *sources, n_x = p.shape
    p_x = [mpmath.fsum(map(mpmath.mpf, p[..., x].ravel())) for x in range(n_x)]
    marginals = [
        p.sum(axis=tuple(i for i in range(p.ndim - 1) if i != j)) for j in range(p.ndim - 1)
    ]
    gain = mpmath.fsum(
        mpmath.mpf(p_zx[cell]) * mpmath.mpf(f[cell])
        for p_zx, f in zip(marginals, potentials, strict=True)
        for cell in np.ndindex(p_zx.shape)
        if p_zx[cell] > 0
    )
    highest = mpmath.mpf(0)
    for z in np.ndindex(*sources):
        sums = [[f[z_j, x] for z_j, f in zip(z, potentials, strict=True)] for x in range(n_x)]
        weights = (mpmath.mpf(2) ** mpmath.fsum(f) for f in sums)  # 2 ** -inf is 0
        highest = max(highest, mpmath.fdot(p_x, weights))
    return gain - mpmath.log(highest) / mpmath.log(2)


def other_sources(p):
    """For each source, the axes of all others."""
    axes = range(p.ndim - 1)
    return [tuple(i for i in axes if i != j) for j in axes]


def marginal_error(p, q):
    return max(float(np.abs(p.sum(axis=a) - q.sum(axis=a)).max()) for a in other_sources(p))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=400, help="pmfs of each kind")
    parser.add_argument("--exact", type=int, default=10, help="of these, verified in 50 digits")
    parser.add_argument("--large", type=int, default=2, help="pmfs of each kind near 10^4 cells")
    arguments = parser.parse_args()
    mpmath.mp.dps = 50
    rng = np.random.default_rng(1)
    print(" " * 33 + "widest | errors in 50 digits, of")
    print("kind            pmfs  certified  gap (bit) |   upper  lower - dual   marginals")
    for kind, draw in KINDS.items():
        shapes = SHAPES + MORE_SHAPES
        drawn = [shapes[i] for i in rng.integers(len(shapes), size=arguments.each)]
        drawn += [LARGE_SHAPES[i] for i in rng.integers(len(LARGE_SHAPES), size=arguments.large)]
        gaps, certified, off, above, feasible = [], 0, 0.0, -np.inf, 0.0
        for i, shape in enumerate(drawn):
            p = draw(rng, shape)
            p /= p.sum()
            result = union_information(p)
            gaps.append(result.gap)
            certified += result.certified
            feasible = max(feasible, marginal_error(p, result.distribution))
            if i < arguments.exact:
                off = max(off, abs(float(exact_information(result.distribution) - result.upper)))
                above = max(above, float(result.lower - exact_dual(p, result.potentials)))
        print(
            f"{kind:14} {len(gaps):5}  {certified:9}  {max(gaps):9.1e} | {off:7.1e}  "
            f"{above:12.1e}  {feasible:10.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
