"""Joint fit of groups that share features: sums of their decoders."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import eigh
from scipy.special import expit

from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import DECODER_PENALTY, LEAST_VARIANCE
from minsyn.training.batched_lbfgs import minimise_batch

__all__ = ["AdditiveMap", "fit_jointly"]

#: Directions with less than this share of a group's largest standard deviation are rounding.
_RANK_TOLERANCE = 1e-6
#: Most evaluations of a linear fit, and the relative fall of the loss that ends it.
_MAX_EVALUATIONS, _TOL = 2000, 1e-6


class AdditiveMap(NamedTuple):
    """Encoders of groups and the sum of their decoders.

    Attributes
    ----------
    encoder_weights, encoder_bias : ndarray of shape (n_latents, n_features) and (n_latents,)
        Encoder of latents.
    components, intercept : ndarray of shape (n_latents, n_features) and (n_features,)
        Decoder of features, or of their log odds.
    """

    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]


def fit_jointly(
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    parents: Bool[np.ndarray, "groups features"],
    latent_groups: Int[np.ndarray, " latents"],
    start: AdditiveMap,
    *,
    logistic: bool,
    solver: Annealing,
) -> tuple[AdditiveMap, list[float], bool]:
    r"""Fit the encoders of groups and their additive decoders together.

    The loss is

    .. math::

        \sum_s w_s \Bigl\lVert x_s - f\Bigl(\sum_k z_{sk} D_k + c\Bigr) \Bigr\rVert^2
        + \lambda \sum_k \bigl(v_k^2 \lVert A_k \rVert^2 + 100 u_k \lVert D_k \rVert^2\bigr), \quad
        z_k = g(A_k x_{(k)} + b_k),

    where :math:`A_k` and :math:`D_k` are 0 outside of the features :math:`x_{(k)}` of which group k
    is a parent, and :math:`v_k` is the variance of all of these together. For logistic decoders f
    is the logistic function, g the softplus, and :math:`u_k` the mean variance of these features;
    for linear ones both are the identity, and :math:`u_k = 1`. Where no feature is shared this is
    the sum of the losses of `minsyn.estimators.vectors.group_fit.fit_group` or
    `minsyn.estimators.vectors.linear_fit.fit_linear_group`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.
    parents : ndarray of bool, shape (n_groups, n_features)
        Parents of the features, each of which has one at least.
    latent_groups : ndarray of int, shape (n_latents,)
        The group of each latent.
    start : AdditiveMap
        Where L-BFGS starts; the loss is never above its.
    logistic : bool
        Whether decoders are logistic.
    solver : Annealing
        Its penalty is :math:`\lambda`; the rest counts for logistic fits.

    Returns
    -------
    fit : AdditiveMap
        Linear latents are uncorrelated within a group and have unit variance, in descending order
        of the variance that they explain; the largest weight of each is positive.
    history : list of float
        Loss at each evaluation.
    converged : bool
        Whether the fit ended by ``tol``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z, D = rng.normal(size=(200, 2)), np.array([[1, 1, 1, 0, 0, 0, 1.0], [0, 0, 0, 1, 1, 1, 1]])
    >>> X, groups = Z @ D, np.array([0, 1])
    >>> start = AdditiveMap(D, np.zeros(2), D, np.zeros(7))
    >>> solver = Annealing(1e-9, 1000, 1e-3, np.random.RandomState(0))
    >>> options = {"logistic": False, "solver": solver}
    >>> fit, _, _ = fit_jointly(X, np.ones(200), D > 0, groups, start, **options)
    >>> Z_hat = X @ fit.encoder_weights.T + fit.encoder_bias
    >>> np.allclose(Z_hat @ fit.components + fit.intercept, X, atol=1e-2)
    True
    """
    share = sample_weight / sample_weight.sum()
    mean = share @ X
    dX = X - mean
    if not logistic:
        # All that counts is the covariance: as many samples as features are enough.
        dX, share = _with_same_covariance(np.sqrt(share)[:, np.newaxis] * dX), np.ones(1)
    problem = _JointProblem(dX, share, mean, parents, latent_groups, solver.penalty, logistic)
    history: list[float] = []

    def record(loss: float) -> None:
        history.append(problem.variance * loss)
        if logistic and solver.on_evaluation is not None:
            solver.on_evaluation(loss)

    x, _, converged = minimise_batch(
        problem.evaluate,
        problem.point(start)[np.newaxis],
        solver.max_iter if logistic else _MAX_EVALUATIONS,
        solver.tol if logistic else _TOL,
        record,
    )
    fit = problem.map(x[0])
    if not logistic:
        fit = _in_principal_axes(fit, dX, latent_groups)
        fit = fit._replace(encoder_bias=-fit.encoder_weights @ mean, intercept=mean)
    return fit, history, converged


class _Part(NamedTuple):
    """A group's features along their principal components, and what its encoder costs."""

    latents: Int[np.ndarray, " latents"]
    own: Int[np.ndarray, " own"]
    std: Float[np.ndarray, " components"]
    axes: Float[np.ndarray, "components own"]
    scores: Float[np.ndarray, "samples components"]
    a_cost: Float[np.ndarray, "components 1"]


