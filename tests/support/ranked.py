"""Run by torchrun: what each of two processes finds, to be compared with one process."""

import atexit
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from sklearn.base import clone
from torch import nn

from line import Line, fit_line, line_samples
from minsyn.data import as_samples, column_statistics
from minsyn.estimators import Adam, AutoEncoder, Free, MinSyn, Run
from minsyn.nn import share_of_batch
from minsyn.training import launch, n_processes
from minsyn.training.worker import worker_of
from shares import on_shares

#: Batches of 11, 10, 10 and 10 samples, or of 41: shares of two processes are uneven.
N_SAMPLES, BATCH_SIZE = 41, 11

STREAMED = {
    "linear": MinSyn(2, latents="softplus", solver=Adam(batch_size=BATCH_SIZE)),
    "running": MinSyn(2, solver=Adam(statistics="running", batch_size=BATCH_SIZE)),
    "bernoulli": MinSyn(2, decoder="bernoulli"),
    "net": MinSyn(2, encoder=(4,), solver=Adam(batch_size=BATCH_SIZE)),
    "free": MinSyn(2, decoder=Free(synergy_weight=1), solver=Adam(batch_size=BATCH_SIZE)),
}


def data():
    rng = np.random.default_rng(0)
    return 0.8 * np.repeat(rng.random((N_SAMPLES, 2)), 4, axis=1) + 0.2 * rng.random((N_SAMPLES, 8))


def fitted(model):
    return {
        "decoder": model.components_.tolist(),
        "latents": model.transform(data()).tolist(),
        "loss": model.loss_curve_,
    }


def comparable():
    """By case, numbers that do not depend on the number of processes."""
    fabric = launch("cpu")
    found = {}
    for batch_size, statistics in [(None, "exact"), (BATCH_SIZE, "running")]:
        settings = {"random_state": 0, "max_iter": 5}
        for decoder in ("gaussian", "bernoulli"):
            solver = Adam(batch_size=batch_size, statistics=statistics)
            model = MinSyn(2, decoder=decoder, solver=solver, **settings)
            found[f"MinSyn {decoder} {batch_size}"] = fitted(model.fit(data()))
        model = AutoEncoder(2, learning_rate=0.01, batch_size=batch_size, **settings)
        found[f"AutoEncoder {batch_size}"] = fitted(model.fit(data()))
        found[f"line {batch_size}"] = fitted_line(batch_size, fabric)
    for name, model in STREAMED.items():
        found[f"stream {name}"] = fitted(
            clone(model).set_params(random_state=0, max_iter=5).fit(sparse.csr_array(data()))
        )
    wide = np.tile(data(), 80)  # more features than samples: these are gathered
    for name, X in {"covariance": data(), "rows": wide}.items():
        model = MinSyn(2, latents="linear", random_state=0).fit(sparse.csr_array(X + 1e3))
        found[name] = {
            "decoder": model.components_.tolist(),
            "latents": model.transform(X + 1e3).tolist(),
            "loss": model.loss_curve_[-1:],
        }
    worker = worker_of(fabric)
    columns = worker.merged(
        lambda: column_statistics(as_samples(data() + 1e6), worker.rank, worker.world_size)
    )
    found["columns"] = {
        name: getattr(columns, name).tolist() for name in ("mean", "variance", "minimum", "maximum")
    }
    return found


def fitted_line(batch_size, fabric):
    def loss(x, y):
        return (module(x) - y).square().mean() * share_of_batch(x)

    told = []
    module, result = fit_line(
        module := Line(),
        loss,
        line_samples(N_SAMPLES),
        batch_size=batch_size,
        max_epochs=15,
        fabric=fabric,
        on_epoch=lambda epoch, loss: told.append(epoch),
    )
    first = fabric is None or fabric.is_global_zero
    assert len(told) == (len(result.history) if first else 0)
    weights = torch.cat([p.detach().ravel() for p in module.parameters()])
    return {"weights": weights.tolist(), "loss": result.history}


def together(folder):
    """What is asked of several processes alone."""
    from lightning_fabric.loggers import CSVLogger

    found = {
        "unseeded": fitted(MinSyn(2, solver=Adam(batch_size=BATCH_SIZE), max_iter=8).fit(data()))
    }
    noisy = {"noise_std": 0.1, "batch_size": BATCH_SIZE, "random_state": 0}
    checkpoints = {"run": Run(checkpoint_dir=folder / "checkpoints", checkpoint_every=0)}
    AutoEncoder(2, max_iter=3, **noisy, **checkpoints).fit(data())
    found["resumed"] = fitted(AutoEncoder(2, max_iter=8, **noisy, **checkpoints).fit(data()))
    logger = CSVLogger(folder / "logs", name=None, version="")
    model = AutoEncoder(2, max_iter=8, run=Run(loggers=[logger]), **noisy).fit(data())
    found["uninterrupted"] = fitted(model)
    for name, fit in {
        "of another run": lambda: AutoEncoder(3, max_iter=9, **noisy, **checkpoints).fit(data()),
        "lbfgs": lambda: MinSyn(2, solver="lbfgs").fit(data()),
        "too few": lambda: AutoEncoder(2, batch_size=1).fit(data()),
    }.items():
        try:
            fit()
        except ValueError as error:
            found[name] = str(error)
    free = MinSyn(2, decoder=Free(), max_iter=3).fit(sparse.csr_array(data()))
    found["unseeded free"] = fitted(free)
    last_row = data()
    last_row[-1, 3] = np.nan  # in the second rank's share
    try:
        MinSyn(2, solver=Adam()).fit(sparse.csr_array(last_row))
    except ValueError as error:
        found["nan in a share"] = str(error)
    fabric, module = launch("cpu"), Line()

    def loss(x, y):  # the bias has no gradient on the second rank
        return ((module(x) if fabric.global_rank == 0 else x @ module.weight.T) - y).square().mean()

    fit_line(module, loss, max_epochs=2, fabric=fabric)
    found["bias of one rank"] = module.bias.item()
    module = nn.Linear(2, 1)
    try:  # NaN on the first rank alone
        factor = float("nan") if fabric.global_rank == 0 else 1.0
        fit_line(module, lambda x, y: module(x).mean() * factor, fabric=fabric)
    except FloatingPointError as error:
        found["nan"] = str(error)
    return found


def main(folder):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    assert n_processes() == 2
    # Registered first, it is called last.
    atexit.register(
        lambda: (folder / f"in-group-{rank}").write_text(str(torch.distributed.is_initialized()))
    )
    found = {"comparable": comparable(), "together": together(folder)}
    rank = torch.distributed.get_rank()
    (folder / f"rank-{rank}.json").write_text(json.dumps(found))
    torch.save(on_shares(), folder / f"rank-{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
