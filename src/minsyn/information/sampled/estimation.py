"""Estimation of synergy: every measure from samples, or from their pairwise statistics."""

import math
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int, Shaped

from minsyn._progress import stage
from minsyn._warnings import warn
from minsyn.information._arrays import as_array
from minsyn.information._bias import N_GROUPS
from minsyn.information._gaussian_sources import information
from minsyn.information._options import as_names, generator, number, one_of, said, whole_number
from minsyn.information._pmf import Unit, in_unit
from minsyn.information.measures import ATOMS, MEASURES, Null, names_of
from minsyn.information.sampled.discrete import DiscreteModel
from minsyn.information.sampled.gaussian import GaussianModel, GaussianMoments
from minsyn.information.sampled.lags import LaggedTables, lagged_tables, lags_of, source_names
from minsyn.information.sampled.models import Model, effective_samples, null_values
from minsyn.information.sampled.neighbors import (
    MOST_SOURCES,
    NearestNeighborModel,
    check_continuous,
)
from minsyn.information.sampled.nonlinear import warn_of_missed
from minsyn.information.sampled.resampling import (
    false_discovery_rate,
    hull,
    permutation_p_value,
    shifted_interval,
)
from minsyn.information.sampled.result import SynergyResult
from minsyn.information.sampled.series import Series
from minsyn.information.sampled.table import Table, aligned, as_codes, as_table, default_names
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["ConstantSourceWarning", "SlowResamplingWarning", "synergy", "synergy_from_statistics"]

ModelName = Literal["gaussian", "copula", "discrete", "nearest-neighbors"]
Binning = Literal["equal-frequency", "equal-width"]
BiasCorrection = Literal["auto", "none", "wishart", "miller-madow", "shrinkage", "jackknife"]

#: Corrections of each model; the first is what "auto" takes.
CORRECTIONS = {
    "gaussian": ("wishart", "jackknife", "none"),
    "copula": ("wishart", "jackknife", "none"),
    "discrete": ("jackknife", "miller-madow", "shrinkage", "none"),
    "nearest-neighbors": ("none",),
}
#: Corrections that hold where samples depend on each other.
_FOR_SERIES = ("jackknife", "none")
#: Largest table of a target that is worked on, in cells: some hundred megabytes.
_MAX_CELLS = 10_000_000
#: Most resamples: of each, every target's value is kept.
_MOST_RESAMPLES = 10_000_000
#: Measures whose expected bias has a closed form, and is told whatever correction is taken.
_FOR_NOTES = ("mutual_information", "whole_minus_sum", "total_correlation")
#: Seconds of resampling that are announced.
_SLOW = 120.0
#: Nats below which a source tells nothing but rounding.
_NOTHING = 1e-12


class SlowResamplingWarning(UserWarning):
    """Resampling that takes minutes, announced before it begins."""


class ConstantSourceWarning(UserWarning):
    """Sources that do not vary, and so tell nothing about any target."""


@dataclass(frozen=True, eq=False)
class VectorSources:
    """Grouping of the variables of Z into sources.

    Attributes
    ----------
    groups : tuple of int arrays, or None
        Variables of each vector source; None where every variable is a source of its own.
    names : tuple of str
        Names of the sources.
    members : tuple of tuple of str
        Names of the variables of each source.
    """

    groups: tuple[Int[np.ndarray, " _"], ...] | None
    names: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, labels: Any, variables: tuple[str, ...]) -> "VectorSources":
        """Group variables by their labels; without labels, each is a source."""
        if labels is None:
            return cls(None, variables, tuple((name,) for name in variables))
        labels = as_array(labels, "groups")
        if labels.shape != (len(variables),):
            raise ValueError(
                f"groups must hold one label for each of the {len(variables)} columns of Z; found "
                f"shape {labels.shape}"
            )
        if any(label is None or label != label for label in labels.tolist()):
            raise ValueError("groups holds missing labels; give every column of Z one")
        if labels.dtype.kind == "O":  # labels of several types have no order
            labels = labels.astype(str)
        found, index = np.unique(labels, return_inverse=True)
        groups = tuple(np.flatnonzero(index == k) for k in range(len(found)))
        members = tuple(tuple(variables[j] for j in group) for group in groups)
        return cls(groups, tuple(str(label) for label in found), members)

    def lagged(self, tables: LaggedTables, lags: tuple[int, ...]) -> "VectorSources":
        """The same sources at several lags: columns of one source stay together."""
        names = tables.sources.names
        if self.groups is None and len(lags) == 1:
            return VectorSources(None, names, tuple((name,) for name in names))
        groups, told = self.groups, self.names
        if groups is None:
            groups = tuple(np.arange(len(self.names))[:, None])
            told = source_names(self.names, lags)
        columns = tuple(np.flatnonzero(np.isin(tables.source_of, group)) for group in groups)
        members = tuple(tuple(names[j] for j in group) for group in columns)
        return VectorSources(columns, told, members)


