"""L-BFGS for a linear encoder on the whole data, in the span of the samples."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize

from minsyn.nn.objective import Objective
from minsyn.training.batched_lbfgs import BatchObjective, minimise_batch
from minsyn.training.clusters import cluster_features
from minsyn.training.loop import TrainingResult

__all__ = ["SampleSpan", "fit_linear_encoder"]

#: Number of pairs of steps and gradient changes that L-BFGS stores.
_MEMORY = 20
#: Smallest singular value, relative to the largest, that is not a rounding error in float32.
_RANK_TOLERANCE = 1e-6
#: Iterations over which the fall of the loss is averaged, as a single iteration may be short.
_WINDOW = 10
#: SciPy's status code when L-BFGS-B reaches its maximum of iterations or evaluations.
_OUT_OF_ITERATIONS = 1
#: Size of the comparison of starts: clusters of features per latent, and number of samples.
_CLUSTERS_PER_LATENT, _SEARCH_SAMPLES = 8, 2000
#: Smallest possible reduction of the loss, relative to the loss, for which starts are compared.
#: Below it, rounding in float32 would decide.
_VISIBLE = 1e-5
#: Maximum number of evaluations with each penalty, and without penalty.
_PENALISED, _FREE = 15, 20
#: Relative fall of the loss over twenty evaluations below which each of these searches stops.
_SEARCH_TOL = 1e-4

Activation = Callable[[torch.Tensor], torch.Tensor]


class SampleSpan:
    r"""Coordinates of linear maps in the span of given samples.

    Only the part of the weights in the span of the samples matters. With :math:`X = U S V'`, the
    coordinates :math:`G` are defined by :math:`X W' = U S^{1/2} G'`. This exact change of variables
    leaves at most ``min(n_samples, n_features)`` numbers per latent, and makes their scales more
    alike. It takes one eigendecomposition of the smaller Gram matrix.

    Parameters
    ----------
    inputs : ndarray of shape (n_samples, n_features)
        The samples, centred.

    Attributes
    ----------
    basis : Tensor of shape (n_samples, rank)
        The samples in these coordinates, with mean square length 1, in float32.
    rank : int
        Dimension of the span.

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
        """Coordinates of weights. The part of the weights outside the span is dropped."""
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
    generator: torch.Generator,
    penalties: Sequence[float] = (),
    on_iteration: Callable[[int, float], None] = lambda iteration, loss: None,
) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " latents"], TrainingResult]:
    r"""Minimise an objective over ``z = activation(inputs @ weights.T + bias)``.

    The optimisation runs in the coordinates of `SampleSpan`. If there are several starts, they are
    compared first: they are fitted as one batch, on the means of clusters of similar features, with
    optional penalties :math:`\lambda\, E \lVert W x + b \rVert^2` that decrease to 0. The best
    start is then fitted on all features, without penalty, until convergence.

    Parameters
    ----------
    objective : Objective
        Loss as a function of the latents.
    activation : callable
        Elementwise map from pre-activations to latents.
    inputs : ndarray of shape (n_samples, n_features)
        Centred inputs of the encoder.
    starts : sequence of ndarray of shape (n_latents, n_features)
        Initial weights. Initial biases are 0.
    max_iter : int
        Maximum number of iterations. The maximum number of evaluations of the loss is twice this.
    tol : float
        The fit stops when the relative fall of the loss per iteration, averaged over ten
        iterations, is not above this.
    generator : torch.Generator
        Source of the samples and clusters on which several starts are compared.
    penalties : sequence of float, default=()
        Successive values of :math:`\lambda` in the comparison of several starts, relative to the
        largest possible reduction of the loss, divided by the number of latents. Without them,
        sigmoid latents soon saturate in local optima.
    on_iteration : callable, optional
        Called with the number (from 1) and loss of each iteration of the final fit.

    Returns
    -------
    weights : ndarray of shape (n_latents, n_features)
        Fitted weights.
    bias : ndarray of shape (n_latents,)
        Fitted biases.
    result : TrainingResult
        The loss, its history, and whether the fit converged. It has converged if the loss fell by
        no more than ``tol``, or could not be lowered further in float32.

    Examples
    --------
    One latent of two features that are the same:

    >>> import numpy as np
    >>> import torch
    >>> from minsyn.nn import GaussianDecoder
    >>> X = np.random.default_rng(0).normal(size=(50, 1)).repeat(2, axis=1)
    >>> X = (X - X.mean(axis=0)).astype(np.float32)
    >>> weights, bias, result = fit_linear_encoder(
    ...     GaussianDecoder.objective(torch.from_numpy(X)),
    ...     torch.nn.functional.softplus,
    ...     X,
    ...     [np.array([[1.0, 0.0]], np.float32)],
    ...     max_iter=100,
    ...     tol=1e-3,
    ...     generator=torch.Generator().manual_seed(0),
    ... )
    >>> weights.shape, bias.shape, bool(result.loss < 0.1)
    ((1, 2), (1,), True)
    """
    span = SampleSpan(inputs)
    n_latents = len(starts[0])
    coordinates = np.stack([np.pad(span.coordinates(w), ((0, 0), (0, 1))) for w in starts])
    start = coordinates[0]
    if len(starts) > 1:
        start = _best_start(
            objective, activation, span.basis, coordinates, (*penalties, 0.0), max_iter, generator
        )
    history: list[float] = []

    def record(intermediate_result: Any) -> None:
        history.append(float(intermediate_result.fun))
        on_iteration(len(history), history[-1])
        before = history[-1 - _WINDOW] if len(history) > _WINDOW else np.inf
        if before - history[-1] <= _WINDOW * tol * abs(history[-1]):
            raise StopIteration

    def loss(flat: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
        values, gradients = _loss(objective, activation, span.basis, flat.reshape(1, n_latents, -1))
        return float(values[0]), gradients.astype(np.float64).ravel()

    options: Any = {"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": _MEMORY, "ftol": 0.0}
    solution: Any = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B", callback=record, options=options
    )
    fitted = solution.x.reshape(n_latents, span.rank + 1)
    # A failed line search (status 2) means that the limit of float32 is reached: converged.
    settled = solution.status != _OUT_OF_ITERATIONS
    if not history:  # the start was an optimum
        history.append(float(solution.fun))
        on_iteration(1, history[0])
    result = TrainingResult(float(solution.fun), history, settled)
    return span.weights(fitted[:, : span.rank]), fitted[:, span.rank], result


