"""Williams and Beer's I_min against dit, both in one process: times and their ratio.

Run as ``OMP_NUM_THREADS=1 python benchmarks/discrete_measures.py``; without dit only our times are
printed.
"""

from time import perf_counter

import numpy as np

from minsyn.information import pid
from minsyn.information._antichains import antichain_lattice
from minsyn.information.discrete import imin_redundancy
from minsyn.information.lattice import williams_beer_lattice
from timing import median_seconds


def main():
    rng = np.random.default_rng(0)
    try:
        import dit
        from dit.pid import PID_WB
    except ImportError:
        dit = None
        print("dit is not installed here: only our times")
    for shape in [(2, 2, 2), (3, 3, 3), (2, 2, 2, 2), (6, 6, 6)]:
        p = rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape)
        ours = median_seconds(lambda p=p: imin_redundancy(p), 200)
        lattice = median_seconds(lambda p=p: williams_beer_lattice(p), 50)
        name = "x".join(map(str, shape))
        line = f"{name}: I_min {ours * 1e6:.0f} us, lattice {lattice * 1e6:.0f} us"
        if dit is not None:
            d, target = dit.Distribution.from_ndarray(p), (p.ndim - 1,)
            sources = [(j,) for j in range(p.ndim - 1)]

            def their_i_min(d=d, sources=sources, target=target):
                return PID_WB._measure(d, sources, target)

            theirs, theirs_lattice = (
                median_seconds(their_i_min, 3),
                median_seconds(lambda d=d: PID_WB(d), 1),
            )
            line += (
                f"; dit {theirs * 1e3:.1f} ms and {theirs_lattice * 1e3:.0f} ms; ratios "
                f"{theirs / ours:.0f} and {theirs_lattice / lattice:.0f}; they differ by "
                f"{abs(their_i_min() - imin_redundancy(p)):.0e} bit"
            )
        print(line)
    five_sources(rng)
    if dit is not None:
        lattices_of_dit(rng)


def lattices_of_dit(rng):
    """Largest difference of any atom, by measure."""
    import dit
    from dit.pid import PID_MMI, PID_WB
    from dit.pid.measures.isx import PID_SX

    theirs = {"williams_beer": PID_WB, "mmi": PID_MMI, "sxpid": PID_SX}
    for shape in [(3, 2, 3), (2, 2, 2, 2), (3, 2, 2, 2)]:
        p = rng.dirichlet(np.full(int(np.prod(shape)), 0.4)).reshape(shape)
        d, m = dit.Distribution.from_ndarray(p), p.ndim - 1
        apart = []
        for name, measure in theirs.items():
            lattice, found = pid(p, name).lattice(name), measure(d, [(j,) for j in range(m)], (m,))
            worst = max(abs(found[a] - lattice[a]) for a in lattice.antichains)
            apart.append(f"{name} {worst:.0e}")
        print(f"atoms of {'x'.join(map(str, shape))}, apart from dit's: {', '.join(apart)} bit")


def five_sources(rng):
    """All measures of 7,579 antichains, with and without the lattice itself."""
    for k in (2, 4):
        p = rng.dirichlet(np.full(2 * k**5, 0.4)).reshape((k,) * 5 + (2,))
        antichain_lattice.cache_clear()
        start = perf_counter()
        pid(p)
        first = perf_counter() - start
        again = median_seconds(lambda p=p: pid(p), 3)
        print(f"pid of five sources, {p.size} cells: {first:.2f} s, then {again:.3f} s")


if __name__ == "__main__":
    main()