def synergy(
    Z: Any,
    X: Any,
    model: ModelName = "gaussian",
    *,
    groups: Sequence[Any] | Shaped[np.ndarray, " variables"] | None = None,
    measures: str | Sequence[str] = "all",
    unit: Unit = "bits",
    bias_correction: BiasCorrection = "auto",
    bins: int | None = None,
    binning: Binning = "equal-frequency",
    n_bootstrap: int = 0,
    confidence: float = 0.95,
    n_permutations: int = 0,
    null: Literal["synergy", "independence"] = "synergy",
    lag: int | Sequence[int] | None = None,
    trials: Any = None,
    block_length: int | float | None = None,
    n_neighbors: int = 3,
    random_state: int | np.random.Generator | None = None,
    verbose: int = 0,
) -> SynergyResult:
    r"""Measures of synergy of sources Z about each target X, from samples.

    Parameters
    ----------
    Z : array_like or DataFrame, shape (n_samples, n_sources) or (n_samples,)
        The sources. Column names of a DataFrame (pandas, polars) or Arrow table are kept.
    X : array_like, DataFrame or Series, shape (n_samples, n_targets) or (n_samples,)
        The targets; each is measured on its own. Rows of two pandas objects are paired by their
        index, of others by position.
    model : {"gaussian", "copula", "discrete", "nearest-neighbors"}
        - "gaussian": jointly Gaussian variables, from correlations.
        - "copula": Gaussian after each variable is replaced by the normal scores of its ranks
          (ties share their mean rank), and so invariant to monotone transforms of each variable.
        - "discrete": categories with any joint distribution. Integers, whole numbers in floats,
          bool, text and pandas categories are used as they are; the result names them, and there
          is a warning where they are about as many as the samples.
        - "nearest-neighbors": continuous variables with any joint distribution, by the distances to
          the nearest samples [13]_; sees products and other dependence without correlation. Only
          mutual informations: the union information needs a model, so take copula or bins for it.
    groups : array_like of shape (n_variables,), optional
        Labels of the columns of Z; columns with equal labels form one vector source, named by its
        label. Then the union information is what the best vector source tells, which is exact for
        a Gaussian target: of a vector source only its best linear prediction of the target matters.
        By default each column is a source. Not for the discrete model.
    measures : "all", "atoms", str or sequence of str
        "all" are "mutual_information", "union_information", "gk_synergy", "ci_synergy",
        "whole_minus_sum", "total_correlation" (of the sources together with the target); for
        discrete data also "imin_redundancy" and "s_max" (Williams and Beer). Nearest neighbours
        have "mutual_information", "whole_minus_sum" and "interaction_information". Others are
        measured where they are asked for:

        - "redundancy": what every source tells. I_1 + I_2 - U of two sources with the union
          information U, in a Gaussian model the least I_j of any number.
        - "unique_information": U less the union information of the other sources, for each source;
          of source a it is named "unique_information[a]".
        - "source_information": I_j, what each source tells alone.
        - "o_information": total less dual total correlation of the sources together with the
          target; positive where redundancy dominates.

        "atoms" are redundancy, unique informations and GK synergy. Those of two sources are the
        decomposition by "broja" of `pid`, and sum to the mutual information, corrected for bias or
        not; of more sources there is also what some of them share. The registry
        `minsyn.information.measures.MEASURES` says what each measure is.
    unit : {"bits", "nats"}
        Unit of all values.
    bias_correction : {"auto", "none", "wishart", "miller-madow", "shrinkage", "jackknife"}
        Estimate of the bias that is subtracted from the plug-in values. Corrected values may be
        negative, so that averages over targets or data sets are not biased upwards. "auto" is
        "wishart" for Gaussian and copula data, "jackknife" for discrete.

        - "wishart" (Gaussian samples and copulas): the expected bias under the Wishart distribution
          of their covariances. It is exact for the mutual information, the whole minus the sum and
          the total correlation of Gaussian samples [1]_. For the others it comes from draws, which
          for the union information and GK synergy take into account that the best source is chosen
          by its data. Of a copula, also what the noise of ranks takes off correlations; not of
          sources, or for targets, of which half of the values or more are tied.
        - "miller-madow" (discrete): entropies gain (occupied cells - 1) / 2N [2]_.
        - "shrinkage" (discrete): tables are drawn towards equal probabilities with the intensity
          of James and Stein [3]_. Little variance; values are too small where there is much to
          find. ``uncorrected`` holds the values of the shrunk tables.
        - "jackknife": by leaving out groups of samples [4]_. Under "miller-madow" it serves all
          measures that are not sums of entropies.
    bins : int, optional
        Number of bins for continuous columns under ``model="discrete"``, at least 2. A column is
        continuous if it holds floats of which some are not whole; without ``bins`` it raises. Whole
        numbers are binned if they have about as many values as there are samples. Equal values are
        never parted, so that ties may leave another number of bins; the result tells it.
    binning : {"equal-frequency", "equal-width"}
        Edges of the bins: quantiles, or equal distances. The result names the binned columns.
    n_neighbors : int, default=3
        Number of neighbours under ``model="nearest-neighbors"``: of more, values spread less and
        are more biased.
    n_bootstrap : int, default=0
        Bootstrap samples for confidence intervals; 0 for none. Intervals are those of the
        percentiles, shifted by twice the bias that the resamples show [5]_, and cut at 0 for
        measures that cannot be negative. Those of a copula are without the noise of ranks, too.
        Where sources tell about equally much, the intervals of the union information and of the
        atoms also hold those of the mean of these sources. Near 0, where half of the interval is
        cut off, they cover more than their nominal level.
    confidence : float, default=0.95
        Coverage of the intervals.
    n_permutations : int, default=0
        Resamples for p-values; 0 for none. The p-value is the share of resamples, the observed
        samples among them, that reach the value; neither is corrected for bias [6]_. ``q_values``
        are adjusted over the targets [7]_.
    null : {"synergy", "independence"}
        Null hypothesis of the p-values of synergies; ``result.null`` names that of each measure.

        - "synergy": there is no synergy, whatever each source tells alone. For GK synergy, whole
          minus sum and S_max, resamples keep the sources and take the target from the distribution
          that minimises the information under the same pairwise marginals: a Gaussian target is
          what its best source predicts, plus the permuted rest [8]_. The best source is chosen anew
          each time. For CI synergy, resamples make the sources independent given the target, by
          permuting what the target leaves of each [9]_.
        - "independence": the target is permuted against the sources, whose own dependence stays.
          Sources that tell something, each by itself, are enough to reject it.

        Measures that are no synergies are always tested against independence; a small p-value of
        the O-information means redundancy.
        All values of nearest neighbours are tested against independence.
    lag : int or sequence of int, optional
        Steps by which the sources precede the target, where the samples are time series: ``lag=1``
        asks what the last step tells about this one, ``lag=[1, 2]`` makes a vector source of two
        steps of each source, ``lag=0`` is for series of the same time. Intervals and p-values then
        take into account that samples depend on those before them. A target that is a source, too,
        tells by its own past. By default samples are independent.

        - Bootstrap samples are of blocks of random lengths [10]_, and the bias is that of a
          jackknife of neighbours.
        - Resamples for p-values keep the autocorrelation: under Gaussian models series get random
          phases [11]_ in place of permutations, for GK synergy what the best source leaves of the
          others [14]_; categories are shifted in time. Of 20 trials or more, the trials are
          shuffled.
    trials : array_like or Series of shape (n_samples,), optional
        With ``lag``: labels of the trials, subjects or groups that the rows belong to. Rows of one
        trial are in order of time; no lag, block or shift crosses from one to another.
    block_length : float, optional
        With ``lag``: mean length of blocks; by default, that of Politis and White [12]_, or of the
        trials where these are shorter.
    random_state : int, Generator or None
        Seed of bootstrap and permutations, each with a stream of its own.
    verbose : int, default=0
        Whether to show in a terminal what is being computed.

    Returns
    -------
    SynergyResult
        ``values``, ``intervals``, ``p_values`` and ``q_values`` by measure; ``means`` and ``sums``
        over the targets; ``to_frame()`` and ``plot()``.

    Raises
    ------
    ValueError
        If Z and X differ in length or in their pandas index, or are empty; hold NaN or infinite
        values; under a Gaussian model, if there are no more samples than columns of Z that vary,
        plus one; if continuous data are given to the discrete model without ``bins``; if a table
        has too many cells; if an option is unknown; or if atoms are asked of one source, or the
        redundancy of more than two discrete ones.

    Warns
    -----
    ConstantSourceWarning
        If a column of Z does not vary.
    SlowResamplingWarning
        If tables are so large that the jackknife and the resamples will take minutes.
    NonlinearDependenceWarning
        If bins of the sources tell clearly more about a target than the Gaussian or copula model,
        as of a product of two sources. Looked for where there are enough samples for so many
        sources.

    See Also
    --------
    synergy_from_statistics : The same from means and covariances alone.
    pid : Atoms of a distribution by several measures.

    Notes
    -----
    A constant target has no information: its values are 0 (its total correlation is that of the
    sources), its p-values 1. A constant source, such as a dead latent of a fitted model, tells
    nothing: it changes no value, and the result names it. Sources that are linear combinations of
    others are taken in the limit, see `minsyn.information.gaussian`.

    Limits of nearest neighbours. No value exceeds about log(N): where variables determine each
    other nearly, values are too low, and more so for many sources (a Gaussian target of ten sources
    with 2 bits: 0.65 from 1,000 samples). Values are nearly unbiased where all is independent, and
    slightly negative by chance. Sums and differences of informations in spaces of several
    dimensions add up their biases. Ties are parted by noise of 1e-10 standard deviations; where
    more than half of a column are ties, it raises. Neighbours in time are neighbours of series, so
    that slow series look dependent; the p-values with ``lag`` take this into account.

    References
    ----------
    .. [1] Misra, Singh, Demchuk (2005), J. Multivariate Analysis 92.
    .. [2] Miller (1955), Note on the bias of information estimates.
    .. [3] Hausser, Strimmer (2009), Entropy inference and the James-Stein estimator, JMLR 10.
    .. [4] Quenouille (1956), Notes on bias in estimation, Biometrika 43.
    .. [5] Davison, Hinkley (1997), Bootstrap methods and their application, Sec. 5.2.
    .. [6] Phipson, Smyth (2010), Permutation p-values should never be zero.
    .. [7] Benjamini, Hochberg (1995), JRSS B 57.
    .. [8] Freedman, Lane (1983), A nonstochastic interpretation of reported significance levels.
    .. [9] Rosenbaum (1984), Conditional permutation tests and the propensity score.
    .. [10] Politis, Romano (1994), The stationary bootstrap, JASA 89.
    .. [11] Theiler et al. (1992), Testing for nonlinearity in time series, Physica D 58; Prichard,
       Theiler (1994), Generating surrogate data for time series, Phys. Rev. Lett. 73.
    .. [12] Politis, White (2004), Automatic block-length selection, Econometric Reviews 23.
    .. [13] Kraskov, Stögbauer, Grassberger (2004), Estimating mutual information, Phys. Rev. E 69.
    .. [14] Dekker, Krackhardt, Snijders (2007), Sensitivity of MRQAP tests, Psychometrika 72.

    Examples
    --------
    A sum of two independent sources, and noise:

    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(500, 2))
    >>> X = np.column_stack([Z.sum(axis=1) + rng.normal(size=500), rng.normal(size=500)])
    >>> result = synergy(
    ...     Z, X, measures=["mutual_information", "gk_synergy"], n_permutations=99, random_state=0
    ... )
    >>> result
    SynergyResult: gaussian model, 500 samples, 2 sources, 2 targets; bits, bias correction: wishart
    negative values of mutual information, GK synergy are shown as 0: the bias that wishart ...
    * ** *** for adjusted p-values up to 0.05, 0.01, 0.001, from 99 resamples each
    null of the p-values: independence (mutual_information); no GK synergy (gk_synergy)
        mutual_information  gk_synergy
    x0           ...*...     ...*...
    x1           ...         ...
    >>> result["gk_synergy"].shape
    (2,)

    Two vector sources; the first target is a sum within the first, the second one across both:

    >>> Z = rng.normal(size=(2000, 4))
    >>> X = np.column_stack([Z[:, 0] + Z[:, 1], Z[:, 1] + Z[:, 2]]) + rng.normal(size=(2000, 2))
    >>> result = synergy(Z, X, groups=["a", "a", "b", "b"], measures="gk_synergy")
    >>> result["gk_synergy"].round(1) + 0.0
    array([0. , 0.5])
    >>> [result.sources[k] for k in result.best_source[:1]]
    ['a']

    An exclusive or, and the atoms of an AND:

    >>> Z = rng.integers(2, size=(500, 2))
    >>> result = synergy(Z, Z[:, 0] ^ Z[:, 1], "discrete", measures="gk_synergy")
    >>> bool(abs(result["gk_synergy"][0] - 1) < 0.02)
    True
    >>> result = synergy(Z, Z[:, 0] & Z[:, 1], "discrete", measures="atoms")
    >>> result.measures
    ('redundancy', 'unique_information[z0]', 'unique_information[z1]', 'gk_synergy')
    >>> [round(float(v[0]), 1) + 0.0 for v in result.values.values()]
    [0.3, 0.0, 0.0, 0.5]

    The past of two series about the future of their exclusive or:

    >>> result = synergy(Z[:-1], Z[1:, 0], "discrete", measures="gk_synergy", lag=1)
    >>> result.sources, result.n_samples
    (('z0(t-1)', 'z1(t-1)'), 498)
    """
    _check_options(model, groups, bins, binning, n_bootstrap, confidence, n_permutations, null)
    _check_series(lag, trials, block_length)
    n_neighbors = whole_number(n_neighbors, "n_neighbors", 1)
    correction = _correction(model, bias_correction, lag is not None)
    in_unit(0.0, unit)
    sources, targets = as_table(Z, "Z"), as_table(aligned(Z, X), "X")
    if sources.n_samples != targets.n_samples:
        raise ValueError(
            f"Z and X must hold the same samples; found {sources.n_samples} and {targets.n_samples}"
        )
    vectors = VectorSources.of(groups, sources.names)
    names = _measure_names(model, measures, len(vectors.names))
    lags, lagged = () if lag is None else lags_of(lag), None
    if lags:
        lagged = lagged_tables(sources, targets, lags, aligned(Z, trials))
        sources, targets = lagged.sources, lagged.targets
        vectors = vectors.lagged(lagged, lags)
    fitted, discretisation, categories = _model(
        sources, targets, model, vectors.groups, names, correction, bins, binning, n_neighbors
    )
    series = None
    if lagged is not None:
        fitted = _as_series(fitted, lagged, block_length)
        series = fitted.series
    constant = _constant(fitted, sources.names)
    started = time.perf_counter()
    shown = bool(verbose)
    with stage("synergy", shown=shown):
        uncorrected = fitted.values()
    if isinstance(fitted, DiscreteModel):
        n_tables = N_GROUPS * (correction == "jackknife") + n_bootstrap + n_permutations
        _warn_of_slow(time.perf_counter() - started, n_tables)
    if isinstance(fitted, GaussianModel):
        whole = information(fitted.moments.sources.unexplained)
        warn_of_missed(*fitted.scored, whole, targets.names, series)
    with stage("synergy: bias of the samples", shown=shown):
        bias = fitted.bias(correction) if correction not in ("none", "shrinkage") else {}
        sampling_bias = bias
        if series is not None:
            sampling_bias = {}
        elif correction != "wishart":
            known = tuple(name for name in names if name in _FOR_NOTES)
            sampling_bias = fitted.only(known).sampling_bias()
    for_bootstrap, for_null = generator(random_state).spawn(2)
    intervals = p_values = q_values = None
    if n_bootstrap:
        n_effective = effective_samples(sources.n_samples, len(targets.names), series)
        with stage(f"synergy: {n_bootstrap} bootstrap samples", shown=shown):
            intervals = _intervals(fitted, n_effective, n_bootstrap, confidence, for_bootstrap)
    nulls = _nulls(names, null if model != "nearest-neighbors" else "independence")
    if n_permutations:
        with stage(f"synergy: {n_permutations} permutations", shown=shown):
            p_values = _p_values(fitted, uncorrected, nulls, n_permutations, for_null)
        q_values = {name: false_discovery_rate(p) for name, p in p_values.items()}

    def in_result(nats: Mapping[str, Any]) -> dict[str, Any]:
        return _by_source(_in_unit(nats, unit), vectors.names)

    return SynergyResult(
        values=in_result(_corrected(uncorrected, bias)),
        uncorrected=in_result(uncorrected),
        sampling_bias=in_result(sampling_bias),
        intervals=None if intervals is None else in_result(intervals),
        p_values=None if p_values is None else _by_source(p_values, vectors.names),
        q_values=None if q_values is None else _by_source(q_values, vectors.names),
        null=_by_source(nulls, vectors.names) if n_permutations else {},
        best_source=_best_source(fitted),
        variances=fitted.variances,
        sources=vectors.names,
        targets=targets.names,
        members=vectors.members,
        constant_sources=constant,
        n_samples=sources.n_samples,
        model=model,
        unit=unit,
        bias_correction=correction,
        confidence=confidence,
        n_bootstrap=n_bootstrap,
        n_permutations=n_permutations,
        discretisation=discretisation,
        categories=categories,
        lags=lags,
        n_effective=None if series is None else series.n_effective,
        block_length=None if series is None else series.block_length,
    )


