"""Divergences and total correlation of noisy codes, the terms of variational autoencoders."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["log_normal_divergence", "normal_divergence", "total_correlation"]

_LOG_2_PI = math.log(2 * math.pi)


def normal_divergence(
    mean: Float[Tensor, "batch latents"], log_variance: Float[Tensor, "batch latents"]
) -> Float[Tensor, "batch latents"]:
    r"""Divergence of normal codes from the standard normal distribution, in nats.

    .. math:: KL(\mathcal N(\mu, \sigma^2) \,\|\, \mathcal N(0, 1))
              = \tfrac12 (\mu^2 + \sigma^2 - 1 - \log \sigma^2)

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n_samples, n_latents)
        Parameters of the codes.

    References
    ----------
    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B.

    Examples
    --------
    >>> normal_divergence(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2))
    tensor([[0.0000, 0.5000]])
    """
    return 0.5 * (mean.square() + torch.expm1(log_variance) - log_variance)


def log_normal_divergence(
    log_median: Float[Tensor, "batch latents"],
    alpha: Float[Tensor, "batch latents"],
    prior_mean: Float[Tensor, " latents"],
    prior_log_std: Float[Tensor, " latents"],
) -> Float[Tensor, "batch latents"]:
    r"""Divergence of log-normal codes from a log-normal prior, in nats.

    Codes are :math:`z = f \epsilon` with :math:`\log \epsilon \sim \mathcal N(0, \alpha^2)`. With
    the prior :math:`\log z \sim \mathcal N(\mu, \sigma^2)`,

    .. math:: KL = \frac{\alpha^2 + (\log f - \mu)^2}{2 \sigma^2} - \log \frac{\alpha}{\sigma}
              - \frac12.

    Parameters
    ----------
    log_median : Tensor of shape (n_samples, n_latents)
        Logarithms of the codes without noise, f.
    alpha : Tensor of shape (n_samples, n_latents)
        Standard deviations of the logarithm of the noise.
    prior_mean, prior_log_std : Tensor of shape (n_latents,)
        Mean of the prior's logarithm, and logarithm of its standard deviation.

    References
    ----------
    Achille and Soatto, "Information dropout: learning optimal representations through noisy
    computation", IEEE PAMI 40, 2018 (arXiv:1611.01353).

    Examples
    --------
    >>> zero = torch.zeros(1, 1)
    >>> log_normal_divergence(zero, zero + 1, zero[0] + 1, zero[0])
    tensor([[0.5000]])
    """
    ratio = alpha.log() - prior_log_std
    shift = (log_median - prior_mean) * torch.exp(-prior_log_std)
    return 0.5 * (torch.expm1(2 * ratio) + shift.square()) - ratio


def total_correlation(
    z: Float[Tensor, "batch latents"],
    mean: Float[Tensor, "batch latents"],
    log_variance: Float[Tensor, "batch latents"],
) -> Float[Tensor, " batch"]:
    r"""Total correlation of noisy codes, estimated from a batch: its terms, in nats.

    Their mean over the batch estimates :math:`TC = \langle \log q(z) - \sum_j \log q(z_j) \rangle`.
    Densities are those of the mixture of the codes of the batch,

    .. math:: q(z) \approx \frac1M \sum_{m=1}^M q(z \mid x_m).

    This is minibatch-weighted sampling [1]_ without its factor 1 / N, which for k latents adds a
    constant, :math:`(k - 1) \log N`, and no gradient. If the batch is the whole data, the mixture
    is exact. In smaller batches each sample weighs too much in its own density, and the estimate
    is biased.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        A code drawn for each sample.
    mean, log_variance : Tensor of shape (n_samples, n_latents)
        Parameters of the samples' normal codes.

    Returns
    -------
    Tensor of shape (n_samples,)

    References
    ----------
    .. [1] Chen, Li, Grosse and Duvenaud, "Isolating sources of disentanglement in variational
       autoencoders", NeurIPS 2018, appendix C.1.

    Examples
    --------
    One latent has none:

    >>> mean = torch.tensor([[0.0], [1.0]])
    >>> total_correlation(mean, mean, torch.zeros(2, 1))
    tensor([0., 0.])
    """
    squares = (z[:, None] - mean).square() * torch.exp(-log_variance)
    # Of each sample's code under each sample's distribution.
    log_density = -0.5 * (squares + log_variance + _LOG_2_PI)
    joint = torch.logsumexp(log_density.sum(dim=2), dim=1)
    marginal = torch.logsumexp(log_density, dim=1).sum(dim=1)
    return joint - marginal + (z.shape[1] - 1) * math.log(len(z))
