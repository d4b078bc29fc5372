"""Linear CorEx: linear factors that explain as much total correlation as they can."""

import itertools
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from minsyn.estimators.encoders import linear_encoder
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.features import Features, Rows
from minsyn.estimators.persistence import ModelFormatError, require_array
from minsyn.estimators.problem import checked_n_components
from minsyn.estimators.small_fits import on_one_thread_if_small
from minsyn.estimators.solution import Solution, order_and_signs
from minsyn.estimators.start import OnEpoch
from minsyn.information._magnitude import LARGEST
from minsyn.information.ci import gaussian
from minsyn.information.statistics import Moments, PairwiseStatistics
from minsyn.nn.latents import LINEAR
from minsyn.nn.observations import REAL

__all__ = ["LinearCorex"]

#: Shrinkage of the first fits, each of which starts the next: with much noise in the features
#: there are few local optima.
_ANNEALING = tuple(0.6 ** (2 * k) for k in range(1, 7))
#: Fits that only start the next one end at this relative fall of the loss.
_ROUGH_TOL = 1e-5
#: Standard deviation of the latents at the start, where that of their noise is 1.
_START_STD = 0.1
#: The least share of a feature's variance that is left, from which on it is rounding.
_LEAST_ERROR = 1e-13
#: Pairs of steps and gradient changes that L-BFGS remembers.
_MEMORY = 20
#: SciPy's status of an L-BFGS-B that ran out of iterations or evaluations.
_OUT_OF_ITERATIONS = 1


