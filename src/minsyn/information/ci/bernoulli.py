"""Decoder without CI synergy for binary sources and targets (Eq. 10)."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float

from minsyn.information._arrays import as_floating, common_namespace
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["FLIP_PROBABILITY", "BernoulliCIDecoder", "ci_decoder", "ci_linear_map"]

#: Default probability with which each variable is taken to be flipped (see `ci_decoder`).
FLIP_PROBABILITY = 1e-3
#: Rounding by which a probability may lie outside [0, 1].
_ROUNDING = 1e-6


class BernoulliCIDecoder(NamedTuple):
    """``p_CI(x_i = 1 | z) = sigmoid(sum_j weights[j, i] z_j + bias[i])``."""

    weights: Float[Any, "m n"]
    bias: Float[Any, " n"]


class Cells(NamedTuple):
    """Cells ``p(z_j, x_i)``: ``p10`` is z_j = 1, x_i = 0."""

    p11: Float[Any, "*starts m n"]
    p10: Float[Any, "*starts m n"]
    p01: Float[Any, "*starts m n"]
    p00: Float[Any, "*starts m n"]


def ci_decoder(
    p_zx: Float[Any, "m n"],
    p_z: Float[Any, " m"],
    p_x: Float[Any, " n"],
    flip: float = FLIP_PROBABILITY,
) -> BernoulliCIDecoder:
    r"""The decoder without CI synergy, a naive Bayes posterior of each target given all sources.

    .. math::

        w_{ij} &= \log \frac{p(z_j{=}1, x_i{=}1)\, p(z_j{=}0, x_i{=}0)}
                            {p(z_j{=}0, x_i{=}1)\, p(z_j{=}1, x_i{=}0)} \\
        b_i &= \log \frac{p(x_i{=}1)}{p(x_i{=}0)}
               + \sum_j \log \frac{p(z_j{=}0 \mid x_i{=}1)}{p(z_j{=}0 \mid x_i{=}0)}

    Cells may be empty, and then the logarithms are infinite. Here every variable is seen through
    a binary symmetric channel that flips it with a small probability, which keeps all cells
    positive. This smoothing is linear in the statistics and keeps independent variables
    independent: a constant target has zero weights, and so has a constant source.

    Parameters
    ----------
    p_zx : array of shape (m, n_targets)
        ``E[z_j x_i]``, for binary variables p(z_j = 1, x_i = 1).
    p_z : array of shape (m,)
        ``E[z_j]``, in [0, 1].
    p_x : array of shape (n_targets,)
        ``E[x_i]``, in [0, 1].
    flip : float, default=1e-3
        Flip probability of the channel, between 0 and 1/2. With 0, nothing is smoothed.

    Returns
    -------
    BernoulliCIDecoder
        ``weights`` of shape (m, n_targets) and ``bias`` of shape (n_targets,), in nats.

    Raises
    ------
    ValueError
        If an array of NumPy holds NaN or numbers outside [0, 1].
    TypeError
        If some are arrays of NumPy, others Tensors.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Eq. 10.

    Examples
    --------
    A target that equals its only source, half of the time 1:

    >>> import numpy as np
    >>> weights, bias = ci_decoder(np.array([[0.5]]), np.array([0.5]), np.array([0.5]))
    >>> sigmoid = 1 / (1 + np.exp(-(weights * np.array([0.0, 1.0]) + bias)))
    >>> sigmoid.round(3)
    array([[0.002, 0.998]])
    """
    p_zx, p_z, p_x = (
        as_floating(p, f"p_{name}") for p, name in ((p_zx, "zx"), (p_z, "z"), (p_x, "x"))
    )
    xp = common_namespace(p_zx=p_zx, p_z=p_z, p_x=p_x)
    for name, p in (("p_zx", p_zx), ("p_z", p_z), ("p_x", p_x)):
        if isinstance(p, np.ndarray) and not ((p >= -_ROUNDING) & (p <= 1 + _ROUNDING)).all():
            raise ValueError(f"{name} must hold probabilities in [0, 1], without NaN")
    weights, bias, _ = ci_decoder_cells(p_zx - p_z[:, xp.newaxis] * p_x, p_z, p_x, flip)
    return BernoulliCIDecoder(weights, bias)


def ci_decoder_cells(
    cov_zx: Float[Any, "*starts m n"],
    p_z: Float[Any, "*starts m"],
    p_x: Float[Any, " n"],
    flip: float,
) -> tuple[Float[Any, "*starts m n"], Float[Any, "*starts n"], Cells]:
    """Weights and bias of `ci_decoder`, and the smoothed cells that they were computed from.

    For one set of sources, or for several at once.

    It is computed from covariances, so that uncorrelated variables are independent to the last
    digit. Differences of probabilities would leave rounding between small cells, in single
    precision above all.
    """
    xp = array_namespace(cov_zx, p_z, p_x)
    # Statistics of the variables behind the channel.
    keep = 1 - 2 * flip
    cov, p_x = keep * keep * cov_zx, flip + keep * p_x
    p_z = (flip + keep * p_z)[..., xp.newaxis]
    cells = Cells(
        p_z * p_x + cov, p_z * (1 - p_x) - cov, (1 - p_z) * p_x - cov, (1 - p_z) * (1 - p_x) + cov
    )
    log_p01, log_p00 = xp.log(cells.p01), xp.log(cells.p00)
    weights = xp.log(cells.p11) - xp.log(cells.p10) - log_p01 + log_p00
    prior = xp.log(p_x) - xp.log(1 - p_x)
    bias = prior + xp.sum(log_p01 - log_p00 - prior, axis=-2)
    return weights, bias, cells


def ci_linear_map(
    statistics: PairwiseStatistics, flip: float = FLIP_PROBABILITY
) -> tuple[Float[Any, "m n"], Float[Any, " n"]]:
    """`ci_decoder` from the statistics of sources and targets in [0, 1].

    Returns
    -------
    weights : array of shape (m, n_targets)
        The log odds of ``x`` given ``z`` are ``z @ weights + bias``.
    bias : array of shape (n_targets,)
        The log odds where every source is 0.
    """
    weights, bias, _ = ci_decoder_cells(
        statistics.cov_zx, statistics.mean_z, statistics.mean_x, flip
    )
    return weights, bias
