"""Autoencoder of one group of features between 0 and 1."""

from copy import copy
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit

from minsyn.estimators.vectors.annealing import Annealed, Annealing
from minsyn.training.batched_lbfgs import BatchObjective

__all__ = [
    "DECODER_PENALTY",
    "LEAST_VARIANCE",
    "GroupFit",
    "GroupProblem",
    "fit_group",
    "log_odds",
]

#: Penalty on the decoder's squared weights, relative to that on the encoder's. Only the product of
#: encoder and decoder counts, except for the curvature of the activation.
DECODER_PENALTY = 100.0
#: Where nothing that counts varies, this stands for the variance that errors are divided by.
LEAST_VARIANCE = 1e-37
#: Starts lie along so many principal components, or twice as many as there are latents.
_START_COMPONENTS = 8
#: Ridge of the regression of the first decoder on random latents.
_START_RIDGE = 1e-3
#: Latents whose weights, relative to the strongest latent's, are below this are dead.
_DEAD = 0.02
#: Most starts that are fitted at once, and most numbers in their reconstructions.
_STARTS, _BATCH = 24, 1 << 23
#: Most samples that random starts are compared on.
_SEARCH_SAMPLES = 2000
#: Samples of so many times as many as the features: components are those of the covariance.
_TALL = 4
#: Mean probabilities are kept this far from 0 and 1: features that never vary have finite odds.
_LEAST_PROBABILITY = 1e-6
#: Directions whose singular value is below this share of the largest are rounding in float32.
_RANK_TOLERANCE = 1e-5


class GroupFit(NamedTuple):
    """Encoder and decoder of one group, in the units of its features.

    Attributes
    ----------
    encoder_weights, encoder_bias : ndarray of shape (n_latents, n_features) and (n_latents,)
        Encoder of latents.
    components, intercept : ndarray of shape (n_latents, n_features) and (n_features,)
        Decoder of features, or of their log odds.
    loss : float
        Weighted and penalised squared error, summed over the features.
    history : list of float
        Lowest loss of all starts at each evaluation.
    converged : bool
        Whether the fit ended by ``tol``.
    """

    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss: float
    history: list[float]
    converged: bool


def log_odds(mean: Float[np.ndarray, " features"]) -> Float[np.ndarray, " features"]:
    """Log odds of mean probabilities, finite also where these are 0 or 1.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        Probabilities.

    Examples
    --------
    >>> log_odds(np.array([0.0, 0.5, 0.75])).round(2)
    array([-13.82,   0.  ,   1.1 ])
    """
    return np.asarray(logit(np.clip(mean, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)))


