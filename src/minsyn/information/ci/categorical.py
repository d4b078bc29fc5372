r"""Decoders without CI synergy for categorical targets.

A target with K categories is K columns, one-hot or probabilities that sum to 1. Both maps give a
score for each category, of which a softmax within the target's columns makes
:math:`p_{CI}(x \mid z) \propto p(x) \prod_j p(z_j \mid x)` (Eq. 5). Adding the same
number to all scores of a target changes no probability; it is chosen such that an independent
source has zero weights.

Both are smoothed by a channel that replaces a category, with probability ``2 flip``, by one drawn
at random. For two categories that is the channel of `minsyn.information.ci.bernoulli.ci_decoder`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Bool, Float, Int

from minsyn.information.ci.bernoulli import FLIP_PROBABILITY
from minsyn.information.ci.gaussian import inverse_or_zero
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["Categories", "bernoulli_ci_linear_map", "gaussian_ci_linear_map"]


@dataclass(frozen=True, eq=False)
class Categories:
    """Assignment of columns to the categories of variables.

    Parameters
    ----------
    sizes : sequence of int
        Number of categories of each variable, at least one; their columns follow one another.

    Examples
    --------
    >>> categories = Categories([2, 3])
    >>> categories.sum_within(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    array([[ 3., 12.]])
    >>> categories.spread(np.array([3.0, 12.0]))
    array([ 3.,  3., 12., 12., 12.])
    """

    sizes: Sequence[int]

    def __post_init__(self) -> None:
        if len(self.sizes) == 0 or min(self.sizes) < 1:
            raise ValueError(
                "sizes must hold the number of categories of each variable, at least one; "
                f"found {list(self.sizes)}"
            )

    @property
    def n_columns(self) -> int:
        """Number of columns of all variables together."""
        return sum(self.sizes)

    @property
    def padded(self) -> tuple[Int[np.ndarray, "variables most"], Bool[np.ndarray, "_ most"]]:
        """Columns of each variable, padded to the largest number of categories, and a mask."""
        starts = np.array([0, *accumulate(self.sizes)][:-1])[:, np.newaxis]
        step = np.arange(max(self.sizes))
        real = step < np.array(self.sizes)[:, np.newaxis]
        return np.where(real, starts + step, 0), real

    def table(self, columns: Float[Any, "k n"], fill: float) -> Float[Any, "k variables most"]:
        """Columns of each variable in a row of its own, padded with a value."""
        xp = array_namespace(columns)
        index, real = (xp.asarray(a, device=device(columns)) for a in self.padded)
        taken = xp.take(columns, xp.reshape(index, (-1,)), axis=1)
        return xp.where(real, xp.reshape(taken, (columns.shape[0], *index.shape)), fill)

    def sum_within(self, columns: Float[Any, "k n"]) -> Float[Any, "k variables"]:
        """Sum over the categories of each variable."""
        return array_namespace(columns).sum(self.table(columns, 0.0), axis=-1)

    def spread(self, values: Float[Any, "*k variables"]) -> Float[Any, "*k n"]:
        """A value of each variable, for each of its categories."""
        xp = array_namespace(values)
        variable = np.repeat(np.arange(len(self.sizes)), self.sizes)
        return xp.take(values, xp.asarray(variable, device=device(values)), axis=-1)

    def replaced(self, p: Float[Any, " n"], flip: float) -> Float[Any, " n"]:
        """Probability of each category behind the channel."""
        drawn = np.repeat(2 * flip / np.array(self.sizes), self.sizes)
        return (1 - 2 * flip) * p + array_namespace(p).asarray(
            drawn, dtype=p.dtype, device=device(p)
        )


def bernoulli_ci_linear_map(
    statistics: PairwiseStatistics, categories: Categories, flip: float = FLIP_PROBABILITY
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    r"""Scores of the categories given binary sources.

    .. math::

        w_{cj} &= \log \frac{p(z_j{=}1 \mid c)\, p(z_j{=}0)}{p(z_j{=}0 \mid c)\, p(z_j{=}1)} \\
        b_c &= \log p(c) + \sum_j \log \frac{p(z_j{=}0 \mid c)}{p(z_j{=}0)}

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of sources in [0, 1] and of the columns of the targets.
    categories : Categories
        Assignment of the columns to the targets.
    flip : float, default=1e-3
        Smoothing: sources are flipped with this probability, and categories are replaced with
        twice that. With 0, nothing is smoothed.

    Returns
    -------
    weights : array of shape (m, n_columns)
        The scores are ``z @ weights + bias``, in nats.
    bias : array of shape (n_columns,)
        The scores where every source is 0.

    Examples
    --------
    >>> z = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> x = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    >>> statistics = PairwiseStatistics.of(z, x)
    >>> weights, bias = bernoulli_ci_linear_map(statistics, Categories([3]))
    >>> scores = np.exp(z @ weights + bias)
    >>> (scores / scores.sum(axis=1, keepdims=True)).round(2) + 0.0
    array([[0.5, 0.5, 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0. , 1. ],
           [0. , 0. , 1. ]])
    """
    xp = array_namespace(statistics.cov_zx)
    keep = 1 - 2 * flip
    p_c = categories.replaced(statistics.mean_x, flip)
    on = (flip + keep * statistics.mean_z)[:, xp.newaxis]
    # p(z_j, c) over p(z_j) p(c), from the covariance: 1 to the last digit if they are independent.
    shared = keep * keep * statistics.cov_zx / p_c
    log_on, log_off = xp.log1p(shared / on), xp.log1p(-shared / (1 - on))
    return log_on - log_off, xp.log(p_c) + xp.sum(log_off, axis=0)


def gaussian_ci_linear_map(
    statistics: PairwiseStatistics, categories: Categories, flip: float = FLIP_PROBABILITY
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    r"""Scores of the categories given real sources, which are normal given a category.

    With :math:`\delta_{cj} = \langle z_j \mid c \rangle - \langle z_j \rangle` and the variance
    within categories :math:`s_j^2 = \mathrm{var}(z_j) - \sum_c p(c) \delta_{cj}^2`, which all
    categories share,

    .. math:: w_{cj} = \delta_{cj} / s_j^2, \qquad b_c = \log p(c)
              - \sum_j w_{cj} \bigl(\langle z_j \rangle + \tfrac12 \delta_{cj}\bigr).

    Parameters
    ----------
    statistics : PairwiseStatistics
        Statistics of real sources and of the columns of the targets.
    categories : Categories
        Assignment of the columns to the targets.
    flip : float, default=1e-3
        Smoothing: categories are replaced with twice this probability. With 0, nothing is smoothed.

    Returns
    -------
    weights : array of shape (m, n_columns)
        The scores are ``z @ weights + bias``, in nats. Zero for a source that does not vary.
    bias : array of shape (n_columns,)
        The scores where every source is 0.

    Examples
    --------
    >>> z = np.array([[-3.0], [-1.0], [-1.0], [1.0], [1.0], [3.0]])
    >>> x = np.repeat(np.eye(3), 2, axis=0)  # means -2, 0, 2; variance within categories 1
    >>> statistics = PairwiseStatistics.of(z, x)
    >>> weights, bias = gaussian_ci_linear_map(statistics, Categories([3]), flip=0.0)
    >>> weights.round(6) + 0.0, (bias - bias[1]).round(6)
    (array([[-2.,  0.,  2.]]), array([-2.,  0., -2.]))
    """
    xp = array_namespace(statistics.cov_zx)
    p_c = categories.replaced(statistics.mean_x, flip)
    per_source = inverse_or_zero(statistics.std_z)[:, xp.newaxis]
    delta = (1 - 2 * flip) * per_source * statistics.cov_zx / p_c
    within = categories.spread(1 - categories.sum_within(p_c * delta * delta))
    standardised = delta / within
    weights = standardised * per_source
    bias = xp.log(p_c) - statistics.mean_z @ weights - 0.5 * xp.sum(standardised * delta, axis=0)
    return weights, bias
