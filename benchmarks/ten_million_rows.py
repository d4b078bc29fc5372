"""The same linear MinSyn of ten million samples, whichever way they are read.

    python benchmarks/ten_million_rows.py [--samples 10000000] [--features 20]

Writes a temporary .npy file of float32 (800 MB) with six causes, and fits it as one file, by two
processes of torchrun (gloo), from Dask blocks whose `Moments` are merged, and by `partial_fit` in
chunks; then, for comparison, takes the mean of all columns by NumPy, in one read of the whole file.
Each is a process of its own, on one thread, and the best of three. Printed are the time of the
processor as a multiple of the mean's, the peak memory beyond that of the imported libraries, and
how far the decoder and the encoder are from those of the one file.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from minsyn import MinSyn
from minsyn.information import Moments

N_CAUSES, BLOCK = 6, 100_000


def write(path, n_samples, n_features):
    """Columns of six causes and noise, with offsets, by blocks."""
    rng = np.random.default_rng(0)
    truth = np.arange(n_features) % N_CAUSES
    offsets = rng.normal(size=n_features).astype(np.float32) * 10
    header = {"descr": "<f4", "fortran_order": False, "shape": (n_samples, n_features)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n_samples, BLOCK):
            n = min(BLOCK, n_samples - start)
            X = rng.standard_normal((n, N_CAUSES), np.float32)[:, truth]
            X += rng.standard_normal((n, n_features), np.float32)
            (X + offsets).tofile(file)


def new_model():
    return MinSyn(N_CAUSES, random_state=0)


def mean_of_all(path):
    np.load(path).mean(axis=0, dtype=np.float64)


def as_one_file(path):
    return new_model().fit(path)


def rows(path, start, stop):
    """Some rows of the file, which is then closed again."""
    return np.array(np.load(path, mmap_mode="r")[start:stop])


def by_dask(path):
    import dask
    import dask.array as da
    from dask import bag

    # `da.from_array` of a mapped file would read it at once.
    shape, dtype = (whole := np.load(path, mmap_mode="r")).shape, whole.dtype
    X = da.map_blocks(
        lambda block_info: rows(path, *block_info[None]["array-location"][0]),
        chunks=(da.core.normalize_chunks((BLOCK, -1), shape)),
        dtype=dtype,
        meta=whole[:0],
    )
    parts = [dask.delayed(lambda x: [Moments.of(np.asarray(x))])(x) for x in X.to_delayed().ravel()]
    total = bag.from_delayed(parts).fold(Moments.merge, split_every=4)
    return new_model().fit_covariance(total.compute(scheduler="synchronous"))


def in_chunks(path):
    model = new_model()
    for start in range(0, len(np.load(path, mmap_mode="r")), BLOCK):
        model.partial_fit(rows(path, start, start + BLOCK))
    return model


WAYS = {
    "mean by NumPy": mean_of_all,
    "one file": as_one_file,
    "two processes": as_one_file,
    "Dask blocks": by_dask,
    "partial_fit": in_chunks,
}


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_way(way, path, output):
    """In a process of its own: time, memory and what was fitted."""
    if way == "Dask blocks":
        import dask.array
        import dask.bag  # noqa: F401
    before = peak_mb()
    seconds = np.inf
    for _ in range(3):
        start = time.process_time()
        model = WAYS[way](path)
        seconds = min(seconds, time.process_time() - start)
    found = {"seconds": seconds, "peak": peak_mb() - before}
    if model is not None:
        found |= {"decoder": model.components_, "encoder": model.encoder_weights_}
    np.savez(f"{output}-{os.environ.get('RANK', '0')}.npz", **found)


def measure(way, path, folder):
    """What a fresh process, or two of torchrun, find; the slowest time and the highest peak."""
    output = folder / way.replace(" ", "-")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = [__file__, "--way", way, "--path", str(path), "--output", str(output)]
    subprocess.run(
        [sys.executable, *(launcher if way == "two processes" else []), *words],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    ranks = [dict(np.load(file)) for file in sorted(folder.glob(f"{output.name}-*.npz"))]
    found = ranks[0]
    for name in ("seconds", "peak"):
        found[name] = max(float(rank[name]) for rank in ranks)
    return found


def difference(found, reference):
    """Largest difference of decoder and encoder, relative to their largest entries."""
    return max(
        np.abs(found[name] - reference[name]).max() / np.abs(reference[name]).max()
        for name in ("decoder", "encoder")
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        run_way(arguments.way, arguments.path, arguments.output)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "x.npy"
        write(path, arguments.samples, arguments.features)
        # Before all, so that the file is in the system's cache. Not here: a process begins with the
        # peak memory of the one that started it.
        measure("mean by NumPy", path, folder)
        found = {way: measure(way, path, folder) for way in WAYS}
    mean, reference = found["mean by NumPy"], found["one file"]
    print(
        f"{arguments.samples:,} samples of {arguments.features} features, {N_CAUSES} factors; the "
        f"mean takes {mean['seconds']:.2f} s\n"
    )
    print(
        "| way | time, as a multiple of the mean's | peak memory, MB | difference from one file |"
    )
    print("|:--|--:|--:|--:|")
    for way, values in found.items():
        apart = f"{difference(values, reference):.0e}" if "decoder" in values else ""
        ratio = values["seconds"] / mean["seconds"]
        print(f"| {way} | {ratio:.1f} | {values['peak']:.0f} | {apart} |")
    worst = max(difference(found[way], reference) for way in WAYS if "decoder" in found[way])
    if worst > 1e-9:
        raise SystemExit(f"the models differ by {worst:.0e}, more than 1e-9")


if __name__ == "__main__":
    main()
