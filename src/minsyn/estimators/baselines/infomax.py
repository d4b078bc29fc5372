"""InfoMax independent component analysis, with scikit-learn's interface."""

from inspect import signature
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import _fit_context
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from minsyn._progress import stage
from minsyn._warnings import warn
from minsyn.estimators.latent_transformer import LatentTransformer
from minsyn.estimators.problem import checked_latents, finite_latents, finite_reconstructions
from minsyn.estimators.small_fits import on_one_thread_if_small

__all__ = ["InfoMax"]

#: Standard deviations from here on have reciprocals, also in units of which they are few.
_LEAST_STD = 1e-290


class InfoMax(LatentTransformer):
    """Independent component analysis by information maximisation, after a reduction by PCA.

    The algorithm is that of Bell and Sejnowski [1]_, as implemented in mne, which the extra
    ``minsyn[infomax]`` installs. It uses the logistic non-linearity, for sources with heavy tails,
    and not the "extended" variant.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of components; None is ``min(n_samples, n_features)``. Directions without variance
        are left out of the rotation, and their components are zero.
    max_iter : int, default=1000
        Maximum number of passes over the data.
    tol : float, default=1e-7
        Iterations stop when the sum of squared changes of the weights in one pass is less than
        this, or when the direction of the change has been steady for 20 passes.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of the samples.
    verbose : int, default=0
        Whether to show that the fit goes on.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder weights: the contribution of each source to each feature (the transposed mixing
        matrix).
    unmixing_ : ndarray of shape (n_components, n_features)
        Sources are ``(X - mean_) @ unmixing_.T``.
    mean_ : ndarray of shape (n_features,)
        Means of the features.
    n_iter_ : int
        Number of passes over the data.
    converged_ : bool
        Whether the weights converged before ``max_iter``.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

    References
    ----------
    .. [1] Bell and Sejnowski, "An information-maximization approach to blind separation and blind
       deconvolution", Neural Computation 7(6), 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.estimators import InfoMax
    >>> sources = np.random.default_rng(0).laplace(size=(500, 2))
    >>> X = sources @ np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    >>> model = InfoMax(n_components=2, random_state=0).fit(X)
    >>> correlations = np.abs(np.corrcoef(model.transform(X).T, sources.T)[:2, 2:])
    >>> bool(np.all(correlations.max(axis=0) > 0.98))
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        max_iter: int = 1000,
        tol: float = 1e-7,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        InfoMax
            The fitted estimator.

        Raises
        ------
        ImportError
            If mne is not installed.
        ValueError
            If the data have NaN, fewer than two samples, or fewer features or samples than
            components.
        """
        X = self._checked(X, reset=True, ensure_min_samples=2)
        with stage("InfoMax", shown=bool(self.verbose)):
            return self._fit(X)

    def _fit(self, X: Float[np.ndarray, "samples features"]) -> Self:
        if self.n_components is not None and self.n_components > min(X.shape):
            raise ValueError(
                f"n_components={self.n_components} must be at most min(n_samples, n_features) = "
                f"{min(X.shape)}"
            )
        with np.errstate(invalid="ignore"):  # the total variance may be zero
            pca = PCA(self.n_components, svd_solver="full").fit(X.astype(np.float64, copy=False))
        scale = pca.singular_values_ / np.sqrt(len(X))
        rounding = _rounding(X.dtype, X.shape) * max(scale.max(), np.linalg.norm(pca.mean_))
        varies = scale > max(rounding, _LEAST_STD)
        self.mean_ = pca.mean_
        self.components_ = np.zeros_like(pca.components_)
        self.unmixing_ = np.zeros_like(pca.components_)
        directions, scale = pca.components_[varies], scale[varies]
        white = (X - pca.mean_) @ directions.T / scale
        rotation, self.n_iter_, self.converged_ = self._rotation(white)
        directions[:, X.min(axis=0) == X.max(axis=0)] = 0.0  # where they are rounding
        self.unmixing_[varies] = rotation / scale @ directions
        self.components_[varies] = (
            np.linalg.solve(rotation, np.eye(len(scale))).T * scale @ directions
        )
        if not self.converged_:
            warn(
                f"InfoMax stopped at max_iter={self.max_iter} before its weights converged; "
                "raise max_iter",
                ConvergenceWarning,
            )
        return self

    def _rotation(
        self, white: Float[np.ndarray, "samples components"]
    ) -> tuple[Float[np.ndarray, "components components"], int, bool]:
        """Unmixing matrix of whitened data, number of passes, and whether it converged."""
        n_components = white.shape[1]
        if n_components < 2:
            return np.eye(n_components), 1, True
        try:
            from mne.preprocessing import infomax
        except ImportError as error:
            raise ImportError(
                "InfoMax needs mne, which is not installed: pip install 'minsyn[infomax]'"
            ) from error
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        order = _CountedOrders(np.random.PCG64(seed))
        # mne reports max_iter passes whether or not the weights converged.
        named = "rng" if "rng" in signature(infomax).parameters else "random_state"  # before 1.13
        weights = infomax(
            white,
            extended=False,
            max_iter=self.max_iter,
            w_change=self.tol,
            verbose="ERROR",
            **{named: order},
        )
        return weights, order.n_passes, order.n_passes < self.max_iter

    def transform(self, X: Any) -> Any:
        """Sources of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Sources.

        Raises
        ------
        ValueError
            If a source exceeds the type of the data.
        """
        check_is_fitted(self)
        X = self._checked(X)
        with np.errstate(over="ignore"):
            Z = ((X - self.mean_) @ self.unmixing_.T).astype(X.dtype, copy=False)
        return finite_latents(Z)

    def inverse_transform(self, Z: Any) -> Float[np.ndarray, "samples features"]:
        """Reconstruct data from sources.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Sources, as returned by `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions.

        Raises
        ------
        ValueError
            If Z has another shape or missing values, or reconstructions exceed float64.
        """
        check_is_fitted(self)
        Z = checked_latents(Z, len(self.components_))
        with np.errstate(over="ignore", invalid="ignore"):
            return finite_reconstructions(Z @ self.components_ + self.mean_)

    def score(self, X: Any, y: Any = None) -> float:
        """Negative squared error, summed over the features and averaged over the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        y : ignored
            Present for scikit-learn's interface.
        """
        check_is_fitted(self)
        X = self._checked(X)
        reconstruction = self.inverse_transform((X - self.mean_) @ self.unmixing_.T)
        return -float(np.mean(np.sum((X - reconstruction) ** 2, axis=1)))


def _rounding(dtype: Any, shape: tuple[int, int]) -> float:
    """Relative rounding error of the data, the SVD and the means."""
    n_samples, n_features = shape
    largest = max(16, min(n_samples, n_features))
    return float(largest * np.finfo(dtype).eps + n_samples * np.finfo(np.float64).eps)


class _CountedOrders(np.random.Generator):
    """Generator that counts the passes of mne, which draws an order of the samples in each."""

    n_passes = 0

    def uniform(self, *args: Any, **kwargs: Any) -> Any:
        self.n_passes += 1
        return super().uniform(*args, **kwargs)
