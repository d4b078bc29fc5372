"""Single-parent factors: groups of features, and the latents of each, fitted by themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from minsyn.estimators._single_parent_fit import (
    balancing_weights,
    decode_shared,
    fit_group,
    log_odds,
    n_factors,
)
from minsyn.estimators._single_parent_groups import Grouping, find_groups, given_groups
from minsyn.information import synergy

__all__ = [
    "GKSynergy",
    "SingleParentFit",
    "fit_single_parent",
    "measured_synergy",
    "share_latents",
]

#: Fewest features, for each latent, of a group that is fitted without those it shares.
_FEATURES_PER_LATENT = 2
#: With a logistic decoder, k latents leave about this to the power k of what k principal components
#: leave (letters, one to five latents); a linear one leaves the same.
_BEND = 0.7


class GKSynergy(NamedTuple):
    """Griffith-Koch synergy about the features, in bits, averaged by their variances.

    Attributes
    ----------
    latents : float
        Of the latents one by one: what they tell together beyond the best latent.
    groups : float
        Of the groups of latents: what these tell together beyond the best group.
    """

    latents: float
    groups: float


@dataclass(frozen=True)
class SingleParentFit:
    """Encoder and decoder of all groups, and how they came about."""

    grouping: Grouping
    latent_groups: Int[np.ndarray, " latents"]
    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss_curve: list[float]
    converged: bool


def fit_single_parent(
    X: Float[np.ndarray, "samples features"],
    *,
    n_components: Any,
    n_groups: int | None,
    grouping: Any,
    max_parents: int,
    balance: bool,
    logistic: bool,
    penalty: float,
    n_init: int,
    max_iter: int,
    tol: float,
    random_state: np.random.RandomState,
    on_evaluation: Callable[[float], None],
) -> SingleParentFit:
    """Find groups of features, and fit each by itself (see `MinSyn` and `fit_group`)."""
    n_samples, n_features = X.shape
    total, each = _numbers(n_components)
    if isinstance(grouping, str):
        found = find_groups(
            X,
            n_groups=n_groups if each is None or n_groups is not None else len(each),
            max_groups=n_features if total is None else total,
            by=grouping,
            max_parents=max_parents,
        )
    else:
        found = given_groups(_labels(grouping, n_features), X.min(axis=0) != X.max(axis=0))
    alone = found.parents & (found.parents.sum(axis=0) == 1)
    weights = [
        balancing_weights(X[:, own]) if balance and own.any() else np.ones(n_samples)
        for own in found.parents
    ]
    shares = (
        share_latents(X, found, weights, total, logistic) if each is None else _checked(each, found)
    )
    latent_groups = np.repeat(np.arange(found.n_groups), shares)

    mean = X.mean(axis=0)
    encoder_weights, components = np.zeros((2, len(latent_groups), n_features))
    encoder_bias = np.zeros(len(latent_groups))
    intercept = log_odds(mean) if logistic else mean.copy()
    curves, converged = [], True
    for group, weight in enumerate(weights):
        latents = np.flatnonzero(latent_groups == group)
        own = np.flatnonzero(alone[group])
        if len(own) < _FEATURES_PER_LATENT * len(latents):
            own = np.flatnonzero(found.groups == group)
        if len(own) == 0:
            continue
        fit = fit_group(
            X[:, own],
            weight,
            len(latents),
            logistic=logistic,
            penalty=penalty,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            on_evaluation=on_evaluation,
        )
        encoder_weights[np.ix_(latents, own)] = fit.encoder_weights
        encoder_bias[latents] = fit.encoder_bias
        components[np.ix_(latents, own)] = fit.components
        intercept[own] = fit.intercept
        curves.append(fit.history)
        converged &= fit.converged
    shared = np.flatnonzero(found.parents.sum(axis=0) > 1)
    if len(shared):
        Z = np.logaddexp(0, X @ encoder_weights.T + encoder_bias)
        decoder = found.parents[np.ix_(latent_groups, shared)]
        components[:, shared], intercept[shared] = decode_shared(
            Z, X[:, shared], np.mean(weights, axis=0), decoder, logistic=logistic, penalty=penalty
        )
    return SingleParentFit(
        found,
        latent_groups,
        encoder_weights,
        encoder_bias,
        components,
        intercept,
        _total(curves),
        converged,
    )


def measured_synergy(
    Z: Float[np.ndarray, "samples latents"],
    X: Float[np.ndarray, "samples features"],
    latent_groups: Int[np.ndarray, " latents"],
) -> GKSynergy:
    """Synergy of fitted latents, one by one and by group (Gaussian, from samples)."""
    variance = X.var(axis=0)
    if not variance.any():
        return GKSynergy(0.0, 0.0)
    each, grouped = (
        synergy(Z, X, groups=groups, measures="gk_synergy").means["gk_synergy"]
        for groups in (np.arange(Z.shape[1]), latent_groups)
    )
    return GKSynergy(each, grouped)


def _numbers(n_components: Any) -> tuple[int | None, Int[np.ndarray, " groups"] | None]:
    """Latents of all groups together, or of each; neither where they are to be counted."""
    if n_components is None or isinstance(n_components, Integral):
        return None if n_components is None else int(n_components), None
    each = np.asarray(n_components)
    if each.ndim != 1 or each.dtype.kind not in "iu" or each.size == 0 or each.min() < 1:
        raise ValueError(
            f"n_components={n_components!r} must be a positive int or a list of such, one a group"
        )
    return None, each


def _labels(grouping: Any, n_features: int) -> Int[np.ndarray, " features"]:
    labels = np.asarray(grouping)
    if labels.shape != (n_features,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"grouping must be 'synergy', 'correlation' or an integer for each of {n_features} "
            f"features; found shape {labels.shape} of {labels.dtype}"
        )
    return labels


def _checked(each: Int[np.ndarray, " groups"], found: Grouping) -> Int[np.ndarray, " groups"]:
    if len(each) != found.n_groups:
        raise ValueError(
            f"n_components has {len(each)} numbers, but there are {found.n_groups} groups: give "
            "one number for each, or one for all together"
        )
    return each


def share_latents(
    X: Float[np.ndarray, "samples features"],
    found: Grouping,
    weights: list[Float[np.ndarray, " samples"]],
    total: int | None,
    logistic: bool,
) -> Int[np.ndarray, " groups"]:
    """How many latents each group has."""
    own = [X[:, found.groups == group] for group in range(found.n_groups)]
    if total is None:
        return np.array([n_factors(x) if x.shape[1] else 1 for x in own])
    if total < found.n_groups:
        raise ValueError(
            f"n_components={total} leaves some of the {found.n_groups} groups without a latent: "
            "raise it, or lower n_groups"
        )
    # One each; each further one where it takes most from what is left.
    left = []
    for x, weight in zip(own, weights, strict=True):
        variances = np.append(_variances(x, weight), np.zeros(total + 1))
        after = np.append(np.cumsum(variances[::-1])[::-1], 0.0)[: total + 2]
        left.append(after * (_BEND if logistic else 1.0) ** np.arange(len(after)))
    gains = -np.diff(left, axis=1)
    shares = np.ones(found.n_groups, int)
    for _ in range(total - found.n_groups):
        shares[np.argmax(gains[np.arange(found.n_groups), shares])] += 1
    return shares


def _variances(
    X: Float[np.ndarray, "samples features"], weight: Float[np.ndarray, " samples"]
) -> Float[np.ndarray, " components"]:
    """Variances along the principal components, under the samples' weights."""
    share = weight / weight.sum()
    dX = np.sqrt(share)[:, np.newaxis] * (X - share @ X)
    gram = dX @ dX.T if len(dX) <= dX.shape[1] else dX.T @ dX
    return np.asarray(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0))


def _total(curves: list[list[float]]) -> list[float]:
    """Losses of all groups together; those that have ended keep their last one."""
    length = max((len(curve) for curve in curves), default=0)
    padded = [curve + [curve[-1]] * (length - len(curve)) for curve in curves]
    return [float(sum(losses)) for losses in zip(*padded, strict=True)] or [0.0]
