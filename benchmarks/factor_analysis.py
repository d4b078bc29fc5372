"""MinSyn beside factor analysis and its kin, on tables whose factors are known.

    python benchmarks/factor_analysis.py [--tables NAME ...] [--methods NAME ...]

Prints Markdown tables: whether each item is put with its factor, whether two halves of the samples
give the same factors, what a reconstruction misses, and the time of a fit beside PCA's: that of the
processor, on one thread, the best of several, taken in turns. Published tables need
``minsyn[tables]``. LinearCorex (``pip install linearcorex``) and oblimin (``pip install
factor_analyzer``) are left out, with a word, where these packages are missing.

An item's strongest factor is the one whose scores it correlates with most. The adjusted Rand index
compares this with the known factors; items of no or of several factors are fitted and not counted.
Where there are more factors than groups of items, each factor first goes to the group in which it
has most items. A published correlation matrix is given to every method as samples that have exactly
these correlations; methods that see more than correlations are left out there.
"""

import argparse
import contextlib
import importlib
import io
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA, SparsePCA
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from minsyn import MinSyn
from minsyn.benchmark.rotated import VarimaxFactorAnalysis, VarimaxPCA
from minsyn.datasets import load_table, make_expression, make_word_images
from minsyn.information import PairwiseStatistics
from minsyn.metrics import congruence, match_factors


@dataclass
class Table:
    """Samples of items, the known factor of each (-1: not counted) and the number of factors."""

    X: np.ndarray
    truth: np.ndarray | None
    n_factors: int
    #: Only correlations are known: the samples are made up.
    published: bool = False
    #: The same samples without negative numbers, for NMF.
    positive: np.ndarray | None = None


def standardised(X):
    return (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)


def published(name, n_samples, sizes):
    """Samples that have exactly the published correlations."""
    correlation = load_table(f"psych/{name}").to_numpy(float)
    draw = standardised(np.random.default_rng(0).normal(size=(n_samples, len(correlation))))
    whitened = np.linalg.solve(np.linalg.cholesky(np.cov(draw.T, ddof=0)), draw.T)
    X = (np.linalg.cholesky(correlation) @ whitened).T
    return Table(X, np.repeat(range(len(sizes)), sizes), len(sizes), published=True)


def big_five(holes):
    """Answers from 1 to 6, and the trait of each item."""
    items = load_table("psych/bfi").iloc[:, :25]
    items = (items if holes else items.dropna()).to_numpy(float)
    positive = None if holes else (items - 1) / items.std(axis=0)
    return Table(standardised(items), np.repeat(range(5), 5), 5, positive=positive)


