"""L-BFGS on many starts at once: each has its own step length, all share one batch of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["BatchObjective", "Memory", "minimise_batch"]

#: Pairs of steps and gradient changes that are remembered.
_MEMORY = 8
#: A step must lower the loss by at least this share of what its slope promises (Armijo).
_SUFFICIENT = 1e-4
#: By how much a step that did not is shortened.
_SHORTER = 0.4
#: The fall of the loss is judged over this many evaluations.
_WINDOW = 20

#: Losses (starts,) and gradients (starts, k) at points (starts, k).
BatchObjective = Callable[[Any], tuple[Any, Any]]


def minimise_batch(
    objective: BatchObjective,
    x: Float[np.ndarray, "starts k"],
    max_evaluations: int,
    tol: float,
    on_evaluation: Callable[[float], None],
) -> tuple[Float[np.ndarray, "starts k"], Float[np.ndarray, " starts"], bool]:
    """Minimise a function from several starts.

    Every evaluation serves all starts: those whose step was good take it and turn to a new
    direction, the others try a shorter one next time.

    Parameters
    ----------
    objective : callable
        Losses of shape (n_starts,) and their gradients.
    x : ndarray of shape (n_starts, k)
        Where to start.
    max_evaluations : int
        Most evaluations.
    tol : float
        Stops when over twenty evaluations no start's loss falls by more than this fraction.
    on_evaluation : callable
        Told the lowest loss after each evaluation.

    Returns
    -------
    x : ndarray of shape (n_starts, k)
    loss : ndarray of shape (n_starts,)
    settled : bool
        Whether it stopped by ``tol``.
    """
    loss, gradient = objective(x)
    memory = Memory(gradient)
    losses = [loss]
    direction = memory.direction(gradient)
    length = np.ones((len(x), 1), x.dtype)
    for _ in range(max_evaluations):
        slope = np.einsum("rk,rk->r", gradient, direction)
        step = length * direction
        tried_loss, tried_gradient = objective(x + step)
        good = tried_loss <= loss + _SUFFICIENT * length[:, 0] * slope
        memory.add(step, tried_gradient - gradient, good)
        if good.all():
            x, loss, gradient = x + step, tried_loss, tried_gradient
            direction, length[:] = memory.direction(gradient), 1
        else:
            taken = good[:, np.newaxis]
            x = np.where(taken, x + step, x)
            gradient = np.asarray(np.where(taken, tried_gradient, gradient))
            loss = np.where(good, tried_loss, loss)
            direction = np.where(taken, memory.direction(gradient), direction)
            length = np.where(taken, 1, _SHORTER * length).astype(x.dtype)
        on_evaluation(float(loss.min()))
        losses.append(loss)
        if len(losses) > _WINDOW and np.all(losses[-1 - _WINDOW] - loss <= tol * np.abs(loss)):
            return x, loss, True
    return x, loss, False


class Memory:
    """The last steps and gradient changes, and what Newton's method would do with them.

    The two-loop recursion (Nocedal 1980) runs on coefficients of the remembered vectors, for which
    their inner products are enough: a few passes over the long vectors, however many there are.
    """

    def __init__(self, gradient: Float[np.ndarray, "starts k"]) -> None:
        n_starts, k = gradient.shape
        # Steps, then changes, then the gradient; the oldest pair is overwritten.
        self._vectors = np.zeros((n_starts, 2 * _MEMORY + 1, k), gradient.dtype)
        self._products = np.zeros((n_starts, 2 * _MEMORY + 1, 2 * _MEMORY + 1))
        self._weights = np.zeros((n_starts, _MEMORY))
        size = np.linalg.norm(gradient, axis=1).astype(np.float64)
        self._scale = 1 / np.maximum(size, 1e-12)
        self._n_pairs = 0

    def add(
        self,
        step: Float[np.ndarray, "starts k"],
        change: Float[np.ndarray, "starts k"],
        good: Any,
    ) -> None:
        """Remember a pair; where the step was not good, or the curvature negative, as nothing."""
        slot = self._n_pairs % _MEMORY
        self._n_pairs += 1
        for row, vector in ((slot, step), (_MEMORY + slot, change)):
            self._put(row, vector)
        curvature = self._products[:, slot, _MEMORY + slot]
        size = self._products[:, _MEMORY + slot, _MEMORY + slot]
        convex = good & (curvature > 1e-10 * size) & np.isfinite(curvature)
        inverse = 1 / np.where(convex, curvature, 1.0)
        self._weights[:, slot] = np.where(convex, inverse, 0.0)
        self._scale = np.where(convex, 1 / (inverse * np.where(convex, size, 1.0)), self._scale)

    def direction(self, gradient: Float[np.ndarray, "starts k"]) -> Float[np.ndarray, "starts k"]:
        """Minus the inverse Hessian times the gradient."""
        last = 2 * _MEMORY
        self._put(last, gradient)
        coefficients = np.zeros(self._products.shape[:2])
        coefficients[:, last] = 1.0
        newest_first = [
            i % _MEMORY for i in range(self._n_pairs - 1, max(self._n_pairs - _MEMORY, 0) - 1, -1)
        ]
        shares = []
        for i in newest_first:
            product = np.einsum("rj,rj->r", self._products[:, i], coefficients)
            share = self._weights[:, i] * product
            coefficients[:, _MEMORY + i] -= share
            shares.append(share)
        coefficients *= self._scale[:, np.newaxis]
        for i, share in zip(reversed(newest_first), reversed(shares), strict=True):
            product = np.einsum("rj,rj->r", self._products[:, _MEMORY + i], coefficients)
            coefficients[:, i] += share - self._weights[:, i] * product
        slope = np.einsum("rj,rj->r", self._products[:, last], coefficients)
        steepest = ~(slope > 0)  # by rounding: start again from there
        if steepest.any():
            coefficients[steepest] = 0.0
            coefficients[steepest, last] = self._scale[steepest]
        weights = coefficients[:, np.newaxis].astype(gradient.dtype)
        return -np.matmul(weights, self._vectors)[:, 0]

    def _put(self, row: int, vector: Float[np.ndarray, "starts k"]) -> None:
        # Where a trial overflowed: it counts as nothing, but its products must not spoil others.
        finite = np.isfinite(vector).all(axis=1, keepdims=True)
        self._vectors[:, row] = vector if finite.all() else np.where(finite, vector, 0)
        products = np.matmul(self._vectors, self._vectors[:, row, :, np.newaxis])[:, :, 0]
        self._products[:, row] = products
        self._products[:, :, row] = products
