"""L-BFGS for a linear encoder on whole data, in the span of the samples."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize

from minsyn.training.loop import TrainingResult
from minsyn.training.objectives import Objective

__all__ = ["SampleSpan", "fit_linear_encoder"]

#: Pairs of steps and gradient changes that L-BFGS remembers.
_MEMORY = 20
#: Directions whose singular value is below this fraction of the largest are rounding in float32.
_RANK_TOLERANCE = 1e-6
#: SciPy's status of an L-BFGS-B that ran out of iterations or evaluations.
_OUT_OF_ITERATIONS = 1
#: Iterations, and the share of the features, by which several starts are compared.
_TRIAL_ITERATIONS, _TRIAL_SHARE = 20, 0.5

Activation = Callable[[torch.Tensor], torch.Tensor]


class SampleSpan:
    r"""Coordinates for linear maps of given samples, as many as the samples have dimensions.

    Only the part of the weights in the span of the samples matters. With :math:`X = U S V'` the
    coordinates are :math:`G` in :math:`X W' = U S^{1/2} G'`: an exact change of variables that
    leaves ``min(n_samples, n_features)`` numbers a latent and evens out their scales. It takes one
    eigendecomposition of the smaller Gram matrix.

    Parameters
    ----------
    inputs : ndarray of shape (n_samples, n_features)
        The samples, centred.

    Attributes
    ----------
    basis : Tensor of shape (n_samples, rank)
        The samples in these coordinates, of mean square length 1, float32.
    rank : int
        Dimensions of the span.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(3, 1000))
    >>> span = SampleSpan(X)
    >>> W = np.ones((2, 1000))
    >>> bool(np.allclose(X @ span.weights(span.coordinates(W)).T, X @ W.T))
    True
    """

    def __init__(self, inputs: Float[np.ndarray, "samples features"]) -> None:
        X = inputs.astype(np.float64)
        wide = X.shape[0] <= X.shape[1]
        eigenvalues, vectors = np.linalg.eigh(X @ X.T if wide else X.T @ X)
        s = np.sqrt(np.clip(eigenvalues, 0, None))
        kept = s > _RANK_TOLERANCE * s.max(initial=0.0)
        s, vectors = s[kept], vectors[:, kept]
        v = X.T @ vectors / s if wide else vectors
        self.rank = len(s)
        # Mean square length of a row of U S^1/2.
        length = np.sqrt(s.sum() / len(X)) if self.rank else 1.0
        self._to_weights = v / (np.sqrt(s) * length)
        self._from_weights = v * (np.sqrt(s) * length)
        basis = vectors * (np.sqrt(s) / length) if wide else X @ self._to_weights
        self.basis = torch.from_numpy(basis.astype(np.float32))

    def coordinates(
        self, weights: Float[np.ndarray, "latents features"]
    ) -> Float[np.ndarray, "latents rank"]:
        """Coordinates of weights, of which what is outside the span is lost."""
        return weights @ self._from_weights

    def weights(
        self, coordinates: Float[np.ndarray, "latents rank"]
    ) -> Float[np.ndarray, "latents features"]:
        """The smallest weights with these coordinates."""
        return coordinates @ self._to_weights.T


def fit_linear_encoder(
    objective: Objective,
    activation: Activation,
    inputs: Float[np.ndarray, "samples features"],
    starts: Sequence[Float[np.ndarray, "latents features"]],
    *,
    max_iter: int,
    tol: float,
    generator: torch.Generator | None = None,
    on_iteration: Callable[[int, float], None] = lambda iteration, loss: None,
) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " latents"], TrainingResult]:
    """Minimise an objective over ``z = activation(inputs @ weights.T + bias)``.

    The search runs in the coordinates of `SampleSpan`. Of several starts, each is followed for 20
    iterations on a random half of the features, whose losses tell nearly as much as those of all;
    the best is then fitted to the end.

    Parameters
    ----------
    objective : Objective
        Loss as a function of the latents.
    activation : callable
        The latents from the pre-activations, elementwise.
    inputs : ndarray of shape (n_samples, n_features)
        What the encoder sees, centred.
    starts : sequence of ndarray of shape (n_latents, n_features)
        Weights to start from; the biases start at 0.
    max_iter : int
        Most iterations, and half of the most evaluations of the loss.
    tol : float
        Least relative fall of the loss in an iteration.
    generator : torch.Generator, optional
        Draws the features by which several starts are compared.
    on_iteration : callable, optional
        Told of each iteration's number, from 1, and loss, once there is one start left.

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
    span = SampleSpan(inputs)
    n_latents = len(starts[0])
    flat = [
        np.hstack([span.coordinates(weights), np.zeros((n_latents, 1))]).ravel()
        for weights in starts
    ]
    if len(flat) > 1:
        sample = objective.thinned(_TRIAL_SHARE, generator)
        tried = [
            _minimise(sample, activation, span.basis, start, min(max_iter, _TRIAL_ITERATIONS), tol)
            for start in flat
        ]
        flat = [min(tried, key=lambda solution: solution.fun).x]

    history: list[float] = []

    def record(intermediate_result: Any) -> None:
        history.append(float(intermediate_result.fun))
        on_iteration(len(history), history[-1])

    solution = _minimise(objective, activation, span.basis, flat[0], max_iter, tol, record)
    fitted = solution.x.reshape(n_latents, span.rank + 1)
    # A line search that finds nothing lower (status 2) has met the rounding of float32: settled.
    settled = solution.status != _OUT_OF_ITERATIONS
    result = TrainingResult(float(solution.fun), history or [float(solution.fun)], settled)
    return span.weights(fitted[:, : span.rank]), fitted[:, span.rank], result


def _minimise(
    objective: Objective,
    activation: Activation,
    basis: Float[torch.Tensor, "samples rank"],
    start: Float[np.ndarray, " k"],
    max_iter: int,
    tol: float,
    callback: Callable[[Any], None] | None = None,
) -> Any:
    """SciPy's L-BFGS-B over coordinates and biases, flat."""
    rank = basis.shape[1]

    def loss(flat: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
        parameters = torch.from_numpy(flat.reshape(-1, rank + 1).astype(np.float32))
        pre = torch.addmm(parameters[:, rank], basis, parameters[:, :rank].T).requires_grad_()
        value = objective(activation(pre))
        (d_pre,) = torch.autograd.grad(value, pre)
        gradient = torch.cat([d_pre.T @ basis, d_pre.sum(dim=0)[:, None]], dim=1)
        return value.item(), gradient.double().numpy().ravel()

    options: Any = {"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": _MEMORY, "ftol": tol}
    return minimize(loss, start, jac=True, method="L-BFGS-B", callback=callback, options=options)  # type: ignore[call-overload]