def clusters(n_samples, signal, seed=0):
    """48 columns of 6 causes; the signal is the cause's share of a column's variance."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(range(6), 8)
    X = np.sqrt(signal) * rng.normal(size=(n_samples, 6))[:, truth]
    X += np.sqrt(1 - signal) * rng.normal(size=X.shape)
    return Table(standardised(X), truth, 6)


def expression(seed=0):
    """300 cells, 200 genes: six modules of one cause each, and 35 genes of none."""
    table = make_expression(n_causes=[1] * 6, random_state=seed)
    return Table(table.train, table.groups, 6)


def sensors(seed=7):
    """The log of docs/start/command-line.md; its bearing, of three causes, is not counted."""
    rng = np.random.default_rng(seed)
    n = 2000
    load, leak = rng.gamma(2, 1, n), (rng.random(n) < 0.25) * rng.exponential(1.5, n)
    room = 15 + 8 * np.sin(np.arange(n) / 200) + rng.normal(0, 1, n)
    wear = rng.exponential(0.002, n).cumsum()
    columns = [
        (0, 12 + 4 * load, 1),
        (0, 5 + 1.9 * load, 0.4),
        (0, 20 + 0.8 * room + 6 * load, 1.5),
        (-1, 18 + 0.9 * room + 2 * load + 3 * wear, 1),
        (1, room, 0.5),
        (1, 80 - 2 * room, 3),
        (2, 1 + 0.9 * wear + 0.15 * load, 0.15),
        (2, 60 + 2.5 * wear + load, 0.8),
        (3, 6 - 0.8 * leak, 0.1),
        (3, 120 - 14 * leak + 2 * load, 3),
        (3, 0.5 + 2.1 * leak, 0.3),
    ]
    X = np.stack([values + rng.normal(0, std, n) for _, values, std in columns], axis=1)
    return Table(standardised(X), np.array([cause for cause, _, _ in columns]), 4)


def digits():
    """Pixels, which have no known factors."""
    X = load_digits().data
    return Table(X, None, 10, positive=X)


def words():
    """Images of three letters, three factors each; pixels that are never inked are left out."""
    images = make_word_images(random_state=0)
    X = images.train.astype(float)
    varies = X.std(axis=0) > 0
    X = X[:, varies]
    return Table(X, images.groups[varies], 9, positive=X)


#: Tables by name; those that take a seed are drawn several times.
TABLES = {
    "Thurstone, 9 tests": partial(published, "Thurstone", 213, [3, 3, 3]),
    "Holzinger, 9 tests": partial(published, "Holzinger.9", 145, [3, 3, 3]),
    "Harman, 9 tests": partial(published, "Harman.Holzinger", 696, [3, 3, 3]),
    "Harman, 8 measures": partial(published, "Harman.8", 305, [4, 4]),
    "Bechtoldt, 17 tests": partial(published, "Bechtoldt.1", 212, [2, 3, 3, 3, 3, 3]),
    "bfi, complete": partial(big_five, holes=False),
    "bfi, with holes": partial(big_five, holes=True),
    **{
        f"clusters, n = {n:,}, signal {signal}": partial(clusters, n, signal)
        for signal in (0.2, 0.5)
        for n in (50, 200, 1000)
    },
    "gene-like": expression,
    "sensors": sensors,
    "digits": digits,
    "words": words,
}
DRAWN = (clusters, expression, sensors)


class Oblimin(TransformerMixin, BaseEstimator):
    """Maximum likelihood factors of scikit-learn, rotated by factor_analyzer's oblimin."""

    def __init__(self, n_components, random_state=0):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        from factor_analyzer.rotator import Rotator

        self.mean_ = X.mean(axis=0)
        factors = FactorAnalysis(self.n_components, random_state=self.random_state).fit(X)
        std = np.maximum(X.std(axis=0), 1e-10)
        rotator = Rotator(method="oblimin", max_iter=2000)
        pattern = rotator.fit_transform((factors.components_ / std).T)
        self.components_, self.phi_ = (pattern * std[:, np.newaxis]).T, rotator.phi_
        # Regression scores, of the model's covariance.
        structure = self.components_.T @ self.phi_
        covariance = structure @ self.components_ + np.diag(factors.noise_variance_)
        self.weights_ = np.linalg.solve(covariance, structure)
        return self

    def transform(self, X):
        return (X - self.mean_) @ self.weights_

    def inverse_transform(self, Z):
        return Z @ self.components_ + self.mean_


class LinearCorex(TransformerMixin, BaseEstimator):
    """The package linearcorex; its scores are decoded by least squares."""

    def __init__(self, n_components, random_state=0):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        with contextlib.redirect_stdout(io.StringIO()):  # it asks for cudamat
            from linearcorex import Corex

            self.corex_ = Corex(n_hidden=self.n_components, seed=self.random_state).fit(X)
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return np.asarray(self.corex_.transform(X), dtype=float)

    def decoded(self, X):
        Z = self.transform(X)
        Z -= Z.mean(axis=0)
        return Z @ np.linalg.lstsq(Z, X - self.mean_, rcond=None)[0] + self.mean_


#: Methods by name. The first is what times are compared with.
METHODS = {
    "PCA": lambda k: PCA(k, svd_solver="full"),
    "PCA + varimax": VarimaxPCA,
    "FastICA": lambda k: FastICA(k, whiten_solver="svd", max_iter=1000, random_state=0),
    "NMF": lambda k: NMF(k, init="nndsvda", max_iter=1000, random_state=0),
    "SparsePCA": lambda k: SparsePCA(k, method="cd", max_iter=100, random_state=0),
    "FA + varimax": VarimaxFactorAnalysis,
    "FA + oblimin": Oblimin,
    "LinearCorex": LinearCorex,
    "MinSyn": lambda k: MinSyn(k, random_state=0),
}
OURS = "MinSyn"
NEEDS = {"FA + oblimin": "factor_analyzer", "LinearCorex": "linearcorex"}
#: What these see of samples is more than correlations.
BEYOND_CORRELATIONS = ("FastICA", "NMF")
#: Seconds of all fits of a method for its time, and of its fits to halves; beyond, there are none.
PATIENCE = 20.0
#: Fits are timed three times, and brief ones up to so many times, for so many seconds in all.
REPEATS, BRIEFLY = 20, 0.2


def missing(method):
    """Package that a method lacks here."""
    package = NEEDS.get(method)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            if package is not None:
                importlib.import_module(package)
        except ImportError:
            return package
    return None


