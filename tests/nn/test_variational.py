import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import lognorm
from torch.distributions import Normal, kl_divergence

from minsyn.nn.variational import log_normal_divergence, normal_divergence, total_correlation


def test_divergence_of_normal_codes_is_torch_s():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 7, 3, generator=generator, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(normal_divergence(mean, log_variance), expected)


@pytest.mark.parametrize(
    ("median", "alpha", "mu", "sigma"), [(1.5, 0.3, -0.2, 0.9), (0.01, 0.7, 1.0, 2.0)]
)
def test_divergence_of_log_normal_codes_is_the_integral(median, alpha, mu, sigma):
    code, prior = lognorm(alpha, scale=median), lognorm(sigma, scale=np.exp(mu))

    def integrand(log_z):
        z = np.exp(log_z)
        return z * code.pdf(z) * (code.logpdf(z) - prior.logpdf(z))

    ends = np.log(median) + 12 * alpha * np.array([-1, 1])
    found = log_normal_divergence(
        torch.tensor([[median]]).double().log(),
        torch.tensor([[alpha]]).double(),
        torch.tensor([mu]),
        torch.tensor([sigma]).log(),
    )
    assert found.item() == pytest.approx(quad(integrand, *ends)[0], rel=1e-6)


def codes(n, mixing, std, seed=0):
    """A draw, means and log variances of codes whose mixture is nearly normal."""
    generator = torch.Generator().manual_seed(seed)
    k = len(mixing)
    mean = torch.randn(n, k, generator=generator) @ torch.tensor(mixing, dtype=torch.float32)
    z = mean + std * torch.randn(n, k, generator=generator)
    return z, mean, torch.full((n, k), 2 * float(np.log(std)))


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_total_correlation_of_normal_codes(correlation):
    """That of the normal distribution, -1/2 log det of its correlations."""
    mixing = np.linalg.cholesky(np.array([[1, correlation], [correlation, 1]])).T
    z, mean, log_variance = codes(1200, mixing, 0.5)
    covariance = mixing.T @ mixing + 0.25 * np.eye(2)
    of_normal = -0.5 * np.log(np.linalg.det(covariance) / np.diag(covariance).prod())
    found = float(total_correlation(z, mean, log_variance).mean())
    assert found == pytest.approx(of_normal, abs=0.04)


def test_total_correlation_is_minibatch_weighted_sampling_but_for_a_constant():
    """Chen et al., Eq. S4, with loops, for a batch of 6 from 100 samples and 3 latents."""
    z, mean, log_variance = codes(6, np.eye(3) + 0.3, 0.7)
    n, terms = 100, []
    for i in range(6):
        density = Normal(mean, (log_variance / 2).exp()).log_prob(z[i]).exp().numpy()
        joint = np.log(density.prod(axis=1).sum() / (n * 6))
        marginal = sum(np.log(density[:, j].sum() / (n * 6)) for j in range(3))
        terms.append(float(joint - marginal) - 2 * np.log(n))
    np.testing.assert_allclose(total_correlation(z, mean, log_variance), terms, rtol=1e-4)
