"""Every measure of synergy asked of samples: values, biases, intervals and p-values."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from minsyn.information import _gaussian_nats, _pmf_batch
from minsyn.information._pmf import Unit, in_unit
from minsyn.information.sampled.models import DiscreteModel, GaussianModel, Model, normal_scores
from minsyn.information.sampled.resampling import (
    basic_interval,
    false_discovery_rate,
    permutation_p_value,
)
from minsyn.information.sampled.result import SynergyResult
from minsyn.information.sampled.table import Table, as_codes, as_table

__all__ = ["SynergyResult", "synergy"]

ModelName = Literal["gaussian", "copula", "discrete"]
Binning = Literal["equal-frequency", "equal-width"]
BiasCorrection = Literal["auto", "none", "wishart", "miller-madow", "shrinkage", "jackknife"]

_MEASURES = {
    "gaussian": tuple(_gaussian_nats.MEASURES),
    "copula": tuple(_gaussian_nats.MEASURES),
    "discrete": tuple(_pmf_batch.MEASURES),
}
#: Corrections a model knows; the first is what "auto" takes.
_CORRECTIONS = {
    "gaussian": ("wishart", "jackknife", "none"),
    "copula": ("wishart", "jackknife", "none"),
    "discrete": ("jackknife", "miller-madow", "shrinkage", "none"),
}
#: Cells of one target's table that are still worked on: some hundred megabytes.
_MAX_CELLS = 10_000_000


def synergy(
    Z: Any,
    X: Any,
    model: ModelName = "gaussian",
    *,
    measures: str | Sequence[str] = "all",
    unit: Unit = "bits",
    bias_correction: BiasCorrection = "auto",
    bins: int | None = None,
    binning: Binning = "equal-frequency",
    n_bootstrap: int = 0,
    confidence: float = 0.95,
    n_permutations: int = 0,
    random_state: int | np.random.Generator | None = None,
) -> SynergyResult:
    r"""Measures of synergy of sources Z about each target X, from samples.

    Parameters
    ----------
    Z : array_like or DataFrame, shape (n_samples, n_sources) or (n_samples,)
        The sources. A DataFrame's column names are kept.
    X : array_like, DataFrame or Series, shape (n_samples, n_targets) or (n_samples,)
        The targets; each is measured on its own.
    model : {"gaussian", "copula", "discrete"}
        - "gaussian": jointly Gaussian variables, from correlations.
        - "copula": Gaussian after each variable is replaced by the normal scores of its ranks
          (ties share their mean rank), and so invariant to monotone transforms of each variable.
        - "discrete": categories with any joint distribution. Integers, whole numbers in floats,
          bool, text and pandas categories are used as they are.
    measures : "all", str or sequence of str
        Of "mutual_information", "union_information", "gk_synergy", "ci_synergy",
        "whole_minus_sum", "total_correlation" (of the sources together with the target); for
        discrete data also "imin_redundancy" and "s_max" (Williams and Beer).
    unit : {"bits", "nats"}
        Unit of all values.
    bias_correction : {"auto", "none", "wishart", "miller-madow", "shrinkage", "jackknife"}
        What is taken off the plug-in values. Corrected values may be negative, so that
        averages over targets or data sets stay unbiased. "auto" is "wishart" for Gaussian
        and copula data, "jackknife" for discrete.

        - "wishart" (gaussian; for a copula approximately): the exact bias of log determinants [1]_.
          The union information is corrected as one source's information.
        - "miller-madow" (discrete): entropies gain (occupied cells - 1) / 2N [2]_.
        - "shrinkage" (discrete): tables are drawn towards equal probabilities with the intensity
          of James and Stein [3]_: little variance, values that are rather too small. Then
          ``uncorrected`` is of the shrunk tables too.
        - "jackknife": by leaving out groups of samples [4]_. Under "wishart" and "miller-madow" it
          serves the measures that are not sums of entropies.
    bins : int, optional
        Bins for continuous columns under ``model="discrete"``, at least 2. Continuous are
        float columns with values that are not whole; they raise unless ``bins`` is given.
    binning : {"equal-frequency", "equal-width"}
        How bins are cut. The result says which columns were binned.
    n_bootstrap : int, default=0
        Bootstrap samples for confidence intervals; 0 for none. Intervals are basic (pivotal)
        ones [5]_, which take the bias off by themselves, cut at 0 for measures that cannot be
        negative; near 0 they cover less than they say, and under "shrinkage" they may lie
        above the value.
    confidence : float, default=0.95
        Coverage of the intervals.
    n_permutations : int, default=0
        Permutations for p-values; 0 for none. The null is the same for every measure: the target is
        independent of all sources together, whose own dependence stays. The p-value is the share of
        permutations that reach the value, uncorrected for bias as theirs are [6]_. A small
        p-value of a synergy says there is more than a target with nothing to do with the sources
        would show; not that sources which do inform about it must combine to do so:
        for that see the interval. ``q_values`` are adjusted over the targets [7]_.
    random_state : int, Generator or None
        For bootstrap and permutations, each with a stream of its own.

    Returns
    -------
    SynergyResult
        ``values``, ``intervals``, ``p_values`` and ``q_values`` by measure; ``to_frame()`` and
        ``plot()``.

    Raises
    ------
    ValueError
        If Z and X differ in length or are empty; hold NaN or infinite values; a source is
        constant; under a Gaussian model there are no more than n_sources + 1 samples; continuous
        data come to the discrete model without ``bins``; a table has too many cells; or an option
        is unknown.

    Notes
    -----
    A constant target has no information: its values are 0 (its total correlation that of the
    sources), its p-values 1. Sources that are combinations of others are taken in the
    limit, see `minsyn.information.gaussian`.

    References
    ----------
    .. [1] Misra, Singh, Demchuk (2005), J. Multivariate Analysis 92.
    .. [2] Miller (1955), Note on the bias of information estimates.
    .. [3] Hausser, Strimmer (2009), Entropy inference and the James-Stein estimator, JMLR 10.
    .. [4] Quenouille (1956), Notes on bias in estimation, Biometrika 43.
    .. [5] Davison, Hinkley (1997), Bootstrap methods and their application, Sec. 5.2.
    .. [6] Phipson, Smyth (2010), Permutation p-values should never be zero.
    .. [7] Benjamini, Hochberg (1995), JRSS B 57.

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
    * ** *** for adjusted permutation p-values up to 0.05, 0.01, 0.001 (n = 99)
        mutual_information  gk_synergy
    x0           ...*...     ...*...
    x1           ...         ...
    >>> result["gk_synergy"].shape
    (2,)

    An exclusive or:

    >>> Z = rng.integers(2, size=(500, 2))
    >>> result = synergy(Z, Z[:, 0] ^ Z[:, 1], "discrete", measures="gk_synergy")
    >>> bool(abs(result["gk_synergy"][0] - 1) < 0.02)
    True
    """
    _check_options(model, bins, binning, n_bootstrap, confidence, n_permutations)
    names = _measure_names(model, measures)
    correction = _correction(model, bias_correction)
    in_unit(0.0, unit)
    sources, targets = as_table(Z, "Z"), as_table(X, "X")
    if sources.n_samples != targets.n_samples:
        raise ValueError(
            f"Z and X must hold the same samples; found {sources.n_samples} and {targets.n_samples}"
        )
    _check_sources_vary(sources)
    fitted, discretisation = _model(sources, targets, model, names, correction, bins, binning)
    uncorrected = fitted.values()
    bias = fitted.bias(correction) if correction not in ("none", "shrinkage") else {}
    values = {name: v - bias.get(name, 0.0) for name, v in uncorrected.items()}

    def scaled(nats: dict[str, Any]) -> dict[str, Any]:
        return {name: np.asarray(in_unit(v, unit)) for name, v in nats.items()}

    for_bootstrap, for_null = np.random.default_rng(random_state).spawn(2)
    intervals = p_values = q_values = None
    if n_bootstrap:
        drawn = fitted.bootstrap(n_bootstrap, for_bootstrap)
        intervals = {
            name: basic_interval(v, drawn[name], confidence, _floor(name))
            for name, v in uncorrected.items()
        }
    if n_permutations:
        null = fitted.null(n_permutations, for_null)
        p_values = {name: permutation_p_value(v, null[name]) for name, v in uncorrected.items()}
        q_values = {name: false_discovery_rate(p) for name, p in p_values.items()}
    return SynergyResult(
        values=scaled(values),
        uncorrected=scaled(uncorrected),
        intervals=None if intervals is None else scaled(intervals),
        p_values=p_values,
        q_values=q_values,
        sources=sources.names,
        targets=targets.names,
        n_samples=sources.n_samples,
        model=model,
        unit=unit,
        bias_correction=correction,
        confidence=confidence,
        n_bootstrap=n_bootstrap,
        n_permutations=n_permutations,
        discretisation=discretisation,
    )


def _floor(measure: str) -> float:
    """What no true value of a measure is below."""
    return -math.inf if measure == "whole_minus_sum" else 0.0


def _model(
    sources: Table,
    targets: Table,
    model: str,
    names: tuple[str, ...],
    correction: str,
    bins: int | None,
    binning: str,
) -> tuple[Model, str]:
    """The samples under a model, and what was done to continuous variables."""
    if model == "discrete":
        z, x = as_codes(sources, bins, binning), as_codes(targets, bins, binning)
        n_cells = math.prod(z.sizes) * max(x.sizes)
        if n_cells > _MAX_CELLS:
            raise ValueError(
                f"the table of all sources and a target has {n_cells:.2g} cells; at most "
                f"{_MAX_CELLS:.0e} are worked on: use fewer sources, or coarser categories "
                f"(the largest have {max(z.sizes)} and {max(x.sizes)} values)"
            )
        discretised = "; ".join(t for t in (z.discretisation, x.discretisation) if t)
        fitted = DiscreteModel(z.codes, x.codes, z.sizes, x.sizes, names, correction == "shrinkage")
        return fitted, discretised
    n_samples, m = sources.n_samples, len(sources.names)
    if n_samples <= m + 1:
        raise ValueError(
            f"{n_samples} samples of {m} sources: a Gaussian model needs more than "
            "n_sources + 1, or the sources seem to determine every target"
        )
    scores = {"scores": normal_scores} if model == "copula" else {}
    return GaussianModel(sources.numbers(), targets.numbers(), names, **scores), ""


def _check_sources_vary(sources: Table) -> None:
    for name, column in zip(sources.names, sources.columns, strict=True):
        if (column == column[0]).all():
            raise ValueError(
                f"Z[{name!r}] is constant, and tells nothing about any target; leave it out"
            )


def _check_options(
    model: str,
    bins: int | None,
    binning: str,
    n_bootstrap: int,
    confidence: float,
    n_permutations: int,
) -> None:
    if model not in _MEASURES:
        raise ValueError(f"model must be one of {', '.join(_MEASURES)}; found {model!r}")
    if bins is not None and model != "discrete":
        raise ValueError(f"bins is for model='discrete'; model={model!r} takes data as they are")
    if bins is not None and bins < 2:
        raise ValueError(f"bins must be at least 2; found {bins}")
    if binning not in ("equal-frequency", "equal-width"):
        raise ValueError(f"binning must be 'equal-frequency' or 'equal-width'; found {binning!r}")
    if n_bootstrap < 0 or n_permutations < 0:
        raise ValueError(
            "n_bootstrap and n_permutations must not be negative; "
            f"found {n_bootstrap} and {n_permutations}"
        )
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; found {confidence}")


def _measure_names(model: str, measures: str | Sequence[str]) -> tuple[str, ...]:
    known = _MEASURES[model]
    if isinstance(measures, str):
        measures = known if measures == "all" else [measures]
    unknown = [name for name in measures if name not in known]
    if unknown or not measures:
        found = ", ".join(map(repr, unknown)) if unknown else "none"
        raise ValueError(
            f"measures of model={model!r} are {', '.join(known)}, or 'all'; found {found}"
        )
    return tuple(dict.fromkeys(measures))


def _correction(model: str, bias_correction: str) -> str:
    known = _CORRECTIONS[model]
    if bias_correction == "auto":
        return known[0]
    if bias_correction not in known:
        raise ValueError(
            f"bias_correction of model={model!r} must be 'auto' or one of {', '.join(known)}; "
            f"found {bias_correction!r}"
        )
    return bias_correction
