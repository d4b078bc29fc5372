"""Minimisation from many random starts under penalties that fall."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from minsyn.training.batched_lbfgs import BatchObjective, minimise_batch

__all__ = ["Annealed", "AnnealedProblem", "Annealing"]

#: Penalties before the final one, each with its number of evaluations. With weak penalties from
#: the beginning, most starts end in poor local optima.
_SCHEDULE = ((1e-3, 60), (3e-4, 40), (1e-4, 60))
#: Loss, relative to that of the means, from which a fit counts as collapsed: nothing but the means
#: is left, and where all weights are 0, gradients vanish.
_COLLAPSED = 0.95


class AnnealedProblem(Protocol):
    """A loss, relative to that of the means, under penalties of any strength."""

    def search(self) -> "AnnealedProblem":
        """A problem with the same parameters, smaller if it is large, to compare starts on."""

    def starts(
        self, n_starts: int, random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """Random points to start from."""

    def objective(self, penalty: float) -> BatchObjective:
        """Losses and gradients under a penalty."""

    def revived(
        self, x: Float[np.ndarray, "starts k"], random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """The same points, but with new starts for what strong penalties brought to 0."""


class Annealed(NamedTuple):
    """The best of all starts.

    Attributes
    ----------
    loss : float
        Its loss under the final penalty.
    x : ndarray of shape (k,)
        The optimum.
    history : list of float
        Lowest loss at each evaluation, under the penalty of that time.
    converged : bool
        Whether the last stage ended by ``tol``.
    """

    loss: float
    x: Float[np.ndarray, " k"]
    history: list[float]
    converged: bool


@dataclass(frozen=True)
class Annealing:
    """Minimisation by L-BFGS from many starts, under strong penalties first.

    The starts run as one batch. Whenever the penalty falls, the worse half of them is dropped. Of a
    large problem, they are compared on a smaller one, and the best alone is fitted to the whole.

    Parameters
    ----------
    penalty : float
        Final penalty; the stronger ones come before.
    max_iter : int
        Most evaluations under each penalty.
    tol : float
        A stage ends when no start's loss falls by more than this fraction over twenty evaluations.
    random_state : RandomState
        Draws the starts.
    n_init : int, default=1
        Number of batches of starts.
    on_evaluation : callable, optional
        Called with the lowest loss after each evaluation.
    """

    penalty: float
    max_iter: int
    tol: float
    random_state: np.random.RandomState
    n_init: int = 1
    on_evaluation: Callable[[float], None] | None = None

    def minimise(self, problem: AnnealedProblem, n_starts: int) -> Annealed:
        """Minimise a loss.

        Parameters
        ----------
        problem : AnnealedProblem
            The loss.
        n_starts : int
            Number of starts in a batch.

        Returns
        -------
        Annealed
        """
        batches = [self._minimise_batch(problem, n_starts) for _ in range(self.n_init)]
        return min(batches, key=lambda batch: batch.loss)

    def _minimise_batch(self, problem: AnnealedProblem, n_starts: int) -> Annealed:
        history: list[float] = []

        def record(loss: float) -> None:
            history.append(loss)
            if self.on_evaluation is not None:
                self.on_evaluation(loss)

        search = problem.search()
        x = search.starts(n_starts, self.random_state)
        for penalty, n_evaluations in _SCHEDULE:
            objective = search.objective(max(penalty, self.penalty))
            n_evaluations = min(n_evaluations, self.max_iter)
            found, loss, _ = minimise_batch(objective, x, n_evaluations, self.tol, record)
            if loss.min() < _COLLAPSED:  # else the data cannot bear this penalty: start anew
                better = found[loss.argsort()[: max(len(x) // 2, 1)]]
                x = search.revived(better, self.random_state)
        if search is not problem:
            x = x[:1]
        objective = problem.objective(self.penalty)
        x, loss, converged = minimise_batch(objective, x, self.max_iter, self.tol, record)
        lowest = int(loss.argmin())
        return Annealed(float(loss[lowest]), x[lowest], history, converged)