class LinearCorex(FactorModel):
    r"""Linear CorEx, total correlation explanation by linear factors.

    Latents :math:`z_j = w_j \cdot x + \epsilon_j` of standardised features, with unit noise, are
    found that minimise [1]_

    .. math:: \sum_i \tfrac12 \log \langle (x_i - \mu_i(z))^2 \rangle
              + \sum_j \tfrac12 \log \langle z_j^2 \rangle.

    Here :math:`\mu_i` is the decoder without CI synergy, Eq. 9 of the paper on synergy [2]_, which
    takes latents for independent given a feature. The objective is minus a lower bound of the
    total correlation that the latents explain, in nats, if each feature has one parent. `MinSyn`
    with the Gaussian decoder minimises the plain sum of the same squared errors instead. Its
    logarithm makes LinearCorex independent of the features' units, and lets each feature count by
    the information that is known about it.

    Parameters
    ----------
    n_components : int, default=2
        Number of latents.
    shrinkage : float, default=0.01
        Share of independent noise: ``(1 - shrinkage) * R + shrinkage * I`` takes the place of the
        correlations R. With 0, as in [1]_, the bound of the total correlation grows without end
        where features duplicate each other.
    n_init : int, default=4
        Number of random starts; the one with the lowest loss is kept.
    max_iter : int, default=5000
        Maximum number of iterations of L-BFGS.
    tol : float, default=1e-9
        Iterations stop when one lowers the loss by less than this fraction, or by less than this
        number of nats.
    random_state : int, RandomState instance or None, default=None
        Seeds the starts.
    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder weights, for latents of unit variance.
    intercept_ : ndarray of shape (n_features,)
        Means of the features.
    encoder_weights_ : ndarray of shape (n_components, n_features)
        Encoder weights.
    encoder_bias_ : ndarray of shape (n_components,)
        Encoder biases.
    total_correlation_ : float
        The bound, in nats: minus the loss.
    parents_ : ndarray of shape (n_features,)
        The latent that tells most about each feature; -1 for constant features.
    statistics_ : PairwiseStatistics
        Means and covariances of latents and features.
    loss_curve_ : list of float
        Loss of each iteration of the best start's last fit.
    n_iter_ : int
        Number of these iterations.
    converged_ : bool
        Whether they converged.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

    References
    ----------
    .. [1] Ver Steeg and Galstyan, "Low complexity Gaussian latent factor models and a blessing of
       dimensionality", arXiv:1706.03353, 2017; later "Fast structure learning with modular
       regularization", NeurIPS 2019.
    .. [2] Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017.

    Examples
    --------
    Two causes, each seen in three features:

    >>> import numpy as np
    >>> from minsyn.estimators import LinearCorex
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(300, 2)), 3, axis=1) + 0.5 * rng.normal(size=(300, 6))
    >>> model = LinearCorex(2, random_state=0).fit(X)
    >>> model.parents_
    array([1, 1, 1, 0, 0, 0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": [Interval(Real, 0, 1, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    total_correlation_: float
    statistics_: PairwiseStatistics
    #: Deviations of the latents with their noise, and without shrinkage of the features.
    _noisy_std: Float[np.ndarray, " latents"]

    def __init__(
        self,
        n_components: int = 2,
        *,
        shrinkage: float = 0.01,
        n_init: int = 4,
        max_iter: int = 5000,
        tol: float = 1e-9,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data. Their origin and units do not matter.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        LinearCorex
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data have NaN, fewer than two samples, or fewer features than components.
        """
        X = self._checked(X, reset=True, ensure_min_samples=2)
        n_components = int(checked_n_components(self.n_components, X.shape[1]))
        features = Features.of(Rows(X) if len(X) < X.shape[1] else Moments.of(X))
        start = self._start({})
        found = []
        for number in range(1, self.n_init + 1):
            rng = np.random.default_rng(int(start.generator().initial_seed()))
            with start.progress(1.0, "iterations", number, self.n_init) as on_iteration:
                found.append(self._fit_once(features, n_components, rng, on_iteration))
        weights, history, converged = min(found, key=lambda fit: fit[1][-1])
        solution, self._noisy_std = _solution(features, self.shrinkage, weights, history, converged)
        self._take(solution)
        self._warn_unless_converged(self.max_iter)
        return self

    @property
    def parents_(self) -> Int[np.ndarray, " features"]:
        """The latent that tells most about each feature; -1 for constant features."""
        statistics = self._fitted_statistics("parents_")
        noisy_std = np.where(self._noisy_std > 0, self._noisy_std, 1.0)
        strength = np.abs(statistics.rho / noisy_std[:, np.newaxis])
        return np.where(strength.max(axis=0) > 0, strength.argmax(axis=0), -1)

    def get_covariance(self) -> Float[np.ndarray, "features features"]:
        r"""Covariance of the features, from the factors.

        Correlations are :math:`\sum_j u_{ij} u_{kj}` with the decoder's weights u of standardised
        variables, divided by what shrinkage left of them.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            Its diagonal is the variances of the training data.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(5000, 1)) + rng.normal(size=(5000, 3))  # correlations are 1/2
        >>> LinearCorex(1, random_state=0).fit(X).get_covariance()[0].round(1)
        array([2., 1., 1.])
        """
        check_is_fitted(self)
        weights = self.components_ * self._noisy_std[:, np.newaxis]
        covariance = weights.T @ weights
        np.fill_diagonal(covariance, self.statistics_.std_x**2)
        return covariance

    def _fit_once(
        self,
        features: Features,
        n_components: int,
        rng: np.random.Generator,
        on_iteration: OnEpoch,
    ) -> tuple[Float[np.ndarray, "latents varying"], list[float], bool]:
        """Weights of standardised features from one random start, losses, and convergence."""
        n_varying = features.basis.shape[1]
        weights = rng.normal(size=(n_components, n_varying))
        if n_varying == 0:
            return weights, [0.0], True
        std = np.linalg.norm(weights @ features.basis.T, axis=1, keepdims=True)
        weights *= _START_STD / std
        history: list[float] = []
        iterations = itertools.count(1)

        def record(intermediate_result: Any) -> None:
            history.append(float(intermediate_result.fun))
            on_iteration(next(iterations), history[-1])

        settled = False
        for shrinkage in (*(s for s in _ANNEALING if s > self.shrinkage), self.shrinkage):
            last = shrinkage == self.shrinkage
            loss = _Loss(features.basis, shrinkage)
            a = loss.coordinates(weights)
            history.clear()

            def objective(
                flat: Float[np.ndarray, " k"], loss: _Loss = loss, shape: Any = a.shape
            ) -> tuple[float, Float[np.ndarray, " k"]]:
                value, gradient = loss(flat.reshape(shape))
                return value, gradient.ravel()

            options: Any = {
                "maxiter": self.max_iter,
                "maxfun": 2 * self.max_iter,
                "maxcor": _MEMORY,
                "ftol": self.tol if last else max(self.tol, _ROUGH_TOL),
                "gtol": 0.0,
            }
            result: Any = minimize(
                objective, a.ravel(), jac=True, method="L-BFGS-B", callback=record, options=options
            )
            settled = result.status != _OUT_OF_ITERATIONS
            a = result.x.reshape(a.shape)
            if not history:  # the start was the optimum
                history.append(float(result.fun))
            weights = loss.weights(a, features)
        return weights, history, settled

    def _take(self, solution: Solution) -> None:
        super()._take(solution)
        assert solution.statistics is not None
        self.statistics_ = solution.statistics
        self.total_correlation_ = 0.0 - solution.loss_curve[-1]  # never -0

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"noisy_std": self._noisy_std}

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        noisy_std = require_array(arrays, "noisy_std", (len(self.components_),))
        with np.errstate(over="ignore"):
            largest = np.abs(self.components_ * noisy_std[:, np.newaxis]).max()
        if noisy_std.min() < 0 or largest > LARGEST**2:
            raise ModelFormatError("noisy_std must be positive, and fit components of some data")
        self._noisy_std = noisy_std


