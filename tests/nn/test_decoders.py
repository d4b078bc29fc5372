import math
from functools import partial

import numpy as np
import pytest
import torch

from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, categorical, gaussian, mixed
from minsyn.information.single_parent import gk_linear_map
from minsyn.nn import (
    SOFTPLUS,
    BernoulliCategoricalDecoder,
    BernoulliDecoder,
    BernoulliGaussianDecoder,
    FreeDecoder,
    GaussianBernoulliDecoder,
    GaussianCategoricalDecoder,
    GaussianDecoder,
    RunningStatistics,
    SingleParentDecoder,
)

SIZES = (2, 3)
CATEGORIES = categorical.Categories(SIZES)

#: Decoder of three latents and five features, and the formula of its map.
DECODERS = {
    "gaussian": (partial(GaussianDecoder, 3, 5), gaussian.ci_linear_map),
    "bernoulli": (partial(BernoulliDecoder, 3, 5), bernoulli.ci_linear_map),
    "gaussian to bernoulli": (
        partial(GaussianBernoulliDecoder, 3, 5),
        mixed.gaussian_to_bernoulli_linear_map,
    ),
    "bernoulli to gaussian": (
        partial(BernoulliGaussianDecoder, 3, 5),
        mixed.bernoulli_to_gaussian_linear_map,
    ),
    "gaussian to categorical": (
        partial(GaussianCategoricalDecoder, 3, SIZES),
        partial(categorical.gaussian_ci_linear_map, categories=CATEGORIES),
    ),
    "bernoulli to categorical": (
        partial(BernoulliCategoricalDecoder, 3, SIZES),
        partial(categorical.bernoulli_ci_linear_map, categories=CATEGORIES),
    ),
    "single parent": (partial(SingleParentDecoder, 3, 5), gk_linear_map),
    "soft parent": (
        partial(SingleParentDecoder, 3, 5, temperature=0.01),
        partial(gk_linear_map, temperature=0.01),
    ),
}


@pytest.fixture(params=DECODERS)
def kind(request):
    return request.param


@pytest.fixture
def make(kind):
    return DECODERS[kind][0]


