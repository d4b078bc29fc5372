"""Coverage of the intervals of `synergy`, size and power of its tests.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/coverage.py coverage
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/coverage.py atoms
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/coverage.py size
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/coverage.py power

Printed are Markdown tables. ``coverage``: the share of data sets whose 95 % interval holds the
truth. ``atoms``: the same of the atoms of two sources, and their bias without and with the default
correction. ``size``: the share of data sets without synergy in which the p-value is at most .05.
``power``: the same where there is synergy. Sources and targets are Gaussian, or tables of counts,
from distributions whose measures are known. ``--scenes`` and ``--measures`` take some of them only.
"""

import argparse

import numpy as np

from minsyn.information import discrete, gaussian, synergy, union_information
from minsyn.information._gaussian_sources import GaussianSources
from minsyn.information._pmf_batch import PmfBatch
from minsyn.information.measures import MEASURES, names_of

#: Targets of one set of sources: independent of each other given these, and cheaper together.
TARGETS = 10
#: Atoms of two sources, and other measures that only a request has.
ATOMS = (
    "redundancy", "unique_information[{0}]", "unique_information[{1}]", "gk_synergy",
    "source_information[{0}]", "o_information",
)  # fmt: skip


def correlated(rho, sigma):
    """A scene of Gaussian sources with correlations sigma, and rho with the target."""
    sigma, rho = np.array(sigma, float), np.array(rho, float)
    factor, weights = np.linalg.cholesky(sigma), np.linalg.solve(sigma, rho)
    noise = np.sqrt(1 - rho @ weights)

    def draw(n, rng):
        z = rng.normal(size=(n, len(factor))) @ factor.T
        return z, (z @ weights)[:, None] + noise * rng.normal(size=(n, TARGETS))

    truth = {m: float(getattr(gaussian, m)(sigma, rho[:, None])[0]) for m in names_of("gaussian")}
    return draw, truth | atoms_of(GaussianSources.of(sigma, rho[:, None]))


def atoms_of(sources):
    """Atoms in bits."""
    names = [name.format(0, 1) for name in ATOMS]
    return {name: float(MEASURES[name].of(sources)[0]) / np.log(2) for name in names}


def table(pmf):
    """A scene of counts."""
    pmf = np.asarray(pmf, float) / np.sum(pmf)

    p_z = pmf.sum(axis=-1)
    given = (pmf / np.where(p_z > 0, p_z, 1.0)[..., None]).reshape(-1, pmf.shape[-1]).cumsum(axis=1)

    def draw(n, rng):
        states = rng.choice(p_z.size, n, p=p_z.ravel())
        uniform = rng.random((n, TARGETS)) * given[states, -1:]
        x = (uniform[:, :, None] >= given[states][:, None, :-1]).sum(axis=2)
        return np.stack(np.unravel_index(states, p_z.shape), axis=1), x

    truth = {m: getattr(discrete, m)(pmf) for m in names_of("discrete")}
    truth["union_information"] = truth["union_information"].value
    return draw, truth | atoms_of(PmfBatch(pmf[None]))


def equal(m, r):
    return np.where(np.eye(m) > 0, 1.0, r)


def chain(m, r):
    return r ** np.abs(np.subtract.outer(range(m), range(m)))


def one_tells(k, m, noise, copied=0.0):
    """Pmf of m sources of k values, the first of which tells about X; the others copy it."""
    shape = (k,) * (m + 1)
    z = np.indices(shape)
    p = np.where(z[0] == z[m], 1 - noise, 0.0) + noise / k
    for j in range(1, m):
        p = p * (np.where(z[j] == z[0], copied, 0.0) + (1 - copied) / k)
    return p / p.sum()


def one_cause(k, m, noise):
    """Pmf of m sources that are independent given X."""
    z = np.indices((k,) * (m + 1))
    each = [np.where(z[j] == z[m], 1 - noise, 0.0) + noise / k for j in range(m)]
    return np.prod(each, axis=0) / k


def noisy_and(noise):
    p = np.full((2, 2, 2), noise / 8)
    for a in (0, 1):
        for b in (0, 1):
            p[a, b, a & b] += (1 - noise) / 4
    return p


def noisy_xor(noise):
    p = np.full((2, 2, 2), noise / 8)
    for a in (0, 1):
        for b in (0, 1):
            p[a, b, a ^ b] += (1 - noise) / 4
    return p


random_table = np.random.default_rng(5).dirichlet(np.full(27, 0.7)).reshape(3, 3, 3)

