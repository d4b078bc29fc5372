"""Representations with minimal synergy, the paper's method."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from minsyn._progress import stage
from minsyn._warnings import warn
from minsyn.data import as_samples, is_stream
from minsyn.estimators.adam import Adam
from minsyn.estimators.covariance import CovarianceSolver, covariance_obstacles, filled
from minsyn.estimators.encoders import find_encoder
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.features import Features
from minsyn.estimators.free import Free
from minsyn.estimators.module import DecoderChoice, find_decoder_choice
from minsyn.estimators.number import CRITERIA, choose_number, scree_of
from minsyn.estimators.partial_fit import PartialFit, check_one_step
from minsyn.estimators.persistence import require_array
from minsyn.estimators.problem import (
    ArrayProblem,
    ModelSpec,
    MomentsProblem,
    Problem,
    StreamProblem,
)
from minsyn.estimators.run import Run
from minsyn.estimators.small_fits import on_one_thread_if_small
from minsyn.estimators.solution import Solution
from minsyn.estimators.solvers import choose_solver
from minsyn.estimators.weighted import WeightsIf
from minsyn.information.statistics import Moments, PairwiseStatistics
from minsyn.metrics import AveragePartial, Scree
from minsyn.nn import LATENTS, Decoder
from minsyn.nn.observations import Categorical
from minsyn.training.worker import worker_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MinSyn"]


class MinSyn(FactorModel):
    r"""Representation learning with minimal synergy: each factor is informative by itself.

    `MinSyn` is an autoencoder with the encoder :math:`z = f(W x + b)` and a decoder that is
    computed in closed form instead of trained. The decoder :math:`p_{CI}(x_i \mid z)` agrees with
    every pairwise marginal :math:`p(x_i, z_j)`, and has no CI synergy among the latents about any
    feature. Only the encoder is fitted, to minimise the reconstruction loss.

    Parameters
    ----------
    n_components : int or str, default="auto"
        Number of factors. It can be chosen from the correlations of the features:

        - "auto" by parallel analysis (`minsyn.metrics.parallel_analysis`): as many factors as have
          eigenvalues above those of independent features.
        - "empirical-kaiser" by the empirical Kaiser criterion, which finds more factors where these
          are correlated or the samples few.
        - "minimum-average-partial" by Velicer's criterion, which needs no number of samples.

        None of them is right on all data: try another where factors are known to correlate.
    decoder : str, Decoder class or Free, default="gaussian"
        Kind of decoder, as a name in `minsyn.nn.DECODERS`:

        - "gaussian" (Eq. 9): linear decoder, squared error, for real values.
        - "bernoulli" (Eq. 10): sigmoid latents, logistic decoder, cross-entropy, for data in
          [0, 1].
        - "gaussian-bernoulli" and "bernoulli-gaussian": latents as in the first kind, data as in
          the second.
        - "single-parent": each feature is decoded from its most correlated latent alone, without GK
          synergy (Eq. 17).

        A subclass of `minsyn.nn.Decoder` is accepted too, or a `functools.partial` of one with
        options, such as ``partial(GaussianCategoricalDecoder, sizes=[3, 4])`` for categorical data
        in one-hot columns. With `minsyn.Free` the decoder is trained, with a penalty on its
        synergy.
    latents : {"auto", "linear", "softplus", "sigmoid"}, default="auto"
        Map from pre-activations to latents. "linear" leaves them unchanged, "softplus" makes them
        positive, as in the paper; decoders treat both as Gaussian. "sigmoid" maps them to [0, 1],
        for decoders of binary latents. "auto" is linear for ``decoder="gaussian"``, and the kind of
        the decoder otherwise.
    encoder : "linear", None, tuple or list of int, or nn.Module, default="linear"
        "linear" or None is a linear encoder. The sizes of hidden layers give an MLP (with SiLU
        activations) of the scaled features. A custom module maps X, unscaled and in float32, to
        pre-activations of shape (n_samples, n_components); give this number. It is copied, and
        training starts from its weights.
    solver : {"auto", "covariance", "lbfgs"} or Adam, default="auto"
        "covariance" fits linear latents with the decoder "gaussian" from the covariance of the
        features, in one pass over the data. "lbfgs" fits a linear encoder to an array in memory, in
        about a tenth of Adam's iterations.
        `minsyn.Adam` fits any encoder and decoder, in mini-batches or on the whole data, as in the
        paper. "auto" is the first of these that supports the problem, "lbfgs" only if the samples
        span at most 2,000 dimensions.
    n_init : int or "auto", default="auto"
        Number of random starts. Adam fits all of them and keeps the one with the lowest training
        loss. L-BFGS compares them on clusters of features, and fits only the best until
        convergence. "auto" is 1 for Adam, up to 6 for L-BFGS and up to 8 for the covariance,
        depending on their cost.
    max_iter : int, default=5000
        Maximum number of passes over the data (Adam) or iterations (L-BFGS).
    tol : float, default=1e-3
        Tolerance for convergence: the relative fall of the loss over ``n_iter_no_change`` epochs of
        Adam. L-BFGS uses a fifth of it over ten iterations, and the covariance a
        hundred-thousandth of it over three.
    standardize : bool, default=False
        Whether all features count alike, as in factor analysis: for features of different units.
        By default they count by their variance, as in PCA and in the paper: for features of one
        unit, such as pixels. The model takes and returns unscaled data in both cases.
    random_state : int, RandomState instance or None, default=None
        Seeds the random starts and the order of mini-batches.
    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder weights: the contribution of each factor to each feature, or to its log odds.
    intercept_ : ndarray of shape (n_features,)
        Reconstruction, or its log odds, when all latents are 0.
    encoder_ : nn.Module
        Encoder in evaluation mode. It returns the pre-activations of the original X, in float64 (in
        float32 for a custom module).
    encoder_weights_ : ndarray of shape (n_components, n_features)
        Weights of the linear encoder, for the original X.
    encoder_bias_ : ndarray of shape (n_components,)
        Biases of the linear encoder.
    n_components_ : int
        Number of factors, given or found.
    statistics_ : PairwiseStatistics
        Statistics of latents and features from which the decoder was computed.
    loss_curve_ : list of float
        Training loss of each epoch or iteration of the best start, in the units of minus `score`.
    n_iter_ : int
        Number of epochs or iterations of the best start.
    converged_ : bool
        Whether the best start converged.
    scree_ : Scree or AveragePartial
        Eigenvalues, and what they must exceed to count as factors.
    loadings_ : DataFrame of shape (n_features, n_components)
        Correlations of features and factors. `describe` returns them with all that follows.
    communality_ : Series of shape (n_features,)
        Share of each feature's variance that the factors explain together.
    factor_correlation_ : DataFrame of shape (n_components, n_components)
        Correlations of the factors, which are those of the scores that `transform` returns.
    missing_ : float
        Share of the values that were missing in `fit`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` has string column names.

    See Also
    --------
    VectorMinSyn : Factors that consist of several latents each.

    Notes
    -----
    Data are read by blocks, in constant memory, if X is the path of a ``.npy``, ``.npz``,
    ``.parquet`` or ``.csv`` file, a sparse matrix, a Dataset or DataLoader of torch, or a result of
    `minsyn.data.as_samples`. Linear Gaussian models need one pass over them. Other models are
    fitted by Adam, with one pass per epoch. There are two further passes: one before training, for
    the means, and one after, for exact statistics. An automatic number of factors takes one more
    pass, and so do the initial weights of a trained decoder. Covariances, which that number and
    linear Gaussian models follow from, need memory for n_features x n_features numbers, or for
    n_samples x n_features where samples are fewer.

    Constant features and latents have zero weight, and correlations of 1 are handled as limits, so
    the decoder is finite for all finite data. Features of a standard deviation below 1e-146, whose
    square float64 holds with few digits, count as constant.

    Factors are in the order of the variance that each explains alone, and the strongest loading of
    each is positive. Order and signs therefore do not change with the seed. There are two
    exceptions: softplus latents have no sign to choose, and an ``encoder`` module keeps its outputs
    as they are.

    A linear Gaussian model, the default, follows from the covariance of the features. The
    covariance is read in one pass, and the model is the same whether the data come from memory,
    from a file, in parts, or as a matrix. Its latents have mean 0 and unit variance. Missing values
    (NaN) are allowed: covariances come from the samples that have both features, and `transform`
    uses the expectation given the observed values.

    References
    ----------
    Ver Steeg, Brekelmans, Harutyunyan and Galstyan, "Disentangled Representations via Synergy
    Minimization", 2017, Sec. III and Appendix B.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn import MinSyn
    >>> rng = np.random.default_rng(0)
    >>> causes = rng.exponential(size=(200, 2))
    >>> X = np.repeat(causes, 5, axis=1) + 0.1 * rng.normal(size=(200, 10))
    >>> model = MinSyn(n_components=2, random_state=0).fit(X)
    >>> model.transform(X).shape
    (200, 2)
    >>> shares = model.components_**2 / np.sum(model.components_**2, axis=1, keepdims=True)
    >>> bool(np.all(np.max([shares[:, :5].sum(1), shares[:, 5:].sum(1)], axis=0) > 0.9))
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions(set(CRITERIA))],
        "decoder": [str, callable, Free],
        "latents": [StrOptions({"auto", *LATENTS})],
        "encoder": [StrOptions({"linear"}), list, tuple, nn.Module, None],
        "solver": [StrOptions({"auto", "covariance", "lbfgs"}), Adam],
        "n_init": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "standardize": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    statistics_: PairwiseStatistics
    _partial_fit_asked: str
    missing_: float
    #: Moments that the fit followed from, which `partial_fit` merges others with.
    _moments: Moments | None = None
    _scree: Scree | AveragePartial | None = None
    #: Whether the fit standardised, whatever the parameter has been set to since.
    _standardized: bool = False
    #: Whether the model came from a matrix without means.
    _without_means: bool = False

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        decoder: str | type[Decoder] | Free | Any = "gaussian",
        latents: Literal["auto", "linear", "softplus", "sigmoid"] = "auto",
        encoder: Literal["linear"] | Sequence[int] | nn.Module | None = "linear",
        solver: Literal["auto", "covariance", "lbfgs"] | Adam = "auto",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 5000,
        tol: float = 1e-3,
        standardize: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.decoder = decoder
        self.latents = latents
        self.encoder = encoder
        self.solver = solver
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.standardize = standardize
        self.random_state = random_state
        self.verbose = verbose

    @WeightsIf(lambda self: self._from_moments)
    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "MinSyn":
        """Learn the factors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Training data, in [0, 1] for binary features. Data that are not an array in memory are
            read by blocks (see Notes).
        y : ignored
            Present for scikit-learn's interface.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, at least 0; a sample of weight 2 counts as two. For linear Gaussian models.

        Returns
        -------
        MinSyn
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data have infinite values, NaN (except for linear Gaussian models), fewer than
            two samples, values outside the decoder's range, or fewer features than components; if
            no sample has both of two features, which are named; or if the solver does not support
            the encoder, the decoder or the data.
        """
        self.__dict__.pop("_partial_fit", None)
        with stage("MinSyn: samples and number of factors", shown=bool(self.verbose)):
            problem = self._problem(X, sample_weight)
            solver = choose_solver(self.solver, problem)
            self._choose_number(problem)
        start = self._start(self._model_parameters(problem.n_components))
        self._take(solver.fit(problem, start))
        self._warn_of_units()
        self._warn_unless_converged(self.max_iter)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_covariance(
        self, cov: Any, *, mean: Any = None, n_samples: float | None = None
    ) -> "MinSyn":
        """Learn the factors of data of which only a covariance or correlation matrix is known.

        Parameters
        ----------
        cov : array-like of shape (n_features, n_features), DataFrame or Moments
            Covariances; those of standardised features are their correlations. The columns of a
            DataFrame name the features. `minsyn.information.Moments` bring mean and weight along.
        mean : array-like of shape (n_features,), optional
            Means of the features. Without them, the model describes factors, but `transform` and
            `score` take the means as 0, with a warning: centre the samples first, and standardise
            them if the matrix holds correlations.
        n_samples : float, optional
            Number of samples behind the matrix. An automatic ``n_components`` needs it, and a later
            `partial_fit`, as their weight against the new samples.

        Returns
        -------
        MinSyn
            The fitted estimator.

        Raises
        ------
        ValueError
            If the matrix is not square, finite, symmetric or positive semidefinite; if the model is
            not a linear Gaussian one; or if the number of factors depends on a number of samples
            that is not given.

        Examples
        --------
        Factors from published correlations:

        >>> import numpy as np
        >>> from minsyn import MinSyn
        >>> correlations = np.array([[1, 0.6, 0.1], [0.6, 1, 0.1], [0.1, 0.1, 1]])
        >>> model = MinSyn(2).fit_covariance(correlations)
        >>> model.components_.round(1)
        array([[0.9, 0.9, 0. ],
               [0. , 0. , 1. ]])
        """
        self.__dict__.pop("_partial_fit", None)
        self._require_moments("fit_covariance")
        names = None
        if isinstance(cov, Moments):
            if mean is not None or n_samples is not None:
                raise ValueError(
                    "Moments include the mean and the number of samples: leave out mean and "
                    "n_samples"
                )
            moments = cov
        else:
            names = _names_of(cov)
            if names is not None and hasattr(mean, "reindex"):
                mean = mean.reindex(names)
            moments = Moments.of_covariance(cov, mean, 1.0 if n_samples is None else n_samples)
        self.n_features_in_ = len(moments.mean)
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        problem = self._moments_problem(moments, self.n_components)
        with stage("MinSyn: number of factors", shown=bool(self.verbose)):
            self._choose_number(problem)
        self._take(CovarianceSolver().fit(problem, self._start({})))
        self._without_means = mean is None and not isinstance(cov, Moments)
        self._warn_of_units()
        self._warn_unless_converged(self.max_iter)
        return self

    @WeightsIf(lambda self: self._from_moments, available=lambda self: self.solver != "lbfgs")
    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "MinSyn":
        """Continue training on a batch of samples, with Adam; not for solver="lbfgs".

        A linear Gaussian model merges the covariance of the batch with that of all earlier samples,
        and is fitted again: it is the model of all of them, also after `fit`, `fit_covariance` and
        `load`. An automatic number of factors may change. A batch may be a single sample.
        Other models take steps of Adam.

        The state of Adam is kept between calls, but not by `fit` or `load`. After these, training
        continues from the fitted encoder, and the loss first rises a little, as the first steps of
        Adam are too long near an optimum.

        The decoder is computed from a moving average of the statistics of the batches (see
        ``momentum`` of `minsyn.Adam`), as exact statistics would need all earlier samples. The
        statistics of a batch are those of the latents after its step. A trained decoder is trained
        further, like the encoder. Steps of Adam leave the factors in their order, with their signs
        and units; `fit` sets these at its end.

        Changed parameters of ``solver`` take effect at the next call, with a new state of Adam.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            At least two samples, preferably hundreds, as the fit relies on correlations within the
            batch. With ``batch_size``, X is split into several steps. The first batch determines
            the mean and scale of the features in training, and an automatic number of factors. A
            feature that is constant in the first batch is used from the first batch in which it
            varies.
        y : ignored
            Present for scikit-learn's interface.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, as for `fit`. For linear Gaussian models.

        Returns
        -------
        MinSyn
            The estimator. With Adam, each call adds one entry to ``loss_curve_``, and
            ``converged_`` is False, as convergence is not checked.

        Raises
        ------
        ValueError
            As in `fit`; if ``solver`` has a run with another device, precision or number of
            processes, or with checkpoints or loggers; or if the model was fitted with another
            encoder or decoder.

        Examples
        --------
        >>> import numpy as np
        >>> from minsyn import MinSyn
        >>> rng = np.random.default_rng(0)
        >>> model = MinSyn(n_components=1, random_state=0)
        >>> for _ in range(10):
        ...     X = np.repeat(rng.exponential(size=(50, 1)), 5, axis=1) + rng.normal(size=(50, 5))
        ...     model = model.partial_fit(X)
        >>> bool(-model.score(X) < 0.7 * X.var(axis=0).sum())
        True
        """
        if is_stream(X) and not hasattr(X, "tocsr"):
            raise TypeError(
                f"partial_fit takes one batch, as an array or a sparse matrix; found "
                f"{type(X).__name__}. Use fit for data that are read by blocks"
            )
        X = X.toarray() if hasattr(X, "tocsr") else X
        fitted = hasattr(self, "components_")
        if self._from_moments:
            X = self._array(X, reset=not fitted, min_samples=1)
            return self._merge_and_refit(X, sample_weight)
        if sample_weight is not None:
            self._require_moments("sample_weight")
        adam = self._adam_of_steps()
        X = self._array(X, reset=not fitted)
        n_components = len(self.components_) if fitted else self.n_components
        problem = self._array_problem(X, n_components)
        adam.check(problem)
        if not fitted:
            self._choose_number(problem)
        known = self._known(problem) if fitted else None
        asked = repr((self.encoder, adam, self.standardize))
        if not hasattr(self, "_partial_fit") or self._partial_fit_asked != asked:
            generator = self._start({}).generator()
            self._partial_fit = PartialFit(problem, adam, generator, known)
            self._partial_fit_asked = asked
        self._take(self._partial_fit.step(problem))
        return self

    def _problem(self, X: Any, sample_weight: Any) -> Problem:
        """Problem of samples, encoder and decoder for a solver."""
        if sample_weight is not None and not self._from_moments:
            self._require_moments("sample_weight")
        if not is_stream(X):
            X = self._array(X)
            if _is_correlation(X):
                warn(
                    "X is a symmetric matrix with ones on its diagonal, and is taken for samples: "
                    "if it holds correlations, use fit_covariance"
                )
            return self._array_problem(X, self.n_components, sample_weight)
        samples = as_samples(X)
        streamed = StreamProblem(samples, self._spec(self.n_components), sample_weight)
        self.n_features_in_ = samples.n_features
        self.__dict__.pop("feature_names_in_", None)
        if samples.feature_names is not None:
            self.feature_names_in_ = np.array(samples.feature_names, dtype=object)
        streamed.feature_names = samples.feature_names
        return streamed

    def _array_problem(
        self, X: Any, n_components: int | str, sample_weight: Any = None
    ) -> ArrayProblem:
        problem = ArrayProblem(X, self._spec(n_components), sample_weight)
        problem.feature_names = getattr(self, "feature_names_in_", None)
        return problem

    def _moments_problem(self, moments: Moments, n_components: int | str) -> MomentsProblem:
        problem = MomentsProblem(moments, self._spec(n_components))
        problem.feature_names = getattr(self, "feature_names_in_", None)
        return problem

    def _spec(self, n_components: int | str) -> ModelSpec:
        encoder = find_encoder(self.encoder)
        encoder.check_starts(self.n_init)
        return ModelSpec(n_components, self._decoder_choice(), encoder, self.standardize)

    def _choose_number(self, problem: Problem) -> None:
        """Set the problem's number of components, where it is to be chosen."""
        self._scree = None
        if not isinstance(problem.n_components, str):
            return
        if isinstance(self.encoder, nn.Module):
            raise ValueError(
                f"n_components={problem.n_components!r} cannot be used with an encoder module, "
                "whose number of outputs is given: set n_components to it"
            )
        if isinstance(problem.observations, Categorical):
            raise ValueError(
                f"n_components={problem.n_components!r} is not for one-hot columns, whose sums "
                "would count as factors: give a number"
            )
        solver = self.solver
        run = (solver.run if isinstance(solver, Adam) else None) or Run()
        features = problem.features(worker_of(run.launch()))
        problem.n_components, self._scree = choose_number(problem.n_components, features)

    def _warn_of_units(self) -> None:
        """Warn where a few features outweigh all others, as those of another unit do."""
        if self._standardized or not self.observations_.affine:
            return
        std = self.statistics_.std_x
        varying = np.sort(std[std > 0])
        if len(varying) < 2 or varying[-1] <= _UNEVEN * varying[(len(varying) - 1) // 4]:
            return
        names = self._feature_names()
        largest, smallest = int(np.argmax(std)), int(np.argmin(np.where(std > 0, std, np.inf)))
        warn(
            f"standard deviations of the features range from {std[smallest]:.3g} "
            f"({names[smallest]}) to {std[largest]:.3g} ({names[largest]}), and features count by "
            "their variance: set standardize=True if their units differ"
        )

    def _decoder_choice(self) -> DecoderChoice:
        return find_decoder_choice(self.decoder, self.latents)

    def _array(self, X: Any, reset: bool = True, min_samples: int = 2) -> Any:
        return self._checked(
            X,
            reset,
            ensure_min_samples=min_samples,
            ensure_all_finite="allow-nan" if self._from_moments else True,
        )

    @property
    def _from_moments(self) -> bool:
        """Whether a fit follows from mean and covariance alone."""
        if self.solver not in ("auto", "covariance"):
            return False
        try:
            choice, encoder = self._decoder_choice(), find_encoder(self.encoder)
        except (TypeError, ValueError):  # an invalid parameter: `fit` says so
            return False
        return not covariance_obstacles(choice, encoder)

    @property
    def _takes_missing(self) -> bool:
        return self._from_moments

    @property
    def _error_unit(self) -> Any:
        if not self._standardized:
            return 1.0
        return np.where(self.statistics_.std_x > 0, self.statistics_.std_x, 1.0)

    def _require_moments(self, what: str) -> None:
        """Raise a ValueError unless a fit follows from moments alone."""
        if self._from_moments:
            return
        found = covariance_obstacles(self._decoder_choice(), find_encoder(self.encoder))
        if self.solver not in ("auto", "covariance"):
            found.append(f"solver={' '.join(repr(self.solver).split())}")
        raise ValueError(
            f"{what} is for linear latents, a linear encoder and decoder='gaussian', which are "
            f"fitted from a covariance; found {', '.join(found)}. Set these parameters to their "
            "defaults"
        )

    def _encode(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples latents"]:
        X = filled(X, self.statistics_) if self._takes_missing else X
        mean = X.mean(axis=0, dtype=np.float64)
        off = np.abs(mean) > _OFF_CENTRE * self.statistics_.std_x
        if self._without_means and len(X) >= _ENOUGH_FOR_MEANS and off.any():
            name = self._feature_names()[int(np.argmax(off))]
            warn(
                "the model was fitted to a matrix without means, which are taken as 0, but the "
                f"mean of {name} is {mean[np.argmax(off)]:.3g}: give mean= to "
                "fit_covariance, and standardise the samples if the matrix holds correlations"
            )
        return super()._encode(X)

    def _merge_and_refit(
        self, X: Float[np.ndarray, "samples features"], sample_weight: Any
    ) -> "MinSyn":
        """Exact `partial_fit`: of all samples so far, from the last solution."""
        known, moments = None, Moments.of(X, sample_weight)
        n_components = self.n_components
        if hasattr(self, "components_"):
            if self._moments is None:
                raise ValueError(
                    "this model keeps no covariance of its data, as it was rescaled, or fitted to "
                    "fewer samples than features: call partial_fit from the first samples on, or "
                    "fit_covariance with the merged Moments"
                )
            moments = self._moments.merge(moments)
        if moments.weight < 2 and len(X) < 2 and not hasattr(self, "components_"):
            raise ValueError(
                f"Found array with {len(X)} sample(s) while a minimum of 2 is required by "
                "MinSyn.partial_fit at first: correlations need them"
            )
        problem = self._moments_problem(moments, n_components)
        self._choose_number(problem)
        if hasattr(self, "components_"):
            known = self._known(problem)
            if len(known.components) != problem.n_components:
                known = None
        self._take(CovarianceSolver().fit(problem, self._start({}), known))
        self._warn_unless_converged(self.max_iter)
        return self

    def _adam_of_steps(self) -> Adam:
        adam = self.solver if isinstance(self.solver, Adam) else Adam()
        check_one_step(adam)
        return adam

    def _known(self, problem: Problem) -> Solution:
        """The earlier fit from which `partial_fit` continues."""
        if self._fitted_decoder != repr(problem.decoder):
            raise ValueError(
                f"decoder={problem.decoder!r}, but partial_fit continues from a fit with "
                f"{self._fitted_decoder}: set it back, or clone the estimator to start again"
            )
        latents = problem.decoder.latents.name
        if latents != self.latents_.name:
            raise ValueError(
                f"latents are {latents} here, but partial_fit continues from a fit with "
                f"{self.latents_.name} ones: set latents={self.latents_.name!r}, or clone the "
                "estimator to start anew"
            )
        n_components = len(self.components_)
        if not isinstance(self.n_components, str) and self.n_components != n_components:
            raise ValueError(
                f"n_components={self.n_components}, but partial_fit continues from a fit with "
                f"{n_components}: set it back, or clone the estimator to start again"
            )
        return self._solution()

    def _take(self, solution: Solution) -> None:
        super()._take(solution)
        assert solution.statistics is not None
        self.statistics_ = solution.statistics
        self._fitted_decoder = repr(self._decoder_choice())
        self._moments = solution.moments
        self._standardized, self._without_means = self.standardize, False
        self.missing_ = solution.missing

    @property
    def scree_(self) -> Scree | AveragePartial:
        """Eigenvalues of the correlations, and what they must exceed to count as factors.

        If ``n_components`` was given as a number, this is parallel analysis, for models that follow
        from a covariance of a known number of samples.
        """
        if self._scree is None and self._moments is not None and self._moments.weight >= 2:
            features = Features.of(self._moments)
            if features.basis.size:
                self._scree = scree_of("auto", features)
        if self._scree is None:
            raise AttributeError(
                "this MinSyn has no scree_: fit it with n_components='auto', or to a covariance "
                "of a known number of samples"
            )
        return self._scree

    def plot_scree(self, max_shown: int | None = None) -> "Figure":
        """Draw `scree_`; see `minsyn.metrics.Scree.plot`."""
        check_is_fitted(self)
        return self.scree_.plot(max_shown)

    def _model_parameters(self, n_components: int) -> dict[str, Any]:
        """Parameters that determine the results, in addition to those that Adam knows."""
        return {
            "n_components": n_components,
            "standardize": self.standardize,
            "decoder": repr(self._decoder_choice()),
            "latents": self._decoder_choice().latents.name,
            "encoder": find_encoder(self.encoder).structure(),
            "solver": "adam",
        }

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays: dict[str, np.ndarray] = {}
        record: dict[str, Any] = {
            "decoder": self._fitted_decoder,
            "missing": self.missing_,
            "standardized": self._standardized,
            "without_means": self._without_means,
        }
        if isinstance(self._scree, Scree):
            record["scree"] = {"n_factors": self._scree.n_factors, "by": self._scree.criterion}
            arrays["scree.eigenvalues"] = self._scree.eigenvalues
            arrays["scree.reference"] = self._scree.reference
        elif self._scree is not None:
            record["scree"] = {"n_factors": self._scree.n_factors}
            arrays["scree.average_squared"] = self._scree.average_squared
        if self._moments is not None:
            record["moments_weight"] = self._moments.weight
            for name in _OF_FEATURES:
                moment = getattr(self._moments, name)
                if moment is not None:
                    arrays[f"moments.{name}"] = moment
        return record, arrays

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        n = self.n_features_in_
        self._decoder_choice(), find_encoder(self.encoder)  # parameters that only these check
        self._fitted_decoder, self.missing_ = str(record["decoder"]), float(record["missing"])
        self._standardized = bool(record["standardized"])
        self._without_means = bool(record["without_means"])
        self._scree = None
        if "scree" in record:
            found = record["scree"]
            if "scree.average_squared" in arrays:
                curve = require_array(arrays, "scree.average_squared", (None,))
                self._scree = AveragePartial(curve, int(found["n_factors"]))
            else:
                eigenvalues = require_array(arrays, "scree.eigenvalues", (None,))
                reference = require_array(arrays, "scree.reference", eigenvalues.shape)
                n_factors, criterion = int(found["n_factors"]), str(found["by"])
                self._scree = Scree(eigenvalues, reference, n_factors, criterion)
        if "moments_weight" in record:
            shapes = dict.fromkeys(_OF_FEATURES, (n, n)) | {"mean": (n,)}
            moments = {
                name: require_array(arrays, f"moments.{name}", shapes[name])
                for name in _OF_FEATURES
                if f"moments.{name}" in arrays or name in ("mean", "covariance")
            }
            self._moments = Moments(float(record["moments_weight"]), **moments)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "lbfgs"
        tags.input_tags.allow_nan = self._from_moments
        tags.input_tags.positive_only = _low(self.decoder) >= 0
        return tags


#: Ratio of the largest standard deviation to that of a quarter of the features, from which on the
#: latter hardly count.
_UNEVEN = 100.0
#: Means of so many samples that are so many standard deviations from 0 are no chance.
_ENOUGH_FOR_MEANS, _OFF_CENTRE = 10, 1.5
#: Deviation from symmetry and from a unit diagonal that is taken for rounding.
_ROUNDING = 1e-6
_OF_FEATURES = ("mean", "covariance", "pair_weight", "pair_mean")


def _names_of(covariance: Any) -> list[str] | None:
    """Names of a DataFrame's columns, and of its rows; None if there are none."""
    if not hasattr(covariance, "columns"):
        return None
    names = list(covariance.columns)
    rows = list(getattr(covariance, "index", names))
    if any(isinstance(row, str) for row in rows) and rows != names:
        raise ValueError(
            "rows and columns of the covariance must have the same names, in the same order; found "
            f"{rows[:3]} and {names[:3]}, ..."
        )
    return names if all(isinstance(name, str) for name in names) else None


def _is_correlation(X: Float[np.ndarray, "samples features"]) -> bool:
    return (
        X.shape[0] == X.shape[1] > 2
        and bool(np.all(np.abs(np.diagonal(X) - 1) <= _ROUNDING))
        and bool(np.all(np.abs(X) <= 1 + _ROUNDING))
        and bool(np.all(np.abs(X - X.T) <= _ROUNDING))
    )


def _low(decoder: Any) -> float:
    """Smallest value of a decoder's observations; minus infinity for an invalid decoder."""
    try:
        return find_decoder_choice(decoder).decoder.func.observations.low  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        return -np.inf