class _JointProblem:
    """The loss relative to the features' variance, as a function of one vector.

    Encoders are in coordinates along the principal components of their features, in units of the
    standard deviations, as in `GroupProblem`. Parameters: the coordinates of all groups, the
    decoder's weights where the mask has them, and with logistic decoders biases and intercepts.
    """

    def __init__(
        self,
        dX: Float[np.ndarray, "samples features"],
        share: Float[np.ndarray, " samples"],
        mean: Float[np.ndarray, " features"],
        parents: Bool[np.ndarray, "groups features"],
        latent_groups: Int[np.ndarray, " latents"],
        penalty: float,
        logistic: bool,
    ) -> None:
        self.mean, self.latent_groups, self.logistic = mean, latent_groups, logistic
        self.n_features = len(mean)
        self.targets = dX + mean if logistic else dX
        self.weight = share[:, np.newaxis]
        of_features = np.sum(self.weight * dX**2, axis=0)
        self.variance = max(float(of_features.sum()), LEAST_VARIANCE)
        self.mask = parents[latent_groups]
        self.parts: list[_Part] = []
        cost = np.zeros(len(latent_groups))
        unit = np.ones(len(latent_groups))
        for group in np.unique(latent_groups):
            latents, own = np.flatnonzero(latent_groups == group), np.flatnonzero(parents[group])
            total = max(float(of_features[own].sum()), LEAST_VARIANCE)
            std, axes = _principal_axes(np.sqrt(self.weight) * dX[:, own])
            scores = dX[:, own] @ axes.T / std
            a_cost = (penalty * total**2 / self.variance / std**2)[:, np.newaxis]
            self.parts.append(_Part(latents, own, std, axes, scores, a_cost))
            cost[latents] = penalty * DECODER_PENALTY / self.variance
            if logistic:
                cost[latents] *= total / len(own)
            else:
                unit[latents] = np.sqrt(total)  # which brings both maps' curvatures to 1
        self.unit, self.d_cost = unit[:, np.newaxis], cost[:, np.newaxis]
        sizes = [len(part.std) * len(part.latents) for part in self.parts]
        self.splits = np.cumsum([*sizes, int(self.mask.sum()), len(latent_groups)])

    def point(self, start: AdditiveMap) -> Float[np.ndarray, " k"]:
        """Coordinates of a map."""
        flat = []
        for part in self.parts:
            weights = start.encoder_weights[np.ix_(part.latents, part.own)]
            flat.append((part.std[:, np.newaxis] * (part.axes @ weights.T)).ravel())
        flat.append((start.components / self.unit)[self.mask])
        if self.logistic:
            flat += [start.encoder_bias + start.encoder_weights @ self.mean, start.intercept]
        return np.concatenate(flat)

    def map(self, x: Float[np.ndarray, " k"]) -> AdditiveMap:
        """The map at coordinates."""
        a, d, b, c = self._split(x)
        weights = np.zeros(self.mask.shape)
        for part, of_part in zip(self.parts, a, strict=True):
            own = (of_part / part.std[:, np.newaxis]).T @ part.axes
            weights[np.ix_(part.latents, part.own)] = own
        return AdditiveMap(weights, b - weights @ self.mean, d, c)

    def evaluate(self, points: Float[np.ndarray, "1 k"]) -> tuple[Any, Any]:
        """Loss and gradient."""
        a, d, b, c = self._split(points[0])
        pre = np.empty((len(self.targets), len(b)))
        for part, of_part in zip(self.parts, a, strict=True):
            pre[:, part.latents] = part.scores @ of_part
        pre += b
        z = np.logaddexp(0, pre) if self.logistic else pre
        x_hat = z @ d + c
        if self.logistic:
            x_hat = expit(x_hat)
        error = x_hat - self.targets
        d_out = self.weight * error / self.variance
        loss = np.vdot(error, d_out) + np.sum(self.d_cost * d**2)
        loss += sum(np.sum(p.a_cost * of_p**2) for p, of_p in zip(self.parts, a, strict=True))
        d_out *= 2
        if self.logistic:
            d_out *= x_hat * (1 - x_hat)
        d_pre = d_out @ d.T
        if self.logistic:
            d_pre *= expit(pre)
        gradient = [
            (part.scores.T @ d_pre[:, part.latents] + 2 * part.a_cost * of_part).ravel()
            for part, of_part in zip(self.parts, a, strict=True)
        ]
        gradient.append((self.unit * (z.T @ d_out + 2 * self.d_cost * d))[self.mask])
        if self.logistic:
            gradient += [d_pre.sum(axis=0), d_out.sum(axis=0)]
        return np.array([loss]), np.concatenate(gradient)[np.newaxis]

    def _split(self, x: Float[np.ndarray, " k"]) -> tuple[Any, Any, Any, Any]:
        """Coordinates of each group, decoder, biases and intercepts."""
        *a, weights, b, c = np.split(x, self.splits)
        a = [
            of_part.reshape(len(part.std), len(part.latents))
            for part, of_part in zip(self.parts, a, strict=True)
        ]
        d = np.zeros(self.mask.shape)
        d[self.mask] = weights
        d *= self.unit
        if not self.logistic:
            b, c = np.zeros(len(d)), np.zeros(self.n_features)
        return a, d, b, c


