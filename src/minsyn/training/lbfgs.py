"""L-BFGS for a linear encoder on whole data, in the span of the samples."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize

from minsyn.training.loop import TrainingResult
from minsyn.training.objectives import Objective

__all__ = ["fit_linear_encoder"]

#: Pairs of steps and gradient changes that L-BFGS remembers.
_MEMORY = 20
#: Directions whose singular value is below this fraction of the largest are rounding in float32.
_RANK_TOLERANCE = 1e-6
#: SciPy's status of an L-BFGS-B that ran out of iterations or evaluations.
_OUT_OF_ITERATIONS = 1


def fit_linear_encoder(
    objective: Objective,
    activation: Callable[[torch.Tensor], torch.Tensor],
    inputs: Float[np.ndarray, "samples features"],
    weights: Float[np.ndarray, "latents features"],
    *,
    max_iter: int,
    tol: float,
    on_iteration: Callable[[int, float], None] = lambda iteration, loss: None,
) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " latents"], TrainingResult]:
    r"""Minimise an objective over ``z = activation(inputs @ weights.T + bias)``.

    Only the part of the weights in the span of the samples matters, so the search runs there: with
    :math:`X = U S V'`, over :math:`G` in :math:`X W' = U S^{1/2} G'`. The change of variables is
    exact; it leaves ``min(n_samples, n_features)`` numbers a latent and evens out their scales.

    Parameters
    ----------
    objective : Objective
        Loss as a function of the latents.
    activation : callable
        The latents from the pre-activations, elementwise.
    inputs : ndarray of shape (n_samples, n_features)
        What the encoder sees, centred.
    weights : ndarray of shape (n_latents, n_features)
        Where to start; the biases start at 0.
    max_iter : int
        Most iterations, and half of the most evaluations of the loss.
    tol : float
        Least relative fall of the loss in an iteration.
    on_iteration : callable, optional
        Told of each iteration's number, from 1, and loss.

    Returns
    -------
    weights : ndarray of shape (n_latents, n_features)
        Fitted weights.
    bias : ndarray of shape (n_latents,)
        Fitted biases.
    result : TrainingResult
        The loss, its history, and whether it settled: fell by less than ``tol``, or no further
        than float32 tells.
    """
    u, s, vt = np.linalg.svd(inputs, full_matrices=False)
    kept = s > _RANK_TOLERANCE * s.max(initial=0.0)
    u, root, vt = u[:, kept], np.sqrt(s[kept]), vt[kept]
    # Coordinates of the samples, of mean square length 1, and the way back to features.
    length = np.sqrt(np.mean(np.sum((u * root) ** 2, axis=1))) if kept.any() else 1.0
    to_weights = vt / (root[:, np.newaxis] * length)
    basis = torch.from_numpy((u * root / length).astype(np.float32))
    n_latents, rank = len(weights), len(root)

    def loss(flat: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
        parameters = torch.from_numpy(flat.reshape(n_latents, rank + 1).astype(np.float32))
        pre = torch.addmm(parameters[:, rank], basis, parameters[:, :rank].T).requires_grad_()
        value = objective(activation(pre))
        (d_pre,) = torch.autograd.grad(value, pre)
        gradient = torch.cat([d_pre.T @ basis, d_pre.sum(dim=0)[:, None]], dim=1)
        return value.item(), gradient.double().numpy().ravel()

    history: list[float] = []

    def record(intermediate_result: object) -> None:
        history.append(float(intermediate_result.fun))  # type: ignore[attr-defined]
        on_iteration(len(history), history[-1])

    start = np.hstack([weights @ vt.T * root * length, np.zeros((n_latents, 1))])
    solution = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=record,
        options={"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": _MEMORY, "ftol": tol},
    )
    fitted = solution.x.reshape(n_latents, rank + 1)
    # A line search that finds nothing lower (status 2) has met the rounding of float32: settled.
    settled = solution.status != _OUT_OF_ITERATIONS
    result = TrainingResult(float(solution.fun), history or [float(solution.fun)], settled)
    return fitted[:, :rank] @ to_weights, fitted[:, rank], result
