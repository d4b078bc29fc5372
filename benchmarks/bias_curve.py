"""Bias of the estimators of discrete measures against sample size: a table and a figure.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/bias_curve.py --output
bias_curve.png``; beside the figure stands ``bias_curve.csv``. For each sample size many data sets
are drawn from a known distribution, and what each correction gives is compared with the truth:
the mean error (bias) and the root mean squared error, in bits. The discrete model is shown for a
random table and for independent variables, the Gaussian one (exact correction) beside them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from minsyn.information import discrete, gaussian, synergy, union_information

SIZES = (20, 40, 80, 160, 320, 640)
MEASURES = ("mutual_information", "gk_synergy", "ci_synergy")
# Okabe and Ito's colours, and dashes, so that neither is needed alone.
LOOKS = {
    "none": ("#000000", "-", "plug-in"),
    "miller-madow": ("#E69F00", "--", "Miller-Madow"),
    "jackknife": ("#0072B2", "-", "jackknife"),
    "shrinkage": ("#009E73", "-.", "shrinkage"),
    "wishart": ("#0072B2", "-", "Wishart"),
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
                    result = synergy(z, x, model, measures=MEASURES, bias_correction=correction)
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
    figure = Figure(figsize=(7.2, 1.9 * len(labels) + 0.3), layout="constrained")
    axes = figure.subplots(len(labels), len(MEASURES), sharex=True, sharey="row", squeeze=False)
    for row, label in zip(axes, labels, strict=True):
        for ax, measure in zip(row, MEASURES, strict=True):
            part = frame[(frame.distribution == label) & (frame.measure == measure)]
            for correction, curve in part.groupby("correction", sort=False):
                colour, dashes, name = LOOKS[correction]
                if correction == "jackknife" and "wishart" in set(part.correction):
                    colour, dashes = "#D55E00", ":"
                ax.plot(curve.n_samples, curve.bias, dashes, color=colour, label=name, lw=1.4)
            ax.axhline(0, color="0.6", lw=0.8, zorder=0)
            ax.set_xscale("log")
            ax.set_xticks(SIZES, SIZES)
            ax.minorticks_off()
            ax.tick_params(labelsize=7)
            ax.spines[["top", "right"]].set_visible(False)
            ax.set_title(f"{measure.replace('_', ' ')}, truth {part.truth.iloc[0]:.3f}", fontsize=8)
        row[0].set_ylabel(f"{label}\nbias (bits)", fontsize=8)
        row[-1].legend(fontsize=7, frameon=False)
    figure.supxlabel("samples", fontsize=8)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("bias_curve.png"))
    parser.add_argument("--repeats", type=int, default=100)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    random_table = rng.dirichlet(np.full(27, 0.5)).reshape(3, 3, 3)
    scenes = {
        "random 3x3x3": tables(random_table),
        "independent 3x3x3": tables(np.full((3, 3, 3), 1 / 27)),
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
    draw_figure(frame).savefig(arguments.output, dpi=150)
    shown = frame[frame.n_samples.isin([40, 160])]
    print(
        shown.pivot_table(
            index=["distribution", "measure", "n_samples"], columns="correction",
            values="bias", sort=False,
        ).round(3).to_string()
    )  # fmt: skip


if __name__ == "__main__":
    main()