def synergy_from_statistics(
    statistics: PairwiseStatistics,
    *,
    groups: Sequence[Any] | Shaped[np.ndarray, " variables"] | None = None,
    sources: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    n_samples: int | float | None = None,
    measures: str | Sequence[str] = "all",
    unit: Unit = "bits",
    bias_correction: Literal["none", "wishart"] = "none",
) -> SynergyResult:
    """Measures of synergy of Gaussian sources about each target, from their statistics.

    The values are those of `synergy` under the Gaussian model and the same ``bias_correction``,
    for samples of these statistics.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of sources and targets, NumPy arrays.
    groups : array_like of shape (n_variables,), optional
        Labels of the variables of the sources; equal labels form one vector source, see `synergy`.
    sources, targets : sequence of str, optional
        Names of the variables; by default z0, z1, ... and x0, x1, ...
    n_samples : float, optional
        Number of samples behind the statistics; their weight by default.
    measures : "all", str or sequence of str
        As in `synergy`.
    unit : {"bits", "nats"}
        Unit of all values.
    bias_correction : {"none", "wishart"}
        Correction of bias, see `synergy`.

    Returns
    -------
    SynergyResult
        Without intervals and p-values.

    Raises
    ------
    ValueError
        If names or labels do not fit the statistics, an option is unknown, or the correction needs
        more samples.

    Warns
    -----
    ConstantSourceWarning
        If a source does not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(500, 2))
    >>> X = Z.sum(axis=1, keepdims=True) + rng.normal(size=(500, 1))
    >>> result = synergy_from_statistics(PairwiseStatistics.of(Z, X), sources=["a", "b"])
    >>> same = synergy(Z, X, bias_correction="none")
    >>> bool(np.allclose(result["gk_synergy"], same["gk_synergy"]))
    True
    """
    in_unit(0.0, unit)
    m, n = statistics.cov_zx.shape
    source_names = _names("sources", sources, "z", m)
    target_names = _names("targets", targets, "x", n)
    vectors = VectorSources.of(groups, source_names)
    if not (isinstance(bias_correction, str) and bias_correction in ("none", "wishart")):
        raise ValueError(
            "bias_correction must be 'none' or 'wishart' without samples; found "
            f"{said(bias_correction)}"
        )
    names = _measure_names("gaussian", measures, len(vectors.names))
    weight = float(statistics.weight) if n_samples is None else number(n_samples, "n_samples")
    moments = GaussianMoments(statistics, names, vectors.groups)
    n_varying = int(moments.varying.sum())
    if bias_correction == "wishart":
        _check_n_samples(weight, n_varying)
    constant = _constant(moments, source_names)
    uncorrected = moments.values()
    bias = {}
    if weight > n_varying + 1:
        known = names if bias_correction == "wishart" else _FOR_NOTES
        bias = replace(moments, names=tuple(n for n in names if n in known)).sampling_bias(weight)
    corrected = _corrected(uncorrected, bias if bias_correction == "wishart" else {})
    return SynergyResult(
        values=_by_source(_in_unit(corrected, unit), vectors.names),
        uncorrected=_by_source(_in_unit(uncorrected, unit), vectors.names),
        sampling_bias=_by_source(_in_unit(bias, unit), vectors.names),
        intervals=None,
        p_values=None,
        q_values=None,
        null={},
        best_source=_best_source(moments),
        variances=moments.variances.astype(np.float64),
        sources=vectors.names,
        targets=target_names,
        members=vectors.members,
        constant_sources=constant,
        n_samples=int(weight) if weight.is_integer() else weight,
        model="gaussian",
        unit=unit,
        bias_correction=bias_correction,
        confidence=0.95,
        n_bootstrap=0,
        n_permutations=0,
        discretisation="",
    )