def samples_for(method, table):
    """What a method is fitted to; None where it cannot be."""
    if method in BEYOND_CORRELATIONS and table.published:
        return None
    if method == "NMF":
        return table.positive
    if method == OURS:
        return table.X
    return np.where(np.isnan(table.X), 0.0, table.X)  # 0 is the mean of standardised items


def loadings(model, X):
    """Correlations of items and scores."""
    statistics = getattr(model, "statistics_", None)
    if not isinstance(statistics, PairwiseStatistics):
        statistics = PairwiseStatistics.of(np.asarray(model.transform(X), dtype=float), X)
    return np.asarray(statistics.rho).T


def agreement(found, truth):
    """Adjusted Rand index, and items with their factor, over those that have one."""
    counted = truth >= 0
    factors, truth = np.abs(found[counted]).argmax(axis=1), truth[counted]
    table = np.zeros((found.shape[1], truth.max() + 1))
    np.add.at(table, (factors, truth), 1)
    if table.shape[0] > table.shape[1]:
        factors = table.argmax(axis=1)[factors]
        return adjusted_rand_score(truth, factors), int((factors == truth).sum())
    return adjusted_rand_score(truth, factors), int(
        table[linear_sum_assignment(table, maximize=True)].sum()
    )


def missed(model, X):
    """Share of the variance that is not in the reconstruction, of the values that are there."""
    if hasattr(model, "decoded"):
        decoded = model.decoded(X)
    elif hasattr(model, "reconstruct"):
        decoded = model.reconstruct(X)
    else:
        decoded = model.inverse_transform(model.transform(X))
    return np.nansum((X - decoded) ** 2) / np.nansum((X - np.nanmean(X, axis=0)) ** 2)


