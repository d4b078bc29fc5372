"""From a free decoder to one without synergy: what ``synergy_weight`` costs and gives.

    OMP_NUM_THREADS=1 python benchmarks/synergy_weight.py --figure docs/figures/synergy_weight

Typewriter words of several draws, fitted with every weight from the same start; prints a table in
Markdown of means and standard deviations over the draws.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from minsyn.datasets import make_word_images
from minsyn.estimators import MinSyn
from minsyn.metrics import average_character_concentration, squared_error
from minsyn.nn import ci_synergy_penalty
from minsyn.report import WeightCurve, figure_of_weights, save

WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)


def decoders_synergy(model, X):
    """Divergence of the model's own decoder from that without synergy, as it is penalised."""
    arrays = (model.transform(X), X, model.components_, model.intercept_)
    z, x, weights, bias = (torch.from_numpy(np.asarray(a, np.float64)) for a in arrays)
    return float(ci_synergy_penalty(z, x, weights, bias, observations=model.decoder))


def scores(words, weight, decoder, seed):
    model = MinSyn(
        9, decoder=decoder, synergy_weight=weight, solver="adam", n_init=1, random_state=seed
    ).fit(words.train)
    return (
        squared_error(words.train, model.reconstruct(words.train)),
        squared_error(words.test, model.reconstruct(words.test)),
        average_character_concentration(model.components_, words.groups),
        model.synergy_report(words.train).mean["ci_synergy"],
        decoders_synergy(model, words.train),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--decoder", choices=["gaussian", "bernoulli"], default="gaussian")
    parser.add_argument("--figure", type=Path, help="where to save it, without a suffix")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    table = np.empty((5, len(WEIGHTS), arguments.draws))
    for draw in range(arguments.draws):
        words = make_word_images(random_state=draw)
        for at, weight in enumerate(WEIGHTS):
            table[:, at, draw] = scores(words, weight, arguments.decoder, draw)
    print("| Weight | Train loss | Test loss | ACC | Measured CI synergy | Penalty |")
    print("|--:|--:|--:|--:|--:|--:|")
    for at, weight in enumerate(WEIGHTS):
        cells = [
            f"{row.mean():.{digits}f} ± {row.std():.{digits}f}"
            for row, digits in zip(table[:, at], (2, 2, 3, 3, 3), strict=True)
        ]
        print(f"| {'∞' if np.isinf(weight) else f'{weight:g}'} | {' | '.join(cells)} |")
    print(f"\n{arguments.draws} draws, {time.perf_counter() - start:.0f} s")
    if arguments.figure is not None:
        curve = WeightCurve(*table[:4])
        save(
            figure_of_weights(np.array(WEIGHTS), curve, f"minsyn-{arguments.decoder}"),
            arguments.figure,
        )


if __name__ == "__main__":
    main()
