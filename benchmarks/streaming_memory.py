"""Memory of a pass over a file against the number of samples in it.

Run as ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/streaming_memory.py``. Writes
temporary files of N and of 10 N samples of 2,000 features (1.6 GB at the default N), passes over
each in a process of its own, mixed and in batches of 512, and prints the peak resident memory. For
comparison the same file mapped into memory. ``--kind parquet`` or ``--kind csv`` for other files
(take fewer samples).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BATCH_SIZE = 512


def write(path, n_samples, n_features):
    """Random numbers as a file, written by blocks."""
    rng = np.random.default_rng(0)
    block = 2000
    if path.suffix == ".npy":
        header = {"descr": "<f4", "fortran_order": False, "shape": (n_samples, n_features)}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, n_samples, block):
                rng.random((min(block, n_samples - start), n_features), np.float32).tofile(file)
        return
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"x{j}" for j in range(n_features)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    writer = pq.ParquetWriter(path, schema) if path.suffix == ".parquet" else None
    for start in range(0, n_samples, block):
        x = rng.random((min(block, n_samples - start), n_features), np.float32)
        frame = pd.DataFrame(x.round(3), columns=names)
        if writer is not None:
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))
        else:
            frame.to_csv(path, mode="a", header=start == 0, index=False)
    if writer is not None:
        writer.close()


def one_pass(path, mapped):
    """In a process of its own: statistics, one epoch of a small model, and the peak in MB."""
    import resource
    import time

    import torch

    from minsyn.data import ArraySlices, as_samples, column_statistics

    torch.set_num_threads(1)
    samples = ArraySlices(np.load(path, mmap_mode="r"), "mapped") if mapped else as_samples(path)
    statistics = column_statistics(samples)
    scaled = samples.scaled(statistics.mean, statistics.std)
    model = torch.nn.Linear(samples.n_features, 9)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    start = time.perf_counter()
    for (x,) in scaled.batches(BATCH_SIZE, torch.Generator().manual_seed(0)):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.1f} {seconds:.3f}")


def measure(path, mapped=False):
    """Peak memory in MB and seconds of the epoch, from a fresh process."""
    words = [sys.executable, __file__, "--pass-over", str(path)] + ["--mapped"] * mapped
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, output.split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000, help="N, of the smaller file")
    parser.add_argument("--features", type=int, default=2000)
    parser.add_argument("--kind", choices=["npy", "parquet", "csv"], default="npy")
    parser.add_argument("--pass-over", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--mapped", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pass_over is not None:
        one_pass(arguments.pass_over, arguments.mapped)
        return
    sizes = (arguments.samples, 10 * arguments.samples)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"x.{arguments.kind}")
        results = {}
        for n_samples in sizes:
            path.unlink(missing_ok=True)
            write(path, n_samples, arguments.features)
            results["read by blocks", n_samples] = measure(path)
            if arguments.kind == "npy":
                results["mapped", n_samples] = measure(path, mapped=True)
    print(f".{arguments.kind}, {arguments.features} features, one thread")
    print(f"{'':16}{'samples':>10}{'peak MB':>10}{'epoch s':>10}")
    for (way, n_samples), (peak, seconds) in results.items():
        print(f"{way:16}{n_samples:>10,}{peak:>10.1f}{seconds:>10.2f}")
    for way in dict.fromkeys(way for way, _ in results):
        small, large = (results[way, n][0] for n in sizes)
        print(f"{way}: {large / small - 1:+.1%} memory at ten times the samples")


if __name__ == "__main__":
    main()