def halves(model, X, n_splits):
    """Mean congruence of the factors of random halves of the samples."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_splits):
        order = rng.permutation(len(X))
        one, other = (
            loadings(clone(model).fit(X[rows]), X[rows])
            for rows in (order[: len(X) // 2], order[len(X) // 2 :])
        )
        match = match_factors(one, other)
        found.append(np.abs(np.diagonal(congruence(one, other[:, match.permutation]))).mean())
    return float(np.mean(found))


def scores(methods, name, n_draws, n_splits):
    """By method, what `FIGURES` show."""
    make = TABLES[name]
    drawn = (make.func if isinstance(make, partial) else make) in DRAWN
    tables = [make(seed=seed) for seed in range(n_draws)] if drawn else [make()]
    table = tables[0]
    usable = [m for m in methods if samples_for(m, table) is not None]
    times: dict[str, list[float]] = {method: [] for method in usable}
    models = {}
    for _ in range(REPEATS):
        for method in usable:
            taken = times[method]
            if len(taken) < 3 or sum(taken) < BRIEFLY:
                if sum(taken) > PATIENCE:
                    continue
                X = samples_for(method, table)
                models[method] = METHODS[method](table.n_factors)
                start = time.process_time()
                models[method].fit(X)
                taken.append(time.process_time() - start)
    found = {}
    for method in usable:
        print(f"{name}: {method}", file=sys.stderr, flush=True)
        rows = []
        for one in tables:
            X = samples_for(method, one)
            model = models[method] if one is table else METHODS[method](one.n_factors).fit(X)
            right = (np.nan, np.nan)
            if one.truth is not None:
                right = agreement(loadings(model, X), one.truth)
            rows.append((*right, missed(model, X)))
        rand, right, share = np.mean(rows, axis=0)
        match = np.nan
        if not table.published and min(times[method]) < PATIENCE / n_splits:
            X = samples_for(method, table)
            match = halves(METHODS[method](table.n_factors), X, n_splits)
        slower = min(times[method]) / min(times[methods[0]])
        like = np.nan
        if method != OURS and OURS in models:
            ours, theirs = (loadings(models[m], samples_for(m, table)) for m in (OURS, method))
            like = match_factors(ours, theirs).congruence.mean()
        found[method] = (rand, right, match, share, slower, min(times[method]), like)
    return table, found


#: Tables, and their cells from: adjusted Rand index, right items, congruence of halves, share
#: missed, time beside PCA's, seconds, congruence with MinSyn's factors.
FIGURES = {
    "Adjusted Rand index of items and factors (items with their factor)": lambda s: (
        f"{s[0]:.2f} ({s[1]:.0f})" if s[1] % 1 == 0 else f"{s[0]:.2f} ({s[1]:.1f})"
    ),
    "Congruence of the factors of two halves": lambda s: f"{s[2]:.3f}",
    "Share of the variance missed by the reconstruction": lambda s: f"{s[3]:.3f}",
    "Time of a fit, as a multiple of PCA's": lambda s: (
        f"1 ({s[5] * 1e3:.2g} ms)" if s[4] == 1 else f"{s[4]:.{0 if s[4] >= 10 else 1}f}"
    ),
    "Congruence with MinSyn's factors": lambda s: f"{s[6]:.3f}",
}


def print_tables(methods, results):
    """One Markdown table for each figure."""
    for title, text in FIGURES.items():
        lines = []
        for name, (table, found) in results.items():
            cells = [text(found[m]) if m in found else "–" for m in methods]
            cells = ["–" if "nan" in cell else cell for cell in cells]
            if set(cells) == {"–"}:
                continue
            counted = "" if table.truth is None else f" | {int((table.truth >= 0).sum())}"
            size = f" | {table.X.shape[0]:,} x {table.X.shape[1]:,}"
            lines.append(
                f"| {name}{counted if 'items' in title else size} | {table.n_factors} | "
                + " | ".join(cells)
                + " |"
            )
        if lines:
            head = "items" if "items" in title else "samples x items"
            print(f"\n{title}\n\n| table | {head} | factors | " + " | ".join(methods) + " |")
            print("|:--|" + "--:|" * (2 + len(methods)))
            print("\n".join(lines))


def print_yes_no(n_splits):
    """The Big Five, cut to yes (4 to 6) or no: decoders of numbers and of yes/no answers."""
    answers = load_table("psych/bfi").iloc[:, :25].dropna()
    X, truth = (answers > 3).to_numpy(float), np.repeat(range(5), 5)
    models = {
        "FA + varimax": VarimaxFactorAnalysis(5),
        "MinSyn, `standardize=True`": MinSyn(5, standardize=True, random_state=0),
        '`decoder="bernoulli"`': MinSyn(5, decoder="bernoulli", random_state=0),
        '`decoder="gaussian-bernoulli"`': MinSyn(5, decoder="gaussian-bernoulli", random_state=0),
    }
    print("\nThe Big Five with the answers yes and no\n")
    print("| model | items with their factor, of 25 | congruence of two halves |\n|:--|--:|--:|")
    for name, model in models.items():
        _, right = agreement(loadings(model.fit(X), X), truth)
        print(f"| {name} | {right} | {halves(model, X, n_splits):.3f} |", flush=True)


def mean_correlation(matrix):
    """Mean size of the correlations off the diagonal."""
    return np.abs(matrix[np.triu_indices(len(matrix), 1)]).mean()


def print_correlated(n_draws):
    """Three causes that correlate, behind eight items each: what is found of their correlation."""
    makers = {name: METHODS[name] for name in ("FA + varimax", "FA + oblimin", "MinSyn")}
    makers = {name: make for name, make in makers.items() if not missing(name)}
    truth = np.repeat(range(3), 8)
    print("\nCorrelations of three causes, of their factors, and items with their factor, of 24\n")
    print("| causes | " + " | ".join(makers) + " |\n|--:|" + "--:|" * len(makers))
    for r in (0.0, 0.3, 0.5, 0.7):
        found = {name: [] for name in makers}
        for seed in range(n_draws):
            rng = np.random.default_rng(seed)
            causes = np.sqrt(r) * rng.normal(size=(1000, 1))
            causes = causes + np.sqrt(1 - r) * rng.normal(size=(1000, 3))
            X = standardised(causes[:, truth] + rng.normal(size=(1000, 24)))
            for name, make in makers.items():
                model = make(3).fit(X)
                right = agreement(loadings(model, X), truth)[1]
                scores = getattr(model, "phi_", None)
                if scores is None:
                    scores = np.corrcoef(model.transform(X).T)
                found[name].append((mean_correlation(scores), right))
        cells = [f"{c:.2f} ({n:.0f})" for c, n in (np.mean(f, axis=0) for f in found.values())]
        print(f"| {r} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--draws", type=int, default=10, help="of the tables that are simulated")
    parser.add_argument("--splits", type=int, default=10, help="into halves")
    parser.add_argument(
        "--more", action="store_true", help="yes/no answers, and correlated causes, in the end"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    methods = list(dict.fromkeys(["PCA", *arguments.methods]))
    for method in list(methods):
        if package := missing(method):
            print(f"{method} is left out: pip install {package}")
            methods.remove(method)
    results = {}
    for name in arguments.tables:
        try:
            results[name] = scores(methods, name, arguments.draws, arguments.splits)
        except ImportError as error:
            print(f"{name} is left out: {error}")
    print_tables(methods, results)
    if arguments.more:
        print_yes_no(arguments.splits)
        print_correlated(arguments.draws)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
