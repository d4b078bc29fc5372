"""What sampling adds to each measure on average, and estimators that take it off.

Wishart
    Of N Gaussian samples the scatter matrix of d variables is Wishart with N - 1 degrees of
    freedom, and the mean of its log determinant is known exactly; so is the bias of every sum of
    log determinants (Misra, Singh, Demchuk 2005, "Estimation of the entropy of a multivariate
    normal distribution"; Goodman 1963).
Miller-Madow
    The plug-in entropy of K occupied cells is too small by (K - 1) / 2N nats to first order
    (Miller 1955, "Note on the bias of information estimates").
Shrinkage
    Cell probabilities are drawn towards equal ones, with the intensity of James and Stein (Hausser
    and Strimmer 2009, "Entropy inference and the James-Stein estimator"). It gives up information
    for variance: the smallest errors where samples are few for the cells, values that are too
    small where there is much to find. (A target of independent variables was tried and did worse.)
Jackknife
    (g - 1) times the mean change when one of g groups of samples is left out (Quenouille 1956).
    Serves every measure; in discrete tables it leaves least bias from about two samples a cell on
    (benchmarks/bias_curve.py).
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma

#: Groups of the jackknife: the bias it finds is of order 1/N for any number, noise falls with it.
N_GROUPS = 20


def wishart_bias(
    n_samples: int, rank: int, n_sources: int, names: tuple[str, ...]
) -> dict[str, float]:
    """Bias in nats of the plug-in Gaussian measures; those it is not known for are absent.

    With nu = N - 1, the bias of I(Z; X) is [psi(nu / 2) - psi((nu - m) / 2)] / 2. The union
    information is one source's information: which one is the best is taken as known.
    """
    nu = n_samples - 1
    information = lambda m: 0.5 * float(digamma(nu / 2) - digamma((nu - m) / 2))  # noqa: E731
    variables = np.arange(rank + 1)
    tc = 0.5 * float((digamma(nu / 2) - digamma((nu - variables) / 2)).sum())
    bias = {
        "mutual_information": information(rank),
        "union_information": information(1),
        "gk_synergy": information(rank) - information(1),
        "whole_minus_sum": information(rank) - n_sources * information(1),
        "total_correlation": tc,
    }
    return {name: bias[name] for name in names if name in bias}


def miller_madow_bias(
    counts: Int[np.ndarray, "n *sources x"],
) -> dict[str, Float[np.ndarray, " n"]]:
    """Bias in nats of the plug-in measures that are sums of entropies, to first order."""
    n, m = len(counts), counts.ndim - 2
    n_samples = counts.reshape(n, -1).sum(axis=1)

    def free(*kept: int) -> Float[np.ndarray, " n"]:
        """Occupied cells less one, of a marginal."""
        others = tuple(a + 1 for a in range(m + 1) if a not in kept)
        return (counts.sum(axis=others) > 0).reshape(n, -1).sum(axis=1) - 1.0

    everything, x = free(*range(m + 1)), free(m)
    information = everything - free(*range(m)) - x
    alone = sum((free(j, m) - free(j) - x for j in range(m)), np.zeros(n))
    tc = everything - sum((free(j) for j in range(m + 1)), np.zeros(n))
    return {
        "mutual_information": information / (2 * n_samples),
        "whole_minus_sum": (information - alone) / (2 * n_samples),
        "total_correlation": tc / (2 * n_samples),
    }


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
    return lam * equal + (1 - lam) * p


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
