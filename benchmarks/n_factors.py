"""How often each criterion counts the causes behind a table.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/n_factors.py [--draws 20]

Each feature is a cause plus noise. Causes are independent, or correlate by 1/2 with each other, as
abilities do. Printed are Markdown tables: the mean number of factors found over many draws, with
the share of draws in which it is right; then the numbers found in tables that are known. Published
tables need ``minsyn[tables]``.

"held-out values" hides a fifth of the values, five times, fits MinSyn to the holes and asks how
well it decodes what was hidden; it takes the least squared error. "held-out samples" is
scikit-learn's grid search by MinSyn's score, and "likelihood" the same by the score of
FactorAnalysis, both with five folds. These three fit models of one factor, two and so on, until the
loss has risen twice ("never": not up to 30 factors), and have fewer draws (``--draws-cv``).
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from sklearn.decomposition import FactorAnalysis
from sklearn.model_selection import KFold, cross_val_score
from threadpoolctl import threadpool_limits

from factor_analysis import TABLES
from minsyn import MinSyn
from minsyn.metrics import empirical_kaiser, minimum_average_partial, parallel_analysis

#: By name, functions of correlations and the number of samples.
CRITERIA = {
    "parallel analysis, components": lambda r, n: parallel_analysis(r, n, random_state=0),
    "parallel analysis, factors": lambda r, n: parallel_analysis(
        r, n, kind="factors", random_state=0
    ),
    "empirical Kaiser": empirical_kaiser,
    "MAP": lambda r, n: minimum_average_partial(r),
}
PER_CAUSE, FOLDS = 5, 5
#: What is found where the loss falls with every factor.
NEVER = "never"
#: The most factors that are tried by cross-validation.
MOST_FACTORS = 30
#: Tables of more values have no cross-validation, which would take hours.
MOST_VALUES = 100_000


def held_out_values(X, n_factors):
    """Mean squared error of values that were hidden from the fit."""
    fold = np.random.default_rng(0).integers(FOLDS, size=X.shape)
    error = 0.0
    for hidden in (fold == f for f in range(FOLDS)):
        holes = np.where(hidden, np.nan, X)
        model = MinSyn(n_factors, random_state=0).fit(holes)
        decoded = model.inverse_transform(model.transform(holes))
        error += np.nansum((X - decoded)[hidden] ** 2)
    return error


def held_out_samples(model):
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    return lambda X, k: -cross_val_score(model.set_params(n_components=k), X, cv=folds).mean()


#: By name, losses of samples and a number of factors.
LOSSES = {
    "held-out values": held_out_values,
    "held-out samples": held_out_samples(MinSyn(random_state=0)),
    "likelihood": held_out_samples(FactorAnalysis()),
}


def least(loss, X):
    """Number with the least loss; `NEVER` where the loss never rises twice."""
    losses = []
    for k in range(1, min(X.shape[1], MOST_FACTORS + 1)):
        losses.append(loss(X, k))
        if len(losses) - 1 - int(np.argmin(losses)) >= 2:
            return int(np.argmin(losses)) + 1
    return NEVER


def clusters(n_causes, n_samples, noise, correlation, rng):
    shared = np.sqrt(correlation) * rng.normal(size=(n_samples, 1))
    causes = shared + np.sqrt(1 - correlation) * rng.normal(size=(n_samples, n_causes))
    features = np.repeat(causes, PER_CAUSE, axis=1)
    return features + noise * rng.normal(size=features.shape)


def counts(X, correlation, validated=True):
    """What each criterion finds; None where it does not apply."""
    found = []
    for criterion in CRITERIA.values():
        try:
            found.append(criterion(correlation, len(X)).n_factors)
        except ValueError:
            found.append(None)
    holes = bool(np.isnan(X).any())
    validated = validated and X.size <= MOST_VALUES
    for name, loss in LOSSES.items():
        possible = validated and not (holes and name == "likelihood")
        found.append(least(loss, X) if possible else None)
    return found


def header(first, ruler):
    names = [*CRITERIA, *LOSSES]
    print(f"| {first} | " + " | ".join(names) + " |")
    print(f"|{ruler}|" + "--:|" * len(names))


def over_draws(column, n_causes):
    """Mean and share of right numbers, of the draws that have one."""
    column = [found for found in column if found is not None]
    if not column:
        return "–"
    right = np.mean([found == n_causes for found in column])
    numbers = [found for found in column if found != NEVER]
    mean = f"{np.mean(numbers):.1f}" if len(numbers) == len(column) else NEVER
    return f"{mean} ({right:.0%})"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--causes", type=int, nargs="*", default=[2, 5])
    parser.add_argument("--samples", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--noise", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--draws-cv", type=int, default=2)
    parser.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.causes:
        header("correlation of causes | causes | samples | noise", "--:|--:|--:|--:")
    for correlation in (0.0, 0.5):
        for n_causes in arguments.causes:
            for n_samples in arguments.samples:
                for noise in arguments.noise:
                    rng = np.random.default_rng(0)
                    draws = []
                    for draw in range(arguments.draws):
                        X = clusters(n_causes, n_samples, noise, correlation, rng)
                        draws.append(counts(X, np.corrcoef(X.T), draw < arguments.draws_cv))
                    cells = [over_draws(column, n_causes) for column in zip(*draws, strict=True)]
                    print(
                        f"| {correlation} | {n_causes} | {n_samples} | {noise} | "
                        + " | ".join(cells)
                        + " |",
                        flush=True,
                    )
    if arguments.tables:
        print()
        header("table | samples x items | known", ":--|--:|--:")
    for name in arguments.tables:
        try:
            table = TABLES[name]()
        except ImportError as error:
            print(f"{name} is left out: {error}")
            continue
        X = table.X
        X = X[:, np.nanstd(X, axis=0) > 0]
        correlation = pd.DataFrame(X).corr().to_numpy()  # of the pairs that are there
        found = counts(X, correlation)
        known = (
            "–"
            if table.truth is None or table.truth.max() + 1 < table.n_factors
            else (str(table.n_factors))
        )
        cells = ["–" if one is None else str(one) for one in found]
        print(
            f"| {name} | {X.shape[0]:,} x {X.shape[1]:,} | {known} | " + " | ".join(cells) + " |",
            flush=True,
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
