"""Vector factors with minimal synergy between them."""

from collections.abc import Sequence
from itertools import count
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from minsyn._progress import stage
from minsyn.data import is_stream
from minsyn.estimators.adam import Adam
from minsyn.estimators.encoders import encode
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.persistence import ModelFormatError, require_array
from minsyn.estimators.small_fits import on_one_thread_if_small
from minsyn.estimators.solution import Solution
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.balance import balancing_weights, values_repeat
from minsyn.estimators.vectors.fit import VectorProblem, fit_vector_factors
from minsyn.estimators.vectors.group_fit import LEAST_VARIANCE
from minsyn.estimators.vectors.grouping import (
    Grouping,
    find_groups,
    given_groups,
    with_decoded_features,
)
from minsyn.estimators.vectors.latent_shares import count_latents, share_latents
from minsyn.estimators.vectors.net_fit import NetSizes, fit_vector_nets
from minsyn.estimators.vectors.parents import add_parents, given_parents
from minsyn.estimators.vectors.summary import GroupSummary, summarise_groups
from minsyn.information import SynergyResult
from minsyn.information.statistics import std_beyond_rounding
from minsyn.training import training_progress

__all__ = ["VectorMinSyn"]

_GROUPS = ("groups_", "parents_", "latent_groups_")


class VectorMinSyn(FactorModel):
    r"""Vector factors: each feature is decoded from one group of latents, or from a few.

    The factors of the paper [1]_ are single numbers. Here each factor is a vector of latents, and
    each feature :math:`x_i` has a single factor :math:`z_{k(i)}` as its parent:

    .. math::

        z_k = g(A_k x_{(k)} + b_k), \quad \hat x_i = f(d_i \cdot z_{k(i)} + c_i),

    where :math:`x_{(k)}` are the features of group k. For data in [0, 1], g is the softplus and f
    the logistic function; otherwise both are the identity. The parent of a feature has all the
    information of the factors about it, so this decoder has no Griffith-Koch synergy between
    factors (Eq. 3, Appendix A). Within a factor, latents may combine freely. Features are grouped
    first, such that each group has factors of its own. Then each group is fitted separately, with
    a squared-error loss.

    With ``max_parents`` or given parents, features may have several factors as their parents, whose
    contributions are added:

    .. math::

        \hat x_i = f\Bigl(\sum_{k \in P(i)} d_{ik} \cdot z_k + c_i\Bigr).

    Groups that share features are fitted together. Of shared features the factors then have as much
    synergy as the sum needs.

    Parameters
    ----------
    n_components : int, list of int or None, default=None
        Number of latents. An int is distributed over the groups, with at least one each. A list has
        one number for each group, in the order of ``groups_``. With None, the number of latents of
        a group is the number of its principal components above the noise.
    n_groups : int or "auto", default="auto"
        Number of groups. With "auto" it is determined by ``grouping`` or by a list of
        ``n_components``, and otherwise by the spectrum of the graph of the features, up to
        ``n_components``.
    grouping : "synergy" or array-like, default="synergy"
        "synergy" finds groups without synergy between them. Alternatively, integer labels of the
        features, with negative labels for features without a group; or the parents of all features
        as a bool array of shape (n_groups, n_features), of which each group must be the only parent
        of some feature. Groups given by labels are numbered in the order of the labels, given
        parents in their order, other groups by their first features.
    max_parents : int or None, default=1
        Maximum number of groups from which a feature is decoded; None is no limit. A feature gets a
        further parent if that explains significantly more than 2 % of what the other parents leave.
        Given parents count as they are.
    balance : bool or "auto", default="auto"
        Whether to weight samples such that the values of each group are evenly distributed. This is
        a prior of uniform factors, with equal weights for rare and common values. It is not part of
        synergy minimisation. With "auto", groups are balanced whose distinct values have two
        samples or more on average, as letters do.
    encoder, decoder : "linear" or sequence of int, default="linear"
        Maps from the features of a group to its latents, and back. Sizes of hidden layers make it
        a net (MLP with SiLU activations): each group has its own, with layers of these sizes. If
        one of the two is a net, latents are linear in its last layer, and `fit` is by Adam.
    solver : Adam or None, default=None
        Optimiser of nets. None is ``Adam(batch_size=64, n_iter_no_change=100)``, with a step size
        of 2 divided by the largest number of inputs of a layer, at most 0.005. Its
        ``n_iter_no_change`` is a number of steps, rounded up to whole epochs.
    alpha : float, default=2e-5
        Penalty on the squared weights of encoder and decoder, relative to the features' variance;
        of nets, on those of the linear model that they begin with.
        It keeps the encoder from amplifying noise in new data.
    n_init : int, default=1
        Number of batches of up to 24 random starts for each group. The best start is kept. As the
        following three, for data in [0, 1] and for nets; other fits are in closed form. Of nets,
        the number of random starts, of which that with the lowest loss on held-out samples is kept.
    max_iter : int, default=5000
        Maximum number of evaluations of a group's loss for each penalty of the annealing; of nets,
        of passes over the data with each step size.
    tol : float, default=1e-3
        The fit stops when the loss falls by no more than this fraction over twenty evaluations. For
        nets, ten times this fraction of the loss on held-out samples over ``n_iter_no_change``
        steps.
    random_state : int, RandomState instance or None, default=None
        Seeds the random starts.
    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder weights: the contribution of each latent to each feature, or to its log odds. Of
        nets, the linear part: the regression of what each group contributes on its latents.
    intercept_ : ndarray of shape (n_features,)
        Reconstruction, or its log odds, when all latents are 0.
    encoder_weights_ : ndarray of shape (n_components, n_features)
        Weights of the encoder, if it is no net.
    encoder_bias_ : ndarray of shape (n_components,)
        Biases of the encoder, if it is no net.
    encoder_, decoder_ : nn.Module
        Nets from features to latents, and from these to the features or their log odds;
        ``decoder_`` is None for linear maps.
    groups_ : ndarray of shape (n_features,)
        The group of each feature, from 0. Features without a group have -1: no latent is fitted to
        them, but those that vary are decoded from the group that tells most about them. The same
        holds for features that another group explains nearly as well; they are in the group that
        they are decoded from.
    parents_ : ndarray of bool, shape (n_groups, n_features)
        Whether each feature is decoded from each group.
    latent_groups_ : ndarray of shape (n_components,)
        The group of each latent.
    eigenvalues_ : ndarray of shape (n_eigenvalues,) or None
        Largest eigenvalues of the graph of the features, in descending order: one of about 1 for
        each group. None if labels were given, or no features are correlated.
    clarity_ : float or None
        How clear the number of groups is: by how much the eigenvalues fall behind it, from 0 to 1.
    link_ : {"logit", "identity"}
        Link function of the decoder: "logit" for data in [0, 1], otherwise "identity".
    loss_curve_ : list of float
        Weighted and penalised squared error at each evaluation, summed over the groups. Of nets,
        the training loss of each epoch: squared error, or cross-entropy for data in [0, 1].
    n_iter_ : int
        Number of evaluations, of the group with the most, or of epochs.
    converged_ : bool
        Whether the fits of all groups converged.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

    Notes
    -----
    All data must be in memory. Without hidden layers, for data in [0, 1] each group is fitted by
    L-BFGS from many random starts at once, with penalties that decrease to ``alpha``; of many
    samples, a part is enough to choose among the starts. Otherwise latents are the principal
    components of the group.

    Nets of all groups are trained as one program, by Adam. A tenth of the samples is held out and
    says when to stop; then all take part. For data beyond [0, 1] nets are added to the linear
    model and begin at 0, so that no net remains where held-out samples gain nothing. The decoder is
    additive: a feature with several parents is the sum of what their nets give [2]_.

    Groups follow from second moments: causes of which no feature shows anything alone, as those of
    an exclusive or, are not found.

    References
    ----------
    .. [1] Ver Steeg, Brekelmans, Harutyunyan and Galstyan, "Disentangled Representations via
       Synergy Minimization", 2017, Sec. II and Appendix A.
    .. [2] Lachapelle, Mahajan, Mitliagkas and Lacoste-Julien, "Additive Decoders for Latent
       Variables Identification and Cartesian-Product Extrapolation", NeurIPS 2023.

    Examples
    --------
    Two groups of columns, one of which has two causes:

    >>> import numpy as np
    >>> from minsyn import VectorMinSyn
    >>> rng = np.random.default_rng(0)
    >>> maps = np.zeros((3, 12))
    >>> maps[0, :5], maps[1:, 5:] = 1.0, rng.normal(size=(2, 7))
    >>> X = rng.normal(size=(300, 3)) @ maps + 0.3 * rng.normal(size=(300, 12))
    >>> model = VectorMinSyn(random_state=0).fit(X)
    >>> model.groups_, model.latent_groups_
    (array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]), array([0, 1, 1]))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "n_groups": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "grouping": [StrOptions({"synergy"}), "array-like"],
        "max_parents": [Interval(Integral, 1, None, closed="left"), None],
        "balance": ["boolean", StrOptions({"auto"})],
        "encoder": [StrOptions({"linear"}), "array-like"],
        "decoder": [StrOptions({"linear"}), "array-like"],
        "solver": [Adam, None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    n_components: Any
    groups_: Int[np.ndarray, " features"]
    parents_: Bool[np.ndarray, "groups features"]
    latent_groups_: Int[np.ndarray, " latents"]
    eigenvalues_: Float[np.ndarray, " n"] | None
    clarity_: float | None
    link_: Literal["logit", "identity"]

    def __init__(
        self,
        n_components: int | Sequence[int] | None = None,
        *,
        n_groups: int | Literal["auto"] = "auto",
        grouping: Any = "synergy",
        max_parents: int | None = 1,
        balance: bool | Literal["auto"] = "auto",
        encoder: Literal["linear"] | Sequence[int] = "linear",
        decoder: Literal["linear"] | Sequence[int] = "linear",
        solver: Adam | None = None,
        alpha: float = 2e-5,
        n_init: int = 1,
        max_iter: int = 5000,
        tol: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.n_groups = n_groups
        self.grouping = grouping
        self.max_parents = max_parents
        self.balance = balance
        self.encoder = encoder
        self.decoder = decoder
        self.solver = solver
        self.alpha = alpha
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def fit(self, X: Any, y: Any = None) -> "VectorMinSyn":
        """Group the features and fit the latents of each group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        VectorMinSyn
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data have NaN or fewer than two samples; or if ``n_components``, ``n_groups``,
            ``grouping`` and ``max_parents`` contradict each other or the data.
        TypeError
            If the data are not an array in memory.
        """
        sizes = NetSizes(*(_hidden_layers(self, name) for name in ("encoder", "decoder")))
        nets = bool(sizes.encoder or sizes.decoder)
        self._check_solver(nets)
        X = self._training_data(X)
        with stage("VectorMinSyn: groups of features", shown=bool(self.verbose)):
            problem = self._problem(X)
        solution = self._fit_nets(problem, sizes) if nets else self._fit_maps(problem)
        self._take(solution)
        self.groups_, self.parents_ = problem.grouping.groups, problem.grouping.parents
        self.latent_groups_ = problem.latent_groups
        self.eigenvalues_, self.clarity_ = problem.grouping.eigenvalues, problem.grouping.clarity
        self.link_ = "logit" if problem.logistic else "identity"
        self._warn_unless_converged(self.max_iter)
        return self

    def _fit_nets(self, problem: VectorProblem, sizes: NetSizes) -> Solution:
        names = ("n_components", "n_groups", "max_parents", "balance", "alpha")
        model: dict[str, Any] = {
            name: repr(getattr(self, name)) for name in (*names, "encoder", "decoder")
        }
        named = isinstance(self.grouping, str)
        # As an array, since its text would leave out most of many labels.
        model["grouping"] = self.grouping if named else np.asarray(self.grouping).astype(np.int64)
        solver = Adam(batch_size=64, n_iter_no_change=100) if self.solver is None else self.solver
        return fit_vector_nets(problem, sizes, solver, self._start(model), self.alpha)

    def _fit_maps(self, problem: VectorProblem) -> Solution:
        shown = bool(self.verbose)
        with (
            # Linear fits have no steps to count; of all groups' steps the number is not known.
            stage("VectorMinSyn: linear maps", shown=shown and not problem.logistic),
            training_progress(
                type(self).__name__, None, steps="evaluations", verbose=shown and problem.logistic
            ) as on_epoch,
        ):
            evaluations = count(1)
            solver = Annealing(
                penalty=self.alpha,
                max_iter=self.max_iter,
                tol=self.tol,
                random_state=check_random_state(self.random_state),
                n_init=self.n_init,
                on_evaluation=lambda loss: on_epoch(next(evaluations), loss),
            )
            return fit_vector_factors(problem, solver)

    def _check_solver(self, nets: bool) -> None:
        """Raise a ValueError if the solver is not for this model."""
        if self.solver is None:
            return
        if not nets:
            given = " ".join(repr(self.solver).split())
            raise ValueError(
                f"solver={given} is for nets: set encoder or decoder to sizes of hidden layers, "
                "such as (64,), or leave solver at None"
            )
        self.solver._validate_params()
        if self.solver.statistics != "exact":
            raise ValueError(
                "statistics='running' is for decoders that are computed from statistics: leave it "
                "at 'exact' for nets"
            )

    def synergy(self, X: Any, **options: Any) -> SynergyResult:
        """Synergy of the vector factors of X about each feature.

        As `MinSyn.synergy`, with each group of latents as one vector source unless ``groups`` says
        otherwise: ``groups=range(n)`` measures the n latents one by one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        **options
            Options of `minsyn.information.synergy`.

        Returns
        -------
        SynergyResult
        """
        check_is_fitted(self)
        return super().synergy(X, **({"groups": self.latent_groups_} | options))

    def summary(self, X: Any) -> GroupSummary:
        """Summary of the groups: their sizes, what they explain of X, and their synergy about it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; those that were held out show what the model is worth.

        Returns
        -------
        GroupSummary
            To be printed, or turned into a DataFrame (``to_frame``).

        Examples
        --------
        >>> import numpy as np
        >>> from minsyn import VectorMinSyn
        >>> rng = np.random.default_rng(0)
        >>> X = np.repeat(rng.normal(size=(300, 2)), [4, 6], axis=1)
        >>> X += 0.3 * rng.normal(size=X.shape)
        >>> VectorMinSyn(random_state=0).fit(X).summary(X)
        group  features  latents  explained
            0         4        1      93.6%
            1         6        1      93.0%
          all        10        2      93.3%
        GK synergy between groups: -0.001 bits
        """
        check_is_fitted(self)
        given, X = X, self._checked(X).astype(np.float64, copy=False)
        gk_synergy = np.nan
        if len(X) > len(self.latent_groups_) + 1:
            gk_synergy = self.synergy(given, measures="gk_synergy").means["gk_synergy"]
        return summarise_groups(
            X,
            self.inverse_transform(encode(self.encoder_, X, self.latents_)),
            self.groups_,
            np.bincount(self.latent_groups_, minlength=len(self.parents_)),
            int(np.sum(self.parents_.sum(axis=0) > 1)),
            gk_synergy,
        )

    def _training_data(self, X: Any) -> Float[np.ndarray, "samples features"]:
        if is_stream(X):
            raise TypeError(
                f"{type(self).__name__} needs an array in memory, and does not support files, "
                f"sparse matrices or torch data sets; found {type(X).__name__}"
            )
        X = self._checked(X, reset=True, ensure_min_samples=2)
        X = X.astype(np.float64, copy=False)
        variance = np.var(X, axis=0)
        varies = std_beyond_rounding(variance, X.mean(axis=0)) > 0
        if _all_probabilities(X):
            varies &= variance > LEAST_VARIANCE
        # What varies by rounding alone has no factors: it is constant from here on.
        return X if varies.all() else np.where(varies, X, X[0])

    def _problem(self, X: Float[np.ndarray, "samples features"]) -> VectorProblem:
        """Groups of features, number of latents of each group, and weights of the samples."""
        logistic = _all_probabilities(X)
        numbers = self._numbers_of_latents(X.shape[1])
        grouping = self._grouping(X, numbers)
        sample_weights = [
            balancing_weights(own) if self._is_balanced(own) else np.ones(len(X))
            for own in (X[:, grouping.core_of(group)] for group in range(grouping.n_groups))
        ]
        if numbers is not None:
            n_latents = numbers
        elif self.n_components is None:
            n_latents = count_latents(X, grouping)
        else:
            n_latents = share_latents(X, grouping, sample_weights, self.n_components, logistic)
        return VectorProblem(X, grouping, n_latents, sample_weights, logistic)

    def _is_balanced(self, X: Float[np.ndarray, "samples k"]) -> bool:
        if X.shape[1] == 0:
            return False
        return values_repeat(X) if self.balance == "auto" else bool(self.balance)

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _GROUPS}
        if self.eigenvalues_ is not None:
            arrays["eigenvalues"] = np.ascontiguousarray(self.eigenvalues_)
        return {"link": self.link_, "clarity": self.clarity_}, arrays

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        n_features = self.n_features_in_
        self.parents_ = require_array(arrays, "parents_", (None, n_features), "b")
        n_groups = len(self.parents_)
        self.groups_ = require_array(arrays, "groups_", (n_features,), "i")
        self.latent_groups_ = require_array(arrays, "latent_groups_", (self.n_components_,), "i")
        outside = self.groups_.min() < -1 or self.latent_groups_.min() < 0
        if outside or max(self.groups_.max(), self.latent_groups_.max()) >= n_groups:
            raise ModelFormatError(f"groups of features or latents are not among the {n_groups}")
        self.link_, self.clarity_ = record["link"], record["clarity"]
        if self.link_ not in ("logit", "identity") or not isinstance(self.clarity_, float | None):
            raise ModelFormatError(f"link={self.link_!r:.40}, clarity={self.clarity_!r:.40}")
        self.eigenvalues_ = None
        if "eigenvalues" in arrays:
            self.eigenvalues_ = require_array(arrays, "eigenvalues", (None,))

    def _numbers_of_latents(self, n_features: int) -> Int[np.ndarray, " groups"] | None:
        """Number of latents of each group, if ``n_components`` is a list."""
        numbers = None
        if self.n_components is not None and not isinstance(self.n_components, Integral):
            numbers = np.asarray(self.n_components)
            one_dimensional = numbers.ndim == 1 and numbers.size > 0
            if not one_dimensional or numbers.dtype.kind not in "iu" or numbers.min() < 1:
                raise ValueError(
                    f"n_components={self.n_components!r} must be None, a positive int, or a list "
                    "of positive ints, one for each group"
                )
        n_latents = 0 if self.n_components is None else int(np.sum(self.n_components))
        if n_latents > n_features:
            raise ValueError(
                f"n_components={self.n_components!r} must be at most the number of features, "
                f"{n_features}" + (", in total" if numbers is not None else "")
            )
        return numbers

    def _grouping(
        self, X: Float[np.ndarray, "samples features"], numbers: Int[np.ndarray, " groups"] | None
    ) -> Grouping:
        """Groups and parents of the features; raises a ValueError if parameters contradict."""
        asked: dict[str, int] = {}
        if self.n_groups != "auto":
            asked[f"n_groups={self.n_groups}"] = int(self.n_groups)
        if numbers is not None:
            asked[f"n_components={self.n_components!r}"] = len(numbers)
        given = None
        if not isinstance(self.grouping, str):
            labels = _checked_labels(self.grouping, X.shape[1])
            if labels.ndim == 2:
                given = given_parents(X, labels)
            else:
                given = given_groups(labels, X.min(axis=0) != X.max(axis=0))
            asked["grouping (without features that do not vary)"] = given.n_groups
        if len(set(asked.values())) > 1:
            found = " and ".join(f"{name} asks for {number}" for name, number in asked.items())
            raise ValueError(f"the number of groups is contradictory: {found}")
        n_groups = next(iter(asked.values()), None)
        max_groups = int(self.n_components) if isinstance(self.n_components, Integral) else None
        if n_groups is not None and max_groups is not None and n_groups > max_groups:
            raise ValueError(
                f"n_components={max_groups} leaves some of the {n_groups} groups without a "
                "latent: raise it, or use fewer groups"
            )
        several = self.max_parents is not None and self.max_parents > 1
        if several and 1 in (n_groups, max_groups):
            raise ValueError(
                f"max_parents={self.max_parents} needs two groups, but the other parameters allow "
                "only one: raise n_groups or n_components, or set max_parents=1"
            )
        grouping = given
        if grouping is None:
            grouping = find_groups(X, n_groups=n_groups, max_groups=max_groups)
        if np.ndim(self.grouping) < 2:
            grouping = add_parents(X, grouping, self.max_parents)
        return with_decoded_features(X, grouping)


def _all_probabilities(X: Float[np.ndarray, "samples features"]) -> bool:
    return bool(X.min() >= 0 and X.max() <= 1)


def _hidden_layers(parameters: Any, name: str) -> tuple[int, ...]:
    """Sizes of the hidden layers of a map."""
    value = getattr(parameters, name)
    if isinstance(value, str):
        return ()
    sizes = np.asarray(value)
    if sizes.ndim != 1 or len(sizes) == 0 or sizes.dtype.kind not in "iu" or sizes.min() < 1:
        raise ValueError(
            f"{name}={value!r} must be 'linear' or the sizes of the hidden layers, as positive "
            "integers, such as (64,)"
        )
    return tuple(int(size) for size in sizes)


def _checked_labels(grouping: Any, n_features: int) -> np.ndarray:
    labels = np.asarray(grouping)
    if labels.dtype == bool and labels.ndim == 2 and labels.shape[1] == n_features and len(labels):
        return labels
    if labels.shape != (n_features,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"grouping must be 'synergy', an integer label for each of {n_features} features, or "
            f"their parents as a bool array of shape (n_groups, {n_features}); found shape "
            f"{labels.shape} of {labels.dtype}"
        )
    return labels
