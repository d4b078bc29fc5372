"""Size and power of the tests of `synergy` on time series, coverage of its intervals.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/time_series.py size
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/time_series.py power
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/time_series.py coverage

Printed are Markdown tables. ``size``: the share of data sets, in which the null hypothesis of a
measure is true, whose p-value is at most .05; beside it what it would be if the samples were taken
for independent. ``power``: the same where it is false. ``coverage``: the share of 95 % intervals
that hold the value of the process. All noises are autoregressive, x(t) = phi x(t-1) + e(t), or
binary chains that change with probability (1 - phi) / 2.
"""

import argparse
import math

import numpy as np
from scipy.signal import lfilter

from minsyn.information import embed, synergy

#: Trials of a panel.
TRIALS = 40
#: Steps before a series is taken to have forgotten its start.
BURN_IN = 300


def series(n, k, phi, rng):
    """Autoregressive series of unit variance."""
    noise = rng.normal(size=(n + BURN_IN, k)) * math.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], noise, axis=0)[BURN_IN:]


def chains(n, k, phi, rng):
    """Binary chains whose autocorrelation is phi^lag."""
    changes = rng.random((n, k)) < (1 - phi) / 2
    changes[0] = rng.random(k) < 0.5
    return changes.cumsum(axis=0) % 2


def later(z, x):
    """Sources, and the target one step later."""
    return z[1:], x[:-1]


def independent(n, phi, rng):
    return series(n, 2, phi, rng), series(n, 1, phi, rng)


def one_tells(n, phi, rng):
    z = series(n + 1, 2, phi, rng)
    return later(z, 0.6 * z[:, :1] + 0.8 * series(n + 1, 1, phi, rng))


def one_cause(n, phi, rng):
    x = series(n + 1, 1, phi, rng)
    return later(0.6 * x + 0.8 * series(n + 1, 2, phi, rng), x)


def own_past(n, phi, rng):
    """What tells is the target's own past, one of three sources."""
    z = series(n, 3, phi, rng)
    return z, z[:, 2:]


def total(n, phi, rng):
    z = series(n + 1, 2, phi, rng)
    return later(
        z, 0.5 * z.sum(axis=1, keepdims=True) + math.sqrt(0.5) * series(n + 1, 1, phi, rng)
    )


def driven(n, phi, rng):
    """A target that remembers, driven by two series without memory."""
    z = rng.normal(size=(n + 1 + BURN_IN, 2))
    x = lfilter([1], [1, -phi], 0.5 * z.sum(axis=1) + rng.normal(size=len(z)))
    return later(z[BURN_IN:], x[BURN_IN:, None])