def _warn_of_slow(seconds: float, n_tables: int) -> None:
    """Warn where tables that each take so long will take minutes together."""
    if seconds * n_tables > _SLOW:
        warn(
            f"resampling may take {seconds * n_tables / 60:.0f} minutes: one set of tables took "
            f"{seconds:.2g} s, and {n_tables} follow; fewer resamples, bias_correction='none' or "
            "coarser categories take less, and Ctrl-C stops it",
            SlowResamplingWarning,
        )


def _in_unit(nats: Mapping[str, Any], unit: Unit) -> dict[str, Any]:
    return {name: np.asarray(in_unit(v, unit)) for name, v in nats.items()}


def _corrected(values: Mapping[str, Any], bias: Mapping[str, Any]) -> dict[str, Any]:
    return {name: v - bias.get(name, 0.0) for name, v in values.items()}


def _intervals(
    fitted: Model,
    n_samples: int | Float[np.ndarray, " n"],
    n: int,
    confidence: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    ties = fitted.with_ties()
    models = [fitted] + ([] if ties is None else [ties])
    found: dict[str, Any] = {}
    for model, seed in zip(models, (rng, deepcopy(rng)), strict=False):
        values, drawn, origin = model.for_intervals(n, seed)
        for name, v in values.items():
            interval = shifted_interval(
                v,
                drawn[name],
                origin[name],
                confidence,
                MEASURES[name].least,
                n_samples,
                fitted.n_fitted,
            )
            found[name] = hull(found[name], interval) if name in found else interval
    return found


def _nulls(names: tuple[str, ...], null: str) -> dict[str, Null]:
    return {name: MEASURES[name].null if null == "synergy" else "independence" for name in names}


def _p_values(
    fitted: Model,
    values: Mapping[str, Any],
    nulls: Mapping[str, Null],
    n: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """P-values in the order of the values; measures of one null share its resamples."""
    found = {}
    seeds = dict(zip(get_args(Null), rng.spawn(len(get_args(Null))), strict=True))
    for null in dict.fromkeys(nulls.values()):
        names = tuple(name for name in values if nulls[name] == null)
        stacks = null_values(fitted.only(names), null, n, seeds[null])
        for name in names:
            each = [permutation_p_value(values[name], s[name], fitted.rounding) for s in stacks]
            found[name] = np.max(each, axis=0)
    return {name: found[name] for name in values}


def _best_source(fitted: Model | GaussianMoments) -> Int[np.ndarray, " n"]:
    """Index of the source that tells most alone; -1 where none tells anything."""
    alone = fitted.alone()
    return np.where(alone.max(axis=0) > _NOTHING, alone.argmax(axis=0), -1)


def _constant(fitted: Model | GaussianMoments, names: tuple[str, ...]) -> tuple[str, ...]:
    """Variables of the sources that do not vary, with a warning if there are any."""
    constant = tuple(names[j] for j in np.flatnonzero(~fitted.varying))
    if constant:
        shown = ", ".join(constant[:5]) + (", ..." if len(constant) > 5 else "")
        warn(
            f"{len(constant)} of {len(names)} sources are constant, and tell nothing about any "
            f"target: {shown}",
            ConstantSourceWarning,
        )
    return constant


def _names(argument: str, names: Sequence[str] | None, letter: str, k: int) -> tuple[str, ...]:
    if names is None:
        return default_names(letter, k)
    if isinstance(names, str) or len(names) != k:
        raise ValueError(f"{argument} must hold {k} names; found {said(names)}")
    return tuple(str(name) for name in names)


def _check_n_samples(n_samples: int | float, n_varying: int) -> None:
    if n_samples <= n_varying + 1:
        raise ValueError(
            f"{n_samples:g} samples of {n_varying} sources seem to determine every target: a "
            f"Gaussian model needs at least {n_varying + 2}, and preferably many more"
        )


def _model(
    sources: Table,
    targets: Table,
    model: str,
    groups: tuple[Int[np.ndarray, " _"], ...] | None,
    names: tuple[str, ...],
    correction: str,
    bins: int | None,
    binning: str,
    n_neighbors: int,
) -> tuple[Model, str, str]:
    """Model of the samples, and notes on variables that were binned, and that were not."""
    if model == "discrete":
        z, x = as_codes(sources, bins, binning), as_codes(targets, bins, binning)
        if groups is not None:
            z = z.combined(groups)
        n_cells = math.prod(z.sizes) * max(x.sizes)
        if n_cells > _MAX_CELLS:
            raise ValueError(
                f"the table of all sources and a target has {n_cells:.2g} cells; at most "
                f"{_MAX_CELLS:.0e} are allowed: use fewer sources, or coarser categories "
                f"(the largest have {max(z.sizes)} and {max(x.sizes)} values)"
            )
        discretised = "; ".join(t for t in (z.discretisation, x.discretisation) if t)
        fitted = DiscreteModel(z.codes, x.codes, z.sizes, x.sizes, names, correction == "shrinkage")
        categories = ", ".join(t for t in (z.categories, x.categories) if t)
        return fitted, discretised, categories
    if model == "nearest-neighbors":
        return _neighbors(sources, targets, groups, names, n_neighbors), "", ""
    gaussian = GaussianModel(sources.numbers(), targets.numbers(), names, groups, model == "copula")
    _check_n_samples(sources.n_samples, int(gaussian.varying.sum()))
    return gaussian, "", ""


def _neighbors(
    sources: Table,
    targets: Table,
    groups: tuple[Int[np.ndarray, " _"], ...] | None,
    names: tuple[str, ...],
    k: int,
) -> NearestNeighborModel:
    """Model of samples of continuous variables."""
    z, x = sources.numbers(), targets.numbers()
    labels = [f"{t.argument}[{name!r}]" for t in (sources, targets) for name in t.names]
    check_continuous(np.concatenate([z, x], axis=1), labels, k)
    n_sources = z.shape[1] if groups is None else len(groups)
    if "interaction_information" in names and n_sources > MOST_SOURCES:
        raise ValueError(
            f"interaction_information of {n_sources} sources needs all combinations of them; at "
            f"most {MOST_SOURCES} are allowed: name other measures"
        )
    return NearestNeighborModel(z, x, names, groups, k)


def _as_series(fitted: Model, lagged: LaggedTables, length: int | float | None) -> Any:
    """The same model of samples that depend on those before them."""
    if isinstance(fitted, DiscreteModel):
        z, x = (codes.astype(np.float64) for codes in (fitted.z, fitted.x))
        return replace(fitted, series=Series.of(z, x, lagged.lengths, length))
    if isinstance(fitted, GaussianModel | NearestNeighborModel):
        return replace(fitted, series=Series.of(*fitted.scored, lagged.lengths, length))
    raise TypeError(f"{type(fitted).__name__} knows no series")


def _check_options(
    model: str,
    groups: Any,
    bins: int | None,
    binning: str,
    n_bootstrap: int,
    confidence: float,
    n_permutations: int,
    null: str,
) -> None:
    one_of(model, "model", CORRECTIONS)
    if groups is not None and model == "discrete":
        raise ValueError(
            "groups need model='gaussian' or 'copula'; for discrete sources, make one column with "
            "a category for each combination"
        )
    if bins is not None and model != "discrete":
        raise ValueError(f"bins is for model='discrete'; model={model!r} takes data as they are")
    if bins is not None:
        whole_number(bins, "bins", 2)
        if bins > _MAX_CELLS:
            raise ValueError(f"bins must be at most {_MAX_CELLS:,}; found {bins:,}")
    one_of(binning, "binning", ("equal-frequency", "equal-width"))
    whole_number(n_bootstrap, "n_bootstrap", 0, _MOST_RESAMPLES)
    whole_number(n_permutations, "n_permutations", 0, _MOST_RESAMPLES)
    one_of(null, "null", ("synergy", "independence"))
    if not 0 < number(confidence, "confidence") < 1:
        raise ValueError(f"confidence must be between 0 and 1; found {confidence}")


def _check_series(lag: Any, trials: Any, block_length: int | float | None) -> None:
    for name, value in (("trials", trials), ("block_length", block_length)):
        if value is not None and lag is None:
            raise ValueError(f"{name} is for time series: give lag, such as lag=1 (or lag=0)")
    if block_length is not None and not 1 <= number(block_length, "block_length") < math.inf:
        raise ValueError(f"block_length must be at least 1; found {block_length}")


def _measure_names(model: str, measures: str | Sequence[str], n_sources: int) -> tuple[str, ...]:
    """Names of the measures; of what each source has for itself, one for each source's number."""
    asked = as_names(measures, "measures")
    every = names_of(model)
    known = (*every, *names_of(model, on_request=True))
    # The redundancy of tables is that of two sources, from their union information.
    of_two = model == "discrete" and n_sources > 2
    groups = {"all": every, "atoms": tuple(a for a in ATOMS if not of_two or a != "redundancy")}
    if "atoms" in asked and "gk_synergy" not in known:
        raise ValueError(
            f"atoms are parts of the union information, which model={model!r} does not have: use "
            "model='copula', or 'discrete' with bins"
        )
    names = [name for word in asked for name in groups.get(word, (word,))]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        found = ", ".join(map(repr, unknown)) if unknown else "none"
        words = "'all' or 'atoms'" if "gk_synergy" in known else "'all'"
        raise ValueError(
            f"measures of model={model!r} are {', '.join(known)}, or {words}; found {found}"
        )
    if n_sources < 2 and {"redundancy", "unique_information"} & set(names):
        raise ValueError("redundancy and unique_information need at least two sources; found 1")
    if of_two and "redundancy" in names:
        raise ValueError(
            f"redundancy of discrete data needs two sources, found {n_sources}: see "
            "imin_redundancy, or pid for the lattice of up to five"
        )
    return tuple(
        dict.fromkeys(
            each
            for name in names
            for each in (
                [f"{name}[{j}]" for j in range(n_sources)]
                if MEASURES[name].of_each_source
                else [name]
            )
        )
    )


def _by_source(values: Mapping[str, Any], sources: tuple[str, ...]) -> dict[str, Any]:
    """Values with the names of sources in place of their numbers."""
    named = {}
    for name, value in values.items():
        base, bracket, number = name.partition("[")
        named[f"{base}[{sources[int(number[:-1])]}]" if bracket else base] = value
    return named


def _correction(model: str, bias_correction: str, is_series: bool) -> str:
    known = CORRECTIONS[model]
    if not isinstance(bias_correction, str):
        raise ValueError(f"bias_correction must be a word; found {said(bias_correction)}")
    if is_series:
        known = tuple(name for name in known if name in _FOR_SERIES)
        if bias_correction in CORRECTIONS[model] and bias_correction not in known:
            raise ValueError(
                f"bias_correction={bias_correction!r} is for independent samples; series take "
                f"{' or '.join(known)}"
            )
    if bias_correction == "auto":
        return known[0]
    if bias_correction not in known:
        raise ValueError(
            f"bias_correction of model={model!r} must be 'auto' or one of {', '.join(known)}; "
            f"found {bias_correction!r}"
        )
    return bias_correction
