"""The solver of linear Gaussian models: all follows from the covariance of the features."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from minsyn.estimators.encoders import Encoder, linear_encoder
from minsyn.estimators.features import RANK_TOLERANCE, Features
from minsyn.estimators.module import DecoderChoice
from minsyn.estimators.problem import Problem
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import OnEpoch, Start
from minsyn.information.ci import gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.gaussian import GaussianDecoder
from minsyn.nn.latents import LINEAR
from minsyn.nn.observations import REAL
from minsyn.training.batched_lbfgs import Memory, minimise_batch
from minsyn.training.worker import worker_of

__all__ = ["CovarianceSolver", "covariance_obstacles", "filled"]

#: Starts of ``n_init="auto"``: two rotations of the principal components, the others at random.
_STARTS = 8
#: Numbers of all starts' correlations together, which limit them.
_SEARCH_NUMBERS = 1 << 20
#: Principal components for each latent that the search runs in, and a few more.
_SPAN_PER_LATENT, _SPAN_MORE = 2, 10
#: Features that the search looks at, drawn at random from more. Fewer tell optima apart less well.
_SEARCH_FEATURES = 2500
#: Evaluations of the search: random starts need the most, to be told from the others, but no fewer
#: than the least tell which of the others is the best. All correlations of all evaluations are at
#: most so many in between.
_LEAST_EVALUATIONS, _MOST_EVALUATIONS, _EVALUATED_NUMBERS = 20, 160, 1 << 22
#: The relative fall of all losses over twenty evaluations at which the search ends.
_SEARCH_TOL = 1e-6
#: A later start must be better by this share: else rounding, or the seed, chooses among equals.
_CLEARLY = 1e-4
#: Pairs of steps and gradient changes that L-BFGS remembers.
_MEMORY = 20
#: The fall of the loss is judged over so many iterations, as this share of ``tol``. In these
#: coordinates an iteration costs little and gains a digit every few: fits end at their optimum.
_WINDOW, _SHARE_OF_TOL = 3, 1e-5
#: Fits of no more correlations than this go on to the last digits, by at most so many steps, until
#: so many have found no shorter gradient. Their unit comes from a step of this share of the length
#: of all latents.
_CHEAP, _LAST_STEPS, _NO_SHORTER, _SMALL_STEP = 1 << 12, 100, 12, 1e-5
#: Relative error of a loss, generously.
_ROUNDING = 1e-12
#: SciPy's status of an L-BFGS-B that ran out of iterations or evaluations.
_OUT_OF_ITERATIONS = 1
#: The least share of a feature's variance that is taken as noise where values are filled in.
_LEAST_NOISE = 1e-9
#: Numbers of a block of correlations: they stay in cache.
_BLOCK = 1 << 15


class CovarianceSolver:
    r"""Fit of linear latents and a Gaussian decoder, from the covariance of the features alone.

    With latents :math:`z = W x` the loss of Eq. 9's decoder,

    .. math:: \sum_i v_i (1 - 2 u_i \cdot \rho_i + u_i' C u_i),

    follows from :math:`C = corr(z)` and :math:`\rho = corr(z, x)`, and so from the covariance of x:
    samples are passed over once. The search runs in coordinates in which latents of unit variance
    have unit length, where L-BFGS needs some twenty iterations. It starts from the principal
    components, rotated by varimax, and from random mixtures of the first of them. All starts go a
    few steps as one batch, within the span of the first components; the best is fitted to the end,
    without that limit, in float64, until three iterations lower the loss by less than the fraction
    ``tol / 100,000``. Small fits then go on to the last digits.

    Latents have mean 0 and unit variance. Each factor's strongest feature has a positive weight,
    and factors come in the order of the variance that each explains by itself: the model does not
    change with the seed where the optimum is the same.
    """

    def obstacles(self, problem: Problem) -> list[str]:
        """What the problem has that cannot be fitted from a covariance."""
        return covariance_obstacles(problem.decoder, problem.encoder)

    def check(self, problem: Problem) -> None:
        """Raise a ValueError if the problem cannot be fitted from a covariance."""
        found = self.obstacles(problem)
        if found:
            raise ValueError(
                "fitting from a covariance (missing values, sample_weight, fit_covariance, "
                "solver='covariance') is for linear latents, a linear encoder and the Gaussian "
                f"decoder; found {', '.join(found)}"
            )

    def fit(self, problem: Problem, start: Start, known: Solution | None = None) -> Solution:
        """Fit encoder and decoder.

        Parameters
        ----------
        problem : Problem
            See `check`.
        start : Start
            Seeds and limits.
        known : Solution, optional
            A fit of similar data, whose encoder is one more start.
        """
        self.check(problem)
        worker = worker_of(Run().launch())
        with start.stage("covariance of the features", worker.rank == 0):
            features = problem.features(worker)
        variance = np.ones_like(features.variance) if problem.standardize else features.variance
        seed = int(start.generator(worker).initial_seed())
        with start.progress(1.0, "iterations") as on_iteration:
            a, history, converged = self._minimise(
                features,
                variance,
                problem.n_components,
                start,
                np.random.default_rng(seed),
                known,
                on_iteration,
            )
        return _solution(features, variance, a, history, converged)

    def _minimise(
        self,
        features: Features,
        variance: Float[np.ndarray, " varying"],
        n_latents: int,
        start: Start,
        rng: np.random.Generator,
        known: Solution | None,
        on_iteration: OnEpoch,
    ) -> tuple[Float[np.ndarray, "latents rank"], list[float], bool]:
        """Coordinates of the best encoder, the losses on the way, and whether they settled."""
        loss = _Loss(features.basis, variance)
        if len(features.basis) == 0:
            return np.zeros((n_latents, 0)), [0.0], True
        a = _best_start(features, variance, n_latents, start, rng, known)
        history: list[float] = []

        def record(intermediate_result: Any) -> None:
            history.append(float(intermediate_result.fun))
            on_iteration(len(history), history[-1])
            before = history[-1 - _WINDOW] if len(history) > _WINDOW else np.inf
            if before - history[-1] <= _SHARE_OF_TOL * start.tol * abs(history[-1]):
                raise StopIteration

        def objective(flat: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
            value, gradient = loss(flat.reshape(a.shape))
            return float(value), gradient.ravel()

        options: Any = {
            "maxiter": start.max_iter,
            "maxfun": 2 * start.max_iter,
            "maxcor": _MEMORY,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        result: Any = minimize(
            objective, a.ravel(), jac=True, method="L-BFGS-B", callback=record, options=options
        )
        if not history:  # the start was the optimum
            history.append(float(loss(result.x.reshape(a.shape))[0]))  # `fun` may be of another x
            on_iteration(1, history[-1])
        # A line search that finds nothing lower (status 2) has met rounding: settled.
        settled = result.status != _OUT_OF_ITERATIONS
        a = result.x.reshape(a.shape)
        if settled and a.shape[0] * features.basis.shape[1] <= _CHEAP:
            a = _to_the_last_digits(loss, a)
            history[-1] = float(loss(a)[0])
        return a, history, settled


class _Loss:
    """Loss of latents by their coordinates, whatever their lengths, and its gradient.

    Parameters
    ----------
    basis : ndarray of shape (rank, n_features)
        Features as columns of unit length.
    variance : ndarray of shape (n_features,)
        Variances of the features.
    """

    def __init__(
        self, basis: Float[np.ndarray, "rank features"], variance: Float[np.ndarray, " features"]
    ) -> None:
        self._basis, self._variance = basis, variance

    def __call__(
        self, a: Float[np.ndarray, "*starts latents rank"]
    ) -> tuple[Float[Any, "*starts"], Float[np.ndarray, "*starts latents rank"]]:
        """Loss and gradient, for one set of latents or several."""
        rank, n_features = self._basis.shape
        length = np.sqrt(np.einsum("...r,...r->...", a, a))[..., np.newaxis]
        per_length = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
        h = a * per_length
        flat = h.reshape(-1, rank)
        sigma = h @ np.swapaxes(h, -1, -2)
        loss, d_sigma = np.zeros(a.shape[:-2]), np.zeros(sigma.shape)
        d_rho = np.empty((len(flat), n_features))
        columns = max(64, _BLOCK // len(flat))
        for left in range(0, n_features, columns):
            part = slice(left, left + columns)
            rho = (flat @ self._basis[:, part]).reshape(*a.shape[:-1], -1)
            more_loss, d, more_d_sigma = gaussian.squared_error(rho, sigma, self._variance[part])
            d_rho[:, part] = d.reshape(len(flat), -1)
            loss += more_loss
            d_sigma += more_d_sigma
        d_h = (d_rho @ self._basis.T).reshape(a.shape) + 2 * (d_sigma @ h)
        # Back through the length of the latents, which does not count.
        d_h -= h * np.einsum("...r,...r->...", d_h, h)[..., np.newaxis]
        return loss, d_h * per_length


def _to_the_last_digits(
    loss: _Loss, a: Float[np.ndarray, "latents rank"]
) -> Float[np.ndarray, "latents rank"]:
    """Where quasi-Newton steps, near the optimum, find the gradient to be shortest.

    The loss is flat at its minimum and tells half of the digits only; the others would be left to
    rounding, and differ with the order of the samples.
    """

    def gradient_at(flat: Float[np.ndarray, "1 k"]) -> Float[np.ndarray, "1 k"]:
        return loss(flat.reshape(a.shape))[1].reshape(1, -1)

    flat = a.reshape(1, -1)
    gradient = gradient_at(flat)
    size = np.linalg.norm(gradient)
    if size == 0:
        return a
    # The curvature along the gradient, from which the memory takes its unit.
    memory = Memory(gradient)
    step = gradient * (-_SMALL_STEP * np.linalg.norm(flat) / size)
    memory.add(step, gradient_at(flat + step) - gradient, np.array([True]))
    best, since = flat, 0
    for _ in range(_LAST_STEPS):
        step = memory.direction(gradient)
        flat, before = flat + step, gradient
        gradient = gradient_at(flat)
        memory.add(step, gradient - before, np.array([True]))
        since += 1
        if np.linalg.norm(gradient) < size:
            best, size, since = flat, np.linalg.norm(gradient), 0
        if since == _NO_SHORTER:
            break
    found = best.reshape(a.shape)
    # Never to a saddle point, whose gradient is short too.
    return found if loss(found)[0] <= loss(a)[0] * (1 + _ROUNDING) else a


def _best_start(
    features: Features,
    variance: Float[np.ndarray, " varying"],
    n_latents: int,
    start: Start,
    rng: np.random.Generator,
    known: Solution | None,
) -> Float[np.ndarray, "latents rank"]:
    """Where the best of several starts has come to, in the span of the first components."""
    rank, n_features = features.basis.shape
    number = min(rank, n_features, _SPAN_PER_LATENT * n_latents + _SPAN_MORE)
    span, eigenvalues = features.principal_components(number, variance, rng)
    some: Any = slice(None)
    if n_features > _SEARCH_FEATURES:
        some = np.sort(rng.choice(n_features, _SEARCH_FEATURES, replace=False))
    basis, variance = span @ features.basis[:, some], variance[some]
    first = np.eye(number)[:n_latents]
    scale = np.sqrt(eigenvalues)

    def at_random(n: int) -> Float[np.ndarray, "n components"]:
        return rng.normal(size=(n, number)) * scale

    # Latents beyond the number of components are mixtures of these.
    more = at_random(max(0, n_latents - number))
    starts = [
        np.concatenate([_varimax((first @ basis) * unit).T @ first, more])
        for unit in (1.0, np.sqrt(variance))
    ]
    affordable = max(1, min(_STARTS, _SEARCH_NUMBERS // (n_latents * basis.shape[1])))
    n_starts = start.number(affordable)
    starts = starts[:n_starts]
    starts += [at_random(n_latents) for _ in range(n_starts - len(starts))]
    if known is not None:
        weights = known.encoder[0].weight.detach().numpy()  # type: ignore[index]
        last = features.coordinates(weights)
        if np.einsum("kr,kr->k", last, last).all():
            starts.insert(0, last @ span.T)
    if len(starts) == 1:
        return starts[0] @ span
    a = np.stack(starts)
    a /= np.linalg.norm(a, axis=-1, keepdims=True).clip(np.finfo(np.float64).tiny)
    loss = _Loss(basis, variance)

    def objective(flat: Float[np.ndarray, "starts k"]) -> tuple[Any, Any]:
        values, gradients = loss(flat.reshape(a.shape))
        return values, gradients.reshape(len(flat), -1)

    affordable = _EVALUATED_NUMBERS // (a.shape[0] * n_latents * basis.shape[1])
    evaluations = min(max(_LEAST_EVALUATIONS, affordable), _MOST_EVALUATIONS, start.max_iter)
    x, losses, _ = minimise_batch(
        objective, a.reshape(len(a), -1), evaluations, _SEARCH_TOL, lambda loss: None
    )
    best = int(np.argmax(losses <= losses.min() + _CLEARLY * abs(losses.min())))
    return x[best].reshape(n_latents, number) @ span


def _varimax(loadings: Float[np.ndarray, "components features"]) -> Float[np.ndarray, "k k"]:
    """Rotation that makes the squares of the loadings as uneven as it can (Kaiser 1958)."""
    rotation = np.eye(len(loadings))
    reached = 0.0
    for _ in range(30):
        rotated = rotation.T @ loadings
        squares = rotated * rotated
        target = rotated * (squares - squares.mean(axis=1, keepdims=True))
        left, singular, right = np.linalg.svd(loadings @ target.T)
        rotation = left @ right
        if singular.sum() <= reached * (1 + 1e-4):
            break
        reached = singular.sum()
    return rotation


def _solution(
    features: Features,
    variance: Float[np.ndarray, " varying"],
    a: Float[np.ndarray, "latents rank"],
    history: list[float],
    converged: bool,
) -> Solution:
    """Solution of latents of unit variance."""
    length = np.sqrt(np.einsum("kr,kr->k", a, a))[:, np.newaxis]
    h = a * np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    rho = np.zeros((len(h), len(features.std)))
    rho[:, features.varies] = h @ features.basis
    weights = features.weights(h)
    statistics = PairwiseStatistics(
        weight=features.weight,
        mean_z=np.zeros(len(h)),
        mean_x=features.mean,
        cov_zz=h @ h.T,
        cov_zx=rho * features.std,
        var_x=features.std**2,
    )
    components, intercept = gaussian.ci_linear_map(statistics)
    solution = Solution(
        linear_encoder(weights, -weights @ features.mean),
        LINEAR,
        REAL,
        components,
        intercept,
        history,
        converged,
        statistics,
        features.moments,
        features.missing,
    )
    importance = np.zeros_like(features.std)
    importance[features.varies] = variance
    return solution.in_order(importance)


def covariance_obstacles(decoder: DecoderChoice, encoder: Encoder) -> list[str]:
    """What a kind of decoder and of encoder have that cannot be fitted from a covariance."""
    found = []
    if decoder.latents is not LINEAR:
        found.append(f"{decoder.latents.name} latents")
    if not encoder.linear:
        found.append(repr(encoder))
    kind: Any = decoder.decoder.func
    if decoder.trained:
        found.append("a decoder that is trained")
    # A subclass with another map or loss has another objective.
    elif getattr(kind.objective, "__func__", None) is not _GAUSSIAN_OBJECTIVE:
        found.append(kind.__name__)
    return found


def filled(
    X: Float[np.ndarray, "samples features"], statistics: PairwiseStatistics
) -> Float[np.ndarray, "samples features"]:
    r"""Samples whose missing values are what the factors make us expect, given those observed.

    The features are taken as :math:`x = \mu + Q' (z - \bar z) + e`, with Q the regression on the
    factors and independent noise :math:`e_i` of the variance that they leave: a factor model, of
    which nothing but the statistics of factors and features must be known.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        NaN are missing.
    statistics : PairwiseStatistics
        Of factors and features.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(1000, 1))
    >>> statistics = PairwiseStatistics.of(z, np.hstack([z, 2 * z]))
    >>> filled(np.array([[3.0, np.nan]]), statistics).round(6)
    array([[3., 6.]])
    """
    incomplete = np.flatnonzero(np.isnan(X).any(axis=1))
    if len(incomplete) == 0:
        return X
    mean, std = statistics.mean_x, statistics.std_x
    per_std = np.divide(1.0, std, out=np.zeros_like(std), where=std > 0)
    # Factors of unit variance, uncorrelated: z = root w, x = mean + std (w @ maps + noise).
    eigenvalues, vectors = np.linalg.eigh(statistics.cov_zz)
    kept = eigenvalues > RANK_TOLERANCE * eigenvalues.max(initial=0.0)
    maps = (vectors[:, kept] / np.sqrt(eigenvalues[kept])).T @ (statistics.cov_zx * per_std)
    precision = 1 / np.maximum(1 - np.sum(maps**2, axis=0), _LEAST_NOISE)
    n, n_features = maps.shape
    if n == 0:
        return np.where(np.isnan(X), mean, X).astype(X.dtype)
    products = ((maps * precision)[:, np.newaxis] * maps).reshape(n * n, n_features)
    X = X.copy()
    rows = max(1, _BLOCK * 8 // max(1, n * n))
    for top in range(0, len(incomplete), rows):
        chosen = incomplete[top : top + rows]
        block = X[chosen].astype(np.float64)
        missing = np.isnan(block)
        known = np.where(missing, 0.0, (block - mean) * per_std * precision)
        inverse = ((~missing).astype(np.float64) @ products.T).reshape(-1, n, n) + np.eye(n)
        w = np.linalg.solve(inverse, (known @ maps.T)[..., np.newaxis])[..., 0]
        X[chosen] = np.where(missing, mean + std * (w @ maps), block)
    return X


_GAUSSIAN_OBJECTIVE: Any = GaussianDecoder.objective.__func__  # type: ignore[attr-defined]
