"""MinSyn with vector factors, parts of which are exchanged."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from minsyn import MinSyn
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.balance import balancing_weights
from minsyn.estimators.vectors.grouping import find_groups, given_groups
from minsyn.estimators.vectors.latent_shares import share_latents
from minsyn.information.graph import spectral_groups
from studies.ablation.loss import AblationProblem, FeatureGroup

__all__ = ["ALPHA", "DECODERS", "PARTITIONS", "AblatedMinSyn"]

#: Partitions of the features, with their names in tables.
PARTITIONS = {
    "synergy": "Synergy",
    "correlation": "Correlation",
    "latents": "MinSyn latents alone",
    "random": "Random",
    "none": "None: one group",
}
#: Decoders, with their names in tables.
DECODERS = {
    "single-parent": "Single-parent",
    "free": "Free",
    "ci": "CI",
    "single-parent-linear": "Single-parent (linear)",
    "free-linear": "Free (linear)",
}
#: The penalty of `VectorMinSyn`.
ALPHA = 2e-5


class AblatedMinSyn(TransformerMixin, BaseEstimator):
    r"""MinSyn with vector factors, parts of which are exchanged, fitted by one optimiser.

    Softplus latents in groups, each of which sees the features of its own group alone, and a
    decoder for all of them,

    .. math:: z = \mathrm{softplus}((x - \bar x) (A \circ M)' + b), \quad \hat x = f(z D + c),

    where :math:`M_{ji} = 1` if feature i belongs to latent j's group. All parameters are fitted at
    once by L-BFGS from several random starts under penalties that fall, as in `VectorMinSyn`,
    which fits group by group.

    Parameters
    ----------
    n_components : int
        Number of latents, shared out over the groups as by `VectorMinSyn`.
    partition : {"synergy", "correlation", "latents", "random", "none"} or array-like
        Groups of features. "synergy": as `VectorMinSyn` finds them. "correlation": spectral
        clustering of the squared correlations, with the number where its eigenvalues fall most.
        "latents": no graph of pairs; each feature goes to the one latent of a fitted
        `MinSyn(decoder="gaussian")` that it correlates with most, so that there are up to
        ``n_components`` groups. "random": as many groups as by synergy, of the same sizes, features
        dealt at random. "none": one group. Or an integer label for each feature.
    balance : bool, default=True
        Whether samples are weighted so that the values of each group are evenly spread, in the
        error of the group's features and in the statistics that decode them.
    decoder : {"single-parent", "free", "ci", "single-parent-linear", "free-linear"}
        "single-parent": f is logistic and D trained, each feature from its group's latents.
        "free": all of D is trained. "ci": f is the identity, and D follows in closed form from the
        correlations of each feature with each latent (Eq. 9); gradients run through it. The linear
        ones are trained with f the identity, as the link differs between "ci" and "free".
    alpha : float, default=2e-5
        The last penalty on A and D, also where D is not trained. The stronger penalties of the
        first evaluations belong to the optimiser, and remain if it is 0.
    n_starts : int, default=24
        Random starts; the worse half is dropped each time that the penalty falls.
    max_iter, tol : int, float
        Most evaluations under the last penalty, and the relative fall of the loss over twenty
        evaluations that ends them.
    random_state : int, RandomState instance or None, default=None
        Of the starts and the random partition.

    Attributes
    ----------
    groups_ : ndarray of shape (n_features,)
        Each feature's group, -1 for those that belong to none. No latent sees these; "free" and
        "ci" decode them all the same, if they vary.
    latent_groups_ : ndarray of shape (n_components,)
        The group of each latent.
    encoder_weights_, encoder_bias_ : ndarray
        Of the encoder, for data as they are given.
    components_, intercept_ : ndarray
        Of the decoder: D and c.
    loss_curve_ : list of float
        The lowest loss at each evaluation: weighted, penalised, in squared units.
    n_iter_ : int
        Number of evaluations.
    converged_ : bool
        Whether the loss stopped falling before `max_iter` evaluations.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.random((60, 2)), 5, axis=1)
    >>> model = AblatedMinSyn(2, partition=[0] * 5 + [1] * 5, decoder="ci", n_starts=2).fit(X)
    >>> model.latent_groups_, model.components_.shape
    (array([0, 1]), (2, 10))
    """

    def __init__(
        self,
        n_components: int = 9,
        *,
        partition: Any = "synergy",
        balance: bool = True,
        decoder: str = "single-parent",
        alpha: float = ALPHA,
        n_starts: int = 24,
        max_iter: int = 1000,
        tol: float = 1e-3,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.partition = partition
        self.balance = balance
        self.decoder = decoder
        self.alpha = alpha
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "AblatedMinSyn":
        """Partition the features and fit all latents at once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; in [0, 1] for the decoders that are not linear.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        AblatedMinSyn

        Raises
        ------
        ValueError
            ``decoder`` or ``partition`` is unknown, or X is not in [0, 1] where it must be.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        if self.decoder not in DECODERS:
            raise ValueError(f"decoder={self.decoder!r} is not one of {', '.join(DECODERS)}")
        logistic = self.decoder in ("single-parent", "free")
        if logistic and (X.min() < 0 or X.max() > 1):
            raise ValueError(
                f"decoder={self.decoder!r} is for X in [0, 1]; found {X.min():.3g} to "
                f"{X.max():.3g}. Take {self.decoder + '-linear'!r}"
            )
        random_state = check_random_state(self.random_state)
        groups = self._partition(X, random_state, logistic)
        problem = AblationProblem(
            X, groups, self.n_components, self.decoder.removesuffix("-linear"), logistic
        )
        solver = Annealing(self.alpha, self.max_iter, self.tol, random_state)
        best = solver.minimise(problem, self.n_starts)
        fitted = problem.solution(best.x)
        self.encoder_weights_, self.encoder_bias_ = fitted.encoder_weights, fitted.encoder_bias
        self.components_, self.intercept_ = fitted.components, fitted.intercept
        self.loss_curve_ = [problem.loss_unit * loss for loss in best.history]
        self.n_iter_, self.converged_ = len(best.history), best.converged
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "samples latents"]:
        """Latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.logaddexp(0, X @ self.encoder_weights_.T + self.encoder_bias_)

    def inverse_transform(self, Z: Any) -> Float[np.ndarray, "samples features"]:
        """Reconstructions.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latents.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        X_hat = np.asarray(Z) @ self.components_ + self.intercept_
        return expit(X_hat) if self.decoder in ("single-parent", "free") else X_hat

    def _partition(
        self, X: Float[np.ndarray, "samples features"], random_state: Any, logistic: bool
    ) -> list[Any]:
        """Find the groups, and deal out latents and weights of samples to them."""
        varies = X.min(axis=0) != X.max(axis=0)
        found = given_groups(self._labels(X, varies, random_state), varies)
        own = [np.flatnonzero(features) for features in found.parents]
        ones = np.ones(len(X))
        weights = [
            balancing_weights(X[:, features]) if self.balance and len(features) else ones
            for features in own
        ]
        shares = share_latents(X, found, weights, self.n_components, logistic)
        self.groups_, self.latent_groups_ = found.groups, np.repeat(np.arange(len(own)), shares)
        latents = [np.flatnonzero(self.latent_groups_ == group) for group in range(len(own))]
        nobodys = FeatureGroup(np.flatnonzero(varies & (found.groups < 0)), np.array([], int), ones)
        return [*map(FeatureGroup, own, latents, weights), nobodys]

    def _labels(self, X: Any, varies: Any, random_state: Any) -> Int[np.ndarray, " features"]:
        """Each feature's group."""
        if not isinstance(self.partition, str):
            labels = np.asarray(self.partition)
            if labels.shape != varies.shape or labels.dtype.kind not in "iu":
                raise ValueError(
                    f"partition must be one of {', '.join(PARTITIONS)} or an integer for each of "
                    f"{len(varies)} features; found shape {labels.shape} of {labels.dtype}"
                )
            return labels
        if self.partition == "none":
            return np.zeros(len(varies), int)
        if self.partition == "latents":
            return _nearest_latents(X, self.n_components, random_state)
        if self.partition not in PARTITIONS:
            raise ValueError(f"partition={self.partition!r} is not one of {', '.join(PARTITIONS)}")
        if self.partition == "correlation":
            return _correlated(X, varies, self.n_components)
        labels = find_groups(X, max_groups=self.n_components).groups
        if self.partition == "random":
            labels = labels.copy()
            labels[varies] = random_state.permutation(labels[varies])
        return labels


def _correlated(
    X: Float[np.ndarray, "samples features"],
    varies: Bool[np.ndarray, " features"],
    max_groups: int,
) -> Int[np.ndarray, " features"]:
    """Spectral clustering of the squared correlations of features that vary."""
    labels = np.full(X.shape[1], -1)
    squares = np.corrcoef(X[:, varies].T) ** 2
    labels[varies] = spectral_groups(squares, max_groups=max_groups)[1]
    return labels


def _nearest_latents(
    X: Float[np.ndarray, "samples features"], n_components: int, random_state: Any
) -> Int[np.ndarray, " features"]:
    """The latent of MinSyn (Gaussian) that has the most information about each feature."""
    model = MinSyn(n_components, latents="softplus", random_state=random_state).fit(X)
    return np.abs(model.statistics_.rho).argmax(axis=0)
