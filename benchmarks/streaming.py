"""An epoch of MinSyn on a file against a plain autoencoder's on the same file, and its memory.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/streaming.py``. Writes a
temporary .npy file of 200,000 x 2,000 float32 (1.6 GB), numbers in [0, 1] with 20 causes. The
autoencoder (a softplus encoder, cross-entropy, default Adam) and MinSyn's training step run over
the same stream in batches of 512, in turns; the table has medians of the times, and of the ratios
of each round. Then whole fits of an epoch in fresh processes, to a tenth of the samples and to all:
their peak memory.
``--profile`` shows where the time of an epoch goes.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F

from minsyn import MinSyn
from minsyn.data import as_samples, column_statistics
from minsyn.estimators import Adam, adam
from minsyn.estimators.encoders import find_encoder
from minsyn.estimators.module import find_decoder_choice
from minsyn.estimators.problem import ModelSpec, Scaling, StreamProblem
from minsyn.nn import DECODERS

BATCH_SIZE, N_LATENTS = 512, 20


def write(path, n_samples, n_features):
    """Numbers in [0, 1] with as many causes as latents, by blocks."""
    rng = np.random.default_rng(0)
    maps = rng.random((N_LATENTS, n_features), np.float32) ** 8
    header = {"descr": "<f4", "fortran_order": False, "shape": (n_samples, n_features)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n_samples, 2000):
            n = min(2000, n_samples - start)
            causes = rng.random((n, N_LATENTS), np.float32) ** 2
            x = 0.8 * causes @ maps + 0.2 * rng.random((n, n_features), np.float32)
            np.minimum(x, 1, out=x).tofile(file)


def autoencoder_epoch(samples):
    """Seconds of an epoch of a plain autoencoder."""
    n_features = samples.n_features
    model = torch.nn.Sequential(
        torch.nn.Linear(n_features, N_LATENTS),
        torch.nn.Softplus(),
        torch.nn.Linear(N_LATENTS, n_features),
    )
    adam = torch.optim.Adam(model.parameters())
    start = time.perf_counter()
    total = 0.0
    for (x,) in samples.batches(BATCH_SIZE, torch.Generator().manual_seed(0)):
        adam.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(x), x)
        loss.backward()
        adam.step()
        total += loss.item()
    return time.perf_counter() - start


def reading_epoch(samples):
    """Seconds of an epoch that does nothing with the batches."""
    start = time.perf_counter()
    for _ in samples.batches(BATCH_SIZE, torch.Generator().manual_seed(0)):
        pass
    return time.perf_counter() - start


class EpochClock:
    """A stream that notes how long the user of its batches took for a pass."""

    def __init__(self, samples):
        self.samples = samples
        self.n_samples = samples.n_samples
        self.seconds = []

    def batches(self, *arguments):
        """Those of the stream."""
        start = time.perf_counter()
        yield from self.samples.batches(*arguments)
        self.seconds.append(time.perf_counter() - start)


def minsyn_epoch(samples, decoder, columns):
    """Seconds of an epoch of `MinSyn`'s training; the passes before and after it are left out."""
    clocks = []

    def timed(module, loss, batches, **settings):
        clocks.append(EpochClock(batches))
        return train(module, loss, clocks[-1], **settings)

    train = adam.train
    scale = float(np.sqrt(columns.variance.mean()))
    scaling = Scaling(columns.mean, scale, ~columns.constant)
    choice = find_decoder_choice(decoder, DECODERS[decoder].latents.name)
    problem = StreamProblem(samples, ModelSpec(N_LATENTS, choice, find_encoder("linear")))
    with (
        patch.object(adam, "train", timed),
        patch.object(StreamProblem, "scaling", lambda *_: scaling),
        patch.object(StreamProblem, "solution"),
    ):
        Adam().fit(problem, MinSyn(max_iter=1, random_state=0)._start({}))
    return clocks[0].seconds[0]


def fit_once(path, decoder, n_epochs):
    """In a process of its own: a whole fit, and the peak in MB."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    latents = DECODERS[decoder].latents.name
    model = MinSyn(
        N_LATENTS,
        decoder=decoder,
        latents=latents,
        solver=Adam(),
        max_iter=n_epochs,
        random_state=0,
    ).fit(path)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.1f} {seconds:.1f} {model.loss_curve_[-1]:.6g}")


def measure_fit(path, decoder, n_epochs):
    """Peak MB and seconds of a fit in a fresh process."""
    words = [sys.executable, __file__, "--fit", str(path), decoder, str(n_epochs)]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, output.split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to put the temporary file")
    parser.add_argument("--no-memory", action="store_true", help="time only")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fit:
        fit_once(arguments.fit[0], arguments.fit[1], int(arguments.fit[2]))
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder, "x.npy")
        write(path, arguments.samples, arguments.features)
        samples = as_samples(path)
        columns = column_statistics(samples)
        sides = {
            "reading alone": lambda: reading_epoch(samples),
            "autoencoder": lambda: autoencoder_epoch(samples),
            "MinSyn, Bernoulli": lambda: minsyn_epoch(samples, "bernoulli", columns),
            "MinSyn, Gaussian": lambda: minsyn_epoch(samples, "gaussian", columns),
        }
        if arguments.profile:
            for name, side in list(sides.items())[1:]:
                with torch.profiler.profile() as profiler:
                    side()
                print(name)
                table = profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=18)
                print("\n".join(line[:55] + line[110:180] for line in table.splitlines()))
            return
        rounds = [{name: side() for name, side in sides.items()} for _ in range(arguments.repeats)]
        shape = f"{arguments.samples:,} x {arguments.features:,}"
        print(
            f"{shape} float32 from a file, batches of {BATCH_SIZE}, {N_LATENTS} latents, 1 thread"
        )
        print(f"{'an epoch of':20}{'seconds':>9}{'ratio':>8}")
        for name in sides:
            seconds = np.median([times[name] for times in rounds])
            ratio = np.median([times[name] / times["autoencoder"] for times in rounds])
            print(f"{name:20}{seconds:>9.2f}{ratio:>8.2f}")
        if arguments.no_memory:
            return
        small = Path(folder, "small.npy")
        write(small, arguments.samples // 10, arguments.features)
        print(f"\n{'a fit of 1 epoch':20}{'samples':>9}{'seconds':>9}{'peak MB':>9}")
        for decoder in ("bernoulli", "gaussian"):
            peaks = []
            for file, n_samples in ((small, arguments.samples // 10), (path, arguments.samples)):
                peak, seconds, _ = measure_fit(file, decoder, 1)
                peaks.append(peak)
                print(f"{decoder:20}{n_samples:>9,}{seconds:>9.1f}{peak:>9.1f}")
            print(f"{peaks[1] / peaks[0] - 1:+.1%} memory at ten times the samples")


if __name__ == "__main__":
    main()
