"""Minimally synergistic factors, the paper's method."""

from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from torch import nn

from minsyn.estimators._factor_model import FactorModel
from minsyn.estimators._in_memory import fit_array
from minsyn.estimators._partial_fit import PartialFit
from minsyn.estimators._solver_choice import check_settings, takes_streams
from minsyn.estimators._start import engine_settings
from minsyn.estimators._streaming import fit_stream, is_stream
from minsyn.estimators._training_data import training_data
from minsyn.training import Device, Precision

__all__ = ["MinSyn"]

#: What a fit may leave behind that the next one, with other parameters, need not set.
_OF_ONE_FIT = (
    *("_partial_fit", "statistics_", "encoder_", "encoder_weights_", "encoder_bias_"),
    *("groups_", "parents_", "latent_groups_", "synergy_graph_", "gk_synergy_", "link_"),
)


class MinSyn(FactorModel):
    r"""Factors that each tell something alone: representations with minimal synergy.

    An autoencoder :math:`z = f(W x + b)` whose decoder is not trained. It is set, in closed form,
    to the decoder :math:`p_{CI}(x_i \mid z)` that has no CI synergy among the latents about any
    feature and still agrees with every pairwise marginal :math:`p(x_i, z_j)`; only the encoder is
    fitted, to minimise the reconstruction loss.

    Parameters
    ----------
    n_components : int, list of int or None, default=None
        Number of factors; None takes ``min(n_samples, n_features)``. Single-parent: one number for
        all groups, shared out so that each further latent goes where the next principal component
        explains most (at least one each), or one for each group. None counts each group's
        principal components beyond those of noise.
    decoder : {"gaussian", "bernoulli", "single-parent"}, default="gaussian"
        "gaussian" (Eq. 9): softplus latents, linear decoder, squared error, for real-valued data.
        "bernoulli" (Eq. 10): sigmoid latents, logistic decoder, cross-entropy, for data in [0, 1].
        "single-parent": vector factors. Latents come in groups, and each feature has one group as
        its only parent, so that groups have no Griffith-Koch synergy (Eq. 3). Softplus latents,
        squared error; the decoder is logistic for data in [0, 1] and linear for others.
    encoder : "linear", None, tuple or list of int, or nn.Module, default="linear"
        None is linear too. Sizes of hidden layers make an MLP (SiLU) of the standardised features.
        A module of one's own sees X as it is given, in float32, and gives the latents'
        pre-activations (n_samples, n_components); it is copied, and training goes on from its
        weights. For nets one Adam step size serves all layers: "auto" is
        2 / (the most inputs of a layer), at most 0.01, or 0.001 for a module of one's own.
    synergy_weight : float, default=inf
        inf sets the decoder in closed form. Other numbers train it freely, under the
        reconstruction loss plus ``synergy_weight`` times its CI synergy
        (`minsyn.nn.ci_synergy_penalty`; for the Gaussian decoder in units of the squared error):
        0 is a plain autoencoder, and synergy falls as the weight rises.
    statistics : {"exact", "running"}, default="exact"
        The statistics behind the final decoder: those of the whole training set, or the moving
        average over the training steps that the paper describes (Sec. III).
    solver : {"auto", "adam", "lbfgs"}, default="auto"
        "adam" takes gradient steps on the whole data or on batches, as in the paper. "lbfgs" runs
        in the span of the samples, on the whole data with exact statistics only; it needs about a
        tenth of the steps. "auto" is "lbfgs" wherever it can do what is asked and the span has at
        most 2,000 dimensions, else "adam".
    learning_rate : float or "auto", default="auto"
        Adam's step size for features scaled to mean square 1. "auto" is 2 / n_features, at most
        0.05, so that a step changes the latents alike whatever the number of features.
    batch_size : int or None, default=None
        Most samples a step, at least 2 (one sample has no statistics); None takes all of them, or
        512 where the data are read by blocks.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    max_iter : int, default=5000
        Most passes over the data, or iterations of L-BFGS.
    tol : float, default=1e-3
        Training stops when the mean loss over ``n_iter_no_change`` epochs is not lower by more
        than this fraction than over the same number of epochs before. L-BFGS stops when ten
        iterations lower the loss by less than ten times the fraction ``tol / n_iter_no_change``.
    n_iter_no_change : int, default=50
        Length of the windows that ``tol`` compares. Where the data are read by blocks it counts
        training steps, rounded up to whole epochs: passes over large data take many steps each.
    n_init : int or "auto", default="auto"
        Number of random starts. Adam fits each and keeps the one with the lowest training loss.
        L-BFGS compares them on clusters of features and fits the best to the end. "auto" is 1
        for Adam and at most 6 for L-BFGS, fewer where there are so many factors and samples that
        a start costs much.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial encoder and the order of mini-batches.
    device : {"cpu", "auto", "cuda", "mps"}, default="cpu"
        Where to train; "auto" takes a GPU where there is one. Small data are fastest, and repeat
        to the bit, on the CPU. Started by `torchrun` or `fabric run`, all processes share each
        batch and come to the same model.
    precision : str, default="32-true"
        Of training, as Lightning Fabric names it: "64-true", "bf16-mixed", "16-mixed",
        "bf16-true" or "16-true".
    checkpoint_dir : str, Path or None, default=None
        Folder for checkpoints, a subfolder for each start. A fit that was interrupted goes on from
        there, to the same numbers, when it is called again with the same data and parameters.
    checkpoint_every : float, default=60.0
        Least seconds between checkpoints.
    loggers : list of lightning_fabric.loggers.Logger or None, default=None
        Such as `TensorBoardLogger` or `CSVLogger`: told of loss and learning rate every epoch.
    verbose : int, default=0
        Whether to show progress.
    n_groups : int or "auto", default="auto"
        Number of groups of the single-parent decoder. "auto" takes what the spectrum of the
        synergy graph shows, at most ``n_components``.
    grouping : {"synergy", "correlation"} or array-like of shape (n_features,), default="synergy"
        How features are grouped: by the synergy of pairs of codes, for comparison by their squared
        correlations, or by given integer labels, negative for features that belong to none.
    max_parents : {1, 2}, default=1
        With 2, a feature gets a second group as a parent where that tells at least 10 % more of its
        variance. Such features are decoded from both and do not shape the latents. Many of them
        tie all codes together by synergy: then group by correlation.
    balance : bool, default=True
        Whether samples are weighted so that the values of each group are evenly spread: a prior of
        uniform factors, under which rare values count as much as common ones. It is no part of
        minimising synergy.
    alpha : float, default=2e-5
        Penalty on the squared weights of the single-parent encoder and decoder, relative to the
        features' variance. It keeps noise that training did not show from being amplified.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Decoder maps: what each factor adds to each feature, or to its log odds.
    intercept_ : ndarray of shape (n_features,)
        Reconstruction (or its log odds) where all latents are 0.
    encoder_ : nn.Module
        Encoders that are not linear, in evaluation mode: what gives the pre-activations. The MLP
        takes X as it is given, in float64.
    encoder_weights_ : ndarray of shape (n_components, n_features)
        Weights of the linear encoder, for data as they were given.
    encoder_bias_ : ndarray of shape (n_components,)
        Its biases.
    statistics_ : PairwiseStatistics
        Statistics that the decoder was set from.
    loss_curve_ : list of float
        Mean training loss of each epoch (L-BFGS: loss after each iteration), of the start that
        was kept, as minus `score` tells it.
    n_iter_ : int
        Number of epochs (L-BFGS: iterations) of that start.
    converged_ : bool
        Whether that start's loss had settled.
    groups_ : ndarray of shape (n_features,)
        Single-parent only, as what follows: each feature's parent, from 0; -1 for features that
        belong to no group, which are reconstructed by their means.
    parents_ : ndarray of bool, shape (n_groups, n_features)
        All parents of each feature.
    latent_groups_ : ndarray of shape (n_components,)
        The group of each latent.
    synergy_graph_ : SynergyGraph or None
        Synergies of pairs of codes and their spectrum, where the groups come from;
        ``synergy_graph_.plot()`` draws them. None where labels were given or nothing correlates.
    gk_synergy_ : GKSynergy
        Measured on the training data, in bits averaged over the features by their variances: what
        the ``latents`` tell together beyond the best latent, and the ``groups`` beyond the best
        group.
    link_ : {"logit", "identity"}
        Whether reconstructions are logistic in the latents or linear.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has string column names.

    Notes
    -----
    The single-parent decoder is fitted group by group with L-BFGS from two dozen random starts at
    once for each of ``n_init``; of the training options only ``max_iter`` (evaluations under the
    last penalty) and ``tol`` (least relative fall of the loss over twenty evaluations) apply to it.
    Its ``loss_curve_`` is of the weighted, penalised loss.

    Data that are not an array in memory are passed over by blocks, and memory does not grow with
    them: a path of a ``.npy``, ``.npz``, ``.parquet`` or ``.csv`` file, a memmap, a sparse matrix,
    a Dataset or DataLoader of torch, or what `minsyn.data.as_samples` made of others. This is
    for the Gaussian and the Bernoulli decoder, with any encoder and ``synergy_weight``, and trains
    with Adam; each epoch is one pass, and there is one before for the means and one after for exact
    statistics (and one for a decoder that is trained to start from). With ``solver="lbfgs"``
    and with the single-parent decoder a memmap is an array as any other.

    Features and latents that do not vary have zero weight, and correlations of 1 take their
    limits, so the decoder is finite on any finite data. Features count by their variance, as in
    PCA: standardise them first if they should count alike.

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

    Two groups of columns, of which one has two causes:

    >>> causes = rng.normal(size=(300, 3))
    >>> maps = np.zeros((3, 12))
    >>> maps[0, :5], maps[1:, 5:] = 1.0, rng.normal(size=(2, 7))
    >>> X = causes @ maps + 0.3 * rng.normal(size=(300, 12))
    >>> model = MinSyn(decoder="single-parent", random_state=0).fit(X)
    >>> model.groups_, model.latent_groups_
    (array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]), array([0, 1, 1]))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FactorModel._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "decoder": [StrOptions({"gaussian", "bernoulli", "single-parent"})],
        "encoder": [StrOptions({"linear"}), list, tuple, nn.Module, None],
        "synergy_weight": [Interval(Real, 0, np.inf, closed="both")],
        "statistics": [StrOptions({"exact", "running"})],
        "solver": [StrOptions({"auto", "adam", "lbfgs"})],
        "n_init": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left"), None],
        "momentum": [Interval(Real, 0, 1, closed="right")],
        "n_groups": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "grouping": [StrOptions({"synergy", "correlation"}), "array-like"],
        "max_parents": [Options(Integral, {1, 2})],
        "balance": ["boolean"],
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int | Sequence[int] | None = None,
        *,
        decoder: Literal["gaussian", "bernoulli", "single-parent"] = "gaussian",
        encoder: Literal["linear"] | Sequence[int] | nn.Module | None = "linear",
        synergy_weight: float = np.inf,
        statistics: Literal["exact", "running"] = "exact",
        solver: Literal["auto", "adam", "lbfgs"] = "auto",
        learning_rate: float | Literal["auto"] = "auto",
        batch_size: int | None = None,
        momentum: float = 0.1,
        max_iter: int = 5000,
        tol: float = 1e-3,
        n_iter_no_change: int = 50,
        n_init: int | Literal["auto"] = "auto",
        random_state: int | np.random.RandomState | None = None,
        device: Device = "cpu",
        precision: Precision = "32-true",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: float = 60.0,
        loggers: Sequence[Any] | None = None,
        verbose: int = 0,
        n_groups: int | Literal["auto"] = "auto",
        grouping: Any = "synergy",
        max_parents: int = 1,
        balance: bool = True,
        alpha: float = 2e-5,
    ) -> None:
        self.n_components = n_components
        self.decoder = decoder
        self.encoder = encoder
        self.synergy_weight = synergy_weight
        self.statistics = statistics
        self.solver = solver
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.momentum = momentum
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.loggers = loggers
        self.verbose = verbose
        self.n_groups = n_groups
        self.grouping = grouping
        self.max_parents = max_parents
        self.balance = balance
        self.alpha = alpha

    @property
    def _binary_latents(self) -> bool:
        return self.decoder == "bernoulli"

    @property
    def _binary_features(self) -> bool:
        return self.decoder == "bernoulli"

    @property
    def _logistic_output(self) -> bool:
        return self.link_ == "logit" if self.decoder == "single-parent" else self._binary_features

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "MinSyn":
        """Learn the factors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Training data; in [0, 1] for the Bernoulli decoder. What is no array in memory (see
            Notes) is read by blocks.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        MinSyn
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data hold NaN or fewer than two samples, lie outside [0, 1] for the Bernoulli
            decoder, or have fewer features than components; if data that are read by blocks are
            given to a solver or decoder that needs all of them at once.
        """
        for name in _OF_ONE_FIT:
            self.__dict__.pop(name, None)
        check_settings(self)
        if is_stream(X) and not (isinstance(X, np.memmap) and not takes_streams(self)):
            fit_stream(self, X)
        else:
            fit_array(self, X)
        self._fitted_decoder = self.decoder
        self._warn_unless_converged()
        return self

    @available_if(lambda self: self.decoder != "single-parent")
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> "MinSyn":
        """Go on learning from a batch of samples: one step of Adam, whatever ``solver`` is.

        The state of Adam is kept from call to call, but not in a saved or newly fitted model:
        after `fit` or `load`, training goes on from the encoder found there, with a loss that first
        rises a little, as the first steps of Adam are long at an optimum. The decoder is set
        from the moving average of the statistics of the batches (``momentum``), each with the
        latents after its step; exact statistics would need the earlier samples again. One that is
        trained (``synergy_weight``) goes on as the encoder does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            At least two samples, better hundreds: what features are about is learned from their
            correlations in the batch. With ``batch_size`` there are steps on so many at a time.
            The first batch says what the features' mean and scale are, as far as training is
            concerned, and, for ``n_components=None``, how many factors there are. A feature that
            does not vary in it is learned about from the first batch that it varies in.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        MinSyn
            The estimator; ``loss_curve_`` has one more entry for each call, and ``converged_`` is
            False, as no call can tell.

        Raises
        ------
        ValueError
            As `fit`, or if other devices, precisions or processes, checkpoints or loggers are
            asked for; if the model was fitted with another encoder.

        Examples
        --------
        >>> import numpy as np
        >>> from minsyn import MinSyn
        >>> rng = np.random.default_rng(0)
        >>> model = MinSyn(n_components=1, random_state=0)
        >>> for _ in range(100):
        ...     X = np.repeat(rng.exponential(size=(50, 1)), 5, axis=1) + rng.normal(size=(50, 5))
        ...     model = model.partial_fit(X)
        >>> bool(-model.score(X) < 0.7 * X.var(axis=0).sum())
        True
        """
        if engine_settings(self):
            raise ValueError(
                "partial_fit runs in one process on the CPU, a step at a time; found "
                f"{', '.join(engine_settings(self))}. Use fit for these"
            )
        check_settings(self)
        X = training_data(
            self, X.toarray() if hasattr(X, "tocsr") else X, reset=not hasattr(self, "components_")
        )
        if not hasattr(self, "_partial_fit"):
            self._partial_fit = PartialFit(self, X)
        self._partial_fit(self, X)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = takes_streams(self)
        return tags
