"""Training against a plain autoencoder and against the paper's recipe, as ratios in one run.

    python benchmarks/training_speed.py [--letters PATH] [--draws 5] [--seeds 2]

One thread. Both sides of a ratio are timed alternately, and medians compared.
"""

import argparse
import subprocess
import sys
import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import nn

from minsyn.datasets import load_letters, make_word_images
from minsyn.estimators import MinSyn
from minsyn.estimators.start import Start
from minsyn.metrics import average_character_concentration
from minsyn.nn import BernoulliDecoder, GaussianDecoder
from minsyn.nn.bernoulli import BernoulliObjective
from minsyn.nn.gaussian import GaussianObjective

#: Decoder as it is trained eagerly, the same with hand-written gradients, and the activation.
KINDS = {
    "bernoulli": (BernoulliDecoder, BernoulliObjective, torch.sigmoid),
    "gaussian": (GaussianDecoder, GaussianObjective, F.softplus),
}


def alternately(functions, repeats):
    """Median seconds of each of several calls, taken in turns."""
    for function in functions:
        function()
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, seconds in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    return [float(np.median(seconds)) for seconds in times]


def adam_step(parameters, loss):
    optimizer = torch.optim.Adam(parameters)

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def autoencoder_step(x, n_latents):
    model = nn.Sequential(
        nn.Linear(x.shape[1], n_latents), nn.Softplus(), nn.Linear(n_latents, x.shape[1])
    )
    return adam_step(
        model.parameters(),
        lambda: F.binary_cross_entropy_with_logits(model(x), x, reduction="sum") / len(x),
    )


def minsyn_step(x, n_latents, kind):
    """An epoch of `MinSyn(solver=Adam())`; features that never vary are left out."""
    _, objective, activation = KINDS[kind]
    inputs = x[:, x.amin(dim=0) < x.amax(dim=0)]
    encoder, loss = nn.Linear(inputs.shape[1], n_latents), objective(x)
    return adam_step(encoder.parameters(), lambda: loss(activation(encoder(inputs))))


def print_steps(words):
    print("\nStep of Adam on all samples, over that of a plain torch autoencoder (BCE)")
    tables = {"words, 149 x 2,352, 9 latents": (torch.from_numpy(words), 9, 300)}
    tables["noise, 512 x 10,000, 64 latents"] = (torch.rand(512, 10_000), 64, 12)
    for name, (x, n_latents, repeats) in tables.items():
        steps = [autoencoder_step(x, n_latents), *(minsyn_step(x, n_latents, k) for k in KINDS)]
        plain, *ours = alternately(steps, repeats)
        ratios = ", ".join(f"{k} {t / plain:.2f} x" for k, t in zip(KINDS, ours, strict=True))
        print(f"{name}: {ratios}")


class Recipe:
    """The paper's: torch's initial weights, the data as they are, Adam at 0.001, eagerly."""

    def __init__(self, words, kind, seed):
        torch.manual_seed(seed)
        decoder, _, self.activation = KINDS[kind]
        self.x = torch.from_numpy(words)
        self.encoder = nn.Linear(words.shape[1], 9)
        self.decoder = decoder(9, words.shape[1])
        self.optimizer = torch.optim.Adam(self.encoder.parameters(), lr=0.001)

    def step(self):
        """One step of Adam; the loss before it."""
        self.optimizer.zero_grad()
        loss = self.decoder.loss(self.activation(self.encoder(self.x)), self.x)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def evaluate(self, words):
        """Test loss (squared error) and ACC with statistics of the training set."""
        train, test = (
            torch.from_numpy(np.asarray(x, np.float32)) for x in (words.train, words.test)
        )
        with torch.no_grad():
            self.decoder.running.n_batches.zero_()
            self.decoder(self.activation(self.encoder(train)), train)
            self.decoder.eval()
            error = self.decoder(self.activation(self.encoder(test))) - test
            weights, _ = self.decoder.linear_map(self.decoder.running.statistics())
        return float(error.square().sum(dim=1).mean()), average_character_concentration(
            weights.numpy(), words.groups
        )