@pytest.fixture
def z():
    return torch.rand(64, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def x(kind):
    """Observations in [0, 1], correlated with z; categories add up to 1."""
    return observations(kind, seed=1)


def observations(kind, seed):
    generator = torch.Generator().manual_seed(seed)
    latents = torch.rand(64, 3, generator=torch.Generator().manual_seed(0))
    mixing = torch.rand(3, 5, generator=generator)
    x = torch.sigmoid(4 * (latents - 0.5) @ mixing + torch.randn(64, 5, generator=generator))
    return as_categories(x) if "categorical" in kind else x


def as_categories(x):
    return torch.cat([part / part.sum(dim=1, keepdim=True) for part in x.split(SIZES, 1)], dim=1)


def test_torch_and_numpy_run_the_same_formula(kind, make, z, x):
    weights, intercept = make().linear_map(PairwiseStatistics.of(z, x))
    expected = DECODERS[kind][1](PairwiseStatistics.of(z.numpy(), x.numpy()))
    np.testing.assert_allclose(weights, expected[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(intercept, expected[1], rtol=1e-3, atol=1e-4)


def test_gradient_of_the_loss_through_the_statistics(make, z, x):
    z, x = z[:8].double(), x[:8].double()
    decoder = make().double()
    assert torch.autograd.gradcheck(lambda z: decoder.loss(z, x), (z.requires_grad_(),))


def test_gradient_of_the_output_through_the_statistics(make, z, x):
    z, x = z[:5].double(), x[:5].double()
    decoder = make().double()
    assert torch.autograd.gradcheck(lambda z: decoder(z, x), (z.requires_grad_(),))


@pytest.mark.parametrize("kind", [k for k in DECODERS if k != "soft parent"])
def test_loss_is_that_of_the_reconstruction(kind, make, z, x):
    decoder = make()
    x_hat = decoder(z, x)
    if kind in ("gaussian", "bernoulli to gaussian", "single parent"):
        expected = (x_hat - x).square().sum(dim=1).mean()
    elif "categorical" in kind:
        expected = -(x * x_hat.log()).sum(dim=1).mean()
    else:
        expected = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).sum(dim=1).mean()
    assert torch.allclose(decoder.loss(z, x), expected, rtol=1e-4)
    decoder.eval()  # one batch seen: its statistics are the running ones
    assert torch.allclose(decoder.loss(z, x), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["soft parent"])
def test_loss_of_soft_parents_is_the_expected_one(make, z, x):
    """It exceeds the error of the mixed mean by the spread of the experts."""
    decoder = make()
    of_mean = (decoder(z, x) - x).square().sum(dim=1).mean()
    loss = decoder.loss(z, x)
    assert loss > of_mean + 1e-3
    assert torch.allclose(decoder.eval().loss(z, x), loss, rtol=1e-4)


def test_dead_latents_and_constant_features_stay_finite(kind, make, z, x):
    z, x = z.clone(), x.clone()
    z[:, 0], z[:, 2] = 1.0, z[:, 2].round()
    if "categorical" in kind:
        x[:, :2] = torch.tensor([0.0, 1.0])  # never and always
        x[:, 2:] = torch.stack([z[:, 2], 1 - z[:, 2], 0 * z[:, 2]], dim=1)
    else:
        x[:, 0], x[:, 1], x[:, 2], x[:, 3] = 0.0, 1.0, z[:, 1], z[:, 2]
    z.requires_grad_()
    decoder = make()
    loss = decoder.loss(z, x) + decoder(z, x).sum()
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(z.grad).all()
    weights, _ = decoder.linear_map(PairwiseStatistics.of(z.double(), x.double()))
    assert weights[0].abs().max() < 1e-9 and weights[:, :2].abs().max() < 1e-9


def test_an_independent_latent_has_no_weight(make, kind):
    bits = torch.tensor([[i >> k & 1 for k in range(3)] for i in range(8)]).double()
    x = bits[:, [1, 1, 2, 2, 2]]
    x[:, 1] = 1 - x[:, 0]
    x[:, 3] = 0.5 * (1 - x[:, 2])
    x[:, 4] = 0.5 * (1 - x[:, 2])
    weights, _ = make().linear_map(PairwiseStatistics.of(bits, x))
    torch.testing.assert_close(weights[0], torch.zeros(5).double(), rtol=0, atol=1e-12)
    assert bool((weights[1, :2].abs() > 0.1).all())


def test_state_dict_carries_the_statistics(make, z, x):
    decoder, other = make(), make()
    decoder(z, x)
    other.load_state_dict(decoder.state_dict())
    assert torch.equal(other.eval()(z), decoder.eval()(z))
    double = decoder.double()
    assert double(z.double()).dtype is torch.float64
    torch.testing.assert_close(double(z.double()).float(), other(z), rtol=1e-3, atol=1e-4)


def test_one_sample_is_no_batch(make, z, x):
    with pytest.raises(ValueError, match="one sample"):
        make()(z[:1], x[:1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_statistics_of_half_precision_are_single(make, z, x, dtype):
    z, x = z.to(dtype), x.to(dtype)
    decoder, single = make().to(dtype), make()
    assert decoder(z, x).dtype is dtype
    assert torch.isfinite(decoder.loss(z, x))
    single(z.float(), x.float())
    found, expected = decoder.running.state_dict(), single.running.state_dict()
    for name in set(found) - {"n_batches"}:
        torch.testing.assert_close(found[name], expected[name])


def test_autocast_leaves_statistics_alone(make, z, x):
    plain, decoder = make(), make()
    expected = plain.loss(z, x)
    with torch.autocast("cpu", torch.bfloat16):
        loss = decoder.loss(z, x)
        assert torch.isfinite(decoder(z, x)).all()
    torch.testing.assert_close(loss, expected, rtol=2e-2, atol=0)
    torch.testing.assert_close(
        decoder.running.statistics().rho, plain.running.statistics().rho, rtol=1e-4, atol=1e-5
    )


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(64, 3, generator=generator), torch.rand(64, 5, generator=generator)


def test_training_needs_x_and_evaluation_needs_training(batch):
    z, _ = batch
    with pytest.raises(ValueError, match=r"decoder\(z, x\)"):
        GaussianDecoder(3, 5)(z)
    with pytest.raises(RuntimeError, match="seen no data"):
        GaussianDecoder(3, 5).eval()(z)


def test_running_average_of_few_batches_is_their_mean(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.1)
    for rows in torch.arange(64).split(16):
        running.update(PairwiseStatistics.of(z[rows], x[rows]))
    whole = PairwiseStatistics.of(z, x)
    torch.testing.assert_close(running.statistics().rho, whole.rho, rtol=1e-4, atol=1e-5)


def test_running_average_forgets(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.5)
    for _ in range(3):
        running.update(PairwiseStatistics.of(z, x))
    for _ in range(40):
        running.update(PairwiseStatistics.of(z, 1 - x))
    torch.testing.assert_close(
        running.statistics().rho, PairwiseStatistics.of(z, 1 - x).rho, rtol=1e-4, atol=1e-5
    )


def test_statistics_that_are_loaded_weigh_as_much_as_those_of_many_batches(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.1)
    running.load(PairwiseStatistics.of(z, x))
    assert int(running.n_batches) == 10
    running.update(PairwiseStatistics.of(z, 1 - x))
    expected = 0.9 * x.mean(axis=0) + 0.1 * (1 - x).mean(axis=0)
    torch.testing.assert_close(running.statistics().mean_x, expected, rtol=1e-5, atol=1e-6)


def test_statistics_that_were_given_out_do_not_move(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.5)
    running.update(PairwiseStatistics.of(z, x))
    before = running.statistics()
    rho = before.rho.clone()
    running.update(PairwiseStatistics.of(z, 1 - x))
    assert torch.equal(before.rho, rho)
    assert not torch.equal(running.statistics().rho, rho)


@pytest.mark.parametrize("momentum", [0.0, -0.1, 1.1])
def test_momentum_out_of_range(momentum):
    with pytest.raises(ValueError, match="momentum"):
        GaussianDecoder(3, 5, momentum=momentum)


@pytest.mark.parametrize("flip", [0.0, 0.5])
@pytest.mark.parametrize(
    "name",
    ["bernoulli", "gaussian to bernoulli", "gaussian to categorical", "bernoulli to categorical"],
)
def test_flip_out_of_range(flip, name):
    with pytest.raises(ValueError, match="flip"):
        DECODERS[name][0](flip=flip)


@pytest.mark.parametrize("temperature", [-1.0, math.nan])
def test_temperature_out_of_range(temperature):
    decoder = SingleParentDecoder(3, 5)
    with pytest.raises(ValueError, match="temperature"):
        decoder.temperature = temperature


@pytest.mark.parametrize("sizes", [(), (2, 0)])
def test_variables_without_categories(sizes):
    with pytest.raises(ValueError, match="sizes"):
        GaussianCategoricalDecoder(3, sizes)


def test_columns_that_are_no_categories(batch):
    with pytest.raises(ValueError, match="add up to"):
        GaussianCategoricalDecoder(3, SIZES)(*batch)


def test_sums_of_a_trained_decoder_do_not_overflow_in_half_precision():
    z, x = torch.rand(400, 2).half(), torch.rand(400, 600).round().half()
    decoder = FreeDecoder(BernoulliDecoder(2, 600), synergy_weight=1.0).half()
    assert decoder.loss(z, x).item() == pytest.approx(600 * math.log(2), rel=0.1)


def test_statistics_follow_the_module_to_double_precision_but_not_below_single():
    decoder = GaussianDecoder(2, 3)
    buffers = lambda: {b.dtype for b in decoder.buffers() if b.is_floating_point()}  # noqa: E731
    decoder.half()
    assert buffers() == {torch.float32}
    decoder.double()
    assert buffers() == {torch.float64}
    decoder.float()
    assert buffers() == {torch.float32}


def test_softplus_is_exact_in_double_precision():
    z = torch.tensor([25.0, -3.0], dtype=torch.float64)
    torch.testing.assert_close(SOFTPLUS(z), torch.log1p(z.exp()), rtol=1e-14, atol=0)