class _Loss:
    """Minus the bound of total correlation, by the coordinates of the latents, and its gradient.

    Coordinates are a vector whose products with those of the features are the covariances with
    them, and whose square length is a latent's variance without its noise. There is one for each of
    the basis, then one for the noise of each feature.

    Parameters
    ----------
    basis : ndarray of shape (rank, n_features)
        Standardised features as columns of unit length.
    shrinkage : float
        Share of noise in each feature.
    """

    def __init__(self, basis: Float[np.ndarray, "rank features"], shrinkage: float) -> None:
        self._basis = basis
        self._signal, self._noise = np.sqrt(1 - shrinkage), np.sqrt(shrinkage)

    def __call__(
        self, a: Float[np.ndarray, "latents coordinates"]
    ) -> tuple[float, Float[np.ndarray, "latents coordinates"]]:
        """Loss in nats and its gradient."""
        rho, sigma, h, std = self.correlations(a)
        u = gaussian.ci_decoder(rho).coefficients
        error = 1 - 2 * np.sum(u * rho, axis=0) + np.sum(u * (sigma @ u), axis=0)
        np.maximum(error, _LEAST_ERROR, out=error)
        # The derivative of log(error) / 2 is that of an error which counts by 1 / (2 error).
        _, d_rho, d_sigma = gaussian.squared_error(rho, sigma, 0.5 / error)
        np.fill_diagonal(d_sigma, 0.0)
        d_h = 2 * (d_sigma @ h)
        rank = len(self._basis)
        d_h[:, :rank] += self._signal * (d_rho @ self._basis.T)
        if self._noise:
            d_h[:, rank:] += self._noise * d_rho
        # Back through the latents' standard deviations, whose logarithms are in the loss.
        d_h -= h * (np.einsum("kr,kr->k", d_h, h)[:, np.newaxis] - 1)
        return float(np.log(error).sum() / 2 + np.log(std).sum()), d_h / std

    def correlations(
        self, a: Float[np.ndarray, "latents coordinates"]
    ) -> tuple[
        Float[np.ndarray, "latents features"],
        Float[np.ndarray, "latents latents"],
        Float[np.ndarray, "latents coordinates"],
        Float[np.ndarray, "latents 1"],
    ]:
        """With the features, among latents; coordinates and deviations of latents with noise."""
        std = np.sqrt(1 + np.einsum("kr,kr->k", a, a))[:, np.newaxis]
        h, rank = a / std, len(self._basis)
        rho = self._signal * (h[:, :rank] @ self._basis)
        if self._noise:
            rho += self._noise * h[:, rank:]
        sigma = h @ h.T
        np.fill_diagonal(sigma, 1.0)
        return rho, sigma, h, std

    def coordinates(
        self, weights: Float[np.ndarray, "latents features"]
    ) -> Float[np.ndarray, "latents coordinates"]:
        """Coordinates of latents by their weights of standardised features."""
        of_signal = self._signal * (weights @ self._basis.T)
        return np.hstack([of_signal, self._noise * weights]) if self._noise else of_signal

    def weights(
        self, a: Float[np.ndarray, "latents coordinates"], features: Features
    ) -> Float[np.ndarray, "latents features"]:
        """Weights of standardised features, the inverse of `coordinates`."""
        if self._noise:
            return a[:, len(self._basis) :] / self._noise
        return (features.weights(a) * features.std)[:, features.varies]


def _solution(
    features: Features,
    shrinkage: float,
    weights: Float[np.ndarray, "latents varying"],
    history: list[float],
    converged: bool,
) -> tuple[Solution, Float[np.ndarray, " latents"]]:
    """Solution of latents of unit variance, and their deviations with noise."""
    loss = _Loss(features.basis, shrinkage)
    rho, components, encoder = np.zeros((3, len(weights), len(features.std)))
    # With its noise: a latent that is nearly all noise comes last.
    rho[:, features.varies] = loss.correlations(loss.coordinates(weights))[0]
    order, signs = order_and_signs(rho, np.ones(rho.shape[1]))
    weights = signs[:, np.newaxis] * weights[order]
    noisy, _, _, std = loss.correlations(loss.coordinates(weights))
    signal = weights @ features.basis.T
    length = np.linalg.norm(signal, axis=1, keepdims=True)
    per_length = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    signal, std = signal * per_length, std * per_length
    rho[:, features.varies] = signal @ features.basis
    decoder = gaussian.ci_decoder(noisy).coefficients * features.std[features.varies]
    components[:, features.varies] = np.divide(
        decoder, std, out=np.zeros_like(decoder), where=std > 0
    )
    encoder[:, features.varies] = per_length * weights / features.std[features.varies]
    statistics = PairwiseStatistics(
        weight=features.weight,
        mean_z=np.zeros(len(rho)),
        mean_x=features.mean,
        cov_zz=signal @ signal.T,
        cov_zx=rho * features.std,
        var_x=features.std**2,
    )
    solution = Solution(
        linear_encoder(encoder, -encoder @ features.mean),
        LINEAR,
        REAL,
        components,
        features.mean,
        history,
        converged,
        statistics,
    )
    return solution, std[:, 0] / np.sqrt(1 - shrinkage)
