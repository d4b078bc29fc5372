"""Registry of the measures of synergy: formulas, bias and sign of each.

`MEASURES` maps a name to a `Measure`. To add a measure, add its entry: the models of samples,
corrections of bias, intervals and options follow from it. All formulas are in nats. A measure that
each source has for itself is found for one source as ``MEASURES["source_information[0]"]``.

Equation numbers are those of Ver Steeg, Brekelmans, Harutyunyan and Galstyan (2017),
arXiv:1710.03839.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from minsyn.information._gaussian_sources import GaussianSources, information
from minsyn.information._pmf_batch import PmfBatch, entropies

__all__ = ["ATOMS", "MEASURES", "Measure", "NeighborInformations", "Null", "in_words", "names_of"]

#: Parts of the mutual information; those of two sources sum to it.
ATOMS = ("redundancy", "unique_information", "gk_synergy")

#: Null hypotheses of p-values.
Null = Literal["independence", "no GK synergy", "no CI synergy"]


@dataclass(frozen=True, eq=False)
class NeighborInformations:
    """Informations of sets of sources about each target, by nearest neighbours.

    Attributes
    ----------
    n_sources : int
    of_sets : mapping of tuple of int to ndarray
        By the indices of the sources, in nats; pointwise, or of all samples.
    """

    n_sources: int
    of_sets: Mapping[tuple[int, ...], Float[np.ndarray, "*b n"]]

    @property
    def whole(self) -> Float[np.ndarray, "*b n"]:
        """Information of all sources together."""
        return self.of_sets[tuple(range(self.n_sources))]

    @property
    def alone(self) -> Float[np.ndarray, "sources *b n"]:
        """Information of each source alone."""
        return np.stack([self.of_sets[(j,)] for j in range(self.n_sources)])

    @property
    def interaction(self) -> Float[np.ndarray, "*b n"]:
        """Sums over all sets, with the sign of what their complements' sizes are."""
        signed = ((-1) ** (self.n_sources - len(s)) * v for s, v in self.of_sets.items())
        value: np.ndarray = np.sum(np.stack(list(signed)), axis=0)
        return value


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
    local : callable or None
        Its local values from a `PmfBatch`, in an array of the shape of the pmfs; 0 in cells of
        probability 0. None where the values of ``pmf`` are no expectations.
    neighbors : callable or None
        Its values from `NeighborInformations`; None where nearest neighbours do not tell it.
    wishart : callable or None
        Its bias from Gaussian samples, from `WishartBias`; None where draws find it.
    miller_madow : callable or None
        Its bias from counts to first order, from `OccupiedCells`; None for measures that are no
        sums of entropies.
    signed : bool
        Whether a distribution may have a negative value.
    null : {"independence", "no GK synergy", "no CI synergy"}
        The null hypothesis that its p-value is about: the target is independent of the sources;
        nothing is told by a combination of sources alone; the sources seem independent given the
        target to a decoder.
    of_each_source : bool
        Whether each source has a value of its own. Then the formulas take the number of a source
        as their second argument.
    on_request : bool
        Whether it is measured only where it is asked for by its name.

    Examples
    --------
    >>> MEASURES["whole_minus_sum"].signed, MEASURES["s_max"].gaussian
    (True, None)
    """

    name: str
    description: str
    gaussian: Callable[..., Any] | None = None
    pmf: Callable[..., Any] | None = None
    local: Callable[[PmfBatch], Any] | None = None
    neighbors: Callable[..., Any] | None = None
    wishart: Callable[..., Any] | None = None
    miller_madow: Callable[..., Any] | None = None
    signed: bool = False
    null: Null = "independence"
    of_each_source: bool = False
    on_request: bool = False

    @property
    def least(self) -> float:
        """The least value that a distribution may have."""
        return -math.inf if self.signed else 0.0

    def of(
        self, distribution: GaussianSources | PmfBatch | NeighborInformations
    ) -> Float[np.ndarray, "*b n"]:
        """Values for every target, in nats."""
        formulas: dict[type, Callable[[Any], Any] | None] = {
            GaussianSources: self.gaussian,
            PmfBatch: self.pmf,
            NeighborInformations: self.neighbors,
        }
        formula = formulas[type(distribution)]
        if formula is None:
            raise ValueError(f"{self.name} is not defined for {type(distribution).__name__}")
        return np.asarray(formula(distribution))

    def of_source(self, source: str) -> "Measure":
        """The measure of one source, by its number."""

        def bound(formula: Callable[..., Any] | None) -> Callable[..., Any] | None:
            return None if formula is None else lambda distribution: formula(distribution, j)

        name = f"{self.name}[{source}]"
        if not source.isdecimal():  # a name, as in results: of what is the same for all sources
            return replace(self, name=name)
        j = int(source)
        return replace(
            self,
            name=name,
            gaussian=bound(self.gaussian),
            pmf=bound(self.pmf),
            neighbors=bound(self.neighbors),
            wishart=bound(self.wishart),
            miller_madow=bound(self.miller_madow),
        )


#: Words of measures' names that are no words, as readers know them.
_SYMBOLS = {"gk": "GK", "ci": "CI", "imin": "I_min", "s_max": "S_max", "o": "O"}


def in_words(name: str) -> str:
    """A measure's name for readers.

    Examples
    --------
    >>> in_words("gk_synergy"), in_words("s_max"), in_words("source_information[my_height]")
    ('GK synergy', 'S_max', 'source information of my_height')
    """
    base, _, source = name.partition("[")
    words = [base] if base in _SYMBOLS else base.split("_")
    said = " ".join(_SYMBOLS.get(word, word) for word in words)
    return said + (f" of {source[:-1]}" if source else "")


class _Registry(dict[str, Measure]):
    """Measures by name; ``name[source]`` is that of one source."""

    def __missing__(self, name: str) -> Measure:
        base, bracket, source = name.partition("[")
        if base in self and self[base].of_each_source and bracket and source.endswith("]"):
            return self[base].of_source(source[:-1])
        raise KeyError(name)


def names_of(model: str, *, on_request: bool = False) -> tuple[str, ...]:
    """Names of the measures that a model has, such as "gaussian", "copula" or "discrete".

    Parameters
    ----------
    model : {"gaussian", "copula", "discrete"}
    on_request : bool
        Whether to list those that are measured only where they are asked for, instead of others.

    Examples
    --------
    >>> sorted(set(names_of("discrete")) - set(names_of("gaussian")))
    ['imin_redundancy', 's_max']
    >>> names_of("gaussian", on_request=True)
    ('redundancy', 'unique_information', 'source_information', 'o_information')
    """
    formula = {"discrete": "pmf", "nearest-neighbors": "neighbors"}.get(model, "gaussian")
    return tuple(
        name
        for name, m in MEASURES.items()
        if getattr(m, formula) is not None and m.on_request == on_request
    )


def _gaussian_gk_synergy(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """I - U, Eq. 15: a ratio, so that it is exactly 0 where one source tells all."""
    best = sources.unexplained_by_best
    return information(np.where(best > 0, sources.unexplained / np.where(best > 0, best, 1), 1.0))


def _gaussian_whole_minus_sum(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """(I - max_j I_j) - sum of the other I_j, of which only one term can be infinite."""
    others = information(sources.unexplained_alone)
    np.put_along_axis(others, sources.best[..., None, :], 0.0, axis=-2)
    nats: np.ndarray = _gaussian_gk_synergy(sources) - others.sum(axis=-2)
    return nats


def _gaussian_redundancy(sources: GaussianSources) -> Float[np.ndarray, "*b n"]:
    """min_j I_j, which for two sources is I_1 + I_2 - U."""
    return information(sources.unexplained_alone.max(axis=-2))


def _gaussian_unique_information(sources: GaussianSources, j: int) -> Float[np.ndarray, "*b n"]:
    """U - U(the others): a ratio, so that it is exactly 0 where the others tell as much."""
    of_others = np.delete(sources.unexplained_alone, j, axis=-2).min(axis=-2)
    best = np.minimum(of_others, sources.unexplained_alone[..., j, :])
    return information(np.where(of_others > 0, best / np.where(of_others > 0, of_others, 1), 1.0))


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


def _local_ci_synergy(batch: PmfBatch) -> Float[np.ndarray, "n *sources x"]:
    """Log p(x|z) / p_CI(x|z), where p_CI(x|z) = p(x) prod_j p(z_j|x) / p_CI(z) (Eq. 4 and 5).

    Products of likelihoods underflow where their logarithms add up.
    """
    p, m = batch.p, batch.n_sources
    log_p_x = _log(batch.marginal(m))
    log_ci = log_p_x.reshape(len(p), *(1,) * m, -1)
    for j in range(m):
        given = _log(batch.marginal(j, m)) - np.where(np.isfinite(log_p_x), log_p_x, 0.0)[:, None]
        log_ci = log_ci + batch.beside(given, j, m)
    largest = log_ci.max(axis=-1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    total = np.exp(log_ci - largest).sum(axis=-1, keepdims=True)
    log_ci_z = largest + np.log(np.where(total > 0, total, 1.0))
    # log p_CI is -inf only where p is 0 too.
    log_decoder = np.where(p > 0, log_ci, 0.0) - np.where(p > 0, log_ci_z, 0.0)
    p_z = p.sum(axis=-1, keepdims=True)
    return np.where(p > 0, _log_where(p, p) - _log_where(p_z, p) - log_decoder, 0.0)


def _discrete_ci_synergy(batch: PmfBatch) -> Float[np.ndarray, " n"]:
    """Divergence from the CI decoder, Eq. 4."""
    divergence = batch.p * _local_ci_synergy(batch)
    nats: np.ndarray = np.maximum(divergence.reshape(len(batch.p), -1).sum(axis=1), 0.0)
    return nats


def _local_information(batch: PmfBatch, *sources: int) -> Float[np.ndarray, "n *sources x"]:
    """Log p(x|z) / p(x), of some of the sources."""
    p, m = batch.p, batch.n_sources
    joint, alone = batch.marginal(*sources, m), batch.marginal(*sources)
    nats: np.ndarray = (
        _log_where(batch.beside(joint, *sources, m), p)
        - _log_where(batch.beside(alone, *sources), p)
        - _log_where(batch.beside(batch.marginal(m), m), p)
    )
    return nats


def _local_total_correlation(batch: PmfBatch) -> Float[np.ndarray, "n *sources x"]:
    """Log p / prod_j p(z_j) p(x)."""
    p = batch.p
    singles = (
        _log_where(batch.beside(batch.marginal(v), v), p) for v in range(batch.n_sources + 1)
    )
    return _log_where(p, p) - sum(singles)


def _local_o_information(batch: PmfBatch) -> Float[np.ndarray, "n *sources x"]:
    """The same less log prod_v p(v | others) / p, the local dual total correlation, turned."""
    p, variables = batch.p, range(batch.n_sources + 1)
    # Omega = sum_v [H(v) - H(others of v)] + (k - 2) H(all) with k variables.
    local = -(len(variables) - 2) * _log_where(p, p)
    for v in variables:
        others = tuple(w for w in variables if w != v)
        local = local - _log_where(batch.beside(batch.marginal(v), v), p)
        local = local + _log_where(batch.beside(batch.marginal(*others), *others), p)
    return local


def _of_value(batch: PmfBatch, by_value: Float[np.ndarray, "n x"]) -> Any:
    """Specific information, from its product with p(x), in the cells of each value of the target.

    A specific information is the mean over z given x of local values: it is the same in all cells.
    """
    p_x = batch.marginal(batch.n_sources)
    specific = batch.beside(by_value / np.where(p_x > 0, p_x, 1.0), batch.n_sources)
    return np.where(batch.p > 0, specific, 0.0)


def _log_where(
    q: Float[np.ndarray, "*_"], p: Float[np.ndarray, "n *cells"]
) -> Float[np.ndarray, "n *cells"]:
    """The logarithm of a marginal in the cells of positive probability, 0 in others."""
    return np.log(np.where(p > 0, q, 1.0))


def _log(p: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The logarithm, -inf at 0 without a warning."""
    return np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf)