COVERAGE = {
    "gaussian": {
        "two, .5 and .4": correlated([0.5, 0.4], equal(2, 0.2)),
        "two, equal": correlated([0.5, 0.5], equal(2, 0)),
        "one tells all, one junk": correlated([0.6, 0], equal(2, 0)),
        "nothing told": correlated([0, 0], equal(2, 0)),
        "six, equal": correlated([0.3] * 6, equal(6, 0)),
        "one tells all, five junk": correlated([0.6, 0, 0, 0, 0, 0], equal(6, 0)),
        "one cause of three": correlated([0.6] * 3, equal(3, 0.36)),
        "chain of three": correlated(0.6 * chain(3, 0.7)[0], chain(3, 0.7)),
        "near 1": correlated([0.95, 0.9], equal(2, 0.8)),
        "suppression": correlated([0.6, 0.1], equal(2, 0.7)),
    },
    "discrete": {
        "noisy XOR": table(noisy_xor(0.3)),
        "noisy AND": table(noisy_and(0.1)),
        "one tells all, one junk": table(one_tells(2, 2, 0.4)),
        "one tells all, copies": table(one_tells(2, 2, 0.4, 0.7)),
        "nothing told": table(one_tells(2, 2, 1.0)),
        "one cause": table(one_cause(2, 2, 0.4)),
        "random, 3 x 3 x 3": table(random_table),
    },
}
COVERAGE["copula"] = COVERAGE["gaussian"]

NO_GK = {
    "gaussian": {
        "one tells .6, one junk": correlated([0.6, 0], equal(2, 0)),
        "one tells .3, one junk": correlated([0.3, 0], equal(2, 0)),
        "one tells .6, five junk": correlated([0.6, 0, 0, 0, 0, 0], equal(6, 0)),
        "two copies, .9": correlated(0.6 * np.array([1, 0.9]), equal(2, 0.9)),
        "three copies": correlated(
            0.6 * np.array([1, 0.9, 0.9]), [[1, 0.9, 0.9], [0.9, 1, 0.81], [0.9, 0.81, 1]]
        ),
        "chain of three": correlated(0.6 * chain(3, 0.7)[0], chain(3, 0.7)),
        "nothing told, two": correlated([0, 0], equal(2, 0)),
        "nothing told, six, r .5": correlated([0] * 6, equal(6, 0.5)),
    },
    "discrete": {
        "one tells, one junk, 2": table(one_tells(2, 2, 0.5)),
        "one tells, one junk, 3": table(one_tells(3, 2, 0.6)),
        "one tells, two junk, 2": table(one_tells(2, 3, 0.5)),
        "one tells, copy, 2": table(one_tells(2, 2, 0.4, 0.8)),
        "least synergistic AND": table(union_information(noisy_and(0.1)).distribution),
        "least synergistic, random": table(union_information(random_table).distribution),
        "nothing told, 2": table(one_tells(2, 2, 1.0)),
    },
}
NO_GK["copula"] = NO_GK["gaussian"]
NO_CI = {
    "gaussian": {
        "one cause of two, .6": correlated([0.6] * 2, equal(2, 0.36)),
        "one cause of two, .3": correlated([0.3] * 2, equal(2, 0.09)),
        "one cause of three, .5": correlated([0.5] * 3, equal(3, 0.25)),
        "one cause of six, .4": correlated([0.4] * 6, equal(6, 0.16)),
        "one tells .6, one junk": correlated([0.6, 0], equal(2, 0)),
        "one tells .6, five junk": correlated([0.6, 0, 0, 0, 0, 0], equal(6, 0)),
        "one tells .6, two like junk": correlated(
            [0.6, 0, 0], [[1, 0, 0], [0, 1, 0.6], [0, 0.6, 1]]
        ),
        "nothing told, two, r .5": correlated([0] * 2, equal(2, 0.5)),
        "nothing told, six, r .5": correlated([0] * 6, equal(6, 0.5)),
        "nothing told, two": correlated([0, 0], equal(2, 0)),
    },
    "discrete": {
        "one cause of two, 2": table(one_cause(2, 2, 0.5)),
        "one cause of two, 3": table(one_cause(3, 2, 0.5)),
        "one cause of three, 2": table(one_cause(2, 3, 0.5)),
        "one tells, one junk, 2": table(one_tells(2, 2, 0.5)),
        "one tells, one junk, 3": table(one_tells(3, 2, 0.6)),
        "nothing told, 2": table(one_tells(2, 2, 1.0)),
    },
}
NO_CI["copula"] = NO_CI["gaussian"]
POWER = {
    "gaussian": {
        "sum, .3 and .3": correlated([0.3, 0.3], equal(2, 0)),
        "sum, .6 and .2": correlated([0.6, 0.2], equal(2, 0)),
        "sum, .5 and .5": correlated([0.5, 0.5], equal(2, 0)),
        "suppression": correlated([0.6, 0.1], equal(2, 0.7)),
        "six, .3": correlated([0.3] * 6, equal(6, 0)),
    },
    "discrete": {
        "XOR, noise .7": table(noisy_xor(0.7)),
        "XOR, noise .5": table(noisy_xor(0.5)),
        "AND, noise .3": table(noisy_and(0.3)),
        "random, 3 x 3 x 3": table(random_table),
    },
}
POWER["copula"] = POWER["gaussian"]


