"""Registry of the measures of synergy: formulas, bias and sign of each.

`MEASURES` maps a name to a `Measure`. To add a measure, add its entry: the models of samples,
corrections of bias, intervals and options follow from it. All formulas are in nats.

Equation numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017),
arXiv:1710.03839.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from minsyn.information._bias import OccupiedCells, WishartBias
from minsyn.information._gaussian_sources import GaussianSources, information
from minsyn.information._pmf_batch import PmfBatch, entropies

__all__ = ["MEASURES", "Measure", "Null", "names_of"]

#: Null hypotheses of p-values.
Null = Literal["independence", "no GK synergy", "no CI synergy"]


@dataclass(frozen=True)
class Measure:
    """A measure of what sources tell about a target.

    Attributes
    ----------
    name : str
        Its name in `minsyn.information.synergy`.
    description : str
        A few words for tables and help texts.
    gaussian : callable or None
        Its values from `GaussianSources`; None where it is not defined for Gaussian variables.
    pmf : callable or None
        Its values from a `PmfBatch`; None where it is not defined for discrete variables.
    wishart : callable or None
        Its bias from Gaussian samples; None where draws find it.
    miller_madow : callable or None
        Its bias from counts to first order; None for measures that are no sums of entropies.
    signed : bool
        Whether a distribution may have a negative value.
    null : {"independence", "no GK synergy", "no CI synergy"}
        The null hypothesis that its p-value is about: the target is independent of the sources;
        nothing is told by a combination of sources alone; the sources seem independent given the
        target to a decoder.

    Examples
    --------
    >>> MEASURES["whole_minus_sum"].signed, MEASURES["s_max"].gaussian
    (True, None)
    """

    name: str
    description: str
    gaussian: Callable[[GaussianSources], Any] | None = None
    pmf: Callable[[PmfBatch], Any] | None = None
    wishart: Callable[[WishartBias], Any] | None = None
    miller_madow: Callable[[OccupiedCells], Any] | None = None
    signed: bool = False
    null: Null = "independence"

    @property
    def least(self) -> float:
        """The least value that a distribution may have."""
        return -math.inf if self.signed else 0.0

    def of(self, distribution: GaussianSources | PmfBatch) -> Float[np.ndarray, "*b n"]:
        """Values for every target, in nats."""
        formula = self.gaussian if isinstance(distribution, GaussianSources) else self.pmf
        if formula is None:
            raise ValueError(f"{self.name} is not defined for {type(distribution).__name__}")
        return np.asarray(formula(distribution))  # type: ignore[arg-type]


def names_of(model: str) -> tuple[str, ...]:
    """Names of the measures that are defined for "gaussian", "copula" or "discrete" data.

    Examples
    --------
    >>> sorted(set(names_of("discrete")) - set(names_of("gaussian")))
    ['imin_redundancy', 's_max']
    """
    formula = "pmf" if model == "discrete" else "gaussian"
    return tuple(name for name, m in MEASURES.items() if getattr(m, formula) is not None)


def _gaussian_gk_synergy(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """I - U, Eq. 15: a ratio, so that it is exactly 0 where one source tells all."""
    best = sources.unexplained_by_best
    return information(np.where(best > 0, sources.unexplained / np.where(best > 0, best, 1), 1.0))


def _gaussian_whole_minus_sum(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """(I - max_j I_j) - sum of the other I_j, of which only one term can be infinite."""
    others = information(sources.unexplained_alone)
    np.put_along_axis(others, sources.best[..., None, :], 0.0, axis=-2)
    return _gaussian_gk_synergy(sources) - others.sum(axis=-2)


def _gaussian_ci_synergy(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """Divergence from the CI decoder, Eq. 4; of c copies of the target, its limit."""
    b, v_q = sources.ci_decoder
    v_p = sources.unexplained
    one_determines = sources.unexplained_by_best == 0
    copies = np.where(one_determines, (sources.unexplained_alone == 0).sum(axis=-2), 0)
    regular = v_p > 0
    v_p, v_q = np.where(regular, v_p, 1.0), np.where(regular, v_q, 1.0)
    # (a - b)' Sigma (a - b), where a are the coefficients of the regression on all sources.
    apart = sources.white.rho - np.swapaxes(sources.white.factor, -1, -2) @ b
    excess = (v_p - v_q) / v_q
    nats = 0.5 * (excess - np.log1p(excess) + np.einsum("...ij,...ij->...j", apart, apart) / v_q)
    c = np.maximum(copies, 1)
    return np.where(regular, nats, np.where(copies > 0, 0.5 * (c - 1 - np.log(c)), np.inf))


def _discrete_ci_synergy(batch: PmfBatch) -> Float[np.ndarray, " n"]:
    """Divergence from p_CI(x|z) = p(x) prod_j p(z_j|x) / p_CI(z) (Eq. 4 and 5), by logarithms.

    Products of likelihoods underflow where their logarithms add up.
    """
    p, m = batch.p, batch.n_sources
    log_p_x = _log(batch.marginal(m))
    log_ci = log_p_x.reshape(len(p), *(1,) * m, -1)
    for j in range(m):
        given = _log(batch.marginal(j, m)) - np.where(np.isfinite(log_p_x), log_p_x, 0.0)[:, None]
        shape = [len(p)] + [p.shape[a + 1] if a in (j, m) else 1 for a in range(m + 1)]
        log_ci = log_ci + given.reshape(shape)
    largest = log_ci.max(axis=-1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    total = np.exp(log_ci - largest).sum(axis=-1, keepdims=True)
    log_ci_z = largest + np.log(np.where(total > 0, total, 1.0))
    # log p_CI is -inf only where p is 0 too.
    log_decoder = np.where(p > 0, log_ci, 0.0) - np.where(p > 0, log_ci_z, 0.0)
    p_z = p.sum(axis=-1, keepdims=True)
    divergence = xlogy(p, p) - xlogy(p, p_z) - p * log_decoder
    return np.maximum(divergence.reshape(len(p), -1).sum(axis=1), 0.0)


def _log(p: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The logarithm, -inf at 0 without a warning."""
    return np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf)


