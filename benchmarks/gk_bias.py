"""Bias of Griffith and Koch's measures from the choice of the best source.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gk_bias.py``. The union
information of Gaussian sources is the largest of several informations. Where none is clearly the
largest, chance picks one that looks larger than it is, which no closed form takes into account.
Printed is a Markdown table of the mean error in bits over many data sets, for three distributions
of eight sources and one target.
"""

import argparse

import numpy as np

from minsyn.information import gaussian, synergy

N_SOURCES = 8
SCENES = {
    "independent of the target": np.zeros(N_SOURCES),
    "all equally informative": np.full(N_SOURCES, 0.3),
    "one clearly the best": np.array([0.8, *np.full(N_SOURCES - 1, 0.1)]),
}
MEASURES = ("union_information", "gk_synergy")
CORRECTIONS = ("none", "wishart", "jackknife")


def errors(rho, n_samples, repeats, rng):
    """Mean error of each correction and measure; sources are independent of each other."""
    truth = [float(getattr(gaussian, m)(np.eye(len(rho)), rho[:, None])[0]) for m in MEASURES]
    noise = np.sqrt(1 - rho @ rho)
    found = np.zeros((repeats, len(CORRECTIONS), len(MEASURES)))
    for repeat in range(repeats):
        z = rng.normal(size=(n_samples, len(rho)))
        x = (z @ rho)[:, None] + noise * rng.normal(size=(n_samples, 50))
        for c, correction in enumerate(CORRECTIONS):
            result = synergy(z, x, measures=MEASURES, bias_correction=correction)
            found[repeat, c] = [result[m].mean() for m in MEASURES]
    return found.mean(axis=0) - truth


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeats", type=int, default=60)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    names = [f"{m.split('_')[0]}, {c}" for m in MEASURES for c in CORRECTIONS]
    print("| sources | samples | " + " | ".join(names) + " |")
    print("|:--|--:|" + "--:|" * len(names))
    for scene, rho in SCENES.items():
        for n_samples in arguments.samples:
            row = errors(rho, n_samples, arguments.repeats, rng).T.ravel()
            cells = " | ".join(f"{value + 0.0:.3f}" for value in row.round(3))
            print(f"| {scene} | {n_samples} | {cells} |")


if __name__ == "__main__":
    main()
