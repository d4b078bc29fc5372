"""Vector factors: latents and a decoder for each group of features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.estimators.encoders import linear_encoder
from minsyn.estimators.solution import Solution
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.group_fit import GroupFit, fit_group, log_odds
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.joint_fit import AdditiveMap, fit_jointly
from minsyn.estimators.vectors.linear_fit import LinearFit, fit_linear_group
from minsyn.estimators.vectors.shared_features import decode_shared
from minsyn.nn import BOUNDED, LINEAR, REAL, SOFTPLUS

__all__ = ["VectorProblem", "fit_vector_factors"]

#: Fewest features, for each latent, of a group that is fitted without those it shares.
_FEATURES_PER_LATENT = 2


@dataclass(frozen=True)
class VectorProblem:
    """Data, groups of features, and how each group is to be fitted.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    grouping : Grouping
        Parents of the features.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    sample_weights : list of ndarray of shape (n_samples,)
        Weights of the samples for each group.
    logistic : bool
        Whether latents are softplus and reconstructions logistic; else both are linear.
    """

    X: Float[np.ndarray, "samples features"]
    grouping: Grouping
    n_latents: Int[np.ndarray, " groups"]
    sample_weights: list[Float[np.ndarray, " samples"]]
    logistic: bool

    @property
    def latent_groups(self) -> Int[np.ndarray, " latents"]:
        """The group of each latent."""
        return np.repeat(np.arange(self.grouping.n_groups), self.n_latents)

    @property
    def shared(self) -> Bool[np.ndarray, " features"]:
        """Features with several parents."""
        return self.grouping.parents.sum(axis=0) > 1

    @property
    def decoded_only(self) -> Bool[np.ndarray, " features"]:
        """Features of no clear group: no latent is fitted to them."""
        return (self.grouping.parents.sum(axis=0) == 1) & ~self.grouping.core

    def features_of(self, group: int) -> Int[np.ndarray, " k"]:
        """Features that a group is fitted to by itself.

        Those with no other parent; where they are few, all that represent the group.
        """
        own = self.grouping.core_of(group)
        alone = own[~self.shared[own]]
        return alone if len(alone) >= _FEATURES_PER_LATENT * self.n_latents[group] else own


def fit_vector_factors(problem: VectorProblem, solver: Annealing) -> Solution:
    """Fit each group separately, then those that share features together.

    Features of no group are then decoded from the latents of their parents.

    Parameters
    ----------
    problem : VectorProblem
        Data and groups.
    solver : Annealing
        Optimiser of each logistic group; its final penalty is that of linear ones.

    Returns
    -------
    Solution
        Features without a parent are reconstructed by their means.

    Examples
    --------
    >>> X = np.repeat(np.random.default_rng(0).normal(size=(100, 2)), 3, axis=1)
    >>> groups = Grouping.of(np.repeat([0, 1], 3))
    >>> problem = VectorProblem(X, groups, np.array([1, 1]), [np.ones(100)] * 2, logistic=False)
    >>> solver = Annealing(2e-5, 1000, 1e-3, np.random.RandomState(0))
    >>> (fit_vector_factors(problem, solver).components != 0).astype(int)
    array([[1, 1, 1, 0, 0, 0],
           [0, 0, 0, 1, 1, 1]])
    """
    X, grouping, latent_groups = problem.X, problem.grouping, problem.latent_groups
    mean = X.mean(axis=0)
    encoder_weights, components = np.zeros((2, len(latent_groups), X.shape[1]))
    encoder_bias = np.zeros(len(latent_groups))
    intercept = log_odds(mean) if problem.logistic else mean.copy()
    curves: dict[int, list[float]] = {}
    converged = True
    fit: GroupFit | LinearFit
    for group, weight in enumerate(problem.sample_weights):
        latents, own = np.flatnonzero(latent_groups == group), problem.features_of(group)
        if len(own) == 0:
            continue
        if problem.logistic:
            fit = fit_group(X[:, own], weight, len(latents), solver=solver)
            curves[group] = fit.history
            converged &= fit.converged
        else:
            fit = fit_linear_group(X[:, own], weight, len(latents), penalty=solver.penalty)
            curves[group] = [fit.loss]
        encoder_weights[np.ix_(latents, own)] = fit.encoder_weights
        encoder_bias[latents] = fit.encoder_bias
        components[np.ix_(latents, own)] = fit.components
        intercept[own] = fit.intercept
    found = AdditiveMap(encoder_weights, encoder_bias, components, intercept)
    if problem.shared.any():
        _decode(problem, np.flatnonzero(problem.shared), found, solver)
        together = np.flatnonzero(grouping.parents[:, problem.shared].any(axis=1))
        more, ended = _fit_shared(problem, together, found, solver)
        joined = [curves.pop(group) for group in together.tolist() if group in curves]
        curves[-1] = _sum_of(joined) + more
        converged &= ended
    if problem.decoded_only.any():
        _decode(problem, np.flatnonzero(problem.decoded_only), found, solver)
    return Solution(
        linear_encoder(encoder_weights, encoder_bias),
        SOFTPLUS if problem.logistic else LINEAR,
        BOUNDED if problem.logistic else REAL,
        components,
        intercept,
        _sum_of(list(curves.values())),
        converged,
    )


def _decode(
    problem: VectorProblem, features: Int[np.ndarray, " k"], found: AdditiveMap, solver: Annealing
) -> None:
    """Decode features from the latents of their parents, as these are."""
    Z = problem.X @ found.encoder_weights.T + found.encoder_bias
    found.components[:, features], found.intercept[features] = decode_shared(
        np.logaddexp(0, Z) if problem.logistic else Z,
        problem.X[:, features],
        np.mean(problem.sample_weights, axis=0),
        problem.grouping.parents[np.ix_(problem.latent_groups, features)],
        logistic=problem.logistic,
        penalty=solver.penalty,
    )


def _fit_shared(
    problem: VectorProblem,
    together: Int[np.ndarray, " joined"],
    found: AdditiveMap,
    solver: Annealing,
) -> tuple[list[float], bool]:
    """Fit the groups that share features together, from what was found of each."""
    parents = problem.grouping.parents
    features = np.flatnonzero(parents[together].any(axis=0) & ~problem.decoded_only)
    latents = np.flatnonzero(np.isin(problem.latent_groups, together))
    part = np.ix_(latents, features)
    start = AdditiveMap(
        found.encoder_weights[part],
        found.encoder_bias[latents],
        found.components[part],
        found.intercept[features],
    )
    fit, history, converged = fit_jointly(
        problem.X[:, features],
        np.mean([problem.sample_weights[group] for group in together], axis=0),
        parents[:, features],
        problem.latent_groups[latents],
        start,
        logistic=problem.logistic,
        solver=solver,
    )
    found.encoder_weights[part], found.encoder_bias[latents] = fit.encoder_weights, fit.encoder_bias
    found.components[part], found.intercept[features] = fit.components, fit.intercept
    return history, converged


def _sum_of(curves: list[list[float]]) -> list[float]:
    """Losses of all groups together; those that ended earlier keep their last one."""
    length = max((len(curve) for curve in curves), default=0)
    padded = [curve + [curve[-1]] * (length - len(curve)) for curve in curves]
    return [float(sum(losses)) for losses in zip(*padded, strict=True)] or [0.0]
