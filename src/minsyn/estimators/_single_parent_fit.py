"""The latents of one group: an autoencoder of the group's own features, fitted from many starts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, logit

from minsyn.estimators._single_parent_annealing import anneal
from minsyn.training.batched_lbfgs import BatchObjective, minimise_batch

__all__ = [
    "GroupFit",
    "balancing_weights",
    "decode_shared",
    "fit_group",
    "log_odds",
    "n_factors",
]

#: Starts lie along so many principal components, or twice as many as there are latents.
_START_COMPONENTS = 8
#: Variance that latents have besides, where a first decoder is regressed on them.
_START_RIDGE = 1e-3
#: Latents whose weights, relative to the strongest latent's, are below this are dead.
_DEAD = 0.02
#: How much more weights of the decoder cost than those of the encoder. Only the product counts, but
#: for the bend of the activations.
_DECODER_PENALTY = 100.0
#: Starts fitted at once, and numbers in a batch of reconstructions, which limits them.
_STARTS, _BATCH = 24, 1 << 23
#: Mean probabilities are kept this far from 0 and 1: features that never vary have finite odds.
_LEAST_PROBABILITY = 1e-6
#: Where nothing that counts varies, this stands for the variance that errors are divided by.
_LEAST_VARIANCE = 1e-37
#: Directions whose singular value is below this share of the largest are rounding in float32.
_RANK_TOLERANCE = 1e-5
#: The kernel of the balancing weights has this share of the mean squared distance as its variance.
_KERNEL_VARIANCE = 0.05
#: Samples whose density among so many others is estimated from all of these, else from a part.
_DENSITY_SAMPLES = 2000
#: Most evaluations in decoding features with several parents.
_SHARED_EVALUATIONS = 500


class GroupFit(NamedTuple):
    """Encoder and decoder of a group, for its features as they were given."""

    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss: float
    history: list[float]
    converged: bool


def log_odds(mean: Float[np.ndarray, " features"]) -> Float[np.ndarray, " features"]:
    """Log odds of mean probabilities, finite also where these are 0 or 1."""
    return np.asarray(logit(np.clip(mean, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)))


def n_factors(X: Float[np.ndarray, "samples features"]) -> int:
    r"""Number of principal components of standardised features that noise would not give.

    Those whose eigenvalue is above :math:`(1 + \sqrt{p / n})^2`, the edge of Marchenko and Pastur's
    law for ``p`` independent features, at least 1; for many samples this is Kaiser's rule.
    """
    n_samples, n_features = X.shape
    dX = X - X.mean(axis=0)
    dX = dX / np.sqrt(np.mean(dX**2, axis=0))
    eigenvalues = np.linalg.svd(dX, compute_uv=False) ** 2 / n_samples
    return max(int(np.sum(eigenvalues > (1 + np.sqrt(n_features / n_samples)) ** 2)), 1)


def balancing_weights(X: Float[np.ndarray, "samples features"]) -> Float[np.ndarray, " samples"]:
    r"""Sample weights under which the values of a group of features are evenly spread.

    .. math:: w_s = 1 / \sum_t e^{-d(s,t)^2 / (2 \cdot 0.05\, \overline{d^2})}

    with distances on the principal components that stand out from noise, which else makes all
    samples equally far apart [1]_. Scaled to mean 1.

    References
    ----------
    .. [1] Gavish and Donoho, "The optimal hard threshold for singular values is 4/sqrt(3)", 2014:
       the threshold for noise of unknown strength.
    """
    values, index, counts = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    index = index.ravel()
    dX = values - np.average(values, axis=0, weights=counts)
    u, s, _ = np.linalg.svd(np.sqrt(counts)[:, np.newaxis] * dX, full_matrices=False)
    beta = min(X.shape) / max(X.shape)
    threshold = (0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43) * np.median(
        np.append(s, np.zeros(min(X.shape) - len(s)))
    )
    kept = max(int(np.sum(s > np.maximum(threshold, _RANK_TOLERANCE * s[0]))), n_factors(X))
    kept = min(kept, len(s))
    scores = (u[:, :kept] * s[:kept]) / np.sqrt(counts)[:, np.newaxis]
    step = -(-len(scores) // _DENSITY_SAMPLES)
    others, theirs = scores[::step], counts[::step]
    squares = np.sum(scores**2, axis=1)
    distances = squares[:, np.newaxis] + squares[::step] - 2 * scores @ others.T
    distances = np.maximum(distances, 0.0)
    mean = float(counts @ distances @ theirs) / (counts.sum() * theirs.sum())
    if mean == 0:
        return np.ones(len(X))
    density = np.exp(distances / (-2 * _KERNEL_VARIANCE * mean)) @ theirs
    weights = (1 / density)[index]
    return np.asarray(weights / weights.mean())


def fit_group(
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    n_latents: int,
    *,
    logistic: bool,
    penalty: float,
    n_init: int,
    max_iter: int,
    tol: float,
    random_state: np.random.RandomState,
    on_evaluation: Callable[[float], None],
) -> GroupFit:
    r"""Fit softplus latents and a decoder to one group's features.

    Over :math:`A, b, D, c`, with :math:`V` the features' mean variance and :math:`p` their number,

    .. math::

        \frac{1}{p V} \sum_s w_s \lVert x_s - f(z_s D + c) \rVert^2
        + \lambda \Bigl(p V \lVert A \rVert^2 + \frac{100}{p} \lVert D \rVert^2\Bigr), \quad
        z = \mathrm{softplus}((x - \bar x) A' + b),

    where f is the logistic function or the identity. Equal samples are one with their weights'
    sum, and only the part of A in their span matters: the search runs over its coordinates along
    the principal components, which is exact. The penalties start strong and fall to
    :math:`\lambda`; many starts run as one batch, of which the worse half goes whenever they fall.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The group's features, none of them constant.
    sample_weight : ndarray of shape (n_samples,)
        Weights, whose scale does not matter.
    n_latents : int
        Number of latents.
    logistic : bool
        Whether the features are in [0, 1] and reconstructions too.
    penalty : float
        :math:`\lambda`.
    n_init : int
        Number of batches of starts.
    max_iter, tol : int, float
        Most evaluations under the last penalty, and the fall of the loss that ends them.
    random_state : RandomState
        Of the starts.
    on_evaluation : callable
        Told the lowest loss after each evaluation.
    """
    problem = _Problem(X, sample_weight, n_latents, logistic)
    n_starts = int(np.clip(_BATCH // (problem.n_samples * problem.n_features), 2, _STARTS))
    best = anneal(
        problem,
        penalty,
        n_starts=n_starts,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        on_evaluation=on_evaluation,
    )
    return problem.solution(*best)


def decode_shared(
    Z: Float[np.ndarray, "samples latents"],
    X: Float[np.ndarray, "samples features"],
    sample_weight: Float[np.ndarray, " samples"],
    mask: Bool[np.ndarray, "latents features"],
    *,
    logistic: bool,
    penalty: float,
) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " features"]]:
    """Decode features that have several parents from the latents of all of these.

    Minimises the weighted squared error of the decoder alone, under `fit_group`'s penalty on it;
    latents are given and ``mask`` says which of them are of a feature's parents.
    """
    n_latents, n_features = mask.shape
    weight = (sample_weight / sample_weight.sum())[:, np.newaxis]
    mean = np.sum(weight * X, axis=0)
    scale = max(float(np.sum(weight * (X - mean) ** 2)), _LEAST_VARIANCE)
    cost = penalty * _DECODER_PENALTY / n_features * (1.0 if logistic else n_features / scale)

    def evaluate(x: Any) -> tuple[Any, Any]:
        d, c = x[:, : n_latents * n_features], x[:, n_latents * n_features :]
        d = d.reshape(n_latents, n_features) * mask
        x_hat = Z @ d + c
        slope = np.ones_like(x_hat)
        if logistic:
            x_hat = expit(x_hat)
            slope = x_hat * (1 - x_hat)
        error = x_hat - X
        loss = np.sum(weight * error**2) / scale + cost * np.sum(d**2)
        d_out = 2 / scale * weight * error * slope
        gradient = np.concatenate(
            [((Z.T @ d_out + 2 * cost * d) * mask).ravel(), d_out.sum(axis=0)]
        )
        return np.array([loss]), gradient[np.newaxis]

    start = np.concatenate([np.zeros(mask.size), log_odds(mean) if logistic else mean])
    x, _, _ = minimise_batch(
        evaluate, start[np.newaxis], _SHARED_EVALUATIONS, 1e-6, lambda loss: None
    )
    d, c = x[0, : mask.size], x[0, mask.size :]
    return d.reshape(mask.shape) * mask, c


class _Problem:
    """The loss of many starts, in coordinates along the principal components of the samples."""

    def __init__(
        self,
        X: Float[np.ndarray, "samples features"],
        sample_weight: Float[np.ndarray, " samples"],
        n_latents: int,
        logistic: bool,
    ) -> None:
        values, index = np.unique(X, axis=0, return_inverse=True)
        weight = np.bincount(index.ravel(), weights=sample_weight / sample_weight.sum())
        self.n_samples, self.n_features = values.shape
        self.n_latents, self.logistic = n_latents, logistic
        self.mean = weight @ values
        dX = values - self.mean
        # Where only one sample counts nothing varies; the smallest scale keeps all finite.
        self.variance = max(float(np.mean(weight @ dX**2)), _LEAST_VARIANCE)
        _, s, vt = np.linalg.svd(np.sqrt(weight)[:, np.newaxis] * dX, full_matrices=False)
        kept = s > _RANK_TOLERANCE * s.max(initial=0.0)
        if not kept.any():
            kept[:1], s[:1] = True, 1.0
        self.std, self.axes = s[kept], vt[kept]
        self.rank = len(self.std)
        targets = values if logistic else dX / np.sqrt(self.variance)
        self.scores = _float32(dX @ self.axes.T / self.std)
        self.targets = _float32(targets)
        self.weight = weight[:, np.newaxis]
        self.cost = (self.n_features * self.variance / self.std**2)[:, np.newaxis]

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
        # Least squares; for a logistic decoder, to first order around the means. From weights that
        # know nothing of the data it takes long to leave the neighbourhood of 0.
        weighted = (self.weight * dz).swapaxes(1, 2)
        ridge = _START_RIDGE * np.eye(self.n_latents)
        d = np.linalg.solve(weighted @ dz + ridge, weighted @ self.targets)
        c = np.zeros(self.n_features)
        if self.logistic:
            mean = np.clip(self.mean, 0.02, 0.98)
            d, c = d / np.maximum(mean * (1 - mean), 0.05), log_odds(mean)
        parts = (a, np.zeros((n_starts, self.n_latents)), d, c - (mean_z @ d)[:, 0])
        return _float32(np.concatenate([part.reshape(n_starts, -1) for part in parts], axis=1))

    def revived(
        self, x: Float[np.ndarray, "starts k"], random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """The same, but latents that strong penalties brought to 0 start anew."""
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
        scale = self.n_features * (self.variance if self.logistic else 1.0)
        weight = _float32(self.weight / scale)
        a_cost = _float32(penalty * self.cost)
        d_cost = np.float32(penalty * _DECODER_PENALTY / self.n_features)

        def evaluate(
            x: Float[np.ndarray, "starts k"],
        ) -> tuple[Float[np.ndarray, " starts"], Float[np.ndarray, "starts k"]]:
            a, b, d, c = self._parts(x)
            pre = self.scores @ a + b
            z = np.logaddexp(0, pre)
            x_hat = z @ d
            x_hat += c
            if self.logistic:
                _to_probability(x_hat)
            error = x_hat - self.targets
            d_out = error * weight
            a_grad, d_grad = a_cost * a, d_cost * d
            loss = _dot(error, d_out) + _dot(a_grad, a) + _dot(d_grad, d)
            d_out *= 2
            if self.logistic:
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

    def solution(
        self, loss: float, x: Float[np.ndarray, " k"], history: list[float], converged: bool
    ) -> GroupFit:
        """The fit for features as they were given, losses in their squared units."""
        a, b, d, c = (part[0].astype(np.float64) for part in self._parts(x[np.newaxis]))
        weights = a.T @ (self.axes / self.std[:, np.newaxis])
        components, intercept = d, c[0]
        if not self.logistic:
            components = np.sqrt(self.variance) * d
            intercept = self.mean + np.sqrt(self.variance) * c[0]
        unit = self.n_features * self.variance
        return GroupFit(
            weights,
            b[0] - weights @ self.mean,
            components,
            intercept,
            unit * loss,
            [unit * value for value in history],
            converged,
        )


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