def _principal_axes(
    dX: Float[np.ndarray, "samples k"],
) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, "r k"]]:
    """Standard deviations along the principal axes, and the axes; one at least."""
    gram = dX.T @ dX if len(dX) > dX.shape[1] else dX @ dX.T
    squares, vectors = eigh(gram)
    std = np.sqrt(np.maximum(squares[::-1], 0.0))
    kept = std > max(_RANK_TOLERANCE * std[0], np.sqrt(LEAST_VARIANCE))
    if not kept.any():
        return np.ones(1), np.eye(1, dX.shape[1])
    std, axes = std[kept], vectors[:, ::-1][:, kept].T
    return std, axes if len(dX) > dX.shape[1] else axes @ dX / std[:, np.newaxis]


def _with_same_covariance(
    dX: Float[np.ndarray, "samples features"],
) -> Float[np.ndarray, "k features"]:
    """At most as many samples as features, with the same products of features."""
    if len(dX) <= dX.shape[1]:
        return dX
    squares, vectors = eigh(dX.T @ dX)
    return np.sqrt(np.maximum(squares, 0.0))[:, np.newaxis] * vectors.T


def _in_principal_axes(
    fit: AdditiveMap,
    dX: Float[np.ndarray, "samples features"],
    latent_groups: Int[np.ndarray, " latents"],
) -> AdditiveMap:
    """The same linear map with latents that are principal components of what a group adds."""
    weights, components = fit.encoder_weights.copy(), fit.components.copy()
    for group in np.unique(latent_groups):
        latents = np.flatnonzero(latent_groups == group)
        std, axes = _principal_axes(dX @ weights[latents].T)
        per_std = axes / std[:, np.newaxis]
        u, s, vt = np.linalg.svd((std[:, np.newaxis] * axes) @ components[latents], False)
        signs = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)])
        rotated, vt = (u * signs).T @ per_std @ weights[latents], signs[:, np.newaxis] * vt
        weights[latents], components[latents] = 0.0, 0.0
        weights[latents[: len(s)]], components[latents[: len(s)]] = rotated, s[:, np.newaxis] * vt
    return fit._replace(encoder_weights=weights, components=components)
