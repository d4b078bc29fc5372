"""Bias of Griffith and Koch's measures from the choice of the best source, and of CI synergy.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/gk_bias.py``. The union
information of Gaussian sources is the largest of several informations. Where none is clearly the
largest, chance picks one that looks larger than it is. Printed is, for each measure and correction,
a Markdown table of the mean error in bits over many data sets of one target, beside the standard
deviation of the uncorrected value.
"""

import argparse

import numpy as np

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
MEASURES = ("union_information", "gk_synergy", "ci_synergy")
CORRECTIONS = ("none", "wishart", "jackknife")


def errors(rho, n_samples, repeats, rng):
    """Mean error of each measure and correction, and the spread; sources are independent."""
    truth = [float(getattr(gaussian, m)(np.eye(len(rho)), rho[:, None])[0]) for m in MEASURES]
    noise = np.sqrt(1 - rho @ rho)
    found = np.zeros((repeats, len(MEASURES), len(CORRECTIONS)))
    for repeat in range(repeats):
        z = rng.normal(size=(n_samples, len(rho)))
        x = z @ rho + noise * rng.normal(size=n_samples)
        for c, correction in enumerate(CORRECTIONS):
            result = synergy(z, x, measures=MEASURES, bias_correction=correction)
            found[repeat, :, c] = [result[m][0] for m in MEASURES]
    return found.mean(axis=0) - np.array(truth)[:, None], found[:, :, 0].std(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--repeats", type=int, default=1000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = {
        (scene, n): errors(rho, n, arguments.repeats, rng)
        for scene, rho in SCENES.items()
        for n in arguments.samples
    }
    for k, measure in enumerate(MEASURES):
        print(f"\n| {measure}: sources | samples | {' | '.join(CORRECTIONS)} | deviation |")
        print("|:--|--:|" + "--:|" * (len(CORRECTIONS) + 1))
        for (scene, n), (mean, spread) in rows.items():
            cells = " | ".join(f"{value + 0.0:.4f}" for value in mean[k].round(4))
            print(f"| {scene} | {n} | {cells} | {spread[k]:.3f} |")


if __name__ == "__main__":
    main()
