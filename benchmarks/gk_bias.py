"""Bias of Griffith and Koch's measures from the choice of the best source, and of CI synergy.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gk_bias.py
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gk_bias.py --model discrete

The union information of Gaussian sources is the largest of several informations, that of discrete
ones at least the largest. Where none is clearly the largest, chance picks one that looks larger
than it is. Printed is, for each measure and correction, a Markdown table of the mean error in bits
over many data sets, beside the standard deviation of the uncorrected value. Data sets are of one
target; ten targets of a discrete one share their sources.
"""

import argparse

import numpy as np

from coverage import TARGETS, noisy_and, noisy_xor, one_cause, one_tells, random_table, table
from minsyn.information import gaussian, synergy

SCENES = {
    "2, independent of the target": np.zeros(2),
    "8, independent of the target": np.zeros(8),
    "2, equal": np.full(2, 0.5),
    "8, equal": np.full(8, 0.3),
    "3 equal, 3 weaker": np.array([0.4, 0.4, 0.4, 0.1, 0.1, 0.1]),
    "6, falling": np.array([0.45, 0.4, 0.35, 0.3, 0.25, 0.2]),
    "2, one a little better": np.array([0.5, 0.4]),
    "6, one tells all": np.array([0.6, 0, 0, 0, 0, 0]),
    "8, one clearly the best": np.array([0.8, *np.full(7, 0.1)]),
}


def two_causes(noise):
    """Pmf of two bits that are a third one with different noise."""
    z = np.indices((2, 2, 2))
    each = [np.where(z[j] == z[2], 1 - e, e) for j, e in enumerate(noise)]
    return each[0] * each[1] / 2


TABLES = {
    "noisy AND, .1": noisy_and(0.1),
    "noisy AND, .3": noisy_and(0.3),
    "2, equal": one_cause(2, 2, 0.4),
    "3, equal": one_cause(2, 3, 0.5),
    "2 of 3 values, equal": one_cause(3, 2, 0.5),
    "2, one a little better": two_causes((0.2, 0.25)),
    "2, one better": two_causes((0.2, 0.3)),
    "one tells, one junk": one_tells(2, 2, 0.4),
    "one tells, one copies": one_tells(2, 2, 0.4, 0.7),
    "nothing told": one_tells(2, 2, 1.0),
    "noisy XOR": noisy_xor(0.3),
    "random, 3 x 3 x 3": random_table,
}
MEASURES = {
    "gaussian": ("union_information", "gk_synergy", "ci_synergy"),
    "discrete": ("union_information", "gk_synergy", "s_max", "imin_redundancy", "ci_synergy"),
}
CORRECTIONS = {
    "gaussian": ("none", "wishart", "jackknife"),
    "discrete": ("none", "jackknife"),
}


def errors_of_tables(pmf, n_samples, repeats, rng):
    """Mean error of each measure and correction, and the spread, of tables of counts."""
    draw, truth = table(pmf)
    names, sets = MEASURES["discrete"], repeats // TARGETS
    found = np.zeros((sets, TARGETS, len(names), 2))
    for repeat in range(sets):
        result = synergy(*draw(n_samples, rng), "discrete", measures=names)
        for k, name in enumerate(names):
            found[repeat, :, k] = np.stack([result.uncorrected[name], result[name]], axis=-1)
            found[repeat, :, k] -= truth[name]
    found = found.reshape(sets * TARGETS, len(names), 2)
    return found.mean(axis=0), found[:, :, 0].std(axis=0)


def errors(rho, n_samples, repeats, rng):
    """Mean error of each measure and correction, and the spread; sources are independent."""
    names, corrections = MEASURES["gaussian"], CORRECTIONS["gaussian"]
    truth = [float(getattr(gaussian, m)(np.eye(len(rho)), rho[:, None])[0]) for m in names]
    noise = np.sqrt(1 - rho @ rho)
    found = np.zeros((repeats, len(names), len(corrections)))
    for repeat in range(repeats):
        z = rng.normal(size=(n_samples, len(rho)))
        x = z @ rho + noise * rng.normal(size=n_samples)
        for c, correction in enumerate(corrections):
            result = synergy(z, x, measures=names, bias_correction=correction)
            found[repeat, :, c] = [result[m][0] for m in names]
    return found.mean(axis=0) - np.array(truth)[:, None], found[:, :, 0].std(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--model", choices=["gaussian", "discrete"], default="gaussian")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    is_gaussian, corrections = arguments.model == "gaussian", CORRECTIONS[arguments.model]
    rows = {
        (scene, n): (errors if is_gaussian else errors_of_tables)(one, n, arguments.repeats, rng)
        for scene, one in (SCENES if is_gaussian else TABLES).items()
        for n in arguments.samples
    }
    for k, measure in enumerate(MEASURES[arguments.model]):
        print(f"\n| {measure}: sources | samples | {' | '.join(corrections)} | deviation |")
        print("|:--|--:|" + "--:|" * (len(corrections) + 1))
        for (scene, n), (mean, spread) in rows.items():
            cells = " | ".join(f"{value + 0.0:.4f}" for value in mean[k].round(4))
            print(f"| {scene} | {n} | {cells} | {spread[k]:.3f} |")


if __name__ == "__main__":
    main()
