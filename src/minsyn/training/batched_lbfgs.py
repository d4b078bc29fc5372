"""L-BFGS from many starts at once, as one batch with a step length for each start."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["BatchObjective", "Memory", "minimise_batch"]

#: Number of stored pairs of steps and gradient changes.
_MEMORY = 8
#: Armijo condition: smallest accepted decrease of the loss, relative to the linear prediction.
_SUFFICIENT = 1e-4
#: Factor by which a rejected step is shortened.
_SHORTER = 0.4
#: Number of evaluations over which the decrease of the loss is compared with ``tol``.
_WINDOW = 20

#: Least curvature whose reciprocal is finite.
_TINY = 1e-300

#: Losses (starts,) and gradients (starts, k) at points (starts, k).
BatchObjective = Callable[[Any], tuple[Any, Any]]


@np.errstate(over="ignore", invalid="ignore")  # a trial that overflows is refused as too long
def minimise_batch(
    objective: BatchObjective,
    x: Float[np.ndarray, "starts k"],
    max_evaluations: int,
    tol: float,
    on_evaluation: Callable[[float], None],
) -> tuple[Float[np.ndarray, "starts k"], Float[np.ndarray, " starts"], bool]:
    """Minimise a function from several starts.

    Every evaluation covers all starts. A start with a good step accepts it and computes a new
    direction; the others try a shorter step in the next evaluation.

    Parameters
    ----------
    objective : callable
        Returns losses of shape (n_starts,) and their gradients.
    x : ndarray of shape (n_starts, k)
        Initial points.
    max_evaluations : int
        Maximum number of evaluations.
    tol : float
        Optimisation stops when no start's loss falls by more than this fraction over twenty
        evaluations.
    on_evaluation : callable
        Called with the lowest loss after each evaluation.

    Returns
    -------
    x : ndarray of shape (n_starts, k)
        Final points.
    loss : ndarray of shape (n_starts,)
        Their losses.
    converged : bool
        Whether optimisation stopped because of ``tol``.
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
    """The last steps and gradient changes, and the approximate Newton direction from them.

    The two-loop recursion (Nocedal 1980) runs on the coefficients of the stored vectors, and needs
    only their inner products. Each direction takes a few passes over the long vectors.
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
        """Store a pair, with weight 0 where the step was rejected or the curvature not positive."""
        slot = self._n_pairs % _MEMORY
        self._n_pairs += 1
        for row, vector in ((slot, step), (_MEMORY + slot, change)):
            self._put(row, vector)
        curvature = self._products[:, slot, _MEMORY + slot]
        size = self._products[:, _MEMORY + slot, _MEMORY + slot]
        convex = good & (curvature > np.maximum(1e-10 * size, _TINY)) & np.isfinite(curvature)
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
            coefficients[:, i] = share - self._weights[:, i] * product
        slope = np.einsum("rj,rj->r", self._products[:, last], coefficients)
        steepest = ~(slope > 0)  # because of rounding: use steepest descent
        if steepest.any():
            coefficients[steepest] = 0.0
            coefficients[steepest, last] = self._scale[steepest]
        weights = coefficients[:, np.newaxis].astype(gradient.dtype)
        return -np.matmul(weights, self._vectors)[:, 0]

    def _put(self, row: int, vector: Float[np.ndarray, "starts k"]) -> None:
        # A trial that overflowed has weight 0, but its products must stay finite.
        finite = np.isfinite(vector).all(axis=1, keepdims=True)
        self._vectors[:, row] = vector if finite.all() else np.where(finite, vector, 0)
        products = np.matmul(self._vectors, self._vectors[:, row, :, np.newaxis])[:, :, 0]
        self._products[:, row] = products
        self._products[:, :, row] = products
