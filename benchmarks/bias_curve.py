"""Bias of the estimators of discrete measures against sample size: a table and a figure.

    OMP_NUM_THREADS=1 python benchmarks/bias_curve.py --output docs/figures/bias_curve

For each sample size many data sets are drawn from a known distribution, and the value under each
correction is compared with the truth: the mean error (bias) and the root mean squared error, in
bits. The discrete model is shown for a random table and for independent variables, the Gaussian one
(exact correction) below. Writes the figure and bias_curve.csv.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from minsyn.information import discrete, gaussian, synergy, union_information
from minsyn.report import COLOURS, WIDTH, new_figure, save, styled

SIZES = (20, 40, 80, 160, 320, 640)
MEASURES = {
    "mutual_information": "Mutual information",
    "gk_synergy": "GK synergy",
    "ci_synergy": "CI synergy",
}
# Colours, dashes and markers, so that none is needed alone.
LOOKS = {
    "none": ("black", "-", "o", "Plug-in"),
    "miller-madow": ("orange", "--", "s", "Miller–Madow"),
    "jackknife": ("blue", "-", "^", "Jackknife"),
    "shrinkage": ("green", "-.", "D", "Shrinkage"),
    "wishart": ("vermilion", ":", "v", "Wishart"),
}


def truth_of(pmf):
    information = discrete.mutual_information(pmf)
    return {
        "mutual_information": information,
        "gk_synergy": information - union_information(pmf).value,
        "ci_synergy": discrete.ci_synergy(pmf),
    }


def tables(pmf):
    def draw(n, rng):
        cells = np.stack(np.unravel_index(rng.choice(pmf.size, n, p=pmf.ravel()), pmf.shape), 1)
        return cells[:, :-1], cells[:, -1]

    return "discrete", draw, truth_of(pmf), ("none", "miller-madow", "jackknife", "shrinkage")


def normals(sigma, rho):
    joint = np.block([[sigma, rho], [rho.T, np.ones((1, 1))]])

    def draw(n, rng):
        data = rng.multivariate_normal(np.zeros(len(joint)), joint, size=n)
        return data[:, :-1], data[:, -1]

    truth = {name: float(getattr(gaussian, name)(sigma, rho)[0]) for name in MEASURES}
    return "gaussian", draw, truth, ("none", "wishart", "jackknife")


def rows(label, scene, repeats, rng):
    model, draw, truth, corrections = scene
    for n in SIZES:
        errors = {(c, m): [] for c in corrections for m in MEASURES}
        for _ in range(repeats):
            z, x = draw(n, rng)
            for correction in corrections:
                try:
                    result = synergy(
                        z, x, model, measures=list(MEASURES), bias_correction=correction
                    )
                except ValueError:  # a source that never varied in a small sample
                    continue
                for m in MEASURES:
                    errors[correction, m].append(result[m][0] - truth[m])
        for (correction, m), error in errors.items():
            yield {
                "distribution": label,
                "measure": m,
                "n_samples": n,
                "correction": correction,
                "truth": truth[m],
                "bias": np.mean(error),
                "rmse": np.sqrt(np.mean(np.square(error))),
                "standard_error": np.std(error) / np.sqrt(len(error)),
            }


def draw_figure(frame):
    labels = list(dict.fromkeys(frame.distribution))
    with styled():
        figure = new_figure(WIDTH, 1.75 * len(labels) + 0.5)
        axes = figure.subplots(len(labels), len(MEASURES), sharex=True, sharey="row", squeeze=False)
        handles = {}
        for row, label in zip(axes, labels, strict=True):
            for ax, (measure, name) in zip(row, MEASURES.items(), strict=True):
                part = frame[(frame.distribution == label) & (frame.measure == measure)]
                for correction, curve in part.groupby("correction", sort=False):
                    colour, dashes, marker, title = LOOKS[correction]
                    (handles[title],) = ax.plot(
                        curve.n_samples, curve.bias, color=COLOURS[colour], linestyle=dashes,
                        linewidth=1.3, marker=marker, markersize=3,
                    )  # fmt: skip
                ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
                ax.set_xscale("log")
                ax.set_xticks(SIZES, SIZES)
                ax.minorticks_off()
                ax.set_title(f"{name}: {part.truth.iloc[0]:.3f} bits", fontsize=8)
            row[0].set_ylabel(f"{label}\nBias (bits)")
        figure.supxlabel("Number of samples", fontsize=8)
        figure.legend(
            handles.values(), handles, loc="outside upper center", ncols=len(handles),
            frameon=False, fontsize=7.5,
        )  # fmt: skip
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("bias_curve"), help="without suffix")
    parser.add_argument("--repeats", type=int, default=100)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    random_table = rng.dirichlet(np.full(27, 0.5)).reshape(3, 3, 3)
    scenes = {
        "Random, 3 × 3 × 3": tables(random_table),
        "Independent, 3 × 3 × 3": tables(np.full((3, 3, 3), 1 / 27)),
        "Gaussian, 4 sources": normals(
            0.8 * np.eye(4) + 0.2, np.array([[0.6], [0.3], [-0.2], [0.0]])
        ),
    }
    frame = pd.DataFrame(
        [
            row
            for label, scene in scenes.items()
            for row in rows(label, scene, arguments.repeats, rng)
        ]
    )
    frame.to_csv(arguments.output.with_suffix(".csv"), index=False)
    save(draw_figure(frame), arguments.output)
    shown = frame[frame.n_samples.isin([40, 160])]
    print(
        shown.pivot_table(
            index=["distribution", "measure", "n_samples"], columns="correction",
            values="bias", sort=False,
        ).round(3).to_string()
    )  # fmt: skip


if __name__ == "__main__":
    main()