class Watched(MinSyn):
    """The default fit, and when each iteration of its last start was done."""

    def fit(self, X, y=None):
        """Fit, by the clock."""
        self.seconds, start = [], time.perf_counter()

        @contextmanager
        def progress(*_):
            yield lambda *_: self.seconds.append(time.perf_counter() - start)

        with patch.object(Start, "progress", progress):
            super().fit(X)
        self.fit_seconds = time.perf_counter() - start
        return self

    def seconds_to(self, loss):
        """Until the training loss was this low; infinite if it never was."""
        low = np.array(self.loss_curve_[: len(self.seconds)]) <= loss
        return self.seconds[int(np.argmax(low))] if low.any() else np.inf


def compare_fit(words, kind, seed, n_steps):
    """How much sooner than the recipe the default fit is within 0.5 % of the recipe's long run."""
    slow = Recipe(words.train, kind, seed)
    losses, seconds = [], []
    for _ in range(n_steps):
        start = time.perf_counter()
        losses.append(slow.step())
        seconds.append(time.perf_counter() - start)
    goal = 1.005 * min(losses)
    slow_seconds = np.cumsum(seconds)[int(np.argmax(np.array(losses) <= goal))]
    model = Watched(9, decoder=kind, latents=KINDS[kind][0].latents.name, random_state=seed).fit(
        words.train
    )
    our_seconds = model.seconds_to(goal)
    ours = float(np.mean(np.sum((words.test - model.reconstruct(words.test)) ** 2, axis=1)))
    theirs, their_acc = slow.evaluate(words)
    acc = average_character_concentration(model.components_, words.groups)
    print(
        f"  {kind:9} seed {seed}: recipe {min(losses):.1f}, within 0.5 % in {slow_seconds:.2f} s; "
        f"ours {min(model.loss_curve_):.1f}, within 0.5 % in {our_seconds:.2f} s "
        f"({slow_seconds / our_seconds:.0f} x), the end in {model.fit_seconds:.2f} s; test "
        f"{theirs:.1f} -> {ours:.1f}, ACC {their_acc:.2f} -> {acc:.2f}",
        flush=True,
    )
    return slow_seconds / our_seconds, model.fit_seconds, theirs, ours, their_acc, acc


def print_fits(letters, draws, seeds, n_steps):
    print(
        "\nDefault fit, restarts included, against the paper's recipe (Adam at 0.001, eagerly):\n"
        "time until the loss is within 0.5 % of the recipe's long run"
    )
    for kind in KINDS:
        rows = [
            compare_fit(words_of(letters, draw), kind, seed, n_steps)
            for draw in range(1000, 1000 + draws)
            for seed in range(seeds)
        ]
        ratio, seconds, *quality = np.array(rows).T
        theirs, ours, their_acc, acc = (np.mean(q) for q in quality)
        print(
            f"{kind}: as low in {np.mean(ratio > 0):.0%} of fits, 20 x as soon in "
            f"{np.mean(ratio >= 20):.0%} (median {np.median(ratio):.0f} x); a whole fit takes "
            f"{np.median(seconds):.2f} s; test loss {theirs:.1f} -> {ours:.1f}, "
            f"ACC {their_acc:.2f} -> {acc:.2f}"
        )


def words_of(letters, draw):
    return make_word_images(letters=letters, random_state=draw)


def print_import():
    def run(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    nothing, numpy, ours = alternately([run("pass"), run("import numpy"), run("import minsyn")], 15)
    print(
        f"\nimport minsyn: {(ours - nothing) / (numpy - nothing):.2f} x the time of import numpy "
        f"({ours / numpy:.2f} x with the interpreter's start)"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--letters", default="typewriter")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3000, help="of the recipe's long run")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)
    letters = load_letters(arguments.letters)
    print_steps(np.asarray(words_of(letters, 0).train, np.float32))
    print_import()
    print_fits(letters, arguments.draws, arguments.seeds, arguments.steps)


if __name__ == "__main__":
    main()