def coverage(scenes, model, sizes, repeats, rng):
    names = names_of(model)
    print(f"\n| {model}: scene | samples | {' | '.join(names)} |")
    print("|:--|--:|" + "--:|" * len(names))
    for label, (draw, truth) in scenes.items():
        for n in sizes:
            held = np.zeros(len(names))
            sets = repeats // TARGETS
            for repeat in range(sets):
                z, x = draw(n, rng)
                result = synergy(
                    z, x, model, bias_correction="none", n_bootstrap=400, random_state=repeat
                )
                for k, name in enumerate(names):
                    low, high = result.intervals[name].T
                    held[k] += ((low <= truth[name] + 1e-6) & (truth[name] - 1e-6 <= high)).mean()
            cells = " | ".join(f"{share:.3f}" for share in held / sets)
            print(f"| {label} | {n} | {cells} |", flush=True)


def atoms(scenes, model, sizes, repeats, rng):
    names = [name.format(0, 1) for name in ATOMS]
    asked = ["atoms", "source_information", "o_information"]
    heads = " | ".join(name.replace("_information", "").replace("[", " [") for name in names)
    tables = ("held", "bias, plug-in", "bias, corrected")
    print(f"\n| {model}: scene | samples | | {heads} |")
    print("|:--|--:|:--|" + "--:|" * len(names))
    for label, (draw, truth) in scenes.items():
        z, _ = draw(10, rng)
        if z.shape[1] != 2:
            continue
        for n in sizes:
            found, sets = np.zeros((len(tables), len(names))), repeats // TARGETS
            for repeat in range(sets):
                z, x = draw(n, rng)
                result = synergy(z, x, model, measures=asked, n_bootstrap=400, random_state=repeat)
                for k, (name, in_result) in enumerate(
                    zip(names, (a.format("z0", "z1") for a in ATOMS), strict=True)
                ):
                    low, high = result.intervals[in_result].T
                    found[0, k] += (
                        (low <= truth[name] + 1e-6) & (truth[name] - 1e-6 <= high)
                    ).mean()
                    found[1, k] += (result.uncorrected[in_result] - truth[name]).mean()
                    found[2, k] += (result[in_result] - truth[name]).mean()
            for kind, row in zip(tables, found / sets, strict=True):
                cells = " | ".join(f"{value:.3f}" for value in row + 0.0)
                print(f"| {label} | {n} | {kind} | {cells} |", flush=True)


def rejected(scenes, model, measure, sizes, repeats, rng):
    print(f"\n| {model}, {measure}: scene | {' | '.join(f'n = {n}' for n in sizes)} |")
    print("|:--|" + "--:|" * len(sizes))
    for label, (draw, _) in scenes.items():
        shares = []
        for n in sizes:
            found, sets = 0.0, repeats // TARGETS
            for repeat in range(sets):
                z, x = draw(n, rng)
                result = synergy(
                    z, x, model, measures=measure, bias_correction="none", n_permutations=199,
                    random_state=repeat,
                )  # fmt: skip
                found += (result.p_values[measure] <= 0.05).mean()
            shares.append(found / sets)
        print(f"| {label} | {' | '.join(f'{share:.3f}' for share in shares)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["coverage", "atoms", "size", "power"])
    parser.add_argument("--models", nargs="+", default=["gaussian", "copula", "discrete"])
    parser.add_argument("--samples", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--repeats", type=int, default=1000, help="data sets of one target")
    parser.add_argument("--scenes", nargs="+", help="scenes whose names begin so; all by default")
    parser.add_argument(
        "--measures", nargs="+", default=["gk_synergy", "ci_synergy"], help="for size and power"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    options = (arguments.samples, arguments.repeats, rng)

    def some(scenes):
        begin = tuple(arguments.scenes or ("",))
        return {label: scene for label, scene in scenes.items() if label.startswith(begin)}

    for model in arguments.models:
        if arguments.what == "coverage":
            coverage(some(COVERAGE[model]), model, *options)
        elif arguments.what == "atoms":
            atoms(some(COVERAGE[model]), model, *options)
        for measure in arguments.measures if arguments.what in ("size", "power") else ():
            without = {"gk_synergy": NO_GK, "ci_synergy": NO_CI}[measure]
            scenes = (without if arguments.what == "size" else POWER)[model]
            rejected(some(scenes), model, measure, *options)


if __name__ == "__main__":
    main()
