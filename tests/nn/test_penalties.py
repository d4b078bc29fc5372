"""Penalties against the measures of `minsyn.information`, brute force and their limits."""

import numpy as np
import pytest
import torch
from torch import nn

from minsyn.information import PairwiseStatistics, discrete, gaussian
from minsyn.information.ci import bernoulli, mixed
from minsyn.information.ci import gaussian as ci_gaussian
from minsyn.information.single_parent import gk_linear_map
from minsyn.nn import ci_synergy_penalty, gk_synergy_penalty

MEASURES = {"ci": gaussian.ci_synergy, "gk": gaussian.gk_synergy}
PENALTIES = {"ci": ci_synergy_penalty, "gk": gk_synergy_penalty}
MAPS = {"ci": ci_gaussian.ci_linear_map, "gk": gk_linear_map}


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(40, 3, generator=generator, dtype=torch.float64)
    z = z @ torch.tensor([[1, 0.5, 0], [0, 1, -0.5], [0, 0, 1]], dtype=torch.float64) + 2
    mixing = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    noise = torch.rand(40, 5, generator=generator, dtype=torch.float64)
    return z, 3 * (z @ mixing + noise) - 1


@pytest.fixture
def bits():
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(40, 3, generator=generator, dtype=torch.float64)
    return z, torch.sigmoid(4 * z[:, [0, 1, 2, 0, 1]] - 2 * z[:, [1, 2, 0, 2, 0]])


def least_squares(z, x):
    weights = torch.linalg.lstsq(z - z.mean(0), x - x.mean(0)).solution
    return weights, x.mean(0) - z.mean(0) @ weights


@pytest.mark.parametrize("unit", ["bits", "nats"])
@pytest.mark.parametrize("synergy", ["ci", "gk"])
def test_decoder_of_least_squares_has_the_synergy_of_the_data(data, synergy, unit):
    z, x = data
    options = {"noise": "fitted", "unit": unit}
    found = PENALTIES[synergy](z, x, *least_squares(z, x), reduction="none", **options)
    statistics = PairwiseStatistics.of(z.numpy(), x.numpy())
    expected = MEASURES[synergy](statistics.sigma, statistics.rho, unit=unit)
    assert expected.min() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    total = PENALTIES[synergy](z, x, *least_squares(z, x), **options)
    assert total.item() == pytest.approx(expected.sum())


def test_logistic_decoder_that_is_true_has_the_synergy_of_the_pmf():
    """All states of two dependent bits, as often as they occur, and a logistic target."""
    counts = np.array([[4, 1], [2, 3]])
    states = np.array(list(np.ndindex(2, 2)))
    z = torch.tensor(np.repeat(states, counts.ravel(), axis=0), dtype=torch.float64)
    weights, bias = torch.tensor([[1.5], [-2.0]]).double(), torch.tensor([0.3]).double()
    x = torch.sigmoid(z @ weights + bias)
    on = torch.sigmoid(torch.tensor(states).double() @ weights + bias).reshape(2, 2).numpy()
    p_z = counts / counts.sum()
    expected = discrete.ci_synergy(np.stack([p_z * (1 - on), p_z * on], axis=-1), unit="nats")
    found = ci_synergy_penalty(z, x, weights, bias, observations="bernoulli")
    assert expected > 0.01
    assert found.item() == pytest.approx(expected, rel=0.05)  # the decoder is smoothed


@pytest.mark.parametrize(
    ("latents", "linear_map"),
    [
        ("bernoulli", bernoulli.ci_linear_map),
        ("gaussian", mixed.gaussian_to_bernoulli_linear_map),
    ],
)
def test_logistic_penalty_by_brute_force(bits, latents, linear_map):
    z, x = bits
    weights, bias = torch.linspace(-1, 1, 15).reshape(3, 5).double(), torch.ones(5).double()
    free = torch.sigmoid(z @ weights + bias)
    ci_weights, ci_bias = linear_map(PairwiseStatistics.of(z, x))
    ci = torch.sigmoid(z @ ci_weights + ci_bias)
    divergence = free * (free / ci).log() + (1 - free) * ((1 - free) / (1 - ci)).log()
    options = {"observations": "bernoulli", "latents": latents}
    found = ci_synergy_penalty(z, x, weights, bias, reduction="none", **options)
    torch.testing.assert_close(found, divergence.mean(0))
    assert abs(ci_synergy_penalty(z, x, ci_weights, ci_bias, **options)) < 1e-12


@pytest.mark.parametrize("synergy", ["ci", "gk"])
def test_unit_noise_is_the_difference_of_reconstructions(data, synergy):
    z, x = data
    weights, bias = torch.linspace(-1, 1, 15).reshape(3, 5).double(), torch.ones(5).double()
    ci_weights, ci_bias = MAPS[synergy](PairwiseStatistics.of(z, x))
    difference = (z @ weights + bias - z @ ci_weights - ci_bias).square()
    found = PENALTIES[synergy](z, x, weights, bias, reduction="mean")
    torch.testing.assert_close(found, difference.mean())


@pytest.mark.parametrize("noise", ["unit", "shared"])
@pytest.mark.parametrize("synergy", ["ci", "gk"])
def test_zero_only_where_decoders_agree(data, synergy, noise):
    z, x = data
    weights, bias = MAPS[synergy](PairwiseStatistics.of(z, x))
    agree = PENALTIES[synergy](z, x, weights, bias, noise=noise, reduction="none")
    torch.testing.assert_close(agree, torch.zeros(5).double(), rtol=0, atol=1e-20)
    weights[1, 2] += 0.1
    bias = bias + torch.tensor([0, 0.1, 0, 0, 0])
    apart = PENALTIES[synergy](z, x, weights, bias, noise=noise, reduction="none") > 1e-6
    assert apart.tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("noise", ["shared", "fitted"])
