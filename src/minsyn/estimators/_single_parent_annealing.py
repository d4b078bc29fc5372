"""Many starts at once under penalties that fall, of which the worse half goes each time."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from minsyn.training.batched_lbfgs import BatchObjective, minimise_batch

__all__ = ["Annealed", "Problem", "anneal"]

#: Penalties are first this strong and then fall to the one asked for: with weak penalties from the
#: start, most starts end in poor local optima. Each holds for so many evaluations.
_ANNEALING = ((1e-3, 60), (3e-4, 40), (1e-4, 60))
#: A loss, relative to that of the means, at which nothing is left but the means: all weights are 0,
#: from where gradients lead nowhere.
_COLLAPSED = 0.95


class Problem(Protocol):
    """A loss, relative to that of the means, under penalties of any strength."""

    def starts(
        self, n_starts: int, random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """Random points to start from."""

    def objective(self, penalty: float) -> BatchObjective:
        """Losses and gradients under a penalty."""

    def revived(
        self, x: Float[np.ndarray, "starts k"], random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """The same, but latents that strong penalties brought to 0 start anew."""


class Annealed(NamedTuple):
    """The best of all starts: its loss, where it is, losses on the way, whether it settled."""

    loss: float
    x: Float[np.ndarray, " k"]
    history: list[float]
    converged: bool


def anneal(
    problem: Problem,
    penalty: float,
    *,
    n_starts: int,
    n_init: int,
    max_iter: int,
    tol: float,
    random_state: np.random.RandomState,
    on_evaluation: Callable[[float], None],
) -> Annealed:
    """Minimise from random starts, under strong penalties first.

    Parameters
    ----------
    problem : Problem
        What to minimise.
    penalty : float
        The last penalty; stronger ones come before.
    n_starts : int
        Starts in a batch. After each of the three stronger penalties the worse half goes.
    n_init : int
        Number of batches.
    max_iter, tol : int, float
        Most evaluations under the last penalty, and the fall of the loss that ends them.
    random_state : RandomState
        Of the starts.
    on_evaluation : callable
        Told the lowest loss after each evaluation.
    """
    best: Annealed | None = None
    for _ in range(n_init):
        history: list[float] = []

        def record(loss: float, history: list[float] = history) -> None:
            history.append(loss)
            on_evaluation(loss)

        x = problem.starts(n_starts, random_state)
        for strong, n_evaluations in _ANNEALING:
            objective = problem.objective(max(strong, penalty))
            tried, loss, _ = minimise_batch(objective, x, min(n_evaluations, max_iter), tol, record)
            if loss.min() < _COLLAPSED:  # else this penalty is more than the data bear
                x = problem.revived(tried[loss.argsort()[: max(len(x) // 2, 1)]], random_state)
        x, loss, settled = minimise_batch(problem.objective(penalty), x, max_iter, tol, record)
        lowest = int(loss.argmin())
        if best is None or float(loss[lowest]) < best.loss:
            best = Annealed(float(loss[lowest]), x[lowest], history, settled)
    assert best is not None
    return best
