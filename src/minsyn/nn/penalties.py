r"""Penalties on the synergy of a freely trained decoder.

A penalty is the divergence of the free decoder p from the decoder without synergy q, averaged over
the data: :math:`\langle D_{KL}(p(x_i \mid z) \,\|\, q(x_i \mid z)) \rangle_z`. If p is the true
conditional distribution and q the CI decoder, this is CI synergy (Eq. 4). Add a multiple of it to
a loss: a multiple of 0 gives an ordinary autoencoder, and large multiples approach the decoder
without synergy. Gradients reach the weights of the free decoder and, through z, its encoder.
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from minsyn.information import single_parent
from minsyn.information._options import number
from minsyn.information._pmf import Unit, in_unit
from minsyn.information.ci import bernoulli, mixed
from minsyn.information.ci import gaussian as ci_gaussian
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.precision import at_least_single, without_autocast
from minsyn.nn.ranks import statistics_over_ranks, world_size

__all__ = ["ci_synergy_penalty", "gk_synergy_penalty"]

Kind = Literal["gaussian", "bernoulli"]
Noise = Literal["unit", "shared", "fitted"]
Reduction = Literal["sum", "mean", "none"]

#: Lower bound of a residual variance, in rounding errors of the feature's variance, as for Eq. 9.
_ROUNDINGS_OF_VARIANCE = 8

#: Maps to log odds without CI synergy, by kind of latents.
_LOG_ODDS: dict[str, Callable[[PairwiseStatistics], tuple[Tensor, Tensor]]] = {
    "bernoulli": bernoulli.ci_linear_map,
    "gaussian": mixed.gaussian_to_bernoulli_linear_map,
}


def ci_synergy_penalty(
    z: Float[Tensor, "samples latents"],
    x: Float[Tensor, "samples features"],
    weights: Float[Tensor, "_ _"],
    bias: Float[Tensor, " _"] | None = None,
    *,
    observations: Kind = "gaussian",
    latents: Kind | None = None,
    noise: Noise = "unit",
    reduction: Reduction = "sum",
    unit: Unit = "nats",
) -> Float[Tensor, "*features"]:
    r"""CI synergy of a linear or logistic decoder: its divergence from the CI decoder of (z, x).

    For Bernoulli observations it is
    :math:`\langle D_{KL}(\sigma(W z + b) \,\|\, p_{CI}(x \mid z)) \rangle`, in the unit of a
    cross-entropy in nats. It is 0 only if both decoders agree.

    For Gaussian observations it is

    .. math:: \tfrac12 \Bigl[\log\frac{v_q}{v_p}
              + \frac{v_p + \langle (\hat x_i - \hat x_i^{CI})^2 \rangle}{v_q} - 1\Bigr],

    where :math:`\hat x_i` and :math:`v_p` are the mean and variance of the free decoder, and
    :math:`\hat x_i^{CI}` and :math:`v_q` those of Eq. 9. A squared error does not determine the
    variances, so ``noise`` chooses them.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of at least two samples, over all ranks.
    x : Tensor of shape (n_samples, n_features)
        The observations that ``z`` encodes.
    weights : Tensor of shape (n_latents, n_features)
        Weights of the free decoder. Its mean or log odds are ``z @ weights + bias``. Pass
        ``components_`` of an estimator, or ``weight.T`` of a `torch.nn.Linear`.
    bias : Tensor of shape (n_features,), optional
        Bias of the free decoder; 0 by default.
    observations : {"gaussian", "bernoulli"}
        Kind of observations: the output of the decoder is a mean or log odds.
    latents : {"gaussian", "bernoulli"}, optional
        Kind of latents, by default that of the observations. Only used for Bernoulli
        observations: "bernoulli" is Eq. 10, "gaussian" the map of `GaussianBernoulliDecoder`.
    noise : {"unit", "shared", "fitted"}
        Variances of Gaussian decoders.

        - "unit": 1/2 for both decoders and all features. The penalty is the mean squared
          difference of the two reconstructions, in squared units of x. Add it to a squared error,
          which assumes the same variances; both weight features by their variance.
        - "shared": the CI decoder's variances for both decoders. The penalty is in nats, and does
          not depend on the units of x.
        - "fitted": each decoder's own variances; those of the free decoder are the variances of its
          residuals. For the least-squares decoder, the penalty is
          `minsyn.information.gaussian.ci_synergy`, so use this value in reports. Its minimum is not
          exactly the CI decoder: on data with synergy, the residual variances of the CI decoder
          differ from its nominal ones.

        With the first two, the penalty is 0 only if both decoders agree on all samples.
    reduction : {"sum", "mean", "none"}
        Reduction over the features.
    unit : {"nats", "bits"}
        Unit of the result. Losses are in nats.

    Returns
    -------
    Tensor of shape (), or (n_features,) if not reduced
        Penalty, non-negative up to rounding; 0 for constant features with "shared" and "fitted".
        With several ranks, the average of the ranks' values is that of the whole batch.

    Raises
    ------
    ValueError
        If the shapes do not match, there is only one sample, or an option is unknown.

    Examples
    --------
    >>> import torch
    >>> z, x = torch.randn(100, 2), torch.randn(100, 5)
    >>> decoder = torch.nn.Linear(2, 5)
    >>> loss = (decoder(z) - x).square().sum(dim=1).mean()
    >>> loss = loss + 3.0 * ci_synergy_penalty(z, x, decoder.weight.T, decoder.bias)

    The penalty of the least-squares decoder is the CI synergy of the data:

    >>> from minsyn.information import PairwiseStatistics, gaussian
    >>> from minsyn.information.ci import gaussian as ci_gaussian
    >>> free = torch.linalg.lstsq(z - z.mean(0), x - x.mean(0)).solution
    >>> bias = x.mean(0) - z.mean(0) @ free
    >>> found = ci_synergy_penalty(z, x, free, bias, noise="fitted", reduction="none")
    >>> statistics = PairwiseStatistics.of(z, x)
    >>> expected = gaussian.ci_synergy(statistics.sigma, statistics.rho, unit="nats")
    >>> torch.allclose(found, torch.tensor(expected).float(), atol=1e-5)
    True
    """
    latents = observations if latents is None else latents
    _check("observations", observations, get_args(Kind))
    _check("latents", latents, get_args(Kind))
    _check("noise", noise, get_args(Noise))
    _check("reduction", reduction, get_args(Reduction))
    _check("unit", unit, get_args(Unit))
    z, x, weights, bias = _checked(z, x, weights, bias)
    with without_autocast(z):
        statistics = _statistics(z, x)
        if observations == "gaussian":
            ci_variance = ci_gaussian.ci_decoder(statistics.rho).variance * statistics.var_x
            ci = ci_gaussian.ci_linear_map(statistics)
            per_feature = _gaussian(statistics, weights, bias, *ci, ci_variance, noise)
        else:
            ci_weights, ci_bias = _LOG_ODDS[latents](statistics)
            free, ci_odds = torch.addmm(bias, z, weights), torch.addmm(ci_bias, z, ci_weights)
            divergence = (
                torch.sigmoid(free) * (free - ci_odds) + F.softplus(ci_odds) - F.softplus(free)
            )
            per_feature = divergence.sum(dim=0) * (world_size() / statistics.weight)
    return _reduced(per_feature, reduction, unit)


def gk_synergy_penalty(
    z: Float[Tensor, "samples latents"],
    x: Float[Tensor, "samples features"],
    weights: Float[Tensor, "_ _"],
    bias: Float[Tensor, " _"] | None = None,
    *,
    temperature: float = 0.0,
    noise: Noise = "unit",
    reduction: Reduction = "sum",
    unit: Unit = "nats",
) -> Float[Tensor, "*features"]:
    r"""GK synergy of a linear decoder: its divergence from the single-parent decoder of (z, x).

    It is the Gaussian divergence of `ci_synergy_penalty`, from
    :math:`\mathcal N(\rho_{ik} z_k, 1 - \rho_{ik}^2)` (Eq. 17) instead of Eq. 9. For the
    least-squares decoder and ``noise="fitted"`` it is `minsyn.information.gaussian.gk_synergy`.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of at least two samples, over all ranks.
    x : Tensor of shape (n_samples, n_features)
        The observations that ``z`` encodes.
    weights : Tensor of shape (n_latents, n_features)
        Weights of the free decoder. Its mean is ``z @ weights + bias``.
    bias : Tensor of shape (n_features,), optional
        Bias of the free decoder; 0 by default.
    temperature : float, default=0.0
        Softness of the choice of parents in nats, see `SingleParentDecoder`.
    noise : {"unit", "shared", "fitted"}
        Variances of the decoders, see `ci_synergy_penalty`.
    reduction : {"sum", "mean", "none"}
        Reduction over the features.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    Tensor of shape (), or (n_features,) if not reduced

    Raises
    ------
    ValueError
        If the shapes do not match, there is only one sample, or an option is unknown.

    Examples
    --------
    >>> import torch
    >>> z, x = torch.randn(100, 2), torch.randn(100, 5)
    >>> decoder = torch.nn.Linear(2, 5)
    >>> gk_synergy_penalty(z, x, decoder.weight.T, decoder.bias, reduction="none").shape
    torch.Size([5])
    """
    if not number(temperature, "temperature") >= 0:
        raise ValueError(f"temperature must be at least 0, found {temperature}")
    _check("noise", noise, get_args(Noise))
    _check("reduction", reduction, get_args(Reduction))
    _check("unit", unit, get_args(Unit))
    z, x, weights, bias = _checked(z, x, weights, bias)
    with without_autocast(z):
        statistics = _statistics(z, x)
        gk = single_parent.gk_linear_map(statistics, temperature)
        gk_variance = single_parent.expected_squared_error(statistics, temperature)
        per_feature = _gaussian(statistics, weights, bias, *gk, gk_variance, noise)
    return _reduced(per_feature, reduction, unit)


def _gaussian(
    statistics: PairwiseStatistics,
    weights: Float[Tensor, "latents features"],
    bias: Float[Tensor, " features"],
    q_weights: Float[Tensor, "latents features"],
    q_intercept: Float[Tensor, " features"],
    v_q: Float[Tensor, " features"],
    noise: Noise,
) -> Float[Tensor, " features"]:
    """Divergence in nats of the free decoder, N(mean, v_p), from q, N(mean, v_q).

    It is computed from the statistics alone.
    """
    apart, shift = weights - q_weights, bias - q_intercept
    difference = _mean_square(statistics, apart, shift)
    if noise == "unit":
        return difference
    varies = statistics.std_x > 0
    least = _ROUNDINGS_OF_VARIANCE * torch.finfo(v_q.dtype).eps * statistics.var_x
    v_q = torch.where(varies, torch.maximum(v_q, least), 1.0)
    nats = 0.5 * difference / v_q
    if noise == "fitted":
        residual = (
            statistics.var_x
            - 2 * (weights * statistics.cov_zx).sum(dim=0)
            + (weights * (statistics.cov_zz @ weights)).sum(dim=0)
            + (bias + statistics.mean_z @ weights - statistics.mean_x).square()
        )
        excess = torch.where(varies, torch.maximum(residual, least), 1.0) / v_q - 1
        nats = nats + 0.5 * (excess - torch.log1p(excess))
    return torch.where(varies, nats, 0.0)


def _mean_square(
    statistics: PairwiseStatistics,
    weights: Float[Tensor, "latents features"],
    bias: Float[Tensor, " features"],
) -> Float[Tensor, " features"]:
    """Mean square of ``z @ weights + bias`` over the samples."""
    varying = (weights * (statistics.cov_zz @ weights)).sum(dim=0)
    divergence: Tensor = varying + (bias + statistics.mean_z @ weights).square()
    return divergence


def _statistics(
    z: Float[Tensor, "samples latents"], x: Float[Tensor, "samples features"]
) -> PairwiseStatistics:
    statistics = statistics_over_ranks(z, x)
    if statistics.weight < 2:
        raise ValueError("one sample has no correlations: z and x must have at least 2")
    return statistics


def _checked(
    z: Tensor, x: Tensor, weights: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Check the shapes, fill in the bias, and convert all tensors to one type."""
    shape = (z.shape[1], x.shape[1])
    if weights.shape != shape:
        raise ValueError(
            f"weights must have shape (n_latents, n_features) = {shape}, found "
            f"{tuple(weights.shape)}; a torch.nn.Linear keeps the transpose: pass its weight.T"
        )
    if bias is None:
        bias = weights.new_zeros(shape[1])
    if bias.shape != shape[1:]:
        raise ValueError(f"bias must have shape {shape[1:]}, found {tuple(bias.shape)}")
    z, x, weights, bias = at_least_single(z, x, weights, bias)
    return z, x, weights, bias


def _reduced(
    per_feature: Float[Tensor, " features"], reduction: Reduction, unit: Unit
) -> Float[Tensor, "*features"]:
    per_feature = in_unit(per_feature, unit)
    if reduction == "none":
        return per_feature
    return per_feature.sum() if reduction == "sum" else per_feature.mean()


def _check(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, found {value!r}")
