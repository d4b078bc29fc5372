"""LinearCorex reaches the bound of the authors' package or a higher one, with the same latents.

Both are fitted to tables of scikit-learn and to simulations from five seeds each, without
shrinkage, as the package has none. It must be installed: ``pip install linearcorex``.
"""

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_breast_cancer, load_wine

from minsyn.estimators import LinearCorex

SEEDS = range(5)


def modules(n_samples: int, n_modules: int, size: int, strength: float) -> Any:
    """Causes of several features each, with noise of variance 1."""
    rng = np.random.default_rng(0)
    causes = strength * rng.normal(size=(n_samples, n_modules))
    return np.repeat(causes, size, axis=1) + rng.normal(size=(n_samples, n_modules * size))


def mixtures() -> Any:
    """Three causes of all features."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 15))
    return X + 1.5 * rng.normal(size=(400, 15))


DATA: dict[str, tuple[Callable[[], Any], int]] = {
    "wine": (lambda: load_wine().data, 3),
    "breast cancer": (lambda: load_breast_cancer().data, 4),
    "4 modules of 6": (lambda: modules(300, 4, 6, 0.8), 4),
    "5 modules of 40, 60 samples": (lambda: modules(60, 5, 40, 0.6), 5),
    "mixtures": (mixtures, 3),
}


def agreement(
    theirs: Float[np.ndarray, "latents features"], ours: Float[np.ndarray, "latents features"]
) -> float:
    """The lowest correlation of loadings among latents matched one to one, whatever their signs."""
    unit = [a / np.linalg.norm(a, axis=1, keepdims=True) for a in (theirs, ours)]
    cosines = np.abs(unit[0] @ unit[1].T)
    return float(cosines[linear_sum_assignment(-cosines)].min())


def main() -> None:
    """Print a row for each table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with contextlib.redirect_stdout(io.StringIO()):  # it prints when it is imported
        from linearcorex.linearcorex import Corex
    print("| data | bound, package | bound, LinearCorex | least agreement | time, package / ours |")
    print("|:--|--:|--:|--:|--:|")
    for name, (load, k) in DATA.items():
        X = load()
        start = time.perf_counter()
        ours = [LinearCorex(k, shrinkage=0, n_init=1, random_state=seed).fit(X) for seed in SEEDS]
        middle = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            theirs = [
                Corex(n_hidden=k, seed=seed, tol=1e-7, max_iter=2000).fit(X) for seed in SEEDS
            ]
        ratio = (time.perf_counter() - middle) / (middle - start)
        bounds = np.array([model.tc for model in theirs], dtype=float)
        model = max(ours, key=lambda model: model.total_correlation_)
        bound = f"{model.total_correlation_:.4f}"
        best = theirs[int(bounds.argmax())]
        same = agreement(best.moments["rho"], model.statistics_.rho)
        print(f"| {name} | {bounds.max():.4f} | {bound} | {same:.4f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
