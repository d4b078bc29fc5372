"""Nasty pmfs: sparse, deterministic, nearly so, and counted from few samples."""

import numpy as np

SHAPES = [
    (2, 2, 2),
    (3, 3, 3),
    (2, 3, 4),
    (4, 2, 3),
    (6, 2, 3),
    (5, 5, 5),
    (2, 2, 2, 2),
    (3, 3, 3, 3),
    (2, 4, 3, 2),
    (2, 2, 2, 2, 2),
]


def dirichlet(rng, shape, alpha):
    return rng.dirichlet(np.full(np.prod(shape), alpha)).reshape(shape)


def counted(rng, shape, n_samples=50):
    """Relative frequencies of a small sample."""
    cells = rng.choice(int(np.prod(shape)), n_samples, p=dirichlet(rng, shape, 0.5).ravel())
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape) / n_samples


def deterministic(rng, shape, noise=0.0):
    """X a random function of the sources, mixed with a random pmf of weight ``noise``."""
    sources = shape[:-1]
    uniform = rng.random() < 0.5
    p_z = np.ones(sources) / np.prod(sources) if uniform else dirichlet(rng, sources, 1.0)
    p = np.zeros(shape)
    np.put_along_axis(p, rng.integers(shape[-1], size=sources)[..., None], p_z[..., None], axis=-1)
    return (1 - noise) * p + noise * dirichlet(rng, shape, 1.0)


def spread(rng, shape):
    """Cells of all sizes, down to 1e-40 or to 1e-250, where products of marginals underflow."""
    log_p = rng.normal(0.0, rng.choice([15.0, 150.0]), shape)
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


KINDS = {
    "dense": lambda rng, shape: dirichlet(rng, shape, 1.0),
    "uneven": lambda rng, shape: dirichlet(rng, shape, 0.1),
    "sparse": lambda rng, shape: dirichlet(rng, shape, 0.01),
    "counted": counted,
    "deterministic": deterministic,
    "noise 1e-6": lambda rng, shape: deterministic(rng, shape, 1e-6),
    "noise 1e-9": lambda rng, shape: deterministic(rng, shape, 1e-9),
    "noise 1e-12": lambda rng, shape: deterministic(rng, shape, 1e-12),
    "spread": spread,
}


def zoo(kind, n, seed=0):
    """n pmfs of one kind, of shapes drawn from `SHAPES`."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        p = KINDS[kind](rng, SHAPES[rng.integers(len(SHAPES))])
        yield p / p.sum()
