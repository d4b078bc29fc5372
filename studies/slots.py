"""Groups of a compositional generator: slots of latents, each with variables of its own."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from jaxtyping import Float, Int
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score

from minsyn import VectorMinSyn
from studies.command import Output, app_of, clear_errors, write

__all__ = ["make_slots", "slots_table"]

#: Latents and observed variables of a slot, as in the experiments of Brady et al. (2023).
N_LATENTS, N_FEATURES = 3, 20
SETTINGS = [
    (n_slots, dependence, n_samples)
    for n_slots in (2, 3, 5)
    for dependence in (0.0, 0.5)
    for n_samples in (1_000, 10_000)
]


def make_slots(
    n_slots: int, n_samples: int, dependence: float, random_state: int
) -> tuple[Float[np.ndarray, "samples features"], Int[np.ndarray, " features"]]:
    """Observe slots through random networks with two layers, in random order.

    Parameters
    ----------
    n_slots : int
        Number of slots, each with 3 normal latents and 20 observed variables.
    n_samples : int
        Number of samples.
    dependence : float
        Correlation of each latent with its counterparts in the other slots.
    random_state : int
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, 20 n_slots)
        Observed variables without noise, standardised.
    slots : integer ndarray of shape (20 n_slots,)
        The slot of each.

    Examples
    --------
    >>> X, slots = make_slots(3, 100, 0.5, random_state=0)
    >>> X.shape, np.bincount(slots)
    ((100, 60), array([20, 20, 20]))
    """
    rng = np.random.default_rng(random_state)
    shared = rng.normal(size=(n_samples, N_LATENTS))
    parts = []
    for _ in range(n_slots):
        own = rng.normal(size=(n_samples, N_LATENTS))
        latents = np.sqrt(dependence) * shared + np.sqrt(1 - dependence) * own
        hidden = latents @ rng.normal(size=(N_LATENTS, N_FEATURES))
        hidden = np.where(hidden > 0, hidden, 0.2 * hidden)  # LeakyReLU
        parts.append(hidden @ rng.normal(size=(N_FEATURES, N_FEATURES)))
    X = np.hstack(parts)
    slots = np.repeat(np.arange(n_slots), N_FEATURES)
    order = rng.permutation(len(slots))
    X = X[:, order]
    return (X - X.mean(axis=0)) / X.std(axis=0), slots[order]


def slots_table(n_seeds: int) -> pd.DataFrame:
    """Score the groups that `VectorMinSyn` finds beside those of clustering.

    Spectral clustering of absolute correlations is told the number of slots, `VectorMinSyn` not.

    Parameters
    ----------
    n_seeds : int
        Tables of each kind.

    Returns
    -------
    DataFrame
        A row for each kind of table, with means over the seeds.
    """
    rows = []
    for n_slots, dependence, n_samples in SETTINGS:
        found, clustered, right = [], [], []
        for seed in range(n_seeds):
            X, slots = make_slots(n_slots, n_samples, dependence, seed)
            groups = VectorMinSyn(N_LATENTS * n_slots, random_state=seed).fit(X).groups_
            found.append(adjusted_rand_score(slots, groups))
            right.append(groups.max() + 1 == n_slots)
            similarity = np.abs(np.corrcoef(X, rowvar=False))
            spectral = SpectralClustering(n_slots, affinity="precomputed", random_state=seed)
            clustered.append(adjusted_rand_score(slots, spectral.fit_predict(similarity)))
        rows.append(
            {
                "slots": n_slots,
                "correlation of slots": dependence,
                "N": n_samples,
                "number right": f"{np.mean(right):.0%}",
                "ARI": f"{np.mean(found):.3f}",
                "ARI, spectral clustering": f"{np.mean(clustered):.3f}",
            }
        )
    return pd.DataFrame(rows)


def _markdown(table: pd.DataFrame) -> str:
    head = "| " + " | ".join(table.columns) + " |\n|" + "--:|" * len(table.columns)
    return "\n".join([head, *(f"| {' | '.join(map(str, row))} |" for row in table.to_numpy())])


def slots(
    seeds: Annotated[int, typer.Option(help="Tables of each kind.")] = 10,
    output: Output = Path("runs/slots"),
) -> None:
    """Find the slots of a compositional generator.

    Writes slots.csv and slots.md.
    """
    with clear_errors(output):
        table = slots_table(seeds)
        write(output, {"slots.csv": table.to_csv(index=False), "slots.md": _markdown(table)}, {})


app = app_of(slots)

if __name__ == "__main__":
    app(prog_name="python -m studies.slots")
