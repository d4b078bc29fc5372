"""Fits and training steps on a GPU and on all cores of the CPU, as ratios in one run.

    python benchmarks/gpu.py

Needs a GPU that torch can use through CUDA. Printed are seconds on the CPU over seconds on the
GPU, of the same work from the same start, and the losses that both come to.
"""

import statistics
import time
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from minsyn.estimators import Adam, AutoEncoder, MinSyn, Run, VectorMinSyn
from minsyn.nn import BernoulliDecoder, GaussianDecoder

REPEATS = 5


def seconds(function, device):
    """Median seconds of a call, with the work on the device done."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def print_steps():
    print("Step of Adam through a closed-form decoder, seconds on CPU / GPU")
    for decoder, n, p, k in [
        (GaussianDecoder, 512, 2_000, 16),
        (GaussianDecoder, 8_192, 10_000, 64),
        (BernoulliDecoder, 512, 2_000, 16),
        (BernoulliDecoder, 2_048, 5_000, 32),
    ]:
        taken = {}
        for device in ("cpu", "cuda"):
            torch.manual_seed(0)
            x = torch.rand(n, p).to(device)
            encoder, module = nn.Linear(p, k).to(device), decoder(k, p).to(device)
            optimizer = torch.optim.Adam(encoder.parameters())

            def step(x=x, encoder=encoder, module=module, optimizer=optimizer):
                optimizer.zero_grad()
                module.loss(encoder(x).sigmoid(), x).backward()
                optimizer.step()

            taken[device] = seconds(step, device)
        ratio = taken["cpu"] / taken["cuda"]
        print(
            f"  {decoder.__name__:16} {n:6,} x {p:6,}, {k:2} latents: {ratio:6.1f} "
            f"({1e3 * taken['cuda']:.2f} ms)",
            flush=True,
        )


def print_fits():
    print("Fits, seconds on CPU / GPU, and losses on both")
    rng = np.random.default_rng(0)
    causes = rng.random((20_000, 20))
    X = 0.8 * np.repeat(causes, 50, axis=1) + 0.2 * rng.random((20_000, 1_000))
    X = X.astype(np.float32)
    models = {
        "MinSyn, softplus, all samples": (
            X,
            lambda run: MinSyn(20, solver=Adam(run=run), max_iter=30, random_state=0),
        ),
        "MinSyn, net, batches of 512": (
            X,
            lambda run: MinSyn(
                20,
                encoder=(256,),
                solver=Adam(batch_size=512, run=run),
                max_iter=5,
                random_state=0,
            ),
        ),
        "AutoEncoder, batches of 512": (
            X,
            lambda run: AutoEncoder(20, batch_size=512, max_iter=5, run=run, random_state=0),
        ),
        "VectorMinSyn, nets": (
            X[:4000, :500],
            lambda run: VectorMinSyn(
                20,
                n_groups=10,
                encoder=(128,),
                decoder=(128,),
                solver=Adam(run=run),
                max_iter=20,
                random_state=0,
            ),
        ),
    }
    for name, (table, make) in models.items():
        taken, losses = {}, {}
        make(Run(device="cuda")).set_params(max_iter=1).fit(table[:1000])  # libraries are loaded
        for device in ("cpu", "cuda"):
            start = time.perf_counter()
            model = make(Run(device=device)).fit(table)
            taken[device] = time.perf_counter() - start
            losses[device] = model.loss_curve_[-1]
        print(
            f"  {name:30} {taken['cpu'] / taken['cuda']:6.1f} ({taken['cuda']:.1f} s), losses "
            f"{losses['cpu']:.4f} {losses['cuda']:.4f}",
            flush=True,
        )


def main():
    if not torch.cuda.is_available():
        raise SystemExit("torch finds no GPU with CUDA here")
    warnings.simplefilter("ignore", ConvergenceWarning)
    threads = torch.get_num_threads()
    print(f"{torch.cuda.get_device_name()}, {threads} threads, torch {torch.__version__}")
    print_steps()
    print_fits()


if __name__ == "__main__":
    main()
