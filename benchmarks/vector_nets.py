"""Nets in place of linear maps: errors on new samples, on tables of several kinds.

    python benchmarks/vector_nets.py [--tables sensors ...] [--draws 3] [--hidden 32]

One thread. Half of each table is new. Models have the same groups, as found, and the same number
of latents, one for each group where causes are single. Printed are squared errors on the new
samples as shares of their variance: of PCA, of linear maps, of nets.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from minsyn import VectorMinSyn
from minsyn.datasets import load_table, make_expression

#: Nets may be worse than linear maps by this share, for chance.
LIMIT = 1.05


def sensors(rng):
    """Five causes, each of which eight sensors measure, with bent responses and noise."""
    causes = np.repeat(rng.normal(size=(800, 5)), 8, axis=1)
    gains, bends = rng.uniform(0.5, 2, 40), rng.uniform(-1, 1, 40)
    X = np.tanh(gains * causes) + bends * causes**2 / 2
    return X + 0.2 * rng.normal(size=X.shape), 5


def straight_sensors(rng):
    """The same with straight responses."""
    causes = np.repeat(rng.normal(size=(800, 5)), 8, axis=1)
    X = rng.uniform(0.5, 2, 40) * causes
    return X + 0.8 * rng.normal(size=X.shape), 5


def big_five(rng):
    """Answers to 25 items of the Big Five, standardised; persons in random order."""
    answers = load_table("psych/bfi").iloc[:, :25].dropna().to_numpy(dtype=float)
    answers = (answers - answers.mean(axis=0)) / answers.std(axis=0)
    return answers[rng.permutation(len(answers))], 10


def genes(rng):
    """Gene-like table of 200 columns, 15 latents."""
    table = make_expression(random_state=int(rng.integers(1000)))
    return np.concatenate([table.train, table.test]), 15


def digits(rng):
    """Handwritten digits of 8 x 8 pixels, as one group."""
    images = load_digits().data / 16
    return images[rng.permutation(len(images))], 8


TABLES = {kind.__name__: kind for kind in (sensors, straight_sensors, big_five, genes, digits)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=32)
    arguments = parser.parse_args()
    hidden = (arguments.hidden,)
    worst = 0.0
    for name in arguments.tables:
        errors, seconds = [], 0.0
        for draw in range(arguments.draws):
            X, n_latents = TABLES[name](np.random.default_rng(draw))
            train, new = X[::2], X[1::2]
            # Digits have no groups; the five traits have two latents each.
            options = {"digits": {"n_groups": 1}, "big_five": {"n_groups": 5}}.get(name, {})
            linear = VectorMinSyn(n_latents, random_state=draw, **options)
            nets = VectorMinSyn(
                n_latents, encoder=hidden, decoder=hidden, random_state=draw, **options
            )
            total = np.sum((new - train.mean(axis=0)) ** 2)
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                models = [PCA(n_latents).fit(train), linear.fit(train)]
                start = time.process_time()
                models.append(nets.fit(train))
                seconds += time.process_time() - start
            errors.append(
                [np.sum((new - m.inverse_transform(m.transform(new))) ** 2) / total for m in models]
            )
        pca, straight, curved = np.mean(errors, axis=0)
        worst = max(worst, curved / straight)
        print(
            f"{name:>16}: PCA {pca:.4f}, linear {straight:.4f}, nets {curved:.4f} "
            f"({seconds / arguments.draws:.1f} s)",
            flush=True,
        )
    assert worst <= LIMIT, f"nets are worse than linear maps by a factor of {worst:.3f}"


if __name__ == "__main__":
    main()