def _best_start(
    objective: Objective,
    activation: Activation,
    basis: Float[torch.Tensor, "samples rank"],
    starts: Float[np.ndarray, "starts latents coordinates"],
    penalties: Sequence[float],
    max_iter: int,
    generator: torch.Generator,
) -> Float[np.ndarray, "latents coordinates"]:
    """Fit several starts to a small approximation of the objective, and return the best fit."""
    shape = starts.shape
    rows = torch.randperm(len(basis), generator=generator)[:_SEARCH_SAMPLES].sort().values
    clusters = cluster_features(
        objective.features[rows], _CLUSTERS_PER_LATENT * shape[1], generator
    )
    likeness, basis = objective.merged(rows, clusters.membership, clusters.sizes), basis[rows]
    values, _ = _loss(likeness, activation, basis, starts)
    if likeness.at_stake <= _VISIBLE * np.abs(values).min():
        return np.asarray(starts[0])

    def penalised(penalty: float) -> BatchObjective:
        def of(flat: Float[np.ndarray, "starts k"]) -> tuple[Any, Any]:
            values, gradients = _loss(likeness, activation, basis, flat.reshape(shape), penalty)
            return values, gradients.reshape(len(flat), -1)

        return of

    x, losses = starts.reshape(len(starts), -1).astype(np.float32), np.zeros(len(starts))
    for share in penalties:
        penalty = share * likeness.at_stake / shape[1]
        evaluations = min(_PENALISED if penalty else _FREE, max_iter)
        x, losses, _ = minimise_batch(
            penalised(penalty), x, evaluations, _SEARCH_TOL, lambda loss: None
        )
    return np.asarray(x[np.argmin(losses)].reshape(shape[1:]))


def _loss(
    objective: Objective,
    activation: Activation,
    basis: Float[torch.Tensor, "samples rank"],
    coordinates: Float[np.ndarray, "starts latents coordinates"],
    penalty: float = 0.0,
) -> tuple[Float[np.ndarray, " starts"], Float[np.ndarray, "starts latents coordinates"]]:
    """Losses and gradients at the coordinates and biases of several encoders."""
    n_starts, n_latents, _ = coordinates.shape
    parameters = torch.from_numpy(coordinates.astype(np.float32)).flatten(0, 1)
    # One matrix product for the latents of all starts.
    pre = torch.addmm(parameters[:, -1], basis, parameters[:, :-1].T).requires_grad_()
    z = activation(pre)
    values, d_z = objective.value_and_gradient(
        z.detach().unflatten(1, (n_starts, n_latents)).movedim(1, 0)
    )
    (d_pre,) = torch.autograd.grad(z, pre, d_z.movedim(0, 1).flatten(1))
    if penalty:
        pre = pre.detach()
        squares = pre.square().mean(dim=0).unflatten(0, (n_starts, n_latents)).sum(dim=1)
        values, d_pre = values + penalty * squares, d_pre + (2 * penalty / len(pre)) * pre
    gradients = torch.cat([d_pre.T @ basis, d_pre.sum(dim=0)[:, None]], dim=1)
    return values.numpy(), gradients.numpy().reshape(coordinates.shape)
