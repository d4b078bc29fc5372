"""Bias that sampling adds to plug-in values, and its estimates.

Wishart
    Of N Gaussian samples the scatter matrix of d variables is Wishart with N - 1 degrees of
    freedom, and the mean of its log determinant is known exactly (Goodman 1963; Misra, Singh,
    Demchuk 2005, "Estimation of the entropy of a multivariate normal distribution"). So is the
    bias of a sum of log determinants: of the mutual information, the total correlation and the
    whole minus the sum. The union information is the largest of several such informations: the
    bias of choosing it, and that of CI synergy, are found by draws of Wishart matrices
    (`minsyn.information._wishart`).
Miller-Madow
    The plug-in entropy of K occupied cells is too small by (K - 1) / 2N nats to first order
    (Miller 1955, "Note on the bias of information estimates").
Shrinkage
    Cell probabilities are drawn towards equal ones, with the intensity of James and Stein (Hausser
    and Strimmer 2009, "Entropy inference and the James-Stein estimator"): less variance for values
    that are too small where there is much to find. Shrinking towards the product of the marginals
    did worse.
Jackknife
    (g - 1) times the mean change when one of g groups of samples is left out (Quenouille 1956).
    It serves every measure, and removes bias of order 1/N where a measure is smooth; the union
    information is not smooth where two sources tell equally much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma

from minsyn.information._wishart import information_bias

#: Groups of the jackknife: the bias it finds is of order 1/N for any number, noise falls with it.
N_GROUPS = 20


@dataclass(frozen=True, eq=False)
class WishartBias:
    """Biases of plug-in Gaussian measures in nats.

    Attributes
    ----------
    n_samples : float
        Number of samples N.
    rank : int
        Number of linearly independent variables among all sources.
    ranks : int array, (m,)
        The same of each source; 0 for a constant one.
    union : array, (n,)
        Bias of the union information, by draws.
    redundancy : array, (n,)
        Bias of the least of the sources' informations, by draws.
    without : array, (m, n)
        Bias of the union information of all sources but one, by draws.
    """

    n_samples: int | float
    rank: int
    ranks: Int[np.ndarray, " m"]
    union: Float[np.ndarray, " n"]
    redundancy: Float[np.ndarray, " n"]
    without: Float[np.ndarray, "m n"]

    def information(self, rank: Any) -> Any:
        """Bias of the information of sources of some rank about a target."""
        return information_bias(self.n_samples, rank)

    @property
    def total_correlation(self) -> float:
        """Bias of the total correlation of all sources and a target."""
        parts = sum(self._log_det(int(rank)) for rank in self.ranks)
        return 0.5 * (parts + self._log_det(1) - self._log_det(self.rank + 1))

    @property
    def o_information(self) -> float:
        """Bias of the O-information, [sum_v (L_v - L_others) + (k - 2) L_all] / 2, L = log det."""
        ranks, whole = [*map(int, self.ranks), 1], self.rank + 1
        found = (len(ranks) - 2) * self._log_det(whole)
        for rank in ranks:
            found += self._log_det(rank) - self._log_det(whole - rank)
        return 0.5 * found

    def _log_det(self, d: int) -> float:
        """Bias of log det of a scatter matrix of d variables, up to terms in d alone."""
        return float(digamma((self.n_samples - 1 - np.arange(d)) / 2).sum())


@dataclass(frozen=True, eq=False)
class OccupiedCells:
    """Miller and Madow's biases of plug-in measures in nats, from counts of n tables."""

    counts: Int[np.ndarray, "n *sources x"]

    @property
    def information(self) -> Float[np.ndarray, " n"]:
        """Bias of the information of all sources about the target."""
        m = self.counts.ndim - 2
        sources = tuple(range(m))
        bias: np.ndarray = self._free(*sources, m) - self._free(*sources) - self._free(m)
        return bias

    @property
    def alone(self) -> Float[np.ndarray, " n"]:
        """Bias of the sum of the informations of each source alone."""
        bias: np.ndarray = np.sum([self.alone_of(j) for j in range(self.counts.ndim - 2)], axis=0)
        return bias

    def alone_of(self, source: int) -> Float[np.ndarray, " n"]:
        """Bias of the information of one source alone."""
        m = self.counts.ndim - 2
        bias: np.ndarray = self._free(source, m) - self._free(source) - self._free(m)
        return bias

    @property
    def o_information(self) -> Float[np.ndarray, " n"]:
        """Bias of the O-information of all sources and the target."""
        variables = range(self.counts.ndim - 1)
        found = (2 - len(variables)) * self._free(*variables)
        for v in variables:
            found = found + self._free(*(w for w in variables if w != v)) - self._free(v)
        return found

    @property
    def total_correlation(self) -> Float[np.ndarray, " n"]:
        """Bias of the total correlation of all sources and the target."""
        variables = range(self.counts.ndim - 1)
        singles = np.sum([self._free(v) for v in variables], axis=0)
        bias: np.ndarray = self._free(*variables) - singles
        return bias

    def _free(self, *kept: int) -> Float[np.ndarray, " n"]:
        """Occupied cells less one, over 2N, of a marginal."""
        n = len(self.counts)
        others = tuple(a + 1 for a in range(self.counts.ndim - 1) if a not in kept)
        occupied = (self.counts.sum(axis=others) > 0).reshape(n, -1).sum(axis=1)
        bias: np.ndarray = (occupied - 1) / (2 * self.counts.reshape(n, -1).sum(axis=1))
        return bias


def shrink(counts: Int[np.ndarray, "n *cells"]) -> Float[np.ndarray, "n *cells"]:
    """Cell probabilities lam / K + (1 - lam) p of K cells, with the James-Stein intensity lam.

    lam = (1 - sum p^2) / ((N - 1) sum (1/K - p)^2), at most 1 (Hausser and Strimmer, Eq. 2-6).
    """
    axes = tuple(range(1, counts.ndim))
    n_samples = counts.sum(axis=axes, keepdims=True)
    p, equal = counts / n_samples, 1 / counts[0].size
    variance = (1 - (p * p).sum(axis=axes, keepdims=True)) / np.maximum(n_samples - 1, 1)
    distance = ((p - equal) ** 2).sum(axis=axes, keepdims=True)
    lam = np.minimum(variance / np.maximum(distance, np.finfo(np.float64).tiny), 1.0)
    shrunk: np.ndarray = lam * equal + (1 - lam) * p
    return shrunk


def jackknife_bias(
    whole: Mapping[str, Float[np.ndarray, " n"]],
    without: Mapping[str, Float[np.ndarray, "groups n"]],
) -> dict[str, Float[np.ndarray, " n"]]:
    """Bias of the values of all samples, from the values without each group."""
    bias = {}
    for name, values in without.items():
        mean, finite = values.mean(axis=0), np.isfinite(whole[name])
        finite &= np.isfinite(mean)
        change = np.where(finite, mean, 0.0) - np.where(finite, whole[name], 0.0)
        bias[name] = (len(values) - 1) * change
    return bias
