r"""Gaussian decoder without GK synergy: each target is predicted from one source.

Of all distributions with given Gaussian pairwise marginals, the one without GK synergy predicts
each target from its most correlated source and throws the others away (Eq. 17),

.. math:: q_{GK}(x_i \mid z) = \mathcal N(\rho_{ik} z_k, 1 - \rho_{ik}^2), \quad
          k = \arg\max_j |\rho_{ij}|.

Gradients cannot learn the choice of this source, which is a step function. Here it is made soft, as
in annealing: the parent of target i is *drawn*, source j with probability

.. math:: \pi_{ij} \propto \exp(I(Z_j; X_i) / T),

which becomes the hard choice as the temperature T goes to 0. The decoder is then a mixture of
single-parent experts, and its squared error is the expectation over the draw,

.. math:: \sum_i v_i \sum_j \pi_{ij} (1 - \rho_{ij}^2),

which is linear in the choice, so that its optimum is one parent for each target. The squared error
of the mixture's mean is smaller, by the spread of the experts. It would reward combinations of
sources, which this decoder excludes, and is therefore not the objective.
"""

from typing import Any

from array_api_compat import array_namespace, device
from jaxtyping import Float

from minsyn.information.ci.gaussian import inverse_or_zero
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["expected_squared_error", "gk_linear_map", "parent_probabilities"]

#: Roundings by which a squared correlation is kept below 1, where its information is infinite.
_ROUNDINGS_BELOW_ONE = 8


def parent_probabilities(rho: Float[Any, "m n"], temperature: float) -> Float[Any, "m n"]:
    r"""Probability of each source to be the parent of a target, softmax of I(Z_j; X_i) / T over j.

    Parameters
    ----------
    rho : array of shape (m, n_targets)
        Correlations of each source with each target.
    temperature : float
        Temperature T in nats, at least 0. With 0, the most correlated source (the first of equal
        ones) has probability 1.

    Returns
    -------
    array of shape (m, n_targets)
        Sums to 1 over the sources.

    Examples
    --------
    >>> import numpy as np
    >>> rho = np.array([[0.6], [-0.8]])
    >>> parent_probabilities(rho, temperature=0.0).ravel()
    array([0., 1.])
    >>> parent_probabilities(rho, temperature=0.5).ravel().round(3)
    array([0.36, 0.64])
    """
    xp = array_namespace(rho)
    squared = xp.clip(rho * rho, None, 1 - _ROUNDINGS_BELOW_ONE * xp.finfo(rho.dtype).eps)
    if temperature == 0:
        sources = xp.arange(rho.shape[0], device=device(rho))[:, xp.newaxis]
        return xp.astype(sources == xp.argmax(squared, axis=0), rho.dtype)
    information = -0.5 * xp.log1p(-squared)
    odds = xp.exp((information - xp.max(information, axis=0)) / temperature)
    return odds / xp.sum(odds, axis=0)


def gk_linear_map(
    statistics: PairwiseStatistics, temperature: float = 0.0
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    """Mean of the decoder in the variables' own units.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of sources and targets.
    temperature : float, default=0.0
        Softness of the choice in nats; with 0 each target has one weight that is not 0.

    Returns
    -------
    weights : array of shape (m, n_targets)
        ``E[x | z] = z @ weights + intercept``. A constant source has zero weight.
    intercept : array of shape (n_targets,)
        Expected targets where every source is 0.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(100, 2))
    >>> x = z @ np.array([[2.0, 0.1], [0.1, 2.0]])
    >>> (gk_linear_map(PairwiseStatistics.of(z, x))[0] != 0).astype(int)
    array([[1, 0],
           [0, 1]])
    """
    rho = statistics.rho
    weights = parent_probabilities(rho, temperature) * _slopes(statistics, rho)
    return weights, statistics.mean_x - statistics.mean_z @ weights


def expected_squared_error(
    statistics: PairwiseStatistics, temperature: float, data: PairwiseStatistics | None = None
) -> Float[Any, " n"]:
    """Mean squared error of each target on data, the parents being drawn.

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics that define the decoder.
    temperature : float
        Softness of the choice in nats.
    data : PairwiseStatistics, optional
        Statistics of the data on which its error is computed; the same by default.

    Returns
    -------
    array of shape (n_targets,)
        In squared units of the targets.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(100, 2))
    >>> x = z @ np.array([[2.0], [0.0]])
    >>> expected_squared_error(PairwiseStatistics.of(z, x), temperature=0.0).round(9)
    array([0.])
    """
    xp = array_namespace(statistics.cov_zx)
    rho = statistics.rho
    parents = parent_probabilities(rho, temperature)
    if data is None:
        return statistics.var_x * xp.sum(parents * (1 - rho * rho), axis=0)
    # Of x_i - w z_j - c for each pair: variance, and mean squared.
    slopes = _slopes(statistics, rho)
    variance = data.var_x + slopes * (slopes * data.var_z[:, xp.newaxis] - 2 * data.cov_zx)
    shift_z = (data.mean_z - statistics.mean_z)[:, xp.newaxis]
    bias = data.mean_x - statistics.mean_x - slopes * shift_z
    return xp.sum(parents * (variance + bias * bias), axis=0)


def _slopes(statistics: PairwiseStatistics, rho: Float[Any, "m n"]) -> Float[Any, "m n"]:
    """Regression of each target on each source alone."""
    xp = array_namespace(rho)
    return inverse_or_zero(statistics.std_z)[:, xp.newaxis] * rho * statistics.std_x