def _discrete_unique_information(batch: PmfBatch, j: int) -> Float[np.ndarray, " n"]:
    """U - U(the others)."""
    others = PmfBatch(batch.p.sum(axis=j + 1), batch.rough)
    nats: np.ndarray = np.maximum(batch.union - others.union, 0.0)
    return nats


def _discrete_o_information(batch: PmfBatch) -> Float[np.ndarray, " n"]:
    """sum_v [H(v) - H(others of v)] + (k - 2) H(all), of k variables."""
    variables = range(batch.n_sources + 1)
    omega = (len(variables) - 2) * entropies(batch.p)
    for v in variables:
        others = batch.marginal(*(w for w in variables if w != v))
        omega += entropies(batch.marginal(v)) - entropies(others)
    return omega


def _discrete_total_correlation(batch: PmfBatch) -> Float[np.ndarray, " n"]:
    singles = [entropies(batch.marginal(v)) for v in range(batch.n_sources + 1)]
    nats: np.ndarray = np.maximum(np.sum(singles, axis=0) - entropies(batch.p), 0.0)
    return nats


_ENTRIES = (
    Measure(
        "mutual_information",
        "what all sources tell together",
        gaussian=lambda s: information(s.unexplained),
        pmf=lambda b: b.information,
        local=lambda b: _local_information(b, *range(b.n_sources)),
        neighbors=lambda k: k.whole,
        wishart=lambda w: w.information(w.rank),
        miller_madow=lambda c: c.information,
    ),
    Measure(
        "union_information",
        "what the sources tell without combining them",
        gaussian=lambda s: information(s.unexplained_by_best),
        pmf=lambda b: b.union,
        wishart=lambda w: w.union,
    ),
    Measure(
        "gk_synergy",
        "Griffith-Koch synergy: mutual information minus union information",
        gaussian=_gaussian_gk_synergy,
        pmf=lambda b: np.maximum(b.information - b.union, 0.0),
        wishart=lambda w: w.information(w.rank) - w.union,
        null="no GK synergy",
    ),
    Measure(
        "ci_synergy",
        "what a decoder loses that assumes the sources to be independent given the target",
        gaussian=_gaussian_ci_synergy,
        pmf=_discrete_ci_synergy,
        local=_local_ci_synergy,
        null="no CI synergy",
    ),
    Measure(
        "whole_minus_sum",
        "the mutual information minus the sum of what each source tells alone",
        gaussian=_gaussian_whole_minus_sum,
        pmf=lambda b: b.information - b.alone.sum(axis=0),
        local=lambda b: (
            _local_information(b, *range(b.n_sources))
            - sum(_local_information(b, j) for j in range(b.n_sources))
        ),
        neighbors=lambda k: k.whole - k.alone.sum(axis=0),
        wishart=lambda w: w.information(w.rank) - w.information(w.ranks).sum(),
        miller_madow=lambda c: c.information - c.alone,
        signed=True,
        null="no GK synergy",
    ),
    Measure(
        "total_correlation",
        "dependence among the sources and the target",
        gaussian=lambda s: information(s.unexplained) + s.total_correlation,
        pmf=_discrete_total_correlation,
        local=_local_total_correlation,
        wishart=lambda w: w.total_correlation,
        miller_madow=lambda c: c.total_correlation,
    ),
    Measure(
        "imin_redundancy",
        "Williams and Beer's redundancy of all sources",
        pmf=lambda b: b.by_value.min(axis=0).sum(axis=1),
        local=lambda b: _of_value(b, b.by_value.min(axis=0)),
    ),
    Measure(
        "s_max",
        "Williams and Beer's synergy",
        pmf=lambda b: np.maximum(b.information - b.by_value.max(axis=0).sum(axis=1), 0.0),
        local=lambda b: (
            _local_information(b, *range(b.n_sources)) - _of_value(b, b.by_value.max(axis=0))
        ),
        null="no GK synergy",
    ),
    Measure(
        "redundancy",
        "what every source tells",
        gaussian=_gaussian_redundancy,
        pmf=lambda b: np.maximum(b.alone.sum(axis=0) - b.union, 0.0),
        wishart=lambda w: w.redundancy,
        on_request=True,
    ),
    Measure(
        "unique_information",
        "what a source adds to the union information of the others",
        gaussian=_gaussian_unique_information,
        pmf=_discrete_unique_information,
        wishart=lambda w, j: w.union - w.without[j],
        of_each_source=True,
        on_request=True,
    ),
    Measure(
        "source_information",
        "what a source tells alone",
        gaussian=lambda s, j: information(s.unexplained_alone[..., j, :]),
        pmf=lambda b, j: b.alone[j],
        neighbors=lambda k, j: k.alone[j],
        wishart=lambda w, j: w.information(w.ranks[j]),
        miller_madow=lambda c, j: c.alone_of(j),
        of_each_source=True,
        on_request=True,
    ),
    Measure(
        "o_information",
        "excess of redundancy over synergy among the sources and the target",
        gaussian=lambda s: s.o_information,
        pmf=_discrete_o_information,
        local=_local_o_information,
        wishart=lambda w: w.o_information,
        miller_madow=lambda c: c.o_information,
        signed=True,
        on_request=True,
    ),
    Measure(
        "interaction_information",
        "what all sources tell beyond every smaller set of them, less what they share",
        neighbors=lambda k: k.interaction,
        signed=True,
    ),
)

#: Every measure by its name.
MEASURES = MappingProxyType(_Registry({measure.name: measure for measure in _ENTRIES}))