def test_information_does_not_depend_on_units(data, noise):
    z, x = data
    scale = torch.tensor([1e-3, 1, 10, 1e3, 2]).double()
    weights, bias = least_squares(z, x)
    weights = weights + 0.1
    found = ci_synergy_penalty(z, x, weights, bias, noise=noise)
    scaled = ci_synergy_penalty(10 * z, x * scale, weights * scale / 10, bias * scale, noise=noise)
    torch.testing.assert_close(found, scaled)


@pytest.mark.parametrize("noise", ["unit", "shared", "fitted"])
def test_gradients_reach_encoder_and_decoder(data, noise):
    z, x = data
    weights, bias = least_squares(z[:8], x[:8])
    arguments = [t.clone().requires_grad_() for t in (z[:8], weights + 0.1, bias)]
    for penalty in PENALTIES.values():
        assert torch.autograd.gradcheck(
            lambda z, w, b, penalty=penalty: penalty(z, x[:8], w, b, noise=noise), arguments
        )


def test_gradients_of_the_logistic_penalty(bits):
    z, x = (t[:8] for t in bits)
    arguments = [t.requires_grad_() for t in (z, torch.ones(3, 5).double(), x[0].clone())]
    assert torch.autograd.gradcheck(
        lambda z, w, b: ci_synergy_penalty(z, x, w, b, observations="bernoulli"), arguments
    )


@pytest.mark.parametrize("observations", ["gaussian", "bernoulli"])
def test_strength_runs_from_the_free_decoder_to_the_one_without_synergy(data, bits, observations):
    z, x = data if observations == "gaussian" else bits
    ci = torch.cat([part.flatten() for part in _ci_map(observations)(PairwiseStatistics.of(z, x))])
    away = []
    for strength in (0.0, 1.0, 1e4):
        decoder = nn.Linear(3, 5).double()
        nn.init.zeros_(decoder.weight)
        optimizer = torch.optim.LBFGS(
            decoder.parameters(),
            max_iter=500,
            tolerance_change=1e-14,
            line_search_fn="strong_wolfe",
        )

        def loss(decoder=decoder, optimizer=optimizer, strength=strength):
            optimizer.zero_grad()
            if observations == "gaussian":
                value = (decoder(z) - x).square().sum(dim=1).mean()
            else:
                value = nn.functional.binary_cross_entropy_with_logits(decoder(z), x) * 5
            value = value + strength * ci_synergy_penalty(
                z, x, decoder.weight.T, decoder.bias, observations=observations
            )
            value = value / (1 + strength)
            value.backward()
            return value

        optimizer.step(loss)
        fitted = torch.cat([decoder.weight.T.flatten(), decoder.bias]).detach()
        away.append(float((fitted - ci).norm() / ci.norm()))
        if strength == 0 and observations == "gaussian":
            expected = torch.cat([part.flatten() for part in least_squares(z, x)])
            torch.testing.assert_close(fitted, expected, rtol=1e-4, atol=1e-4)
    assert away[0] > away[1] > away[2] and away[0] > 0.1 and away[2] < 1e-2


def _ci_map(observations):
    return ci_gaussian.ci_linear_map if observations == "gaussian" else bernoulli.ci_linear_map


@pytest.mark.parametrize("noise", ["unit", "shared", "fitted"])
def test_what_does_not_vary_or_fits_exactly_stays_finite(noise):
    z = torch.rand(20, 2)
    z[:, 0] = 1.0
    x = torch.stack([torch.zeros(20), z[:, 1], torch.rand(20)], dim=1)
    exact = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    for penalty in PENALTIES.values():
        for weights in (exact, torch.ones(2, 3)):
            arguments = [z.clone().requires_grad_(), weights.clone().requires_grad_()]
            value = penalty(arguments[0], x, arguments[1], noise=noise)
            gradients = torch.autograd.grad(value, arguments)
            assert all(torch.isfinite(t).all() for t in (value, *gradients))


def test_half_precision_and_autocast(data):
    z, x = (t.float() for t in data)
    weights, bias = least_squares(z, x)
    expected = ci_synergy_penalty(z, x, weights, bias, noise="fitted")
    with torch.autocast("cpu", torch.bfloat16):
        found = ci_synergy_penalty(z, x, weights, bias, noise="fitted")
    torch.testing.assert_close(found, expected)
    assert ci_synergy_penalty(z.half(), x.half(), weights.half()).dtype is torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": torch.ones(5, 3)}, r"weight\.T"),
        ({"bias": torch.ones(3)}, "bias must have shape"),
        ({"observations": "poisson"}, "observations must be one of"),
        ({"latents": "poisson"}, "latents must be one of"),
        ({"noise": "none"}, "noise must be one of"),
        ({"reduction": "max"}, "reduction must be one of"),
        ({"unit": "bans"}, "unit must be one of"),
        ({"z": torch.ones(1, 3), "x": torch.ones(1, 5)}, "one sample"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    defaults = {"z": torch.rand(9, 3), "x": torch.rand(9, 5), "weights": torch.ones(3, 5)}
    penalty = getattr(ci_synergy_penalty, "__wrapped__", ci_synergy_penalty)
    with pytest.raises(ValueError, match=message):
        penalty(**{**defaults, **arguments})


@pytest.mark.parametrize("kind", PENALTIES)
def test_two_samples_are_enough(kind, data):
    z, x = (values[:2] for values in data)
    weights, bias = MAPS[kind](PairwiseStatistics.of(z, x))
    assert torch.isfinite(PENALTIES[kind](z, x, weights, bias))