def fit_group(
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    n_latents: int,
    *,
    solver: Annealing,
) -> GroupFit:
    r"""Fit softplus latents and their logistic decoder to the features of one group.

    Over :math:`A, b, D, c`, with :math:`V` the features' mean variance and :math:`p` their number,

    .. math::

        \frac{1}{p V} \sum_s w_s \lVert x_s - f(z_s D + c) \rVert^2
        + \lambda \Bigl(p V \lVert A \rVert^2 + \frac{100}{p} \lVert D \rVert^2\Bigr), \quad
        z = \mathrm{softplus}((x - \bar x) A' + b),

    where f is the logistic function. Equal samples are merged and their weights added. Only the
    part of A in the span of the samples matters: the search runs over its coordinates along the
    principal components, which is exact. Of many samples, a part is enough to tell starts from one
    another; the best is then fitted to all.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features of the group, in [0, 1], none of them constant.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.
    n_latents : int
        Number of latents.
    solver : Annealing
        Optimiser; its final penalty is :math:`\lambda`.

    Returns
    -------
    GroupFit

    Examples
    --------
    >>> X = np.repeat(np.random.default_rng(0).random((100, 1)), 3, axis=1)
    >>> solver = Annealing(2e-5, 1000, 1e-3, np.random.RandomState(0))
    >>> fit = fit_group(X, np.ones(100), 1, solver=solver)
    >>> bool(fit.loss < 0.02 * X.var(axis=0).sum())
    True
    """
    problem = GroupProblem(X, sample_weight, n_latents)
    n_searched = problem.search().n_samples
    n_starts = int(np.clip(_BATCH // (n_searched * problem.n_features), 2, _STARTS))
    return problem.solution(solver.minimise(problem, n_starts))


class GroupProblem:
    """The loss of many starts, in coordinates along the principal components of the samples.

    Parameters
    ----------
    X, sample_weight, n_latents
        As in `fit_group`.
    """

    def __init__(
        self,
        X: Float[np.ndarray, "samples features"],
        sample_weight: Float[np.ndarray, " samples"],
        n_latents: int,
    ) -> None:
        values, index = np.unique(X, axis=0, return_inverse=True)
        weight = np.bincount(index.ravel(), weights=sample_weight / sample_weight.sum())
        self.n_samples, self.n_features = values.shape
        self.n_latents = n_latents
        self.mean = weight @ values
        dX = values - self.mean
        # Where only one sample counts, nothing varies; the least variance keeps all finite.
        self.variance = max(float(np.mean(weight @ dX**2)), LEAST_VARIANCE)
        s, vt = _axes(np.sqrt(weight)[:, np.newaxis] * dX)
        kept = s > _RANK_TOLERANCE * s.max(initial=0.0)
        if not kept.any():
            kept[:1], s[:1] = True, 1.0
        self.std, self.axes = s[kept], vt[kept]
        self.rank = len(self.std)
        self.scores = _float32(dX @ self.axes.T / self.std)
        self.targets = _float32(values)
        self.weight = weight[:, np.newaxis]
        self.cost = (self.n_features * self.variance / self.std**2)[:, np.newaxis]

    def search(self) -> "GroupProblem":
        """The same problem with a part of the samples, where they are many."""
        if self.n_samples <= _SEARCH_SAMPLES:
            return self
        # Samples are sorted: evenly spaced ones are spread over their values.
        some = np.linspace(0, self.n_samples - 1, _SEARCH_SAMPLES).astype(int)
        part = copy(self)
        part.n_samples, part.scores, part.targets = len(some), self.scores[some], self.targets[some]
        part.weight = self.weight[some] / self.weight[some].sum()
        return part

    def starts(
        self, n_starts: int, random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """Pre-activations of unit variance along the first components, in their proportions.

        With the many small components of noisy samples, penalties would bring all weights to 0.
        """
        first = np.arange(self.rank) < max(_START_COMPONENTS, 2 * self.n_latents)
        share = first * self.std / np.sqrt(np.sum(self.std[first] ** 2))
        a = random_state.normal(size=(n_starts, self.rank, self.n_latents)) * share[:, np.newaxis]
        z = np.logaddexp(0, self.scores @ a)
        mean_z = np.sum(self.weight * z, axis=1, keepdims=True)
        dz = z - mean_z
        # Least squares, to first order around the means. From decoders that are drawn at random, it
        # takes long to leave the neighbourhood of 0.
        weighted = (self.weight * dz).swapaxes(1, 2)
        ridge = _START_RIDGE * np.eye(self.n_latents)
        d = np.linalg.solve(weighted @ dz + ridge, weighted @ self.targets)
        mean = np.clip(self.mean, 0.02, 0.98)
        d, c = d / np.maximum(mean * (1 - mean), 0.05), log_odds(mean)
        parts = (a, np.zeros((n_starts, self.n_latents)), d, c - (mean_z @ d)[:, 0])
        return _float32(np.concatenate([part.reshape(n_starts, -1) for part in parts], axis=1))

    def revived(
        self, x: Float[np.ndarray, "starts k"], random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """The same points, but latents that strong penalties brought to 0 start anew."""
        fresh = self.starts(len(x), random_state)
        a, _, d, _ = self._parts(x := x.copy())
        a_fresh, _, d_fresh, _ = self._parts(fresh)
        size = np.linalg.norm(a, axis=1) * np.linalg.norm(d, axis=2)
        dead = (size <= _DEAD * size.max(axis=1, keepdims=True))[:, np.newaxis]
        np.copyto(a, a_fresh, where=dead)
        np.copyto(d, d_fresh, where=dead.swapaxes(1, 2))
        return x

    def _parts(self, x: Float[np.ndarray, "starts k"]) -> tuple[Any, Any, Any, Any]:
        r, m, p = self.rank, self.n_latents, self.n_features
        a, b, d, c = np.split(x, np.cumsum([r * m, m, m * p]), axis=1)
        return a.reshape(-1, r, m), b[:, np.newaxis], d.reshape(-1, m, p), c[:, np.newaxis]

    def objective(self, penalty: float) -> BatchObjective:
        """Losses and gradients under a penalty."""
        weight = _float32(self.weight / (self.n_features * self.variance))
        a_cost = _float32(penalty * self.cost)
        d_cost = np.float32(penalty * DECODER_PENALTY / self.n_features)

        def evaluate(
            x: Float[np.ndarray, "starts k"],
        ) -> tuple[Float[np.ndarray, " starts"], Float[np.ndarray, "starts k"]]:
            a, b, d, c = self._parts(x)
            pre = self.scores @ a + b
            z = np.logaddexp(0, pre)
            x_hat = z @ d
            x_hat += c
            _to_probability(x_hat)
            error = x_hat - self.targets
            d_out = error * weight
            a_grad, d_grad = a_cost * a, d_cost * d
            loss = _dot(error, d_out) + _dot(a_grad, a) + _dot(d_grad, d)
            d_out *= 2
            d_out *= x_hat
            np.subtract(1, x_hat, out=x_hat)
            d_out *= x_hat
            d_pre = (d_out @ d.swapaxes(1, 2)) * expit(pre)
            gradients = (
                self.scores.T @ d_pre + 2 * a_grad,
                d_pre.sum(axis=1),
                z.swapaxes(1, 2) @ d_out + 2 * d_grad,
                d_out.sum(axis=1),
            )
            return loss, np.concatenate([g.reshape(len(x), -1) for g in gradients], axis=1)

        return evaluate

    def solution(self, best: Annealed) -> GroupFit:
        """Encoder, decoder and losses in the units of the features."""
        a, b, d, c = (part[0].astype(np.float64) for part in self._parts(best.x[np.newaxis]))
        weights = a.T @ (self.axes / self.std[:, np.newaxis])
        unit = self.n_features * self.variance
        return GroupFit(
            weights,
            b[0] - weights @ self.mean,
            d,
            c[0],
            unit * best.loss,
            [unit * loss for loss in best.history],
            best.converged,
        )


def _axes(
    dX: Float[np.ndarray, "samples features"],
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k features"]]:
    """Singular values and right singular vectors."""
    if len(dX) < _TALL * dX.shape[1]:
        return np.linalg.svd(dX, full_matrices=False)[1:]
    squares, vectors = np.linalg.eigh(dX.T @ dX)
    return np.sqrt(np.maximum(squares[::-1], 0.0)), vectors[:, ::-1].T


def _float32(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return np.ascontiguousarray(values, dtype=np.float32)


def _dot(
    a: Float[np.ndarray, "starts k l"], b: Float[np.ndarray, "starts k l"]
) -> Float[np.ndarray, " starts"]:
    return np.einsum("rkl,rkl->r", a, b)


def _to_probability(natural: Float[np.ndarray, "..."]) -> None:
    """The logistic function in place; NumPy's exponential of float32 is faster than `expit`."""
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the limit, 0
        np.exp(np.negative(natural, out=natural), out=natural)
    natural += 1
    np.reciprocal(natural, out=natural)