def _discrete_total_correlation(batch: PmfBatch) -> Float[np.ndarray, " n"]:
    singles = [entropies(batch.marginal(v)) for v in range(batch.n_sources + 1)]
    return np.maximum(np.sum(singles, axis=0) - entropies(batch.p), 0.0)


_ENTRIES = (
    Measure(
        "mutual_information",
        "what all sources tell together",
        gaussian=lambda s: information(s.unexplained),
        pmf=lambda b: b.information,
        wishart=lambda w: w.information(w.rank),
        miller_madow=lambda c: c.information,
    ),
    Measure(
        "union_information",
        "what the sources tell without any combination of them",
        gaussian=lambda s: information(s.unexplained_by_best),
        pmf=lambda b: b.union,
        wishart=lambda w: w.union,
    ),
    Measure(
        "gk_synergy",
        "Griffith-Koch synergy, the mutual less the union information",
        gaussian=_gaussian_gk_synergy,
        pmf=lambda b: np.maximum(b.information - b.union, 0.0),
        wishart=lambda w: w.information(w.rank) - w.union,
        null="no GK synergy",
    ),
    Measure(
        "ci_synergy",
        "what a decoder loses that takes the sources for independent given the target",
        gaussian=_gaussian_ci_synergy,
        pmf=_discrete_ci_synergy,
        null="no CI synergy",
    ),
    Measure(
        "whole_minus_sum",
        "the mutual information less the sum of what each source tells alone",
        gaussian=_gaussian_whole_minus_sum,
        pmf=lambda b: b.information - b.alone.sum(axis=0),
        wishart=lambda w: w.information(w.rank) - w.information(w.ranks).sum(),
        miller_madow=lambda c: c.information - c.alone,
        signed=True,
        null="no GK synergy",
    ),
    Measure(
        "total_correlation",
        "dependence of the sources and the target among each other",
        gaussian=lambda s: information(s.unexplained) + s.total_correlation,
        pmf=_discrete_total_correlation,
        wishart=lambda w: w.total_correlation,
        miller_madow=lambda c: c.total_correlation,
    ),
    Measure(
        "imin_redundancy",
        "Williams and Beer's redundancy of all sources",
        pmf=lambda b: b.by_value.min(axis=0).sum(axis=1),
    ),
    Measure(
        "s_max",
        "Williams and Beer's synergy",
        pmf=lambda b: np.maximum(b.information - b.by_value.max(axis=0).sum(axis=1), 0.0),
        null="no GK synergy",
    ),
)

#: Every measure by its name.
MEASURES = MappingProxyType({measure.name: measure for measure in _ENTRIES})