def panel(n, phi, rng):
    """Forty independent trials, whose series begin anew."""
    parts = [independent(n // TRIALS, phi, rng) for _ in range(TRIALS)]
    return tuple(np.concatenate(series) for series in zip(*parts, strict=True))


def binary_independent(n, phi, rng):
    return chains(n, 2, phi, rng), chains(n, 1, phi, rng)


def noisy(x, share, phi, rng):
    """Binary series of which some stretches are flipped."""
    return x ^ (series(len(x), 1, phi, rng) > share)


def binary_one_tells(n, phi, rng):
    z = chains(n + 1, 2, phi, rng)
    return later(z, noisy(z[:, :1], 0.8, phi, rng).astype(int))


def binary_xor(n, phi, rng):
    z = chains(n + 1, 2, phi, rng)
    return later(z, noisy(z[:, :1] ^ z[:, 1:], 0.8, phi, rng).astype(int))


def binary_one_cause(n, phi, rng):
    x = chains(n + 1, 1, phi, rng)
    z = np.concatenate([noisy(x, 0.8, phi, rng) for _ in range(2)], axis=1)
    return later(z.astype(int), x)


#: Scenes by model, and the measures whose null hypothesis is true in them.
ALL = ("mutual_information", "gk_synergy", "ci_synergy")
NULLS = {
    "gaussian": {
        "all independent": (independent, ALL),
        "40 trials, all independent": (panel, ALL),
        "one source tells": (one_tells, ALL[1:]),
        "one cause": (one_cause, ALL[2:]),
        "own past tells": (own_past, ALL[1:2]),
    },
    "discrete": {
        "all independent": (binary_independent, ALL),
        "one source tells": (binary_one_tells, ALL[1:]),
        "one cause": (binary_one_cause, ALL[2:]),
    },
}
COUPLED = {
    "gaussian": {"sum of two": total, "memory, driven by two": driven},
    "discrete": {"exclusive or": binary_xor},
}
NULLS["copula"], COUPLED["copula"] = NULLS["gaussian"], COUPLED["gaussian"]


def data_of(scene, n, phi, rng):
    z, x = scene(n, phi, rng)
    trials = np.arange(len(z)) * TRIALS // len(z) if scene is panel else None
    return z, x, trials


def p_values(data, model, measures, seed):
    """P-values of series, and of the same rows as if they were independent."""
    z, x, trials = data
    options = {"measures": measures, "bias_correction": "none", "n_permutations": 199}
    options["random_state"] = seed
    of_series = synergy(z, x, model, lag=1, trials=trials, **options).p_values
    rows = embed(z, x, 1, trials=trials)
    alike = synergy(rows.Z.to_numpy(), rows.X.to_numpy(), model, **options).p_values
    return [[p[name][0] for name in measures] for p in (of_series, alike)]


def rejected(arguments):
    print(
        "| model | phi | samples | scene | measure | rejected | as if independent |\n"
        "|:--|--:|--:|:--|:--|--:|--:|"
    )
    for model in arguments.models:
        scenes = NULLS if arguments.what == "size" else COUPLED
        for phi in arguments.phi:
            for n in arguments.samples:
                for label, chosen in scenes[model].items():
                    scene, measures = chosen if arguments.what == "size" else (chosen, ALL)
                    rng = np.random.default_rng(0)
                    found = np.array(
                        [
                            p_values(data_of(scene, n, phi, rng), model, measures, seed)
                            for seed in range(arguments.repeats)
                        ]
                    )
                    shares = (found <= 0.05).mean(axis=0).T
                    for name, (series_share, alike) in zip(measures, shares, strict=True):
                        print(
                            f"| {model} | {phi} | {n} | {label} | {name} | {series_share:.3f} "
                            f"| {alike:.3f} |",
                            flush=True,
                        )


def coverage(arguments):
    """Intervals against the values of very long series."""
    print(f"| model | phi | samples | scene | {' | '.join(ALL)} |\n|:--|--:|--:|:--|--:|--:|--:|")
    for model in arguments.models:
        for phi in arguments.phi:
            for label, scene in COUPLED[model].items():
                rng = np.random.default_rng(1)
                options = {"measures": ALL, "bias_correction": "none", "lag": 1}
                truth = synergy(*scene(1_000_000, phi, rng), model, **options).values
                for n in arguments.samples:
                    held = np.zeros(3)
                    for seed in range(arguments.repeats):
                        z, x = scene(n, phi, rng)
                        found = synergy(z, x, model, n_bootstrap=400, random_state=seed, **options)
                        for k, name in enumerate(ALL):
                            low, high = found.intervals[name][0]
                            held[k] += low <= truth[name][0] <= high
                    shares = " | ".join(f"{share:.3f}" for share in held / arguments.repeats)
                    print(f"| {model} | {phi} | {n} | {label} | {shares} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["size", "power", "coverage"])
    parser.add_argument("--models", nargs="+", default=["gaussian", "discrete"])
    parser.add_argument("--phi", type=float, nargs="+", default=[0.95])
    parser.add_argument("--samples", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--repeats", type=int, default=400, help="data sets")
    arguments = parser.parse_args()
    coverage(arguments) if arguments.what == "coverage" else rejected(arguments)


if __name__ == "__main__":
    main()
