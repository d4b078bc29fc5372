"""Run as a script: a training run that is killed at random moments and started again until it ends.

Each start is a fork, so that torch is imported once. Tells how many were killed, and whether
parameters, history and loss are those of a run that nobody killed, and whether every start went on
from the last checkpoint.
"""

import json
import os
import random
import signal
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import torch

from line import fit_line

EPOCHS = 40


def run(folder, on_epoch=lambda epoch, loss: None):
    def loss(x, y):  # draws from both sources of randomness
        noise = 0.1 * torch.randn(x.shape, generator=generator) + 0.1 * torch.randn(x.shape)
        return (module(x + noise) - y).square().mean()

    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(1)
    module = torch.nn.Linear(2, 1)
    _, result = fit_line(
        module,
        loss,
        batch_size=8,
        max_epochs=EPOCHS,
        tol=0.0,
        patience=EPOCHS,
        generator=generator,
        checkpoint_dir=folder,
        checkpoint_every=0,
        on_epoch=on_epoch,
    )
    return [p.tolist() for p in module.parameters()], result.history, result.loss


def start(folder, log, results):
    pid = os.fork()
    if pid == 0:
        warnings.simplefilter("error")
        with log.open("a", buffering=1) as file:
            outcome = run(folder, lambda epoch, loss: file.write(f"{epoch}\n"))
        results.write_text(json.dumps(outcome))
        os._exit(0)
    return pid


def main(folder):
    fit_line(max_epochs=2)  # loads what torch loads lazily
    began = time.monotonic()
    undisturbed = json.loads(json.dumps(run(folder / "undisturbed")))
    duration = time.monotonic() - began
    moment = random.Random(0)
    n_killed, redone = 0, []
    while n_killed < 100:
        log = folder / f"epochs-{n_killed}"
        pid = start(folder / "checkpoints", log, folder / "results.json")
        time.sleep(moment.uniform(0.0, duration / 4))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        n_killed += 1
        redone += log.read_text().split() if log.exists() else []
    redone += log.read_text().split()
    epochs = [int(epoch) for epoch in redone]
    steps = {b - a for a, b in pairwise(epochs)}
    finished = json.loads((folder / "results.json").read_text())
    print(
        json.dumps(
            {
                "killed": n_killed,
                "same": finished == undisturbed,
                "steps": sorted(steps),  # 0: the epoch whose checkpoint was not yet whole, again
                "last": epochs[-1],
                "fabric": "lightning_fabric" in sys.modules,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
