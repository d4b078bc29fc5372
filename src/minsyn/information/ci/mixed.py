r"""Decoders without CI synergy for sources and targets of different kinds, real and binary.

:math:`p_{CI}(x \mid z) \propto p(x) \prod_j p(z_j \mid x)` (Eq. 5) is a naive Bayes posterior with
the target for its class, and a normal :math:`p(z_j \mid x)` with a variance that all classes share
leaves it linear in z. Nothing but pairwise statistics is needed.
"""

from typing import Any

from array_api_compat import array_namespace
from jaxtyping import Float

from minsyn.information.ci.bernoulli import FLIP_PROBABILITY
from minsyn.information.ci.gaussian import ci_linear_map, inverse_or_zero
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["bernoulli_to_gaussian_linear_map", "gaussian_to_bernoulli_linear_map"]


def gaussian_to_bernoulli_linear_map(
    statistics: PairwiseStatistics, flip: float = FLIP_PROBABILITY
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    r"""Log odds of binary targets given real sources, which are normal given a target.

    With :math:`p = p(x_i{=}1)`, the difference
    :math:`\delta_{ij} = \mathrm{cov}(z_j, x_i) / p(1-p)` of the means of :math:`z_j` in the two
    classes, and the variance within them
    :math:`s_{ij}^2 = \mathrm{var}(z_j) - p(1-p) \delta_{ij}^2`, shared by both,

    .. math:: \log\frac{p_{CI}(x_i{=}1 \mid z)}{p_{CI}(x_i{=}0 \mid z)} = \log\frac{p}{1-p}
              + \sum_j \frac{\delta_{ij}}{s_{ij}^2}
                \bigl(z_j - \langle z_j \rangle - (\tfrac12 - p) \delta_{ij}\bigr).

    In correlations this is Eq. 9 again: the weight is
    :math:`r_{ij} = \rho_{ij} / (1 - \rho_{ij}^2)` over both standard deviations.

    As in `minsyn.information.ci.bernoulli.ci_decoder`, targets are seen through a channel that
    flips them with a small probability. Then p stays away from 0 and 1, and the variance within
    classes is at least ``4 flip (1 - flip)`` times the whole, even for a source that the target
    determines.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of real sources and of targets in [0, 1].
    flip : float, default=1e-3
        Flip probability of the channel, between 0 and 1/2. With 0, nothing is smoothed.

    Returns
    -------
    weights : array of shape (m, n_targets)
        The log odds of ``x`` given ``z`` are ``z @ weights + bias``, in nats. Zero where a source
        or a target is constant, or the two are uncorrelated.
    bias : array of shape (n_targets,)
        The log odds where every source is 0.

    Examples
    --------
    Two classes, of means -1 and 1 and variance 1:

    >>> import numpy as np
    >>> z = np.array([[-2.0], [0.0], [0.0], [2.0]])
    >>> x = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> weights, bias = gaussian_to_bernoulli_linear_map(PairwiseStatistics.of(z, x), flip=0.0)
    >>> weights, bias + 0.0
    (array([[2.]]), array([0.]))
    """
    xp = array_namespace(statistics.cov_zx)
    keep = 1 - 2 * flip
    p = flip + keep * statistics.mean_x
    spread = p * (1 - p)
    # A target that varies in [0, 1] has a variance of at most p(1 - p): |rho| stays below 1.
    attenuation = keep * statistics.std_x * inverse_or_zero(xp.sqrt(spread))
    rho = statistics.rho * attenuation
    r = rho / (1 - rho * rho)
    per_source, per_target = inverse_or_zero(statistics.std_z), inverse_or_zero(xp.sqrt(spread))
    weights = per_source[:, xp.newaxis] * r * per_target
    big_r = xp.sum(rho * r, axis=0)
    prior = xp.log(p) - xp.log(1 - p)
    centre = statistics.mean_z @ weights + (0.5 - p) * big_r * per_target * per_target
    return weights, prior - centre


def bernoulli_to_gaussian_linear_map(
    statistics: PairwiseStatistics,
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    r"""Mean of real targets given binary sources: the map of Eq. 9 again.

    Let :math:`p(x \mid z_j)` be normal, with a variance that both values of a binary
    :math:`z_j` share, :math:`v (1 - \rho_j^2)`, and :math:`p(x)` normal with variance :math:`v`.
    Then Eq. 5,

    .. math:: p_{CI}(x \mid z) \propto p(x)^{1-m} \prod_j p(x \mid z_j),

    is normal: its precision is :math:`\frac1v [1 - m + \sum_j \frac{1}{1 - \rho_j^2}]
    = (1 + R) / v`, and each :math:`z_j` moves its mean by its own
    :math:`\langle x \mid z_j \rangle - \langle x \rangle`, weighted by precision. Two points lie
    on a line, so this is :math:`\rho_j \sqrt v` times the standardised :math:`z_j`, as it is for
    normal sources, and the mean is that of Eq. 9.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of sources in [0, 1] and of real targets.

    Returns
    -------
    weights : array of shape (m, n_targets)
        ``E_CI[x | z] = z @ weights + intercept``. A constant source has zero weight.
    intercept : array of shape (n_targets,)
        Expected targets where every source is 0.

    Examples
    --------
    >>> import numpy as np
    >>> z, x = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[1.0], [3.0], [5.0], [7.0]])
    >>> weights, intercept = bernoulli_to_gaussian_linear_map(PairwiseStatistics.of(z, x))
    >>> weights, intercept
    (array([[4.]]), array([2.]))
    """
    return ci_linear_map(statistics)
